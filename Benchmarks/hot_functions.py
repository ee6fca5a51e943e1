"""Finds out which functions a member runs while it serves, and writes their names for the linker, which puts them side by
side.

A put that comes alone finds the processor's caches cold: code that is spread over the program's 20 MB costs it a page and
a cache line for each piece. `perf` (Debian: linux-perf) looks at the member many times a second under each load.

    python hot_functions.py [FILE]
"""

import collections
import pathlib
import shutil
import subprocess
import sys
import tempfile

from server import ROOT, Server

FILE = ROOT / "Sources/Commands/hot-functions.txt"
SAMPLES_A_SECOND = 7_000
# Most of them wait: it is then that it matters where the code is.
LOADS = [
    (["put", "--connections", "10", "--clients", "50", "--rate", "1000"], 15_000),
    (["put", "--connections", "1", "--clients", "1"], 30_000),
    (["watch-latency", "--connections", "10", "--streams", "100", "--watchers-per-stream", "1", "--rate", "500"], 5_000),
    (["txn-mixed", "--connections", "1", "--clients", "1"], 20_000),
    (["range", "--connections", "1", "--clients", "1"], 60_000),
    (["lease-keepalive", "--connections", "1", "--clients", "1"], 60_000),
    (["put", "--connections", "100", "--clients", "1000"], 300_000),
    (["range", "--connections", "100", "--clients", "1000"], 600_000),
    (["watch", "--connections", "10", "--streams", "100", "--watchers-per-stream", "10", "--clients", "10"], 2_000),
]


def stacks(server, directory, number):
    """The functions of the program on the stack, innermost first, for each sample while a load lasts."""
    load, total = LOADS[number]
    data = f"{directory}/perf-{number}.data"
    recorder = subprocess.Popen(["perf", "record", "-q", "-F", str(SAMPLES_A_SECOND), "-g", "-p", str(server.process.pid),
                                 "-o", data])
    server.bench(*load, total=total)
    recorder.terminate()
    recorder.wait()
    listing = subprocess.run(["perf", "script", "-i", data, "--no-demangle", "-F", "ip,sym,dso"], capture_output=True,
                             text=True, check=True).stdout
    for sample in listing.split("\n\n"):
        lines = [line.split() for line in sample.splitlines()]
        yield [line[1] for line in lines if len(line) == 3 and line[2].endswith("/strake)")]


def main():
    if not shutil.which("perf"):
        sys.exit("perf is not installed (Debian: apt-get install linux-perf)")
    seen = collections.Counter()
    with tempfile.TemporaryDirectory(prefix="strake-hot-") as directory, Server("strake") as server:
        for number, (load, _) in enumerate(LOADS):
            of_load = collections.Counter(name for stack in stacks(server, directory, number) for name in set(stack))
            most = max(of_load.values())
            for name, count in of_load.items():
                seen[name] = max(seen[name], count / most)
            print(f"{' '.join(load)}: {len(of_load):,} functions", file=sys.stderr)
    names = [name for name, _ in sorted(seen.items(), key=lambda item: (-item[1], item[0])) if name != "[unknown]"]
    file = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    file.write_text("# Written by `make hot-functions`; the linker puts these first.\n" + "\n".join(names) + "\n")
    print(f"{len(names):,} functions in {file}", file=sys.stderr)


if __name__ == "__main__":
    main()
