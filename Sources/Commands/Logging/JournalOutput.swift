internal import Glibc

/// The journal of systemd, each line an entry of its own, in its native protocol (systemd.io, Journal Native Protocol).
package final class JournalOutput: LogOutput {
    package static let socketPath = "/run/systemd/journal/socket"

    /// In which level and caller stand.
    private static let headBytes = 256

    private let socket: DatagramSocket
    private let identifier: String
    /// For what the journal does not take, as etcd does it.
    private let fallback = LogFile(.standardError)

    /// - Parameters:
    ///   - path: Where the journal listens.
    ///   - identifier: What entries are filed under: `journalctl --identifier`.
    package init(path: String = socketPath, identifier: String) throws(LogFileError) {
        do throws(DatagramError) {
            socket = try DatagramSocket(to: path)
        } catch {
            let reason = LogFileError.reason(error.code)
            throw LogFileError("can't find journal (dial unixgram \(path): connect: \(reason))")
        }
        self.identifier = identifier
    }

    package func write(_ lines: [UInt8]) {
        for line in lines.split(separator: UInt8(ascii: "\n")) {
            let (level, caller) = Self.head(of: line)
            let package = caller.prefix { $0 != "/" }
            let entry =
                "PRIORITY=\(Self.priority(of: level))\nSYSLOG_IDENTIFIER=\(identifier)\nPACKAGE=\(package)\nMESSAGE="
            if !socket.send(Array(entry.utf8) + line + [UInt8(ascii: "\n")], waits: true) {
                fallback.write(Array(line) + [UInt8(ascii: "\n")])
            }
        }
    }

    /// Of a line in either format: `{"level":"info","ts":"TIME","caller":"FILE:1",...`, or `TIME<tab>info<tab>FILE:1<tab>...`.
    private static func head(of line: ArraySlice<UInt8>) -> (level: Substring, caller: Substring) {
        let text = String(decoding: line.prefix(headBytes), as: UTF8.self)
        let isJSON = text.hasPrefix("{")
        let words = text.split(separator: isJSON ? "\"" : "\t")
        let (level, caller) = isJSON ? (3, 11) : (1, 2)
        return words.count > caller ? (words[level], words[caller]) : ("", "")
    }

    private static func priority(of level: Substring) -> Int32 {
        switch level {
        case "debug": LOG_DEBUG
        case "warn": LOG_WARNING
        case "error": LOG_ERR
        case "panic", "fatal": LOG_CRIT
        default: LOG_INFO
        }
    }
}
