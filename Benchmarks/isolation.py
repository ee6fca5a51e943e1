"""How much watchers that never read slow down everybody else.

A history of many revisions is written, then watch streams are opened that start at its beginning and whose connections
are never read from. Puts from other connections are timed before and with them.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Tests/EndToEnd"))

from raw_http2 import HUGE, RawConnection  # noqa: E402

REVISIONS = 150_000
VALUE_BYTES = "1024"
STREAMS = 100
# A client of Go's gRPC gives each stream 64 KiB ahead; the other one lets the server send as far as the socket takes.
WINDOWS = {"64 KiB": 65_535, "2 GiB": HUGE}
PUT = ["put", "--connections", "10", "--clients", "10", "--key-space-size", "10000"]


def measure(server, puts, revisions=REVISIONS):
    """For each window: puts a second alone and with the readers, and bytes of anonymous memory gained."""
    results = {}
    server.start()
    server.bench(["put", "--connections", "10", "--clients", "200", "--sequential-keys"], revisions,
                 ["--key-space-size", str(revisions), "--val-size", VALUE_BYTES])
    for title, window in WINDOWS.items():
        alone = server.bench(PUT, puts, ["--val-size", VALUE_BYTES])["throughput"]
        before = server.anonymous_bytes()
        readers = [open_reader(server.port, window) for _ in range(STREAMS)]
        beside = server.bench(PUT, puts, ["--val-size", VALUE_BYTES])["throughput"]
        results[title] = {"alone": alone, "beside": beside, "growth": server.anonymous_bytes() - before}
        for reader in readers:
            reader.close()
    server.stop()
    server.remove()
    return results


def open_reader(port, window):
    reader = RawConnection(port, window=window)
    # All keys, from the first revision that a store can have.
    reader.open_watch(key=b"\0", range_end=b"\0", start_revision=2)
    return reader
