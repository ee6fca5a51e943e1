/// Rows under headings, in a given width: the columns that matter least go first, then the one that may is cut.
package struct ScreenTable: Sendable {
    package struct Column: Sendable {
        package enum Side: Sendable {
            case left
            case right
        }

        package var title: String
        package var side: Side
        /// 0: it always stays. Of the others the one with the highest rank is left out first.
        package var rank: Int

        package init(_ title: String, _ side: Side = .right, rank: Int = 0) {
            self.title = title
            self.side = side
            self.rank = rank
        }
    }

    private static let gap = 2
    /// The first column is not cut below this.
    private static let firstWidthMin = 6

    private let columns: [Column]
    private var rows: [[String]] = []

    package init(_ columns: [Column]) {
        self.columns = columns
    }

    package mutating func add(_ row: [String]) {
        precondition(row.count == columns.count, "\(row.count) cells in a table of \(columns.count) columns")
        rows.append(row)
    }

    /// The headings, then a line for each row.
    package func lines(width: Int) -> [String] {
        var widths = columns.indices.map { column in
            ([columns[column].title] + rows.map { $0[column] }).map(ScreenText.columns).max() ?? 0
        }
        var shown = Array(columns.indices)
        func total() -> Int { shown.map { widths[$0] }.reduce(0, +) + Self.gap * (shown.count - 1) }
        while total() > width, let last = shown.max(by: { columns[$0].rank < columns[$1].rank }), columns[last].rank > 0
        {
            shown.removeAll { $0 == last }
        }
        if total() > width, let first = shown.first {
            widths[first] = max(widths[first] - (total() - width), min(Self.firstWidthMin, widths[first]))
        }
        return ([columns.map(\.title)] + rows).map { row in
            let cells = shown.map { column in
                let text = ScreenText.fitted(row[column], to: widths[column])
                let space = String(repeating: " ", count: widths[column] - ScreenText.columns(of: text))
                return columns[column].side == .left ? text + space : space + text
            }
            var line = cells.joined(separator: String(repeating: " ", count: Self.gap))
            while line.last == " " { line.removeLast() }
            return ScreenText.fitted(line, to: width)
        }
    }
}
