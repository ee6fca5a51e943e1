internal import StrakeSeededGenerator

/// A directory: its names and their inode numbers. Those that a power cut leaves, those that a process sees,
/// and the changes between.
struct SimulatedDirectory {
    private enum Change {
        case create(String, Int)
        case rename(String, to: String)
        case remove(String)
    }

    private(set) var visible: [String: Int] = [:]
    private var durable: [String: Int] = [:]
    private var pending: [Change] = []

    /// Every file that has a name here, or that a power cut can give one back.
    var inodes: Set<Int> {
        var numbers = Set(visible.values).union(durable.values)
        for case .create(_, let number) in pending { numbers.insert(number) }
        return numbers
    }

    mutating func create(_ name: String, _ inode: Int) { apply(.create(name, inode)) }

    mutating func rename(_ name: String, to target: String) { apply(.rename(name, to: target)) }

    mutating func remove(_ name: String) { apply(.remove(name)) }

    mutating func sync() {
        durable = visible
        pending = []
    }

    /// File systems keep the order of these changes, so what survives is those up to a random moment.
    mutating func powerCut(_ random: inout SeededGenerator) {
        let count = random.below(pending.count + 1)
        for change in pending[..<count] { Self.apply(change, to: &durable) }
        pending = []
        visible = durable
    }

    private mutating func apply(_ change: Change) {
        pending.append(change)
        Self.apply(change, to: &visible)
    }

    private static func apply(_ change: Change, to names: inout [String: Int]) {
        switch change {
        case .create(let name, let inode): names[name] = inode
        case .rename(let name, let target): names[target] = names.removeValue(forKey: name)
        case .remove(let name): names[name] = nil
        }
    }
}
