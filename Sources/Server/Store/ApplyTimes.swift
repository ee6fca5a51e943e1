package import StrakeModel

/// How many commands of each kind a batch had, and how many of those were refused.
struct CommandCounts {
    private var counts = InlineArray<48, UInt32>(repeating: 0)

    mutating func count(_ kind: Command.Kind, isRefused: Bool) {
        counts[Self.slot(kind, isRefused: isRefused)] += 1
    }

    func count(in slot: Int) -> Int { Int(counts[slot]) }

    static var slots: Range<Int> { 0..<48 }

    static func slot(_ kind: Command.Kind, isRefused: Bool) -> Int {
        Int(kind.rawValue) * 2 + (isRefused ? 1 : 0)
    }
}

/// How long commands take to be applied, by kind and by whether they were refused.
///
/// The clock is read once a batch, not once a command: the commands of a batch share its time evenly. A batch of one
/// command, which is what a member at leisure applies, is exact.
package final class ApplyTimes: Sendable {
    private let histograms = CommandCounts.slots.map { _ in Histogram(firstBound: 0.000_1, count: 20) }

    func record(_ counts: CommandCounts, nanoseconds: UInt64) {
        let commands = CommandCounts.slots.reduce(0) { $0 + counts.count(in: $1) }
        guard commands > 0 else { return }
        for slot in CommandCounts.slots where counts.count(in: slot) > 0 {
            histograms[slot].record(nanoseconds / UInt64(commands), times: UInt64(counts.count(in: slot)))
        }
    }

    package func histogram(of kind: Command.Kind, isRefused: Bool) -> Histogram {
        histograms[CommandCounts.slot(kind, isRefused: isRefused)]
    }
}
