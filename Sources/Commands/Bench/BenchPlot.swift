/// Two plots as SVG: how latencies are distributed, and throughput over time.
struct BenchPlot {
    private let result: BenchResult
    private let width = 760.0
    private let panelHeight = 240.0
    private let left = 80.0
    private let right = 40.0

    init(_ result: BenchResult) {
        self.result = result
    }

    var svg: String {
        let panels = result.hasLatencies ? 2 : 1
        let height = 50 + Double(panels) * (panelHeight + 70)
        var body = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(n(width))" height="\(n(height))" font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="white"/>
            <text x="\(n(left))" y="24" font-size="15">\(title)</text>

            """
        var top = 60.0
        if result.hasLatencies {
            body += latencyPanel(top)
            top += panelHeight + 70
        }
        body += timelinePanel(top)
        return body + "</svg>\n"
    }

    private var title: String {
        let options = result.options
        return
            "strake bench \(options.workload.rawValue): \(options.connections) connections, \(options.clients) clients, "
            + "\(BenchResult.text(result.throughput, 0)) operations/s"
    }

    private var plotWidth: Double { width - left - right }

    /// Latency at each share of the operations, the share on a scale that opens up the tail: 0, 90, 99, 99.9, 99.99 %.
    private func latencyPanel(_ top: Double) -> String {
        let shares = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999]
        let points = (0...200).map { step -> (x: Double, value: Double) in
            let nines = Double(step) / 200 * 4
            return (nines / 4, Double(result.latencies.quantile(min(1 - Self.power(nines), 0.9999))) / 1e6)
        }
        let peak = max(points.map(\.value).max() ?? 0, 1e-3)
        var out = frame(top, peak: peak, unit: "ms", caption: "latency by percentile")
        for share in shares {
            let x = left + Self.nines(share) / 4 * plotWidth
            out +=
                "<line x1=\"\(n(x))\" x2=\"\(n(x))\" y1=\"\(n(top))\" y2=\"\(n(top + panelHeight))\" stroke=\"#eee\"/>\n"
            out +=
                "<text x=\"\(n(x))\" y=\"\(n(top + panelHeight + 16))\" text-anchor=\"middle\">\(Self.percent(share))</text>\n"
        }
        return out + line(points, top, peak: peak, color: "#1f5fa8")
    }

    private func timelinePanel(_ top: Double) -> String {
        let step = Double(Recorder.stepNanoseconds) / 1e9
        // The last step is cut short by the end of the run.
        let counts = result.timeline.count > 1 ? Array(result.timeline.dropLast()) : result.timeline
        let span = max(1, counts.count - 1)
        let points = counts.enumerated().map { (x: Double($0.offset) / Double(span), value: Double($0.element) / step) }
        let peak = max(points.map(\.value).max() ?? 0, 1)
        var out = frame(top, peak: peak, unit: "/s", caption: "throughput over time")
        for part in 0...4 {
            let x = left + Double(part) / 4 * plotWidth
            let seconds = BenchResult.text(Double(part) / 4 * Double(span) * step, 1)
            out += "<text x=\"\(n(x))\" y=\"\(n(top + panelHeight + 16))\" text-anchor=\"middle\">\(seconds) s</text>\n"
        }
        return out + line(points, top, peak: peak, color: "#a8471f")
    }

    private func frame(_ top: Double, peak: Double, unit: String, caption: String) -> String {
        var out = "<text x=\"\(n(left))\" y=\"\(n(top - 8))\" font-weight=\"bold\">\(caption)</text>\n"
        for part in 0...4 {
            let y = top + panelHeight - Double(part) / 4 * panelHeight
            let value = BenchResult.text(peak * Double(part) / 4, peak < 10 ? 2 : 0)
            out +=
                "<line x1=\"\(n(left))\" x2=\"\(n(width - right))\" y1=\"\(n(y))\" y2=\"\(n(y))\" stroke=\"#ddd\"/>\n"
            out += "<text x=\"\(n(left - 6))\" y=\"\(n(y + 4))\" text-anchor=\"end\">\(value) \(unit)</text>\n"
        }
        return out
    }

    private func line(_ points: [(x: Double, value: Double)], _ top: Double, peak: Double, color: String) -> String {
        let path = points.map { point in
            "\(n(left + point.x * plotWidth)),\(n(top + panelHeight - point.value / peak * panelHeight))"
        }
        return
            "<polyline fill=\"none\" stroke=\"\(color)\" stroke-width=\"1.5\" points=\"\(path.joined(separator: " "))\"/>\n"
    }

    /// 10 to the power of minus `nines`.
    private static func power(_ nines: Double) -> Double {
        var value = 1.0
        var rest = nines
        while rest >= 1 {
            value /= 10
            rest -= 1
        }
        // Straight between the whole powers, which is what the marks of the axis stand at.
        return value * (1 - 0.9 * rest)
    }

    private static func nines(_ share: Double) -> Double {
        var rest = 1 - share
        var count = 0.0
        while rest < 0.1 - 1e-12 {
            rest *= 10
            count += 1
        }
        return count + (1 - rest) / 0.9
    }

    private static func percent(_ share: Double) -> String {
        let value = BenchResult.text(share * 100, 2)
        var text = Substring(value)
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text + " %"
    }

    private func n(_ value: Double) -> String { BenchResult.text(value, 1) }
}
