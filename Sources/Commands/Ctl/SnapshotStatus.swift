internal import StrakeBolt
internal import StrakeChecksum
internal import StrakeFlags

/// `strake ctl snapshot status`: reads all of a snapshot, and says what is in it, as etcdctl does.
struct SnapshotStatus {
    private let path: String
    private let format: String

    init(_ words: [String], _ flags: FlagSet) throws(CtlError) {
        guard words.count == 1 else { throw CtlError("snapshot status takes one FILE", exitCode: 2) }
        path = words[0]
        format = flags.string("write-out")
    }

    func run() throws(CtlError) {
        let file = try SnapshotFile(path)
        if file.checksum != nil { try file.checkSum() }
        let database = try file.database()
        var found = Found()
        do throws(BoltError) {
            try found.read(database)
        } catch { throw CtlError("\(path): \(error)") }
        show(found, size: database.meta.pageCount * UInt64(database.meta.pageBytes))
    }

    private func show(_ found: Found, size: UInt64) {
        let cells = [
            String(found.hash.value, radix: 16), "\(found.revision)", "\(found.keys)",
            GoText.size(Int64(clamping: size)),
        ]
        switch format {
        case "json":
            print(
                "{\"hash\":\(found.hash.value),\"revision\":\(found.revision),\"totalKey\":\(found.keys),"
                    + "\"totalSize\":\(size)}")
        case "fields":
            print("\"Hash\" : \(found.hash.value)\n\"Revision\" : \(found.revision)")
            print("\"Keys\" : \(found.keys)\n\"Size\" : \(size)")
        case "table": TextTable.print(["hash", "revision", "total keys", "total size"], [cells])
        default: print(cells.joined(separator: ", "))
        }
    }

    private struct Found {
        /// Over the buckets' names, keys and values.
        var hash = CRC32C()
        var revision: Int64 = 0
        var keys = 0

        mutating func read(_ database: BoltReader) throws(BoltError) {
            var buckets: [(name: [UInt8], bucket: BoltBucket)] = []
            try database.forEach(in: database.root) { entry throws(BoltError) in
                if entry.isBucket, let bucket = BoltBucket(entry.value) { buckets.append((Array(entry.key), bucket)) }
                return true
            }
            for (name, bucket) in buckets {
                hash.add(name)
                let holdsRevisions = name == Array("key".utf8)
                try database.forEach(in: bucket) { entry throws(BoltError) in
                    hash.add(entry.key)
                    hash.add(entry.value)
                    keys += 1
                    if holdsRevisions, entry.key.count >= 8 {
                        revision = Int64(bigEndian: entry.key.loadUnaligned(fromByteOffset: 0, as: Int64.self))
                    }
                    return true
                }
            }
        }
    }
}
