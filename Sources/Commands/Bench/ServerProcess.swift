internal import Glibc

/// CPU time and memory of processes on this machine, added up: of one server, or of a cluster's members.
struct ServerProcesses {
    let all: [ServerProcess]

    /// Nil when one of them has ended.
    var cpuSeconds: Double? { sum(\.cpuSeconds, +) }

    var memory: (resident: Int, anonymous: Int)? {
        sum(\.memory) { ($0.resident + $1.resident, $0.anonymous + $1.anonymous) }
    }

    private func sum<Value>(_ value: (ServerProcess) -> Value?, _ add: (Value, Value) -> Value) -> Value? {
        let values = all.compactMap(value)
        guard let first = values.first, values.count == all.count else { return nil }
        return values.dropFirst().reduce(first, add)
    }
}

/// CPU time and memory of a process on this machine, from /proc.
struct ServerProcess: Sendable {
    let pid: Int

    /// User and system time so far.
    var cpuSeconds: Double? {
        // The name in brackets may hold blanks; the fields wanted are the 12th and 13th behind it.
        guard let text = Self.read("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Resident bytes, and those of them that no file backs.
    var memory: (resident: Int, anonymous: Int)? {
        guard let text = Self.read("/proc/\(pid)/status") else { return nil }
        func kilobytes(_ name: String) -> Int? {
            for line in text.split(separator: "\n") where line.hasPrefix(name) {
                return Int(
                    line.split(separator: " ", omittingEmptySubsequences: true).dropLast().last.map {
                        String($0.split(separator: "\t").last ?? $0)
                    } ?? "")
            }
            return nil
        }
        guard let resident = kilobytes("VmRSS:"), let anonymous = kilobytes("RssAnon:") else { return nil }
        return (resident * 1_024, anonymous * 1_024)
    }

    static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
