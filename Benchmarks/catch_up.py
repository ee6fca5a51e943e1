"""A new member of a large store: how long it takes to catch up, and what the others' clients feel of it."""

import statistics
import sys
import threading
import time

from cluster import Cluster, status
from server import Server
from wire import Client, pb

VALUE_BYTES = 1_024
PUT = ["put", "--connections", "10", "--clients", "100", "--key-space-size"]
# Of puts timed at once: short, so that few of them lie half beside the transfer and half after it.
ROUND_SECONDS = 0.5
BASELINE_ROUNDS = 10
CATCH_UP_SECONDS_MAX = 300
SPEED_BAR = 0.8


def measure(names, keys):
    return {name: measure_one(name, keys) for name in names}


def measure_one(name, keys):
    with Cluster(name) as cluster:
        cluster.bench(["put", "--connections", "100", "--clients", "1000", "--sequential-keys", "--key-space-size",
                       str(keys)], "leader", keys, VALUE_BYTES)
        each = int(cluster.bench([*PUT, str(keys)], "leader", 10_000, VALUE_BYTES)["throughput"] * ROUND_SECONDS)

        def puts():
            return cluster.bench([*PUT, str(keys)], "leader", each, VALUE_BYTES)["throughput"]

        alone = statistics.median(puts() for _ in range(BASELINE_ROUNDS))
        with Newcomer(cluster) as newcomer:
            beside = []
            while not newcomer.has_caught_up.is_set():
                beside.append(puts())
    result = {"alone": alone, "beside": statistics.median(beside), "seconds": newcomer.seconds, "rounds": len(beside)}
    print(f"catch-up: {name} {result}", file=sys.stderr)
    return result


class Newcomer:
    """A learner that is added and started, and a thread that notices when it has everything."""

    def __init__(self, cluster):
        self.cluster, self.leader = cluster, cluster.leader()
        self.has_caught_up = threading.Event()
        self.member = Server(cluster.name, "new")
        self.watcher = threading.Thread(target=self.watch)

    def __enter__(self):
        with Client(self.leader.endpoint) as client:
            client.must("Cluster/MemberAdd", pb.MemberAddRequest(peerURLs=[self.member.peer_url], isLearner=True))
        self.member.initial = self.cluster.initial + "," + self.member.as_initial
        self.member.initial_state = "existing"
        self.began = time.monotonic()
        self.member.launch()
        self.watcher.start()
        return self

    def __exit__(self, *_):
        self.watcher.join()
        self.member.remove()

    def watch(self):
        """Caught up: what the leader had applied when it was asked, the learner has applied too."""
        while time.monotonic() < self.began + CATCH_UP_SECONDS_MAX:
            try:
                wanted = status(self.leader).raftAppliedIndex
                if status(self.member).raftAppliedIndex >= wanted:
                    break
            except Exception:  # noqa: BLE001 - it does not listen yet
                pass
            time.sleep(0.1)
        self.seconds = time.monotonic() - self.began
        self.has_caught_up.set()


def section(results, names, keys):
    lines = [f"A learner joins three members with {keys:,} keys of {VALUE_BYTES:,} bytes while 100 clients on 10 "
             "connections put through the leader:", "",
             "| server | puts alone /s | puts beside /s | speed kept | caught up after, s | bar met |",
             "| --- | ---: | ---: | ---: | ---: | --- |"]
    for name in names:
        r = results[name]
        kept = r["beside"] / r["alone"]
        verdict = ("yes" if kept >= SPEED_BAR else "**no**") + f" (>= {SPEED_BAR})" if name == "strake" else ""
        lines.append(f"| {name} | {r['alone']:,.0f} | {r['beside']:,.0f} | {kept:.2f} | {r['seconds']:.1f} | {verdict} |")
    return lines
