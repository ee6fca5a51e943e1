package import StrakeModel
package import StrakeTables

/// The store at the moment the view was lent. Touches the file only for what is not in memory.
package struct ReadView: ~Copyable {
    let snapshot: StoreSnapshot
    let publication: Publication
    var reading: LazyTransaction

    init(_ snapshot: StoreSnapshot, _ publication: Publication) {
        self.snapshot = snapshot
        self.publication = publication
        reading = LazyTransaction(snapshot.tables.environment)
    }

    package var revision: Int64 { snapshot.revision }
    /// Zero: never compacted.
    package var compactRevision: Int64 { snapshot.compactRevision }

    /// One key at a revision; zero or less is the newest.
    package mutating func keyValue(_ key: [UInt8], at revision: Int64 = 0) throws(MVCCError) -> KeyValue? {
        let main = try snapshot.mainRevision(revision)
        return try MVCCError.storage { () throws(TableError) in
            try key.withBytes { key throws(TableError) in
                try snapshot.keyValue(key, at: main, wantsValue: true, reading: &reading)
            }
        }
    }

    /// A copy of one event. Nil: there is none, or it was compacted away.
    package mutating func event(at revision: Revision) throws(MVCCError) -> EventRecord? {
        guard revision.main <= self.revision else { return nil }
        let snapshot = snapshot
        return try MVCCError.storage { () throws(TableError) in
            try reading.with { txn throws(TableError) in
                var buffer = RecordBuffer()
                guard let event = try snapshot.event(at: revision, in: txn, buffer: &buffer) else { return nil }
                return EventRecord(header: event.header, key: [UInt8](event.key), value: [UInt8](event.value))
            }
        }
    }

    /// The keys attached to a lease, in order.
    package mutating func keys(attachedTo lease: LeaseID) throws(MVCCError) -> [[UInt8]] {
        try MVCCError.storage { () throws(TableError) in
            try snapshot.keys(attachedTo: lease, reading: &reading)
        }
    }
}
