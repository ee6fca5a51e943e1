// The encoding, all integers little-endian:
//
//     version     1 byte, 1
//     transition  1 byte
//     count       4 bytes, number of steps
//     steps       count times: kind (1 byte: 0 add voter, 1 add learner, 2 remove, 3 update), member (8 bytes)
//     context     the rest
extension ConfigurationChange {
    private static let version: UInt8 = 1
    private static let headerBytes = 6
    private static let stepBytes = 9

    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerBytes + steps.count * Self.stepBytes + context.count)
        bytes.append(Self.version)
        bytes.append(transition.rawValue)
        Self.append(UInt64(steps.count), width: 4, to: &bytes)
        for step in steps {
            bytes.append(step.kind)
            Self.append(step.member.rawValue, width: 8, to: &bytes)
        }
        bytes.append(contentsOf: context)
        return bytes
    }

    /// Nil for bytes that no version of this program wrote.
    public init?(decoding bytes: [UInt8]) {
        guard bytes.count >= Self.headerBytes, bytes[0] == Self.version, let transition = Transition(rawValue: bytes[1])
        else { return nil }
        let count = Int(Self.integer(bytes[2..<6]))
        guard bytes.count >= Self.headerBytes + count * Self.stepBytes else { return nil }
        var steps: [Step] = []
        var offset = Self.headerBytes
        for _ in 0..<count {
            let member = MemberID(rawValue: Self.integer(bytes[(offset + 1)..<(offset + Self.stepBytes)]))
            guard let step = Step(kind: bytes[offset], member: member) else { return nil }
            steps.append(step)
            offset += Self.stepBytes
        }
        self.init(steps, transition: transition, context: Array(bytes[offset...]))
    }

    private static func append(_ value: UInt64, width: Int, to bytes: inout [UInt8]) {
        for place in 0..<width {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(place * 8)))
        }
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension ConfigurationChange.Step {
    fileprivate var kind: UInt8 {
        switch self {
        case .addVoter: 0
        case .addLearner: 1
        case .remove: 2
        case .update: 3
        }
    }

    fileprivate init?(kind: UInt8, member: MemberID) {
        switch kind {
        case 0: self = .addVoter(member)
        case 1: self = .addLearner(member)
        case 2: self = .remove(member)
        case 3: self = .update(member)
        default: return nil
        }
    }
}
