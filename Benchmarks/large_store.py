"""Memory, start-up and latency beside checkpoints, with many keys."""

import signal
import sys
import time

from server import Server

# Overwrites of keys anywhere in the store, at a rate that leaves the machine idle most of the time: what is late is late
# because of what the server does beside requests. Strake writes a checkpoint every 5 s, etcd commits ten times a second.
RATE = 2_000
SECONDS = 30


def measure(names, keys):
    return {name: measure_one(name, keys) for name in names}


def measure_one(name, keys):
    with Server(name) as server:
        time.sleep(2)
        result = {"idle": server.anonymous_bytes()}
        space = ["--key-space-size", str(keys)]
        server.bench("put", "--connections", "10", "--clients", "200", "--sequential-keys", *space, total=keys)
        # Until what was written last is checkpointed or committed.
        time.sleep(3)
        result["loaded"] = server.anonymous_bytes()
        result["latency"] = server.bench(
            "put", "--connections", "10", "--clients", "100", "--rate", str(RATE), *space,
            total=RATE * SECONDS)["latency_us"]
        server.stop()
        result["clean"] = server.start()
        server.stop(signal.SIGKILL)
        result["killed"] = server.start()
    print(f"large store: {name} {result}", file=sys.stderr)
    return result


def section(results, names, keys):
    lines = [f"Anonymous memory, and seconds until ready, with {keys:,} keys of 256 bytes:", "",
             "| server | idle MiB | loaded MiB | ready after a stop, s | ready after kill -9, s |",
             "| --- | ---: | ---: | ---: | ---: |"]
    for name in names:
        r = results[name]
        lines.append(f"| {name} | {r['idle'] / 2**20:.1f} | {r['loaded'] / 2**20:.1f} | {r['clean']:.3f} | "
                     f"{r['killed']:.3f} |")
    lines += ratios(results, names, (("idle", 0.6), ("loaded", 0.3), ("clean", 0.1), ("killed", 0.5)))
    lines += ["", f"Latency of puts to random keys of these, {RATE:,} a second for {SECONDS} s, beside Strake's checkpoints "
              "(one in 5 s) and etcd's commits (ten a second):", "", "| server | p50 ms | p99 ms | p99.9 ms | max ms |", "| --- | ---: | ---: | ---: | ---: |"]
    for name in names:
        latency = results[name]["latency"]
        lines.append(f"| {name} | " + " | ".join(f"{latency[q] / 1000:.3f}" for q in ("p50", "p99", "p999", "max")) + " |")
    best = min(results[name]["latency"]["p99"] for name in names if name != "strake")
    ratio = results["strake"]["latency"]["p99"] / best
    return lines + [f"| ratio | | {ratio:.2f} (bar <= 1: {'yes' if ratio <= 1 else '**no**'}) | | |"]


def ratios(results, names, bars):
    cells = []
    for key, bar in bars:
        ratio = results["strake"][key] / min(results[name][key] for name in names if name != "strake")
        cells.append(f"{ratio:.2f} (bar <= {bar}: {'yes' if ratio <= bar else '**no**'})")
    return ["| ratio | " + " | ".join(cells) + " |"]
