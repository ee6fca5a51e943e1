internal import StrakeFileCalls

/// What happened to a file of a recorded directory.
///
/// Lengths and names are taken as durable at once, what is in the file is not.
struct FileOperation: Sendable {
    var sequence: UInt64
    /// Path below the directory.
    var file: String
    var kind: FileCall
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
