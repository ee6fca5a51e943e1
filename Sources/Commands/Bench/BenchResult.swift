/// What a run came to.
struct BenchResult {
    let options: BenchOptions
    var operations = 0
    var errors = 0
    var seconds = 0.0
    var latencies = LatencyHistogram()
    /// Operations finished in each tenth of a second.
    var timeline: [Int] = []
    var firstError: String?
    var serverCPUSeconds: Double?
    var serverMemory: (resident: Int, anonymous: Int)?

    init(options: BenchOptions) {
        self.options = options
    }

    mutating func add(_ latencies: LatencyHistogram, _ timeline: [Int]) {
        self.latencies.merge(latencies)
        while self.timeline.count < timeline.count { self.timeline.append(0) }
        for (index, count) in timeline.enumerated() { self.timeline[index] += count }
    }

    var throughput: Double { seconds > 0 ? Double(operations) / seconds : 0 }

    var serverCPUMicrosecondsPerOperation: Double? {
        guard let serverCPUSeconds, operations > 0 else { return nil }
        return serverCPUSeconds * 1e6 / Double(operations)
    }

    static let quantiles: [(name: String, fraction: Double)] = [
        ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999),
    ]

    /// Watchers of a throughput run only count; they have no latency.
    var hasLatencies: Bool { options.workload != .watch }

    // MARK: Reports

    var json: String {
        var fields = [
            "\"workload\":\"\(options.workload.rawValue)\"", "\"connections\":\(options.connections)",
            "\"clients\":\(options.clients)", "\"operations\":\(operations)", "\"seconds\":\(Self.text(seconds, 4))",
            "\"throughput\":\(Self.text(throughput, 1))", "\"errors\":\(errors)",
        ]
        if hasLatencies {
            let values = Self.quantiles.map { "\"\($0.name)\":\(microseconds($0.fraction))" }
            fields.append(
                "\"latency_us\":{\(values.joined(separator: ",")),\"max\":\(Self.text(Double(latencies.maximum) / 1e3, 1))}"
            )
        }
        var server: [String] = []
        if let cpu = serverCPUMicrosecondsPerOperation { server.append("\"cpu_us_per_op\":\(Self.text(cpu, 2))") }
        if let memory = serverMemory {
            server.append("\"rss_bytes\":\(memory.resident)")
            server.append("\"rss_anonymous_bytes\":\(memory.anonymous)")
        }
        fields.append("\"server\":{\(server.joined(separator: ","))}")
        return "{\(fields.joined(separator: ","))}"
    }

    var text: String {
        var lines = [
            "\(options.workload.rawValue): \(options.connections) connections, \(options.clients) clients",
            "operations  \(operations) in \(Self.text(seconds, 2)) s, \(errors) errors",
            "throughput  \(Self.text(throughput, 0)) /s",
        ]
        if hasLatencies {
            let values = Self.quantiles.map {
                "\($0.name) \(Self.text(Double(latencies.quantile($0.fraction)) / 1e6, 3))"
            }
            lines.append(
                "latency ms  \(values.joined(separator: "  "))  max \(Self.text(Double(latencies.maximum) / 1e6, 3))")
        }
        if let cpu = serverCPUMicrosecondsPerOperation {
            lines.append("server CPU  \(Self.text(cpu, 2)) us an operation")
        }
        if let memory = serverMemory {
            lines.append(
                "server RSS  \(memory.resident >> 20) MiB, of it anonymous \(memory.anonymous >> 20) MiB")
        }
        return lines.joined(separator: "\n")
    }

    private func microseconds(_ fraction: Double) -> String {
        Self.text(Double(latencies.quantile(fraction)) / 1e3, 1)
    }

    /// The number with so many digits behind the point.
    static func text(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "0" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let rounded = (value * scale).rounded()
        guard digits > 0 else { return String(Int64(rounded)) }
        let whole = Int64(rounded / scale)
        let part = String(Int64(rounded.magnitude) % Int64(scale))
        let sign = rounded < 0 && whole == 0 ? "-" : ""
        return sign + "\(whole)." + String(repeating: "0", count: digits - part.count) + part
    }
}
