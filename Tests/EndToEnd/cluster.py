"""Three members as processes: what a cluster answers, what etcdctl makes of it, and that it goes on when members die."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from harness import ETCDCTL, Server, command_for, eventually, parse_arguments, run
from wire import Client, WatchStream, pb

UNAVAILABLE = "UNAVAILABLE"
PRECONDITION = "FAILED_PRECONDITION"
URL_EXISTS = "etcdserver: Peer URLs already exists"
UNHEALTHY = "etcdserver: unhealthy cluster"


class Member(Server):
    """One of several: the others are named when all are known."""

    def __init__(self, binary, number, flags=(), directory=None):
        super().__init__(binary, flags, label=f"m{number}", directory=directory)
        self.name = f"m{number}"
        self.initial = None
        self.state = "new"

    @property
    def peer_url(self):
        return f"http://127.0.0.1:{self.peer_port}"

    def command(self):
        client = f"http://{self.endpoint}"
        return command_for(self.binary) + [
            "--name", self.name, "--data-dir", self.data_directory,
            "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", self.peer_url, "--initial-advertise-peer-urls", self.peer_url,
            "--initial-cluster", self.initial, "--initial-cluster-state", self.state,
        ] + self.flags


class Cluster:
    def __init__(self, binary, count, flags=()):
        self.binary, self.flags = binary, list(flags)
        self.members = [Member(binary, number + 1, flags) for number in range(count)]
        self.clients = {}
        initial = self.initial()
        for member in self.members:
            member.initial = initial

    def initial(self):
        return ",".join(f"{member.name}={member.peer_url}" for member in self.members)

    def start(self):
        for member in self.members:
            member.launch()
        for member in self.members:
            member.wait_until_ready()
        return self

    def client(self, member):
        if member not in self.clients:
            self.clients[member] = Client(member.endpoint)
        return self.clients[member]

    def status(self, member):
        return self.client(member).must("Maintenance/Status", pb.StatusRequest())

    def running(self):
        return [member for member in self.members if member.process]

    def leader(self, timeout=20):
        """The running member that all running ones follow."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = [self.status(member) for member in self.running()]
            leaders = {status.leader for status in found}
            if len(leaders) == 1 and 0 not in leaders:
                for member, status in zip(self.running(), found):
                    if status.header.member_id in leaders:
                        return member
            time.sleep(0.02)
        raise TimeoutError("no leader")

    def followers(self):
        leader = self.leader()
        return [member for member in self.running() if member is not leader]

    def ids(self):
        return {member: self.status(member).header.member_id for member in self.running()}

    def remove(self):
        for client in self.clients.values():
            client.close()
        for member in self.members:
            member.remove()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is not None:
            for member in self.members:
                print(f"{member.label}:\n{member.log_tail()}", flush=True)
        self.remove()


def etcdctl(members, *arguments):
    endpoints = ",".join(member.endpoint for member in members)
    done = subprocess.run([ETCDCTL, "--endpoints", endpoints, *arguments], capture_output=True, text=True, timeout=30,
                          env={**os.environ, "ETCDCTL_API": "3"})
    return done.returncode, done.stdout, done.stderr


def wait_until_cut(cluster, index, timeout=30):
    """Until no running member's log helps a member that has only the entries up to an index. Logs are cut with a checkpoint,
    which comes by time."""
    if not eventually(lambda: all(member.metric("strake_log_start_index") > index for member in cluster.running()), timeout):
        raise TimeoutError(f"logs begin after {[member.metric('strake_log_start_index') for member in cluster.running()]}")


def wait_until_in_touch(cluster, member):
    """Strict checks want the voters in touch for five seconds. Until then an addition is refused for that, whatever it is;
    then this one is refused for what it is."""
    wait_for_refusal(cluster, member, URL_EXISTS)


def wait_until_missed(cluster, member):
    """Until a member misses one of the others."""
    wait_for_refusal(cluster, member, UNHEALTHY)


def wait_for_refusal(cluster, member, text):
    taken = pb.MemberAddRequest(peerURLs=[member.peer_url])
    answers = []
    if not eventually(lambda: answers.append(cluster.client(member).call("Cluster/MemberAdd", taken).text)
                      or answers[-1] == text):
        raise TimeoutError(f"{member.label} answers {answers[-1]!r}, not {text!r}")


def hashes(cluster):
    found = [cluster.client(member).call("Maintenance/HashKV", pb.HashKVRequest()) for member in cluster.running()]
    return {(answer.message.hash, answer.message.hash_revision) for answer in found}


def check_writes(results, cluster):
    """Everything through every member, read through every other."""
    for member in cluster.members:
        cluster.client(member).put(f"k-{member.name}".encode(), member.name.encode())
    for member in cluster.members:
        for other in cluster.members:
            answer = cluster.client(member).must("KV/Range", pb.RangeRequest(key=f"k-{other.name}".encode()))
            results.equal(f"{other.name}'s key through {member.name}", answer.kvs[0].value, other.name.encode())
    results.check("equal hashes", eventually(lambda: len(hashes(cluster)) == 1), hashes(cluster))
    headers = {cluster.status(member).header.cluster_id for member in cluster.members}
    results.equal("one cluster id", len(headers), 1)


def check_metrics(results, cluster):
    member = cluster.followers()[0]
    page = urllib.request.urlopen(f"http://{member.endpoint}/metrics", timeout=5).read().decode()
    own = f"{cluster.ids()[member]:x}"
    for other, number in cluster.ids().items():
        results.check(f"{other.name} is a known peer", f'known_peers{{Local="{own}",Remote="{number:x}"}} 1' in page)
        if other is not member:
            sent = re.search(rf'etcd_network_peer_sent_bytes_total{{To="{number:x}"}} (\d+)', page)
            results.check(f"bytes sent to {other.name}", sent and int(sent[1]) > 0, sent)


def check_leases(results, cluster):
    follower = cluster.followers()[0]
    client = cluster.client(follower)
    client.must("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=60, ID=70))
    client.must("KV/Put", pb.PutRequest(key=b"leased", value=b"x", lease=70))
    for name, member in (("a follower", follower), ("the leader", cluster.leader())):
        # The client ends its side of the stream with the last request, and still wants its answers.
        kept = cluster.client(member).call("Lease/LeaseKeepAlive", [pb.LeaseKeepAliveRequest(ID=70),
                                                                    pb.LeaseKeepAliveRequest(ID=71)])
        results.equal(f"keep-alives through {name}", sorted((one.ID, one.TTL) for one in kept.message or []),
                      [(70, 60), (71, 0)])
    left = client.must("Lease/LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=70, keys=True))
    results.check("time to live through a follower", 55 <= left.TTL <= 60 and left.grantedTTL == 60, left)
    results.equal("its keys", list(left.keys), [b"leased"])
    client.must("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=2, ID=72))
    client.must("KV/Put", pb.PutRequest(key=b"short", value=b"x", lease=72))
    results.check("a lease ends on every member", eventually(lambda: all(
        not cluster.client(member).must("KV/Range", pb.RangeRequest(key=b"short", serializable=True)).kvs
        for member in cluster.members)))


def check_refusals(results, cluster):
    """Operations on members that etcd refuses, with its codes and words."""
    leader, follower, other = cluster.leader(), *cluster.followers()
    ids = cluster.ids()

    def refused(name, member, method, request, code, text):
        answer = cluster.client(member).call(method, request)
        results.equal(name, (answer.code, answer.text), (code, "etcdserver: " + text))

    refused("move leader asked of a follower", follower, "Maintenance/MoveLeader",
            pb.MoveLeaderRequest(targetID=ids[other]), PRECONDITION, "not leader")
    refused("move leader to nobody", leader, "Maintenance/MoveLeader", pb.MoveLeaderRequest(targetID=5), PRECONDITION,
            "bad leader transferee")
    refused("promote a voter", follower, "Cluster/MemberPromote", pb.MemberPromoteRequest(ID=ids[follower]),
            PRECONDITION, "can only promote a learner member")
    refused("add at a bad URL", follower, "Cluster/MemberAdd", pb.MemberAddRequest(peerURLs=["bad"]),
            "INVALID_ARGUMENT", "given member URLs are invalid")
    refused("update to another's URL", follower, "Cluster/MemberUpdate",
            pb.MemberUpdateRequest(ID=ids[follower], peerURLs=[other.peer_url]), PRECONDITION,
            "Peer URLs already exists")
    refused("remove nobody", follower, "Cluster/MemberRemove", pb.MemberRemoveRequest(ID=5), "NOT_FOUND",
            "member not found")


def check_move_leader(results, cluster):
    target = cluster.followers()[0]
    code, out, err = etcdctl([cluster.leader()], "move-leader", f"{cluster.ids()[target]:x}")
    results.equal("etcdctl move-leader", code, 0) or print(out, err)
    results.check("the leader moved", eventually(lambda: cluster.leader() is target))


def check_renewal_in_hand_over(results, cluster):
    """What a leader answers to a keep-alive while it hands over, the next leader keeps."""
    leader, heir = cluster.leader(), cluster.followers()[0]
    client, heirs_id = cluster.client(leader), cluster.ids()[heir]
    client.must("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=20, ID=73))
    # After five seconds the leader has the log say how much is left: a keep-alive has to undo that.
    time.sleep(6.2)
    heir.process.send_signal(signal.SIGSTOP)
    move = client.begin("Maintenance/MoveLeader", pb.MoveLeaderRequest(targetID=heirs_id))
    time.sleep(0.1)
    with ThreadPoolExecutor(1) as pool:
        kept = pool.submit(client.call, "Lease/LeaseKeepAlive", [pb.LeaseKeepAliveRequest(ID=73)])
        time.sleep(0.2)
        heir.process.send_signal(signal.SIGCONT)
    results.check("the leadership is handed over", client.finish(move).ok)
    results.equal("a keep-alive meanwhile", [one.TTL for one in kept.result().message or []], [20])
    results.check("the heir leads", eventually(lambda: cluster.leader() is heir))
    left = cluster.client(heir).must("Lease/LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=73))
    results.check("the heir gives the lease as much", left.TTL >= 18, left)


def check_member_changes(results, cluster):
    """A learner comes, catches up, is promoted, and goes again."""
    follower = cluster.followers()[0]
    new = Member(cluster.binary, len(cluster.members) + 1, cluster.flags)
    add = pb.MemberAddRequest(peerURLs=[new.peer_url], isLearner=True)
    # etcd wants the voters in touch for five seconds first.
    results.check("a learner is added", eventually(
        lambda: cluster.client(follower).call("Cluster/MemberAdd", add).ok, timeout=15))
    second = cluster.client(follower).call("Cluster/MemberAdd",
                                           pb.MemberAddRequest(peerURLs=["http://127.0.0.1:1"], isLearner=True))
    results.equal("no second one", second.text, "etcdserver: too many learner members in cluster")
    cluster.members.append(new)
    new.initial, new.state = cluster.initial(), "existing"
    new.start()
    learner = cluster.status(new).header.member_id
    promote = pb.MemberPromoteRequest(ID=learner)
    results.check("it is a learner", cluster.status(new).isLearner)
    for method, request in (("KV/Range", pb.RangeRequest(key=b"a")), ("KV/Put", pb.PutRequest(key=b"a")),
                            ("Cluster/MemberList", pb.MemberListRequest()),
                            ("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=60, ID=71)),
                            ("Maintenance/HashKV", pb.HashKVRequest())):
        answer = cluster.client(new).call(method, request)
        results.equal(f"a learner asked for {method}", (answer.code, answer.text),
                      (PRECONDITION, "etcdserver: rpc not supported for learner"))
    local = pb.RangeRequest(key=b"k-m1", serializable=True)
    results.check("it serves serializable reads", eventually(
        lambda: len(cluster.client(new).must("KV/Range", local).kvs) == 1))
    results.check("it is promoted once in sync", eventually(
        lambda: cluster.client(follower).call("Cluster/MemberPromote", promote).ok))
    results.check("it writes", eventually(
        lambda: cluster.client(new).call("KV/Put", pb.PutRequest(key=b"by m4", value=b"x")).ok))
    code, out, _ = etcdctl(cluster.running(), "endpoint", "status", "-w", "json")
    results.check("etcdctl endpoint status", code == 0 and len(json.loads(out)) == 4, out)
    code, out, err = etcdctl([follower], "member", "remove", f"{learner:x}")
    results.check("etcdctl member remove", code == 0, out + err)
    results.check("the removed member ends by itself", eventually(lambda: new.process.poll() is not None))
    results.equal("with exit code 0", new.process.poll(), 0)
    new.process = None
    code, out, _ = etcdctl([follower], "member", "list")
    results.equal("three members are left", len(out.splitlines()), 3)


def check_strict(results, arguments):
    """--strict-reconfig-check: whether one more member is let in while one is down, as with etcd. One that is down makes a
    difference as soon as it is missed; a second one would take the quorum away."""
    for binary in (arguments.server, arguments.peer):
        for strict, answer in (("true", (UNAVAILABLE, UNHEALTHY)), ("false", ("OK", ""))):
            with Cluster(binary, 3, [f"--strict-reconfig-check={strict}"]) as cluster:
                one, two = cluster.followers()
                two.kill()
                add = pb.MemberAddRequest(peerURLs=[two.peer_url.replace(str(two.peer_port), "1")], isLearner=True)
                added = cluster.client(one).call("Cluster/MemberAdd", add)
                name = f"{os.path.basename(binary)} with --strict-reconfig-check={strict}"
                results.equal(f"{name}: another member beside one that is down", (added.code, added.text), answer)
                count = len(cluster.client(one).must("Cluster/MemberList", pb.MemberListRequest()).members)
                results.equal(f"{name}: members", count, 4 if added.ok else 3)


def check_death(results, cluster):
    """The leader dies; the rest goes on, and it comes back."""
    leader = cluster.leader()
    rest = cluster.followers()
    began = time.monotonic()
    leader.kill()
    put = pb.PutRequest(key=b"after death", value=b"1")
    results.check("writes go on", eventually(lambda: cluster.client(rest[0]).call("KV/Put", put, timeout=5).ok))
    print(f"writes after {time.monotonic() - began:.2f} s", flush=True)
    leader.start()
    results.check("the dead one catches up", eventually(
        lambda: len(cluster.client(leader).must(
            "KV/Range", pb.RangeRequest(key=b"after death", serializable=True)).kvs) == 1))
    results.check("equal hashes", eventually(lambda: len(hashes(cluster)) == 1), hashes(cluster))


def check_snapshot(results, cluster):
    """A member that was away longer than the log reaches."""
    away, other = cluster.followers()
    last = cluster.status(away).raftIndex
    away.kill()
    client = cluster.client(other)
    value = b"x" * 1_000
    futures = [client.begin("KV/Put", pb.PutRequest(key=b"bulk%d" % (number % 2_000), value=value))
               for number in range(6_000)]
    results.check("6,000 puts without it", all(client.finish(future).ok for future in futures))
    wait_until_cut(cluster, last)
    away.start()
    results.check("it has the last one", eventually(lambda: len(hashes(cluster)) == 1), hashes(cluster))
    results.check("by a snapshot", eventually(lambda: b"applied snapshot" in away.log_since(0)))
    results.check("which another member says that it sent", eventually(lambda: any(
        b"sent database snapshot" in member.log_since(0) for member in cluster.members if member is not away)))
    saves, flushes = (away.metric(f"etcd_snap_db_{part}_duration_seconds_count") for part in ("save_total", "fsync"))
    results.check("which is timed", saves == flushes >= 1, f"{saves} received, {flushes} flushed")
    there = client.must("KV/Range", pb.RangeRequest(key=b"\0", range_end=b"\0", count_only=True)).count
    results.check("of more than 2,000 keys", there > 2_000, there)
    for member in cluster.running():
        results.equal("metric of keys", member.metric("etcd_debugging_mvcc_keys_total"), there)
    commit, write = (other.metric(f"etcd_{name}_duration_seconds_sum") for name in (
        "disk_backend_commit", "debugging_disk_backend_commit_write"))
    results.check("a checkpoint's commits are a part of it", 0 < write < commit, f"{write} of {commit} s")


def check_no_quorum(results, cluster):
    left, *others = cluster.running()
    watch_with = WatchStream(cluster.client(left), metadata=[("hasleader", "true")])
    watch_with.create(key=b"a")
    for other in others:
        other.process.send_signal(signal.SIGSTOP)
    client = cluster.client(left)
    try:
        results.check("the leader is missed", eventually(lambda: cluster.status(left).leader == 0, timeout=5))
        needs = [("hasleader", "true")]
        answer = client.call("KV/Range", pb.RangeRequest(key=b"k-m1", serializable=True), metadata=needs)
        results.equal("hasleader", (answer.code, answer.text), (UNAVAILABLE, "etcdserver: no leader"))
        answer = client.call("KV/Range", pb.RangeRequest(key=b"k-m1", serializable=True))
        results.check("a serializable read", answer.ok and answer.message.kvs, answer)
        results.check("the member list", client.call("Cluster/MemberList", pb.MemberListRequest()).ok)
        answer = client.call("Maintenance/MoveLeader", pb.MoveLeaderRequest(targetID=5))
        results.equal("move leader", answer.text, "etcdserver: not leader")
        answer = client.call("Cluster/MemberAdd", pb.MemberAddRequest(peerURLs=["http://127.0.0.1:1"]))
        results.equal("member add", answer.text, UNHEALTHY)
        put = client.begin("KV/Put", pb.PutRequest(key=b"a", value=b"1"))
        read = client.begin("KV/Range", pb.RangeRequest(key=b"a"))
        results.equal("a put in vain", client.finish(put).code, "DEADLINE_EXCEEDED")
        results.equal("a linearizable read in vain", client.finish(read).text, "etcdserver: request timed out")
        results.check("an open watch with hasleader ends", eventually(lambda: watch_with.end is not None), "still open")
        results.equal("in etcd's words", watch_with.end and watch_with.end.text, "etcdserver: no leader")
    finally:
        for other in others:
            other.process.send_signal(signal.SIGCONT)
    results.check("all is well again", eventually(
        lambda: client.call("KV/Put", pb.PutRequest(key=b"healed", value=b"1")).ok))


def main():
    arguments = parse_arguments(__doc__, 120)

    def body(results):
        flags = ["--snapshot-count", "500"] if os.path.basename(arguments.server) == "strake" else []
        with Cluster(arguments.server, 3, flags) as cluster:
            check_writes(results, cluster)
            check_refusals(results, cluster)
            check_metrics(results, cluster)
            check_leases(results, cluster)
            check_move_leader(results, cluster)
            check_renewal_in_hand_over(results, cluster)
            check_member_changes(results, cluster)
            check_death(results, cluster)
            check_snapshot(results, cluster)
            check_no_quorum(results, cluster)
        check_strict(results, arguments)

    run(arguments, body)


if __name__ == "__main__":
    main()
