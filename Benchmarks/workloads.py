"""The loads that Strake and etcd are compared under, each on a new store."""

import statistics
import sys

from server import Server

# Name, arguments of `strake bench`, operations, and the bars: throughput at least, CPU an operation at most.
WORKLOADS = [
    ("put, 1 client", ["put", "--connections", "1", "--clients", "1"], 3_000, 1.1, 0.6),
    ("put, 100 connections x 10", ["put", "--connections", "100", "--clients", "1000"], 100_000, 3, 0.3),
    ("range serializable, 100 x 10",
     ["range", "--connections", "100", "--clients", "1000", "--consistency", "s"], 200_000, 3.5, 0.2),
    ("range linearizable, 100 x 10", ["range", "--connections", "100", "--clients", "1000"], 200_000, 3.5, 0.2),
    ("range, 1 client", ["range", "--connections", "1", "--clients", "1"], 20_000, 1.1, 0.5),
    ("watch, 100 streams x 10", ["watch", "--connections", "10", "--streams", "100", "--watchers-per-stream", "10",
                                 "--clients", "10"], 2_000, 5, None),
    ("lease keep-alive, 100 x 10", ["lease-keepalive", "--connections", "100", "--clients", "1000"], 400_000, 4, None),
]


def measure(names, runs, scale):
    """Medians by workload and server: throughput, CPU an operation, latencies."""
    results = {}
    for run in range(runs):
        for name in names if run % 2 == 0 else names[::-1]:
            with Server(name) as server:
                for title, arguments, total, _, _ in WORKLOADS:
                    result = server.bench(*arguments, total=max(100, int(total * scale)))
                    results.setdefault((title, name), []).append(result)
            print(f"run {run + 1} of {runs}: {name} done", file=sys.stderr)
    return {key: summary(list_of_results) for key, list_of_results in results.items()}


def summary(results):
    def median(value):
        return statistics.median(value(result) for result in results)

    return {
        "throughput": median(lambda r: r["throughput"]),
        "cpu": median(lambda r: r["server"].get("cpu_us_per_op", 0)),
        "p50": median(lambda r: r.get("latency_us", {}).get("p50", 0)),
        "p99": median(lambda r: r.get("latency_us", {}).get("p99", 0)),
    }


def section(results, names):
    peers = [name for name in names if name != "strake"]
    lines = ["| workload | server | throughput /s | CPU us/op | p50 ms | p99 ms |",
             "| --- | --- | ---: | ---: | ---: | ---: |"]
    for title, *_ in WORKLOADS:
        for name in names:
            r = results[(title, name)]
            lines.append(f"| {title} | {name} | {r['throughput']:,.0f} | {r['cpu']:.2f} | {r['p50'] / 1000:.3f} | "
                         f"{r['p99'] / 1000:.3f} |")
    ratios = " | ".join(f"to {peer}" for peer in peers)
    lines += ["", f"| workload | {ratios} | bar | CPU, to the better | bar | p99, to the better | bars met |",
              "| --- |" + " ---: |" * (len(peers) + 4) + " --- |"]
    for title, _, _, bar, cpu_bar in WORKLOADS:
        own = results[(title, "strake")]
        throughput = [own["throughput"] / results[(title, peer)]["throughput"] for peer in peers]
        cpu = own["cpu"] / min(results[(title, peer)]["cpu"] for peer in peers)
        # A watch run has no latencies: events are counted as they come.
        p99 = own["p99"] / min(results[(title, peer)]["p99"] for peer in peers) if own["p99"] else None
        is_met = min(throughput) >= bar and (not cpu_bar or cpu <= cpu_bar) and (not p99 or p99 <= 1)
        lines.append(f"| {title} | {' | '.join(f'{ratio:.2f}' for ratio in throughput)} | >= {bar} | {cpu:.2f} | "
                     f"{f'<= {cpu_bar}' if cpu_bar else ''} | {f'{p99:.2f}' if p99 else ''} | "
                     f"{'yes' if is_met else '**no**'} |")
    return lines
