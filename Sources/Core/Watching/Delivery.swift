/// One list of events for all the watchers that want exactly these events in exactly this form.
package struct Delivery {
    package let form: WatchForm
    /// Positions in the batch, ascending and never empty.
    package let positions: ArraySlice<Int>
    package let watchers: ArraySlice<WatcherID>
    private(set) var refused: [Int] = []

    init(form: WatchForm, positions: ArraySlice<Int>, watchers: ArraySlice<WatcherID>) {
        self.form = form
        self.positions = positions
        self.watchers = watchers
    }

    /// Turns the delivery down for one watcher, because its stream has too much to send already.
    ///
    /// Nothing of the delivery may have been queued for it. The watcher holds no events from now on: it waits until
    /// its stream has drained, then replays from the first event it missed.
    ///
    /// - Parameter index: An index of `watchers`.
    package mutating func refuse(at index: Int) {
        precondition(watchers.indices.contains(index), "watcher \(index) refused, of \(watchers.indices)")
        refused.append(index)
    }
}

/// Where the hub's output goes: the outgoing queues of the streams.
///
/// The calls come in the order in which the queues must have them. They are made inside calls of the hub, so they
/// cannot call it back.
package protocol WatchConsumer {
    mutating func deliver(_ delivery: inout Delivery)
    /// The watcher needs revisions that are gone. The hub has forgotten it already.
    mutating func cancel(_ watcher: WatcherID, compactRevision: Int64)
    /// The watcher has been given all events up to `revision`. May be dropped where the stream is full.
    mutating func progress(of watcher: WatcherID, revision: Int64)
    /// The reply owed for a progress request: all watchers of the stream are that far. Must not be dropped.
    mutating func progress(of stream: StreamKey, revision: Int64)
}
