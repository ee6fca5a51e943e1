import StrakeModel
import StrakeWatching
import Testing

@Suite struct ReplayTests {
    @Test func `history comes in one response with what came in between`() {
        var world = World()
        world.publish(.put("h", 2))
        #expect(world.create(KeyRange("h"), from: 2) == .created(watchID: 0))
        world.publish(.put("h", 3))
        world.replayAll()
        #expect(world.recorder.take() == [.events(stream: 1, watch: 0, ["h@2", "h@3"])])
        world.publish(.put("h", 4))
        #expect(world.recorder.take() == [.events(stream: 1, watch: 0, ["h@4"])])
    }

    @Test func `a long history comes in responses of a thousand events`() {
        var world = World()
        world.write((2...1_302).map { .put("b", $0) })
        world.publish()
        #expect(world.create(KeyRange("b"), from: 2) == .created(watchID: 0))
        world.replayAll()
        let counts = world.recorder.take().map { message in
            if case .events(_, _, let events) = message { events.count } else { -1 }
        }
        #expect(counts == [1_000, 301])
    }

    @Test func `what is published during a replay is filled in before the watcher goes live`() throws {
        var world = World()
        world.publish(.put("h", 2))
        #expect(world.create(KeyRange("h"), from: 1) == .created(watchID: 0))
        let request = try world.nextReplay()
        #expect(request.from == 1 && request.through == 2)
        #expect(world.hub.nextReplay(to: &world.recorder) == nil)
        world.publish(.put("h", 3))
        world.publish(.put("x", 4))
        #expect(world.recorder.take() == [])
        world.recorder.batch = world.events(1...2)
        let outcome = world.hub.replayed(
            request.id, world.recorder.batch, scannedThrough: 2, to: &world.recorder)
        #expect(outcome == .needs(3...4))
        world.recorder.batch = world.events(3...4)
        #expect(
            world.hub.replayed(request.id, world.recorder.batch, scannedThrough: 4, to: &world.recorder) == .caughtUp)
        world.hub.finishReplay(request.id, to: &world.recorder)
        world.publish(.put("h", 5))
        #expect(
            world.recorder.take() == [
                .events(stream: 1, watch: 0, ["h@2"]),
                .events(stream: 1, watch: 0, ["h@3"]),
                .events(stream: 1, watch: 0, ["h@5"]),
            ])
    }

    @Test func `too wide a gap is not filled but replayed`() throws {
        var limits = WatchLimits()
        limits.fillRevisions = 2
        var world = World(limits: limits)
        world.publish(.put("h", 2))
        #expect(world.create(KeyRange("h"), from: 1) == .created(watchID: 0))
        let request = try world.nextReplay()
        world.publish(.put("h", 3), .put("h", 4), .put("h", 5))
        world.recorder.batch = world.events(1...2)
        #expect(
            world.hub.replayed(request.id, world.recorder.batch, scannedThrough: 2, to: &world.recorder) == .behind)
        world.hub.finishReplay(request.id, to: &world.recorder)
        #expect(world.hub.metrics.replaying == 1)
        #expect(world.hub.nextReplay(to: &world.recorder)?.from == 3)
    }

    @Test func `one scan serves watchers that are not equally far`() throws {
        var world = World()
        world.publish(.put("a", 2), .put("b", 3), .put("a", 4))
        #expect(world.create(KeyRange("a"), stream: 1, from: 2) == .created(watchID: 0))
        #expect(world.create(KeyRange("a"), stream: 2, from: 3) == .created(watchID: 0))
        #expect(world.create(KeyRange("a"), stream: 3, from: 2) == .created(watchID: 0))
        #expect(world.create(KeyRange("a", "c"), stream: 4, from: 3) == .created(watchID: 0))
        let request = try world.nextReplay()
        #expect(request.from == 2)
        #expect(Set(request.ranges) == [KeyRange("a"), KeyRange("a", "c")])
        world.finish(request)
        #expect(
            Set(world.recorder.take()) == [
                .events(stream: 1, watch: 0, ["a@2", "a@4"]),
                .events(stream: 2, watch: 0, ["a@4"]),
                .events(stream: 3, watch: 0, ["a@2", "a@4"]),
                .events(stream: 4, watch: 0, ["b@3", "a@4"]),
            ])
        #expect(world.hub.metrics.synced == 4)
    }

    @Test func `a request asks for previous values only if a watcher wants them`() throws {
        var world = World()
        world.publish(.put("a", 2))
        #expect(world.create(KeyRange("a"), from: 1) == .created(watchID: 0))
        let plain = try world.nextReplay()
        #expect(!plain.wantsPrevious)
        world.finish(plain)
        #expect(world.create(KeyRange("a"), from: 1, form: .previous) == .created(watchID: 1))
        #expect(world.hub.nextReplay(to: &world.recorder)?.wantsPrevious == true)
    }

    @Test func `a watcher close to the end does not wait for a laggard`() throws {
        var limits = WatchLimits()
        limits.replayRevisions = 10
        var world = World(limits: limits)
        world.write((2...1_000).map { .put("a", $0) })
        world.publish()
        #expect(world.create(KeyRange("a"), stream: 1, from: 1) == .created(watchID: 0))
        #expect(world.create(KeyRange("a"), stream: 2, from: 995) == .created(watchID: 0))
        world.finish(try world.nextReplay())
        world.finish(try world.nextReplay())
        #expect(world.hub.metrics.synced == 1)
        #expect(world.hub.metrics.pendingRevisions == 1_000 - 10)
    }

    @Test func `a laggard gets on while others keep falling behind at the end`() throws {
        var limits = WatchLimits()
        limits.replayRevisions = 10
        var world = World(limits: limits)
        world.write((2...200).map { .put("a", $0) })
        world.publish()
        #expect(world.create(KeyRange("a"), stream: 1, from: 1) == .created(watchID: 0))
        for stream in 2..<50 {
            #expect(world.create(KeyRange("a"), stream: stream, from: world.current) == .created(watchID: 0))
            world.finish(try world.nextReplay())
        }
        world.recorder.messages = []
        world.publish(.put("a", 201))
        #expect(world.recorder.take().contains(.events(stream: 1, watch: 0, ["a@201"])))
    }

    @Test func `a failed read changes nothing and is tried again`() throws {
        var world = World()
        world.publish(.put("a", 2))
        #expect(world.create(KeyRange("a"), from: 1) == .created(watchID: 0))
        let failed = try world.nextReplay()
        world.hub.finishReplay(failed.id, to: &world.recorder)
        let outcome = world.hub.replayed(failed.id, [Event](), scannedThrough: 2, to: &world.recorder)
        #expect(outcome == .stale)
        world.replayAll()
        #expect(world.recorder.take() == [.events(stream: 1, watch: 0, ["a@2"])])
    }

    @Test func `a watcher canceled during its replay hears no more`() throws {
        var world = World()
        world.publish(.put("a", 2))
        #expect(world.create(KeyRange("a"), watchID: 5, from: 1) == .created(watchID: 5))
        let request = try world.nextReplay()
        #expect(world.cancel(5) == .canceled(owedProgress: nil))
        // In the place of the other one, and live.
        #expect(world.create(KeyRange("a"), watchID: 5) == .created(watchID: 5))
        world.finish(request)
        #expect(world.recorder.take() == [])
        world.hub.checkInvariants()
    }

    // MARK: Streams without room

    @Test func `a watcher refused waits for its stream and then replays what it missed`() {
        var world = World()
        #expect(world.create(KeyRange("a"), stream: 1) == .created(watchID: 0))
        #expect(world.create(KeyRange("b"), stream: 1) == .created(watchID: 1))
        #expect(world.create(KeyRange("a"), stream: 2) == .created(watchID: 0))
        world.recorder.full = [1]
        world.publish(.put("a", 2))
        world.publish(.put("a", 3))
        #expect(world.hub.metrics.blocked == 1)
        // The other watcher of the stream missed nothing.
        #expect(world.hub.metrics.synced == 2)
        world.replayAll()
        #expect(
            world.recorder.take() == [
                .events(stream: 2, watch: 0, ["a@2"]), .events(stream: 2, watch: 0, ["a@3"]),
            ])
        world.recorder.full = []
        world.hub.drained(StreamKey(rawValue: 1))
        #expect(world.hub.hasReplayWork == true)
        world.publish(.put("b", 4))
        world.replayAll()
        #expect(
            world.recorder.take() == [
                .events(stream: 1, watch: 1, ["b@4"]), .events(stream: 1, watch: 0, ["a@2", "a@3"]),
            ])
        #expect(world.hub.metrics.synced == 3)
    }

    @Test func `a watcher refused in its replay takes part in no other until its stream drains`() {
        var world = World()
        world.publish(.put("a", 2), .put("a", 3))
        #expect(world.create(KeyRange("a"), from: 2) == .created(watchID: 0))
        world.recorder.full = [1]
        world.replayAll()
        #expect(world.hub.metrics.blocked == 1)
        #expect(world.hub.hasReplayWork == false)
        world.hub.drained(StreamKey(rawValue: 1))
        world.recorder.full = []
        world.replayAll()
        #expect(world.recorder.take() == [.events(stream: 1, watch: 0, ["a@2", "a@3"])])
    }

    @Test func `a blocked watcher whose revisions are compacted is canceled when its stream drains`() {
        var world = World()
        #expect(world.create(KeyRange("a")) == .created(watchID: 0))
        world.recorder.full = [1]
        world.publish(.put("a", 2))
        world.publish(.put("a", 3))
        world.compact(3)
        world.recorder.full = []
        world.hub.drained(StreamKey(rawValue: 1))
        world.replayAll()
        #expect(world.recorder.take() == [.canceled(stream: 1, watch: 0, compactRevision: 3)])
    }
}
