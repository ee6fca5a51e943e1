internal import StrakeStore
internal import Synchronization

/// The Prometheus page, with etcd's names.
struct MetricsPage {
    private(set) var text = ""

    init(_ service: Service) {
        server(service)
        store(service)
        watchSends(service)
        disk(service)
        receivedSnapshots(service)
        times(service)
        network(service)
        peers(service)
        calls(service)
        callTimes(service)
        requests(service)
        clients(service)
        scrapes(service)
        process()
        runtime()
        features(service)
        unusedStages()
        absentParts()
    }

    // MARK: Lines

    mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    mutating func sample(_ series: String, _ value: Int) {
        text += "\(series) \(value)\n"
    }

    /// A family of one series.
    ///
    /// - Parameter value: As it is to be printed.
    mutating func value(_ name: String, _ type: String, _ help: String, _ value: String) {
        family(name, type, help)
        text += "\(name) \(value)\n"
    }

    mutating func value(_ name: String, _ type: String, _ help: String, _ value: Int) {
        self.value(name, type, help, "\(value)")
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        self.value(name, "gauge", help, value)
    }

    mutating func counter(_ name: String, _ help: String, _ atomic: borrowing Atomic<UInt64>) {
        value(name, "counter", help, Int(atomic.load(ordering: .relaxed)))
    }

    /// As it stands in a label's value.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    // MARK: Histograms

    mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        family(name, "histogram", help)
        buckets(name, labels: "", histogram)
    }

    /// One of a family's histograms; left out before its first observation, as etcd does it.
    mutating func histogram(_ name: String, labels: String, _ histogram: Histogram) {
        if histogram.cumulative.last != 0 { buckets(name, labels: labels, histogram) }
    }

    /// What succeeded and what failed.
    mutating func histograms(_ name: String, labels: String, _ times: OutcomeTimes) {
        let prefix = labels.isEmpty ? "" : labels + ","
        histogram(name, labels: prefix + "success=\"true\"", times.succeeded)
        histogram(name, labels: prefix + "success=\"false\"", times.failed)
    }

    mutating func buckets(_ name: String, labels: String, _ histogram: Histogram) {
        let prefix = labels.isEmpty ? "" : labels + ","
        let suffix = labels.isEmpty ? "" : "{\(labels)}"
        let counts = histogram.cumulative.map(Int.init)
        for (bound, count) in zip(histogram.bounds, counts) {
            sample("\(name)_bucket{\(prefix)le=\"\(Self.number(bound))\"}", count)
        }
        sample("\(name)_bucket{\(prefix)le=\"+Inf\"}", counts[counts.count - 1])
        text += "\(name)_sum\(suffix) \(histogram.sum)\n"
        sample("\(name)_count\(suffix)", counts[counts.count - 1])
    }

    /// A bound as Go prints it, which is how queries name it: 1, 0.5, 1.048576e+06.
    static func number(_ bound: Double) -> String {
        guard bound == bound.rounded() else { return "\(bound)" }
        let digits = String(Int(bound))
        guard digits.count > 6 else { return digits }
        var fraction = String(digits.dropFirst())
        while fraction.last == "0" { fraction.removeLast() }
        let exponent = String(digits.count - 1)
        let point = fraction.isEmpty ? "" : "." + fraction
        return "\(digits.prefix(1))\(point)e+\(exponent.count < 2 ? "0" : "")\(exponent)"
    }
}
