"""`strake ctl member replace`: a new member takes a dead one's place, or a live one's, in one joint change, under load. And
learners that are promoted without a command, where a flag asks for it."""

import random
import re
import signal
import subprocess
import threading
import time

from cluster import Cluster, Member, wait_until_cut, wait_until_in_touch
from force_new_cluster import Load, check_held, members_of
from harness import eventually, parse_arguments, run
from wire import Client, pb

FLAGS = ["--snapshot-count", "500"]
AUTOMATIC = "--auto-promote-learners"


class Replacing:
    """The running command, with what it has printed so far."""

    def __init__(self, binary, asked, old, new):
        endpoints = ",".join(member.endpoint for member in asked)
        words = [binary, "ctl", "member", "replace", f"{old:x}", new.name, new.peer_url, "--endpoints", endpoints]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def text(self):
        return "\n".join(self.lines)

    def says(self, pattern, timeout=20):
        return eventually(lambda: re.search(pattern, self.text, re.MULTILINE), timeout)

    def finish(self, timeout=30):
        """The exit code."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = "still running"
        self.reader.join(5)
        return code

    def variables(self):
        return dict(re.findall(r'^(ETCD_\w+)="(.*)"$', self.text, re.MULTILINE))


def ctl(binary, *words):
    done = subprocess.run([binary, "ctl", *words], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def start_as_told(new, variables):
    """With what the command printed, as an operator would."""
    new.initial, new.state = variables["ETCD_INITIAL_CLUSTER"], variables["ETCD_INITIAL_CLUSTER_STATE"]
    new.start()


def fill(cluster, member):
    """So much that the log is cut, and a new member needs a snapshot."""
    client, before = cluster.client(member), cluster.status(member).raftIndex
    futures = [client.begin("KV/Put", pb.PutRequest(key=b"bulk%d" % (number % 1_000), value=b"x" * 500))
               for number in range(4_000)]
    assert all(client.finish(future).ok for future in futures)
    wait_until_cut(cluster, before)


def check_dead(results, arguments):
    """The place of a leader that died."""
    with Cluster(arguments.server, 3, FLAGS) as cluster:
        old = cluster.leader()
        old_id = cluster.ids()[old]
        rest = [member for member in cluster.members if member is not old]
        fill(cluster, old)
        old.kill()
        leader = cluster.leader()
        load = Load(leader.endpoint, "meanwhile")
        new = Member(arguments.server, 4, FLAGS)

        # Stopped and given again, of a dead endpoint first: it goes on where the cluster stands.
        first = Replacing(arguments.server, rest, old_id, new)
        results.check("it tells what to start", first.says("^ETCD_INITIAL_CLUSTER_STATE"), first.text)
        results.check("and waits for it", first.says("^waiting for member [0-9a-f]+ to start"), first.text)
        first.process.send_signal(signal.SIGINT)
        first.finish()
        found = members_of(cluster.client(leader))
        results.equal("a learner has come beside them", [member.isLearner for member in found].count(True), 1)
        second = Replacing(arguments.server, [old] + rest, old_id, new)
        results.check("it goes on", second.says("^ETCD_INITIAL_CLUSTER_STATE"), second.text)
        variables = second.variables()
        expected = {f"{member.name}={member.peer_url}" for member in rest + [new]}
        results.equal("the cluster without the old one", set(variables["ETCD_INITIAL_CLUSTER"].split(",")), expected)
        cluster.members.append(new)
        start_as_told(new, variables)
        results.equal("it ends well", second.finish(), 0) or print(second.text)
        results.check("it says so", second.says(f"^Member {old_id:x} is replaced by member [0-9a-f]+$"), second.text)
        print(second.text, flush=True)

        load.stop()
        found = members_of(cluster.client(leader))
        results.equal("three are left", sorted(member.name for member in found),
                      sorted(member.name for member in rest + [new]))
        results.check("who all vote", not any(member.isLearner for member in found), found)
        results.check("by a snapshot", eventually(lambda: b"applied snapshot" in new.log_since(0)))
        check_held(results, "on the new member", cluster.client(new), load)
        code, out, _ = ctl(arguments.server, "member", "replace", f"{old_id:x}", new.name, new.peer_url,
                           "--endpoints", leader.endpoint)
        results.check("a third time there is nothing to do", code == 0 and "nothing to do" in out and len(out.splitlines()) == 1, out)
        old.launch()
        results.check("the old one is told, and ends", eventually(lambda: old.process.poll() is not None))
        # One of the two that stayed may go now.
        rest[0].kill()
        results.check("the new one votes", eventually(
            lambda: cluster.client(new).call("KV/Put", pb.PutRequest(key=b"two", value=b"x"), timeout=5).ok))


def check_alive(results, arguments):
    """The place of the leader that leads the change itself; the learners of this cluster promote themselves."""
    with Cluster(arguments.server, 3, FLAGS + [AUTOMATIC]) as cluster:
        old = cluster.leader()
        old_id = cluster.ids()[old]
        rest = [member for member in cluster.members if member is not old]
        client = cluster.client(rest[0])
        client.put(b"a", b"1")
        wait_until_in_touch(cluster, rest[0])
        check_refusals(results, arguments, old_id, old, rest[0])
        new = Member(arguments.server, 4, cluster.flags)
        load = Load(rest[0].endpoint, "alive")
        command = Replacing(arguments.server, [rest[0]], old_id, new)
        command.says("^ETCD_INITIAL_CLUSTER_STATE")
        cluster.members.append(new)
        # An automatic promotion looks once a second: this gives it the time to do the wrong thing.
        start_as_told(new, command.variables())
        results.equal("a live leader is replaced", command.finish(), 0) or print(command.text)
        load.stop()
        check_held(results, "after the leader went", cluster.client(new), load)
        results.equal("three are left", len(members_of(client)), 3)
        results.check("the old one ends by itself", eventually(lambda: old.process.poll() is not None))
        cluster.members.remove(old)
        old.remove()
        check_promotion(results, cluster, rest[0])


def check_kill(results, arguments, generator):
    """The leader dies somewhere on the way, and comes back; the command goes on to its end."""
    with Cluster(arguments.server, 3, FLAGS) as cluster:
        leader = cluster.leader()
        old, other = cluster.followers()
        old_id = cluster.ids()[old]
        wait_until_in_touch(cluster, other)
        load = Load(other.endpoint, "kill")
        new = Member(arguments.server, 4, FLAGS)
        command = Replacing(arguments.server, [other, leader], old_id, new)
        command.says("^ETCD_INITIAL_CLUSTER_STATE")
        cluster.members.append(new)
        variables = command.variables()
        new.initial, new.state = variables["ETCD_INITIAL_CLUSTER"], variables["ETCD_INITIAL_CLUSTER_STATE"]
        new.launch()
        time.sleep(generator.uniform(0.1, 0.8))
        leader.kill()
        time.sleep(generator.uniform(0, 1.5))
        leader.start()
        new.wait_until_ready()
        results.equal("the command ends well", command.finish(60), 0) or print(command.text)
        load.stop()
        found = members_of(cluster.client(other))
        results.equal("three are left", sorted(member.name for member in found),
                      sorted(member.name for member in (leader, other, new)))
        check_held(results, "after a leader's death", cluster.client(new), load)
        results.check("the old one ends by itself", eventually(lambda: old.process.poll() is not None))
        print(command.text, flush=True)


def check_promotion(results, cluster, asked):
    """With the flag a learner becomes a voter by itself."""
    new = Member(cluster.binary, 5, cluster.flags)
    add = pb.MemberAddRequest(peerURLs=[new.peer_url], isLearner=True)
    results.check("a learner is added", eventually(
        lambda: cluster.client(asked).call("Cluster/MemberAdd", add).ok, timeout=15))
    cluster.members.append(new)
    new.initial, new.state = cluster.initial(), "existing"
    new.start()
    results.check("it is promoted without a command", eventually(
        lambda: not any(member.isLearner for member in members_of(cluster.client(asked)))))
    results.equal("four vote", len(members_of(cluster.client(asked))), 4)


def check_refusals(results, arguments, old, own, other):
    endpoint = ["--endpoints", other.endpoint]
    free = "http://127.0.0.1:1"
    for name, words, code, text in (
            ("no words", ["member", "replace"], 128, "takes OLD_ID, NAME and PEER_URLS"),
            ("a bad id", ["member", "replace", "zz", "m4", free], 128, 'OLD_ID: "zz"'),
            ("a bad name", ["member", "replace", "5", "m=4", free], 128, 'NAME: "m=4"'),
            ("a bad URL", ["member", "replace", "5", "m4", "127.0.0.1"], 128, 'PEER_URLS: "127.0.0.1"'),
            ("a bad endpoint", ["member", "replace", "5", "m4", free, "--endpoints", "nowhere"], 128, 'endpoint "nowhere"'),
            ("a timeout below 0", ["member", "replace", "5", "m4", free, "--timeout", "-1s"], 128, "--timeout"),
            ("an unknown command", ["member", "sing"], 2, 'unknown command "member sing"'),
            ("an unknown flag", ["--loud"], 1, "unknown flag: --loud"),
            ("an output for programs", ["member", "replace", "5", "m4", free, "-w", "json"], 4, "json not supported"),
            ("no time for a question", ["member", "replace", f"{old:x}", "m4", free, "--command-timeout", "1us"] + endpoint, 1,
             "context deadline exceeded"),
            ("an unknown member", ["member", "replace", "5", "m4", free] + endpoint, 1, "member not found"),
            ("the old one's URL", ["member", "replace", f"{old:x}", "m4", own.peer_url] + endpoint, 1,
             "Peer URLs already exists"),
            ("a voter's URL", ["member", "replace", f"{old:x}", "m4", other.peer_url] + endpoint, 1,
             "Peer URLs already exists"),
            ("nobody there", ["member", "replace", "5", "m4", free, "--endpoints", "127.0.0.1:1"], 1,
             "cannot connect to 127.0.0.1:1"),
            ("no time", ["member", "replace", f"{old:x}", "m4", free, "--timeout", "1ms"] + endpoint, 1,
             "not done within --timeout")):
        found, out, err = ctl(arguments.server, *words)
        results.check(f"refused: {name}", found == code and text in err, f"{found} {out} {err}")
    code, out, _ = ctl(arguments.server, "--help")
    results.check("there is help", code == 0 and "member replace <OLD_ID> <NAME> <PEER_URLS>" in out, out)
    # What the last refusal has left behind.
    left = [member.ID for member in members_of_endpoint(other) if member.isLearner]
    for learner in left:
        remove_member(other, learner)


def members_of_endpoint(member):
    with Client(member.endpoint) as client:
        return list(members_of(client))


def remove_member(member, number):
    with Client(member.endpoint) as client:
        client.must("Cluster/MemberRemove", pb.MemberRemoveRequest(ID=number))


def check_default(results, arguments):
    """Without the flag a learner stays one, as etcd's does."""
    with Cluster(arguments.server, 1) as cluster:
        first = cluster.members[0]
        new = Member(arguments.server, 2)
        added = cluster.client(first).must(
            "Cluster/MemberAdd", pb.MemberAddRequest(peerURLs=[new.peer_url], isLearner=True))
        promote = pb.MemberPromoteRequest(ID=added.member.ID)
        results.check("it cannot be promoted yet", not cluster.client(first).call("Cluster/MemberPromote", promote).ok)
        cluster.members.append(new)
        new.initial, new.state = cluster.initial(), "existing"
        new.start()
        results.check("the learner has the log", eventually(
            lambda: cluster.status(new).raftIndex >= cluster.status(first).raftIndex))
        time.sleep(3)
        results.check("it stays a learner", cluster.status(new).isLearner)
        cluster.client(first).must("Cluster/MemberPromote", promote)
        check_metrics(results, cluster, first, new)


def check_metrics(results, cluster, leader, new):
    """What the leader, and the member that it has promoted, have counted on the way."""
    ids = cluster.ids()
    one, two = f"{ids[leader]:x}", f"{ids[new]:x}"
    cluster.client(leader).must("Maintenance/Alarm", pb.AlarmRequest(action=1, memberID=ids[new], alarm=1))
    not_ready = "etcdserver: can only promote a learner member which is in sync with leader"
    for member, series, expected in (
            (leader, "etcd_server_learner_promote_successes", 1),
            (leader, f'etcd_server_learner_promote_failures{{Reason="{not_ready}"}}', 1),
            (leader, f'etcd_debugging_server_alarms{{alarm_type="NOSPACE",server_id="{two}"}}', 1),
            (leader, f'etcd_network_active_peers{{Local="{one}",Remote="{two}"}}', 1),
            (leader, f'etcd_network_disconnected_peers_total{{Local="{one}",Remote="{two}"}}', 0),
            (leader, f'etcd_network_snapshot_send_success{{To="{two}"}}', 1),
            (leader, f'etcd_network_snapshot_send_failures{{To="{two}"}}', 0),
            (leader, f'etcd_network_snapshot_send_total_duration_seconds_count{{To="{two}"}}', 1),
            (new, f'etcd_network_snapshot_receive_success{{From="{one}"}}', 1),
            (new, f'etcd_network_snapshot_receive_inflights_total{{From="{one}"}}', 0),
            (new, "etcd_snap_db_save_total_duration_seconds_count", 1),
            (new, "etcd_snap_db_fsync_duration_seconds_count", 1),
            (leader, "etcd_snap_db_save_total_duration_seconds_count", 0),
            (new, "etcd_server_snapshot_apply_in_progress_total", 0),
            (new, "etcd_server_is_learner", 0)):
        # What the new member applies, and that its connections are there, takes a moment.
        eventually(lambda: member.metric(re.escape(series)) == expected, timeout=5)
        results.equal(f"metric {series}", member.metric(re.escape(series)), expected)
    saved, flushed = (new.metric(f"etcd_snap_db_{part}_duration_seconds_sum") for part in ("save_total", "fsync"))
    results.check("the snapshot's flush is a part of its receipt", 0 < flushed < saved, f"{flushed} of {saved} s")


def main():
    arguments = parse_arguments(__doc__, 120)

    def body(results):
        check_dead(results, arguments)
        check_alive(results, arguments)
        generator = random.Random(arguments.seed)
        for _ in range(2):
            check_kill(results, arguments, generator)
        check_default(results, arguments)

    run(arguments, body)


if __name__ == "__main__":
    main()
