/// A workload of a check: how much is written, and by how many clients at once.
struct CheckLoad {
    /// etcdctl's names for them, and its clients.
    private static let models: [(names: [String], clients: Int)] = [
        (["s", "small"], 50), (["m", "medium"], 200), (["l", "large"], 500), (["xl", "xLarge"], 1_000),
    ]

    let amount: Int
    let clients: Int

    /// The one that --load names.
    ///
    /// - Parameter amounts: Of what the check counts, from the small workload to the largest.
    init(_ context: CommandContext, amounts: [Int]) throws(CommandFailure) {
        precondition(amounts.count == Self.models.count, "an amount for each workload")
        let name = context.arguments.text("load")
        guard let index = Self.models.firstIndex(where: { $0.names.contains(name) }) else {
            throw CommandFailure("unknown load option \(name)", CommandFailure.badFeature)
        }
        amount = amounts[index]
        clients = Self.models[index].clients
    }
}
