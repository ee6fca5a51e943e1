internal import CMapFault
internal import Glibc

/// Log lines as etcd writes them: one JSON object a line, on standard error.
struct ServerLog: Sendable {
    enum Level: Int, Comparable {
        case debug, info, warn, error, panic, fatal

        init(_ name: String) {
            switch name {
            case "debug": self = .debug
            case "warn": self = .warn
            case "error": self = .error
            case "panic": self = .panic
            case "fatal": self = .fatal
            default: self = .info
            }
        }

        static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    let threshold: Level

    func write(_ level: Level, _ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
        guard level >= threshold else { return }
        var line = "{\"level\":\"\(level)\",\"ts\":\"\(Self.timestamp())\",\"msg\":\(Self.quoted(message))"
        for (name, value) in fields { line += ",\(Self.quoted(name)):\(Self.quoted(value))" }
        StrakeCommand.complain(line + "}")
    }

    /// Has a line written, and the process ended, when a page of a mapped file cannot be read. It has no time: what may run
    /// then is little.
    func reportMapFaults(of file: String, _ explanation: String) {
        let before = "{\"level\":\"\(Level.fatal)\",\"msg\":\"cannot read a mapped file\",\"error\":\"cannot read "
        let after = ": " + Self.quoted(explanation).dropFirst() + "}\n"
        // They must be there as long as the process.
        strake_report_map_faults(strdup(file), strdup(before), strdup(after))
    }

    private static func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        var text = [CChar](repeating: 0, count: 32)
        strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
        let seconds = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let micros = String(now.tv_nsec / 1_000)
        return seconds + "." + String(repeating: "0", count: 6 - micros.count) + micros + "Z"
    }

    private static func quoted(_ text: String) -> String {
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
