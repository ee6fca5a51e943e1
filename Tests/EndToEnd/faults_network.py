"""A network of namespaces: one for each member, joined by a bridge, with faults between any two of them.

All of it is private to the process: its own network and mount namespaces hold the bridge, the names of the members'
namespaces and the mounted disks. When the process ends, however it ends, the kernel takes them away."""

import ctypes
import os
import subprocess
import sys

from harness import PEERS

_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
_NAMES = "/run/netns"
_SUBNET = "10.111.0"
HUB = "hub"

DELAYER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "faults_delay.py")


class Impossible(Exception):
    """This machine cannot do what the test needs."""


def enter_private_namespaces():
    """Moves this process, and what it will start, into network and mount namespaces of its own. Call it before any
    thread is started: each thread has its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS | _CLONE_NEWNET) != 0:
        raise Impossible("namespaces are impossible here (needs root and a kernel with network namespaces): unshare: "
                         + os.strerror(ctypes.get_errno()))
    try:
        run("mount", "--make-rprivate", "/")
        os.makedirs(_NAMES, exist_ok=True)
        run("mount", "-t", "tmpfs", "names", _NAMES)
        # libfaketime leaves files there.
        run("mount", "-t", "tmpfs", "shared", "/dev/shm")
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "bridge", "type", "bridge")
        run("ip", "address", "add", f"{_SUBNET}.254/24", "dev", "bridge")
        run("ip", "link", "set", "bridge", "up")
    except (OSError, CommandFailed) as error:
        raise Impossible(f"namespaces are impossible here: {error}") from error


class CommandFailed(Exception):
    pass


def run(*command, text=None):
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=20)
    except FileNotFoundError as error:
        raise CommandFailed(f"{command[0]} is not installed; install-peers.sh does that") from error
    if done.returncode != 0:
        raise CommandFailed(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def mount_disk(directory, size_bytes):
    """A disk of its own, in memory, which a test can fill."""
    os.makedirs(directory, exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "disk", directory)


class Network:
    """The members by number, from 1. `HUB` is where the clients are.

    Faults are kept as what holds from one node to another, so one-way faults need nothing special: packets are judged
    where they arrive."""

    def __init__(self, count):
        self.numbers = list(range(1, count + 1))
        self._cut = set()  # of (from, to)
        self._loss = {}  # (from, to): share; not to the hub
        self._delay = {}  # (from, to): (seconds, jitter in seconds); not to the hub
        self._delayers = {}  # receiving member: process
        for number in self.numbers:
            self._add(number)

    def _add(self, number):
        name, inside = f"m{number}", self.inside(number)
        run("ip", "netns", "add", name)
        run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", name, "master", "bridge", "up")
        run(*inside, "ip", "address", "add", f"{self.address(number)}/24", "dev", "eth0")
        run(*inside, "ip", "link", "set", "eth0", "up")
        run(*inside, "ip", "link", "set", "lo", "up")
        run(*inside, "iptables", "-w", "-S")

    @staticmethod
    def address(node):
        return f"{_SUBNET}.{254 if node == HUB else node}"

    @staticmethod
    def inside(number):
        """What a command begins with that is to run in the member's namespace."""
        return ["nsenter", f"--net={_NAMES}/m{number}"]

    def cut(self, pairs):
        self._cut |= set(pairs)
        self._apply(pairs)

    def lose(self, pairs, share):
        self._loss.update({pair: share for pair in pairs})
        self._apply(pairs)

    def delay(self, pairs, seconds, jitter):
        self._delay.update({pair: (seconds, jitter) for pair in pairs})
        for to in {to for _, to in pairs}:
            self._start_delayer(to)
        self._apply(pairs)

    def heal(self):
        touched = [*self._cut, *self._loss, *self._delay]
        self._cut.clear()
        self._loss.clear()
        self._delay.clear()
        self._apply(touched)
        # Packets that are still held are lost with the delayer, as some are when a path changes.
        for process in self._delayers.values():
            process.kill()
            process.wait()
        self._delayers.clear()

    def _start_delayer(self, to):
        old = self._delayers.pop(to, None)
        queues = [f"{self._queue(source)}:{seconds}:{jitter}"
                  for (source, other), (seconds, jitter) in sorted(self._delay.items(), key=str) if other == to]
        process = subprocess.Popen([*self.inside(to), "setpriv", "--pdeathsig", "KILL", "--", sys.executable, DELAYER,
                                    *queues], stdout=subprocess.PIPE, text=True)
        if old:
            old.kill()
            old.wait()
        if process.stdout.readline() != "ready\n":
            raise CommandFailed("the process that delays packets did not start")
        self._delayers[to] = process

    @staticmethod
    def _queue(node):
        return 0 if node == HUB else node

    def _apply(self, pairs):
        # The hub has no rules of its own: what a member sends there is judged where it leaves.
        for member in {source if to == HUB else to for source, to in pairs}:
            run(*self.inside(member), "iptables-restore", "-w", text=self._rules(member))

    def _rules(self, to):
        """Of the receiving member, written anew as a whole: so a change of several paths is one."""
        lines = ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]"]
        for source in [HUB, *self.numbers]:
            pair, rule = (source, to), f"-A INPUT -s {self.address(source)}/32"
            if pair in self._cut:
                lines.append(f"{rule} -j DROP")
            if pair in self._loss:
                lines.append(f"{rule} -m statistic --mode random --probability {self._loss[pair]:.4f} -j DROP")
            if pair in self._delay:
                lines.append(f"{rule} -j NFQUEUE --queue-num {self._queue(source)} --queue-bypass")
        if (to, HUB) in self._cut:
            lines.append(f"-A OUTPUT -d {self.address(HUB)}/32 -j DROP")
        return "\n".join([*lines, "COMMIT", ""])
