"""A member whose others are lost for good goes on alone with --force-new-cluster: nothing that was acknowledged and is in
its log is lost, whenever it is killed; a flag that is left standing does it once only."""

import os
import random
import threading
import time

from cluster import Cluster, Member
from harness import eventually, parse_arguments, run
from wire import Client, pb

WRITERS = 8
FLAG = "--force-new-cluster"


class Load:
    """Writers that put keys of their own, each again and again, and note what was acknowledged."""

    def __init__(self, endpoint, name):
        self.name = name
        self.acknowledged = {}
        self.stopping = False
        self.threads = [threading.Thread(target=self.write, args=(endpoint, number)) for number in range(WRITERS)]
        for thread in self.threads:
            thread.start()

    def write(self, endpoint, number):
        with Client(endpoint) as client:
            count = 0
            while not self.stopping:
                count += 1
                key, value = f"{self.name}/{number}".encode(), b"%d" % count
                answer = client.finish(client.begin("KV/Put", pb.PutRequest(key=key, value=value), timeout=3,
                                                    wait_for_ready=False))
                if answer.ok:
                    self.acknowledged[key] = count

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()
        return sum(self.acknowledged.values())


def check_held(results, name, client, load):
    """A later put of the same key may have happened without an answer."""
    lost = []
    for key, count in load.acknowledged.items():
        kvs = client.must("KV/Range", pb.RangeRequest(key=key)).kvs
        if not kvs or int(kvs[0].value) < count:
            lost.append((key, count, kvs and kvs[0].value))
    results.check(f"{name}: everything acknowledged is there", not lost, lost)
    results.check(f"{name}: something was acknowledged", len(load.acknowledged) == WRITERS, len(load.acknowledged))


def members_of(client):
    return client.must("Cluster/MemberList", pb.MemberListRequest()).members


def force(member):
    member.flags = [flag for flag in member.flags if flag != FLAG] + [FLAG]


def check_forced(results, arguments, generator, round_number):
    with Cluster(arguments.server, 3, ["--snapshot-count", "500"]) as cluster:
        leader = cluster.leader()
        ids = cluster.ids()
        cluster_id = cluster.status(leader).header.cluster_id
        load = Load(leader.endpoint, "three")
        time.sleep(generator.uniform(0.5, 2))
        # All at once, under load. Whatever was acknowledged, its leader had it on its disk.
        for member in sorted(cluster.members, key=lambda member: member is not leader):
            member.kill()
        print(f"{load.stop()} puts acknowledged by three", flush=True)

        force(leader)
        kills = 0
        for _ in range(4):
            # Killed somewhere on the way to being alone, or shortly after.
            leader.launch()
            time.sleep(generator.uniform(0, 0.15))
            kills += leader.kill() == -9
        results.equal("kills while it starts", kills, 4)
        leader.start()
        client = cluster.client(leader)
        check_held(results, f"round {round_number}, alone", client, load)
        status = cluster.status(leader)
        results.equal("the member's id is kept", status.header.member_id, ids[leader])
        results.equal("the cluster's id is kept", status.header.cluster_id, cluster_id)
        results.equal("it is the only member", [member.ID for member in members_of(client)], [ids[leader]])

        alone = Load(leader.endpoint, "alone")
        results.check("it takes puts", eventually(lambda: sum(list(alone.acknowledged.values())) > 100 * WRITERS))
        leader.kill()
        print(f"{alone.stop()} puts acknowledged by one", flush=True)
        leader.start()
        check_held(results, f"round {round_number}, started again with the flag", client, alone)
        check_growth(results, cluster, leader)


def check_growth(results, cluster, first):
    """New members come, while the flag is still there."""
    for member in cluster.members[:]:
        if member is not first:
            cluster.members.remove(member)
            member.remove()
    new = Member(cluster.binary, 4, cluster.flags)
    add = pb.MemberAddRequest(peerURLs=[new.peer_url])
    results.check("a member is added", eventually(lambda: cluster.client(first).call("Cluster/MemberAdd", add).ok))
    cluster.members.append(new)
    new.initial, new.state = cluster.initial(), "existing"
    new.start()
    results.check("both have it all", eventually(
        lambda: cluster.client(new).call("KV/Range", pb.RangeRequest(key=b"alone/0")).ok))
    first.kill()
    first.start()
    results.equal("a second start with the flag removes nobody", len(members_of(cluster.client(first))), 2)
    results.check("it says why", "carried out before" in first.log_since(0).decode())
    put = pb.PutRequest(key=b"two", value=b"1")
    results.check("the two go on", eventually(lambda: cluster.client(new).call("KV/Put", put, timeout=5).ok))


def check_environment(results, arguments):
    """ETCD_FORCE_NEW_CLUSTER does the same, to a follower that had everything."""
    with Cluster(arguments.server, 3) as cluster:
        left = cluster.followers()[0]
        cluster.client(left).put(b"settled", b"1")
        for member in cluster.members:
            member.kill()
        os.environ["ETCD_FORCE_NEW_CLUSTER"] = "true"
        try:
            left.start()
        finally:
            del os.environ["ETCD_FORCE_NEW_CLUSTER"]
        client = cluster.client(left)
        results.equal("the only member", len(members_of(client)), 1)
        results.equal("with its data", client.get(b"settled").kvs[0].value, b"1")
        left.kill()
        left.start()
        client.put(b"settled", b"2")
        results.equal("without the flag it stays alone", len(members_of(client)), 1)


def main():
    arguments = parse_arguments(__doc__, 90, rounds=(3, "clusters that are killed under load"))

    def body(results):
        generator = random.Random(arguments.seed)
        for round_number in range(arguments.rounds):
            check_forced(results, arguments, generator, round_number)
        check_environment(results, arguments)

    run(arguments, body)


if __name__ == "__main__":
    main()
