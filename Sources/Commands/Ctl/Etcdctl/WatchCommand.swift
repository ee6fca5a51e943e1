internal import Glibc
internal import StrakeClient

/// `watch`: one range, or the lines of an interactive session.
struct WatchCommand {
    static let flags = [
        CommandFlag("interactive", short: "i", .flag, "false", "Interactive mode"),
        CommandFlag("prefix", .flag, "false", "Watch on a prefix if prefix is set"),
        CommandFlag("prev-kv", .flag, "false", "get the previous key-value pair before the event happens"),
        CommandFlag("progress-notify", .flag, "false", "get periodic watch progress notification from server"),
        CommandFlag("rev", .integer, "0", "Revision to start watching"),
        CommandFlag(
            "exec", .text, "",
            "Run this by the shell for each event, with ETCD_WATCH_REVISION, _EVENT_TYPE, _KEY and _VALUE set"),
    ]

    /// What to watch, and what to run for each event.
    struct Order {
        var range: KeyRange
        var options = WatchOptions()
        var command: [[UInt8]] = []
    }

    static func run(_ context: CommandContext) async throws(CommandFailure) {
        let variables = Variables()
        if variables.key.isEmpty && !variables.rangeEnd.isEmpty {
            throw .arguments(
                "ETCDCTL_WATCH_KEY is empty but got ETCDCTL_WATCH_RANGE_END=\(GoText.quoted(variables.rangeEnd))")
        }
        let client = try await context.client(isPatient: true, requiresLeader: true)
        if context.arguments.flag("interactive") {
            return try await interact(context, client, variables)
        }
        let order = try Self.order(context.arguments, variables)
        try await print(context, client, order)
        throw CommandFailure("watch is canceled by the server", CommandFailure.interrupted)
    }

    // MARK: - What to watch

    struct Variables {
        var key = Self.variable("ETCDCTL_WATCH_KEY")
        var rangeEnd = Self.variable("ETCDCTL_WATCH_RANGE_END")

        private static func variable(_ name: String) -> [UInt8] {
            getenv(name).map { Array(String(cString: $0).utf8) } ?? []
        }
    }

    static func order(_ arguments: CommandArguments, _ variables: Variables) throws(CommandFailure) -> Order {
        let separator = arguments.wordsBeforeSeparator
        var words = separator.map { Array(arguments.rawWords[..<$0]) } ?? arguments.rawWords
        let command = separator.map { Array(arguments.rawWords[$0...]) } ?? []
        guard separator == nil || !command.isEmpty else {
            throw .arguments("bad number of arguments (found separator --, but no commands)")
        }
        if !variables.key.isEmpty {
            guard words.isEmpty else {
                throw .arguments("bad number of arguments (found conflicting environment key)")
            }
            words = [variables.key] + (variables.rangeEnd.isEmpty ? [] : [variables.rangeEnd])
        }
        guard let key = words.first else { throw .arguments("bad number of arguments") }
        let isPrefix = arguments.flag("prefix")
        guard words.count < 2 || !isPrefix else {
            throw .arguments("`range_end` and `--prefix` are mutually exclusive")
        }
        let range: KeyRange =
            isPrefix ? .prefix(key) : words.count > 1 ? KeyRange(key: key, rangeEnd: words[1]) : .key(key)
        var order = Order(range: range)
        order.options.revision = arguments.integer("rev")
        order.options.wantsPrevious = arguments.flag("prev-kv")
        order.options.progressNotify = arguments.flag("progress-notify")
        let shell = arguments.text("exec")
        order.command = command.isEmpty && !shell.isEmpty ? ["sh", "-c", shell].map { Array($0.utf8) } : command
        return order
    }

    // MARK: - Watching

    /// Until the server ends it.
    private static func print(
        _ context: CommandContext, _ client: StrakeClient, _ order: Order
    ) async throws(CommandFailure) {
        do throws(StrakeClientError) {
            var iterator = try await client.watch(order.range, order.options).makeAsyncIterator()
            while let response = try await iterator.next() {
                try show(response, context, order)
            }
        } catch {
            if error.isCancelled { return }
            CommandOutput.complaint("watch was canceled (\(error.watchEndText))")
            context.printer.watchEnd(error)
        }
    }

    private static func show(
        _ response: WatchResponse, _ context: CommandContext, _ order: Order
    ) throws(StrakeClientError) {
        if response.isProgress { CommandOutput.line("progress notify: \(response.header.revision)") }
        context.printer.watch(response)
        guard !order.command.isEmpty else { return }
        for event in response.events {
            let variables = [
                "ETCD_WATCH_REVISION=\(response.header.revision)",
                "ETCD_WATCH_EVENT_TYPE=\(GoText.quoted(Printer.name(event.kind)))",
                "ETCD_WATCH_KEY=\(GoText.quoted(event.keyValue.key))",
                "ETCD_WATCH_VALUE=\(GoText.quoted(event.keyValue.value))",
            ]
            var problem: String?
            do throws(CommandFailure) {
                let code = try ChildCommand.run(order.command, variables: variables.map { Array($0.utf8) })
                if code != 0 { problem = "exit status \(code)" }
            } catch {
                problem = error.message
            }
            guard let problem else { continue }
            let words = order.command.map { GoText.quoted($0) }.joined(separator: " ")
            CommandOutput.complaint("command [\(words)] error (\(problem))")
            exit(1)
        }
    }

    // MARK: - Interactive

    private static func interact(
        _ context: CommandContext, _ client: StrakeClient, _ variables: Variables
    ) async throws(CommandFailure) {
        let watches = WatchList()
        for await line in InputLines.stream() {
            let words = try QuotedText.words(of: line)
            switch words.first.map({ String(decoding: $0, as: UTF8.self) }) {
            case nil: CommandOutput.complaint("Invalid command: \(line) (watch and progress supported)")
            case "watch":
                if words.count < 2 && variables.key.isEmpty {
                    CommandOutput.complaint("Invalid command \(line) (command type or key is not provided)")
                    continue
                }
                let arguments = try CommandArguments(Array(words.dropFirst()), flags: flags)
                let order = try Self.order(arguments, variables)
                await watches.add(context, client, order)
            case "progress": await watches.requestProgress()
            default: CommandOutput.complaint("Invalid command \(line) (only support watch)")
            }
        }
        throw CommandFailure("error reading watch request line: EOF", CommandFailure.invalidInput)
    }

    /// The watches of an interactive session.
    private actor WatchList {
        private var watches: [Watch] = []

        func add(_ context: CommandContext, _ client: StrakeClient, _ order: Order) async {
            do throws(StrakeClientError) {
                let watch = try await client.watch(order.range, order.options)
                watches.append(watch)
                Task {
                    do throws(StrakeClientError) {
                        var iterator = watch.makeAsyncIterator()
                        while let response = try await iterator.next() {
                            try WatchCommand.show(response, context, order)
                        }
                    } catch {
                        CommandOutput.complaint("watch was canceled (\(error.watchEndText))")
                        context.printer.watchEnd(error)
                    }
                }
            } catch {
                CommandOutput.complaint("watch was canceled (\(error.watchEndText))")
            }
        }

        func requestProgress() {
            for watch in watches { watch.requestProgress() }
        }
    }
}
