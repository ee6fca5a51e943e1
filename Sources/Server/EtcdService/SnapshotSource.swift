internal import StrakeEtcdBackend
internal import StrakeEtcdWire
internal import StrakeMVCC
internal import StrakeStore

/// The messages of a Snapshot stream: the file in blobs of etcd's size, then its checksum by itself.
final class SnapshotSource: PieceSource, @unchecked Sendable {
    private static let blobBytes = 32 << 10
    /// The first etcd whose database is laid out as the file is; later ones bring it up to date by themselves.
    private static let version = "3.5.0"

    private let store: Store
    private var file: BackendFile
    private var sent: UInt64 = 0
    private var began: UInt64?
    private var isWhole = false

    init(_ store: Store) {
        self.store = store
        file = BackendFile(store.makeBackup())
    }

    deinit {
        guard let began else { return }
        store.metrics.backupTimes.record(MonotonicClock.nanoseconds - began)
        if !isWhole { note(.abandoned) }
    }

    func next() throws(MVCCError) -> LongAnswer.Piece? {
        guard try file.count() else { return nil }
        if began == nil {
            began = MonotonicClock.nanoseconds
            note(.begun)
        }
        guard let blob = try file.next(bytesMax: Self.blobBytes) else {
            preconditionFailure("a snapshot was asked for more than it has")
        }
        var message = SnapshotResponse()
        isWhole = sent == file.fileBytes
        if isWhole { note(.whole) } else { sent += UInt64(blob.count) }
        message.remainingBytes = file.fileBytes - sent
        message.blob = blob
        message.version = Self.version
        let bytes = message.encoded()
        return LongAnswer.Piece(bytes: bytes, messageLength: UInt32(bytes.count), isLast: isWhole)
    }

    private func note(_ progress: BackupProgress) {
        store.options.onNotice(.backup(progress, bytes: file.fileBytes))
    }
}
