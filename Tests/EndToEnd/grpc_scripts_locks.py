"""Hand-picked conversations about locks and elections. Each runs on two fresh servers."""

from normalise import normalised
from wire import Client, election_pb, lock_pb, pb

R = pb.RangeRequest
ALL = dict(key=b"\0", range_end=b"\0")
WAIT = 10


class PairCall:
    """A call that waits on both servers."""

    def __init__(self, pair, method, request):
        self.pair, self.request = pair, request
        self.futures = [client.begin(method, request, timeout=60) for client in pair.clients]

    def ends(self, label):
        self.pair.compare(label, [Client.finish(future) for future in self.futures], self.request)

    def cancel(self):
        for future in self.futures:
            future.cancel()


def waits(pair, method, request, key):
    """Begins a call that cannot end yet, and returns when its key is there on both servers."""
    with pair.watch(dict(key=key)) as watch:
        watch.answers(f"watch {key}")
        call = PairCall(pair, method, request)
        watch.events(f"{key} waits", 1)
    return call


def goes(pair, key, cause):
    """Does something and waits until the key is gone on both."""
    with pair.watch(dict(key=key)) as watch:
        watch.answers(f"watch {key}")
        cause()
        watch.events(f"{key} goes", 1)


def lease(pair, *ids):
    for each in ids:
        pair.call("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=100, ID=each))


def lock(name, identifier):
    return lock_pb.LockRequest(name=name, lease=identifier)


def locks(pair):
    call = pair.call
    lease(pair, 10, 11, 12, 0x7fffffffffffff01)
    call("Lock/Lock", lock(b"m", 10), "nobody has it")
    call("Lock/Lock", lock(b"m", 10), "it has it already")
    call("Lock/Lock", lock(b"m/below", 11), "another name, below the first")
    call("Lock/Lock", lock(b"", 11), "a lock without a name")
    call("Lock/Lock", lock(b"other", 99), "no such lease")
    call("Lock/Lock", lock(b"\xff\xff", 0x7fffffffffffff01), "a binary name and a large lease")
    call("KV/Range", R(**ALL), "the keys of locks")
    second = waits(pair, "Lock/Lock", lock(b"m", 11), b"m/b")
    third = waits(pair, "Lock/Lock", lock(b"m", 12), b"m/c")
    call("KV/Range", R(key=b"m/", range_end=b"m0"), "three want it")
    call("Lock/Unlock", lock_pb.UnlockRequest(key=b"m/a"), "unlock")
    # "m/below/b" is under "m/" too, and was there before.
    call("Lock/Unlock", lock_pb.UnlockRequest(key=b"m/below/b"), "unlock what is below")
    second.ends("the second has it")
    goes(pair, b"m/c", third.cancel)
    call("Lock/Unlock", lock_pb.UnlockRequest(key=b"m/b"), "unlock again")
    call("Lock/Unlock", lock_pb.UnlockRequest(key=b"m/b"), "unlock what is unlocked")
    call("Lock/Unlock", lock_pb.UnlockRequest(), "unlock nothing")
    call("KV/Range", R(key=b"m", range_end=b"n"), "nothing is left")


def lock_ends(pair):
    """Locks that end without an unlock: by lease, by delete, and behind one's back."""
    call = pair.call
    lease(pair, 10, 11, 12, 13)
    call("Lock/Lock", lock(b"m", 10))
    second = waits(pair, "Lock/Lock", lock(b"m", 11), b"m/b")
    third = waits(pair, "Lock/Lock", lock(b"m", 12), b"m/c")
    fourth = waits(pair, "Lock/Lock", lock(b"m", 13), b"m/d")
    call("Lease/LeaseRevoke", pb.LeaseRevokeRequest(ID=12), "one that waits loses its lease")
    call("Lease/LeaseRevoke", pb.LeaseRevokeRequest(ID=10), "the holder loses its lease")
    second.ends("the next one has it")
    call("KV/DeleteRange", pb.DeleteRangeRequest(key=b"m/b"), "the holder's key is deleted")
    third.ends("the lease of who waited has expired")
    fourth.ends("the last one has it")
    call("KV/Range", R(**ALL))


def lock_without_lease(pair):
    """The server grants one, with an id of its own."""
    for client in pair.clients:
        answer = client.must("Lock/Lock", lock(b"m", 0))
        kv = client.get(answer.key).kvs[0]
        pair.results.check("the key is the name and the lease", answer.key == b"m/%x" % kv.lease, answer)
        ttl = client.must("Lease/LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=kv.lease))
        pair.results.check("the lease has 60 seconds", ttl.grantedTTL == 60, ttl)


def campaign(name, identifier, value):
    return election_pb.CampaignRequest(name=name, lease=identifier, value=value)


def leader_key(name, revision, identifier):
    return election_pb.LeaderKey(name=name, key=b"%s/%x" % (name, identifier), rev=revision, lease=identifier)


def elections(pair):
    call = pair.call
    lease(pair, 10, 11, 12)
    call("Election/Leader", election_pb.LeaderRequest(name=b"el"), "nobody leads")
    call("Election/Campaign", campaign(b"el", 10, b"p1"), "the first leads")
    call("Election/Campaign", campaign(b"el", 10, b"p1"), "and leads")
    call("Election/Campaign", campaign(b"el", 10, b"p1b"), "and says something else")
    call("Election/Campaign", campaign(b"other", 99, b"x"), "no such lease")
    call("Election/Campaign", campaign(b"", 12, b"nameless"), "an election without a name")
    second = waits(pair, "Election/Campaign", campaign(b"el", 11, b"p2"), b"el/b")
    third = waits(pair, "Election/Campaign", campaign(b"el", 12, b"p3"), b"el/c")
    call("Election/Leader", election_pb.LeaderRequest(name=b"el"))
    first = leader_key(b"el", 2, 10)
    call("Election/Proclaim", election_pb.ProclaimRequest(leader=first, value=b"p1c"))
    call("Election/Leader", election_pb.LeaderRequest(name=b"el"), "what it proclaimed")
    call("Election/Proclaim", election_pb.ProclaimRequest(value=b"x"), "whose?")
    call("Election/Proclaim",
         election_pb.ProclaimRequest(leader=leader_key(b"el", 1, 10), value=b"x"), "an older key")
    call("Election/Proclaim",
         election_pb.ProclaimRequest(leader=leader_key(b"el", 2, 99), value=b"x"), "no such lease")
    call("Election/Resign", election_pb.ResignRequest(), "who?")
    call("Election/Resign", election_pb.ResignRequest(leader=leader_key(b"el", 1, 10)), "an older key stays")
    goes(pair, b"el/c", third.cancel)
    call("Election/Resign", election_pb.ResignRequest(leader=first), "resigned")
    second.ends("the second leads")
    call("Election/Leader", election_pb.LeaderRequest(name=b"el"), "another leads")
    call("Election/Resign", election_pb.ResignRequest(leader=first), "resigned again")
    call("Election/Proclaim", election_pb.ProclaimRequest(leader=first, value=b"x"), "leads no more")
    call("KV/Range", R(**ALL))


def observers(pair):
    """One from the beginning, one who comes later; each change is awaited before the next is made."""
    call = pair.call
    lease(pair, 10, 11)
    request = election_pb.LeaderRequest(name=b"el")
    streams = [client.open("Election/Observe", request) for client in pair.clients]
    call("KV/Put", pb.PutRequest(key=b"elsewhere", value=b"1"))
    call("Election/Campaign", campaign(b"el", 10, b"p1"))
    told(pair, streams, "the first leads")
    second = waits(pair, "Election/Campaign", campaign(b"el", 11, b"p2"), b"el/b")
    first = leader_key(b"el", 3, 10)
    call("Election/Proclaim", election_pb.ProclaimRequest(leader=first, value=b"p1b"))
    told(pair, streams, "it proclaims")
    late = [client.open("Election/Observe", request) for client in pair.clients]
    told(pair, late, "who comes late is told at once")
    call("Election/Resign", election_pb.ResignRequest(leader=first))
    second.ends("the second leads")
    for each in (streams, late):
        told(pair, each, "the second leads")
    call("Lease/LeaseRevoke", pb.LeaseRevokeRequest(ID=11))
    call("Election/Campaign", campaign(b"el", 10, b"again"))
    for each in (streams, late):
        told(pair, each, "after nobody led")
        for stream in each:
            stream.close()


def told(pair, streams, label):
    messages = [stream.next(WAIT) for stream in streams]
    pair.results.check(f"{label}: an observer is told", None not in messages, messages)
    pair.same(f"observed: {label}", *[str(normalised(message)) for message in messages])


SCRIPTS = [locks, lock_ends, lock_without_lease, elections, observers]
