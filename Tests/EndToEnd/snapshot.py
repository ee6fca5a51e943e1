"""Snapshots: etcd's own tools save, check and restore them, and etcd servers started from them answer the same. The
other way, `strake ctl` restores what etcd servers have saved."""

import hashlib
import json
import os
import random
import shutil
import subprocess
import tempfile
import threading
import time

from harness import ETCDCTL, PEERS, Server, parse_arguments, run
from raw_http2 import RawConnection
from wire import Client, pb

# (what saves, what restores, what is started)
TOOLS = {
    "3.4": (ETCDCTL, ETCDCTL, os.path.join(PEERS, "etcd-3.4", "etcd")),
    "3.5": tuple(os.path.join(PEERS, "etcd-3.5", name) for name in ("etcdctl", "etcdutl", "etcd")),
}
EVERYTHING = dict(key=b"\0", range_end=b"\0")
BLOB_BYTES = 32 << 10
CHECKSUM_BYTES = 32
# etcd 3.4 finds no lease with the largest number of all when it starts.
LEASES = {7001: 3600, 7002: 7200, (1 << 63) - 2: 5000}
# Revisions whose lists are compared; events are, of all.
LISTS = 50


class Directory:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="strake-e2e-snapshot-")
        print(f"files in {self.path}", flush=True)
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.path, name)


def tool(binary, *arguments, timeout=60):
    done = subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=timeout,
                          env=dict(os.environ, ETCDCTL_API="3"))
    if done.returncode != 0:
        command = " ".join([os.path.basename(binary), *arguments])
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stderr[-1500:]}")
    return done.stdout


def status(binary, path):
    return json.loads(tool(binary, "snapshot", "status", path, "-w", "json"))


def fill(client, seed):
    """A history with everything that an event can be."""
    chance = random.Random(seed)
    for lease, ttl in LEASES.items():
        client.must("Lease/LeaseGrant", pb.LeaseGrantRequest(ID=lease, TTL=ttl))
    keys = [b"k/%03d" % number for number in range(150)]
    keys += [b"\0", b"\xff\xff", b"long/" + b"x" * 2_000, "schön".encode()]
    for _ in range(900):
        key, dice = chance.choice(keys), chance.random()
        if dice < 0.2:
            client.must("KV/DeleteRange", pb.DeleteRangeRequest(key=key))
        elif dice < 0.25:
            client.must("KV/DeleteRange", pb.DeleteRangeRequest(key=b"k/05", range_end=b"k/07"))
        elif dice < 0.35:
            operations = [pb.RequestOp(request_put=pb.PutRequest(key=each, value=chance.randbytes(30)))
                          for each in chance.sample(keys, 5)]
            client.must("KV/Txn", pb.TxnRequest(success=operations))
        else:
            size = chance.choice([0, 1, 30, 300, 3_000, 4_080, 5_000, 60_000]) if dice > 0.5 else 100
            client.put(key, chance.randbytes(size), lease=chance.choice([0, 0, *LEASES]))
    client.put(b"large", chance.randbytes(1_400_000))
    client.put(b"deleted at the end", b"")
    client.must("KV/DeleteRange", pb.DeleteRangeRequest(key=b"deleted at the end"))


def compact(client, revision, physical=True):
    client.must("KV/Compact", pb.CompactionRequest(revision=revision, physical=physical))


class View:
    """All that a server answers about its history and leases."""

    def __init__(self, client, compacted):
        self.revision = client.revision()
        self.lists = {}
        first = max(compacted, 1)
        for revision in {*range(first, self.revision, (self.revision - first) // LISTS + 1), self.revision}:
            answer = client.get(**EVERYTHING, revision=revision)
            self.lists[revision] = hashlib.sha256(b"".join(
                kv.SerializeToString(deterministic=True) for kv in answer.kvs)).hexdigest(), answer.count
        below = client.call("KV/Range", pb.RangeRequest(key=b"k", revision=compacted - 1)) if compacted > 1 else None
        self.below = (below.code, below.text) if below else None
        # Some versions have lost the deletes of the compact revision itself: etcd's notes, not the snapshot's.
        self.events = self._events(client, compacted + 1)
        self.leases = {lease.ID: self._lease(client, lease.ID)
                       for lease in client.must("Lease/LeaseLeases", pb.LeaseLeasesRequest()).leases}

    def _events(self, client, start):
        if start > self.revision:
            return []
        found = []
        with client.watch(dict(**EVERYTHING, start_revision=start, prev_kv=True)) as watch:
            while not found or found[-1][0] < self.revision:
                message = watch.next(10)
                if message is None or message.canceled:
                    raise RuntimeError(f"the watch from {start} ended after {len(found)} events: {message}")
                for event in message.events:
                    content = event.SerializeToString(deterministic=True)
                    found.append((event.kv.mod_revision, hashlib.sha256(content).hexdigest()))
        return found

    def _lease(self, client, lease):
        answer = client.must("Lease/LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=lease, keys=True))
        return answer.grantedTTL, sorted(answer.keys)

    def compare(self, results, name, other):
        results.equal(f"{name}: revision", other.revision, self.revision)
        results.equal(f"{name}: revisions that can be read", len(other.lists), len(self.lists))
        results.equal(f"{name}: revisions that list something else",
                      [revision for revision, list in self.lists.items() if other.lists.get(revision) != list], [])
        results.equal(f"{name}: below the compaction", other.below, self.below)
        results.equal(f"{name}: events", other.events, self.events)
        results.equal(f"{name}: leases and their keys", other.leases, self.leases)


def restore(version, path, server):
    """The data directory of `server`, one member of a new cluster, from the snapshot."""
    peer = f"http://127.0.0.1:{server.peer_port}"
    tool(TOOLS[version][1], "snapshot", "restore", path, "--data-dir", server.data_directory, "--name", "m1",
         "--initial-cluster", f"m1={peer}", "--initial-advertise-peer-urls", peer)


def check_restored(results, name, version, path, view, compacted):
    server = Server(TOOLS[version][2], label=f"etcd {version} from the snapshot")
    restore(version, path, server)
    with server, Client(server.endpoint) as client:
        view.compare(results, name, View(client, compacted))
        put = client.put(b"after", b"the restore")
        results.equal(f"{name}: the next revision", put.header.revision, view.revision + 1)
        results.equal(f"{name}: the compaction that HashKV tells of",
                      client.must("Maintenance/HashKV", pb.HashKVRequest()).compact_revision, compacted or -1)


def check_tools(results, server, client, directory, compacted):
    """Each version's own tools, from saving to a server that runs."""
    view = View(client, compacted)
    stage = f"compacted at {compacted}" if compacted else "never compacted"
    hashes = set()
    for version, (saves, reads, _) in TOOLS.items():
        name = f"etcd {version}, {stage}"
        path = directory.file(f"{version}-{compacted}.db")
        tool(saves, "--endpoints", server.endpoint, "snapshot", "save", path)
        found = status(reads, path)
        hashes.add(found["hash"])
        results.equal(f"{name}: revision of the file", found["revision"], view.revision)
        results.check(f"{name}: keys of the file", found["totalKey"] > len(view.events), found["totalKey"])
        results.equal(f"{name}: bytes of the file", found["totalSize"], os.path.getsize(path) - CHECKSUM_BYTES)
        check_restored(results, name, version, path, view, compacted)
    results.equal(f"{stage}: all see the same file", len(hashes), 1)


def check_stream(results, client, name):
    """What the messages say, and that they make a file with its checksum."""
    messages = client.must("Maintenance/Snapshot", pb.SnapshotRequest(), timeout=60)
    file, total = b"".join(message.blob for message in messages[:-1]), hashlib.sha256()
    total.update(file)
    results.equal(f"{name}: the checksum", messages[-1].blob, total.digest())
    sizes = {len(message.blob) for message in messages[:-2]}
    results.equal(f"{name}: bytes of the blobs but the last", sizes - {BLOB_BYTES}, set())
    left, wrong = len(file), []
    for message in messages:
        left -= len(message.blob) if message is not messages[-1] else 0
        if (message.remaining_bytes, message.version, message.HasField("header")) != (left, "3.5.0", False):
            wrong.append((left, message.remaining_bytes, message.version))
    results.equal(f"{name}: messages with wrong fields", wrong[:3], [])
    results.equal(f"{name}: bytes are whole pages", len(file) % 4096, 0)
    return file


def check_small(results, client):
    results.equal("a store without keys: pages", len(check_stream(results, client, "a store without keys")) // 4096, 4)


def check_damaged(results, directory, path):
    """A changed byte must not pass: the checksum is the file's."""
    with open(path, "rb") as file:
        content = bytearray(file.read())
    content[len(content) // 2] ^= 1
    damaged = directory.file("damaged.db")
    with open(damaged, "wb") as file:
        file.write(content)
    for version, (_, restores, _) in TOOLS.items():
        try:
            tool(restores, "snapshot", "restore", damaged, "--data-dir", directory.file(f"from-damaged-{version}"))
            text = "it was restored"
        except RuntimeError as error:
            text = str(error)
        results.check(f"etcd {version} refuses a damaged snapshot", "expected sha256" in text, text)


def strake(server, *arguments):
    return tool(server.binary, "ctl", *arguments)


def ctl_restore(server, path, *flags):
    """The data directory of `server` from the file, by `strake ctl`."""
    peer = f"http://127.0.0.1:{server.peer_port}"
    return strake(server, "snapshot", "restore", path, "--data-dir", server.data_directory, "--name", "m1",
                  "--initial-cluster", f"m1={peer}", "--initial-advertise-peer-urls", peer, *flags)


AS_IT_WAS = ("--bump-revision=0", "--mark-compacted=false")


def check_ctl(results, server, client, directory, compacted):
    """`strake ctl` with our own snapshot: the same file as etcdctl gets, and the same store from it."""
    view = View(client, compacted)
    path = directory.file("ctl.db")
    strake(server, "snapshot", "save", path, "--endpoints", server.endpoint)
    own = json.loads(strake(server, "snapshot", "status", path, "--write-out=json"))
    results.equal("strake ctl: the file's status", own, status(ETCDCTL, path))
    for form in ("simple", "fields", "table"):
        results.equal(f"strake ctl: the status as {form}", strake(server, "snapshot", "status", path, "-w", form),
                      tool(ETCDCTL, "snapshot", "status", path, "-w", form))
    by_variable = directory.file("variable.db")
    done = subprocess.run([server.binary, "ctl", "snapshot", "save", by_variable], capture_output=True, text=True, timeout=60,
                          env=dict(os.environ, ETCDCTL_ENDPOINTS=server.endpoint))
    results.equal("strake ctl: ETCDCTL_ENDPOINTS says who is asked", (done.returncode, done.stderr), (0, ""))
    results.equal("and it is asked", status(ETCDCTL, by_variable)["revision"], own["revision"])
    check_ctl_restored(results, "from our own snapshot", server, path, view, compacted, *AS_IT_WAS)
    other = Server(server.binary, label="restored with a moved revision")
    ctl_restore(other, path)
    with other, Client(other.endpoint) as restored:
        moved = view.revision + 1_000_000_000
        results.equal("moved: the revision", restored.revision(), moved)
        now, then = (each.get(**EVERYTHING).kvs for each in (restored, client))
        results.check("moved: the keys", list(now) == list(then), (len(now), len(then)))
        answer = restored.call("KV/Range", pb.RangeRequest(key=b"k", revision=view.revision))
        results.equal("moved: the old revision", (answer.code, answer.text),
                      ("OUT_OF_RANGE", "etcdserver: mvcc: required revision has been compacted"))
        results.equal("moved: the next revision", restored.put(b"after", b"").header.revision, moved + 1)


def check_ctl_restored(results, name, server, path, view, compacted, *flags):
    other = Server(server.binary, label=f"restored {name}")
    ctl_restore(other, path, *flags)
    with other, Client(other.endpoint) as restored:
        view.compare(results, name, View(restored, compacted))
        results.equal(f"{name}: the next revision", restored.put(b"after", b"").header.revision, view.revision + 1)
        # What was restored is compacted, checkpointed and read again as any other store is.
        compact(restored, view.revision)
        other.stop()
        other.start()
        kept = {kv.key: kv.value for kv in restored.get(**EVERYTHING).kvs}
        results.equal(f"{name}: keys after a compaction and a start", len(kept), view.lists[view.revision][1] + 1)


def check_from_etcd(results, server, directory, seed):
    """Snapshots and copied databases of etcd servers become stores of ours."""
    for version, (saves, _, binary) in TOOLS.items():
        etcd = Server(binary, label=f"etcd {version}")
        with etcd:
            with Client(etcd.endpoint) as client:
                fill(client, seed)
                compacted = client.revision() // 3
                compact(client, compacted)
                path = directory.file(f"etcd-{version}.db")
                tool(saves, "--endpoints", etcd.endpoint, "snapshot", "save", path)
                view = View(client, compacted)
                own = directory.file(f"etcd-{version}-ours.db")
                strake(server, "snapshot", "save", own, "--endpoints", etcd.endpoint)
            results.equal(f"etcd {version}: status by both",
                          json.loads(strake(server, "snapshot", "status", own, "--write-out=json")), status(saves, own))
            etcd.stop()
            check_ctl_restored(results, f"from etcd {version}'s snapshot", server, path, view, compacted, *AS_IT_WAS)
            copied = os.path.join(etcd.data_directory, "member", "snap", "db")
            check_ctl_restored(results, f"from etcd {version}'s database", server, copied, view, compacted, *AS_IT_WAS,
                               "--skip-hash-check")


def check_refusals(results, server, directory, path):
    other = Server(server.binary)
    cases = [
        ("a damaged file", (directory.file("damaged.db"),), 1, "expected sha256"),
        ("no snapshot", (server.binary,), 1, "missing hash"),
        ("no database", (server.binary, "--skip-hash-check"), 1, "no bbolt database"),
        ("no file", (directory.file("nowhere.db"),), 1, "No such file"),
        ("a moved revision without a compaction", (path, "--mark-compacted=false"), 128, "--mark-compacted required"),
        ("a cluster without this member", (path, "--initial-cluster", "m2=http://127.0.0.1:1"), 128, "couldn't find"),
        ("no file named", (), 128, "requires exactly one argument"),
        ("a peer URL that is none", (path, "--initial-advertise-peer-urls", "m1:2380"), 128, "URL scheme must be http"),
        ("a place for a log", (path, "--wal-dir", directory.file("wal")), 128, "--wal-dir says where the log of"),
        ("a directory that is there", (path, "--data-dir", directory.path), 1, "exists"),
    ]
    for name, arguments, code, text in cases:
        arguments = list(arguments) + ([] if "--data-dir" in arguments else ["--data-dir", other.data_directory])
        done = subprocess.run([server.binary, "ctl", "snapshot", "restore", *arguments], capture_output=True, text=True,
                              timeout=30)
        results.check(f"restore refuses {name}", done.returncode == code and text in done.stderr,
                      f"{done.returncode} {done.stderr}")
    results.check("nothing is made of what is refused", not os.path.exists(other.data_directory), other.data_directory)
    shutil.rmtree(other.directory)


class Writers:
    """Pairs of keys that change together, all the while."""

    def __init__(self, server):
        self.server, self.over, self.slowest, self.count = server, threading.Event(), 0, 0
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        with Client(self.server.endpoint) as client:
            while not self.over.is_set():
                value = b"%d" % self.count
                operations = [pb.RequestOp(request_put=pb.PutRequest(key=key, value=value + b" " * 500))
                              for key in (b"pair/%d/a" % (self.count % 40), b"pair/%d/b" % (self.count % 40))]
                began = time.monotonic()
                client.must("KV/Txn", pb.TxnRequest(success=operations))
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.count += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def check_under_load(results, server, client, directory):
    """While it is written to and compacted, a snapshot is one revision; and who reads slowly stops nobody."""
    with Writers(server) as writers:
        slow = RawConnection(server.client_port, window=65535)
        slow.open_call(b"/etcdserverpb.Maintenance/Snapshot", pb.SnapshotRequest())
        for round in range(3):
            time.sleep(0.5)
            path = directory.file(f"load-{round}.db")
            before = client.revision()
            tool(ETCDCTL, "--endpoints", server.endpoint, "snapshot", "save", path)
            after = client.revision()
            # What a snapshot on its way still needs goes when it has ended, and so would the answer come.
            compact(client, client.revision() - 5, physical=False)
            found = status(ETCDCTL, path)
            results.check(f"under load {round}: a revision of its time", before <= found["revision"] <= after,
                          (before, found["revision"], after))
        count = writers.count
        time.sleep(0.5)
        results.check("puts go on beside a client that does not read", writers.count > count + 20,
                      writers.count - count)
        slow.close()
    print(f"{writers.count} transactions beside snapshots, the slowest {writers.slowest * 1000:.0f} ms", flush=True)
    results.check("no put waits for a second", writers.slowest < 1, writers.slowest)
    etcd = Server(TOOLS["3.4"][2], label="etcd 3.4 from a snapshot under load")
    restore("3.4", path, etcd)
    with etcd, Client(etcd.endpoint) as restored:
        pairs = {}
        for kv in restored.get(b"pair/", range_end=b"pair0").kvs:
            pairs.setdefault(kv.key[:-2], set()).add((kv.value, kv.mod_revision))
        results.equal("under load: 40 pairs", len(pairs), 40)
        results.equal("under load: pairs that differ", [key for key, both in pairs.items() if len(both) != 1], [])
        results.equal("under load: the revision", restored.revision(), found["revision"])
    results.check("the log says what was sent", log_has(server, "successfully sent database snapshot to client"))
    results.check("the log says who left", log_has(server, "a client left before it had its database snapshot"))


def log_has(server, text):
    deadline = time.monotonic() + 5
    while text not in server.log_since(0).decode():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def main():
    arguments = parse_arguments(__doc__, budget=120)

    def body(results):
        with Directory() as directory, Server(arguments.server, label="server") as server, \
                Client(server.endpoint) as client:
            check_small(results, client)
            fill(client, arguments.seed)
            check_stream(results, client, "a full store")
            check_tools(results, server, client, directory, 0)
            check_damaged(results, directory, directory.file("3.4-0.db"))
            middle = client.revision() // 2
            compact(client, middle)
            check_tools(results, server, client, directory, middle)
            # From LMDB alone, after a checkpoint and a start.
            server.stop()
            server.start()
            check_tools(results, server, client, directory, middle)
            check_ctl(results, server, client, directory, middle)
            end = client.revision()
            compact(client, end)
            check_tools(results, server, client, directory, end)
            check_refusals(results, server, directory, directory.file("3.4-0.db"))
            check_under_load(results, server, client, directory)
            check_from_etcd(results, server, directory, arguments.seed)

    run(arguments, body)


if __name__ == "__main__":
    main()
