import StrakeDiscovery
import Testing

struct ServiceMembersTests {
    private static func place(_ scheme: String, _ port: UInt16, _ addresses: String...) -> ServiceMembers.Place {
        ServiceMembers.Place(scheme: scheme, port: port, addresses: Set(addresses))
    }

    private static func members(_ own: [(String, ServiceMembers.Place)]) -> ServiceMembers {
        ServiceMembers(advertised: own.map { (url: $0.0, place: $0.1) })
    }

    @Test func `a record that leads to an own address and port is the member's own, the others are others'`() {
        var members = Self.members([("http://10.0.0.1:2380", Self.place("http", 2380, "10.0.0.1"))])
        let here = ServiceRecord(port: 2380, target: "a.example")
        members.add(here, of: "etcd-server", at: Self.place("http", 2380, "fe80::1", "10.0.0.1"))
        members.add(
            ServiceRecord(port: 2381, target: "a.example"), of: "etcd-server", at: Self.place("http", 2381, "10.0.0.1"))
        members.add(
            ServiceRecord(port: 2380, target: "b.example"), of: "etcd-server", at: Self.place("http", 2380, "10.0.0.2"))
        #expect(members.own == ["http://a.example:2380"])
        #expect(members.others == ["http://a.example:2381", "http://b.example:2380"])
        #expect(members.missing.isEmpty && members.problems.isEmpty)
    }

    @Test func `what leads nowhere, or to another scheme, is left out and told`() {
        var members = Self.members([
            ("https://10.0.0.1:2380", Self.place("https", 2380, "10.0.0.1")),
            ("https://10.0.0.1:2390", Self.place("https", 2390, "10.0.0.1")),
        ])
        let record = ServiceRecord(port: 2380, target: "a.example")
        members.add(record, of: "etcd-server", at: Self.place("http", 2380, "10.0.0.1"))
        members.add(record, of: "etcd-server", at: Self.place("http", 2380))
        #expect(members.own.isEmpty && members.others.isEmpty && members.unresolved == ["http://a.example:2380"])
        #expect(
            members.problems == [
                "bootstrap at http://a.example:2380 from DNS for etcd-server has scheme mismatch with expected peer "
                    + "https://10.0.0.1:2380",
                "http://a.example:2380 from DNS for etcd-server: no address of a.example",
            ])
        members.add(record, of: "etcd-server-ssl", at: Self.place("https", 2380, "10.0.0.1"))
        #expect(members.own == ["https://a.example:2380"] && members.missing == ["https://10.0.0.1:2390"])
    }

    @Test func `an own host without addresses is told, and is no record's`() {
        var members = Self.members([("http://here:2380", Self.place("http", 2380))])
        members.add(
            ServiceRecord(port: 2380, target: "a.example"), of: "etcd-server", at: Self.place("http", 2380, "10.0.0.1"))
        #expect(members.problems == ["no address of this member's own http://here:2380"])
        #expect(members.own.isEmpty && members.others == ["http://a.example:2380"])
    }
}
