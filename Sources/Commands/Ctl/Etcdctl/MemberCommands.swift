internal import StrakeClient

enum MemberCommands {
    static let addFlags = [
        CommandFlag("learner", .flag, "false", "indicates if the new member is raft learner"), peerURLsFlag,
    ]
    static let updateFlags = [peerURLsFlag]
    private static let peerURLsFlag = CommandFlag(
        "peer-urls", .text, "", "comma separated peer URLs for the new member.")

    private static func id(_ context: CommandContext) throws(CommandFailure) -> UInt64 {
        guard context.words.count == 1 else { throw .arguments("member ID is not provided") }
        do throws(CommandFailure) {
            return try GoNumber.uint64(context.words[0], radix: 16)
        } catch {
            throw .arguments("bad member ID arg (\(error.message ?? "")), expecting ID in Hex")
        }
    }

    static func list(_ context: CommandContext) async throws(CommandFailure) {
        let answer = try await context.ask { client async throws(StrakeClientError) in try await client.members() }
        context.printer.members(answer)
    }

    static func add(_ context: CommandContext) async throws(CommandFailure) {
        guard let name = context.words.first else { throw .arguments("member name not provided") }
        guard context.words.count == 1 else {
            let guesses = context.words.filter { $0.lowercased().hasPrefix("http") }
            throw .arguments("too many arguments" + guesses.map { ", did you mean --peer-urls=\($0)" }.joined())
        }
        let urls = context.arguments.list("peer-urls")
        guard !urls.isEmpty else { throw .arguments("member peer urls not provided") }
        let isLearner = context.arguments.flag("learner")
        let added = try await context.ask { client async throws(StrakeClientError) in
            try await client.addMember(peerURLs: urls, isLearner: isLearner)
        }
        try context.printer.refuse(.table)
        context.printer.memberAdd(added)
        guard context.printer.format == .simple else { return }
        let pairs = added.members.flatMap { member in
            member.peerURLs.map { "\(member.id == added.member.id ? name : member.name)=\($0)" }
        }
        CommandOutput.line(
            """

            ETCD_NAME=\(GoText.quoted(name))
            ETCD_INITIAL_CLUSTER=\(GoText.quoted(pairs.joined(separator: ",")))
            ETCD_INITIAL_ADVERTISE_PEER_URLS=\(GoText.quoted(context.arguments.text("peer-urls")))
            ETCD_INITIAL_CLUSTER_STATE="existing"
            """)
    }

    static func remove(_ context: CommandContext) async throws(CommandFailure) {
        let id = try Self.id(context)
        let answer = try await context.ask { client async throws(StrakeClientError) in
            try await client.removeMember(id)
        }
        try context.printer.refuse(.table)
        context.printer.memberChange(id, "removed from", answer)
    }

    static func update(_ context: CommandContext) async throws(CommandFailure) {
        let id = try Self.id(context)
        let urls = context.arguments.list("peer-urls")
        guard !urls.isEmpty else { throw .arguments("member peer urls not provided") }
        let answer = try await context.ask { client async throws(StrakeClientError) in
            try await client.updateMember(id, peerURLs: urls)
        }
        try context.printer.refuse(.table)
        context.printer.memberChange(id, "updated in", answer)
    }

    static func promote(_ context: CommandContext) async throws(CommandFailure) {
        let id = try Self.id(context)
        let answer = try await context.ask { client async throws(StrakeClientError) in
            try await client.promoteMember(id)
        }
        try context.printer.refuse(.table)
        context.printer.memberChange(id, "promoted in", answer)
    }
}
