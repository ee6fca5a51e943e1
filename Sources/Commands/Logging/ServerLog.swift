internal import Synchronization

/// The log of a server: lines in zap's two formats, for whoever follows etcd's.
///
/// Writing a line never waits: lines go through a bounded queue to a thread of their own, since standard error may be a
/// pipe that nobody reads, and event loops write lines too.
package final class ServerLog: Sendable {
    package enum Level: Int, Comparable, Sendable {
        case debug, info, warn, error, panic, fatal

        package init(_ name: String) {
            switch name {
            case "debug": self = .debug
            case "warn": self = .warn
            case "error": self = .error
            case "panic": self = .panic
            case "fatal": self = .fatal
            default: self = .info
            }
        }

        package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    package let threshold: Level
    package let format: LogFormat
    private let queue: LogQueue
    private let sampler = Mutex(LogSampler())

    /// - Parameter outputs: Opened by who makes the log, so that the reasons why they cannot be are theirs to tell.
    package init(
        threshold: Level = .info, format: LogFormat = .json, outputs: [any LogOutput] = [LogFile(.standardError)]
    ) {
        self.threshold = threshold
        self.format = format
        let lostLine = LogLine(
            level: .warn, time: LogTime(seconds: 0, microseconds: 0), caller: "", message: "", fields: [])
        queue = LogQueue(outputs: outputs) { count in
            var line = lostLine
            line.time = .now
            line.message = "log lines were dropped: the outputs do not take them fast enough"
            line.fields = [("lines", .integer(Int64(count)))]
            return line.encoded(as: format)
        }
    }

    package func write(
        _ level: Level, _ message: String, file: StaticString = #fileID, line: UInt = #line
    ) {
        write(level, message, [] as [(String, LogValue)], file, line)
    }

    package func write(
        _ level: Level, _ message: String, _ fields: KeyValuePairs<String, String>, file: StaticString = #fileID,
        line: UInt = #line
    ) {
        write(level, message, fields.map { ($0.key, .string($0.value)) }, file, line)
    }

    package func write(
        _ level: Level, _ message: String, values: KeyValuePairs<String, LogValue>, file: StaticString = #fileID,
        line: UInt = #line
    ) {
        write(level, message, values.map { ($0.key, $0.value) }, file, line)
    }

    private func write(
        _ level: Level, _ message: String, _ fields: [(String, LogValue)], _ file: StaticString, _ line: UInt
    ) {
        guard level >= threshold else { return }
        let now = LogTime.now
        guard level >= .panic || sampler.withLock({ $0.admits(message, second: now.seconds) }) else { return }
        let entry = LogLine(level: level, time: now, caller: "\(file):\(line)", message: message, fields: fields)
        queue.add(entry.encoded(as: format))
    }

    /// Waits until the outputs have all lines, for a second at most: before the process ends.
    package func drain() { queue.drain() }
}
