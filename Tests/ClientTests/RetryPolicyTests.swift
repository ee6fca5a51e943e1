internal import StrakeClient
internal import Testing

@Suite struct RetryPolicyTests {
    private static let unavailable = StrakeClientError(.unavailable, "etcdserver: no leader", wasSent: true)
    private static let neverSent = StrakeClientError(.unavailable, "cannot connect", wasSent: false)

    @Test(
        "a read is made again when a member was unavailable, a write only if nobody can have seen it",
        arguments: [
            (unavailable, true, true), (unavailable, false, false), (neverSent, true, true), (neverSent, false, true),
            (StrakeClientError(.deadlineExceeded, "", wasSent: true), true, false),
            (StrakeClientError(.deadlineExceeded, "", wasSent: false), true, false),
            (StrakeClientError(.outOfRange, "", wasSent: true), true, false),
            (StrakeClientError(.internal, "", wasSent: true), true, false),
            (StrakeClientError(.cancelled, "", wasSent: false), false, false),
        ] as [(StrakeClientError, Bool, Bool)])
    func retries(error: StrakeClientError, isRepeatable: Bool, isRetried: Bool) {
        let policy = RetryPolicy(triesMax: 3, quorum: 2, pauseMilliseconds: 40)
        let decision = policy.decide(after: error, isRepeatable: isRepeatable, triesMade: 1, jitter: 0)
        #expect((decision != .fail) == isRetried)
    }

    @Test func `it pauses after each majority of the endpoints, and ends with the tries`() {
        let policy = RetryPolicy(triesMax: 5, quorum: 2, pauseMilliseconds: 40)
        let decisions = (1...5).map {
            policy.decide(after: Self.unavailable, isRepeatable: true, triesMade: $0, jitter: 1)
        }
        #expect(
            decisions == [
                .retry(afterMilliseconds: 0), .retry(afterMilliseconds: 44), .retry(afterMilliseconds: 0),
                .retry(afterMilliseconds: 44), .fail,
            ])
    }
}
