import StrakeModel
import StrakeWatching
import Testing

@Suite struct WatchInboxTests {
    private typealias Inbox = WatchInbox<[Event]>

    private func inbox(wanting ranges: KeyRange...) -> Inbox {
        var inbox = Inbox()
        inbox.listen()
        for range in ranges { inbox.want(range) }
        return inbox
    }

    private func offer(_ events: Event..., to inbox: inout Inbox) -> Bool {
        offer(events, to: &inbox)
    }

    private func offer(_ events: [Event], to inbox: inout Inbox) -> Bool {
        let revisions = events.map(\.keyValue.modRevision)
        return inbox.offer(events, events, first: revisions.min()!, last: revisions.max()!)
    }

    @Test func `the first batch that somebody wants asks for a look, those behind it wait with it`() {
        var inbox = inbox(wanting: KeyRange("a"), KeyRange("m", "n"))
        #expect(offer(.put("b", 2), to: &inbox) == false)
        #expect(offer(.put("b", 3), .delete("a", 3), to: &inbox) == true)
        #expect(offer(.put("mm", 4), to: &inbox) == false)
        #expect(offer(.put("n", 5), to: &inbox) == false)
        #expect(inbox.take() == (["3...3", "4...4"], passed: 5))
        #expect(inbox.take().letters.isEmpty)
        #expect(offer(.put("a", 6), to: &inbox) == true)
    }

    @Test func `a range that is forgotten wakes nobody`() {
        var inbox = inbox(wanting: KeyRange("a"), KeyRange("m", "n"))
        inbox.forget(KeyRange("a"))
        inbox.forget(KeyRange("m", "n"))
        #expect(offer(.put("a", 2), .put("m", 2), to: &inbox) == false)
        #expect(inbox.take() == ([], passed: 2))
    }

    @Test func `of a long batch no key is looked at, but where nothing is watched`() {
        let long = (0..<WatchInterest.eventsLookedAtMax + 1).map { Event.put("k\($0)", 2) }
        var watched = inbox(wanting: KeyRange("a"))
        #expect(offer(Array(long.dropLast()), to: &watched) == false)
        #expect(offer(long, to: &watched) == true)
        var unwatched = inbox()
        #expect(offer(long, to: &unwatched) == false)
    }

    @Test func `nothing is taken in while nobody listens, and what waited is let go`() {
        var inbox = inbox(wanting: KeyRange("a"))
        #expect(offer(.put("a", 2), to: &inbox) == true)
        #expect(inbox.stopListening().map(\.label) == ["2...2"])
        #expect(offer(.put("a", 3), to: &inbox) == false)
        #expect(inbox.skip(through: 4) == false)
        #expect(inbox.take() == ([], passed: 2))
        inbox.listen()
        #expect(inbox.take() == ([], passed: 0))
        #expect(offer(.put("a", 5), to: &inbox) == true)
    }

    @Test func `too many letters become one, which names what was dropped and no more`() {
        var inbox = Inbox(lettersMax: 2)
        inbox.listen()
        inbox.want(KeyRange("a"))
        #expect(offer(.put("b", 2), to: &inbox) == false)
        for revision in 3...5 as ClosedRange<Int64> { _ = offer(.put("a", revision), to: &inbox) }
        #expect(inbox.take() == (["2<5"], passed: 5))
    }

    @Test func `a snapshot waits behind what was published before it`() {
        var inbox = inbox(wanting: KeyRange("a"))
        #expect(offer(.put("a", 2), to: &inbox) == true)
        #expect(offer(.put("b", 3), to: &inbox) == false)
        #expect(inbox.skip(through: 9) == false)
        #expect(inbox.take() == (["2...2", "3<9"], passed: 9))
    }

    @Test func `a hub passes what lies between two batches, and finds in history what it has some of`() {
        var inbox = inbox(wanting: KeyRange("a"))
        #expect(offer(.put("a", 4), .put("a", 5), to: &inbox) == true)
        #expect(offer(.put("b", 6), to: &inbox) == false)
        #expect(offer(.put("a", 7), to: &inbox) == false)
        #expect(inbox.skip(through: 9) == false)
        #expect(offer(.put("b", 10), to: &inbox) == false)
        let taken = inbox.take()
        let fromSix = ["pass 6", "publish 7...7", "skip 9", "pass 10"]
        #expect(steps(of: taken, after: 2) == ["pass 3", "publish 4...5"] + fromSix)
        #expect(steps(of: taken, after: 4) == ["skip 5"] + fromSix)
        #expect(steps(of: taken, after: 8) == ["skip 9", "pass 10"])
        #expect(steps(of: taken, after: 10) == [])
    }

    @Test func `who wanted nothing of what was compacted is not canceled for it`() {
        var world = World()
        #expect(world.create(KeyRange("a")) == .created(watchID: 0))
        world.write([.put("b", 2), .put("b", 3), .put("a", 4)])
        world.hub.pass(through: 3, to: &world.recorder)
        world.compact(4)
        world.hub.skip(through: 4, to: &world.recorder)
        world.replayAll()
        #expect(world.recorder.take() == [.events(stream: 1, watch: 0, ["a@4"])])
    }

    @Test func `a watcher from a revision to come is synced when all before it has passed`() {
        var world = World()
        #expect(world.create(KeyRange("a"), from: 4) == .created(watchID: 0))
        #expect(world.hub.requestProgress(of: StreamKey(rawValue: 1)) == .owed)
        world.hub.pass(through: 3, to: &world.recorder)
        world.hub.checkInvariants()
        #expect(world.hub.metrics.synced == 1)
        #expect(world.recorder.take() == [.streamProgress(stream: 1, revision: 3)])
    }

    @Test func `a range is abandoned when its last watcher goes, in whatever form`() {
        var world = World()
        #expect(world.create(KeyRange("a")) == .created(watchID: 0))
        #expect(world.create(KeyRange("a"), form: .noPut) == .created(watchID: 1))
        _ = world.cancel(0)
        #expect(world.hub.takeAbandoned() == [])
        _ = world.cancel(1)
        #expect(world.create(KeyRange("a")) == .created(watchID: 2))
        #expect(world.hub.takeAbandoned() == [])
        _ = world.cancel(2)
        #expect(world.hub.takeAbandoned() == [KeyRange("a")])
        #expect(world.hub.takeAbandoned() == [])
    }
}

/// As a hub is told that does at once as it is told.
private func steps(of taken: WatchInbox<[Event]>.Taken, after published: Int64) -> [String] {
    var (taken, published, labels) = (taken, published, [String]())
    while let step = taken.next(after: published) {
        switch step {
        case .pass(let revision):
            labels.append("pass \(revision)")
            published = revision
        case .publish(_, let first, let last):
            labels.append("publish \(first)...\(last)")
            published = last
        case .skip(let revision):
            labels.append("skip \(revision)")
            published = revision
        }
    }
    return labels
}

extension WatchInbox.Letter {
    fileprivate var label: String {
        switch self {
        case .published(_, let first, let last): "\(first)...\(last)"
        case .skipped(let after, let through): "\(after)<\(through)"
        }
    }
}

private func == <Changes>(
    taken: WatchInbox<Changes>.Taken, expected: ([String], passed: Int64)
) -> Bool {
    taken.letters.map(\.label) == expected.0 && taken.passed == expected.passed
}
