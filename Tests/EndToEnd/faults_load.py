"""Clients that do what clients do to a few hot keys while members fail, and write down what they asked and got."""

import json
import random
import threading
import time

from crash_load import DELETE, PUT, Write
from wire import Client, pb

# Keys get old: a check of one key grows with the operations on it, and faster with those whose outcome is open.
EPOCH_SECONDS = 12
KEYS = 8
BULK_BYTES = 16 << 10
TIMEOUTS = (0.5, 1.0, 2.0, 5.0)
NOT_SENT = "nobody reached"
REFUSALS = ("etcdserver: too many requests", "etcdserver: no leader", "etcdserver: leader changed",
            "etcdserver: rpc not supported for learner", "context deadline exceeded")


def refusal(answer):
    """Why it is sure that nothing happened, or None if it is not. What these answers of the server promise is said in
    docs/architecture.md. A client's own deadline is spelled otherwise."""
    if answer.code == "UNAVAILABLE" and answer.text.startswith("failed to connect"):
        return NOT_SENT
    return answer.text if answer.text in REFUSALS else None


class Recorder:
    """One history, as lines for `check-history`, and the same writes as a book that watches are compared with. A write
    that was surely refused stands in neither: if it happened nevertheless, both show a change that nobody made."""

    def __init__(self):
        self._lock = threading.Lock()
        self._file = None
        self.path = None
        self.book = []
        self.outcomes = {}  # (operation, outcome): number
        self.refusals = {}  # why a write was refused: number
        self.operations = 0  # In the present file.

    def open(self, path):
        self._file, self.path, self.operations = open(path, "w"), path, 0

    def close(self):
        self._file.close()

    def count(self, operation, outcome, why=None):
        with self._lock:
            self.outcomes[operation, outcome] = self.outcomes.get((operation, outcome), 0) + 1
            if why:
                self.refusals[why] = self.refusals.get(why, 0) + 1

    def write(self, line):
        text = json.dumps(line) + "\n"
        with self._lock:
            self._file.write(text)
            self.operations += 1

    def note(self, write):
        with self._lock:
            self.book.append(write)

    def put(self, key, value, answer):
        """Of a put beside the history."""
        self.note(Write(((PUT, key, value, 0),), answer.message.header.revision if answer.ok else None))

    def take_book(self):
        """What was answered since the last time, and all that ever remained open: that can happen late."""
        with self._lock:
            taken, self.book = self.book, [write for write in self.book if write.revision is None]
        return taken


class Load:
    def __init__(self, members, recorder, rng, per_member):
        self.recorder = recorder
        self.members = members
        self.mods = {}  # key: the mod revision last seen, by any client
        self.running = threading.Event()
        self.ended = False
        self.began = time.monotonic()
        self.epoch_base = 0
        self.clients = [LoadClient(self, number, member.endpoint, rng.getrandbits(64))
                        for number, member in enumerate(members * per_member)]

    def key(self, rng):
        epoch = self.epoch_base + int((time.monotonic() - self.began) / EPOCH_SECONDS)
        return f"hot{epoch}/{rng.randrange(KEYS)}"

    def resume(self, path):
        """Goes on with keys that no earlier history had."""
        self.epoch_base += int((time.monotonic() - self.began) / EPOCH_SECONDS) + 1
        self.began = time.monotonic()
        self.mods.clear()
        self.recorder.open(path)
        self.running.set()

    def pause(self):
        """Returns when no call is under way."""
        self.running.clear()
        for client in self.clients:
            client.idle.wait()
        self.recorder.close()

    def stop(self):
        self.ended = True
        self.running.set()
        for client in self.clients:
            client.thread.join(20)


class BulkWriter:
    """Puts large values, some in pairs, so that logs fill, stores grow, and members that were away need snapshots. In
    the book, not in the history."""

    def __init__(self, endpoints, recorder, seed):
        self.endpoints, self.recorder = endpoints, recorder
        self.rng = random.Random(seed)
        self.ended = False
        self.written = 0
        self.writing = threading.Lock()  # Held from a request to its place in the book.
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ended:
            with Client(self.rng.choice(self.endpoints)) as client:
                for _ in range(20):
                    with self.writing:
                        self._write(client)
                    time.sleep(0.1)

    def _write(self, client):
        number = self.rng.randrange(50)
        keys = [b"bulk/%d" % number] if number % 2 else [b"pair/left/%d" % number, b"pair/right/%d" % number]
        value = b"%d/" % self.written + b"." * BULK_BYTES
        self.written += 1
        puts = [pb.RequestOp(request_put=pb.PutRequest(key=key, value=value)) for key in keys]
        answer = client.call("KV/Txn", pb.TxnRequest(success=puts), timeout=2)
        self.recorder.note(Write(tuple((PUT, key, value, 0) for key in keys),
                                 answer.message.header.revision if answer.ok else None))

    def stop(self):
        self.ended = True
        self.thread.join(20)


class LoadClient:
    """One connection to one member, one call at a time."""

    def __init__(self, load, number, endpoint, seed):
        self.load, self.number, self.endpoint = load, number, endpoint
        self.rng = random.Random(seed)
        self.timeout = self.rng.choice(TIMEOUTS)
        self.written = 0
        self.client = Client(endpoint)
        self.failures = 0
        self.idle = threading.Event()
        self.idle.set()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.load.ended:
            if not self.load.running.is_set():
                self.idle.set()
                self.load.running.wait()
                continue
            self.idle.clear()
            # Set between the two lines above, `pause` would not wait for this call.
            if self.load.running.is_set() and not self.load.ended:
                self._operate()
                time.sleep(self.rng.expovariate(40))
        self.idle.set()
        self.client.close()

    def _operate(self):
        key = self.load.key(self.rng)
        operation = self.rng.choices(("get", "put", "cas", "delete"), (35, 30, 25, 10))[0]
        value = f"c{self.number}-{self.written}"
        self.written += 1
        line = dict(client=self.number, op=operation, key=key)
        if operation in ("put", "cas"):
            line["value"] = value
        if operation == "cas":
            line["mod"] = self.load.mods.get(key, 0)
        method, request = requested(line)
        line["call"] = time.monotonic_ns()
        answer = Client.finish(self.client.begin(method, request, self.timeout, wait_for_ready=False))
        line["return"] = time.monotonic_ns() if answer.ok else None
        self._record(line, answer)
        self._after(answer)

    def _record(self, line, answer):
        recorder, operation, why = self.load.recorder, line["op"], None
        if answer.ok:
            line.update(answered(operation, answer.message))
            self._remember(line)
            outcome = "failed comparison" if line.get("succeeded") is False else "ok"
        elif operation == "get":
            outcome = "refused"
        else:
            why = refusal(answer)
            outcome = "refused" if why else "unknown"
        recorder.count(operation, outcome, why)
        if outcome != "refused":
            recorder.write(line)
            events = caused(line)
            if events:
                recorder.note(Write(events, line.get("revision")))

    def _remember(self, line):
        if "found" in line:
            self.load.mods[line["key"]] = line["found"]["mod"] if line["found"] else 0
        elif line.get("succeeded", True):
            self.load.mods[line["key"]] = 0 if line["op"] == "delete" else line["revision"]

    def _after(self, answer):
        """A connection that went through a fault can stay silent for long when the network is whole again."""
        self.failures = 0 if answer.ok else self.failures + 1
        if answer.ok:
            return
        if self.failures % 3 == 0:
            self.client.close()
            self.client = Client(self.endpoint)
        time.sleep(self.rng.uniform(0.05, 0.3))


def requested(line):
    key = line["key"].encode()
    match line["op"]:
        case "get":
            return "KV/Range", pb.RangeRequest(key=key)
        case "put":
            return "KV/Put", pb.PutRequest(key=key, value=line["value"].encode())
        case "delete":
            return "KV/DeleteRange", pb.DeleteRangeRequest(key=key)
    put = pb.PutRequest(key=key, value=line["value"].encode())
    return "KV/Txn", pb.TxnRequest(
        compare=[pb.Compare(key=key, target=pb.Compare.MOD, result=pb.Compare.EQUAL, mod_revision=line["mod"])],
        success=[pb.RequestOp(request_put=put)], failure=[pb.RequestOp(request_range=pb.RangeRequest(key=key))])


def answered(operation, message):
    fields = dict(revision=message.header.revision)
    if operation == "get":
        fields["found"] = found(message.kvs)
    elif operation == "delete":
        fields["deleted"] = message.deleted
    elif operation == "cas":
        fields["succeeded"] = message.succeeded
        if not message.succeeded:
            fields["found"] = found(message.responses[0].response_range.kvs)
    return fields


def found(kvs):
    if not kvs:
        return None
    kv, = kvs
    return dict(value=kv.value.decode(), create=kv.create_revision, mod=kv.mod_revision, version=kv.version)


def caused(line):
    """The events a watch must show of it; none if it changed nothing."""
    key = line["key"].encode()
    if line["op"] == "get" or line.get("succeeded") is False or line.get("deleted") == 0:
        return ()
    if line["op"] == "delete":
        return ((DELETE, key, b"", 0),)
    return ((PUT, key, line["value"].encode(), 0),)
