"""What a member needs for many watch streams and leases that mostly do nothing.

Each stream watches a key of its own. They are held by plain sockets: a client library would need more than the server.
What a put costs that comes alone depends on the machine's mood, which changes within seconds. So the members idle in the
same minute, and get their puts in turns.
"""

import contextlib
import pathlib
import selectors
import statistics
import sys
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "Tests/EndToEnd"))

from raw_http2 import DATA, HUGE, RawConnection  # noqa: E402
from server import Server  # noqa: E402
from wire import pb  # noqa: E402

STREAMS = 10_000
CONNECTIONS = 100
LEASES = 100_000
LEASE_SECONDS = 86_400
LEASE_CONNECTIONS = 8
# So many grants are on their way on each connection; rounds of all of them come to LEASES.
PIPELINE = 500
SETTLE_SECONDS = 3
IDLE_SECONDS = 60
PUT_ROUNDS = 8
PUT_SECONDS = 5
PUTS = 1_000
OPEN_SECONDS_MAX = 60
BAR = 0.5


class Streams:
    """Watch streams on several connections, and a thread that reads what comes."""

    def __init__(self, port):
        self.created, self.events, self.failure = 0, 0, None
        self.partial = {}
        self.over = threading.Event()
        self.connections = [RawConnection(port, window=HUGE) for _ in range(CONNECTIONS)]
        self.selector = selectors.DefaultSelector()
        for connection in self.connections:
            self.selector.register(connection.socket, selectors.EVENT_READ, connection)
        self.thread = threading.Thread(target=self.read)

    def __enter__(self):
        self.thread.start()
        for number in range(STREAMS):
            # The key that `strake bench` calls by this number.
            self.connections[number % CONNECTIONS].open_watch(key=b"%016d" % number)
        self.wait("created", STREAMS)
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        for connection in self.connections:
            connection.close()

    def wait(self, what, count):
        deadline = time.monotonic() + OPEN_SECONDS_MAX
        while getattr(self, what) < count:
            if self.failure or time.monotonic() > deadline:
                sys.exit(f"{getattr(self, what)} of {count} {what}: {self.failure}")
            time.sleep(0.01)

    def read(self):
        try:
            while not self.over.is_set():
                for key, _ in self.selector.select(0.1):
                    self.take(key.data)
        except Exception as error:  # noqa: BLE001: for the main thread
            self.failure = error

    def take(self, connection):
        connection.buffer += connection.socket.recv(1 << 18)
        while len(connection.buffer) >= 9 + int.from_bytes(connection.buffer[:3], "big"):
            kind, stream, payload = connection.read_frame()
            if kind == DATA:
                self.data((connection, stream), payload)

    def data(self, stream, payload):
        data = self.partial.pop(stream, b"") + payload
        while len(data) >= 5 and len(data) >= 5 + int.from_bytes(data[1:5], "big"):
            size = 5 + int.from_bytes(data[1:5], "big")
            response = pb.WatchResponse.FromString(data[5:size])
            if response.canceled:
                raise RuntimeError(f"a watch was canceled: {response}")
            self.created += response.created
            self.events += len(response.events)
            data = data[size:]
        if data:
            self.partial[stream] = data


def grant_leases(port):
    connections = [RawConnection(port, window=HUGE) for _ in range(LEASE_CONNECTIONS)]
    number = 0
    while number < LEASES:
        for connection in connections:
            for _ in range(PIPELINE):
                number += 1
                connection.open_call(b"/etcdserverpb.Lease/LeaseGrant",
                                     pb.LeaseGrantRequest(ID=number, TTL=LEASE_SECONDS))
        for connection in connections:
            answered = 0
            while answered < PIPELINE:
                answered += connection.read_frame()[0] == DATA
    for connection in connections:
        connection.close()
    return number


class CPU:
    """Seconds of CPU for a second of the clock, while the body runs."""

    def __init__(self, server):
        # The kernel's clock of a process: what its threads have run for, in nanoseconds (clock_getcpuclockid(3)).
        self.clock = (~server.process.pid << 3) | 2

    def used(self):
        return time.clock_gettime(self.clock)

    def __enter__(self):
        self.began, self.before = time.monotonic(), self.used()
        return self

    def __exit__(self, *_):
        self.share = (self.used() - self.before) / (time.monotonic() - self.began)


def measure(names):
    results = {}
    with contextlib.ExitStack() as stack:
        held = {}
        for name in names:
            server = stack.enter_context(Server(name))
            time.sleep(SETTLE_SECONDS)
            results[name] = {"empty": server.anonymous_bytes()}
            held[name] = (server, stack.enter_context(Streams(server.port)))
            time.sleep(SETTLE_SECONDS)
            results[name]["streams"] = server.anonymous_bytes()
            granted = grant_leases(server.port)
            time.sleep(SETTLE_SECONDS)
            results[name]["both"] = server.anonymous_bytes()
            print(f"many streams and leases: {name} holds {granted} leases", file=sys.stderr)
        with contextlib.ExitStack() as idle:
            shares = {name: idle.enter_context(CPU(server)) for name, (server, _) in held.items()}
            time.sleep(IDLE_SECONDS)
        busy = {name: [] for name in names}
        for number in range(PUT_ROUNDS):
            for name in names[::-1] if number % 2 else names:
                busy[name].append(put(*held[name]))
        for name in names:
            results[name] |= {"busy memory": held[name][0].anonymous_bytes(), "idle": shares[name].share,
                              "busy": statistics.median(busy[name]), "busy range": (min(busy[name]), max(busy[name]))}
            print(f"many streams and leases: {name} {results[name]} {busy[name]}", file=sys.stderr)
    return results


def put(server, streams):
    """A round of puts, each of a key that is watched. They are drawn at random: in order, each would meet, by the parity
    of its connection, always or never a watcher that the same thread serves."""
    before = streams.events
    with CPU(server) as busy:
        server.bench("put", "--connections", "10", "--clients", "50", "--rate", str(PUTS), "--key-space-size", str(STREAMS),
                     total=PUTS * PUT_SECONDS)
        streams.wait("events", before + PUTS * PUT_SECONDS)
    return busy.share


def section(results, names):
    lines = [f"{STREAMS:,} watch streams on {CONNECTIONS} connections, each of a key of its own, and {LEASES:,} leases, held "
             f"by one member. CPU is of one core: for {IDLE_SECONDS} s in which nothing happens, and while {PUTS:,} puts a "
             f"second touch the watched keys: the median of {PUT_ROUNDS} rounds of {PUT_SECONDS} s, in turns, with the least "
             "and the most. Anonymous memory in MiB. One run.", "",
             "| server | empty | + streams | + leases | after the puts | CPU idle % | CPU with puts % |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    fields = ("empty", "streams", "both", "busy memory")
    for name in names:
        r = results[name]
        lines.append(f"| {name} | " + " | ".join(f"{r[field] / 2**20:.1f}" for field in fields)
                     + f" | {100 * r['idle']:.2f} | {100 * r['busy']:.1f} "
                     f"({100 * r['busy range'][0]:.1f}-{100 * r['busy range'][1]:.1f}) |")
    cells = []
    for field in (*fields, "idle", "busy"):
        best = min(results[name][field] for name in names if name != "strake")
        ratio = results["strake"][field] / best if best else float("inf")
        is_barred = field not in ("empty", "streams")
        verdict = f" (bar <= {BAR}: {'yes' if ratio <= BAR else '**no**'})" if is_barred else ""
        cells.append(f"{ratio:.2f}{verdict}")
    return lines + ["| ratio to the better etcd | " + " | ".join(cells) + " |"]
