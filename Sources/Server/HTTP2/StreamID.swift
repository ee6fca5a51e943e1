/// A stream of one connection: a handle that may outlive it.
///
/// When the stream is gone, every call with its handle does nothing and says so, so it may be carried to other threads
/// and back without asking first.
package struct StreamID: Hashable, Sendable {
    /// The HTTP/2 stream identifier; 0 is no stream.
    package let number: UInt32
    /// Dense index, recycled when the stream closes: users keep their own state in an array indexed by it.
    package let slot: UInt32

    package init(number: UInt32, slot: UInt32) {
        self.number = number
        self.slot = slot
    }

    static let none = StreamID(number: 0, slot: 0)
}
