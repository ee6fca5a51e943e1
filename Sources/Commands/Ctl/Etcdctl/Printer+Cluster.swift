internal import StrakeClient
internal import StrakeEtcdWire

extension Printer {
    private func id(_ number: UInt64) -> String { GoText.hex(number, width: 16, pad: " ") }

    func memberAdd(_ answer: Answer<AddedMember>) {
        switch format {
        case .simple, .table:
            CommandOutput.line(
                "Member \(id(answer.member.id)) added to cluster \(id(answer.header.clusterID))")
        case .fields: break
        case .json:
            json(answer.header) { object in
                object.add("member", Self.json(answer.member))
                object.addUnlessEmpty("members", list: answer.members.map { Self.json($0).text })
            }
        case .protobuf:
            let members = answer.members.map { ClusterMember($0) }
            protobuf(answer.header, MemberAddResponse(member: ClusterMember(answer.member), members: members))
        }
    }

    /// The answers to remove, update and promote.
    func memberChange(_ member: UInt64, _ change: String, _ answer: Answer<[Member]>) {
        switch format {
        case .simple, .table:
            CommandOutput.line("Member \(id(member)) \(change) cluster \(id(answer.header.clusterID))")
        case .fields: break
        case .json: memberJSON(answer)
        case .protobuf: memberMessage(answer)
        }
    }

    func members(_ answer: Answer<[Member]>) {
        let rows = answer.body.map { member in
            [
                GoText.hex(member.id), member.name.isEmpty ? "unstarted" : "started", member.name,
                member.peerURLs.joined(separator: ","), member.clientURLs.joined(separator: ","),
                "\(member.isLearner)",
            ]
        }
        switch format {
        case .simple: for row in rows { CommandOutput.line(row.joined(separator: ", ")) }
        case .table:
            TextTable.print(["ID", "Status", "Name", "Peer Addrs", "Client Addrs", "Is Learner"], rows)
        case .fields:
            fields(answer.header)
            for member in answer.body { memberFields(member) }
        case .json: memberJSON(answer)
        case .protobuf: memberMessage(answer)
        }
    }

    private func memberFields(_ member: Member) {
        field("ID", member.id)
        field("Name", GoText.quoted(member.name))
        for url in member.peerURLs { field("PeerURL", GoText.quoted(url)) }
        for url in member.clientURLs { field("ClientURL", GoText.quoted(url)) }
        field("IsLearner", member.isLearner)
        CommandOutput.line("")
    }

    private func memberJSON(_ answer: Answer<[Member]>) {
        json(answer.header) { $0.addUnlessEmpty("members", list: answer.body.map { Self.json($0).text }) }
    }

    private func memberMessage(_ answer: Answer<[Member]>) {
        protobuf(answer.header, MemberListResponse(members: answer.body.map { ClusterMember($0) }))
    }

    private static func json(_ member: Member) -> JSONObject {
        var object = JSONObject()
        object.addUnlessEmpty("ID", member.id)
        object.addUnlessEmpty("name", member.name)
        object.addUnlessEmpty("peerURLs", list: member.peerURLs.map { GoText.json($0) })
        object.addUnlessEmpty("clientURLs", list: member.clientURLs.map { GoText.json($0) })
        object.addUnlessEmpty("isLearner", member.isLearner)
        return object
    }

    func leaderMoved(from leader: UInt64, to target: UInt64, _ header: Header) throws(CommandFailure) {
        try refuse(.table, .fields)
        try authChange(
            header, "Leadership transferred from \(GoText.hex(leader)) to \(GoText.hex(target))")
    }

    func alarms(_ answer: Answer<[Alarm]>) {
        switch format {
        case .simple, .table:
            for alarm in answer.body { CommandOutput.line(Self.text(alarm)) }
        case .fields:
            fields(answer.header)
            for alarm in answer.body {
                field("MemberID", alarm.memberID)
                field("AlarmType", Self.name(alarm.kind))
                CommandOutput.line("")
            }
        case .json:
            json(answer.header) { object in
                let list = answer.body.map { alarm in
                    var item = JSONObject()
                    item.addUnlessEmpty("memberID", alarm.memberID)
                    item.addUnlessEmpty("alarm", Int64(alarm.kind.rawValue))
                    return item.text
                }
                object.addUnlessEmpty("alarms", list: list)
            }
        case .protobuf:
            let alarms = answer.body.map { AlarmResponse.Alarm(memberID: $0.memberID, alarm: $0.kind.rawValue) }
            protobuf(answer.header, AlarmResponse(alarms: alarms))
        }
    }

    /// With a blank behind each field, as protobuf's text form has it.
    static func text(_ alarm: Alarm) -> String {
        (alarm.memberID == 0 ? "" : "memberID:\(alarm.memberID) ")
            + (alarm.kind == .none ? "" : "alarm:\(name(alarm.kind)) ")
    }

    static func name(_ kind: Alarm.Kind) -> String {
        switch kind {
        case .none: "NONE"
        case .noSpace: "NOSPACE"
        case .corrupt: "CORRUPT"
        default: "\(kind.rawValue)"
        }
    }
}

extension ClusterMember {
    fileprivate init(_ member: Member) {
        self.init(
            id: member.id, name: member.name, peerURLs: member.peerURLs, clientURLs: member.clientURLs,
            isLearner: member.isLearner)
    }
}
