// etcd keeps its state in one bbolt database, the backend. These are its buckets, as etcd 3.4 and all later versions know
// them, in the order in which they stand in the file.
//
//     key              8 bytes main revision, "_", 8 bytes sub revision, then "t" if the key was deleted
//                      -> mvccpb.KeyValue, of a deleted key only the key
//     lease            8 bytes id -> leasepb.Lease
//     alarm            etcdserverpb.AlarmMember -> nothing
//     members          id in hexadecimal -> JSON;   members_removed: id in hexadecimal -> "removed"
//     meta             consistent_index, term: 8 bytes; confState: JSON; scheduledCompactRev, finishedCompactRev: as in key
//     cluster          clusterVersion: text
//     auth, authUsers, authRoles
//
// Numbers that are not protobuf's or JSON's are big-endian.
enum BackendBucket: String, CaseIterable {
    case alarm
    case auth
    case authRoles
    case authUsers
    case cluster
    case key
    case lease
    case members
    case membersRemoved = "members_removed"
    case meta

    var name: [UInt8] { Array(rawValue.utf8) }
}

enum MetaKey: String, CaseIterable {
    // In the order in which they stand in the bucket.
    case confState
    case consistentIndex = "consistent_index"
    case finishedCompaction = "finishedCompactRev"
    case scheduledCompaction = "scheduledCompactRev"
    case term

    var name: [UInt8] { Array(rawValue.utf8) }
}
