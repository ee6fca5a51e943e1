internal import StrakeLogging
internal import StrakeStore
internal import StrakeTLS
internal import Synchronization

/// Lines about connections that were not let in. Anybody can make them come, so they are few.
final class RejectionLog: Sendable {
    /// In each second; further ones are counted, and the number is told with the next line.
    private static let linesMax = 10

    private struct State {
        var second: UInt64 = 0
        var lines = 0
        var leftOut = 0
    }

    private let log: ServerLog
    private let state = Mutex(State())

    init(_ log: ServerLog) {
        self.log = log
    }

    func write(_ connection: RejectedConnection, _ endpoint: TLSSetup.Endpoint) {
        let second = MonotonicClock.nanoseconds / 1_000_000_000
        let leftOut: Int? = state.withLock { state in
            if state.second != second {
                state.second = second
                state.lines = 0
            }
            guard state.lines < Self.linesMax else {
                state.leftOut += 1
                return nil
            }
            state.lines += 1
            defer { state.leftOut = 0 }
            return state.leftOut
        }
        guard let leftOut else { return }
        log.write(
            .warn, "rejected connection on \(endpoint) endpoint",
            [
                "remote-addr": connection.address, "error": connection.reason,
                "names": connection.certificateNames.joined(separator: " "), "left-out": String(leftOut),
            ])
    }
}
