"""Real input: every record of the package lists, loaded, read back, watched, changed, compacted and restarted on the
server and on an etcd. The answers of both must have the same digests."""

import hashlib
import random
import subprocess
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from harness import Server, parse_arguments, run, start_all
from known_differences import parse_version
from wire import Client, pb

PREFIX, PREFIX_END = b"/packages/", b"/packages0"
IN_FLIGHT = 256


def read_packages(limit):
    """[(key, record)] from `apt-cache dumpavail`, keys /packages/<name>/<version>/<architecture>, each once."""
    dump = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, check=True).stdout
    packages = {}
    for record in dump.split(b"\n\n"):
        lines = [line for line in record.splitlines() if b": " in line and not line.startswith(b" ")]
        fields = dict(line.split(b": ", 1) for line in lines)
        if b"Package" in fields and b"Version" in fields:
            name = b"/".join([fields[b"Package"], fields[b"Version"], fields.get(b"Architecture", b"")])
            packages[PREFIX + name] = record
        if limit and len(packages) >= limit:
            break
    return list(packages.items())


class Digest:
    """A digest of keys, values and metadata. The puts of the load run concurrently, so which of them came first is
    open: revisions up to `loaded` count as one."""

    def __init__(self, loaded):
        self.loaded = loaded
        self.hash = hashlib.sha256()
        self.count = 0

    def level(self, revision):
        return max(revision, self.loaded) if revision else 0

    def add(self, kv, mark=b""):
        self.count += 1
        numbers = (self.level(kv.create_revision), self.level(kv.mod_revision), kv.version, kv.lease, len(kv.key),
                   len(kv.value))
        self.hash.update(mark + repr(numbers).encode() + kv.key + kv.value)

    def result(self):
        return self.count, self.hash.hexdigest()


def digest_of(kvs, loaded):
    digest = Digest(loaded)
    for kv in kvs:
        digest.add(kv)
    return digest.result()


class Side:
    """One server and what is done to it; every method returns what must be equal on both sides."""

    def __init__(self, binary, label):
        self.server = Server(binary, label=label)
        self.client = None
        self.loaded = 0

    def connect(self):
        self.client = Client(self.server.endpoint)

    def load(self, packages):
        waiting, failures = deque(), 0
        for key, record in packages:
            waiting.append(self.client.begin("KV/Put", pb.PutRequest(key=key, value=record), timeout=60))
            if len(waiting) >= IN_FLIGHT:
                failures += not Client.finish(waiting.popleft()).ok
        failures += sum(not Client.finish(future).ok for future in waiting)
        self.loaded = self.client.revision()
        return failures, self.loaded

    def whole(self, revision=0, **fields):
        request = pb.RangeRequest(key=PREFIX, range_end=PREFIX_END, revision=revision, **fields)
        answer = self.client.must("KV/Range", request, 120)
        return answer.count, answer.more, answer.header.revision, digest_of(answer.kvs, self.loaded)

    def paged(self, page=1000):
        digest, key, revision = Digest(self.loaded), PREFIX, 0
        while True:
            answer = self.client.get(key, range_end=PREFIX_END, limit=page, revision=revision)
            revision = revision or answer.header.revision
            for kv in answer.kvs:
                digest.add(kv)
            if not answer.more:
                return digest.result()
            key = answer.kvs[-1].key + b"\0"

    def streamed(self):
        answer = self.client.call("KV/RangeStream", pb.RangeRequest(key=PREFIX, range_end=PREFIX_END), 120)
        kvs = [kv for message in answer.message for kv in message.range_response.kvs]
        return answer.code, answer.message[-1].range_response.count, digest_of(kvs, self.loaded)

    def by_prefix(self, prefixes):
        found = []
        for prefix in prefixes:
            answer = self.client.get(prefix, range_end=prefix[:-1] + bytes([prefix[-1] + 1]), sort_order=2)
            found.append((answer.count, digest_of(answer.kvs, self.loaded)))
        return found

    def change(self, packages):
        """Every fifth record again, in transactions; some alone; whole families of packages deleted."""
        changed = packages[::5]
        for start in range(0, len(changed), 64):
            operations = [pb.RequestOp(request_put=pb.PutRequest(key=key, value=record + b"\nTouched: yes"))
                          for key, record in changed[start:start + 64]]
            self.client.must("KV/Txn", pb.TxnRequest(success=operations))
        for key, record in packages[3::97]:
            self.client.put(key, record[::-1], prev_kv=True)
        deleted = []
        for prefix in (b"python3-", b"golang-", b"libghc-", b"r-cran-", b"zz-no-such-"):
            key = PREFIX + prefix
            answer = self.client.must("KV/DeleteRange", pb.DeleteRangeRequest(
                key=key, range_end=key[:-1] + bytes([key[-1] + 1]), prev_kv=True), 60)
            deleted.append((answer.deleted, digest_of(answer.prev_kvs, self.loaded)))
        return deleted, self.client.revision()

    def watched(self, first):
        """All events from `first` on: those of the load as a set, for their order is open, the others in order."""
        last = self.client.revision()
        load, ordered, previous, orderly = [], Digest(self.loaded), 0, True
        with self.client.watch(dict(key=PREFIX, range_end=PREFIX_END, start_revision=first)) as stream:
            while previous < last:
                message = stream.next(60)
                if message is None or message.canceled:
                    return f"ended at {previous}: {message}"
                for event in message.events:
                    orderly = orderly and event.kv.mod_revision >= previous
                    previous = event.kv.mod_revision
                    load.append(event.kv) if previous <= self.loaded else ordered.add(event.kv, b"%d" % event.type)
        load.sort(key=lambda kv: kv.key)
        return orderly, digest_of(load, self.loaded), ordered.result()

    def compact(self, revision):
        answer = self.client.call("KV/Compact", pb.CompactionRequest(revision=revision, physical=True), 120)
        below = self.client.call("KV/Range", pb.RangeRequest(key=PREFIX, revision=revision - 1))
        again = self.client.call("KV/Compact", pb.CompactionRequest(revision=revision))
        return [(each.code, each.text) for each in (answer, below, again)]

    def hash(self):
        answer = self.client.must("Maintenance/HashKV", pb.HashKVRequest(), 60)
        return answer.hash, answer.compact_revision, answer.header.revision

    def status(self):
        status = self.client.must("Maintenance/Status", pb.StatusRequest())
        return f"{status.dbSize >> 20} MiB on disk, {self.server.resident_bytes() >> 20} MiB resident"

    def is_new(self):
        return parse_version(self.client.must("Maintenance/Status", pb.StatusRequest()).version) >= (3, 7)


class Comparison:
    def __init__(self, results, sides):
        self.results = results
        self.sides = sides
        self.pool = ThreadPoolExecutor(2)

    def both(self, function, *arguments, **fields):
        return list(self.pool.map(lambda side: function(side, *arguments, **fields), self.sides))

    def same(self, label, function, *arguments, **fields):
        server, peer = self.both(function, *arguments, **fields)
        self.results.equal(label, server, peer)
        print(f"{label}: {self.results.elapsed():.1f} s", flush=True)
        return server


def compare_all(results, arguments, sides):
    packages = read_packages(arguments.packages)
    rng = random.Random(arguments.seed)
    rng.shuffle(packages)
    print(f"{len(packages)} packages, {sum(len(record) for _, record in packages) >> 20} MiB", flush=True)
    results.check("there are enough packages", len(packages) >= (arguments.packages or 50000), len(packages))
    start_all([side.server for side in sides])
    comparison = Comparison(results, sides)
    comparison.both(Side.connect)
    same = comparison.same

    failures, loaded = same("load", Side.load, packages)
    results.equal("every put is acknowledged", failures, 0)
    read_back(results, comparison, packages, rng)
    first_state = same("at the revision of the load", Side.whole, revision=loaded)
    _, current = same("updates and deletes", Side.change, packages)
    results.equal("the old revision reads as before",
                  sides[0].whole(revision=loaded)[3], first_state[3])
    same("everything after the changes", Side.whole)
    same("watch from 1 after the changes", Side.watched, 1)
    middle = (loaded + current) // 2
    at_middle = same("everything at a revision amid the changes", Side.whole, revision=middle)
    same("compaction", Side.compact, middle)
    same("the compact revision itself", Side.whole, revision=middle)
    same("watch from behind the compaction", Side.watched, middle + 1)
    survives_restart(results, comparison, middle, at_middle)


def read_back(results, comparison, packages, rng):
    same = comparison.same
    whole = same("everything in one answer", Side.whole)
    results.equal("pages add up to the one answer", same("everything in pages", Side.paged), whole[3])
    same("keys only", Side.whole, keys_only=True)
    same("count only", Side.whole, count_only=True)
    same("sorted by value", Side.whole, sort_order=1, sort_target=4, limit=500)
    prefixes = [key[:rng.randint(len(PREFIX) + 4, len(PREFIX) + 9)] for key, _ in rng.sample(packages, 200)]
    same("by prefix", Side.by_prefix, prefixes)
    if comparison.sides[0].is_new():
        code, count, digest = comparison.sides[0].streamed()
        results.equal("RangeStream adds up to the one answer", (code, count, digest), ("OK", whole[0], whole[3]))


def survives_restart(results, comparison, middle, at_middle):
    hashes = comparison.both(Side.hash)
    print("sizes: server {}, peer {}".format(*comparison.both(Side.status)), flush=True)
    for side in comparison.sides:
        side.client.close()
        side.server.stop()
    start_all([side.server for side in comparison.sides])
    comparison.both(Side.connect)
    results.equal("HashKV is the same after a restart", comparison.both(Side.hash), hashes)
    comparison.same("everything after a restart", Side.whole)
    after = comparison.same("an old revision after a restart", Side.whole, revision=middle)
    results.equal("an old revision is as before the restart", after[3], at_middle[3])
    comparison.same("watch after a restart", Side.watched, middle + 1)


def main():
    arguments = parse_arguments(__doc__, budget=150, packages=(0, "load only so many packages; 0 means all"))

    def body(results):
        sides = [Side(arguments.server, "server"), Side(arguments.peer, "peer")]
        try:
            compare_all(results, arguments, sides)
        finally:
            for side in sides:
                side.server.remove()

    run(arguments, body)


if __name__ == "__main__":
    main()
