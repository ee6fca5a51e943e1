/// One watch stream of a client, named by the server as it likes. The hub only compares it.
package struct StreamKey: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }
}

/// One watcher: the stream it is on and the id that its responses carry.
package struct WatcherID: Hashable, Sendable {
    package let stream: StreamKey
    package let watchID: Int64
    let reference: WatcherReference
}

/// A place in the hub's table of watchers. The place is used again after a cancel, with another generation.
struct WatcherReference: Hashable, Sendable {
    let slot: Int32
    let generation: UInt32
}
