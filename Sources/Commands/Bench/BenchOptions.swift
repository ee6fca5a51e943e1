internal import NIOCore
internal import StrakeClientFlags
internal import StrakeFlags
internal import StrakeTLS

/// What to load a server with, from the command line.
struct BenchOptions: Sendable {
    enum Workload: String, CaseIterable, Sendable {
        case put
        case range
        case txnMixed = "txn-mixed"
        case watch
        case watchLatency = "watch-latency"
        case leaseKeepAlive = "lease-keepalive"

        var help: String {
            switch self {
            case .put: "write keys"
            case .range: "read keys"
            case .txnMixed: "transactions, some of which read and some write"
            case .watch: "many watchers of the keys that are written: events delivered"
            case .watchLatency: "time from a put to its event at each watcher"
            case .leaseKeepAlive: "renew leases"
            }
        }
    }

    static let flags =
        target + ClientSecurity.flags + load

    private static let target = [
        Flag(
            name: "endpoints", kind: .endpoints, fallback: "127.0.0.1:2379",
            help: "Servers, host:port or URLs, comma-separated.",
            section: "Target"),
        Flag(
            name: "server-pid", kind: .string, fallback: "",
            help: "Processes on this machine, comma-separated, whose CPU time and memory to report, added up.",
            section: "Target"),
    ]

    private static let load = [
        Flag(name: "connections", kind: .unsigned, fallback: "1", help: "Connections.", section: "Load"),
        Flag(
            name: "clients", kind: .unsigned, fallback: "1",
            help: "Clients, spread over the connections; each waits for its answer before it goes on.", section: "Load"),
        Flag(name: "total", kind: .unsigned, fallback: "10000", help: "Operations in all.", section: "Load"),
        Flag(
            name: "rate", kind: .unsigned, fallback: "0",
            help: "Operations a second at most; 0 is no limit. Latency then counts from when an operation was due.",
            section: "Load"),
        Flag(
            name: "threads", kind: .unsigned, fallback: "0",
            help: "Threads of the load generator, at most one a connection; 0 is one a core.", section: "Load"),
        Flag(name: "key-size", kind: .unsigned, fallback: "16", help: "Bytes of a key.", section: "Data"),
        Flag(name: "val-size", kind: .unsigned, fallback: "256", help: "Bytes of a value.", section: "Data"),
        Flag(
            name: "key-space-size", kind: .unsigned, fallback: "10000", help: "Different keys that are used.",
            section: "Data"),
        Flag(
            name: "sequential-keys", kind: .bool, fallback: "false", help: "Use the keys in order, not at random.",
            section: "Data"),
        Flag(
            name: "prefill", kind: .bool, fallback: "true",
            help: "Write every key once before reading (range, txn-mixed).", section: "Data"),
        Flag(
            name: "consistency", kind: .choice(["l", "s"]), fallback: "l",
            help: "Reads: l linearizable, s serializable.",
            section: "Data"),
        Flag(
            name: "rw-ratio", kind: .string, fallback: "1", help: "Reads for each write (txn-mixed).", section: "Data"),
        Flag(
            name: "streams", kind: .unsigned, fallback: "10", help: "Watch streams, over the connections.",
            section: "Watch"),
        Flag(
            name: "watchers-per-stream", kind: .unsigned, fallback: "10",
            help: "Watchers on each stream, all of the whole key space.", section: "Watch"),
        Flag(name: "seed", kind: .unsigned, fallback: "1", help: "Seed of the choice of keys.", section: "Output"),
        Flag(name: "json", kind: .bool, fallback: "false", help: "Print one JSON object.", section: "Output"),
        Flag(name: "plot", kind: .string, fallback: "", help: "Write an SVG plot to this file.", section: "Output"),
    ]

    var workload: Workload
    var endpoints: [Endpoint]
    var security: ClientSecurity
    var servers: [ServerProcess]
    var connections: Int
    var clients: Int
    var total: Int
    var rate: Int
    var threads: Int
    var keyBytes: Int
    var valueBytes: Int
    var keySpace: Int
    var isSequential: Bool
    var prefills: Bool
    var isSerializable: Bool
    var readsPerWrite: Double
    var streams: Int
    var watchersPerStream: Int
    var seed: UInt64
    var isJSON: Bool
    var plotPath: String

    init(_ workload: Workload, _ flags: FlagSet) throws(BenchError) {
        self.workload = workload
        endpoints = flags.endpoints("endpoints")
        do throws(TLSError) {
            security = try ClientSecurity(flags)
        } catch {
            throw BenchError(error.description)
        }
        func count(_ name: String, atLeast minimum: Int = 1) throws(BenchError) -> Int {
            let value = Int(flags.integer(name))
            guard value >= minimum else { throw BenchError("--\(name) must be at least \(minimum)") }
            return value
        }
        servers = []
        for text in flags.list("server-pid") {
            guard let pid = Int(text), pid > 0, ServerProcess(pid: pid).cpuSeconds != nil else {
                throw BenchError("--server-pid: \"\(text)\" is not a process on this machine")
            }
            servers.append(ServerProcess(pid: pid))
        }
        connections = try count("connections")
        clients = max(try count("clients"), connections)
        total = try count("total")
        rate = Int(flags.integer("rate"))
        keyBytes = try count("key-size", atLeast: 8)
        valueBytes = try count("val-size", atLeast: 0)
        keySpace = try count("key-space-size")
        isSequential = flags.bool("sequential-keys")
        prefills = flags.bool("prefill")
        isSerializable = flags.string("consistency") == "s"
        guard let ratio = Double(flags.string("rw-ratio")), ratio >= 0 else {
            throw BenchError("--rw-ratio: \"\(flags.string("rw-ratio"))\" is not a number of at least 0")
        }
        readsPerWrite = ratio
        streams = try count("streams")
        watchersPerStream = try count("watchers-per-stream")
        let threads = try count("threads", atLeast: 0)
        self.threads = min(threads == 0 ? System.coreCount : threads, max(connections, streams))
        seed = UInt64(flags.integer("seed"))
        isJSON = flags.bool("json")
        plotPath = flags.string("plot")
        // Not at the end of a long run.
        if !plotPath.isEmpty, let reason = PlotFile.problem(with: plotPath) {
            throw BenchError("--plot: cannot write \(plotPath): \(reason)")
        }
    }
}

/// Why a run cannot start or go on: a sentence for the operator.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
