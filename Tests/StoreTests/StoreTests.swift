import Dispatch
import Glibc
import StrakeLeases
import StrakeLog
import StrakeMVCC
import StrakeModel
import StrakeStateMachine
import StrakeStore
import StrakeTables
import StrakeTemporaryDirectory
import Synchronization
import Testing

struct StoreTests {
    private func options(_ directory: TemporaryDirectory) -> StoreOptions {
        var options = StoreOptions(dataDirectory: directory.path + "/data")
        options.logSegmentBytes = 1 << 20
        return options
    }

    @Test func `a put is answered at its revision and can be read`() throws {
        let directory = TemporaryDirectory(in: .memory)
        let running = try RunningStore(opening: options(directory))
        defer { running.close() }
        let client = Client(running.store)
        #expect(client.put("a", "1").revision == 2)
        #expect(client.put("a", "2").revision == 3)
        #expect(try running.store.value("a") == "2")
    }

    @Test func `what was acknowledged is there after a clean stop, without anything to apply again`() throws {
        let directory = TemporaryDirectory(in: .memory)
        let identity: UInt64
        do {
            let running = try RunningStore(opening: options(directory))
            identity = running.store.memberID
            let client = Client(running.store)
            for number in 0..<500 { _ = client.put("k\(number)", "v\(number)") }
            running.close()
        }
        let running = try RunningStore(opening: options(directory))
        defer { running.close() }
        #expect(running.store.memberID == identity)
        #expect(running.store.reader.revision == 501)
        #expect(try running.store.value("k499") == "v499")
    }

    @Test func `leases and alarms survive a restart, and a lease keeps its keys`() throws {
        let directory = TemporaryDirectory(in: .memory)
        do {
            let running = try RunningStore(opening: options(directory))
            let client = Client(running.store)
            _ = client.run(.leaseGrant(id: LeaseID(rawValue: 7), ttlSeconds: 1_000))
            _ = client.put("leased", "x", lease: LeaseID(rawValue: 7))
            _ = client.run(.alarm(AlarmCommand(action: .activate, member: 9, alarm: AlarmMember.noSpace)))
            running.close()
        }
        let running = try RunningStore(opening: options(directory))
        defer { running.close() }
        #expect(running.store.ttl(of: LeaseID(rawValue: 7)) == 1_000)
        #expect(running.store.alarms == [AlarmMember(member: 9, alarm: AlarmMember.noSpace)])
        let client = Client(running.store)
        #expect(client.put("more", "x").outcome.isRefused(.noSpace))
        _ = client.run(.leaseRevoke(LeaseID(rawValue: 7)))
        #expect(try running.store.value("leased") == nil)
    }

    @Test func `what event loops ask of the store is answered while a long batch is applied`() throws {
        let directory = TemporaryDirectory(in: .memory)
        let running = try RunningStore(opening: options(directory))
        defer { running.close() }
        let client = Client(running.store)
        for first in stride(from: 0, to: 100_000, by: 2_000) {
            let puts = (first..<first + 2_000).map {
                Command.put(PutRequest(key: Array("k\($0)".utf8), value: []))
            }
            #expect(client.run(puts).allSatisfy { $0.error == nil })
        }
        let asker = Asker(running.store)
        asker.start()
        let began = MonotonicClock.nanoseconds
        #expect(client.run(.deleteRange(DeleteRangeRequest(range: .all))).error == nil)
        let ended = MonotonicClock.nanoseconds
        let standstill = asker.stop(from: began, to: ended)
        print("asked for \((ended - began) / 1_000) us, without an answer for \(standstill / 1_000) us")
        #expect(standstill < (ended - began) / 2)
    }

    /// Asks a store what event loops do, one question after the other, on a thread of its own.
    private final class Asker: Sendable {
        private let store: Store
        private let isOver = Atomic(false)
        private let begun = DispatchSemaphore(value: 0)
        private let answered = Awaited<[UInt64]>()

        init(_ store: Store) { self.store = store }

        /// Returns after the first answer.
        func start() {
            DispatchQueue(label: "asker").async { [self] in
                var times: [UInt64] = []
                while !isOver.load(ordering: .acquiring) {
                    _ = (store.status(), store.memberList, store.ttl(of: LeaseID(rawValue: 7)))
                    times.append(MonotonicClock.nanoseconds)
                    if times.count == 1 { begun.signal() }
                }
                answered.set(times)
            }
            begun.wait()
        }

        /// The longest time between two answers, in nanoseconds, of the time between these two.
        func stop(from began: UInt64, to ended: UInt64) -> UInt64 {
            isOver.store(true, ordering: .releasing)
            let times = [began] + answered.value.filter { $0 > began && $0 < ended } + [ended]
            return zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? 0
        }
    }

    @Test func `a batch is published once, whole and in order`() throws {
        let directory = TemporaryDirectory(in: .memory)
        let running = try RunningStore(opening: options(directory))
        defer { running.close() }
        let client = Client(running.store)
        let commands = (0..<100).map { Command.put(PutRequest(key: [UInt8($0)], value: [])) }
        _ = client.run(commands)
        let published = client.takePublished()
        #expect(published.first?.first == 2)
        #expect(published.last?.last == 101)
        for (earlier, later) in zip(published, published.dropFirst()) { #expect(later.first == earlier.last + 1) }
        let keys = published.flatMap { batch in batch.events.map { Array($0.key) } }
        #expect(keys == (0..<100).map { [UInt8($0)] })
    }

    @Test func `a lease runs out through the log, and its keys go in one revision`() throws {
        let directory = TemporaryDirectory(in: .memory)
        var options = options(directory)
        options.heartbeatMilliseconds = 10
        options.electionMilliseconds = 50
        let running = try RunningStore(opening: options)
        defer { running.close() }
        let client = Client(running.store)
        // Long enough for two puts on a machine that is busy with other tests.
        _ = client.run(.leaseGrant(id: LeaseID(rawValue: 5), ttlSeconds: 3))
        #expect(client.put("a", "1", lease: LeaseID(rawValue: 5)).error == nil)
        #expect(client.put("b", "1", lease: LeaseID(rawValue: 5)).error == nil)
        var events: [PublishedEvents] = []
        repeat {
            // Each round trip waits for the log, so this does not spin.
            _ = client.run(.alarm(AlarmCommand(action: .get, member: 0, alarm: 0)))
            events += client.takePublished().filter { batch in batch.events.contains { $0.header.isTombstone } }
        } while events.isEmpty
        #expect(events.count == 1)
        #expect(events[0].first == events[0].last)
        #expect(events[0].events.map { Array($0.key) } == [Array("a".utf8), Array("b".utf8)])
        #expect(events[0].events.allSatisfy { $0.header.isTombstone })
    }

    @Test func `a second member on the same directory is refused`() throws {
        let directory = TemporaryDirectory(in: .memory)
        let running = try RunningStore(opening: options(directory))
        defer { running.close() }
        #expect(throws: StoreStartError.self) { try RunningStore(opening: options(directory)) }
    }

    @Test(
        "a member whose files are gone is refused, and nothing is made in their place",
        arguments: [(["log"], true), (["log", "store"], true), (["store"], false)])
    func emptied(names: [String], isRefused: Bool) throws {
        let directory = TemporaryDirectory(in: .memory)
        let options = options(directory)
        do {
            let running = try RunningStore(opening: options)
            #expect(Client(running.store).put("a", "1").error == nil)
            running.close()
        }
        let disk = FileDisk()
        for name in names {
            let path = options.dataDirectory + "/" + name
            for file in try disk.list(path) { try disk.remove(path + "/" + file) }
            #expect(rmdir(path) == 0)
        }
        if isRefused {
            for _ in 0..<2 {
                let error = #expect(throws: StoreStartError.self) { try RunningStore(opening: options) }
                #expect(error?.description.contains("has been initialised") == true)
            }
            #expect(try disk.list(options.dataDirectory).filter { names.contains($0) }.isEmpty)
        } else {
            let running = try RunningStore(opening: options)
            defer { running.close() }
            #expect(try running.store.value("a") == "1")
        }
    }

    @Test func `requests after a stop are refused`() throws {
        let directory = TemporaryDirectory(in: .memory)
        let running = try RunningStore(opening: options(directory))
        let client = Client(running.store)
        running.close()
        #expect(client.put("a", "1").error == .stopped)
    }
}

extension Outcome? {
    func isRefused(_ error: StoreError) -> Bool {
        if case .refused(error) = self { true } else { false }
    }
}
