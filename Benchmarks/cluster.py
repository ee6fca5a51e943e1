"""Three members of Strake against three of etcd, all on this machine."""

import pathlib
import statistics
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "Tests/EndToEnd"))

from server import Server, bench  # noqa: E402
from wire import Client, pb  # noqa: E402

MEMBERS = 3
LEADER_SECONDS_MAX = 30
# Name, arguments of `strake bench`, which members it talks to, operations, and the bars: throughput at least, CPU of
# all members for an operation at most.
WORKLOADS = [
    ("put to the leader, 1 client", ["put", "--connections", "1", "--clients", "1"], "leader", 3_000, 1.2, None),
    ("put to the leader, 100 x 10", ["put", "--connections", "100", "--clients", "1000"], "leader", 60_000, 2, 0.5),
    ("put to all, 100 x 10", ["put", "--connections", "100", "--clients", "1000"], "all", 60_000, 2, 0.5),
    ("range linearizable from a follower, 100 x 10", ["range", "--connections", "100", "--clients", "1000"],
     "follower", 100_000, 2, None),
]


class Cluster:
    """Members that are ready and have a leader."""

    def __init__(self, name, count=MEMBERS, cores=None):
        self.name, self.cores = name, cores
        self.members = [Server(name, f"m{number + 1}", cores) for number in range(count)]
        for member in self.members:
            member.initial = self.initial

    @property
    def initial(self):
        return ",".join(member.as_initial for member in self.members)

    def __enter__(self):
        for member in self.members:
            member.launch()
        for member in self.members:
            member.wait_until_ready()
        self.leader()
        return self

    def __exit__(self, *_):
        for member in self.members:
            member.remove()

    def leader(self):
        deadline = time.monotonic() + LEADER_SECONDS_MAX
        while time.monotonic() < deadline:
            for member in self.members:
                answer = status(member)
                if answer.leader == answer.header.member_id:
                    return member
            time.sleep(0.05)
        sys.exit(f"{self.name}: no leader")

    def among(self, which):
        """The members that a load talks to."""
        leader = self.leader()
        if which == "all":
            return self.members
        return [leader] if which == "leader" else [member for member in self.members if member is not leader][:1]

    def bench(self, arguments, which, total, value_bytes=256):
        return bench(self.name, arguments, self.among(which), self.members, total, value_bytes)


def status(member):
    with Client(member.endpoint) as client:
        return client.must("Maintenance/Status", pb.StatusRequest())


def measure(names, runs, scale):
    """Medians by workload and server."""
    results = {}
    for run in range(runs):
        for name in names if run % 2 == 0 else names[::-1]:
            with Cluster(name) as cluster:
                for title, arguments, which, total, _, _ in WORKLOADS:
                    result = cluster.bench(arguments, which, max(100, int(total * scale)))
                    results.setdefault((title, name), []).append(result)
            print(f"three members, run {run + 1} of {runs}: {name} done", file=sys.stderr)
    return {key: {"throughput": statistics.median(r["throughput"] for r in of_key),
                  "cpu": statistics.median(r["server"]["cpu_us_per_op"] for r in of_key),
                  "p50": statistics.median(r["latency_us"]["p50"] for r in of_key),
                  "p99": statistics.median(r["latency_us"]["p99"] for r in of_key)} for key, of_key in results.items()}


def section(results, names):
    lines = ["CPU is that of the three members together.", "",
             "| workload | server | throughput /s | CPU us/op | p50 ms | p99 ms |",
             "| --- | --- | ---: | ---: | ---: | ---: |"]
    for title, *_ in WORKLOADS:
        for name in names:
            r = results[(title, name)]
            lines.append(f"| {title} | {name} | {r['throughput']:,.0f} | {r['cpu']:.2f} | {r['p50'] / 1000:.3f} | "
                         f"{r['p99'] / 1000:.3f} |")
    peers = [name for name in names if name != "strake"]
    lines += ["", f"| workload | {' | '.join(f'to {peer}' for peer in peers)} | bar | CPU, to the better | bar | "
              "p99, to the better | bars met |", "| --- |" + " ---: |" * (len(peers) + 4) + " --- |"]
    for title, _, _, _, bar, cpu_bar in WORKLOADS:
        own = results[(title, "strake")]
        throughput = [own["throughput"] / results[(title, peer)]["throughput"] for peer in peers]
        cpu = own["cpu"] / min(results[(title, peer)]["cpu"] for peer in peers)
        p99 = own["p99"] / min(results[(title, peer)]["p99"] for peer in peers)
        is_met = min(throughput) >= bar and (not cpu_bar or cpu <= cpu_bar)
        lines.append(f"| {title} | {' | '.join(f'{ratio:.2f}' for ratio in throughput)} | >= {bar} | {cpu:.2f} | "
                     f"{f'<= {cpu_bar}' if cpu_bar else ''} | {p99:.2f} | {'yes' if is_met else '**no**'} |")
    return lines
