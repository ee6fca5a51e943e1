internal import StrakeDataDriven
internal import StrakeRaft
internal import StrakeRandom
internal import Testing

/// Each row: changes one after the other, and the configuration or the error that the last one ends in. A change is a
/// list of steps (`+` voter, `~` learner, `-` remove, `=` update), with `implicit` or `explicit` before them, or `leave`.
struct ConfigurationChangeTests {
    @Test(
        arguments: [
            (["+2"], "voters=(1 2)"), (["+2", "+2"], "voters=(1 2)"), (["+2", "-2", "-2"], "voters=(1)"),
            (["-1"], "noVoters"), (["~1"], "noVoters"), (["+0"], "invalidMember"), (["-0"], "invalidMember"),
            (["~2"], "voters=(1) learners=(2)"), (["~2", "~2"], "voters=(1) learners=(2)"),
            (["~2", "+2"], "voters=(1 2)"), (["+2", "~2"], "voters=(1) learners=(2)"), (["~2", "-2"], "voters=(1)"),
            (["+2", "~1"], "voters=(2) learners=(1)"), (["=1"], "voters=(1)"), (["=9"], "voters=(1)"),
            (["leave"], "notJoint"), (["+2", "leave"], "notJoint"),
        ] as [([String], String)])
    func `a single change`(changes: [String], outcome: String) {
        #expect(result(of: changes, from: Configuration(voters: [MemberID(rawValue: 1)])) == outcome)
    }

    @Test(
        arguments: [
            (["+2 +3"], "voters=(1 2 3) outgoing=(1) autoleave"), (["+2 +3", "leave"], "voters=(1 2 3)"),
            (["implicit +2"], "voters=(1 2) outgoing=(1) autoleave"), (["implicit +2", "leave"], "voters=(1 2)"),
            (["explicit +2"], "voters=(1 2) outgoing=(1)"), (["explicit +2", "leave"], "voters=(1 2)"),
            (["explicit +2", "+3"], "alreadyJoint"), (["explicit +2", "explicit +3"], "alreadyJoint"),
            (["explicit +2", "leave", "leave"], "notJoint"), (["explicit -1"], "noVoters"), (["-1 -2"], "noVoters"),
            (["+2 -1"], "voters=(2) outgoing=(1) autoleave"), (["+2 -1", "leave"], "voters=(2)"),
            // A voter on its way to being a learner keeps its vote in the outgoing half until that is left.
            (["+2 ~1"], "voters=(2) outgoing=(1) next=(1) autoleave"), (["+2 ~1", "leave"], "voters=(2) learners=(1)"),
            (["+2 ~1 +1"], "voters=(1 2) outgoing=(1) autoleave"), (["+2 ~1 -1", "leave"], "voters=(2)"),
            (["+2 ~1 ~1"], "voters=(2) outgoing=(1) next=(1) autoleave"),
            (["explicit +2 ~3"], "voters=(1 2) outgoing=(1) learners=(3)"),
            (["+2 +2 -2 -2"], "voters=(1) outgoing=(1) autoleave"), (["~2 +2"], "voters=(1 2) outgoing=(1) autoleave"),
            (["+2 +3", "leave", "~3 -2 +4", "leave"], "voters=(1 4) learners=(3)"),
            (["+2 +3", "leave", "-1 -2"], "voters=(3) outgoing=(1 2 3) autoleave"),
        ] as [([String], String)])
    func `a joint change`(changes: [String], outcome: String) {
        #expect(result(of: changes, from: Configuration(voters: [MemberID(rawValue: 1)])) == outcome)
    }

    @Test func `a joint change from no voters is refused`() {
        #expect(result(of: ["+1 +2"], from: Configuration()) == "noVoters")
    }

    @Test func `one change leaves majorities that meet`() {
        var random = SplitMix64(seed: 3)
        for _ in 0..<500 {
            let voters = (1...6).filter { _ in Bool.random(using: &random) }.map { MemberID(rawValue: UInt64($0)) }
            let step = randomStep(&random)
            let old = Configuration(voters: voters)
            guard !voters.isEmpty, let new = try? old.applying(ConfigurationChange([step])) else { continue }
            #expect(Set(old.voters).symmetricDifference(new.voters).count <= 1)
        }
    }

    @Test func `a change survives its encoding`() {
        var random = SplitMix64(seed: 4)
        for count in 0..<50 {
            let steps = (0..<(count % 7)).map { _ in randomStep(&random) }
            let transition = ConfigurationChange.Transition(rawValue: UInt8(count % 3)) ?? .auto
            let change = ConfigurationChange(steps, transition: transition, context: Array(0..<UInt8(count)))
            let bytes = change.encoded()
            #expect(ConfigurationChange(decoding: bytes) == change)
            let header = 6 + steps.count * 9
            for length in 0..<header { #expect(ConfigurationChange(decoding: Array(bytes[..<length])) == nil) }
        }
    }

    @Test func `the encoding is the documented one`() {
        let change = ConfigurationChange(
            [.addLearner(MemberID(rawValue: 0x0102))], transition: .explicit, context: [9, 8])
        #expect(change.encoded() == [1, 2, 1, 0, 0, 0, 1, 2, 1, 0, 0, 0, 0, 0, 0, 9, 8])
    }

    @Test(
        arguments: [
            [], [1], [2, 0, 0, 0, 0, 0], [1, 3, 0, 0, 0, 0], [1, 0, 1, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0],
            [1, 0, 255, 255, 255, 255],
        ] as [[UInt8]])
    func `foreign bytes are not a change`(bytes: [UInt8]) {
        #expect(ConfigurationChange(decoding: bytes) == nil)
    }

    private func randomStep(_ random: inout SplitMix64) -> ConfigurationChange.Step {
        let member = MemberID(rawValue: .random(in: 1...6, using: &random))
        return switch Int.random(in: 0..<4, using: &random) {
        case 0: .addVoter(member)
        case 1: .addLearner(member)
        case 2: .remove(member)
        default: .update(member)
        }
    }

    private func result(of changes: [String], from start: Configuration) -> String {
        var configuration = start
        for text in changes {
            let command = Command("change " + text)
            let transition: ConfigurationChange.Transition =
                text.hasPrefix("implicit") ? .implicit : text.hasPrefix("explicit") ? .explicit : .auto
            let change = ConfigurationChange(command.steps, transition: transition)
            do throws(ConfigurationError) {
                configuration = try configuration.applying(change)
            } catch {
                return "\(error)"
            }
        }
        return configuration.summary
    }
}
