"""Starts and stops servers, counts results, keeps time budgets."""

import argparse
import atexit
import glob
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = os.path.join(ROOT, ".peers")
ETCDCTL = os.path.join(PEERS, "etcd-3.4", "etcdctl")
ETCDCTL_35 = os.path.join(PEERS, "etcd-3.5", "etcdctl")
DEFAULT_SERVER = os.path.join(ROOT, ".build", "release", "strake")
DEFAULT_PEER = os.path.join(PEERS, "etcd-3.5", "etcd")
DEFAULT_OLDER_PEER = os.path.join(PEERS, "etcd-3.4", "etcd")
FAKETIME = "/usr/lib/*/faketime/libfaketimeMT.so.1"

# etcd 3.4 says "ready to serve insecure client requests", later versions "ready to serve client requests".
READY_LINES = (b"ready to serve client requests", b"ready to serve insecure client requests")

_running = set()


def parse_arguments(description, budget, **extra):
    """Arguments every script takes; `extra` maps an option name to its (default, help)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--server", default=os.environ.get("STRAKE_SERVER", DEFAULT_SERVER),
                        help="server under test (a binary named strake is run as `strake server`)")
    parser.add_argument("--peer", default=os.environ.get("STRAKE_PEER", DEFAULT_PEER), help="etcd to compare with")
    parser.add_argument("--older-peer", default=os.environ.get("STRAKE_OLDER_PEER", DEFAULT_OLDER_PEER),
                        help="etcd to compare with too, where a script says so")
    seed = int(os.environ.get("STRAKE_SEED", "0")) or random.randrange(1, 1 << 31)
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--budget", type=float, default=budget, help="wall time in seconds; passing it is a failure")
    for name, (default, text) in extra.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(default), default=default, help=text)
    arguments = parser.parse_args()
    # Servers run in directories of their own.
    for role in ("server", "peer", "older_peer"):
        setattr(arguments, role, os.path.abspath(getattr(arguments, role)))
    # The newest first, and none twice.
    arguments.peers = list(dict.fromkeys([arguments.peer, arguments.older_peer]))
    for binary in (arguments.server, *arguments.peers):
        if not os.access(binary, os.X_OK):
            sys.exit(f"{binary}: not an executable; build the server or run install-peers.sh")
    print(f"seed {arguments.seed}, server {arguments.server}", flush=True)
    return arguments


def peer_name(binary):
    """What install-peers.sh calls it."""
    return os.path.basename(os.path.dirname(binary))


_given_ports = set()


def free_ports(count):
    """Ports below the range that outgoing connections take, or a restarted server could lose its own. No port is given
    twice: who got it may not listen yet, or may just be down."""
    ports = []
    while len(ports) < count:
        candidate = random.SystemRandom().randrange(20000, 32000)
        if candidate in _given_ports:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
        _given_ports.add(candidate)
        ports.append(candidate)
    return ports


class ServerFailed(Exception):
    pass


class Server:
    """One single-member server in a temporary directory. Restarts keep its ports and its data."""

    def __init__(self, binary, flags=(), label=None, directory=None):
        self.binary = binary
        self.flags = list(flags)
        self.label = label or os.path.basename(binary)
        self.directory = directory or tempfile.mkdtemp(prefix="strake-e2e-")
        self.data_directory = os.path.join(self.directory, "data")
        self.log_path = os.path.join(self.directory, "log")
        self.client_port, self.peer_port = free_ports(2)
        self.process = None
        self.log_start = 0

    @property
    def endpoint(self):
        return f"127.0.0.1:{self.client_port}"

    def command(self):
        client, peer = f"http://{self.endpoint}", f"http://127.0.0.1:{self.peer_port}"
        return command_for(self.binary) + [
            "--name", "m1", "--data-dir", self.data_directory,
            "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", f"m1={peer}",
        ] + self.flags

    def start(self, timeout=30):
        return self.launch().wait_until_ready(timeout)

    def launch(self):
        with open(self.log_path, "ab") as log:
            self.log_start = log.tell()
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.directory)
        _running.add(self.process)
        return self

    def wait_until_ready(self, timeout=30):
        self._wait_ready(self.log_start, time.monotonic() + timeout)
        print(f"started {self.label}: pid {self.process.pid}, port {self.client_port}, directory {self.directory}",
              flush=True)
        return self

    def _wait_ready(self, log_offset, deadline):
        while True:
            if self.is_ready(log_offset):
                return
            if self.process.poll() is not None:
                raise ServerFailed(f"{self.label} exited with {self.process.returncode}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.label} was not ready in time:\n{self.log_tail()}")
            time.sleep(0.005)

    def is_ready(self, log_offset=0):
        log = self.log_since(log_offset)
        return any(line in log for line in READY_LINES)

    def log_since(self, offset):
        with open(self.log_path, "rb") as log:
            log.seek(offset)
            return log.read()

    def log_tail(self, lines=15):
        return "\n".join(self.log_since(0).decode(errors="replace").splitlines()[-lines:])

    def stop(self, timeout=30):
        """Stops cleanly and returns the exit code."""
        return self._end(signal.SIGTERM, timeout)

    def kill(self):
        return self._end(signal.SIGKILL, 10)

    def _end(self, number, timeout):
        process, self.process = self.process, None
        if process is None:
            return None
        process.send_signal(number)
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise ServerFailed(f"{self.label} did not stop within {timeout} s of signal {number}")
        finally:
            _running.discard(process)

    def has_died(self, grace=1.0):
        """Whether the process is gone by itself; asked after a call that found nobody there."""
        try:
            self.process.wait(grace)
            return True
        except subprocess.TimeoutExpired:
            return False

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def metric(self, name):
        """The value of a metric without labels, or None."""
        with urllib.request.urlopen(f"http://{self.endpoint}/metrics", timeout=10) as page:
            values = re.findall(rf"^{name} (\S+)$", page.read().decode(), re.MULTILINE)
        return float(values[0]) if values else None

    def wait_until_drained(self):
        """Until a checkpoint has written all that was put, and what is read comes from the file. etcd has no layers."""
        if not eventually(lambda: not self.metric("strake_layer_bytes")):
            raise ServerFailed(f"{self.metric('strake_layer_bytes')} bytes are still in the layers of {self.label}")

    def remove(self):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.remove()
        else:
            self.kill()
            print(f"{self.label} log, kept in {self.directory}:\n{self.log_tail()}", flush=True)


def start_all(servers):
    for server in servers:
        server.launch()
    for server in servers:
        server.wait_until_ready()


def command_for(binary):
    """What runs a server binary: strake is a multi-call binary, etcd is not."""
    return [binary, "server"] if os.path.basename(binary) == "strake" else [binary]


def eventually(holds, timeout=20):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return holds()


def faketime():
    found = glob.glob(FAKETIME)
    if not found:
        raise FileNotFoundError(f"{FAKETIME}: libfaketime is not installed; install-peers.sh does that")
    return found[0]


# A script that is ended from outside ends its servers too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


@atexit.register
def _kill_what_is_left():
    for process in list(_running):
        process.kill()
        process.wait()


class Results:
    """Counts checks, prints the failures, and ends the script with the line that all scripts end with."""

    def __init__(self, arguments):
        self.passed = 0
        self.failed = 0
        self.budget = arguments.budget
        self.started = time.monotonic()

    def check(self, name, holds, detail=""):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {name}" + (f"\n{indent(str(detail))}" if detail else ""), flush=True)
        return bool(holds)

    def equal(self, name, actual, expected):
        return self.check(name, actual == expected, f"expected {shorten(expected)}\nactual   {shorten(actual)}")

    def elapsed(self):
        return time.monotonic() - self.started

    def remaining(self):
        return self.budget - self.elapsed()

    def finish(self):
        self.check(f"within {self.budget:.0f} s", self.remaining() > 0, f"took {self.elapsed():.1f} s")
        print(f"took {self.elapsed():.1f} s of {self.budget:.0f} s")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed else 0)


def run(arguments, body):
    """Runs `body(results)`; an exception becomes one failure, so that the last line is always printed."""
    results = Results(arguments)
    try:
        body(results)
    except Exception as error:  # noqa: BLE001: whatever it was, the run must end with its count
        import traceback
        traceback.print_exc(file=sys.stdout)
        results.check("the script ran to its end", False, repr(error))
    results.finish()


def indent(text):
    return "\n".join("    " + line for line in text.splitlines())


def shorten(value, limit=600):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"
