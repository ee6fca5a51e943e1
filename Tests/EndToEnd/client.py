"""The client library as `strake ctl` uses it, against members of Strake and of etcd 3.5, with the same outcomes: it goes on
when the member that it talks to is killed, its watches have no gap and no repeat, its leases outlive a restart; with users too."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time

import client_auth
from cluster import Cluster
from harness import ETCDCTL_35, Server, eventually, parse_arguments, run

COMPACTED = b"watch was canceled (etcdserver: mvcc: required revision has been compacted)"


class Ctl:
    """`strake ctl` with endpoints, to its end or in the background."""

    def __init__(self, binary, endpoints):
        self.binary = binary
        self.endpoints = ",".join(endpoints)

    def words(self, arguments):
        return [self.binary, "ctl", f"--endpoints={self.endpoints}"] + list(arguments)

    def run(self, *arguments, stdin=b"", timeout=30):
        return subprocess.run(self.words(arguments), input=stdin, capture_output=True, timeout=timeout)

    def must(self, *arguments, stdin=b""):
        done = self.run(*arguments, stdin=stdin)
        if done.returncode != 0:
            raise RuntimeError(f"{arguments}: exit code {done.returncode}: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def start(self, path, *arguments):
        with open(path, "wb") as output:
            return subprocess.Popen(self.words(arguments), stdout=output, stderr=subprocess.STDOUT,
                                    stdin=subprocess.PIPE)


def content(path):
    with open(path, "rb") as file:
        return file.read()


def stop(process, number=signal.SIGINT):
    process.send_signal(number)
    process.wait(20)
    return process.returncode


def revisions(output):
    """Of the events in the fields format, in their order."""
    return [int(number) for number in re.findall(rb'^"ModRevision" : (\d+)$', output, re.MULTILINE)]


def failover(results, label, binary, ctl_binary):
    """Members are killed in turn while a watch runs and keys are put: whoever is killed, nothing is lost or repeated."""
    cluster = Cluster(binary, 3).start()
    try:
        ctl = Ctl(ctl_binary, [member.endpoint for member in cluster.members])
        cluster.leader()
        log = os.path.join(cluster.members[0].directory, "watch")
        watch = ctl.start(log, "watch", "--prefix", "k", "--rev=1", "-w", "fields")
        written = 0
        for victim in list(cluster.members) + [None]:
            for _ in range(5):
                # A write that may have happened is not made again: it is for its caller to say so.
                done = ctl.run("put", f"k{written}", "v")
                results.check(f"{label}: put {written} ends with OK, or says why not",
                              done.returncode == 0 or done.stderr.startswith(b"Error: "), done.stderr)
                written += 1
            if victim is None:
                break
            victim.kill()
            results.check(f"{label}: reads go on without {victim.label}",
                          eventually(lambda: ctl.run("get", "k0").returncode == 0))
            victim.start()
            cluster.leader()
        count = len(re.findall(rb"^k", ctl.must("get", "--prefix", "k", "--keys-only"), re.MULTILINE))
        last = max(revisions(ctl.must("get", "--prefix", "k", "-w", "fields")))
        results.check(f"{label}: the watch comes to revision {last}",
                      eventually(lambda: last in revisions(content(log))), content(log)[-400:])
        stop(watch)
        seen = revisions(content(log))
        results.equal(f"{label}: each of {count} keys is seen once, in order", (len(seen), seen),
                      (count, sorted(set(seen))))
    finally:
        for member in cluster.members:
            member.remove()


def single(results, label, binary, ctl_binary):
    with Server(binary, label=label) as server:
        ctl = Ctl(ctl_binary, [server.endpoint])
        kept_lease(results, label, server, ctl)
        resumed_watch(results, label, server, ctl)
        compaction(results, label, server, ctl)
        history(results, label, ctl)
        sessions(results, label, server, ctl)
        interactive(results, label, server, ctl)
        executed(results, label, ctl)


def kept_lease(results, label, server, ctl):
    lease = re.search(rb"lease ([0-9a-f]+) ", ctl.must("lease", "grant", "4")).group(1).decode()
    ctl.must("put", "leased", "x", f"--lease={lease}")
    log = os.path.join(server.directory, "keep-alive")
    keeping = ctl.start(log, "lease", "keep-alive", lease)
    results.check(f"{label}: the lease is renewed", eventually(lambda: b"keepalived" in content(log)))
    server.stop()
    server.start()
    before = content(log).count(b"keepalived")
    results.check(f"{label}: it is renewed after a restart",
                  eventually(lambda: content(log).count(b"keepalived") >= before + 2), content(log))
    results.equal(f"{label}: its key is there", ctl.must("get", "leased"), b"leased\nx\n")
    ctl.must("lease", "revoke", lease)
    results.check(f"{label}: keeping a revoked lease ends", eventually(lambda: keeping.poll() is not None))
    results.check(f"{label}: and says so", b"expired or revoked" in content(log), content(log))


def resumed_watch(results, label, server, ctl):
    log = os.path.join(server.directory, "watch")
    watch = ctl.start(log, "watch", "w", "-w", "fields")
    # Until the watch exists, puts may come before it.
    results.check(f"{label}: the watch begins", eventually(
        lambda: ctl.must("put", "w", "first") and bool(revisions(content(log)))))
    server.kill()
    server.start()
    for _ in range(3):
        ctl.must("put", "w", "again")
    last = revisions(ctl.must("get", "w", "-w", "fields"))[0]
    results.check(f"{label}: the watch goes on after a restart", eventually(lambda: last in revisions(content(log))))
    stop(watch)
    seen = revisions(content(log))
    results.equal(f"{label}: without gap or repeat", seen, list(range(seen[0], last + 1)))


def compaction(results, label, server, ctl):
    revision = revisions(ctl.must("get", "w", "-w", "fields"))[0]
    ctl.must("compaction", str(revision), "--physical")
    done = ctl.run("watch", "w", "--rev=1", timeout=20)
    results.equal(f"{label}: a watch from what is compacted ends", (done.returncode, COMPACTED in done.stderr), (5, True))
    done = ctl.run("get", "w", f"--as-of={revision - 1}")
    results.check(f"{label}: so does a read", done.returncode == 1 and b"compacted" in done.stderr, done.stderr)


def history(results, label, ctl):
    start = revisions(ctl.must("get", "w", "-w", "fields"))[0]
    for words in (("put", "h", "1"), ("put", "h", "2"), ("del", "h"), ("put", "h", "3"), ("put", "hh", "x")):
        ctl.must(*words)
    expected = (f'{start + 1}, PUT, 1, "1"\n{start + 2}, PUT, 2, "2"\n{start + 3}, DELETE\n'
                f'{start + 4}, PUT, 1, "3"\n')
    results.equal(f"{label}: history", ctl.must("history", "h").decode(), expected)
    results.equal(f"{label}: get --as-of", ctl.must("get", "h", f"--as-of={start + 2}"), b"h\n2\n")
    results.equal(f"{label}: diff", ctl.must("diff", str(start + 2), str(start + 5), "--prefix", "h").decode(),
                  '~ "h" "2" -> "3"\n+ "hh" "x"\n')
    results.equal(f"{label}: diff back", ctl.must("diff", str(start + 5), str(start + 3), "--prefix", "h").decode(),
                  '- "h" "3"\n- "hh" "x"\n')
    outputs(results, label, ctl, start)


def outputs(results, label, ctl, start):
    """The same in other formats."""
    words = ("diff", str(start + 2), str(start + 5), "--prefix", "h", "-w")
    results.equal(f"{label}: diff as a table", ctl.must(*words, "table").decode(), f"""\
+---------+------+--------------+-----------+--------------+-----------+
| CHANGE  | KEY  | OLD REVISION | OLD VALUE | NEW REVISION | NEW VALUE |
+---------+------+--------------+-----------+--------------+-----------+
| CHANGED |  "h" | {start + 2:12} |       "2" | {start + 4:12} |       "3" |
|   ADDED | "hh" |              |           | {start + 5:12} |       "x" |
+---------+------+--------------+-----------+--------------+-----------+
""")
    fields = ctl.must(*words, "fields").decode()
    results.equal(f"{label}: diff as fields", re.findall(r'^"(?:Change|(?:Old|New)(?:Key|Value|ModRevision))" : .*$', fields, re.MULTILINE), [
        '"Change" : CHANGED', '"OldKey" : "h"', f'"OldModRevision" : {start + 2}', '"OldValue" : "2"', '"NewKey" : "h"',
        f'"NewModRevision" : {start + 4}', '"NewValue" : "3"', '"Change" : ADDED', '"NewKey" : "hh"',
        f'"NewModRevision" : {start + 5}', '"NewValue" : "x"'])
    pairs = [json.loads(line) for line in ctl.must(*words, "json").splitlines()]
    results.equal(f"{label}: diff as json", [sorted(pair) for pair in pairs], [["new", "old"], ["new"]])
    done = ctl.run(*words, "protobuf")
    results.equal(f"{label}: diff as protobuf", (done.returncode, done.stderr),
                  (4, b"Error: protobuf not supported as output format\n"))
    table = ctl.must("history", "h", "-w", "table").decode()
    results.check(f"{label}: history as a table", table.count("PUT") == 3 and table.count("DELETE") == 1, table)
    for form in ("fields", "json", "protobuf"):
        results.check(f"{label}: history as {form}", ctl.must("history", "h", "-w", form).count(b"h" if form != "json" else b"aA==") > 3)
        results.equal(f"{label}: get --as-of as {form}", *(re.sub(rb'"(Revision" :|revision":)\s*\d+', b"", ctl.must(
            "get", "h", f"--{flag}={start + 2}", "-w", form)) for flag in ("as-of", "rev")))


def sessions(results, label, server, ctl):
    first, second = (os.path.join(server.directory, name) for name in ("lock-1", "lock-2"))
    holder = ctl.start(first, "lock", "mutex")
    results.check(f"{label}: a lock is taken", eventually(lambda: b"mutex/" in content(first)))
    waiter = ctl.start(second, "lock", "mutex")
    results.check(f"{label}: another one waits for it", eventually(
        lambda: ctl.must("get", "--prefix", "mutex/", "--keys-only").count(b"mutex/") == 2))
    results.equal(f"{label}: without having it", content(second), b"")
    results.equal(f"{label}: a signal ends it", stop(holder), 0)
    results.check(f"{label}: then the other one has it", eventually(lambda: b"mutex/" in content(second)))
    results.equal(f"{label}: a signal ends that", stop(waiter, signal.SIGTERM), 0)
    done = ctl.run("lock", "mutex", "--", "sh", "-c", 'test -n "$ETCD_LOCK_KEY" && exit 7')
    results.equal(f"{label}: a command's exit code is the lock's", done.returncode, 7)
    results.equal(f"{label}: nothing of it is left", ctl.must("get", "--prefix", "mutex/"), b"")
    elected, observed = (os.path.join(server.directory, name) for name in ("elected", "observed"))
    leader = ctl.start(elected, "elect", "boss", "me")
    results.check(f"{label}: a leader is elected", eventually(lambda: b"\nme\n" in content(elected)))
    observer = ctl.start(observed, "elect", "-l", "boss")
    results.check(f"{label}: and observed", eventually(lambda: b"\nme\n" in content(observed)))
    results.equal(f"{label}: both end", (stop(observer), stop(leader)), (0, 0))
    results.equal(f"{label}: the leader has resigned", ctl.must("get", "--prefix", "boss/"), b"")


def interactive(results, label, server, ctl):
    log = os.path.join(server.directory, "interactive")
    watch = ctl.start(log, "watch", "-i")
    watch.stdin.write(b"watch ia\nwatch --prefix ib\nprogress\n")
    watch.stdin.flush()
    results.check(f"{label}: progress is told", eventually(lambda: b"progress notify: " in content(log)))
    ctl.must("put", "ia", "1")
    ctl.must("put", "ib2", "2")
    results.check(f"{label}: both ranges are watched", eventually(
        lambda: b"PUT\nia\n1\n" in content(log) and b"PUT\nib2\n2\n" in content(log)), content(log))
    stop(watch)


def executed(results, label, ctl):
    ctl.must("put", "run", "it")
    revision = revisions(ctl.must("get", "run", "-w", "fields"))[0]
    words = ("watch", "run", f"--rev={revision}", "--exec", "echo $ETCD_WATCH_EVENT_TYPE $ETCD_WATCH_VALUE; kill -INT $PPID")
    done = ctl.run(*words)
    results.equal(f"{label}: watch --exec", done.stdout, b'PUT\nrun\nit\n"PUT" "it"\n')


def mirror(results, arguments):
    with Server(arguments.server, label="source") as source, Server(arguments.peer, label="mirror") as target:
        ours, theirs = Ctl(arguments.server, [source.endpoint]), Ctl(arguments.server, [target.endpoint])
        for number in range(20):
            ours.must("put", f"m/{number}", "x")
        log = os.path.join(source.directory, "mirror")
        copying = ours.start(log, "make-mirror", "--prefix", "m/", "--dest-prefix", "copy/", target.endpoint)
        results.check("mirror: all keys are copied to etcd", eventually(
            lambda: theirs.must("get", "--prefix", "copy/", "--keys-only").count(b"copy/") == 20))
        ours.must("txn", stdin=b"\nput m/new y\ndel m/3\n\n\n")
        results.check("mirror: a transaction is one there too", eventually(
            lambda: theirs.must("get", "copy/new") == b"copy/new\ny\n"))
        results.equal("mirror: with all of it", theirs.must("get", "copy/3"), b"")
        stop(copying)


def leader_moves(results, ctl, cluster):
    """In each output the same as by etcdctl: the leader is moved first, and then an output may be refused."""
    for output in ("simple", "json", "protobuf", "fields", "table"):
        answers = []
        for words in (ctl.words(()), [ETCDCTL_35, f"--endpoints={ctl.endpoints}"]):
            target = cluster.ids()[cluster.followers()[0]]
            done = subprocess.run(words + ["move-leader", f"{target:x}", "-w", output], capture_output=True, timeout=20)
            answers.append((done.returncode, re.sub(rb"[0-9a-f]{9,}", b"<id>", done.stdout), done.stderr))
            results.check(f"members: move-leader -w {output} moves it", eventually(
                lambda: cluster.status(cluster.leader()).header.member_id == target))
        results.equal(f"members: move-leader -w {output}", *answers)


def membership(results, arguments):
    """What an operator does to a live cluster."""
    cluster = Cluster(arguments.server, 3).start()
    try:
        ctl = Ctl(arguments.server, [member.endpoint for member in cluster.members])
        leader = cluster.leader()
        status = json.loads(ctl.must("endpoint", "status", "--cluster", "-w", "json"))
        ids = [entry["Status"]["header"]["member_id"] for entry in status]
        old = status[0]["Status"]["leader"]
        results.equal("members: each tells of itself", (len(set(ids)), old in ids), (3, True))
        new = next(member for member in ids if member != old)
        results.equal("members: move-leader", ctl.must("move-leader", f"{new:x}").decode(),
                      f"Leadership transferred from {old:x} to {new:x}\n")
        results.check("members: another one leads", cluster.leader() is not leader)
        leader_moves(results, ctl, cluster)
        leader = cluster.followers()[0]
        done = Ctl(arguments.server, [leader.endpoint]).run("move-leader", f"{old:x}")
        results.equal("members: one that does not lead hands nothing over", (done.returncode, done.stderr),
                      (128, f"Error: no leader endpoint given at [{leader.endpoint}]\n".encode()))
        # A new leader takes no change before it has heard of the others.
        adding = ("member", "add", "m4", "--learner", "--peer-urls=http://127.0.0.1:1")
        answers = []
        eventually(lambda: answers.append(ctl.run(*adding)) or answers[-1].returncode == 0)
        added = answers[-1].stdout.decode()
        id_text = re.match(r"Member +([0-9a-f]+) added to cluster ", added).group(1)
        results.check("members: add says how to start it", 'ETCD_NAME="m4"' in added and "m4=http://127.0.0.1:1" in added,
                      added)
        listed = ctl.must("member", "list").decode()
        results.check("members: it is a learner that has not started",
                      f"{id_text}, unstarted, , http://127.0.0.1:1, , true\n" in listed, listed)
        done = ctl.run("member", "promote", id_text)
        results.equal("members: it is not promoted before it has caught up", done.stderr,
                      b"Error: etcdserver: can only promote a learner member which is in sync with leader\n")
        ctl.must("member", "update", id_text, "--peer-urls=http://127.0.0.1:2")
        results.check("members: update", b"http://127.0.0.1:2" in ctl.must("member", "list"))
        ctl.must("member", "remove", id_text)
        results.equal("members: remove", ctl.must("member", "list").count(b"\n"), 3)
        results.equal("members: all are healthy", ctl.must("endpoint", "health", "--cluster").count(b" is healthy"), 3)
    finally:
        for member in cluster.members:
            member.remove()


def counter(arguments):
    return os.path.join(os.path.dirname(arguments.server), "counter")


def sample(results, arguments):
    """Three of the sample service at once."""
    program = counter(arguments)
    if not results.check("sample: it is built (make e2e does that)", os.access(program, os.X_OK), program):
        return
    cluster = Cluster(arguments.server, 3).start()
    try:
        endpoints = [member.endpoint for member in cluster.members]
        cluster.leader()
        workers = [subprocess.Popen([program, ",".join(endpoints), f"w{number}", "40"], stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT) for number in range(3)]
        outputs = [worker.communicate(timeout=40)[0] for worker in workers]
        results.equal("sample: all end well", [worker.returncode for worker in workers], [0, 0, 0])
        results.equal("sample: nothing was counted twice or lost",
                      Ctl(arguments.server, endpoints).must("get", "counter/total"), b"counter/total\n120\n")
        results.check("sample: each led once", all(b"leads, " in output for output in outputs), outputs)
    finally:
        for member in cluster.members:
            member.remove()


def unreachable(results, arguments):
    ctl = Ctl(arguments.server, ["127.0.0.1:1"])
    started = time.monotonic()
    done = ctl.run("--command-timeout=1s", "put", "a", "b")
    results.equal("nobody there: the time is kept, and the error etcdctl's",
                  (done.returncode, done.stderr, time.monotonic() - started < 5),
                  (1, b"Error: context deadline exceeded\n", True))
    with tempfile.TemporaryDirectory() as directory:
        link = os.path.join(directory, "etcdctl")
        os.symlink(arguments.server, link)
        told = subprocess.run([link, "version"], capture_output=True, timeout=20).stdout
        results.check("a link named etcdctl takes its commands", told.startswith(b"etcdctl version: "), told)


def main():
    arguments = parse_arguments(__doc__, budget=90)

    def ctl_of(endpoints):
        return Ctl(arguments.server, endpoints)

    def body(results):
        unreachable(results, arguments)
        for label, binary in (("strake", arguments.server), ("etcd 3.5", arguments.peer)):
            single(results, label, binary, arguments.server)
            failover(results, label, binary, arguments.server)
            client_auth.single(results, f"{label} with users", binary, ctl_of)
        mirror(results, arguments)
        membership(results, arguments)
        sample(results, arguments)
        client_auth.terminal(results, arguments.server, ctl_of)
        client_auth.sample(results, counter(arguments), arguments.server, ctl_of)
        with Server(arguments.server, label="downgrades") as server:
            client_auth.downgrades(results, ctl_of([server.endpoint]))

    run(arguments, body)


if __name__ == "__main__":
    main()
