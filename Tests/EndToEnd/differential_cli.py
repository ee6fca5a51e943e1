"""The same etcdctl commands against the server and etcds: exit codes and output must be equal."""

import os
import re
import signal
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import cli_cases
from cli_cases import GROUPS, Step
from harness import ETCDCTL, Server, parse_arguments, run, start_all
from known_differences import CLI, holds, parse_version
from wire import Client, pb

# Leases and what is refused: the rest depends least on the version.
OF_OLDER_PEER = (cli_cases.put_and_del, cli_cases.leases, cli_cases.compactions, cli_cases.maintenance)

# What any answer may carry; the names are those of etcdctl's json and fields output.
COMMON_MASKS = (
    (rb'"(cluster_id|member_id|raft_term)":\d+', rb'"\1":<n>'),
    (rb'"(ClusterID|MemberID|RaftTerm)" : \d+', rb'"\1" : <n>'),
    (rb'"ts":"[^"]*"', b'"ts":<time>'),
    (rb"endpoint://client-[0-9a-f-]+/", b"endpoint://client/"),
)


class Side:
    """One server, its client program, and what its output must be stripped of to be comparable."""

    def __init__(self, binary, label, program=(ETCDCTL,)):
        self.server = Server(binary, label=label)
        self.program = list(program)
        self.names = {}
        self.leases = {}

    def learn_names(self):
        with Client(self.server.endpoint) as client:
            status = client.must("Maintenance/Status", pb.StatusRequest())
        self.version = parse_version(status.version)
        self.names = {f"{status.header.cluster_id:x}": "<cluster>", f"{status.header.member_id:x}": "<member>",
                      str(status.header.cluster_id): "<cluster>", str(status.header.member_id): "<member>",
                      self.server.endpoint: "<client>", f"127.0.0.1:{self.server.peer_port}": "<peer>"}

    def command(self, arguments):
        words = self.program + [f"--endpoints={self.server.endpoint}"]
        return words + [word if isinstance(word, bytes) else self.fill(word) for word in arguments]

    def fill(self, text):
        for name, lease in self.leases.items():
            text = text.replace("{" + name + "}", f"{lease:x}")
        return text

    def do(self, step):
        """(exit code, stdout, stderr), masked."""
        stdin = self.fill(step.stdin.decode()).encode()
        done = subprocess.run(self.command(step.arguments), input=stdin, capture_output=True, timeout=60,
                              env=environment())
        if step.capture:
            self.leases[step.capture] = lease_in(done.stdout)
        return done.returncode, self.mask(done.stdout, step.masks), self.mask(done.stderr, step.masks)

    def mask(self, output, masks):
        for name, lease in self.leases.items():
            for form in (f"{lease:016x}", f"{lease:x}", str(lease)):
                output = output.replace(form.encode(), f"<{name}>".encode())
        for text, name in self.names.items():
            output = output.replace(text.encode(), name.encode())
        for pattern, replacement in COMMON_MASKS + tuple(masks):
            output = re.sub(pattern, replacement, output, flags=re.MULTILINE)
        return output

    def start_watch(self, step):
        process = subprocess.Popen(self.command(["watch"] + step.arguments), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment())
        os.set_blocking(process.stdout.fileno(), False)
        if step.stdin:
            process.stdin.write(step.stdin)
            process.stdin.flush()
        return process

    def watchers(self):
        """How many watchers the server counts in its metrics."""
        with urllib.request.urlopen(f"http://{self.server.endpoint}/metrics", timeout=5) as answer:
            found = re.search(rb"^etcd_debugging_mvcc_watcher_total (\d+)", answer.read(), re.MULTILINE)
        return int(found.group(1)) if found else 0


def environment():
    return dict(os.environ, ETCDCTL_API="3")


def lease_in(output):
    decimal = re.search(rb'"ID" ?: ?(\d+)', output)
    if decimal:
        return int(decimal.group(1))
    return int(re.search(rb"lease ([0-9a-f]+) ", output).group(1), 16)


class Comparison:
    def __init__(self, results, group, sides):
        self.results = results
        self.group = group
        self.sides = sides
        self.pool = ThreadPoolExecutor(2)
        self.count = 0

    def both(self, function, *arguments):
        return list(self.pool.map(lambda side: function(side, *arguments), self.sides))

    def do(self, step):
        self.compare(label(step.arguments, step.stdin), self.both(Side.do, step))

    def watch(self, step):
        before = self.both(Side.watchers)
        processes = self.both(Side.start_watch, step)
        if step.steps:
            self.wait_for_watchers(before)
        for inner in step.steps:
            self.do(inner)
        outputs = [side.mask(output, ()) for side, output in zip(self.sides, read_until_quiet(processes))]
        self.compare("watch " + label(step.arguments, step.stdin), outputs)

    def wait_for_watchers(self, before):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if all(now > then for now, then in zip(self.both(Side.watchers), before)):
                return
            time.sleep(0.02)
        self.results.check(f"{self.group}: the servers count a new watcher in etcd_debugging_mvcc_watcher_total", False)

    def compare(self, name, answers):
        self.count += 1
        server, peer = answers
        full_name = f"{self.group}: {name}"
        right = holds(CLI, full_name, [side.version for side in self.sides], server, server == peer)
        self.results.check(full_name, right, f"server {difference(server, peer)}\npeer   {difference(peer, server)}")


def read_until_quiet(processes, quiet=0.4, longest=6):
    """What the processes print until none has printed for a while; then they are interrupted."""
    outputs = [b"" for _ in processes]
    start = changed = time.monotonic()
    while time.monotonic() - changed < quiet and time.monotonic() - start < longest:
        for index, process in enumerate(processes):
            piece = process.stdout.read()
            if piece:
                outputs[index] += piece
                changed = time.monotonic()
        if not all(outputs):
            changed = time.monotonic()
        time.sleep(0.01)
    for index, process in enumerate(processes):
        process.send_signal(signal.SIGINT)
        process.wait(10)
        outputs[index] += process.stdout.read() or b""
        process.stdin.close()
    return outputs


def label(arguments, stdin):
    words = " ".join(repr(word)[2:-1] if isinstance(word, bytes) else word or "''" for word in arguments)
    text = stdin[:200].decode(errors="replace").strip()
    return words + (f" < {text!r}" if stdin else "")


def difference(ours, theirs):
    """The answer from a little before the place where the two part."""
    ours, theirs = repr(ours), repr(theirs)
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    start = max(0, at - 120)
    return ("..." if start else "") + ours[start:at + 300]


def run_group(results, group, sides, comparison=Comparison):
    """All steps of the group, with both sides' programs and new servers."""
    try:
        start_all([side.server for side in sides])
        for side in sides:
            side.learn_names()
        started = results.elapsed()
        compared = comparison(results, group.__name__, sides)
        for step in group():
            compared.do(step) if isinstance(step, Step) else compared.watch(step)
        print(f"{group.__name__}: {compared.count} commands in {results.elapsed() - started:.1f} s", flush=True)
    finally:
        for side in sides:
            side.server.remove()


def main():
    arguments = parse_arguments(__doc__, budget=120, only=("", "run only the groups whose name has this"))

    def body(results):
        for peer in arguments.peers:
            for group in GROUPS if peer == arguments.peer else OF_OLDER_PEER:
                if arguments.only in group.__name__:
                    run_group(results, group, [Side(arguments.server, "server"), Side(peer, "peer")])

    run(arguments, body)


if __name__ == "__main__":
    main()
