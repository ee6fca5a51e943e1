internal import StrakeLMDB
internal import StrakeModel
internal import StrakeTables

// Copies of keys and values for answers.
extension StoreSnapshot {
    /// One live key. In memory, or with `wantsValue` off, it costs no look-up in history.
    func keyValue(
        _ key: UnsafeRawBufferPointer, at main: Int64, wantsValue: Bool, reading: inout LazyTransaction
    ) throws(TableError) -> KeyValue? {
        guard let state = try state(of: key, at: main, reading: &reading), state.isAlive else { return nil }
        return try keyValue(key, state, wantsValue: wantsValue, reading: &reading)
    }

    /// The same of a key that was found.
    func keyValue(
        _ key: UnsafeRawBufferPointer, _ state: KeyState, wantsValue: Bool, reading: inout LazyTransaction
    ) throws(TableError) -> KeyValue {
        if !wantsValue { return Self.keyValue(key, state, value: []) }
        if let event = state.memory { return Self.keyValue(key, state, value: [UInt8](event.value)) }
        return try reading.with { txn throws(TableError) in
            var buffer = RecordBuffer()
            return try keyValue(key, state, wantsValue: true, in: txn, buffer: &buffer)
        }
    }

    /// The same inside a scan.
    func keyValue(
        _ key: UnsafeRawBufferPointer, _ state: KeyState, wantsValue: Bool, in txn: borrowing ReadTransaction,
        buffer: inout RecordBuffer
    ) throws(TableError) -> KeyValue {
        guard wantsValue else { return Self.keyValue(key, state, value: []) }
        return Self.keyValue(key, state, value: [UInt8](try event(of: state, in: txn, buffer: &buffer).value))
    }

    private static func keyValue(_ key: UnsafeRawBufferPointer, _ state: KeyState, value: [UInt8]) -> KeyValue {
        let entry = state.entry
        return KeyValue(
            key: [UInt8](key), createRevision: entry.createRevision, modRevision: entry.modRevision.main,
            version: entry.version, value: value, lease: entry.lease)
    }
}
