"""Data directories of etcd servers that were stopped, or killed while they wrote, become stores of ours: `strake ctl snapshot
restore --from-etcd`. What the etcd answers at its next start is what the store has to answer."""

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.parse
import urllib.request

from cluster import Cluster
from harness import PEERS, Server, eventually, parse_arguments, run
from snapshot import EVERYTHING, View, compact, fill, tool
from wire import Client, auth_pb, pb

ETCDCTL = {version: os.path.join(PEERS, f"etcd-{version}", "etcdctl") for version in ("3.4", "3.5")}
ETCD = {version: os.path.join(PEERS, f"etcd-{version}", "etcd") for version in ("3.4", "3.5")}
AS_IT_WAS = ("--bump-revision=0", "--mark-compacted=false")
# So that the database keeps nothing of what was written, and the log has all.
LATE_COMMITS = ["--backend-batch-interval=10m", "--backend-batch-limit=10000000"]
WRITERS = 8


def restore(server, *source):
    """The data directory of `server` from an etcd's directory or snapshot, by `strake ctl`; what that printed."""
    peer = f"http://127.0.0.1:{server.peer_port}"
    command = [server.binary, "ctl", "snapshot", "restore", *source, "--data-dir", server.data_directory,
               "--name", "m1", "--initial-cluster", f"m1={peer}", "--initial-advertise-peer-urls", peer]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def files(directory):
    """Everything in a directory, to see that nobody changes it."""
    found = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                found[os.path.join(folder, name)] = hashlib.sha256(file.read()).hexdigest()
    return found


def alarms(client):
    answer = client.must("Maintenance/Alarm", pb.AlarmRequest(action=pb.AlarmRequest.GET))
    return [(alarm.memberID, alarm.alarm) for alarm in answer.alarms]


class Writer(threading.Thread):
    """Puts one key after the other until nobody answers; every acknowledged one is written down."""

    def __init__(self, endpoint, number):
        super().__init__(daemon=True)
        self.client, self.number, self.acknowledged = Client(endpoint), number, {}

    def run(self):
        for count in range(1_000_000):
            key = b"w%d/%d" % (self.number, count)
            answer = Client.finish(self.client.begin("KV/Put", pb.PutRequest(key=key, value=b"%d" % count * 20),
                                                     timeout=5, wait_for_ready=False))
            if not answer.ok:
                return
            self.acknowledged[key] = answer.message.header.revision


def write_until_killed(etcd, rng, others=()):
    """{key: revision} of what was acknowledged before SIGKILL, which ends others at the same moment."""
    writers = [Writer(etcd.endpoint, number) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    time.sleep(rng.uniform(0.5, 0.9))
    for each in (etcd, *others):
        each.process.send_signal(signal.SIGKILL)
    for each in (etcd, *others):
        each.kill()
    acknowledged = {}
    for writer in writers:
        writer.join(10)
        writer.client.close()
        acknowledged |= writer.acknowledged
    return acknowledged


def check_directory(results, name, arguments, etcd, compacted, least=0, most=10**6, acknowledged=()):
    """The directory of an etcd that does not run any more, against what that etcd answers afterwards."""
    copied = os.path.join(etcd.directory, "copy")
    shutil.copytree(etcd.data_directory, copied)
    before = files(copied)
    other = Server(arguments.server, label=f"restored {name}")
    code, printed, error = restore(other, "--from-etcd", copied, *AS_IT_WAS)
    if not results.equal(f"{name}: restored", (code, error), (0, "")):
        return
    print(f"{name}: {' / '.join(printed.splitlines())}", flush=True)
    carried_out = re.search(r"carried out (\d+) requests", printed)
    results.check(f"{name}: requests of the log that were carried out",
                  least <= int(carried_out.group(1) if carried_out else 0) <= most, printed)
    results.check(f"{name}: the etcd's directory is as it was", files(copied) == before)
    results.equal(f"{name}: nothing is left beside it", sorted(os.listdir(other.directory)), ["data"])
    etcd.start()
    with Client(etcd.endpoint) as client:
        view, raised = View(client, compacted), alarms(client)
    with other, Client(other.endpoint) as restored:
        view.compare(results, name, View(restored, compacted))
        results.equal(f"{name}: alarms", alarms(restored), raised)
        kept = {kv.key: kv.mod_revision for kv in restored.get(**EVERYTHING).kvs}
        lost = [key for key, revision in dict(acknowledged).items() if kept.get(key) != revision]
        results.equal(f"{name}: acknowledged writes that are lost", lost, [])
        restored.must("Maintenance/Alarm", pb.AlarmRequest(action=pb.AlarmRequest.DEACTIVATE, memberID=raised[0][0],
                                                           alarm=raised[0][1])) if raised else None
        results.equal(f"{name}: the next revision", restored.put(b"after", b"").header.revision, view.revision + 1)
        other.stop()
        other.start()
        results.equal(f"{name}: the value after a start", restored.get(b"after").header.revision, view.revision + 1)


def check_stopped(results, version, arguments):
    """Stopped in order: the database has everything, though 3.4 does not write down that it has the compaction."""
    with Server(ETCD[version], label=f"etcd {version}") as etcd:
        with Client(etcd.endpoint) as client:
            fill(client, arguments.seed)
            compacted = client.revision() // 3
            compact(client, compacted)
        etcd.stop()
        check_directory(results, f"etcd {version}, stopped", arguments, etcd, compacted, most=1)


def check_killed(results, version, arguments):
    """Killed with a thousand requests in the log alone, of every kind."""
    with Server(ETCD[version], LATE_COMMITS, label=f"etcd {version}") as etcd:
        with Client(etcd.endpoint) as client:
            # A compaction commits to the database: what comes behind it does not.
            for number in range(60):
                client.put(b"k/%03d" % (number % 40), b"early %d" % number)
            compacted = 30
            compact(client, compacted)
            fill(client, arguments.seed)
            fill_more(client)
            member = client.must("Maintenance/Status", pb.StatusRequest()).header.member_id
            client.must("Maintenance/Alarm", pb.AlarmRequest(action=pb.AlarmRequest.ACTIVATE, memberID=member, alarm=1))
            refused = client.call("KV/Put", pb.PutRequest(key=b"no", value=b"space"))
            results.equal(f"etcd {version}: a put without space", refused.code, "RESOURCE_EXHAUSTED")
            client.must("KV/DeleteRange", pb.DeleteRangeRequest(key=b"k/00", range_end=b"k/01"))
        etcd.kill()
        check_directory(results, f"etcd {version}, killed", arguments, etcd, compacted, least=900)


def fill_more(client):
    """What `fill` does not do: leases that end, requests that fail, transactions within transactions."""
    for lease in (501, 502):
        client.must("Lease/LeaseGrant", pb.LeaseGrantRequest(ID=lease, TTL=500))
        for number in range(5):
            client.put(b"of lease/%d/%d" % (lease, number), b"", lease=lease)
    client.must("Lease/LeaseRevoke", pb.LeaseRevokeRequest(ID=501))
    client.call("KV/Put", pb.PutRequest(key=b"failed", value=b"", lease=501))
    client.call("KV/Put", pb.PutRequest(key=b"none", ignore_value=True))
    client.call("Lease/LeaseGrant", pb.LeaseGrantRequest(ID=502, TTL=500))
    client.put(b"of lease/502/0", b"again", ignore_lease=True)
    put = pb.RequestOp(request_put=pb.PutRequest(key=b"nested", value=b"1"))
    inner = pb.RequestOp(request_txn=pb.TxnRequest(success=[put], failure=[put]))
    unequal = pb.Compare(target=pb.Compare.VALUE, result=pb.Compare.NOT_EQUAL, key=b"of lease/502/0", value=b"x")
    client.must("KV/Txn", pb.TxnRequest(compare=[unequal], success=[inner]))
    read = pb.RequestOp(request_range=pb.RangeRequest(key=b"nested"))
    client.must("KV/Txn", pb.TxnRequest(compare=[unequal], success=[read, put], failure=[put]))


def check_killed_under_load(results, version, arguments, rng):
    with Server(ETCD[version], label=f"etcd {version}") as etcd:
        acknowledged = write_until_killed(etcd, rng)
        results.check(f"etcd {version}: there was a load", len(acknowledged) > 20, len(acknowledged))
        # etcd 3.5.1 may forget a revision when it is killed like this; it is held against what it has itself.
        check_directory(results, f"etcd {version}, killed under load", arguments, etcd, 0,
                        acknowledged=acknowledged if version == "3.4" else ())


def check_cluster(results, arguments, rng):
    """All of three members killed at once: the leader's directory has all that was acknowledged. No entry that the log does
    not call committed is left out, since some of these were acknowledged."""
    with Cluster(ETCD["3.4"], 3) as cluster:
        leader, (one, two) = cluster.leader(), cluster.followers()
        acknowledged = write_until_killed(leader, rng, (one, two))
        other = Server(arguments.server, label="restored from a leader")
        code, printed, error = restore(other, "--from-etcd", leader.data_directory, *AS_IT_WAS)
        results.equal("a cluster's leader: restored", (code, error), (0, ""))
        print(f"a cluster's leader: {' / '.join(printed.splitlines())}", flush=True)
        with other, Client(other.endpoint) as restored:
            kept = {kv.key: kv.mod_revision for kv in restored.get(**EVERYTHING).kvs}
        lost = [key for key, revision in acknowledged.items() if kept.get(key) != revision]
        results.check("a cluster's leader: there was a load", len(acknowledged) > 20, len(acknowledged))
        results.equal("a cluster's leader: acknowledged writes that are lost", lost, [])


def membership(cluster):
    """What each running member says of the cluster and of itself."""
    said = {}
    for member in cluster.running():
        answer = cluster.client(member).must("Cluster/MemberList", pb.MemberListRequest())
        said[member.name] = (answer.header.cluster_id, answer.header.member_id, sorted(
            (each.ID, each.name, tuple(each.peerURLs), tuple(each.clientURLs), each.isLearner)
            for each in answer.members))
    return said


def take_over(results, name, arguments, cluster, *source):
    """A server of ours in the place of each etcd of a cluster, with the same ports and flags."""
    for member in cluster.members:
        member.binary, member.data_directory = arguments.server, os.path.join(member.directory, "taken over")
        done = subprocess.run([member.binary, "ctl", "snapshot", "restore", *source, "--data-dir", member.data_directory,
                               "--name", member.name], capture_output=True, text=True, timeout=60)
        results.equal(f"{name}: {member.name} restored", (done.returncode, done.stderr), (0, ""))
    cluster.start()


def check_members(results, version, arguments, log_alone):
    """A cluster of three and a learner that never came goes on as what it was: ids, members, revisions, place in the log.
    With `log_alone` the database
    has neither the members nor the keys."""
    name = f"etcd {version}'s cluster, {'killed' if log_alone else 'stopped'}"
    cluster = Cluster(ETCD[version], 3, ["--strict-reconfig-check=false", *(LATE_COMMITS if log_alone else ())])
    try:
        cluster.start()
        leader = cluster.leader()
        client = cluster.client(leader)
        for number in range(20):
            client.put(b"k/%02d" % number, b"v")
        cluster.ids()
        added = client.must("Cluster/MemberAdd", pb.MemberAddRequest(peerURLs=["http://127.0.0.1:1"], isLearner=True))
        client.must("Cluster/MemberUpdate", pb.MemberUpdateRequest(
            ID=added.member.ID, peerURLs=["http://127.0.0.1:2"]))
        client.must("Cluster/MemberRemove", pb.MemberRemoveRequest(ID=added.member.ID))
        client.must("Cluster/MemberAdd", pb.MemberAddRequest(peerURLs=["http://127.0.0.1:3"], isLearner=True))
        last = client.put(b"last", b"v").header.revision
        eventually(lambda: len({cluster.status(member).raftAppliedIndex for member in cluster.members}) == 1)
        before, index, term = membership(cluster), cluster.status(leader).raftIndex, cluster.status(leader).raftTerm
        results.equal(f"{name}: a learner is there", [each[4] for each in before["m1"][2]].count(True), 1)
        source = leader.data_directory
        for member in cluster.members:
            member.kill() if log_alone else member.stop()
        take_over(results, name, arguments, cluster, "--from-etcd", source)
        leader = cluster.leader()
        results.equal(f"{name}: ids and members", membership(cluster), before)
        status = cluster.status(leader)
        results.check(f"{name}: the log goes on", status.raftIndex > index and status.raftTerm > term,
                      f"{status.raftIndex} after {index}, term {status.raftTerm} after {term}")
        client = cluster.client(leader)
        results.equal(f"{name}: keys", len(client.get(**EVERYTHING).kvs), 21)
        results.equal(f"{name}: the next revision", client.put(b"after", b"").header.revision, last + 1)
    finally:
        cluster.remove()


def check_kept_snapshot(results, arguments):
    """A snapshot says who the members are, and nothing of the cluster's id."""
    cluster = Cluster(ETCD["3.5"], 3)
    try:
        cluster.start()
        leader = cluster.leader()
        cluster.client(leader).put(b"a", b"b")
        before = {name: said[1:] for name, said in membership(cluster).items()}
        saved = os.path.join(leader.directory, "saved")
        tool(ETCDCTL["3.5"], "snapshot", "save", saved, "--endpoints", leader.endpoint)
        for member in cluster.members:
            member.stop()
        command = [arguments.server, "ctl", "snapshot", "restore", saved, "--keep-members", "--data-dir",
                   os.path.join(leader.directory, "refused")]
        for flags, text in ((["--name=m4"], "--name: there is no member m4; the members are m"),
                            ([], "--name has to say which member it is; the members are m"),
                            (["--name=m1", "--initial-cluster=m1=http://localhost:2380"],
                             "--initial-cluster is of a new cluster, and --keep-members goes on with the old one")):
            done = subprocess.run([*command, *flags], capture_output=True, text=True, timeout=60)
            results.check(f"restore of a cluster refuses {flags}", done.returncode == 128 and text in done.stderr, done)
        results.check("and leaves nothing", not os.path.exists(command[-1]))
        take_over(results, "a cluster's snapshot", arguments, cluster, saved, "--keep-members")
        cluster.leader()
        after = membership(cluster)
        results.equal("a cluster's snapshot: ids and members", {name: said[1:] for name, said in after.items()}, before)
        results.equal("a cluster's snapshot: one cluster", len({said[0] for said in after.values()}), 1)
        compacted = cluster.client(leader).call("KV/Range", pb.RangeRequest(key=b"a", revision=2))
        results.equal("a cluster's snapshot: moved on", compacted.code, "OUT_OF_RANGE")
    finally:
        cluster.remove()


def refusal(results, name, arguments, directory, text, *flags):
    other = Server(arguments.server)
    code, _, error = restore(other, "--from-etcd", directory, *AS_IT_WAS, *flags)
    results.check(f"restore refuses {name}", code != 0 and text in error, f"{code} {error}")
    results.equal(f"restore of {name} leaves nothing", os.listdir(other.directory), [])
    shutil.rmtree(other.directory)


def check_refusals(results, arguments):
    with Server(ETCD["3.4"], ["--enable-v2"], label="etcd 3.4 with the old API") as etcd:
        refusal(results, "an etcd that runs", arguments, etcd.data_directory, "stop it first")
        body = urllib.parse.urlencode({"value": "v"}).encode()
        with urllib.request.urlopen(urllib.request.Request(f"http://{etcd.endpoint}/v2/keys/old", body, method="PUT")):
            pass
        etcd.kill()
        refusal(results, "a key of the old API in the log", arguments, etcd.data_directory, "/1/old")
    with Server(ETCD["3.5"], LATE_COMMITS, label="etcd 3.5 with users") as etcd:
        with Client(etcd.endpoint) as client:
            client.put(b"a", b"b")
            tool(os.path.join(PEERS, "etcd-3.5", "etcdctl"), "--endpoints", etcd.endpoint, "user", "add", "root:p")
        etcd.kill()
        refusal(results, "a user in the log", arguments, etcd.data_directory, "users, roles")
        log = os.path.join(etcd.data_directory, "member", "wal")
        refusal(results, "no log", arguments, etcd.data_directory, "has no files of a log", "--wal-dir", etcd.directory)
        damage(os.path.join(log, sorted(name for name in os.listdir(log) if name.endswith(".wal"))[0]))
        refusal(results, "a damaged log", arguments, etcd.data_directory, "checksum")
        refusal(results, "a directory of something else", arguments, etcd.directory, "member/snap/db")


def damage(path):
    """One bit of the first record's data."""
    with open(path, "r+b") as file:
        file.seek(40)
        byte = file.read(1)[0]
        file.seek(40)
        file.write(bytes([byte ^ 1]))


ROOT, READER = ("root", "root's"), ("reader", "reader's")


def add_users(client):
    """A root, and somebody who may read what is below k/; from then on everybody says who he is."""
    for name, password in (ROOT, READER):
        client.must("Auth/UserAdd", pb.AuthUserAddRequest(name=name, password=password))
        client.must("Auth/RoleAdd", pb.AuthRoleAddRequest(name=name))
        client.must("Auth/UserGrantRole", pb.AuthUserGrantRoleRequest(user=name, role=name))
    permission = auth_pb.Permission(permType=auth_pb.Permission.READ, key=b"k/", range_end=b"k0")
    client.must("Auth/RoleGrantPermission", pb.AuthRoleGrantPermissionRequest(name="reader", perm=permission))
    client.must("Auth/AuthEnable", pb.AuthEnableRequest())
    client.authenticate(*ROOT)


def who_may_what(server):
    """What users get of a server: of calls by nobody, by the reader, with a wrong password, and by root."""
    with Client(server.endpoint) as client:
        calls = [client.call("KV/Range", pb.RangeRequest(key=b"k/1")),
                 client.call("Auth/Authenticate", pb.AuthenticateRequest(name="reader", password="root's"))]
        client.authenticate(*READER)
        calls += [client.call("KV/Range", pb.RangeRequest(key=b"k/1")), client.call("KV/Range", pb.RangeRequest(key=b"l")),
                  client.call("KV/Put", pb.PutRequest(key=b"k/1", value=b""))]
        client.authenticate(*ROOT)
        calls += [client.call("KV/Range", pb.RangeRequest(key=b"l")), client.call("Auth/UserList", pb.AuthUserListRequest()),
                  client.call("Auth/RoleGet", pb.AuthRoleGetRequest(role="reader"))]
        for call in calls:
            if call.ok:
                call.message.ClearField("header")
        return [(call.code, call.text, call.message) for call in calls]


def check_users(results, version, arguments):
    """Users, roles and passwords of an etcd, from its snapshot and from its directory: who may what is the same after it."""
    with Server(ETCD[version], label=f"etcd {version}") as etcd:
        with Client(etcd.endpoint) as client:
            for number in range(10):
                client.put(b"k/%d" % number, b"v")
            client.put(b"l", b"v")
            add_users(client)
            client.put(b"k/1", b"after")
        before = who_may_what(etcd)
        saved = os.path.join(etcd.directory, "saved")
        tool(ETCDCTL[version], "snapshot", "save", saved, "--endpoints", etcd.endpoint, "--user", ":".join(ROOT))
        etcd.stop()
        for name, *source in ((f"users of etcd {version}, snapshot", saved),
                              (f"users of etcd {version}, directory", "--from-etcd", etcd.data_directory)):
            with Server(arguments.server, label=name) as other:
                other.stop()
                shutil.rmtree(other.data_directory)
                code, _, error = restore(other, *source, *AS_IT_WAS)
                results.equal(f"{name}: restored", (code, error), (0, ""))
                other.start()
                for number, (ours, theirs) in enumerate(zip(who_may_what(other), before)):
                    results.equal(f"{name}: call {number}", ours, theirs)


def main():
    arguments = parse_arguments(__doc__, budget=60)

    def body(results):
        rng = random.Random(arguments.seed)
        for version in ETCD:
            check_stopped(results, version, arguments)
            check_users(results, version, arguments)
            check_killed(results, version, arguments)
            check_killed_under_load(results, version, arguments, rng)
        check_cluster(results, arguments, rng)
        for version, log_alone in (("3.4", False), ("3.5", True), ("3.5", False)):
            check_members(results, version, arguments, log_alone)
        check_kept_snapshot(results, arguments)
        check_refusals(results, arguments)

    run(arguments, body)


if __name__ == "__main__":
    main()
