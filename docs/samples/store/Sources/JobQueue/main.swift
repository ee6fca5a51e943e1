import Glibc
import Logging
import ServiceLifecycle
import StrakeStore

/// Runs a store for as long as the service group runs.
struct StoreService: Service {
    let store: EmbeddedStore

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await store.run() }
    }
}

let arguments = CommandLine.arguments.dropFirst()
guard let directory = arguments.first, arguments.count <= 2, arguments.count == 1 || arguments.last == "list" else {
    say("usage: job-queue DIRECTORY [list]")
    exit(2)
}

var options = StoreOptions(dataDirectory: directory)
options.onNotice = { notice in
    if case .fatal(let reason) = notice { say("the store has failed: \(reason)") }
}

if arguments.last == "list" {
    try await EmbeddedStore.withStore(options) { store in
        try await JobQueue(store: store).list { say("\($0) \($1) \($2)") }
    }
    exit(0)
}

let store = try await EmbeddedStore.open(options)
let queue = JobQueue(store: store)
say("ready at revision \(store.revision)")

var logger = Logger(label: "job-queue")
logger.logLevel = .error
// They end in the reverse order: the store outlives those that use it.
var configuration = ServiceGroupConfiguration(
    services: [.init(service: StoreService(store: store))], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
)
for number in 1...2 {
    configuration.services.append(.init(service: Worker(name: "worker-\(number)", queue: queue)))
}
// The end of the input is not the end of the work.
configuration.services.append(.init(service: Intake(queue: queue), successTerminationBehavior: .ignore))
try await ServiceGroup(configuration: configuration).run()
say("stopped at revision \(store.revision)")
