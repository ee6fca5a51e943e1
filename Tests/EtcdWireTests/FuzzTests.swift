internal import Glibc
internal import StrakeEtcdWire
internal import StrakeModel
internal import StrakeSeededGenerator
import Testing

/// Memory that ends where a page ends that nobody may touch: a decoder that reads one byte too far stops the process.
private struct GuardedMemory: ~Copyable {
    static let capacity = 4 * 4096
    private let base: UnsafeMutableRawPointer

    init() {
        let memory = mmap(nil, Self.capacity + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED, mprotect(memory + Self.capacity, 4096, PROT_NONE) == 0 else {
            fatalError("no memory with a guard page: \(errno)")
        }
        base = memory
    }

    deinit { munmap(base, Self.capacity + 4096) }

    /// The bytes, with the guard right behind them.
    func hold(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
        let start = base + (Self.capacity - bytes.count)
        bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: start, count: bytes.count).copyMemory(from: $0) }
        return UnsafeRawBufferPointer(start: start, count: bytes.count)
    }
}

@Suite struct FuzzTests {
    private static let cases = getenv("STRAKE_FUZZ_CASES").flatMap { Int(String(cString: $0)) } ?? 100_000

    /// Damage: a byte changed, dropped, added or cut off after, or two messages put together.
    private func mutate(_ bytes: inout [UInt8], corpus: [[UInt8]], _ random: inout SeededGenerator) {
        for _ in 0...random.below(4) {
            let position = bytes.isEmpty ? 0 : random.below(bytes.count)
            switch random.below(7) {
            case 0, 1: if !bytes.isEmpty { bytes[position] = UInt8.random(in: 0...255, using: &random) }
            case 2: if !bytes.isEmpty { bytes[position] ^= 1 << UInt8(random.below(8)) }
            case 3: if !bytes.isEmpty { bytes.remove(at: position) }
            case 4: bytes.insert([0, 0x7f, 0x80, 0xff][random.below(4)], at: position)
            case 5: bytes.removeLast(bytes.count - position)
            default: bytes.insert(contentsOf: corpus[random.below(corpus.count)].prefix(60), at: position)
            }
        }
    }

    /// Reads the bytes as every message. What is read is written and read again: it must be the same.
    private func readAll(_ bytes: UnsafeRawBufferPointer) -> Int {
        var accepted = 0
        func check<Message: WireMessage & Equatable>(
            _ read: (UnsafeRawBufferPointer) throws(WireError) -> Message
        ) {
            guard let message = try? read(bytes) else { return }
            accepted += 1
            // An empty key of a watch and comparisons outside the schema are changed once, by the first reading.
            #expect((try? decode(message.encoded(), read)) == message)
        }
        check(RangeRequest.init(protobuf:))
        check(PutRequest.init(protobuf:))
        check(DeleteRangeRequest.init(protobuf:))
        check { bytes throws(WireError) in try TxnRequest(protobuf: bytes, maxOperations: 128) }
        check(WatchRequest.init(protobuf:))
        check(CompactionRequest.init(protobuf:))
        check(LeaseGrantRequest.init(protobuf:))
        check(LeaseRequest.init(protobuf:))
        check(AlarmRequest.init(protobuf:))
        check(HashKVRequest.init(protobuf:))
        check(MemberListRequest.init(protobuf:))
        check(MoveLeaderRequest.init(protobuf:))
        check(HealthCheckRequest.init(protobuf:))
        return accepted
    }

    private func readOthers(_ bytes: UnsafeRawBufferPointer) {
        _ = try? MemberAddRequest(protobuf: bytes)
        _ = try? MemberUpdateRequest(protobuf: bytes)
        _ = try? MemberIDRequest(protobuf: bytes)
        _ = try? LockRequest(protobuf: bytes)
        _ = try? UnlockRequest(protobuf: bytes)
        _ = try? CampaignRequest(protobuf: bytes)
        _ = try? ElectionRequest(protobuf: bytes)
        _ = try? LeaderKeyRequest(protobuf: bytes)
        _ = try? AuthPasswordRequest(protobuf: bytes)
        _ = try? AuthUserAddRequest(protobuf: bytes)
        _ = try? AuthChangePasswordRequest(protobuf: bytes)
        _ = try? AuthNameRequest(protobuf: bytes)
        _ = try? AuthUserRoleRequest(protobuf: bytes)
        _ = try? AuthGrantPermissionRequest(protobuf: bytes)
        _ = try? AuthRevokePermissionRequest(protobuf: bytes)
        _ = try? StoredUser(protobuf: bytes)
        _ = try? StoredRole(protobuf: bytes)
        _ = try? EmptyRequest(protobuf: bytes)
        _ = try? HeaderSummary(protobuf: bytes)
        _ = try? RangeResponseSummary(protobuf: bytes)
        _ = try? RangeStreamResponseSummary(protobuf: bytes)
        _ = try? TxnResponseSummary(protobuf: bytes)
        _ = try? LeaseResponseSummary(protobuf: bytes)
        _ = try? StatusResponseSummary(protobuf: bytes)
        _ = try? WatchResponseSummary(protobuf: bytes)
        try? EventView.forEach(in: bytes) { _ in }
    }

    @Test func `damaged messages never trap and what is read of them holds`() {
        let corpus = (parseVectors(goldenVectors) + parseVectors(randomRequests) + parseVectors(recordedTransactions))
            .map { Array($0.bytes.prefix(400)) }
        var random = SeededGenerator(seed: 4)
        var accepted = 0
        let memory = GuardedMemory()
        for _ in 0..<Self.cases {
            var bytes = corpus[random.below(corpus.count)]
            mutate(&bytes, corpus: corpus, &random)
            let guarded = memory.hold(bytes)
            accepted += readAll(guarded)
            readOthers(guarded)
        }
        // Damage that everything survives, or nothing, tests little.
        #expect((Self.cases / 2..<Self.cases * 12).contains(accepted))
    }
}
