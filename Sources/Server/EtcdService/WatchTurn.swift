internal import StrakeStore

/// What a turn of a loop sends to its watchers. The clock is looked at twice a turn, however much that is.
struct WatchTurn {
    /// What a response is about.
    enum Kind {
        case control, progress
    }

    private let began = MonotonicClock.nanoseconds
    /// Responses with events, and the events in them.
    private var responses = 0
    private var events = 0
    private var control = 0
    private var progress = 0

    mutating func add(responses count: Int, events: Int) {
        responses += count
        self.events += events
    }

    mutating func add(_ kind: Kind) {
        switch kind {
        case .control: control += 1
        case .progress: progress += 1
        }
    }

    /// All that was sent shares the turn's time evenly.
    func end(in times: WatchSendTimes) {
        let count = responses + control + progress
        if count == 0 { return }
        let nanoseconds = MonotonicClock.nanoseconds - began
        let share = nanoseconds / UInt64(count)
        if control > 0 { times.control.record(share, times: UInt64(control)) }
        if progress > 0 { times.progress.record(share, times: UInt64(progress)) }
        guard responses > 0 else { return }
        times.responses.record(share, times: UInt64(responses))
        times.perEvent.record(share * UInt64(responses) / UInt64(max(events, 1)), times: UInt64(responses))
    }
}

/// How long it takes to encode watch responses and to queue them on their streams.
struct WatchSendTimes: Sendable {
    /// Of a response with events, and of that the share of one event.
    let responses = Histogram()
    let perEvent = Histogram()
    /// Of one that a watcher was created or canceled.
    let control = Histogram()
    /// Of one that says how far a watcher or its stream is.
    let progress = Histogram()
}
