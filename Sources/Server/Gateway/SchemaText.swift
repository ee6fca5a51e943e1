/// etcd's messages as the gateway needs them, in the notation of `Schema`. A message's fields stand in the order of its
/// declaration, which is the order of JSON.
enum SchemaText {
    static let enumerations = """
        SortOrder: NONE ASCEND DESCEND
        SortTarget: KEY VERSION CREATE MOD VALUE
        CompareResult: EQUAL GREATER LESS NOT_EQUAL
        CompareTarget: VERSION CREATE MOD VALUE LEASE
        EventType: PUT DELETE
        FilterType: NOPUT NODELETE
        AlarmType: NONE NOSPACE CORRUPT
        AlarmAction: GET ACTIVATE DEACTIVATE
        DowngradeAction: VALIDATE ENABLE CANCEL
        PermissionType: READ WRITE READWRITE
        """

    static let messages = [keys, watchesAndLeases, cluster, maintenance, recipes, auth].joined(separator: "\n")

    /// Messages without fields are `Empty`, and answers that are a header and nothing else `HeaderResponse`.
    private static let keys = """
        Empty:
        HeaderResponse: header 1 ResponseHeader
        ResponseHeader: cluster_id 1 uint64, member_id 2 uint64, revision 3 int64, raft_term 4 uint64
        KeyValue: key 1 bytes, create_revision 2 int64, mod_revision 3 int64, version 4 int64, value 5 bytes, lease 6 int64
        RangeRequest: key 1 bytes, range_end 2 bytes, limit 3 int64, revision 4 int64, sort_order 5 SortOrder, \
        sort_target 6 SortTarget, serializable 7 bool, keys_only 8 bool, count_only 9 bool, min_mod_revision 10 int64, \
        max_mod_revision 11 int64, min_create_revision 12 int64, max_create_revision 13 int64
        RangeResponse: header 1 ResponseHeader, kvs 2 KeyValue*, more 3 bool, count 4 int64
        PutRequest: key 1 bytes, value 2 bytes, lease 3 int64, prev_kv 4 bool, ignore_value 5 bool, ignore_lease 6 bool
        PutResponse: header 1 ResponseHeader, prev_kv 2 KeyValue
        DeleteRangeRequest: key 1 bytes, range_end 2 bytes, prev_kv 3 bool
        DeleteRangeResponse: header 1 ResponseHeader, deleted 2 int64, prev_kvs 3 KeyValue*
        Compare: result 1 CompareResult, target 2 CompareTarget, key 3 bytes, version 4 int64@target_union, \
        create_revision 5 int64@target_union, mod_revision 6 int64@target_union, value 7 bytes@target_union, \
        lease 8 int64@target_union, range_end 64 bytes
        RequestOp: request_range 1 RangeRequest@request, request_put 2 PutRequest@request, \
        request_delete_range 3 DeleteRangeRequest@request, request_txn 4 TxnRequest@request
        ResponseOp: response_range 1 RangeResponse@response, response_put 2 PutResponse@response, \
        response_delete_range 3 DeleteRangeResponse@response, response_txn 4 TxnResponse@response
        TxnRequest: compare 1 Compare*, success 2 RequestOp*, failure 3 RequestOp*
        TxnResponse: header 1 ResponseHeader, succeeded 2 bool, responses 3 ResponseOp*
        CompactionRequest: revision 1 int64, physical 2 bool
        """

    private static let watchesAndLeases = """
        WatchRequest: create_request 1 WatchCreateRequest@request_union, cancel_request 2 WatchCancelRequest@request_union, \
        progress_request 3 Empty@request_union
        WatchCreateRequest: key 1 bytes, range_end 2 bytes, start_revision 3 int64, progress_notify 4 bool, \
        filters 5 FilterType*, prev_kv 6 bool, watch_id 7 int64, fragment 8 bool
        WatchCancelRequest: watch_id 1 int64
        Event: type 1 EventType, kv 2 KeyValue, prev_kv 3 KeyValue
        WatchResponse: header 1 ResponseHeader, watch_id 2 int64, created 3 bool, canceled 4 bool, \
        compact_revision 5 int64, cancel_reason 6 string, fragment 7 bool, events 11 Event*
        LeaseGrantRequest: TTL 1 int64, ID 2 int64
        LeaseGrantResponse: header 1 ResponseHeader, ID 2 int64, TTL 3 int64, error 4 string
        LeaseRequest: ID 1 int64
        LeaseKeepAliveResponse: header 1 ResponseHeader, ID 2 int64, TTL 3 int64
        LeaseTimeToLiveRequest: ID 1 int64, keys 2 bool
        LeaseTimeToLiveResponse: header 1 ResponseHeader, ID 2 int64, TTL 3 int64, grantedTTL 4 int64, keys 5 bytes*
        LeaseStatus: ID 1 int64
        LeaseLeasesResponse: header 1 ResponseHeader, leases 2 LeaseStatus*
        """

    private static let cluster = """
        Member: ID 1 uint64, name 2 string, peerURLs 3 string*, clientURLs 4 string*, isLearner 5 bool
        MemberAddRequest: peerURLs 1 string*, isLearner 2 bool
        MemberAddResponse: header 1 ResponseHeader, member 2 Member, members 3 Member*
        MemberRequest: ID 1 uint64
        MemberUpdateRequest: ID 1 uint64, peerURLs 2 string*
        MemberListRequest: linearizable 1 bool
        MembersResponse: header 1 ResponseHeader, members 2 Member*
        """

    private static let maintenance = """
        AlarmRequest: action 1 AlarmAction, memberID 2 uint64, alarm 3 AlarmType
        AlarmMember: memberID 1 uint64, alarm 2 AlarmType
        AlarmResponse: header 1 ResponseHeader, alarms 2 AlarmMember*
        StatusResponse: header 1 ResponseHeader, version 2 string, dbSize 3 int64, leader 4 uint64, raftIndex 5 uint64, \
        raftTerm 6 uint64, raftAppliedIndex 7 uint64, errors 8 string*, dbSizeInUse 9 int64, isLearner 10 bool, \
        storageVersion 11 string, dbSizeQuota 12 int64, downgradeInfo 13 DowngradeInfo
        DowngradeInfo: enabled 1 bool, targetVersion 2 string
        DowngradeRequest: action 1 DowngradeAction, version 2 string
        DowngradeResponse: header 1 ResponseHeader, version 2 string
        HashResponse: header 1 ResponseHeader, hash 2 uint32
        HashKVRequest: revision 1 int64
        HashKVResponse: header 1 ResponseHeader, hash 2 uint32, compact_revision 3 int64, hash_revision 4 int64
        SnapshotResponse: header 1 ResponseHeader, remaining_bytes 2 uint64, blob 3 bytes, version 4 string
        MoveLeaderRequest: targetID 1 uint64
        """

    private static let recipes = """
        LockRequest: name 1 bytes, lease 2 int64
        LockResponse: header 1 ResponseHeader, key 2 bytes
        UnlockRequest: key 1 bytes
        LeaderKey: name 1 bytes, key 2 bytes, rev 3 int64, lease 4 int64
        CampaignRequest: name 1 bytes, lease 2 int64, value 3 bytes
        CampaignResponse: header 1 ResponseHeader, leader 2 LeaderKey
        ProclaimRequest: leader 1 LeaderKey, value 2 bytes
        LeaderRequest: name 1 bytes
        LeaderResponse: header 1 ResponseHeader, kv 2 KeyValue
        ResignRequest: leader 1 LeaderKey
        """

    private static let auth = """
        AuthStatusResponse: header 1 ResponseHeader, enabled 2 bool, authRevision 3 uint64
        AuthenticateRequest: name 1 string, password 2 string
        AuthenticateResponse: header 1 ResponseHeader, token 2 string
        UserAddOptions: no_password 1 bool
        UserAddRequest: name 1 string, password 2 string, options 3 UserAddOptions, hashedPassword 4 string
        NameRequest: name 1 string
        UserGetResponse: header 1 ResponseHeader, roles 2 string*
        UserListResponse: header 1 ResponseHeader, users 2 string*
        UserChangePasswordRequest: name 1 string, password 2 string, hashedPassword 3 string
        UserGrantRoleRequest: user 1 string, role 2 string
        UserRevokeRoleRequest: name 1 string, role 2 string
        RoleRequest: role 1 string
        Permission: permType 1 PermissionType, key 2 bytes, range_end 3 bytes
        RoleGetResponse: header 1 ResponseHeader, perm 2 Permission*
        RoleListResponse: header 1 ResponseHeader, roles 2 string*
        RoleGrantPermissionRequest: name 1 string, perm 2 Permission
        RoleRevokePermissionRequest: role 1 string, key 2 bytes, range_end 3 bytes
        """
}
