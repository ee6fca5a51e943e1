internal import StrakeBolt
internal import StrakeChecksum

/// `strake ctl snapshot status`: reads all of a snapshot, and says what is in it, as etcdctl does.
struct SnapshotStatus {
    static let details = """
        It reads all of a file that 'snapshot save' wrote, or of a database that was copied from an etcd, and says: the hash,
        the revision, the number of keys, the size. protobuf is refused, as etcdctl refuses it.
        """

    private let path: String
    private let printer: Printer

    init(_ context: CommandContext) throws(CommandFailure) {
        guard context.words.count == 1 else { throw .arguments("snapshot status requires exactly one argument") }
        path = context.words[0]
        printer = context.printer
        try printer.refuse(.protobuf)
    }

    func run() throws(CommandFailure) {
        let file = try SnapshotFile(path)
        if file.checksum != nil { try file.checkSum() }
        let database = try file.database()
        var found = Found()
        do throws(BoltError) {
            try found.read(database)
        } catch { throw CommandFailure("\(path): \(error)") }
        show(found, size: database.meta.pageCount * UInt64(database.meta.pageBytes))
    }

    private func show(_ found: Found, size: UInt64) {
        let cells = [
            String(found.hash.value, radix: 16), "\(found.revision)", "\(found.keys)",
            GoText.size(Int64(clamping: size)),
        ]
        switch printer.format {
        case .json:
            CommandOutput.line(
                "{\"hash\":\(found.hash.value),\"revision\":\(found.revision),\"totalKey\":\(found.keys),"
                    + "\"totalSize\":\(size)}")
        case .fields:
            printer.field("Hash", found.hash.value)
            printer.field("Revision", found.revision)
            printer.field("Keys", found.keys)
            printer.field("Size", size)
        case .table: TextTable.print(["hash", "revision", "total keys", "total size"], [cells])
        case .simple, .protobuf: CommandOutput.line(cells.joined(separator: ", "))
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
