import StrakeStore
import StrakeTemporaryDirectory
import Testing

/// Lends a store of one member in a directory that goes afterwards.
func withStore(
    in place: TemporaryDirectory.Place = .memory, limits: EmbeddedStore.Limits = EmbeddedStore.Limits(),
    configure: (inout StoreOptions) -> Void = { _ in },
    _ body: (EmbeddedStore) async throws -> Void
) async throws {
    let directory = TemporaryDirectory(in: place)
    var options = StoreOptions(dataDirectory: directory.path + "/data")
    configure(&options)
    try await EmbeddedStore.withStore(options, limits: limits, body)
}

extension EmbeddedStore {
    /// Puts many keys at once: `prefix` and six digits, each with a value of `bytes` bytes.
    func fill(_ prefix: String, count: Int, bytes: Int = 10) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                group.addTask {
                    let digits = String(1_000_000 + number).dropFirst()
                    try await self.put(prefix + digits, [UInt8](repeating: UInt8(number % 251), count: bytes))
                }
            }
            try await group.waitForAll()
        }
    }
}

extension EmbeddedStore.Watch.Iterator {
    /// The next updates until `count` events have come.
    mutating func events(_ count: Int) async throws -> [Event] {
        var events: [Event] = []
        while events.count < count, let update = try await next() { events += update.events }
        return events
    }
}

extension Result where Failure == any Error {
    /// What an asynchronous body came to.
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
