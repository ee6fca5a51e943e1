import StrakeLog
import StrakeModel
import StrakeRaft
import StrakeStateMachine
import StrakeStore
import Testing

struct MembershipRulesTests {
    /// Voters 1...`voters`, of whom the first `started` have told their names, and one learner 9 if wanted.
    private static func rules(voters: Int, started: Int, learner: Bool = false, isStrict: Bool = true)
        -> MembershipRules
    {
        var members = (1...voters).map { number in
            MemberAttributes(
                id: UInt64(number), name: number <= started ? "m\(number)" : "", peerURLs: ["http://h\(number):1"])
        }
        if learner { members.append(MemberAttributes(id: 9, name: "", peerURLs: ["http://h9:1"])) }
        let configuration = Configuration(
            voters: (1...voters).map { MemberID(rawValue: UInt64($0)) },
            learners: learner ? [MemberID(rawValue: 9)] : [])
        return MembershipRules(members: members, configuration: configuration, learnersMax: 1, isStrict: isStrict)
    }

    /// The first `steady` voters are in touch; the learner has `matched` of the leader's 100 entries.
    private static func health(steady: Int, matched: UInt64 = 0) -> MembershipRules.Health {
        let ids = Set((0..<steady).map { UInt64($0 + 1) })
        return MembershipRules.Health(steady: ids, reachable: ids, matched: [1: 100, 2: 100, 9: matched], leader: 1)
    }

    private static let urls = ["http://new:1"]

    @Test(
        "a change is checked as etcd checks it",
        arguments: [
            (rules(voters: 3, started: 3), health(steady: 3), .add(7, peerURLs: urls, isLearner: false), nil),
            (rules(voters: 3, started: 3), health(steady: 2), .add(7, peerURLs: urls, isLearner: false), .unhealthy),
            (
                rules(voters: 3, started: 2), health(steady: 3), .add(7, peerURLs: urls, isLearner: false),
                .notEnoughStarted
            ),
            // Of two reasons etcd names this one.
            (
                rules(voters: 3, started: 2), health(steady: 2), .add(7, peerURLs: urls, isLearner: false),
                .notEnoughStarted
            ),
            (rules(voters: 3, started: 2), health(steady: 3), .add(7, peerURLs: urls, isLearner: true), nil),
            // A cluster of one must be able to grow, though the second has not started when it is added.
            (rules(voters: 1, started: 1), health(steady: 1), .add(7, peerURLs: urls, isLearner: false), nil),
            (
                rules(voters: 2, started: 1), health(steady: 2), .add(7, peerURLs: urls, isLearner: false),
                .notEnoughStarted
            ),
            (rules(voters: 3, started: 3), health(steady: 3), .add(2, peerURLs: urls, isLearner: false), .memberExists),
            (
                rules(voters: 3, started: 3), health(steady: 3),
                .add(7, peerURLs: ["http://h2:1"], isLearner: false), .peerURLExists
            ),
            (
                rules(voters: 3, started: 3, learner: true), health(steady: 3),
                .add(7, peerURLs: urls, isLearner: true), .tooManyLearners
            ),
            // One that takes another's place: the other may be down, nobody else.
            (rules(voters: 3, started: 3), health(steady: 2), .addReplacement(7, peerURLs: urls, of: 3), nil),
            (rules(voters: 3, started: 3), health(steady: 2), .addReplacement(7, peerURLs: urls, of: 2), .unhealthy),
            (
                rules(voters: 3, started: 3), health(steady: 3), .addReplacement(7, peerURLs: urls, of: 8),
                .memberNotFound
            ),
            (
                rules(voters: 3, started: 3), health(steady: 3),
                .addReplacement(7, peerURLs: ["http://h3:1"], of: 3), .peerURLExists
            ),
            (
                rules(voters: 3, started: 3, learner: true), health(steady: 3),
                .addReplacement(7, peerURLs: urls, of: 3), .tooManyLearners
            ),
            (rules(voters: 3, started: 3, learner: true), health(steady: 2, matched: 90), .replace(3, by: 9), nil),
            (
                rules(voters: 3, started: 3, learner: true), health(steady: 2, matched: 89), .replace(3, by: 9),
                .learnerNotReady
            ),
            (
                rules(voters: 3, started: 3, learner: true), health(steady: 2, matched: 90), .replace(8, by: 9),
                .memberNotFound
            ),
            (rules(voters: 3, started: 3), health(steady: 3), .replace(3, by: 2), .notLearner),
            (rules(voters: 3, started: 3), health(steady: 3), .replace(3, by: 7), .memberNotFound),
            // Two of three have to be there afterwards.
            (
                rules(voters: 3, started: 3, learner: true), health(steady: 1, matched: 90), .replace(3, by: 9),
                .unhealthy
            ),
            (
                rules(voters: 3, started: 1, learner: true), health(steady: 3, matched: 90), .replace(3, by: 9),
                .notEnoughStarted
            ),
            (
                rules(voters: 3, started: 1, learner: true, isStrict: false), health(steady: 1, matched: 90),
                .replace(3, by: 9), nil
            ),
            (rules(voters: 3, started: 3), health(steady: 3), .remove(3), nil),
            (rules(voters: 3, started: 3), health(steady: 3), .remove(7), .memberNotFound),
            // One that is down may go: the quorum that works loses nothing.
            (rules(voters: 3, started: 3), health(steady: 2), .remove(3), nil),
            (rules(voters: 3, started: 3), health(steady: 2), .remove(2), .unhealthy),
            (rules(voters: 1, started: 1), health(steady: 1), .remove(1), .notEnoughStarted),
            (rules(voters: 2, started: 1), health(steady: 2), .remove(1), .notEnoughStarted),
            (rules(voters: 3, started: 3, learner: true), health(steady: 1), .remove(9), nil),
            (rules(voters: 3, started: 3), health(steady: 3), .update(2, peerURLs: urls), nil),
            (rules(voters: 3, started: 3), health(steady: 3), .update(2, peerURLs: ["http://h3:1"]), .peerURLExists),
            (rules(voters: 3, started: 3), health(steady: 3), .update(2, peerURLs: ["http://h2:1"]), nil),
            (rules(voters: 3, started: 3), health(steady: 3), .update(7, peerURLs: urls), .memberNotFound),
            (rules(voters: 3, started: 3, learner: true), health(steady: 3, matched: 90), .promote(9), nil),
            (
                rules(voters: 3, started: 3, learner: true), health(steady: 3, matched: 89), .promote(9),
                .learnerNotReady
            ),
            (rules(voters: 3, started: 3, learner: true), health(steady: 3), .promote(2), .notLearner),
            (rules(voters: 3, started: 3, learner: true), health(steady: 3), .promote(7), .memberNotFound),
            (
                rules(voters: 3, started: 1, learner: true), health(steady: 3, matched: 90), .promote(9),
                .notEnoughStarted
            ),
            (rules(voters: 3, started: 1, isStrict: false), health(steady: 1), .remove(2), nil),
        ] as [(MembershipRules, MembershipRules.Health, MembershipChange, StoreError?)])
    func check(
        rules: MembershipRules, health: MembershipRules.Health, change: MembershipChange, refusal: StoreError?
    ) {
        var found: StoreError?
        do throws(StoreError) { try rules.check(change, health) } catch { found = error }
        #expect(found == refusal)
    }

    @Test func `a description of a cluster says which of its members one is`() throws {
        let description = ClusterDescription(
            cluster: 0xfeed, peerURLs: [1: ["http://a:1", "http://b:1"], 2: ["http://c:1"]])
        let read = try #require(ClusterDescription(description.text))
        #expect(read == description)
        #expect(read.joined(at: ["http://b:1", "http://a:1"])?.member == 1)
        #expect(read.joined(at: ["http://c:1"])?.cluster == 0xfeed)
        #expect(read.joined(at: ["http://a:1"]) == nil)
        #expect(ClusterDescription("HTTP/1.1 400 Bad Request") == nil)
        #expect(ClusterDescription("cluster feed\nmember x http://a:1") == nil)
    }

    @Test func `all members of a new cluster come to the same ids, and one alone keeps those it always had`() {
        let all = ["a", "b", "c"].map { InitialMember(name: $0, peerURLs: ["http://\($0):1"]) }
        func options(_ member: InitialMember, _ all: [InitialMember]) -> StoreOptions {
            var options = StoreOptions(dataDirectory: "x")
            options.name = member.name
            options.peerURLs = member.peerURLs
            options.initialMembers = all
            return options
        }
        let ids = all.map { MemberIdentity(founding: options($0, all)) }
        let shuffled = all.map { MemberIdentity(founding: options($0, all.reversed())) }
        #expect(ids == shuffled)
        #expect(Set(ids.map(\.cluster)).count == 1)
        #expect(Set(ids.map(\.member)).count == 3)
        let alone = MemberIdentity(founding: options(all[0], [all[0]]))
        #expect(alone == MemberIdentity(founding: options(all[0], [])))
        #expect(alone.member == ids[0].member && alone.cluster != ids[0].cluster)
    }

    @Test func `the default member's ids stay what they are`() {
        let identity = MemberIdentity(founding: StoreOptions(dataDirectory: "x"))
        #expect(identity.member.rawValue == 0x2715_5a42_0071_903e)
        #expect(identity.cluster == 0x68cd_475e_520f_a948)
    }
}
