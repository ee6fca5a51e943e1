import StrakeModel
import StrakeWatching
import Testing

@Suite struct WatchHubTests {
    @Test func `a watcher from now gets each batch and nothing of before`() {
        var world = World()
        world.publish(.put("a", 2))
        #expect(world.create(KeyRange("a")) == .created(watchID: 0))
        world.publish(.put("a", 3))
        world.publish(.put("b", 4))
        world.publish(.delete("a", 5))
        #expect(
            world.recorder.take() == [
                .events(stream: 1, watch: 0, ["a@3"]),
                .events(stream: 1, watch: 0, ["-a@5"]),
            ])
    }

    @Test func `a watcher from now does not see what was written and is not yet published`() {
        var world = World()
        world.write([.put("a", 2), .put("a", 3)])
        #expect(world.create(KeyRange("a")) == .created(watchID: 0))
        world.write([.put("a", 4)])
        world.publish(through: 2)
        world.publish()
        #expect(world.recorder.take() == [.events(stream: 1, watch: 0, ["a@4"])])
        #expect(world.hub.metrics.synced == 1)
    }

    @Test(
        "a range ends before its end",
        arguments: [
            (KeyRange("p", "q"), ["p@2", "p1@3"]),
            (KeyRange("p", "\0"), ["p@2", "p1@3", "q@4", "z@5"]),
            (KeyRange("q"), ["q@4"]),
            (KeyRange(key: [0], rangeEnd: [0]), ["p@2", "p1@3", "q@4", "z@5", "a@6"]),
            (KeyRange("\0"), []),
        ])
    func ranges(range: KeyRange, expected: [String]) {
        var world = World()
        #expect(world.create(range) == .created(watchID: 0))
        world.publish(.put("p", 2), .put("p1", 3), .put("q", 4), .put("z", 5), .put("a", 6))
        #expect(world.recorder.take() == (expected.isEmpty ? [] : [.events(stream: 1, watch: 0, expected)]))
    }

    @Test(
        "filters leave out kinds of events, live and in history",
        arguments: [
            ([], ["f@2", "-f@3", "f@4", "-f@5"]),
            (.noPut, ["-f@3", "-f@5"]),
            (.noDelete, ["f@2", "f@4"]),
            ([.noPut, .noDelete], []),
        ] as [(WatchForm, [String])])
    func filters(form: WatchForm, expected: [String]) {
        let events: [Event] = [.put("f", 2), .delete("f", 3), .put("f", 4), .delete("f", 5)]
        let messages: [Message] = expected.isEmpty ? [] : [.events(stream: 1, watch: 0, expected)]
        var live = World()
        #expect(live.create(KeyRange("f"), form: form) == .created(watchID: 0))
        live.write(events)
        live.publish()
        #expect(live.recorder.take() == messages)

        var late = World()
        late.write(events)
        late.publish()
        #expect(late.create(KeyRange("f"), from: 1, form: form) == .created(watchID: 0))
        late.replayAll()
        #expect(late.recorder.take() == messages)
        #expect(late.hub.metrics.synced == 1)
    }

    @Test func `two events of one key in one revision come in order, in one delivery`() {
        var world = World()
        #expect(world.create(KeyRange("t", "u")) == .created(watchID: 0))
        world.publish(.delete("t1", 2), .put("t4", 2), .put("t1", 2))
        #expect(world.recorder.take() == [.events(stream: 1, watch: 0, ["-t1@2", "t4@2", "t1@2"])])
    }

    @Test func `a future watcher gets nothing below its start, even out of one batch`() {
        var world = World(revision: 16)
        #expect(world.create(KeyRange("h"), from: 19) == .created(watchID: 0))
        world.publish(.put("h", 17))
        #expect(world.recorder.take() == [])
        world.publish(.put("h", 18), .put("h", 19), .put("h", 20))
        world.publish(.put("h", 21))
        #expect(
            world.recorder.take() == [
                .events(stream: 1, watch: 0, ["h@19", "h@20"]),
                .events(stream: 1, watch: 0, ["h@21"]),
            ])
    }

    @Test func `canceling many future watchers leaves the others waiting`() {
        var world = World()
        for watch in 0..<300 as Range<Int64> {
            #expect(world.create(KeyRange("h"), from: 3 + watch % 2) == .created(watchID: watch))
        }
        for watch in 0..<300 as Range<Int64> where watch % 10 != 0 { _ = world.cancel(watch) }
        world.publish(.put("h", 2))
        #expect(world.hub.metrics.synced == 30)
        world.publish(.put("h", 3))
        #expect(world.recorder.take().count == 30)
    }

    @Test func `a start at the next revision is live`() {
        var world = World(revision: 14)
        #expect(world.create(KeyRange("h"), from: 15) == .created(watchID: 0))
        #expect(world.hub.metrics.synced == 1)
        world.publish(.put("h", 15))
        #expect(world.recorder.take() == [.events(stream: 1, watch: 0, ["h@15"])])
    }

    // MARK: Ids

    @Test func `automatic ids count up from zero and pass over those in use`() {
        var world = World()
        let key = KeyRange("m")
        #expect(world.create(key, watchID: 7) == .created(watchID: 7))
        #expect(world.create(key, watchID: 7) == .duplicateID)
        #expect(world.create(key, watchID: 3) == .created(watchID: 3))
        #expect((0..<4).map { _ in world.create(key) } == [0, 1, 2, 4].map { .created(watchID: $0) })
        #expect(world.create(key, stream: 2) == .created(watchID: 0))
        #expect(world.create(key, watchID: -5) == .created(watchID: -5))
        world.publish(.put("m", 2))
        #expect(world.recorder.take().count == 8)
    }

    @Test func `a canceled watcher gets nothing more and its id may be used again`() {
        var world = World()
        #expect(world.create(KeyRange("m"), watchID: 4) == .created(watchID: 4))
        #expect(world.cancel(9) == .unknown)
        #expect(world.cancel(4) == .canceled(owedProgress: nil))
        #expect(world.cancel(4) == .unknown)
        world.publish(.put("m", 2))
        #expect(world.recorder.take() == [])
        #expect(world.create(KeyRange("m"), watchID: 4) == .created(watchID: 4))
        world.publish(.put("m", 3))
        #expect(world.recorder.take() == [.events(stream: 1, watch: 4, ["m@3"])])
    }

    @Test func `an id is not given again automatically`() {
        var world = World()
        #expect(world.create(KeyRange("m")) == .created(watchID: 0))
        #expect(world.cancel(0) == .canceled(owedProgress: nil))
        #expect(world.create(KeyRange("m")) == .created(watchID: 1))
    }

    @Test func `a removed stream leaves nothing behind`() {
        var world = World()
        world.publish(.put("a", 2))
        #expect(world.create(KeyRange("a"), from: 1) == .created(watchID: 0))
        #expect(world.create(KeyRange("a"), from: 9) == .created(watchID: 1))
        #expect(world.create(KeyRange("a", "c"), notifiesProgress: true) == .created(watchID: 2))
        #expect(world.hub.requestProgress(of: StreamKey(rawValue: 1)) == .owed)
        world.hub.remove(StreamKey(rawValue: 1))
        world.hub.checkInvariants()
        #expect(world.hub.metrics == WatchMetrics())
        world.publish(.put("a", 3))
        world.replayAll()
        #expect(world.recorder.take() == [])
    }

    @Test func `requests that cannot be served are refused`() {
        var world = World(revision: 20)
        #expect(world.create(KeyRange("p", "a")) == .emptyRange)
        #expect(world.create(KeyRange("p", "p")) == .emptyRange)
        #expect(world.create(KeyRange("h"), from: -1) == .negativeStart)
        #expect(world.hub.metrics.watchers == 0)
    }

    // MARK: Compaction

    @Test func `a start below the compact revision is canceled and takes an id, a start at it is served`() {
        var world = World()
        world.publish(.put("h", 2), .put("h", 3), .delete("h", 4))
        world.compact(4)
        #expect(world.create(KeyRange("h")) == .created(watchID: 0))
        #expect(world.create(KeyRange("h"), from: 3) == .compacted(watchID: 1, compactRevision: 4))
        #expect(world.create(KeyRange("h"), from: 4) == .created(watchID: 2))
        world.replayAll()
        #expect(world.recorder.take() == [.events(stream: 1, watch: 2, ["-h@4"])])
    }

    @Test func `compaction leaves synced watchers alone and cancels those that still need what is gone`() {
        var world = World()
        world.publish(.put("h", 2), .put("h", 3))
        #expect(world.create(KeyRange("h")) == .created(watchID: 0))
        #expect(world.create(KeyRange("h"), from: 2) == .created(watchID: 1))
        #expect(world.create(KeyRange("h"), from: 3) == .created(watchID: 2))
        world.compact(3)
        world.replayAll()
        world.publish(.put("h", 4))
        #expect(
            world.recorder.take() == [
                .canceled(stream: 1, watch: 1, compactRevision: 3),
                .events(stream: 1, watch: 2, ["h@3"]),
                .events(stream: 1, watch: 0, ["h@4"]),
                .events(stream: 1, watch: 2, ["h@4"]),
            ])
        #expect(world.cancel(1) == .unknown)
    }

    @Test func `watchers find in history what a snapshot brought`() {
        var world = World()
        #expect(world.create(KeyRange("a")) == .created(watchID: 0))
        #expect(world.create(KeyRange("a"), from: 4) == .created(watchID: 1))
        world.write([.put("a", 2), .put("a", 3), .put("a", 4), .put("a", 5)])
        world.hub.skip(through: 5, to: &world.recorder)
        world.hub.checkInvariants()
        #expect(world.hub.metrics.replaying == 2)
        world.replayAll()
        #expect(
            world.recorder.take() == [
                .events(stream: 1, watch: 0, ["a@2", "a@3", "a@4", "a@5"]),
                .events(stream: 1, watch: 1, ["a@4", "a@5"]),
            ])
    }

    @Test func `a hub whose watchers are all blocked needs no events and loses none that it is not given`() {
        var world = World()
        #expect(world.hub.needsEvents == false)
        #expect(world.create(KeyRange("a")) == .created(watchID: 0))
        #expect(world.hub.needsEvents == true)
        world.recorder.full = [1]
        world.publish(.put("a", 2))
        #expect(world.hub.needsEvents == false)
        world.write([.put("a", 3), .put("a", 4)])
        world.recorder.full = []
        world.hub.drained(StreamKey(rawValue: 1))
        #expect(world.hub.needsEvents == true)
        world.hub.skip(through: 4, to: &world.recorder)
        world.replayAll()
        world.publish(.put("a", 5))
        #expect(
            world.recorder.take() == [
                .events(stream: 1, watch: 0, ["a@2", "a@3", "a@4"]), .events(stream: 1, watch: 0, ["a@5"]),
            ])
        #expect(world.hub.metrics.synced == 1)
    }
}
