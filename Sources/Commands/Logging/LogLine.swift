internal import Glibc

/// How lines look.
package enum LogFormat: String, Sendable {
    case json, console
}

/// What a field says.
package enum LogValue: Sendable, Equatable {
    case string(String)
    case integer(Int64)
}

/// A moment, as of the wall clock.
package struct LogTime: Comparable, Sendable {
    var seconds: Int
    var microseconds: Int

    static var now: LogTime {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return LogTime(seconds: now.tv_sec, microseconds: now.tv_nsec / 1_000)
    }

    package init(seconds: Int, microseconds: Int) {
        self.seconds = seconds
        self.microseconds = microseconds
    }

    package static func < (one: LogTime, other: LogTime) -> Bool {
        (one.seconds, one.microseconds) < (other.seconds, other.microseconds)
    }

    var nextMillisecond: LogTime {
        let next = microseconds + 1_000
        return LogTime(seconds: seconds + next / 1_000_000, microseconds: next % 1_000_000)
    }

    /// - Parameter pattern: As `strftime` takes it.
    func text(_ pattern: String, isLocal: Bool = false) -> String {
        var parts = tm()
        var seconds = seconds
        if isLocal { localtime_r(&seconds, &parts) } else { gmtime_r(&seconds, &parts) }
        var text = [CChar](repeating: 0, count: 64)
        let count = strftime(&text, text.count, pattern, &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// As etcd's logs have it, in UTC.
    var stamp: String {
        let digits = String(microseconds)
        return text("%Y-%m-%dT%H:%M:%S") + "." + String(repeating: "0", count: 6 - digits.count) + digits + "Z"
    }
}

/// One line, before it is text.
package struct LogLine: Sendable {
    package var level: ServerLog.Level
    package var time: LogTime
    /// The source file and line that wrote it; empty where it is not known.
    package var caller: String
    package var message: String
    package var fields: [(String, LogValue)]

    package init(
        level: ServerLog.Level, time: LogTime, caller: String, message: String, fields: [(String, LogValue)]
    ) {
        self.level = level
        self.time = time
        self.caller = caller
        self.message = message
        self.fields = fields
    }

    /// With its newline.
    package func encoded(as format: LogFormat) -> [UInt8] {
        let text =
            switch format {
            case .json: json
            case .console: console
            }
        return Array((text + "\n").utf8)
    }

    private var json: String {
        var line = "{\"level\":\"\(level)\",\"ts\":\"\(time.stamp)\""
        if !caller.isEmpty { line += ",\"caller\":\(Self.quoted(caller))" }
        line += ",\"msg\":\(Self.quoted(message))"
        for (name, value) in fields { line += ",\(Self.quoted(name)):\(Self.encoded(value))" }
        return line + "}"
    }

    /// Columns with tabs between them. Messages keep to their line.
    private var console: String {
        var columns = [time.stamp, "\(level)"]
        if !caller.isEmpty { columns.append(caller) }
        columns.append(String(Self.quoted(message).dropFirst().dropLast()))
        if !fields.isEmpty {
            let parts = fields.map { "\(Self.quoted($0.0)): \(Self.encoded($0.1))" }
            columns.append("{\(parts.joined(separator: ", "))}")
        }
        return columns.joined(separator: "\t")
    }

    private static func encoded(_ value: LogValue) -> String {
        switch value {
        case .string(let text): quoted(text)
        case .integer(let number): String(number)
        }
    }

    package static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
