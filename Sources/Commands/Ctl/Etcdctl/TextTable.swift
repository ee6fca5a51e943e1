/// A table of characters, as etcdctl draws it: titles in capitals and centred, cells to the right.
enum TextTable {
    static func print(_ titles: [String], _ rows: [[String]]) {
        let titles = titles.map { $0.uppercased() }
        let widths = titles.indices.map { column in
            rows.reduce(titles[column].count) { max($0, $1[column].count) }
        }
        let rule = "+" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "+") + "+"
        CommandOutput.line(rule)
        line(zip(titles, widths).map { centred($0, $1) })
        CommandOutput.line(rule)
        for row in rows { line(zip(row, widths).map { GoText.padded($0, to: $1, with: " ") }) }
        if !rows.isEmpty { CommandOutput.line(rule) }
    }

    private static func line(_ cells: [String]) { CommandOutput.line("| " + cells.joined(separator: " | ") + " |") }

    private static func centred(_ text: String, _ width: Int) -> String {
        let space = width - text.count
        let left = space / 2
        return String(repeating: " ", count: left) + text + String(repeating: " ", count: space - left)
    }
}
