/// A call that changes a file or makes changes durable.
package enum FileCall: Sendable {
    /// `isDurable`: through a descriptor that is O_DSYNC, so on disk when the call returns.
    case write(bytes: [UInt8], offset: Int, isDurable: Bool)
    /// Of a file or a directory. Calls that were done with a lower number are on disk; zero while it is only asked for.
    case sync(began: UInt64)
    case truncate(length: Int)
    /// To another path below the directory.
    case rename(to: String)
    case remove
}
