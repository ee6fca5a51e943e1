/// Puts a view of a cluster into lines of a given width, and at most so many where there is a height.
package struct ClusterScreen: Sendable {
    /// Methods that are shown where there is no height.
    private static let methodsMax = 10
    /// Fewer rows than this are not worth their heading.
    private static let rowsMin = 2

    private let width: Int
    private let height: Int?
    private let prefixesMax: Int

    /// - Parameters:
    ///   - height: Nil: there is no end to the page.
    ///   - prefixesMax: Rows of hot prefixes.
    package init(width: Int, height: Int?, prefixesMax: Int) {
        self.width = max(width, 1)
        self.height = height.map { max($0, 1) }
        self.prefixesMax = prefixesMax
    }

    package func lines(_ view: ClusterView) -> [ScreenLine] {
        var lines = packed(Self.summary(view)) + packed(Self.activity(view))
        lines += [ScreenLine("")] + table(Self.members(view)) + problems(view)
        lines += [ScreenLine("")] + table(Self.load(view))
        // What is left is for methods, up to half of it, and prefixes; each with a heading and a blank line above.
        let left = height.map { $0 - lines.count }
        let wanted = view.prefixes.map { min(max($0.count, 1), prefixesMax) + 2 } ?? 0
        let methods = min(left.map { max($0 / 2, $0 - wanted) - 2 } ?? Self.methodsMax, view.methods.count)
        if methods >= min(Self.rowsMin, view.methods.count), methods > 0 {
            lines += [ScreenLine("")] + table(Self.methods(view.methods.prefix(methods)))
        }
        let prefixes = min(height.map { $0 - lines.count - 2 } ?? prefixesMax, prefixesMax)
        if view.prefixes != nil, prefixes > 0 { lines += [ScreenLine("")] + self.prefixes(view, rows: prefixes) }
        guard let height, lines.count > height else { return lines }
        let hidden = lines.count - height + 1
        return lines.prefix(height - 1) + [ScreenLine(ScreenText.fitted("… \(hidden) more lines", to: width))]
    }

    private func table(_ table: ScreenTable) -> [ScreenLine] {
        let lines = table.lines(width: width)
        return [ScreenLine(lines[0], .heading)] + lines.dropFirst().map { ScreenLine($0) }
    }

    /// As many parts in each line as fit.
    private func packed(_ parts: [String]) -> [ScreenLine] {
        var lines: [String] = []
        for part in parts {
            if let last = lines.last, ScreenText.columns(of: last) + 2 + ScreenText.columns(of: part) <= width {
                lines[lines.count - 1] = last + "  " + part
            } else {
                lines.append(part)
            }
        }
        return lines.map { ScreenLine(ScreenText.fitted($0, to: width)) }
    }

    private func problems(_ view: ClusterView) -> [ScreenLine] {
        let own = view.members.flatMap { member in
            member.problems.map { "\(member.title): \($0.split(separator: " ").joined(separator: " "))" }
        }
        return (own + view.problems).map {
            ScreenLine(ScreenText.fitted("! " + ScreenText.plain($0), to: width), .problem)
        }
    }

    // MARK: - Parts

    private static func summary(_ view: ClusterView) -> [String] {
        var parts = ["cluster " + (view.clusterID == 0 ? "-" : String(view.clusterID, radix: 16))]
        parts.append("leader " + (view.leader.map(ScreenText.plain) ?? "none"))
        parts += ["term \(view.term)", "revision \(view.revision)"]
        parts.append(ScreenText.amount(view.revisionsPerSecond) + " revisions/s")
        parts.append(ScreenText.amount(view.requestsPerSecond) + " requests/s")
        if let seconds = view.seconds { parts.append("over \(ScreenText.seconds(seconds))") }
        return parts
    }

    private static func activity(_ view: ClusterView) -> [String] {
        let amount = ScreenText.amount
        var parts = [
            "watchers \(amount(view.sum(.watchers))) on \(amount(view.sum(.watchStreams))) streams",
            "\(amount(view.sum(.slowWatchers))) behind", "\(amount(view.sum(.watchEvents))) events/s",
        ]
        let leases = view.most(.leases).map { "leases \(amount($0)): " } ?? "leases: "
        parts.append(leases + "\(amount(view.most(.leasesGranted))) granted/s")
        parts.append("\(amount(view.most(.leasesRevoked))) revoked/s")
        parts.append("\(amount(view.sum(.leasesRenewed))) renewed/s")
        return parts
    }

    private static func members(_ view: ClusterView) -> ScreenTable {
        var table = ScreenTable([
            .init("MEMBER", .left), .init("ROLE", .left), .init("ENDPOINT", .left, rank: 3),
            .init("ID", .left, rank: 5),
            .init("VERSION", .left, rank: 7), .init("TERM", rank: 6), .init("INDEX"), .init("APPLIED", rank: 4),
            .init("DB SIZE", rank: 1), .init("IN USE", rank: 2),
        ])
        for member in view.members {
            let status = member.status
            table.add([
                ScreenText.plain(member.title), member.role.rawValue,
                member.endpoint.isEmpty ? "-" : ScreenText.plain(member.endpoint),
                member.id == 0 ? "-" : String(member.id, radix: 16),
                status.map { ScreenText.plain($0.version) } ?? "-", status.map { "\($0.term)" } ?? "-",
                status.map { "\($0.index)" } ?? "-", status.map { "\($0.applied)" } ?? "-",
                ScreenText.bytes(status.map { Double($0.dbSize) }),
                ScreenText.bytes(status.map { Double($0.dbSizeInUse) }),
            ])
        }
        return table
    }

    private static func load(_ view: ClusterView) -> ScreenTable {
        var table = ScreenTable([
            .init("MEMBER", .left), .init("REQ/S"), .init("ERR/S", rank: 6), .init("PENDING", rank: 7),
            .init("SYNC 50/99"), .init("APPLY 50/99", rank: 1), .init("PEERS 50/99", rank: 2),
            .init("COMMIT 50/99", rank: 3),
            .init("WATCHERS", rank: 8), .init("CPU", rank: 4), .init("MEMORY", rank: 5),
        ])
        for member in view.members {
            table.add([
                ScreenText.plain(member.title), ScreenText.amount(member.requestsPerSecond),
                ScreenText.amount(member.failuresPerSecond), ScreenText.amount(member.gauges[.proposalsPending]),
                ScreenText.times(member.timings[.walSync]), ScreenText.times(member.timings[.apply]),
                ScreenText.times(member.timings[.peerRoundTrip]), ScreenText.times(member.timings[.backendCommit]),
                ScreenText.amount(member.gauges[.watchers]), ScreenText.percent(member.rates[.cpuSeconds]),
                ScreenText.bytes(member.gauges[.residentBytes]),
            ])
        }
        return table
    }

    private static func methods(_ methods: some Sequence<ClusterView.Method>) -> ScreenTable {
        var table = ScreenTable([
            .init("METHOD", .left), .init("REQ/S"), .init("ERR/S", rank: 1), .init("P50"), .init("P99"),
        ])
        for method in methods {
            table.add([
                ScreenText.plain(method.name), ScreenText.amount(method.requestsPerSecond),
                ScreenText.amount(method.failuresPerSecond), ScreenText.quantile(method.times.quantile(0.5)),
                ScreenText.quantile(method.times.quantile(0.99)),
            ])
        }
        return table
    }

    private func prefixes(_ view: ClusterView, rows: Int) -> [ScreenLine] {
        let all = view.prefixes ?? []
        var table = ScreenTable([
            .init("PREFIX", .left), .init("EVENTS/S"), .init("PUTS/S", rank: 2), .init("DELETES/S", rank: 3),
            .init("BYTES/S", rank: 1),
        ])
        func add(_ title: String, _ prefix: ClusterView.Prefix) {
            table.add([
                title, ScreenText.amount(prefix.eventsPerSecond), ScreenText.amount(prefix.putsPerSecond),
                ScreenText.amount(prefix.deletesPerSecond), ScreenText.bytes(prefix.bytesPerSecond),
            ])
        }
        let isOverfull = view.otherPrefixes != nil
        for prefix in all.prefix(max(rows - (isOverfull ? 1 : 0), 1)) { add(ScreenText.prefix(prefix.bytes), prefix) }
        if let others = view.otherPrefixes, rows > 1 { add("(prefixes beyond \(PrefixTable.prefixesMax))", others) }
        let lines = self.table(table)
        return all.isEmpty ? lines + [ScreenLine(ScreenText.fitted("(no events)", to: width))] : lines
    }
}
