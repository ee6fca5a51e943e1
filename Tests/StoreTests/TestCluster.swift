import Dispatch
import StrakeLog
import StrakeMVCC
import StrakeModel
import StrakeRaft
import StrakeStateMachine
import StrakeStore
import StrakeTemporaryDirectory
import Synchronization

/// Members of one cluster in this process, each on a directory of its own.
final class TestCluster {
    let network = MemoryNetwork()
    private let root = TemporaryDirectory(in: .memory)
    private let initial: [InitialMember]
    private(set) var running: [Int: RunningStore] = [:]
    private(set) var clients: [Int: Client] = [:]
    let notices = Notices()
    /// Members that are not on the real disk.
    private let disks: [Int: any Disk]
    private let configure: (inout StoreOptions) -> Void

    /// What the members told their operators.
    final class Notices: Sendable {
        private let texts = Mutex<[String]>([])

        var all: [String] { texts.withLock { $0 } }

        func add(_ text: String) { texts.withLock { $0.append(text) } }

        func contains(_ part: String) -> Bool { texts.withLock { $0.contains { $0.contains(part) } } }
    }

    init(
        _ count: Int, disks: [Int: any Disk] = [:], configure: @escaping (inout StoreOptions) -> Void = { _ in }
    ) throws {
        self.disks = disks
        initial = (0..<count).map { InitialMember(name: "m\($0)", peerURLs: ["http://127.0.0.1:\(1_000 + $0)"]) }
        self.configure = configure
        for number in 0..<count { try start(number) }
    }

    deinit { stopAll() }

    func options(_ number: Int) -> StoreOptions {
        var options = StoreOptions(dataDirectory: root.path + "/m\(number)")
        options.name = "m\(number)"
        options.peerURLs = ["http://127.0.0.1:\(1_000 + number)"]
        options.clientURLs = ["http://127.0.0.1:\(2_000 + number)"]
        options.initialMembers = initial
        options.heartbeatMilliseconds = 10
        // Long enough for a machine that others use too: no leader is given up, and no member, because it had to wait.
        options.electionMilliseconds = 300
        options.logSegmentBytes = 64 << 10
        options.seed = UInt64(number + 1)
        let notices = notices
        options.onNotice = { notice in
            switch notice {
            case .snapshot(let text), .snapshotFailed(let text): notices.add("m\(number): \(text)")
            case .fatal(let text): notices.add("m\(number): fatal: \(text)")
            case .corruption(let text): notices.add("m\(number): \(text)")
            case .removed(let text): notices.add("m\(number): removed; \(text)")
            case .removalPending(let text): notices.add("m\(number): \(text)")
            case .forced(let text): notices.add("m\(number): forced: \(text)")
            case .progress(.installed(let index)):
                notices.add("m\(number): installed the snapshot as of entry \(index)")
            case .repaired, .leadership, .diskFull, .logFailing, .damage, .backup, .progress: break
            }
        }
        configure(&options)
        return options
    }

    /// - Parameter wrap: Puts something between the member and its transport.
    func start(_ number: Int, through wrap: (MemoryTransport) -> any Transport = { $0 }) throws {
        try start(number, options(number), through: wrap)
    }

    private func start(
        _ number: Int, _ options: StoreOptions, through wrap: (MemoryTransport) -> any Transport = { $0 }
    ) throws {
        // Another test may have forked meanwhile: until its child ends, that holds every lock that was held then.
        try eventually("the lock of m\(number)") {
            do throws(StoreStartError) {
                _ = try RunningStore.identity(for: options)
                return true
            } catch {
                guard error.description.contains("is locked") else { throw error }
                return false
            }
        }
        let member = try RunningStore.identity(for: options).member
        let store = try RunningStore(
            opening: options, on: disks[number] ?? FileDisk(), transport: wrap(network.transport(of: member)))
        running[number] = store
        clients[number] = Client(store.store)
    }

    struct NotAdded: Error {
        var member: UInt64
    }

    /// Starts a member that was added to the cluster under this id.
    func join(_ number: Int, as id: UInt64) throws {
        var options = options(number)
        options.initialMembers = []
        options.joining = store(try leader()).description.joined(at: options.peerURLs)
        guard options.joining?.member == id else { throw NotAdded(member: id) }
        try start(number, options)
    }

    func stop(_ number: Int) {
        clients[number] = nil
        // Threads that end let go of the file, and LMDB does not bear one that is open twice in a process.
        guard let fileCloses = close(number) else { return }
        precondition(fileCloses.wait(timeout: .now() + 20) == .success, "the file of m\(number) stays open")
    }

    private func close(_ number: Int) -> DispatchSemaphore? {
        guard let store = running.removeValue(forKey: number) else { return nil }
        store.close()
        let fileCloses = DispatchSemaphore(value: 0)
        store.store.reader.whenFileCloses { fileCloses.signal() }
        return fileCloses
    }

    func stopAll() {
        for number in running.keys.sorted() { stop(number) }
    }

    func store(_ number: Int) -> Store { running[number]!.store }
    func client(_ number: Int) -> Client { clients[number]! }
    func id(_ number: Int) -> MemberID { MemberID(rawValue: store(number).memberID) }

    struct Timeout: Error {
        var what: String
        /// The last ones.
        var notices: [String] = []
    }

    /// Longest time between two looks at something that no message between members announces.
    private static let lookMilliseconds = 20

    /// Waits for something that happens on other threads, looking again whenever members have heard from each other.
    func eventually(_ what: String, seconds: Double = 20, _ isTrue: () throws -> Bool) throws {
        let deadline = MonotonicClock.nanoseconds + UInt64(seconds * 1e9)
        while try !isTrue() {
            guard MonotonicClock.nanoseconds < deadline else {
                throw Timeout(what: what, notices: notices.all.suffix(10))
            }
            network.waitForTraffic(milliseconds: Self.lookMilliseconds)
        }
    }

    /// The member that leads in the newest term that anybody knows of, once all that run agree.
    func leader(among numbers: [Int]? = nil) throws -> Int {
        var found: Int?
        try eventually("a leader") {
            let numbers = numbers ?? running.keys.sorted()
            let leaders = Set(numbers.map { store($0).status().leader })
            guard leaders.count == 1, let id = leaders.first, id != 0 else { return false }
            found = numbers.first { store($0).memberID == id }
            return found != nil
        }
        return found!
    }

    /// Waits until all that run have applied the same, and says whether their histories are equal then.
    func haveEqualHistories() throws -> Bool {
        let numbers = running.keys.sorted()
        let leader = try leader()
        try eventually("equal applied indexes") {
            let target = store(leader).status().committedIndex
            return numbers.allSatisfy { store($0).status().appliedIndex == target }
        }
        return try Set(numbers.map { try store($0).reader.hashKV(revision: 0) }).count == 1
    }

    /// Has the member's log begin after what it has applied, but for the entries it retains.
    func dropLog(of number: Int) throws {
        try eventually("the log to be cut") {
            store(number).requestCheckpoint()
            return store(number).logStart > store(number).status().appliedIndex / 2
        }
    }

    /// Changes the members, asked of one of them.
    func change(_ change: MembershipChange, at number: Int) -> StoreError? {
        let answer = Awaited<StoreError?>()
        store(number).change(change) { result in
            switch result {
            case .success: answer.set(nil)
            case .failure(let error): answer.set(error)
            }
        }
        return answer.value
    }
}
