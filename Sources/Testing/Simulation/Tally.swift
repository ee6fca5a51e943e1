/// How often things happened, by name.
package struct Tally: Sendable {
    package private(set) var counts: [(name: String, count: Int)] = []

    mutating func add(_ name: String, _ count: Int = 1) {
        if count == 0 { return }
        if let place = counts.firstIndex(where: { $0.name == name }) {
            counts[place].count += count
        } else {
            counts.append((name, count))
        }
    }

    package var total: Int { counts.reduce(0) { $0 + $1.count } }

    package subscript(_ name: String) -> Int { counts.first { $0.name == name }?.count ?? 0 }

    package var text: String { counts.map { "\($0.name) \($0.count)" }.joined(separator: ", ") }
}
