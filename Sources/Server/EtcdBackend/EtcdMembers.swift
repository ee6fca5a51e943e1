internal import StrakeEtcdWire
internal import StrakeJSON
package import StrakeModel

/// A member as etcd writes it down in JSON.
struct EtcdMember: Hashable {
    var attributes: MemberAttributes
    var isLearner = false
    /// Of a change: a learner becomes a voter.
    var isPromotion = false

    /// Nil for what is not an object, or has something else than etcd puts there. What is left out is zero or empty.
    init?(json bytes: UnsafeRawBufferPointer) {
        guard case .object(let fields)? = JSONValue(bytes), let id = Self.id(fields["id"]),
            let name = Self.text(fields["name"]), let peerURLs = Self.texts(fields["peerURLs"]),
            let clientURLs = Self.texts(fields["clientURLs"])
        else { return nil }
        attributes = MemberAttributes(id: id, name: name, peerURLs: peerURLs, clientURLs: clientURLs)
        isLearner = fields["isLearner"] == .bool(true)
        isPromotion = fields["isPromote"] == .bool(true)
    }

    private static func id(_ value: JSONValue?) -> UInt64? {
        guard let value else { return 0 }
        guard case .number(let number) = value else { return nil }
        return number.unsigned
    }

    private static func text(_ value: JSONValue?) -> String? {
        guard let value else { return "" }
        guard case .text(let text) = value else { return nil }
        return text
    }

    private static func texts(_ value: JSONValue?) -> [String]? {
        switch value {
        case nil, .null: return []
        case .array(let values):
            let texts = values.compactMap { text($0) }
            return texts.count == values.count ? texts : nil
        default: return nil
        }
    }
}

/// Who is in an etcd's cluster: as its database says, and then as the entries of its log change it.
package struct EtcdMembers: Hashable, Sendable {
    private enum Change {
        static let addVoter: Int32 = 0
        static let remove: Int32 = 1
        static let update: Int32 = 2
        static let addLearner: Int32 = 3
    }

    /// By their ids, ascending.
    package private(set) var all: [MemberAttributes] = []
    package private(set) var learners: Set<UInt64> = []
    private var removed: Set<UInt64> = []

    package var voterCount: Int { all.count - learners.count }

    /// Of the database.
    mutating func add(_ member: EtcdMember) {
        insert(member.attributes)
        if member.isLearner { learners.insert(member.attributes.id) }
    }

    /// Of the database: it is gone for ever.
    mutating func addRemoved(_ id: UInt64) { removed.insert(id) }

    /// Carries out a change as etcd does: one that does not fit changes nothing.
    ///
    /// - Returns: False when it cannot be read.
    mutating func apply(_ data: UnsafeRawBufferPointer) -> Bool {
        guard let change = try? WALConfigurationChange(protobuf: data), change.member != 0 else { return false }
        if change.kind == Change.remove {
            remove(change.member)
            return true
        }
        guard let member = EtcdMember(json: change.context), member.attributes.id == change.member else { return false }
        switch change.kind {
        case Change.addVoter where member.isPromotion: learners.remove(change.member)
        case Change.addVoter, Change.addLearner:
            guard isNew(member.attributes) else { break }
            insert(member.attributes)
            if change.kind == Change.addLearner { learners.insert(change.member) }
        case Change.update: set(change.member) { $0.peerURLs = member.attributes.peerURLs }
        default: return false
        }
        return true
    }

    mutating func setAttributes(of id: UInt64, name: String, clientURLs: [String]) {
        set(id) { ($0.name, $0.clientURLs) = (name, clientURLs) }
    }

    private func isNew(_ member: MemberAttributes) -> Bool {
        !removed.contains(member.id)
            && !all.contains { $0.id == member.id || !Set($0.peerURLs).isDisjoint(with: member.peerURLs) }
    }

    private mutating func insert(_ member: MemberAttributes) {
        all.insert(member, at: all.firstIndex { $0.id > member.id } ?? all.endIndex)
    }

    private mutating func remove(_ id: UInt64) {
        guard all.contains(where: { $0.id == id }) else { return }
        all.removeAll { $0.id == id }
        learners.remove(id)
        removed.insert(id)
    }

    private mutating func set(_ id: UInt64, _ body: (inout MemberAttributes) -> Void) {
        guard let index = all.firstIndex(where: { $0.id == id }) else { return }
        body(&all[index])
    }
}
