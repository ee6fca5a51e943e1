internal import StrakeClient
internal import Testing

@Suite struct BalancerTests {
    /// Of three endpoints, these connected.
    private func balancer(_ ready: Int...) -> Balancer {
        var balancer = Balancer(count: 3)
        _ = balancer.takeDue(now: 0)
        for index in ready { balancer.connected(index) }
        return balancer
    }

    @Test func `all endpoints are connected at first, and the first that is ready is used`() {
        var balancer = Balancer(count: 3)
        #expect(balancer.pick() == .wait)
        #expect(balancer.takeDue(now: 0) == [0, 1, 2])
        #expect(balancer.takeDue(now: 0) == [])
        #expect(balancer.pick() == .wait)
        balancer.connected(1)
        #expect(balancer.pick() == .use(1))
        #expect(balancer.pick() == .use(1))
    }

    @Test func `calls take turns over the endpoints that are ready`() {
        var balancer = balancer(0, 1, 2)
        #expect((0..<4).map { _ in balancer.pick() } == [.use(0), .use(1), .use(2), .use(0)])
        balancer.lost(1)
        #expect((0..<3).map { _ in balancer.pick() } == [.use(2), .use(0), .use(2)])
    }

    @Test func `a lost endpoint is connected again at once, one that failed after pauses that double`() {
        var balancer = balancer(0, 1, 2)
        balancer.lost(2)
        #expect(balancer.takeDue(now: 1_000) == [2])
        balancer.failed(2, now: 1_000)
        let pause = Balancer.pauseNanosecondsMin
        #expect(balancer.takeDue(now: 1_000 + pause - 1) == [])
        #expect(balancer.takeDue(now: 1_000 + pause) == [2])
        balancer.failed(2, now: 0)
        #expect(balancer.phase(of: 2) == .waiting(until: 2 * pause))
        for _ in 0..<100 { balancer.failed(2, now: 0) }
        #expect(balancer.phase(of: 2) == .waiting(until: Balancer.pauseNanosecondsMax))
        balancer.connected(2)
        balancer.lost(2)
        balancer.failed(2, now: 0)
        #expect(balancer.phase(of: 2) == .waiting(until: pause))
    }

    @Test func `with all endpoints failed it says when the next may be tried`() {
        var balancer = balancer()
        balancer.failed(0, now: 7)
        balancer.failed(1, now: 5)
        #expect(balancer.pick() == .wait)
        balancer.failed(2, now: 9)
        #expect(balancer.pick() == .none(until: 5 + Balancer.pauseNanosecondsMin))
    }
}
