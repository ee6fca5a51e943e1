internal import StrakeClient

/// Prints answers in etcdctl's formats, byte for byte.
struct Printer: Sendable {
    enum Format: String, CaseIterable, Sendable {
        case simple
        case fields
        case json
        case table
        case protobuf
    }

    let format: Format
    let isHex: Bool
    /// simple: values without their keys.
    var isValueOnly = false

    init(format: Format, isHex: Bool) {
        self.format = format
        self.isHex = isHex
    }

    // MARK: - Parts

    func keyValue(_ keyValue: KeyValue) {
        let (key, value) =
            isHex
            ? (GoText.hexText(keyValue.key), GoText.hexText(keyValue.value))
            : (keyValue.key, keyValue.value)
        if !isValueOnly { CommandOutput.line(key) }
        CommandOutput.line(value)
    }

    /// In one line, whatever is in it.
    func quoted(_ bytes: [UInt8]) -> String {
        isHex ? String(decoding: GoText.hexText(bytes), as: UTF8.self) : GoText.quoted(bytes)
    }

    func fields(_ header: Header) {
        field("ClusterID", header.clusterID)
        field("MemberID", header.memberID)
        field("Revision", header.revision)
        field("RaftTerm", header.raftTerm)
    }

    func field(_ name: String, _ value: some CustomStringConvertible) {
        CommandOutput.line("\"\(name)\" : \(value)")
    }

    func fields(_ prefix: String, _ keyValue: KeyValue) {
        field(prefix + "Key", GoText.quoted(keyValue.key))
        field(prefix + "CreateRevision", keyValue.createRevision)
        field(prefix + "ModRevision", keyValue.modRevision)
        field(prefix + "Version", keyValue.version)
        field(prefix + "Value", GoText.quoted(keyValue.value))
        field(prefix + "Lease", keyValue.lease.rawValue)
    }

    static func json(_ header: Header) -> JSONObject {
        var object = JSONObject()
        add(header, to: &object)
        return object
    }

    /// A header's fields among those of the answer, where clientv3 has it like that.
    static func add(_ header: Header, to object: inout JSONObject) {
        object.addUnlessEmpty("cluster_id", header.clusterID)
        object.addUnlessEmpty("member_id", header.memberID)
        object.addUnlessEmpty("revision", header.revision)
        object.addUnlessEmpty("raft_term", header.raftTerm)
    }

    static func json(_ keyValue: KeyValue) -> JSONObject {
        var object = JSONObject()
        object.addUnlessEmpty("key", bytes: keyValue.key)
        object.addUnlessEmpty("create_revision", keyValue.createRevision)
        object.addUnlessEmpty("mod_revision", keyValue.modRevision)
        object.addUnlessEmpty("version", keyValue.version)
        object.addUnlessEmpty("value", bytes: keyValue.value)
        object.addUnlessEmpty("lease", keyValue.lease.rawValue)
        return object
    }

    func json(_ header: Header, _ fill: (inout JSONObject) -> Void = { _ in }) {
        var object = JSONObject()
        // An answer that the client has put together itself has none.
        if header != Header() { object.add("header", Self.json(header)) }
        fill(&object)
        CommandOutput.line(object.text)
    }

    /// For formats that etcdctl does not have for an answer: it asks first and then says so.
    func refuse(_ formats: Format...) throws(CommandFailure) {
        if formats.contains(format) {
            throw CommandFailure("\(format.rawValue) not supported as output format", CommandFailure.badFeature)
        }
    }
}
