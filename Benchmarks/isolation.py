"""How much watchers that never read slow down everybody else.

A history of many revisions is written, then watch streams are opened that start at its beginning and whose connections
are never read from. Puts from other connections are timed alone and beside them.
"""

import pathlib
import statistics
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "Tests/EndToEnd"))

from raw_http2 import HUGE, RawConnection  # noqa: E402
from server import PeakMemory, Server  # noqa: E402

REVISIONS = 150_000
VALUE_BYTES = 1_024
STREAMS = 100
# A client of Go's gRPC gives each stream 64 KiB ahead; the other lets the server send as far as the sockets take.
WINDOWS = {"64 KiB": 65_535, "2 GiB": HUGE}
PUT = ["put", "--connections", "10", "--clients", "10", "--key-space-size", "10000"]
# As many puts as take some seconds; etcd makes a few thousand a second beside the readers.
PUTS = {"strake": 100_000, "etcd 3.4": 15_000, "etcd 3.5": 15_000}
SPEED_BAR = 0.9
GROWTH_BAR = 100 << 20


def measure(names, runs):
    """By server and window, medians: puts a second alone and beside the readers, their ratio, memory gained."""
    samples = {}
    for _ in range(runs):
        for name in names:
            with Server(name) as server:
                server.bench("put", "--connections", "10", "--clients", "200", "--sequential-keys", "--key-space-size",
                             str(REVISIONS), total=REVISIONS, value_bytes=VALUE_BYTES)
                for title, window in WINDOWS.items():
                    samples.setdefault((name, title), []).append(measure_window(server, window))
            print(f"isolation: {name} done", file=sys.stderr)
    return {key: {field: statistics.median(sample[field] for sample in runs_of_key) for field in runs_of_key[0]}
            for key, runs_of_key in samples.items()}


def measure_window(server, window):
    puts = PUTS[server.name]
    alone = server.bench(*PUT, total=puts, value_bytes=VALUE_BYTES)["throughput"]
    before = server.anonymous_bytes()
    readers = []
    with PeakMemory(server) as peak:
        for _ in range(STREAMS):
            reader = RawConnection(server.port, window=window)
            readers.append(reader)
            # All keys, from the first revision that a store can have.
            reader.open_watch(key=b"\0", range_end=b"\0", start_revision=2)
        beside = server.bench(*PUT, total=puts, value_bytes=VALUE_BYTES)["throughput"]
    for reader in readers:
        reader.close()
    return {"alone": alone, "beside": beside, "speed": beside / alone, "growth": peak.bytes - before}


def section(results, names):
    lines = [f"Puts of 1 KiB from 10 connections beside {STREAMS} watch streams that start at revision 2 of "
             f"{REVISIONS:,} and never read, by what their clients let the server send ahead:", "",
             "| server | window | alone /s | beside /s | speed kept | memory gained MiB | bars met |",
             "| --- | --- | ---: | ---: | ---: | ---: | --- |"]
    for name in names:
        for title in WINDOWS:
            r = results[(name, title)]
            is_met = r["speed"] >= SPEED_BAR and r["growth"] < GROWTH_BAR
            verdict = ("yes" if is_met else "**no**") if name == "strake" else ""
            lines.append(f"| {name} | {title} | {r['alone']:,.0f} | {r['beside']:,.0f} | {r['speed']:.2f} | "
                         f"{r['growth'] / 2**20:.0f} | {verdict} |")
    return lines
