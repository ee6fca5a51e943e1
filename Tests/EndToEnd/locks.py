"""Locks and elections on three members: contenders on all of them, one at a time has it, and a killed leader."""

import itertools
import random
import threading

from cluster import Cluster, eventually
from harness import parse_arguments, run
from wire import Client, election_pb, lock_pb, pb

CONTENDERS = 9
ROUNDS = 12
# At which turn of all the leader is killed.
KILL_AT = CONTENDERS * ROUNDS // 3
NAME, COUNTER = b"turn", b"counter"
TRIES_MAX = 200


class Contenders:
    """Threads that count up one key, each with a read and a later write under the lock. As the key has no other guard,
    two who hold the lock at once lose a count."""

    def __init__(self, cluster, rng):
        self.cluster = cluster
        self.turns = itertools.count(1)
        self.holders, self.most = 0, 0
        self.guard = threading.Lock()
        self.kill = threading.Event()
        self.failures = []
        self.threads = [threading.Thread(target=self.work, args=(number, random.Random(rng.random())))
                        for number in range(CONTENDERS)]

    def work(self, number, rng):
        try:
            lease = 1_000 + number
            self.until_done(number, "Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=600, ID=lease), "lease already exists")
            for _ in range(ROUNDS):
                self.turn(number, lease)
        except Exception as error:  # noqa: BLE001 - for the main thread
            self.failures.append(f"contender {number}: {error!r}")

    def turn(self, number, lease):
        held = self.until_done(number, "Lock/Lock", lock_pb.LockRequest(name=NAME, lease=lease))
        with self.guard:
            self.holders += 1
            self.most = max(self.most, self.holders)
        if next(self.turns) == KILL_AT:
            self.kill.set()
        found = self.until_done(number, "KV/Range", pb.RangeRequest(key=COUNTER)).kvs
        count = int(found[0].value) if found else 0
        # Putting the same value again is harmless while the lock is held.
        self.until_done(number, "KV/Put", pb.PutRequest(key=COUNTER, value=b"%d" % (count + 1)))
        with self.guard:
            self.holders -= 1
        self.until_done(number, "Lock/Unlock", lock_pb.UnlockRequest(key=held.key))

    def until_done(self, number, method, request, enough="never"):
        """Asks this contender's member, and the next one when that fails."""
        for attempt in range(TRIES_MAX):
            members = self.cluster.running()
            with Client(members[(number + attempt) % len(members)].endpoint) as client:
                answer = client.call(method, request, timeout=60)
            if answer.ok or enough in answer.text:
                return answer.message
        raise TimeoutError(f"{method} failed {TRIES_MAX} times: {answer}")


def check_turns(results, arguments):
    with Cluster(arguments.server, 3) as cluster:
        contenders = Contenders(cluster, random.Random(arguments.seed))
        for thread in contenders.threads:
            thread.start()
        if contenders.kill.wait(60):
            leader = cluster.leader()
            leader.kill()
            leader.start()
        for thread in contenders.threads:
            thread.join(120)
        results.equal("contenders that failed", contenders.failures, [])
        results.check("all came to their ends", not any(thread.is_alive() for thread in contenders.threads))
        results.equal("the most who had the lock at once", contenders.most, 1)
        client = cluster.client(cluster.leader())
        results.equal("counted", client.get(COUNTER).kvs[0].value, b"%d" % (CONTENDERS * ROUNDS))
        results.equal("keys of contenders that are left", client.get(NAME + b"/", range_end=NAME + b"0").count, 0)


def check_members(results, arguments):
    """Who waits on one member is woken by what another one did, and goes with its connection."""
    with Cluster(arguments.server, 3) as cluster:
        one, two, three = cluster.members
        client = cluster.client(one)
        for lease in (1, 2, 3):
            client.must("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=600, ID=lease))
        client.must("Lock/Lock", lock_pb.LockRequest(name=b"m", lease=1))
        gone = Client(two.endpoint)
        # Kept: gRPC cancels a call that nobody holds.
        abandoned = gone.begin("Lock/Lock", lock_pb.LockRequest(name=b"m", lease=2), timeout=60)
        results.check("the second waits", eventually(lambda: client.get(b"m/2").count == 1))
        waiting = cluster.client(three).begin("Lock/Lock", lock_pb.LockRequest(name=b"m", lease=3), timeout=60)
        results.check("the third waits", eventually(lambda: client.get(b"m/3").count == 1))
        gone.close()
        results.equal("a call on a closed connection", Client.finish(abandoned).code, "CANCELLED")
        results.check("who is gone waits no more", eventually(lambda: client.get(b"m/2").count == 0))
        results.check("and has not let the third in", not waiting.done())
        cluster.client(two).must("Lock/Unlock", lock_pb.UnlockRequest(key=b"m/1"))
        results.equal("the third has it", Client.finish(waiting).message.key, b"m/3")
        check_observer(results, cluster)


def check_observer(results, cluster):
    one, two, three = cluster.members
    with cluster.client(three).open("Election/Observe", election_pb.LeaderRequest(name=b"e")) as observer:
        campaign = election_pb.CampaignRequest(name=b"e", lease=1, value=b"v1")
        leader = cluster.client(one).must("Election/Campaign", campaign).leader
        results.equal("an observer on another member", observer.next(10).kv.value, b"v1")
        cluster.client(two).must("Election/Proclaim", election_pb.ProclaimRequest(leader=leader, value=b"v2"))
        results.equal("hears what is proclaimed through a third", observer.next(10).kv.value, b"v2")


def main():
    arguments = parse_arguments(__doc__, 90)

    def body(results):
        check_members(results, arguments)
        check_turns(results, arguments)

    run(arguments, body)


if __name__ == "__main__":
    main()
