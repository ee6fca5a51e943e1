internal import Glibc

extension MetricsPage {
    /// When the process began, in seconds since 1970: the age of its directory in /proc.
    private static func startSeconds() -> Int {
        var status = stat()
        return stat("/proc/self", &status) == 0 ? Int(status.st_ctim.tv_sec) : 0
    }

    mutating func process() {
        let open = Self.openFiles()
        let openMax = Self.openFilesMax
        gauge("os_fd_used", "The number of used file descriptors.", open)
        gauge("os_fd_limit", "The file descriptor limit.", openMax)
        gauge(
            "process_start_time_seconds", "Start time of the process since unix epoch in seconds.", Self.startSeconds())
        gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", Self.memoryBytes(field: 0))
        gauge("process_open_fds", "Number of open file descriptors.", open)
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds =
            Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
        value(
            "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.", "\(seconds)")
        gauge("process_resident_memory_bytes", "Resident memory size in bytes.", Self.memoryBytes(field: 1))
        value(
            "process_virtual_memory_max_bytes", "gauge", "Address space that the process may take, in bytes.",
            "\(Self.limit(RLIMIT_AS))")
        gauge("process_max_fds", "Maximum number of open file descriptors.", openMax)
        guard let bytes = Self.networkBytes() else { return }
        value(
            "process_network_receive_bytes_total", "counter",
            "Number of bytes received by the process over the network.", bytes.received)
        value(
            "process_network_transmit_bytes_total", "counter", "Number of bytes sent by the process over the network.",
            bytes.sent)
    }

    /// As Go's clients of Prometheus have it: what IP counts in the process's network namespace, so that of other processes
    /// in it too. Nil where /proc does not tell.
    private static func networkBytes() -> (received: Int, sent: Int)? {
        guard let file = fopen("/proc/self/net/netstat", "r") else { return nil }
        defer { fclose(file) }
        var lines: [[Substring]] = []
        var buffer = [CChar](repeating: 0, count: 8_192)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasPrefix("IpExt:") { lines.append(text.split(whereSeparator: \.isWhitespace)) }
        }
        // A line of names, then one of numbers.
        guard lines.count == 2, let received = lines[0].firstIndex(of: "InOctets"),
            let sent = lines[0].firstIndex(of: "OutOctets"), lines[1].count > max(received, sent)
        else { return nil }
        return (Int(lines[1][received]) ?? 0, Int(lines[1][sent]) ?? 0)
    }

    static var openFilesMax: Int { Int(clamping: limit(RLIMIT_NOFILE)) }

    private static func limit(_ resource: __rlimit_resource) -> UInt {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(resource.rawValue), &limit)
        return limit.rlim_cur
    }

    private static func openFiles() -> Int {
        guard let directory = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            if entry.pointee.d_name.0 != UInt8(ascii: ".") { count += 1 }
        }
        // The descriptor of the listing itself is not counted.
        return count - 1
    }

    /// A number of /proc/self/statm: pages of address space, resident pages.
    private static func memoryBytes(field: Int) -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 128)
        guard fgets(&buffer, Int32(buffer.count), file) != nil else { return 0 }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let fields = text.split(separator: " ")
        return fields.count > field ? (Int(fields[field]) ?? 0) * Int(getpagesize()) : 0
    }
}
