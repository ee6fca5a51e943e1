internal import StrakeAuth
internal import StrakeLMDB
internal import StrakeLeases
internal import StrakeModel
internal import StrakeRaft
internal import StrakeTables

/// The state machine's rows as the last checkpoint left them.
struct StateRows {
    var leases: [Lease] = []
    var alarms: [AlarmMember] = []
    var members: [MemberAttributes] = []
    var configuration: Configuration?
    var auth = AuthStore()

    init(reading tables: StoreTables) throws(StateMachineError) {
        var rows = Contents()
        do throws(TableError) {
            try tables.environment.read { txn throws(TableError) in
                try tables.state.scan(prefix: StateRecords.leasePrefix, in: txn) { key, value throws(TableError) in
                    rows.leases.append((Array(key), Array(value)))
                    return true
                }
                try tables.state.scan(prefix: StateRecords.alarmPrefix, in: txn) { key, _ throws(TableError) in
                    rows.alarms.append(Array(key))
                    return true
                }
                try tables.state.scan(prefix: StateRecords.memberPrefix, in: txn) { key, value throws(TableError) in
                    rows.members.append((Array(key), Array(value)))
                    return true
                }
                try tables.state.scan(prefix: StateRecords.authPrefix, in: txn) { key, value throws(TableError) in
                    rows.auth.append((Array(key), Array(value)))
                    return true
                }
                rows.configuration = try tables.state.get(StateRecords.configurationKey, in: txn)
            }
        } catch {
            throw .table(error)
        }
        try decode(rows)
    }

    private struct Contents {
        var leases: [(key: [UInt8], value: [UInt8])] = []
        var alarms: [[UInt8]] = []
        var members: [(key: [UInt8], value: [UInt8])] = []
        var auth: [(key: [UInt8], value: [UInt8])] = []
        var configuration: [UInt8]?
    }

    private mutating func decode(_ rows: Contents) throws(StateMachineError) {
        for (key, value) in rows.leases {
            guard let lease = try? LeaseRecord.decode(value) else { throw .malformedRow(key: key) }
            leases.append(lease)
        }
        for key in rows.alarms {
            guard let alarm = key.withUnsafeBytes({ StateRecords.alarm(fromKey: $0) }) else {
                throw .malformedRow(key: key)
            }
            alarms.append(alarm)
        }
        for (key, value) in rows.members {
            guard let member = value.withUnsafeBytes({ StateRecords.member(from: $0) }) else {
                throw .malformedRow(key: key)
            }
            members.append(member)
        }
        auth = try StateRecords.auth(from: rows.auth)
        if let value = rows.configuration {
            guard let decoded = StateRecords.configuration(from: value) else {
                throw .malformedRow(key: StateRecords.configurationKey)
            }
            configuration = decoded
        }
    }
}
