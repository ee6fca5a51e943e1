"""What Kubernetes API servers do with their store, all at once: optimistic transactions, 200 watch streams that are asked
how far they are, lists in pages and as streams, events that expire, compaction under a lock, and a store that is killed.
Everything that was told has to fit together; the same runs against etcd, and planted faults have to be found."""

import random
import re
import subprocess
import time
from dataclasses import dataclass, field

from apiserver_check import (History, problems_in_book, problems_in_cache, problems_in_expiry, problems_in_history,
                             problems_in_listing, problems_in_watch)
from apiserver_faults import planted_faults
from apiserver_load import (NAMESPACES, OBJECTS, CacheReader, Compaction, Controller, EventRecorder, Lister, Prober,
                            ProgressAsker, Registry, object_key)
from apiserver_store import LEASE_KEYS_MAX, LOCK_KEY, Expired, Storage
from apiserver_watch import CacheStream, Record
from harness import Server, eventually, parse_arguments, run
from known_differences import parse_version
from wire import Client, WatchStream, pb

RESOURCES = [b"events", b"pods", b"leases", b"nodes", b"secrets", b"configmaps", b"services", b"endpointslices",
             b"deployments", b"replicasets", b"statefulsets", b"daemonsets", b"jobs", b"cronjobs", b"ingresses",
             b"roles", b"rolebindings", b"serviceaccounts", b"namespaces", b"widgets"]
STREAMS_PER_RESOURCE = 10
NOTICE = "500ms"
CONTROLLERS = 6
WRITES = 300  # of each controller, before and after the kill
LEASES, LEASE_SECONDS = 3, 8
# After its time a lease is looked for every half a second, and its end is an entry of the log.
LATE_SECONDS = 4
COMPACTION_SECONDS = 1.5
# With these etcd the API server does not ask for progress: what they answer may be ahead of their events.
PROGRESS_AHEAD = [((0,), (3, 4, 31)), ((3, 5, 0), (3, 5, 13))]
# These may forget a revision when they are killed while they write, and are killed at rest.
FORGETFUL = ((3, 5, 0), (3, 5, 3))


def version_of(binary):
    command = [binary, "server", "--version"] if binary.endswith("strake") else [binary, "--version"]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=10).stdout
    return parse_version(re.search(r"etcd Version: (\S+)", printed).group(1))


@dataclass
class Evidence:
    """What was seen, for the checks and for the faults planted in it."""
    history: History
    reached: int
    records: list
    listings: list
    cache_reads: list
    book: list
    leases: list
    late_seconds: float = LATE_SECONDS
    streams: int = 0


@dataclass
class Play:
    """The whole course on one server."""
    results: object
    name: str
    server: Server
    seed: int
    version: tuple
    book: list = field(default_factory=list)
    listings: list = field(default_factory=list)
    streams: list = field(default_factory=list)
    clients: list = field(default_factory=list)
    leases: list = field(default_factory=list)
    cache_reads: list = field(default_factory=list)
    listed_as_streams: int = 0

    def __post_init__(self):
        self.chance = random.Random(self.seed)
        self.registry = Registry(RESOURCES)
        self.trusts_progress = not any(low <= self.version < high for low, high in PROGRESS_AHEAD)
        self.storage = Storage(self.client(), self.book)
        self.witness = self.stream(self.client(), [Record(b"\0", b"\xff", 2, seen=1)])

    def client(self):
        self.clients.append(Client(self.server.endpoint))
        return self.clients[-1]

    def stream(self, client, records):
        self.streams.append(CacheStream(client, records, self.trusts_progress))
        return self.streams[-1]

    def check(self, name, holds, detail=""):
        return self.results.check(f"{self.name}: {name}", holds, detail)

    def without_problems(self, name, problems):
        text = "\n".join(f"{kind}: {sentence}" for kind, sentence in problems[:10])
        self.check(name, not problems, f"{len(problems)} problems\n{text}")

    def worker(self, kind, *arguments):
        return kind(self.server.endpoint, self.chance.getrandbits(64), *arguments)

    def run_to_end(self, workers, besides=()):
        for worker in [*workers, *besides]:
            worker.start()
        for worker in workers:
            worker.join(60)
        for worker in [*workers, *besides]:
            worker.stop()
            self.check(f"{type(worker).__name__} did its work", worker.failure is None and not worker.is_alive(),
                       worker.failure)

    def populate(self):
        """The first objects of each resource; every second one is there twice."""
        for resource in RESOURCES:
            keys = [object_key(resource, number) for number in range(OBJECTS)]
            begun = [self.storage.begin("create", key, self.registry.value(self.chance)) for key in keys + keys[::2]]
            for each in begun:
                self.registry.heard(Storage.finish(*each))

    def open_watches(self):
        """Each resource is listed in pages, and watched from there; its streams share a connection."""
        self.caches, self.askable = [], []
        for resource in RESOURCES:
            prefix = b"/registry/%s/" % resource
            listing = self.storage.pages(prefix, 7)
            self.listings.append(listing)
            start, client = listing.revision + 1, self.client()
            spaces = [b"%s%s/" % (prefix, namespace) for namespace in NAMESPACES]
            shared = [Record.of_prefix(prefix, start), Record.of_prefix(spaces[0], start), Record.of_key(LOCK_KEY, start)]
            # The API server keeps no cache of events: they are many, and nobody reads them consistently.
            self.caches += [shared[0]] if resource != b"events" else []
            self.askable.append(self.stream(client, shared))
            for number in range(1, STREAMS_PER_RESOURCE - 1):
                watched = prefix if number < 6 else spaces[number % 2]
                self.stream(client, [Record.of_prefix(watched, start)])
            self.stream(client, [Record.of_key(object_key(resource, 3), start)])
        self.early = list(self.streams)

    def load(self):
        controllers = [self.worker(Controller, self.registry, self.book, WRITES) for _ in range(CONTROLLERS)]
        events = self.worker(EventRecorder, self.registry, self.book, LEASE_SECONDS, LEASES)
        listers = [self.worker(Lister, self.registry, self.listings) for _ in range(2)]
        readers = [self.worker(CacheReader, self.caches)] if self.trusts_progress else []
        self.compaction = Compaction(self.server.endpoint, self.book, COMPACTION_SECONDS)
        prober = Prober(self.server.endpoint)
        asker = ProgressAsker(self.server.endpoint, self.askable)
        self.run_to_end([*controllers, events], [*listers, *readers, self.compaction, prober, asker])
        self.leases = events.leases
        self.cache_reads = [read for reader in readers for read in reader.reads]
        self.listed_as_streams = sum(lister.streams for lister in listers)
        self.check("the health check was answered in time", prober.count > 2, prober.count)
        slowest = max([reader.slowest for reader in readers], default=0)
        print(f"{self.name}: {len(self.book)} transactions, {len(self.listings)} lists, {len(self.cache_reads)} reads "
              f"from caches (the slowest {slowest:.2f} s), health and status {prober.slowest:.2f} s at most", flush=True)

    def expire(self):
        """The leases of the events end by themselves, a thousand keys each where the store was quick enough."""
        print(f"{self.name}: leases of {[len(lease.keys) for lease in self.leases]} keys", flush=True)
        keys = b"/registry/events/default/"
        gone = eventually(lambda: self.storage.client.get(keys, range_end=keys + b"9", count_only=True).count == 0)
        self.check("all events have expired", gone)

    def compact(self):
        """A list and a watch that were too slow for the compaction, and how they go on."""
        prefix = b"/registry/pods/"
        first = self.client().get(prefix, range_end=b"/registry/pods0", limit=3)
        self.storage.write("update", object_key(b"pods", 0), self.registry.value(self.chance), 0, first.kvs[0].mod_revision)
        # No watcher is to be overtaken, nor to go on after the kill from before the compaction.
        self.catch_up()
        # The first round only looks at the revision.
        compaction = Compaction(self.server.endpoint, self.book, 0)
        for compactor in compaction.compactors:
            compactor.version = self.compaction.compactors[0].version
        for _ in range(2):
            compaction.step()
        self.compaction.winners += compaction.winners
        self.compacted = compacted = compaction.compacted
        self.catch_up()
        self.check("the compaction went past the list", compacted > first.header.revision, compacted)
        for name, revision in (("a continued list", first.header.revision), ("a list", compacted - 1)):
            try:
                self.storage.pages(prefix, 3, revision)
                self.check(f"{name} below the compaction", False, "was answered")
            except Expired:
                self.check(f"{name} below the compaction", True)
        future = self.storage.client.call("KV/Range", pb.RangeRequest(key=prefix, revision=compacted + 100_000))
        self.results.equal(f"{self.name}: a list of the future", (future.code, future.text),
                           ("OUT_OF_RANGE", "etcdserver: mvcc: required revision is a future revision"))
        again = self.storage.client.call("KV/Compact", pb.CompactionRequest(revision=compacted))
        self.results.equal(f"{self.name}: the same compaction again", (again.code, again.text),
                           ("OUT_OF_RANGE", "etcdserver: mvcc: required revision has been compacted"))
        with WatchStream(self.storage.client, [dict(key=prefix, range_end=b"/registry/pods0",
                                                    start_revision=compacted - 1)]) as stream:
            answers = [stream.next(5), stream.next(5)]
        self.check("a watch from below the compaction is created and canceled",
                   all(answers) and answers[0].created and answers[1].canceled
                   and answers[1].compact_revision == compacted and not answers[1].events, answers)
        listing = self.storage.pages(prefix, 500)
        self.listings.append(listing)
        self.stream(self.client(), [Record.of_prefix(prefix, listing.revision + 1)])

    def kill(self):
        """SIGKILL while controllers write; afterwards new ones, whose objects may be older than they think."""
        writes = 10**9 if not FORGETFUL[0] <= self.version < FORGETFUL[1] else WRITES // 4
        controllers = [self.worker(Controller, self.registry, self.book, writes) for _ in range(CONTROLLERS)]
        for controller in controllers:
            controller.start()
        if writes == WRITES // 4:
            for controller in controllers:
                controller.join(30)
        else:
            time.sleep(self.chance.uniform(0.3, 0.8))
        self.server.kill()
        for controller in controllers:
            controller.stop()
        self.server.start()
        self.run_to_end([self.worker(Controller, self.registry, self.book, WRITES // 2) for _ in range(CONTROLLERS)],
                        [ProgressAsker(self.server.endpoint, self.askable)])

    def catch_up(self):
        """Until every watcher has been told all up to the present revision, which is returned."""
        revision = self.storage.get(b"/registry/health").header.revision
        records = [record for stream in self.streams for record in stream.records]
        asker = ProgressAsker(self.server.endpoint, self.streams)
        asker.start()
        eventually(lambda: all(record.seen >= revision for record in records), 15)
        asker.stop()
        return revision

    def settle(self):
        self.reached = self.catch_up()
        for stream in self.streams:
            stream.close()
        for client in self.clients:
            client.close()

    def evidence(self):
        records = [record for stream in self.streams if stream is not self.witness for record in stream.records]
        return Evidence(History(self.witness.records[0]), self.reached, records, self.listings, self.cache_reads,
                        self.book, self.leases, streams=self.listed_as_streams)

    def judge(self, evidence):
        history = evidence.history
        self.without_problems("a watch of everything has no gap, and its events fit each other", [
            *problems_in_history(history), *problems_in_watch(history.record, history, self.reached)])
        self.without_problems("each watcher was told all in its range, once, in order, with previous values, and no "
                              "progress ran ahead", [problem for record in evidence.records
                                                     for problem in problems_in_watch(record, history, self.reached)])
        self.without_problems("lists equal the state at their revisions", [
            problem for listing in self.listings for problem in problems_in_listing(listing, history)])
        self.without_problems("caches equal the state at the revision that they wait for", [
            problem for read in self.cache_reads for problem in problems_in_cache(read, history)])
        self.without_problems("transactions took the right branch and are in the history",
                              problems_in_book(self.book, history))
        self.without_problems("leases end whole and in time", [
            problem for lease in self.leases for problem in problems_in_expiry(lease, history, LATE_SECONDS)])
        rounds = self.compaction.winners
        self.check("one API server compacts", rounds and all(count == 1 for count in rounds), rounds)
        self.count_untrusted()

    def count_untrusted(self):
        """Of an etcd whose answers may run ahead: how many did. The API server does not ask it."""
        asked = [each for stream in self.streams for each in stream.untrusted]
        ahead = sum(any(event.kv.mod <= revision for batch in record.log[position:] for event in batch.events)
                    for record, position, revision in asked)
        if asked:
            print(f"{self.name}: {ahead} of {len(asked)} answers about progress ran ahead of events", flush=True)

    def judge_size(self, evidence):
        """Whether all that was to be tried was tried."""
        kinds = {kind: sum(listing.kind == kind for listing in self.listings) for kind in
                 ("pages", "stream", "keys", "count")}
        self.check("streams", len(self.streams) >= 200, len(self.streams))
        self.check("every stream was resumed", all(record.resumed for record in evidence.records))
        self.check("every stream had notices of progress", all(stream.notices for stream in self.early))
        self.check("streams that were asked for progress answered", all(stream.replies > 3 for stream in self.askable),
                   [stream.replies for stream in self.askable])
        self.check("every prefix had events", all(any(batch.events for batch in record.log)
                                                  for record in evidence.records if record.end))
        self.check("lists of all kinds", all(count > 3 for kind, count in kinds.items()
                                             if kind != "stream" or evidence.streams), kinds)
        self.check("pages that go on", sum(len(listing.pages) > 2 for listing in self.listings) > 20)
        self.check("refused transactions", sum(write.answered and not write.succeeded for write in self.book) > 100)
        self.check("failure branches that read", sum(write.found is not None for write in self.book) > 50)
        self.check("reads from caches", len(self.cache_reads) > 20 or not self.trusts_progress, len(self.cache_reads))
        self.check("compactions", self.compacted > 0)
        self.results.equal(f"{self.name}: leases", len(self.leases), LEASES)
        # Of etcd, which may be too slow for more on this machine, that some had keys is enough.
        keys = [len(lease.keys) for lease in self.leases]
        self.check("leases had their keys", all(keys) if self.name == "peer" else max(keys, default=0) == LEASE_KEYS_MAX, keys)

    def run(self):
        for act in (self.populate, self.open_watches, self.load, self.expire, self.compact, self.kill, self.settle):
            began = time.monotonic()
            act()
            print(f"{self.name}: {act.__name__} {time.monotonic() - began:.1f} s", flush=True)
        evidence = self.evidence()
        self.judge(evidence)
        self.judge_size(evidence)
        return evidence


def check_status(results, server):
    """What the API server looks at before it trusts a store's progress."""
    with Client(server.endpoint) as client:
        status = client.must("Maintenance/Status", pb.StatusRequest())
    version = parse_version(status.version)
    results.check("the version is one whose progress the API server trusts",
                  not any(low <= version < high for low, high in PROGRESS_AHEAD), status.version)


def main():
    arguments = parse_arguments(__doc__, budget=100)

    def body(results):
        servers = []
        for label, binary in (("server", arguments.server), ("peer", arguments.peer)):
            version = version_of(binary)
            flag = "--watch-progress-notify-interval" if label == "server" or version >= (3, 6) \
                else "--experimental-watch-progress-notify-interval"
            servers.append((label, version, Server(binary, [f"{flag}={NOTICE}"], label)))
        for label, version, server in servers:
            with server:
                if label == "server":
                    check_status(results, server)
                evidence = Play(results, label, server, arguments.seed, version).run()
            if label == "server":
                results.check("the server streams lists", evidence.streams > 3, evidence.streams)
            for name, kind, problems in planted_faults(evidence):
                results.check(f"{label}: the planted fault '{name}' is found as '{kind}'",
                              kind in {each for each, _ in problems}, problems[:3])

    run(arguments, body)


if __name__ == "__main__":
    main()
