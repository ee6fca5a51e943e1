"""What runs while the server is killed: writers that keep a book, and a watcher that resumes."""

import random
import threading
import time
from dataclasses import dataclass

from wire import Client, WatchStream, pb

PUT, DELETE = 0, 1
LEASE = 7


@dataclass
class Write:
    """One request: the events it must cause, in order, and the revision the server gave it; None if the answer was
    lost, and then it may have happened or not."""
    events: tuple  # of (type, key, value, lease)
    revision: int | None = None


class Writer:
    """A client with keys of its own, one request at a time. It stops at the first error."""

    def __init__(self, number, endpoint, seed, book):
        self.number = number
        self.client = Client(endpoint)
        self.rng = random.Random(seed)
        self.book = book
        self.stopping = False
        self.live = set()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def key(self):
        return b"w%d/%d" % (self.number, self.rng.randrange(30))

    def _next(self):
        """(method, request, the events it must cause)"""
        value = b"%d-%d-" % (self.number, self.rng.getrandbits(64)) + b"." * self.rng.choice((0, 10, 300, 5000))
        kind = self.rng.random()
        if kind < 0.1 and self.live:
            key = self.rng.choice(sorted(self.live))
            return "KV/DeleteRange", pb.DeleteRangeRequest(key=key), ((DELETE, key, b"", 0),)
        if kind < 0.45:
            keys = [b"pair%d/%s/%d" % (self.number, half, self.rng.randrange(3)) for half in (b"left", b"right")]
            keys[1] = keys[0].replace(b"left", b"right")
            operations = [pb.RequestOp(request_put=pb.PutRequest(key=key, value=value)) for key in keys]
            return "KV/Txn", pb.TxnRequest(success=operations), tuple((PUT, key, value, 0) for key in keys)
        key, lease = self.key(), LEASE if kind > 0.9 else 0
        return "KV/Put", pb.PutRequest(key=key, value=value, lease=lease), ((PUT, key, value, lease),)

    def _run(self):
        while not self.stopping:
            method, request, events = self._next()
            write = Write(events)
            self.book.append(write)
            answer = Client.finish(self.client.begin(method, request, timeout=5, wait_for_ready=False))
            if not answer.ok:
                return
            write.revision = answer.message.header.revision
            self._remember(events)

    def _remember(self, events):
        for kind, key, _, _ in events:
            if key.startswith(b"w"):
                self.live.discard(key) if kind == DELETE else self.live.add(key)

    def start(self):
        self.thread.start()

    def stop(self):
        self.stopping = True
        self.thread.join(20)
        self.client.close()


class Watcher:
    """Collects every event from revision 2 on; whenever the stream breaks it goes on at the last revision seen + 1."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.log = []  # of (revision, [events])
        self.resumed = 0
        self.problems = []
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def seen(self):
        return self.log[-1][0] if self.log else 1

    def _run(self):
        with Client(self.endpoint) as client:
            while not self._stopping:
                create = dict(key=b"\0", range_end=b"\0", start_revision=self.seen + 1)
                with WatchStream(client, [create]) as stream:
                    self._follow(stream)
                self.resumed += 1

    def _follow(self, stream):
        while not self._stopping:
            message = stream.next(0.2)
            if message is None:
                if stream.end is not None:
                    return
                continue
            if message.canceled:
                self.problems.append(f"watch canceled: {message}")
                return
            self.log += grouped(message.events)

    def wait_for(self, revision, timeout=20):
        deadline = time.monotonic() + timeout
        while self.seen < revision and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.seen >= revision

    def stop(self):
        self._stopping = True
        self._thread.join(20)


def grouped(events):
    """[(revision, [events])] of one message; a revision is never split between messages."""
    found = []
    for event in events:
        revision = event.kv.mod_revision
        if not found or found[-1][0] != revision:
            found.append((revision, []))
        found[-1][1].append((event.type, event.kv.key, event.kv.value, event.kv.lease))
    return found
