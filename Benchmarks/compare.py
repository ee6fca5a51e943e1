#!/usr/bin/env python3
"""Runs Strake and etcd under the same load, in turns, and writes docs/benchmarks.md.

Every figure is a median over the runs. Ratios are Strake's against the better of the etcd versions in the same run.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
STRAKE = ROOT / ".build/release/strake"
PEERS = {"etcd 3.4": ROOT / ".peers/etcd-3.4/etcd", "etcd 3.5": ROOT / ".peers/etcd-3.5/etcd"}

# Name, arguments of `strake bench`, operations, and the bars: throughput at least, CPU an operation at most.
WORKLOADS = [
    ("put, 1 client", ["put", "--connections", "1", "--clients", "1"], 3_000, 1.1, 0.6),
    ("put, 100 connections x 10", ["put", "--connections", "100", "--clients", "1000"], 100_000, 3, 0.3),
    ("range serializable, 100 x 10", ["range", "--connections", "100", "--clients", "1000", "--consistency", "s"],
     200_000, 3.5, 0.2),
    ("range linearizable, 100 x 10", ["range", "--connections", "100", "--clients", "1000"], 200_000, 3.5, 0.2),
    ("range, 1 client", ["range", "--connections", "1", "--clients", "1"], 20_000, 1.1, 0.5),
    ("watch, 100 streams x 10", ["watch", "--connections", "10", "--streams", "100", "--watchers-per-stream", "10",
                                 "--clients", "10"], 2_000, 5, None),
    ("lease keep-alive, 100 x 10", ["lease-keepalive", "--connections", "100", "--clients", "1000"], 200_000, 4, None),
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A member on ports and in a directory of its own."""

    def __init__(self, name, directory=None):
        self.name = name
        self.directory = directory or tempfile.mkdtemp(prefix="strake-bench-")
        self.log = pathlib.Path(self.directory) / "server.log"

    def start(self):
        self.port, peer = free_port(), free_port()
        binary = [str(STRAKE), "server"] if self.name == "strake" else [str(PEERS[self.name])]
        flags = ["--name", "m1", "--data-dir", self.directory + "/data", "--quota-backend-bytes", str(8 << 30)]
        for flag, port in (("client", self.port), ("peer", peer)):
            flags += [f"--listen-{flag}-urls", f"http://127.0.0.1:{port}"]
        flags += ["--advertise-client-urls", f"http://127.0.0.1:{self.port}"]
        flags += ["--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}"]
        flags += ["--initial-cluster", f"m1=http://127.0.0.1:{peer}"]
        began = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(binary + flags, stdout=log, stderr=log)
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() - began > 120:
                sys.exit(f"{self.name} does not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.002)
        return time.monotonic() - began

    def is_ready(self):
        return "ready to serve client requests" in self.log.read_text(errors="replace")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def anonymous_bytes(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        return 0

    def bench(self, arguments, total, more=()):
        command = [str(STRAKE), "bench", *arguments, "--endpoints", f"127.0.0.1:{self.port}", "--total", str(total),
                   "--val-size", "256", "--server-pid", str(self.process.pid), "--json", *more]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            sys.exit(f"{self.name}: {' '.join(arguments)} failed: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)


def measure_workloads(names, runs, scale):
    """Medians by workload and server: throughput, CPU an operation, p99."""
    results = {}
    for run in range(runs):
        for name in names if run % 2 == 0 else names[::-1]:
            server = Server(name)
            server.start()
            for title, arguments, total, _, _ in WORKLOADS:
                result = server.bench(arguments, max(100, int(total * scale)))
                results.setdefault((title, name), []).append(result)
            server.stop()
            server.remove()
            print(f"run {run + 1} of {runs}: {name} done", file=sys.stderr)
    table = {}
    for key, list_of_results in results.items():
        table[key] = {
            "throughput": statistics.median(r["throughput"] for r in list_of_results),
            "cpu": statistics.median(r["server"].get("cpu_us_per_op", 0) for r in list_of_results),
            "p50": statistics.median(r.get("latency_us", {}).get("p50", 0) for r in list_of_results),
            "p99": statistics.median(r.get("latency_us", {}).get("p99", 0) for r in list_of_results),
        }
    return table


def measure_memory(names, keys):
    """Anonymous memory idle and with keys, and the time to be ready after a stop and after a kill."""
    table = {}
    for name in names:
        server = Server(name)
        server.start()
        time.sleep(2)
        idle = server.anonymous_bytes()
        server.bench(["put", "--connections", "10", "--clients", "200", "--sequential-keys"], keys,
                     ["--key-space-size", str(keys)])
        time.sleep(3)
        loaded = server.anonymous_bytes()
        server.stop()
        clean = server.start()
        server.stop(signal.SIGKILL)
        killed = server.start()
        server.stop()
        server.remove()
        table[name] = {"idle": idle, "loaded": loaded, "clean": clean, "killed": killed}
        print(f"memory: {name} {table[name]}", file=sys.stderr)
    return table


def write_report(path, workloads, memory, names, options, keys):
    peers = [name for name in names if name != "strake"]
    lines = [
        "# Benchmarks", "",
        f"Strake against etcd, on the same machine, in turns, medians of {options.runs} runs; the load generator "
        "(`strake bench`) shares the cores with the server. 256-byte values, fsync on everywhere. "
        "Ratios are against the better of the etcd versions.", "",
        f"Machine: {os.cpu_count()} cores, {platform.machine()}, Linux {platform.release().split('-')[0]}. "
        f"Command: `make bench`, scale {options.scale}.", "",
        "| workload | server | throughput /s | CPU us/op | p50 ms | p99 ms |", "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for title, *_ in WORKLOADS:
        for name in names:
            r = workloads[(title, name)]
            lines.append(f"| {title} | {name} | {r['throughput']:,.0f} | {r['cpu']:.2f} | {r['p50'] / 1000:.3f} | "
                         f"{r['p99'] / 1000:.3f} |")
    lines += ["", "| workload | throughput ratio | bar | CPU ratio | bar | p99 ratio |",
              "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for title, _, _, bar, cpu_bar in WORKLOADS:
        own = workloads[(title, "strake")]
        best = max(workloads[(title, peer)]["throughput"] for peer in peers)
        cpu = min(workloads[(title, peer)]["cpu"] for peer in peers)
        p99 = min(workloads[(title, peer)]["p99"] for peer in peers)
        p99_ratio = f"{own['p99'] / p99:.2f}" if p99 else ""
        cpu_limit = f"<= {cpu_bar}" if cpu_bar else ""
        lines.append(f"| {title} | {own['throughput'] / best:.2f} | >= {bar} | "
                     f"{own['cpu'] / cpu if cpu else 0:.2f} | {cpu_limit} | {p99_ratio} |")
    lines += ["", f"Anonymous memory, and seconds until ready with {keys:,} keys of 256 bytes:", "",
              "| server | idle MiB | loaded MiB | ready after a stop, s | ready after kill -9, s |",
              "| --- | ---: | ---: | ---: | ---: |"]
    for name in names:
        m = memory[name]
        lines.append(f"| {name} | {m['idle'] / 2**20:.1f} | {m['loaded'] / 2**20:.1f} | {m['clean']:.3f} | "
                     f"{m['killed']:.3f} |")
    path.write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of operations")
    parser.add_argument("--keys", type=int, default=1_000_000, help="for memory and start-up")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs/benchmarks.md")
    options = parser.parse_args()
    names = ["strake", *PEERS]
    workloads = measure_workloads(names, options.runs, options.scale)
    memory = measure_memory(names, options.keys)
    write_report(options.output, workloads, memory, names, options, options.keys)
    print(options.output.read_text())


if __name__ == "__main__":
    main()
