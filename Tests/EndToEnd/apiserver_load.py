"""API servers at work on one store: controllers that write, clients that list, caches that ask how far they are,
events that expire, and compactors that agree on one of them."""

import random
import threading
import time
from dataclasses import dataclass

from apiserver_store import HEALTH_KEY, LEASE_KEYS_MAX, LOCK_KEY, Expired, Storage
from wire import Client, pb

NAMESPACES = (b"default", b"kube-system")
OBJECTS = 24
PROGRESS_SECONDS = 0.1
# How long a read from a cache may wait for the cache to be told enough.
CACHE_SECONDS_MAX = 5
LISTING_LIMITS = (1, 3, 7, 20, 500)


def object_key(resource, number):
    return b"/registry/%s/%s/%s-%03d" % (resource, NAMESPACES[number % 2], resource, number)


class Registry:
    """Which mod revision each key had when a client last heard of it."""

    def __init__(self, resources):
        self.resources = resources
        self.mods = {}
        self.serial = 0
        self.lock = threading.Lock()

    def value(self, chance):
        """Unlike every other."""
        with self.lock:
            self.serial += 1
            serial = self.serial
        return b"k8s\0%d " % serial + b"." * chance.choice((40, 200, 600))

    def heard(self, write):
        if write.succeeded:
            self.mods[write.key] = 0 if write.kind == "delete" else write.revision
        elif write.kind == "create":
            self.mods[write.key] = -1  # it is there; at which revision is not said
        else:
            self.mods[write.key] = write.found.mod if write.found else 0


class Worker(threading.Thread):
    """Something that goes on until it is stopped, on a connection of its own. Its first failure ends it."""

    def __init__(self, endpoint, seed):
        super().__init__(daemon=True)
        self.client = Client(endpoint)
        self.chance = random.Random(seed)
        self.over = threading.Event()
        self.failure = None

    def run(self):
        try:
            while not self.over.is_set() and self.step():
                pass
        except Exception as error:  # noqa: BLE001: for the main thread
            self.failure = repr(error)

    def stop(self):
        self.over.set()
        self.join(20)
        self.client.close()


class Controller(Worker):
    """Writes as its copy of the objects says, which others may have made old."""

    def __init__(self, endpoint, seed, registry, book, count):
        super().__init__(endpoint, seed)
        self.registry, self.left = registry, count
        self.storage = Storage(self.client, book)

    def step(self):
        if self.left == 0:
            return False
        self.left -= 1
        key = object_key(self.chance.choice(self.registry.resources), self.chance.randrange(OBJECTS))
        write = self.storage.write(*self.choose(key))
        if write.answered:
            self.registry.heard(write)
        return write.answered

    def choose(self, key):
        """(kind, key, value, lease, expected)"""
        mod, dice = self.registry.mods.get(key, 0), self.chance.random()
        if dice < 0.08 or mod <= 0 and dice < 0.5:
            return "create", key, self.registry.value(self.chance), 0, 0
        if dice < 0.16:
            mod = self.chance.choice((0, max(mod - 1, 0), mod + 1))
        if dice > 0.8 and mod > 0:
            return "delete", key, b"", 0, mod
        return "update", key, self.registry.value(self.chance), 0, max(mod, 0)


class Lister(Worker):
    """Lists of all kinds; those at old revisions only as far back as nothing is compacted."""

    def __init__(self, endpoint, seed, registry, listings):
        super().__init__(endpoint, seed)
        self.registry, self.listings = registry, listings
        self.storage = Storage(self.client, [])
        self.expired, self.streams = 0, 0

    def step(self):
        prefix = b"/registry/%s/" % self.chance.choice(self.registry.resources)
        try:
            self.listings.append(self.read(prefix, self.chance.choice(("pages", "old", "stream", "keys", "count"))))
        except Expired:
            self.expired += 1
        return not self.over.wait(0.01)

    def read(self, prefix, kind):
        limit = self.chance.choice(LISTING_LIMITS)
        if kind == "stream":
            listing = self.storage.stream(prefix)
            self.streams += listing is not None
            return listing or self.storage.pages(prefix, limit)
        if kind == "old":
            revision = max(1, self.storage.get(prefix).header.revision - self.chance.randrange(100))
            return self.storage.pages(prefix, limit, revision)
        return self.storage.pages(prefix, limit) if kind == "pages" else getattr(self.storage, kind)(prefix)


class ProgressAsker(Worker):
    """Asks on the streams every 100 ms how far they are."""

    def __init__(self, endpoint, streams):
        super().__init__(endpoint, 0)
        self.streams = streams

    def step(self):
        for stream in self.streams:
            stream.request_progress()
        return not self.over.wait(PROGRESS_SECONDS)


class CacheReader(Worker):
    """Consistent reads from a cache: the store's revision, then waiting until the cache has been told all up to there."""

    def __init__(self, endpoint, seed, records):
        super().__init__(endpoint, seed)
        self.records = records
        self.storage = Storage(self.client, [])
        self.reads, self.slowest = [], 0

    def step(self):
        record = self.chance.choice(self.records)
        began = time.monotonic()
        revision = self.storage.get(record.key).header.revision
        while record.seen < revision:
            if time.monotonic() - began > CACHE_SECONDS_MAX:
                raise TimeoutError(f"the cache of {record.key} heard nothing of {revision}, it is at {record.seen}")
            if self.over.wait(0.002):
                return False
        self.reads.append((record, len(record.log), revision))
        self.slowest = max(self.slowest, time.monotonic() - began)
        return True


class Prober(Worker):
    """The health check's read, and the database's size from Status."""

    def __init__(self, endpoint):
        super().__init__(endpoint, 0)
        self.count, self.slowest = 0, 0

    def step(self):
        began = time.monotonic()
        self.client.must("KV/Range", pb.RangeRequest(key=HEALTH_KEY, limit=1), timeout=2)
        status = self.client.must("Maintenance/Status", pb.StatusRequest(), timeout=2)
        if status.dbSize <= 0 or status.leader == 0 or status.leader != status.header.member_id:
            raise ValueError(f"a status without a size or a leader: {status}")
        if status.dbSizeInUse > status.dbSize:
            raise ValueError(f"more is in use than there is: {status}")
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.count += 1
        return not self.over.wait(0.2)


class Compactor:
    """One API server's part in compaction: whoever counts up the lock's version compacts at what was the revision when
    it last looked; the others learn the version from what they read instead."""

    def __init__(self, endpoint, book):
        self.client = Client(endpoint)
        self.storage = Storage(self.client, book)
        self.version, self.revision, self.compacted = 0, 0, 0

    def begin(self):
        return self.storage.begin("lock", LOCK_KEY, b"%d" % self.revision, expected=self.version)

    def finish(self, attempt):
        """Whether it has won."""
        write = Storage.finish(*attempt)
        if not write.answered:
            raise RuntimeError("the lock's transaction was not answered")
        compact, self.revision = self.revision, write.revision
        self.version = self.version + 1 if write.succeeded else write.found.version
        if write.succeeded and compact:
            self.client.must("KV/Compact", pb.CompactionRequest(revision=compact))
            self.compacted = compact
        return write.succeeded


class Compaction(Worker):
    """Rounds of all compactors at once."""

    def __init__(self, endpoint, book, rounds_apart):
        super().__init__(endpoint, 0)
        self.compactors = [Compactor(endpoint, book) for _ in range(3)]
        self.rounds_apart = rounds_apart
        self.winners = []

    def step(self):
        attempts = [compactor.begin() for compactor in self.compactors]
        self.winners.append(sum([compactor.finish(attempt) for compactor, attempt in zip(self.compactors, attempts)]))
        return not self.over.wait(self.rounds_apart)

    def stop(self):
        super().stop()
        for compactor in self.compactors:
            compactor.client.close()

    @property
    def compacted(self):
        return max(compactor.compacted for compactor in self.compactors)


@dataclass
class EventLease:
    id: int
    ttl: int
    granted: float
    keys: list


class EventRecorder(Worker):
    """Events of the cluster: a lease for each thousand of them, never renewed. A store that is too slow for that while
    the lease is young has the next ones put under another lease, as an API server does."""

    PIPELINE = 100
    # Of a lease's time; what is left is for the batch under way.
    YOUNG = 0.7

    def __init__(self, endpoint, seed, registry, book, ttl, count):
        super().__init__(endpoint, seed)
        self.registry, self.ttl, self.left = registry, ttl, count
        self.storage = Storage(self.client, book)
        self.leases = []

    def step(self):
        if self.left == 0:
            return False
        self.left -= 1
        granted = time.monotonic()
        lease = self.client.must("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=self.ttl)).ID
        keys = [b"/registry/events/default/%d.%04d" % (len(self.leases), number) for number in range(LEASE_KEYS_MAX)]
        self.chance.shuffle(keys)
        put = 0
        while put < len(keys) and time.monotonic() < granted + self.ttl * self.YOUNG:
            begun = [self.storage.begin("create", key, self.registry.value(self.chance), lease)
                     for key in keys[put:put + self.PIPELINE]]
            if not all(Storage.finish(*each).succeeded for each in begun):
                raise RuntimeError(f"an event could not be created {time.monotonic() - granted:.2f} s after its lease")
            put += len(begun)
        self.leases.append(EventLease(lease, self.ttl, granted, keys[:put]))
        return True
