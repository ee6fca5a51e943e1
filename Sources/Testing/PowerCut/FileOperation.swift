/// What happened to a file of a recorded directory.
struct FileOperation: Sendable {
    enum Kind: Sendable {
        /// `isDurable`: through a descriptor that is O_DSYNC, so on disk when the call returned.
        case write(bytes: [UInt8], offset: Int, isDurable: Bool)
        /// Writes with a lower sequence are on disk.
        case sync(began: UInt64)
        /// Lengths are taken as durable at once.
        case truncate(length: Int)
        /// Names are taken as durable at once, what is in the file is not.
        case rename(to: String)
        case remove
    }

    var sequence: UInt64
    /// Path below the directory.
    var file: String
    var kind: Kind
    /// What the recording's `note` said then.
    var note = 0

    /// The operation as the power fails before it returns: a write of which nothing is sure.
    var inFlight: FileOperation? {
        guard case .write(let bytes, let offset, _) = kind else { return nil }
        // Above every sync's.
        return FileOperation(
            sequence: .max, file: file, kind: .write(bytes: bytes, offset: offset, isDurable: false))
    }
}
