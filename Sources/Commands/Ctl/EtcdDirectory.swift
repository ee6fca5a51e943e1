internal import StrakeEtcdBackend
internal import StrakeLog

/// The data directory of an etcd that does not run: its database, and the files of its log.
struct EtcdDirectory {
    let database: SnapshotFile
    private let databaseFile: ReadOnlyFile
    private let segments: [ReadOnlyFile]

    /// - Parameter logPath: Where etcd's --wal-dir was, if it had one.
    init(_ path: String, logPath: String?) throws(CommandFailure) {
        let snapshots = path + "/member/snap"
        guard (try? FileDisk().list(snapshots))?.contains("db") == true else {
            throw CommandFailure("--from-etcd: \(path) is not the data directory of an etcd: it has no member/snap/db")
        }
        databaseFile = try ReadOnlyFile(snapshots + "/db")
        try databaseFile.lock()
        database = try SnapshotFile(snapshots + "/db")
        try Self.refuseOldKeys(in: snapshots)
        let log = logPath ?? path + "/member/wal"
        let names = ((try? FileDisk().list(log)) ?? []).filter { $0.hasSuffix(".wal") }.sorted()
        guard !names.isEmpty else {
            let hint = logPath == nil ? "; --wal-dir names the place when etcd was told one" : ""
            throw CommandFailure("\(log) has no files of a log\(hint)")
        }
        var files: [ReadOnlyFile] = []
        for name in names { files.append(try ReadOnlyFile("\(log)/\(name)")) }
        segments = files
    }

    /// Reads the log, for the entries that the database does not have.
    func log(behind contents: BackendContents) throws(CommandFailure) -> EtcdLog {
        var log = EtcdLog(after: contents.consistentIndex)
        for (number, file) in segments.enumerated() {
            let bytes = try file.read(0..<file.byteCount)
            do {
                try bytes.withUnsafeBytes { try log.add($0, isLast: number == segments.count - 1) }
            } catch { throw CommandFailure("\(file.path): the log cannot be read: \(error)") }
        }
        do throws(EtcdLogError) { try log.check() } catch {
            throw CommandFailure("the log beside \(database.path) cannot be carried out: \(error)")
        }
        return log
    }

    func data(of item: EtcdLog.Item) throws(CommandFailure) -> [UInt8] { try segments[item.segment].read(item.range) }

    /// Keys of the v2 API are in the newest snapshot of the old store, as JSON.
    private static func refuseOldKeys(in directory: String) throws(CommandFailure) {
        let names = ((try? FileDisk().list(directory)) ?? []).filter { $0.hasSuffix(".snap") }
        guard let newest = names.max() else { return }
        let file = try ReadOnlyFile("\(directory)/\(newest)")
        let bytes = try file.read(0..<file.byteCount)
        let pattern = Array("\"Path\":\"/1/".utf8)
        guard !bytes.contains(pattern) else {
            throw CommandFailure("\(file.path): there are keys of etcd's v2 API, which Strake does not have")
        }
    }
}
