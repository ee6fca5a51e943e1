internal import StrakeModel
internal import StrakeRaft
internal import StrakeSeededGenerator

/// Watches every key, at one member after the other, and compares what comes with what the cluster did.
final class WatchClient: SimulatedClient {
    private let number: Int
    private let world: World
    private var random: SeededGenerator
    /// Everything below has come. Revision 1 is that of a store in which nothing was changed.
    private var next: Int64 = 2
    private var member = 0
    private var life = -1
    private var stream = 0
    private var isOver = false

    init(number: Int, world: World, seed: UInt64) {
        self.number = number
        self.world = world
        random = SeededGenerator(seed: seed)
        plan()
    }

    var isDone: Bool { isOver && next > world.storeChecker.newest }

    func stormIsOver() { isOver = true }

    private func plan() {
        world.schedule(.turn(client: number), after: Int64.random(in: 50_000...1_500_000, using: &random))
    }

    func turn() {
        plan()
        let isBroken = stream == 0 || world.member(member).life != life
        // In calm weather a watch has to go on by itself.
        if isBroken || (!isOver && Int.random(in: 0..<6, using: &random) == 0) { return connect() }
        if Int.random(in: 0..<2, using: &random) == 0 { ask(.progress(stream: stream)) }
    }

    private func connect() {
        if stream != 0, world.member(member).life == life { ask(.unwatch(stream: stream)) }
        // From time to time everything once more, as far as it is still there.
        if !isOver, Int.random(in: 0..<4, using: &random) == 0 { next = 2 }
        member = world.anyMember(&random)
        life = world.member(member).life
        stream = Int(world.nextRequest())
        ask(.watch(stream: stream, from: next))
    }

    private func ask(_ body: ClientRequest.Body) {
        _ = world.submit(body, of: number, to: member, patience: 1_000_000)
    }

    /// Nobody at home.
    func receive(_ answer: ClientAnswer) { stream = 0 }

    func losePatience(with request: UInt64) {}

    func receive(_ message: WatchMessage, on stream: Int) {
        guard stream == self.stream else { return }
        let isSlow = !isOver && Int.random(in: 0..<10, using: &random) == 0
        let pause = isSlow ? Int64.random(in: 0...800_000, using: &random) : 200
        world.member(member).running?.plan(.taken(stream: stream), after: pause)
        switch message {
        case .created: break
        case .events(let events): check(events)
        case .progress(let revision):
            if revision >= next {
                world.referee.fail(
                    .watch, "m\(member) speaks of revision \(revision) before it has sent the events from \(next) on")
            }
        case .compacted(let revision):
            world.deeds.add("watches from compacted revisions")
            if revision < next {
                world.referee.fail(.watch, "m\(member) has no \(next), though it is compacted to \(revision) only")
            }
            next = max(next, revision)
            self.stream = 0
        }
    }

    /// Whole revisions, each once, in order, as they were made.
    private func check(_ events: [Event]) {
        world.deeds.add("events watched", events.count)
        var place = 0
        while place < events.count {
            let expected = world.storeChecker.events(at: next)
            let found = events[place..<min(place + expected.count, events.count)]
            guard !expected.isEmpty, found.elementsEqual(expected) else {
                let seen = events[place].keyValue.modRevision
                return world.referee.fail(
                    .watch,
                    "m\(member) sent revision \(seen) to client \(number), where \(next) comes next"
                        + (seen == next ? " with other events" : ""))
            }
            place += expected.count
            next += 1
        }
    }
}
