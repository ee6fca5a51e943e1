"""A new member of a large store: how long it takes to catch up, and what the others' clients feel of it."""

import sys
import threading
import time

import cpu_share
from cluster import Cluster, status
from server import Server
from wire import Client, pb

VALUE_BYTES = 1_024
# Clients, connections, and the cores of each member: as much as the members can take, one who waits for each answer, and
# as much as members can take that do not live on each other's processors.
CORES_APART = 0.4
LOADS = [(100, 10, None), (1, 1, None), (100, 10, CORES_APART)]
# Of puts timed at once: short, so that few of them lie half beside the transfer and half after it.
ROUND_SECONDS = 0.5
ROUNDS = 16
CATCH_UP_SECONDS_MAX = 300
SPEED_BAR = 0.8


def loads():
    return [load for load in LOADS if load[2] is None or cpu_share.is_possible()]


def measure(names, keys):
    return {(name, load): measure_one(name, keys, *load) for load in loads() for name in names}


def measure_one(name, keys, clients, connections, cores):
    with Cluster(name, cores=cores) as cluster:
        cluster.bench(["put", "--connections", "100", "--clients", "1000", "--sequential-keys", "--key-space-size",
                       str(keys)], "leader", keys, VALUE_BYTES)
        load = Load(cluster, ["put", "--connections", str(connections), "--clients", str(clients),
                              "--key-space-size", str(keys)])
        alone = load.rounds(ROUNDS)
        with Newcomer(cluster) as newcomer:
            beside = []
            while not newcomer.has_caught_up.is_set():
                beside += load.rounds(1)
            four = load.rounds(ROUNDS)
        # Once more: the store is larger now than it was at first.
        alone += load.rounds(ROUNDS)
    result = {"alone": load.throughput(alone), "beside": load.throughput(beside), "four": load.throughput(four),
              "seconds": newcomer.seconds}
    print(f"catch-up: {name} {clients} clients, cores {cores} {result}", file=sys.stderr)
    return result


class Load:
    """Puts through the leader, timed in rounds."""

    def __init__(self, cluster, arguments):
        self.cluster, self.arguments, self.each = cluster, arguments, 1_000
        self.each = max(int(1 / self.rounds(1)[0] * self.each * ROUND_SECONDS), 100)

    def rounds(self, count):
        """Seconds that each round took."""
        return [self.each / self.cluster.bench(self.arguments, "leader", self.each, VALUE_BYTES)["throughput"]
                for _ in range(count)]

    def throughput(self, seconds):
        """Of all rounds together: a second that went badly counts as a second."""
        return self.each * len(seconds) / sum(seconds)


class Newcomer:
    """A learner that is added and started, and a thread that notices when it has everything."""

    def __init__(self, cluster):
        self.cluster, self.leader = cluster, cluster.leader()
        self.has_caught_up = threading.Event()
        self.member = Server(cluster.name, "new", cluster.cores)
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
        with Client(self.leader.endpoint) as client:
            members = client.must("Cluster/MemberList", pb.MemberListRequest()).members
            client.must("Cluster/MemberRemove", pb.MemberRemoveRequest(
                ID=next(member.ID for member in members if self.member.peer_url in member.peerURLs)))
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
    lines = [f"A learner joins three members with {keys:,} keys of {VALUE_BYTES:,} bytes while clients put through the "
             "leader. *Alone* is before it comes and after it has gone, *beside* while it catches up, *four* when it "
             "has everything and takes part. All four members and the load are on one machine. Where *cores* says "
             "*shared* they take each other's processor time too; else each member is held to that part of a core by "
             "a control group, as if it had a machine of its own:", "",
             "| clients | cores | server | alone /s | beside /s | four /s | kept beside | kept with four "
             "| caught up after, s | bar met |",
             "| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |"]
    for load in loads():
        clients, _, cores = load
        for name in names:
            r = results[name, load]
            kept = r["beside"] / r["alone"]
            verdict = ("yes" if kept >= SPEED_BAR else "**no**") + f" (>= {SPEED_BAR})" if name == "strake" else ""
            lines.append(f"| {clients} | {cores or 'shared'} | {name} | {r['alone']:,.0f} | {r['beside']:,.0f} | "
                         f"{r['four']:,.0f} | {kept:.2f} | {r['four'] / r['alone']:.2f} | {r['seconds']:.1f} "
                         f"| {verdict} |")
    if len(loads()) < len(LOADS):
        lines += ["", "Members with processors of their own were not measured: control groups cannot be made here."]
    return lines
