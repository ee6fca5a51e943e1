import StrakeModel
import StrakeWatching
import Testing

@Suite struct ProgressTests {
    private let stream = StreamKey(rawValue: 1)

    @Test func `a stream without watchers is not answered`() {
        var world = World()
        #expect(world.hub.requestProgress(of: stream) == .nothing)
        #expect(world.create(KeyRange("m")) == .created(watchID: 0))
        #expect(world.cancel(0) == .canceled(owedProgress: nil))
        #expect(world.hub.requestProgress(of: stream) == .nothing)
    }

    @Test func `synced watchers are answered with the published revision`() {
        var world = World(revision: 48)
        #expect(world.create(KeyRange("m")) == .created(watchID: 0))
        #expect(world.create(KeyRange("m2")) == .created(watchID: 1))
        #expect(world.hub.requestProgress(of: stream) == .reply(revision: 48))
        world.write([.put("other", 49)])
        #expect(world.hub.requestProgress(of: stream) == .reply(revision: 48))
        world.publish()
        #expect(world.hub.requestProgress(of: stream) == .reply(revision: 49))
    }

    @Test func `one reply follows the history of a watcher that is behind`() {
        var world = World()
        world.publish(.put("a", 2))
        #expect(world.create(KeyRange("m")) == .created(watchID: 0))
        #expect(world.create(KeyRange("a"), from: 1) == .created(watchID: 1))
        #expect(world.hub.requestProgress(of: stream) == .owed)
        #expect(world.hub.requestProgress(of: stream) == .owed)
        world.publish(.put("a", 3))
        #expect(world.recorder.take() == [])
        world.replayAll()
        #expect(
            world.recorder.take() == [
                .events(stream: 1, watch: 1, ["a@2", "a@3"]), .streamProgress(stream: 1, revision: 3),
            ])
        world.publish(.put("x", 4))
        #expect(world.recorder.take() == [])
    }

    @Test func `a future watcher holds the reply back until its start is next`() {
        var world = World()
        #expect(world.create(KeyRange("m")) == .created(watchID: 0))
        #expect(world.create(KeyRange("m"), from: 4) == .created(watchID: 1))
        #expect(world.hub.requestProgress(of: stream) == .owed)
        world.publish(.put("x", 2))
        #expect(world.recorder.take() == [])
        world.publish(.put("x", 3))
        #expect(world.recorder.take() == [.streamProgress(stream: 1, revision: 3)])
    }

    @Test func `a blocked watcher holds the reply back until it has replayed`() {
        var world = World()
        #expect(world.create(KeyRange("m")) == .created(watchID: 0))
        world.recorder.full = [1]
        world.publish(.put("m", 2))
        #expect(world.hub.requestProgress(of: stream) == .owed)
        world.recorder.full = []
        world.hub.drained(stream)
        world.replayAll()
        #expect(
            world.recorder.take() == [
                .events(stream: 1, watch: 0, ["m@2"]), .streamProgress(stream: 1, revision: 2),
            ])
    }

    @Test func `the reply comes when the watcher that held it back is canceled`() {
        var world = World()
        world.publish(.put("m", 2), .put("m", 3))
        #expect(world.create(KeyRange("m")) == .created(watchID: 0))
        #expect(world.create(KeyRange("m"), from: 2) == .created(watchID: 1))
        #expect(world.hub.requestProgress(of: stream) == .owed)
        #expect(world.cancel(1) == .canceled(owedProgress: 3))
        #expect(world.create(KeyRange("m"), from: 2) == .created(watchID: 2))
        #expect(world.hub.requestProgress(of: stream) == .owed)
        world.compact(3)
        world.replayAll()
        #expect(
            world.recorder.take() == [
                .canceled(stream: 1, watch: 2, compactRevision: 3), .streamProgress(stream: 1, revision: 3),
            ])
    }

    // MARK: Periodic

    private func ticking() -> World {
        var limits = WatchLimits()
        limits.progressIntervalTicks = 10
        limits.progressPerTick = 3
        return World(revision: 49, limits: limits)
    }

    private func tick(_ world: inout World, _ count: Int) -> [Message] {
        for _ in 0..<count { world.hub.tick(to: &world.recorder) }
        return world.recorder.take()
    }

    @Test func `an idle watcher that asked for it hears of its progress once an interval`() {
        var world = ticking()
        #expect(world.create(KeyRange("idle"), notifiesProgress: true) == .created(watchID: 0))
        #expect(world.create(KeyRange("idle")) == .created(watchID: 1))
        #expect(tick(&world, 9) == [])
        #expect(tick(&world, 1) == [.progress(stream: 1, watch: 0, revision: 49)])
        world.publish(.put("other", 50))
        #expect(tick(&world, 20) == Array(repeating: .progress(stream: 1, watch: 0, revision: 50), count: 2))
    }

    @Test func `a watcher that had events hears of its progress an interval later`() {
        var world = ticking()
        #expect(world.create(KeyRange("busy"), notifiesProgress: true) == .created(watchID: 0))
        #expect(tick(&world, 5) == [])
        world.publish(.put("busy", 50))
        #expect(tick(&world, 14) == [.events(stream: 1, watch: 0, ["busy@50"])])
        #expect(tick(&world, 1) == [.progress(stream: 1, watch: 0, revision: 50)])
    }

    @Test func `events of a replay count as events`() {
        var world = ticking()
        world.publish(.put("busy", 50))
        #expect(world.create(KeyRange("busy"), from: 50, notifiesProgress: true) == .created(watchID: 0))
        #expect(tick(&world, 5) == [])
        world.replayAll()
        #expect(tick(&world, 5) == [.events(stream: 1, watch: 0, ["busy@50"])])
        #expect(tick(&world, 10) == [.progress(stream: 1, watch: 0, revision: 50)])
    }

    @Test func `a watcher that is behind hears of no progress`() {
        var world = ticking()
        world.publish(.put("a", 50))
        #expect(world.create(KeyRange("a"), from: 50, notifiesProgress: true) == .created(watchID: 0))
        #expect(world.create(KeyRange("a"), from: 60, notifiesProgress: true) == .created(watchID: 1))
        #expect(tick(&world, 30) == [])
    }

    @Test func `a tick does a bounded part and the next one goes on`() {
        var world = ticking()
        for watch in 0..<8 as Range<Int64> {
            #expect(world.create(KeyRange("i"), notifiesProgress: true) == .created(watchID: watch))
        }
        #expect(world.cancel(4) == .canceled(owedProgress: nil))
        #expect(world.cancel(7) == .canceled(owedProgress: nil))
        #expect(world.cancel(0) == .canceled(owedProgress: nil))
        #expect(tick(&world, 10) == [1, 2, 3].map { .progress(stream: 1, watch: $0, revision: 49) })
        #expect(tick(&world, 1) == [5, 6].map { .progress(stream: 1, watch: $0, revision: 49) })
        #expect(tick(&world, 10).count == 5)
    }
}
