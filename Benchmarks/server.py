"""Members, of Strake or of etcd, on ports and in directories of their own, and the load generator."""

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

from cpu_share import CPUShare

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


def bench(name, arguments, servers, processes, total, value_bytes=256):
    """The result of `strake bench` against servers; CPU and memory are those of the processes together."""
    command = [str(STRAKE), "bench", *arguments, "--total", str(total), "--val-size", str(value_bytes), "--json",
               "--endpoints", ",".join(server.url for server in servers), *servers[0].client_flags(),
               "--server-pid", ",".join(str(server.process.pid) for server in processes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BENCH_SECONDS_MAX)
    if done.returncode != 0:
        sys.exit(f"{name}: {' '.join(arguments)} failed: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


class Server:
    """One member. `cores` holds it to that part of a core; without, it shares the machine with the others. `certificates`,
    a server's and a client's, protect its clients' connections."""

    def __init__(self, name, member="m1", cores=None, certificates=None):
        self.name, self.member, self.cores, self.share = name, member, cores, None
        self.certificates = certificates
        self.directory = tempfile.mkdtemp(prefix="strake-bench-")
        self.log = pathlib.Path(self.directory) / "server.log"
        self.port, self.peer_port = free_port(), free_port()
        self.initial, self.initial_state = self.as_initial, "new"

    @property
    def endpoint(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"{'https' if self.certificates else 'http'}://{self.endpoint}"

    def client_flags(self):
        return self.certificates.client_flags() if self.certificates else []

    @property
    def peer_url(self):
        return f"http://127.0.0.1:{self.peer_port}"

    @property
    def as_initial(self):
        return f"{self.member}={self.peer_url}"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.remove()

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self):
        """Starts it and returns the seconds until it served."""
        began = time.monotonic()
        self.launch()
        self.wait_until_ready()
        return time.monotonic() - began

    def launch(self):
        binary = [str(STRAKE), "server"] if self.name == "strake" else [str(PEERS[self.name])]
        flags = ["--name", self.member, "--data-dir", self.directory + "/data",
                 "--quota-backend-bytes", str(QUOTA_BYTES),
                 "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
                 "--listen-peer-urls", self.peer_url, "--initial-advertise-peer-urls", self.peer_url,
                 "--initial-cluster", self.initial, "--initial-cluster-state", self.initial_state]
        if self.certificates:
            flags += self.certificates.server_flags()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(binary + flags, stdout=log, stderr=log)
        if self.cores:
            self.share = CPUShare(self.cores, self.process)

    def wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{self.name} does not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.002)

    def is_ready(self):
        return "ready to serve client requests" in self.log.read_text(errors="replace")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()
        if self.share:
            self.share.remove()
            self.share = None

    def anonymous_bytes(self):
        """Memory that no file backs."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        return 0

    def bench(self, *arguments, total, value_bytes=256):
        return bench(self.name, arguments, [self], [self], total, value_bytes)


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
