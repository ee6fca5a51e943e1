internal import StrakeModel
internal import StrakeRaft
internal import StrakeStateMachine

/// What members ask each other beside raft.
enum PeerRequest: Hashable, Sendable {
    /// Are you there?
    case ping
    /// What has your state come to?
    case digests
    /// Does your disk know that I, this member, was removed? It had been in the cluster once the entry at the index was
    /// applied, or was removed before.
    case removal(of: UInt64, since: UInt64)
    // Of the leader:
    case keepAlive(LeaseID)
    case timeToLive(LeaseID)
    case change(MembershipChange)
    /// How far the member's log is.
    case progress(UInt64)
}

/// What they answer.
enum PeerAnswer: Hashable, Sendable {
    case pong
    /// By ascending index.
    case digests([StateDigest])
    /// Seconds granted anew; 0: there is no such lease.
    case keptAlive(ttlSeconds: Int64)
    /// Milliseconds left; `nil`: there is no such lease.
    case timeLeft(milliseconds: Int64?)
    /// The change is made once the entry at the index is applied; or the one that was asked about has been made.
    case changed(index: UInt64)
    /// How far a member's log agrees with the leader's, and the end of that one.
    case progress(LogProgress)
    case refused(StoreError)
}

extension PeerRequest {
    func encoded() -> [UInt8] {
        var coder = PeerCoder()
        switch self {
        case .ping: coder.add(byte: 0)
        case .keepAlive(let lease):
            coder.add(byte: 1)
            coder.add(UInt64(bitPattern: lease.rawValue))
        case .timeToLive(let lease):
            coder.add(byte: 2)
            coder.add(UInt64(bitPattern: lease.rawValue))
        case .change(.add(let id, let urls, let isLearner)):
            coder.add(byte: isLearner ? 4 : 3)
            coder.add(id)
            coder.add(urls)
        case .change(.remove(let id)):
            coder.add(byte: 5)
            coder.add(id)
        case .change(.update(let id, let urls)):
            coder.add(byte: 6)
            coder.add(id)
            coder.add(urls)
        case .change(.promote(let id)):
            coder.add(byte: 7)
            coder.add(id)
        case .digests: coder.add(byte: 8)
        case .change(.addReplacement(let id, let urls, let old)):
            coder.add(byte: 9)
            coder.add(id)
            coder.add(old)
            coder.add(urls)
        case .change(.replace(let old, let id)):
            coder.add(byte: 10)
            coder.add(old)
            coder.add(id)
        case .progress(let id):
            coder.add(byte: 11)
            coder.add(id)
        case .removal(let id, let index):
            coder.add(byte: 12)
            coder.add(id)
            coder.add(index)
        }
        return coder.bytes
    }

    /// Nil for what no version that this one knows writes.
    init?(decoding bytes: [UInt8]) {
        var reader = PeerDecoder(bytes)
        guard let kind = reader.byte() else { return nil }
        switch kind {
        case 0: self = .ping
        case 1, 2:
            guard let lease = reader.number().map({ LeaseID(rawValue: Int64(bitPattern: $0)) }) else { return nil }
            self = kind == 1 ? .keepAlive(lease) : .timeToLive(lease)
        case 3, 4:
            guard let id = reader.number(), let urls = reader.texts() else { return nil }
            self = .change(.add(id, peerURLs: urls, isLearner: kind == 4))
        case 5:
            guard let id = reader.number() else { return nil }
            self = .change(.remove(id))
        case 6:
            guard let id = reader.number(), let urls = reader.texts() else { return nil }
            self = .change(.update(id, peerURLs: urls))
        case 7:
            guard let id = reader.number() else { return nil }
            self = .change(.promote(id))
        case 8: self = .digests
        case 9:
            guard let id = reader.number(), let old = reader.number(), let urls = reader.texts() else { return nil }
            self = .change(.addReplacement(id, peerURLs: urls, of: old))
        case 10:
            guard let old = reader.number(), let id = reader.number() else { return nil }
            self = .change(.replace(old, by: id))
        case 11:
            guard let id = reader.number() else { return nil }
            self = .progress(id)
        case 12:
            guard let id = reader.number(), let index = reader.number() else { return nil }
            self = .removal(of: id, since: index)
        default: return nil
        }
        guard reader.isAtEnd else { return nil }
    }
}

extension PeerAnswer {
    func encoded() -> [UInt8] {
        var coder = PeerCoder()
        switch self {
        case .pong: coder.add(byte: 0)
        case .keptAlive(let seconds):
            coder.add(byte: 1)
            coder.add(UInt64(bitPattern: seconds))
        case .timeLeft(let milliseconds?):
            coder.add(byte: 2)
            coder.add(UInt64(bitPattern: milliseconds))
        case .timeLeft(nil): coder.add(byte: 3)
        case .changed(let index):
            coder.add(byte: 4)
            coder.add(index)
        case .refused(let error):
            coder.add(byte: 5)
            coder.add(byte: Self.numbers.first { $0.value == error }?.key ?? 0)
        case .digests(let digests):
            coder.add(byte: 6)
            coder.add(UInt64(digests.count))
            for digest in digests {
                coder.add(digest.index.rawValue)
                coder.add(digest.value)
            }
        case .progress(let progress):
            coder.add(byte: 7)
            coder.add(progress.matched)
            coder.add(progress.last)
            coder.add(byte: progress.isInTouch ? 1 : 0)
        }
        return coder.bytes
    }

    init?(decoding bytes: [UInt8]) {
        var reader = PeerDecoder(bytes)
        guard let kind = reader.byte() else { return nil }
        switch kind {
        case 0: self = .pong
        case 1:
            guard let seconds = reader.number() else { return nil }
            self = .keptAlive(ttlSeconds: Int64(bitPattern: seconds))
        case 2:
            guard let left = reader.number() else { return nil }
            self = .timeLeft(milliseconds: Int64(bitPattern: left))
        case 3: self = .timeLeft(milliseconds: nil)
        case 4:
            guard let index = reader.number() else { return nil }
            self = .changed(index: index)
        case 5:
            guard let number = reader.byte(), let error = Self.numbers[number] else { return nil }
            self = .refused(error)
        case 6:
            guard let digests = reader.digests() else { return nil }
            self = .digests(digests)
        case 7:
            guard let matched = reader.number(), let last = reader.number(), let touch = reader.byte(), touch <= 1
            else { return nil }
            self = .progress(LogProgress(matched: matched, last: last, isInTouch: touch == 1))
        default: return nil
        }
        guard reader.isAtEnd else { return nil }
    }

    /// The errors that a leader's answer may bring, by their number on the wire; anything else travels as a timeout.
    private static let numbers: [UInt8: StoreError] = [
        0: .timeout, 1: .notLeader, 2: .noLeader, 3: .leaderChanged, 4: .tooManyRequests, 5: .stopped,
        6: .memberNotFound, 7: .memberExists, 8: .peerURLExists, 9: .notEnoughStarted, 10: .unhealthy, 11: .notLearner,
        12: .learnerNotReady, 13: .tooManyLearners, 14: .timeoutLeaderFailure, 15: .timeoutConnectionLost,
        16: .deadlineExceeded, 17: .leaseNotFound,
    ]
}

/// Puts requests and answers into bytes: numbers of eight bytes, little-endian; texts behind their length.
private struct PeerCoder {
    private(set) var bytes: [UInt8] = []

    mutating func add(byte: UInt8) { bytes.append(byte) }

    mutating func add(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func add(_ texts: [String]) {
        add(UInt64(texts.count))
        for text in texts {
            add(UInt64(text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        }
    }
}

private struct PeerDecoder {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() -> UInt8? { rest.popFirst() }

    mutating func number() -> UInt64? {
        guard rest.count >= 8 else { return nil }
        defer { rest.removeFirst(8) }
        return rest.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func digests() -> [StateDigest]? {
        guard let count = number(), count <= UInt64(rest.count / 16) else { return nil }
        var digests: [StateDigest] = []
        for _ in 0..<count {
            guard let index = number(), let value = number() else { return nil }
            digests.append(StateDigest(index: LogIndex(rawValue: index), value: value))
        }
        return digests
    }

    mutating func texts() -> [String]? {
        // A text takes eight bytes at least, so the bytes bound the count.
        guard let count = number(), count <= UInt64(rest.count / 8) else { return nil }
        var texts: [String] = []
        for _ in 0..<count {
            guard let length = number(), length <= UInt64(rest.count),
                let text = String(validating: rest.prefix(Int(length)), as: UTF8.self)
            else { return nil }
            rest.removeFirst(Int(length))
            texts.append(text)
        }
        return texts
    }
}
