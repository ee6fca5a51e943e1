import Dispatch
import StrakeRaft
import StrakeStore
import Synchronization

/// Connects members of one process. Messages arrive in order, on a thread for each member, unless the way is cut.
final class MemoryNetwork: Sendable {
    private struct State {
        var transports: [MemberID: MemoryTransport] = [:]
        /// Members that nobody reaches and that reach nobody.
        var isolated: Set<MemberID> = []
        /// Pieces of snapshots until something happens to one; `nil`: nothing does.
        var piecesLeft: Int?
        var mishap = Mishap.lost
        /// Mishaps to come after that one, each as many pieces later as the first.
        var mishapsLeft = 0
        var piecesBetween = 0
        /// Questions get no answer.
        var losesQuestions = false
        /// What becomes of the whole stream of a snapshot.
        var forgery: (@Sendable ([UInt8]) -> [UInt8])?
        /// The newest entry that each member has said to have.
        var acknowledged: [MemberID: LogIndex] = [:]
        /// Snapshots are refused when they are offered.
        var refusesSnapshots = false
        /// Who waits for the next thing to happen.
        var watching: [DispatchSemaphore] = []
    }

    private let state = Mutex(State())

    /// Waits until a message was delivered. Members that run send heartbeats, so it is never long while one leads; without
    /// any, looks are `milliseconds` apart.
    func waitForTraffic(milliseconds: Int) {
        let next = DispatchSemaphore(value: 0)
        state.withLock { $0.watching.append(next) }
        _ = next.wait(timeout: .now() + .milliseconds(milliseconds))
    }

    func delivered() {
        let watching = state.withLock { state in
            defer { state.watching = [] }
            return state.watching
        }
        for waiting in watching { waiting.signal() }
    }

    func transport(of member: MemberID) -> MemoryTransport {
        let transport = MemoryTransport(member, on: self)
        state.withLock { $0.transports[member] = transport }
        return transport
    }

    func isolate(_ member: MemberID) { state.withLock { _ = $0.isolated.insert(member) } }

    func heal() { state.withLock { $0.isolated = [] } }

    enum Mishap {
        /// The stream breaks off.
        case lost
        /// A bit is flipped.
        case damaged
    }

    /// Has something happen to the piece of a snapshot that comes after so many, and then after so many again.
    func disturbSnapshot(afterPieces count: Int, _ mishap: Mishap, times: Int = 1) {
        state.withLock { state in
            state.piecesLeft = count
            state.piecesBetween = count
            state.mishap = mishap
            state.mishapsLeft = times - 1
        }
    }

    func loseQuestions(_ loses: Bool) { state.withLock { $0.losesQuestions = loses } }

    fileprivate var losesQuestions: Bool { state.withLock { $0.losesQuestions } }

    func refuseSnapshots(_ refuses: Bool) { state.withLock { $0.refusesSnapshots = refuses } }

    fileprivate var refusesSnapshots: Bool { state.withLock { $0.refusesSnapshots } }

    /// Has snapshots arrive as something else.
    func forgeSnapshots(_ forgery: (@Sendable ([UInt8]) -> [UInt8])?) { state.withLock { $0.forgery = forgery } }

    fileprivate var forgery: (@Sendable ([UInt8]) -> [UInt8])? { state.withLock { $0.forgery } }

    /// The newest entry that the member has told its leaders it has.
    func acknowledged(by member: MemberID) -> LogIndex { state.withLock { $0.acknowledged[member] ?? .zero } }

    fileprivate func note(_ message: Message) {
        guard case .appendResponse(let answer) = message.body, case .accepted(through: let match) = answer.result else {
            return
        }
        state.withLock { $0.acknowledged[message.from] = max($0.acknowledged[message.from] ?? .zero, match) }
    }

    fileprivate func nextMishap() -> Mishap? {
        state.withLock { state in
            guard let left = state.piecesLeft else { return nil }
            if left > 0 {
                state.piecesLeft = left - 1
                return nil
            }
            state.piecesLeft = state.mishapsLeft > 0 ? state.piecesBetween : nil
            state.mishapsLeft -= 1
            return state.mishap
        }
    }

    func remove(_ transport: MemoryTransport) {
        state.withLock { state in
            if state.transports[transport.member] === transport { state.transports[transport.member] = nil }
        }
    }

    /// The member's transport, if the way to it is open.
    func way(from: MemberID, to: MemberID) -> MemoryTransport? {
        state.withLock { state in
            state.isolated.contains(from) || state.isolated.contains(to) ? nil : state.transports[to]
        }
    }
}

final class MemoryTransport: Transport {
    private struct State {
        var receiver: (any TransportReceiver)?
        var peers: Set<MemberID> = []
    }

    private struct Lost: Error {}

    let member: MemberID
    private let network: MemoryNetwork
    private let state = Mutex(State())
    private let queue: DispatchQueue
    private let streams = DispatchQueue(label: "snapshots", attributes: .concurrent)

    init(_ member: MemberID, on network: MemoryNetwork) {
        self.member = member
        self.network = network
        queue = DispatchQueue(label: "member \(member)")
    }

    private var receiver: (any TransportReceiver)? { state.withLock { $0.receiver } }

    func start(_ receiver: any TransportReceiver) {
        state.withLock { $0.receiver = receiver }
    }

    func update(_ peers: [Peer]) {
        state.withLock { $0.peers = Set(peers.map(\.id)) }
    }

    func send(_ messages: [Message]) {
        for message in messages {
            network.note(message)
            guard let other = network.way(from: member, to: message.to) else {
                queue.async { self.receiver?.unreachable(message.to) }
                continue
            }
            other.queue.async {
                other.receiver?.received([message])
                self.network.delivered()
            }
        }
    }

    func sendSnapshot(_ metadata: SnapshotMetadata, to target: MemberID, from source: any SnapshotSource) {
        streams.async {
            guard let other = self.network.way(from: self.member, to: target), !self.network.refusesSnapshots,
                let sink = other.receiver?.snapshotOffered(metadata, name: source.name, by: self.member)
            else {
                source.cancel()
                self.receiver?.snapshotEnded(
                    target, name: source.name, .failed, reason: "the member refused it")
                return
            }
            do {
                try source.resume(at: sink.offset)
                if let forgery = self.network.forgery {
                    var whole: [UInt8] = []
                    while let piece = try source.next(bytesMax: 50_000) { whole += piece }
                    try sink.write(forgery(whole))
                }
                while var piece = try source.next(bytesMax: 50_000) {
                    guard self.network.way(from: self.member, to: target) === other else { throw Lost() }
                    switch self.network.nextMishap() {
                    case .lost: throw Lost()
                    case .damaged: piece[piece.count / 2] ^= 1
                    case nil: break
                    }
                    try sink.write(piece)
                }
                try sink.finish()
                source.cancel()
                self.receiver?.snapshotEnded(target, name: source.name, .delivered, reason: nil)
            } catch {
                source.cancel()
                sink.cancel()
                self.receiver?.snapshotEnded(target, name: source.name, .failed, reason: "\(error)")
            }
        }
    }

    func ask(_ target: MemberID, _ request: [UInt8], answer: @escaping @Sendable ([UInt8]?) -> Void) {
        let tell: @Sendable ([UInt8]?) -> Void = { bytes in
            // After `close` it would hold on to a store that is to be gone.
            self.queue.async { if self.receiver != nil { answer(bytes) } }
        }
        guard !network.losesQuestions, let other = network.way(from: member, to: target) else { return tell(nil) }
        other.queue.async {
            guard let receiver = other.receiver else { return tell(nil) }
            receiver.asked(request, by: self.member, answer: tell)
        }
    }

    func close() {
        network.remove(self)
        state.withLock { $0.receiver = nil }
        // Nothing runs any more when it returns: a store that is opened again must find the last one gone.
        queue.sync {}
        streams.sync(flags: .barrier) {}
    }
}
