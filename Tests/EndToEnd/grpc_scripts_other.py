"""Hand-picked conversations about leases, alarms, hashes and health. Each runs on two fresh servers."""

from grpc_scripts_kv import delete, get, put, txn
from normalise import describe, lease_ids
from wire import health_pb2, pb

R = pb.RangeRequest


def leases(pair):
    call = pair.call
    for fields in [dict(TTL=100, ID=10), dict(TTL=100, ID=10), dict(TTL=1, ID=11), dict(TTL=0, ID=12),
                   dict(TTL=-1, ID=13), dict(TTL=9_000_000_000, ID=14), dict(TTL=9_000_000_001, ID=15),
                   dict(TTL=500, ID=-16),
                   dict(TTL=500, ID=1 << 62)]:
        call("Lease/LeaseGrant", pb.LeaseGrantRequest(**fields))
    for key, lease in [(b"b", 10), (b"a", 10), (b"c", 14), (b"d", 10)]:
        call("KV/Put", pb.PutRequest(key=key, value=b"1", lease=lease))
    for identifier in (10, 14, 99, 0, -16):
        call("Lease/LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=identifier, keys=True))
        call("Lease/LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=identifier))
    call("KV/Put", pb.PutRequest(key=b"a", value=b"2"), "a put without lease detaches the key")
    call("KV/Put", pb.PutRequest(key=b"b", value=b"2", ignore_lease=True, prev_kv=True))
    call("KV/Put", pb.PutRequest(key=b"d", value=b"2", lease=14), "a put moves the key to another lease")
    call("KV/DeleteRange", pb.DeleteRangeRequest(key=b"c"))
    call("KV/Put", pb.PutRequest(key=b"c", value=b"reborn without lease"))
    for identifier in (10, 14):
        call("Lease/LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=identifier, keys=True), f"keys of {identifier}")
    call("KV/Txn", txn((), [put(b"t1", lease=10), put(b"t2", lease=14), delete(b"b"), get(b"t1")]))
    call("KV/Txn", txn((), [put(b"t3", lease=10), put(b"t4", lease=99)]), "a lease that is not there undoes all")
    call("KV/Range", R(key=b"\0", range_end=b"\0"))
    with pair.watch(dict(key=b"\0", range_end=b"\0", prev_kv=True)) as watch:
        watch.answers("created")
        call("Lease/LeaseRevoke", pb.LeaseRevokeRequest(ID=14))
        watch.events("keys of a revoked lease go in one revision", 2)
        call("Lease/LeaseRevoke", pb.LeaseRevokeRequest(ID=-16))
        watch.quiet("a lease without keys changes nothing")
    for identifier in (14, 0, 99):
        call("Lease/LeaseRevoke", pb.LeaseRevokeRequest(ID=identifier), f"revoke {identifier} again")
    call("KV/Put", pb.PutRequest(key=b"x", lease=14))
    listed(pair)
    pair.stream("Lease/LeaseKeepAlive", [pb.LeaseKeepAliveRequest(ID=i) for i in (10, 14, 10, 0)], "keep-alive")
    pair.restart()
    listed(pair)
    call("Lease/LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=10, keys=True), "after a restart")
    call("Lease/LeaseRevoke", pb.LeaseRevokeRequest(ID=10), "revoke after a restart")
    call("KV/Range", R(key=b"\0", range_end=b"\0"), "keys after all")


def listed(pair):
    """Ids only: short leases may have run out on one side and not yet on the other."""
    answers = [client.must("Lease/LeaseLeases", pb.LeaseLeasesRequest()) for client in pair.clients]
    pair.same("leases listed", *[lease_ids(a, without={11, 12, 13}) for a in answers])


def lease_expiry(pair):
    pair.call("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=2, ID=20))
    pair.call("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=60, ID=21))
    for key, lease in [(b"z", 20), (b"y", 20), (b"x", 20), (b"stays", 21)]:
        pair.call("KV/Put", pb.PutRequest(key=key, value=b"1", lease=lease))
    pair.call("KV/Put", pb.PutRequest(key=b"x", value=b"2"), "x no longer depends on the lease")
    with pair.watch(dict(key=b"\0", range_end=b"\0", prev_kv=True)) as watch:
        watch.answers("created")
        watch.events("both keys go in one revision, in key order", 2)
    pair.call("KV/Range", R(key=b"\0", range_end=b"\0"))
    pair.call("Lease/LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=20, keys=True), "the expired lease")


def alarms(pair):
    call = pair.call
    call("KV/Put", pb.PutRequest(key=b"a", value=b"1"))
    for alarm in (1, 2):
        members = [client.must("Maintenance/Status", pb.StatusRequest()).header.member_id for client in pair.clients]
        pair.compare(f"alarm {alarm} activated", [
            client.call("Maintenance/Alarm", pb.AlarmRequest(action=1, memberID=member, alarm=alarm))
            for client, member in zip(pair.clients, members)])
        call("Maintenance/Alarm", pb.AlarmRequest(), f"alarm {alarm} listed")
        for method, request in [
                ("KV/Put", pb.PutRequest(key=b"a", value=b"2")),
                ("KV/DeleteRange", pb.DeleteRangeRequest(key=b"none")),
                ("KV/Txn", txn((), [put(b"a")])),
                ("KV/Txn", txn((), (), [put(b"a")])),
                ("KV/Txn", txn((), [delete(b"none")])),
                ("KV/Txn", txn((), [get(b"a", serializable=True)])),
                ("KV/Txn", txn((), [get(b"a"), get(b"a", b"b")])),
                ("KV/Range", R(key=b"a", serializable=True)),
                ("KV/Range", R(key=b"a")),
                ("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=60, ID=5)),
                ("KV/Compact", pb.CompactionRequest(revision=9999))]:
            call(method, request, f"under alarm {alarm}: {method} {str(request)[:60]!r}")
        pair.compare(f"alarm {alarm} deactivated", [
            client.call("Maintenance/Alarm", pb.AlarmRequest(action=2, memberID=member, alarm=alarm))
            for client, member in zip(pair.clients, members)])
        call("KV/Put", pb.PutRequest(key=b"a", value=b"3"), f"put after alarm {alarm}")
    call("Maintenance/Alarm", pb.AlarmRequest(), "alarm list empty again")


def maintenance(pair):
    for index in range(20):
        pair.call("KV/Put", pb.PutRequest(key=b"%d" % (index % 7), value=b"x" * index))
    pair.call("Maintenance/HashKV", pb.HashKVRequest())
    pair.call("Maintenance/HashKV", pb.HashKVRequest(revision=9))
    pair.call("Maintenance/HashKV", pb.HashKVRequest(revision=9999), "hash of the future")
    pair.call("KV/Compact", pb.CompactionRequest(revision=10, physical=True))
    pair.call("Maintenance/HashKV", pb.HashKVRequest(revision=9), "hash of a compacted revision")
    pair.call("Maintenance/HashKV", pb.HashKVRequest(revision=10), "hash of the compact revision")
    pair.call("Maintenance/Defragment", pb.DefragmentRequest())
    pair.call("Maintenance/Status", pb.StatusRequest())
    pair.call("Cluster/MemberList", pb.MemberListRequest())
    pair.call("Cluster/MemberList", pb.MemberListRequest(linearizable=True))
    pair.call("KV/Range", R(key=b"\0", range_end=b"\0"))


def health(pair):
    for service in ("", "etcdserverpb.KV", "nosuch"):
        request = health_pb2.HealthCheckRequest(service=service)
        pair.call("Health/Check", request)
        streams = [client.open("Health/Watch", request) for client in pair.clients]
        pair.same(f"watch of the health of {service!r}: the first answer",
                  *[describe(stream.next(5)) for stream in streams])
        pair.same(f"watch of the health of {service!r}: no more until it changes",
                  *[(stream.next(0.2), stream.end) for stream in streams])
        for stream in streams:
            stream.close()


SCRIPTS = [leases, lease_expiry, alarms, maintenance, health]
