internal import StrakeEtcdWire
internal import StrakeFuzzing
internal import StrakeModel
internal import StrakeSeededGenerator
import Testing

@Suite struct FuzzTests {
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
        let damage = Damage(corpus: corpus)
        let memory = GuardedMemory()
        for _ in 0..<FuzzCases.count {
            var bytes = corpus[random.below(corpus.count)]
            damage.apply(to: &bytes, &random)
            let guarded = memory.hold(bytes)
            accepted += readAll(guarded)
            readOthers(guarded)
        }
        // Damage that everything survives, or nothing, tests little.
        #expect((FuzzCases.count / 2..<FuzzCases.count * 12).contains(accepted))
    }
}
