"""What lasts while members fail: a watch through each member from the first revision on, and leases kept alive."""

import random
import threading
import time

from crash_load import DELETE, PUT, Write, grouped
from wire import Client, WatchStream, pb

SILENCE_SECONDS = 4
LEASE_SECONDS = 3
# Clocks of members are made to run this much faster at most (faults_plan), and keep-alives are answered to a second.
LEASE_PROMISE = 0.85
LEASE_PREFIX = b"lease/"


class ResumingWatch:
    """All events through one member. Whenever the stream breaks, or is silent for long, it goes on at the last
    revision seen + 1 over a new connection. Gaps and repeats are found as they come."""

    def __init__(self, label, endpoint, first=2, on_events=None):
        self.label, self.endpoint = label, endpoint
        self.on_events = on_events
        self.seen = first - 1
        self.log = []  # of (revision, [events]), until it is taken
        self.problems = []
        self.resumed = 0
        self._lock = threading.Lock()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stopping:
            with Client(self.endpoint) as client:
                create = dict(key=b"\0", range_end=b"\0", start_revision=self.seen + 1)
                with WatchStream(client, [create]) as stream:
                    self._follow(stream)
            self.resumed += 1

    def _follow(self, stream):
        heard = time.monotonic()
        while not self._stopping and time.monotonic() < heard + SILENCE_SECONDS:
            message = stream.next(0.2)
            if message is None:
                if stream.end is not None:
                    time.sleep(0.1)
                    return
                continue
            heard = time.monotonic()
            if message.canceled:
                self.problems.append(f"{self.label}: canceled: {message.cancel_reason or message}")
                time.sleep(0.5)
                return
            self._take(grouped(message.events))

    def _take(self, revisions):
        for revision, events in revisions:
            if revision != self.seen + 1:
                self.problems.append(f"{self.label}: revision {revision} came after {self.seen}")
            with self._lock:
                self.log.append((revision, events))
                self.seen = revision
            if self.on_events:
                self.on_events(events)

    def wait_for(self, revision, timeout):
        deadline = time.monotonic() + timeout
        while self.seen < revision and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.seen >= revision

    def take_log(self, through):
        """The events up to a revision; they are forgotten here."""
        with self._lock:
            taken = [entry for entry in self.log if entry[0] <= through]
            self.log = self.log[len(taken):]
        return taken

    def stop(self):
        self._stopping = True
        self._thread.join(20)


class LeaseKeeper:
    """A lease with one key, kept alive through members in turn. When it is lost, and that can be right while the
    cluster cannot answer, another one takes its place.

    A keep-alive that was answered promises the lease for its TTL after the moment it was sent. Events of its end that
    any watch shows earlier are problems."""

    def __init__(self, number, endpoints, recorder, seed):
        self.endpoints, self.recorder = endpoints, recorder
        self.rng = random.Random(seed)
        self.key = LEASE_PREFIX + b"%d" % number
        self.lease = 0
        self.promised = {}  # value: until when, on the monotonic clock
        self.granted = self.kept = self.lost = 0
        self.problems = []
        self.writing = threading.Lock()  # Held from a put to its place in the book.
        self._stopping = False
        self._clients = {}
        self._last = None  # value that the watches last saw put
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _client(self):
        endpoint = self.rng.choice(self.endpoints)
        if endpoint not in self._clients:
            self._clients[endpoint] = Client(endpoint)
        return self._clients[endpoint]

    def _run(self):
        while not self._stopping:
            if not self.lease:
                with self.writing:
                    self._grant()
            else:
                self._keep()
            time.sleep(self.rng.uniform(0.2, 0.6))
        for client in self._clients.values():
            client.close()

    def _grant(self):
        client, lease, sent = self._client(), self.rng.getrandbits(62), time.monotonic()
        granted = client.call("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=LEASE_SECONDS, ID=lease), timeout=2)
        if not granted.ok:
            return self._forget(client)
        value = b"%x" % lease
        self.promised[value] = sent + LEASE_SECONDS * LEASE_PROMISE
        events = ((PUT, self.key, value, lease),)
        put = client.call("KV/Put", pb.PutRequest(key=self.key, value=value, lease=lease), timeout=2)
        self.recorder.note(Write(events, put.message.header.revision if put.ok else None))
        if put.ok:
            self.lease = lease
            self.granted += 1

    def _keep(self):
        client, sent = self._client(), time.monotonic()
        answer = client.call("Lease/LeaseKeepAlive", [pb.LeaseKeepAliveRequest(ID=self.lease)], timeout=1)
        for kept in answer.message or []:
            if kept.TTL > 0:
                self.kept += 1
                self.promised[b"%x" % self.lease] = sent + LEASE_SECONDS * LEASE_PROMISE
            else:
                self.lost += 1
                self.lease = 0
        if not answer.ok:
            self._forget(client)
        elif not answer.message:
            self.problems.append("a keep-alive ended well without an answer")

    def _forget(self, client):
        self._clients = {endpoint: each for endpoint, each in self._clients.items() if each is not client}
        client.close()

    def look_at(self, events):
        """Called with the events of one revision by one watch, which is in order."""
        for kind, key, value, _ in events:
            if key != self.key:
                continue
            if kind == DELETE and self._last is not None:
                early = self.promised.get(self._last, 0) - time.monotonic()
                if early > 0:
                    self.problems.append(f"lease {self._last.decode()} ended {early:.2f} s before it may")
            self._last = value if kind == PUT else None

    def stop(self):
        self._stopping = True
        self._thread.join(10)


def planted_bugs(watch, keeper):
    """[(name, found)]: whether a stopped watch and a stopped keeper see what must not be. What they saw before has been
    judged."""
    value = b"planted"
    keeper.promised[value] = time.monotonic() + 1
    keeper.look_at([(PUT, keeper.key, value, 1)])
    keeper.look_at([(DELETE, keeper.key, b"", 0)])
    problems = len(watch.problems)
    watch.on_events = None
    watch._take([(watch.seen + 2, [(PUT, b"a", value, 0)])])
    gap = len(watch.problems) > problems
    watch._take([(watch.seen, [(PUT, b"a", value, 0)])])
    return [("a lease that ends early", bool(keeper.problems)), ("a gap", gap),
            ("a repeat", len(watch.problems) > problems + 1)]
