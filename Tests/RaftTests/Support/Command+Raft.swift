internal import StrakeDataDriven
internal import StrakeRaft

extension Command {
    func number(_ place: Int, default fallback: Int? = nil) -> Int {
        let plain = words.filter { $0 != "quiet" }
        if place < plain.count, let number = Int(plain[place]) { return number }
        guard let fallback else { fatalError("line \(line): word \(place) of '\(text)' is not a number") }
        return fallback
    }

    func member(_ place: Int) -> MemberID { MemberID(rawValue: UInt64(number(place))) }

    var members: [MemberID] { words.compactMap(UInt64.init).map(MemberID.init(rawValue:)) }

    var count: Int { arguments["count"].flatMap { Int($0) } ?? .max }

    func list(_ name: String) -> [MemberID] {
        (arguments[name] ?? "").split(separator: ",").compactMap { UInt64($0) }.map(MemberID.init(rawValue:))
    }

    /// `+1` a voter, `~1` a learner, `-1` nobody, `=1` as before.
    var steps: [ConfigurationChange.Step] {
        words.compactMap { word in
            guard let number = UInt64(word.dropFirst()) else { return nil }
            let member = MemberID(rawValue: number)
            return switch word.first {
            case "+": .addVoter(member)
            case "~": .addLearner(member)
            case "-": .remove(member)
            case "=": .update(member)
            default: nil
            }
        }
    }

    var options: RaftOptions {
        var options = RaftOptions()
        options.preVote = arguments["prevote"] != "off"
        options.checkQuorum = arguments["checkquorum"] != "off"
        options.forwardProposals = arguments["forward"] != "off"
        func set(_ name: String, _ path: WritableKeyPath<RaftOptions, Int>) {
            if let value = arguments[name].flatMap({ Int($0) }) { options[keyPath: path] = value }
        }
        set("election", \.electionTicks)
        set("message", \.messageBytesMax)
        set("inflight", \.inflightMax)
        set("uncommitted", \.uncommittedBytesMax)
        set("apply", \.applyBytesMax)
        set("cache", \.cacheBytesMax)
        options.diskStallTicks = arguments["stall"].flatMap { Int($0) }
        return options
    }
}
