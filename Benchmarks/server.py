"""A member, of Strake or of etcd, on ports and in a directory of its own."""

import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
STRAKE = ROOT / ".build/release/strake"
PEERS = {"etcd 3.4": ROOT / ".peers/etcd-3.4/etcd", "etcd 3.5": ROOT / ".peers/etcd-3.5/etcd"}
QUOTA_BYTES = 8 << 30
START_SECONDS_MAX = 120
BENCH_SECONDS_MAX = 600


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, name):
        self.name = name
        self.directory = tempfile.mkdtemp(prefix="strake-bench-")
        self.log = pathlib.Path(self.directory) / "server.log"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self):
        """Starts it and returns the seconds until it served."""
        self.port, peer = free_port(), free_port()
        binary = [str(STRAKE), "server"] if self.name == "strake" else [str(PEERS[self.name])]
        flags = ["--name", "m1", "--data-dir", self.directory + "/data", "--quota-backend-bytes", str(QUOTA_BYTES)]
        for flag, port in (("client", self.port), ("peer", peer)):
            flags += [f"--listen-{flag}-urls", f"http://127.0.0.1:{port}"]
        flags += ["--advertise-client-urls", f"http://127.0.0.1:{self.port}"]
        flags += ["--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}"]
        flags += ["--initial-cluster", f"m1=http://127.0.0.1:{peer}"]
        began = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(binary + flags, stdout=log, stderr=log)
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() - began > START_SECONDS_MAX:
                sys.exit(f"{self.name} does not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.002)
        return time.monotonic() - began

    def is_ready(self):
        return "ready to serve client requests" in self.log.read_text(errors="replace")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()

    def anonymous_bytes(self):
        """Memory that no file backs."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        return 0

    def bench(self, *arguments, total, value_bytes=256):
        """The result of `strake bench` against it."""
        command = [str(STRAKE), "bench", *arguments, "--endpoints", f"127.0.0.1:{self.port}", "--total", str(total),
                   "--val-size", str(value_bytes), "--server-pid", str(self.process.pid), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=BENCH_SECONDS_MAX)
        if done.returncode != 0:
            sys.exit(f"{self.name}: {' '.join(arguments)} failed: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)


class PeakMemory:
    """The most anonymous memory that a server has while the body runs."""

    SECONDS_BETWEEN_SAMPLES = 0.05

    def __init__(self, server):
        self.server = server
        self.bytes = 0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.sample)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()
        self.bytes = max(self.bytes, self.server.anonymous_bytes())

    def sample(self):
        while not self.is_over.wait(self.SECONDS_BETWEEN_SAMPLES):
            self.bytes = max(self.bytes, self.server.anonymous_bytes())
