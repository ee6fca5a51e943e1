"""Commands of etcdctl 3.4 and 3.5 that go on for a while: elections and mirrors, against the server and an etcd, and `check
datascale`, which `strake ctl` has too. With --checks 1 also `check perf`, which takes a minute for each load."""

import os
import re
import signal
import subprocess
import tempfile
import time

from differential_cli import environment
from harness import PEERS, Server, command_for, eventually, parse_arguments, run, start_all
from wire import Client, pb

TOOLS = {version: os.path.join(PEERS, f"etcd-{version}", "etcdctl") for version in ("3.4", "3.5")}
EVERYTHING = dict(key=b"\0", range_end=b"\0")
# Of etcdctl's own, and the most seconds that each may take.
SHORT_CHECKS = [(["datascale", "--load=s", "--auto-compact", "--auto-defrag"], 60)]
LONG_CHECKS = [(["perf", "--load=s"], 90), (["perf", "--load=m"], 90)]


class Running:
    """An etcdctl that goes on until it is stopped; its output is in a file. What it logs of its own end is left out."""

    def __init__(self, tool, server, *arguments):
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen([tool, f"--endpoints={server.endpoint}", *arguments], stdout=self.output,
                                        stderr=subprocess.DEVNULL, env=environment())

    def lines(self):
        # The process writes at the offset of the same open file: reading must not move it.
        return os.pread(self.output.fileno(), 1 << 20, 0).decode().splitlines()

    def stop(self):
        """As ^C does: it resigns, and its exit code says how that went."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.output.close()


def elect(results, name, tool, server):
    """Two candidates and an observer. Returns what they printed, without the leases' ids."""
    with Running(tool, server, "elect", "boat", "first") as first:
        results.check(f"{name}: the first is elected", eventually(lambda: len(first.lines()) == 2), first.lines())
        with Running(tool, server, "elect", "--listen", "boat") as observer, \
                Running(tool, server, "elect", "boat", "second") as second:
            results.check(f"{name}: the observer sees it", eventually(lambda: len(observer.lines()) == 2), observer.lines())
            with Client(server.endpoint) as client:
                waits = eventually(lambda: client.get(b"boat/", range_end=b"boat0", count_only=True).count == 2)
            results.check(f"{name}: the second waits", waits and not second.lines(), second.lines())
            first_ended = first.stop()
            results.check(f"{name}: then it is elected", eventually(lambda: len(second.lines()) == 2), second.lines())
            results.check(f"{name}: the observer sees that", eventually(lambda: len(observer.lines()) == 4),
                          observer.lines())
            ended = [first_ended, second.stop(), observer.stop()]
            printed = [first.lines(), second.lines(), observer.lines()]
    return ended, [[re.sub(r"^boat/[0-9a-f]+$", "boat/<lease>", line) for line in lines] for lines in printed]


def check_elections(results, servers):
    for version, tool in TOOLS.items():
        outcomes = [elect(results, f"elect with etcdctl {version}, {server.label}", tool, server) for server in servers]
        results.equal(f"elect with etcdctl {version}: the same from both", outcomes[0], outcomes[1])


def check_mirrors(results, servers):
    """Each is mirrored into the other, under another prefix."""
    for version, tool in TOOLS.items():
        for source, target in (servers, servers[::-1]):
            mirror(results, f"{version}: {source.label} into {target.label}", version, tool, source, target)


def mirror(results, name, version, tool, source, target):
    start, copied = b"from/%s/" % version.encode(), b"to/%s/" % version.encode()
    with Client(source.endpoint) as client, Client(target.endpoint) as other:
        def shown(of, prefix):
            kvs = of.get(prefix, range_end=prefix[:-1] + b"0").kvs
            return {kv.key[len(prefix):]: kv.value for kv in kvs}

        for number in range(200):
            client.put(b"%s%03d" % (start, number), b"%d" % number)
        with Running(tool, source, "make-mirror", "--prefix", start.decode(), "--dest-prefix", copied.decode(),
                     target.endpoint) as running:
            results.check(f"mirror {name}: what was there comes", eventually(lambda: len(shown(other, copied)) == 200),
                          running.lines())
            client.must("KV/DeleteRange", pb.DeleteRangeRequest(key=start + b"05", range_end=start + b"07"))
            puts = [pb.RequestOp(request_put=pb.PutRequest(key=start + key, value=b"new")) for key in (b"000", b"new")]
            client.must("KV/Txn", pb.TxnRequest(success=puts))
            due = shown(client, start)
            results.check(f"mirror {name}: changes come", eventually(lambda: shown(other, copied) == due), running.lines())
            results.equal(f"mirror {name}: keys", len(due), 181)
        client.must("KV/DeleteRange", pb.DeleteRangeRequest(key=start, range_end=start[:-1] + b"0"))
        other.must("KV/DeleteRange", pb.DeleteRangeRequest(key=copied, range_end=copied[:-1] + b"0"))


def run_checks(results, arguments, checks):
    """Each on a server of its own, which it loads for as long as it likes; Strake's own also of an etcd."""
    commands = {f"etcdctl {version}": [tool] for version, tool in TOOLS.items()}
    commands["strake ctl"] = [*command_for(arguments.server)[:-1], "ctl"]
    for name, command in commands.items():
        for check, seconds in checks:
            with Server(arguments.server, label="server") as server:
                run_check(results, name, command, check, seconds, server)
    with Server(arguments.peer, label="peer") as peer:
        run_check(results, "strake ctl, of etcd:", commands["strake ctl"], *SHORT_CHECKS[0], peer)


def run_check(results, name, command, check, seconds, server):
    name = f"{name} check {' '.join(check)}"
    began = time.monotonic()
    done = subprocess.run([*command, f"--endpoints={server.endpoint}", "check", *check], capture_output=True, text=True,
                          timeout=seconds, env=environment())
    lines = [line for line in done.stdout.replace("\r", "\n").splitlines() if re.match(r"PASS|FAIL|.*used", line)]
    print(f"{name}: {time.monotonic() - began:.1f} s\n" + "\n".join("    " + line for line in lines), flush=True)
    results.check(name, done.returncode == 0 and lines and not any("FAIL" in line for line in lines),
                  done.stdout[-600:] + done.stderr[-600:])
    with Client(server.endpoint) as client:
        results.equal(f"{name}: no key is left", client.get(**EVERYTHING, count_only=True).count, 0)


def main():
    arguments = parse_arguments(__doc__, budget=60, checks=(0, "1: also run `check perf`"))

    def body(results):
        servers = [Server(arguments.server, label="server"), Server(arguments.peer, label="peer")]
        try:
            start_all(servers)
            check_elections(results, servers)
            check_mirrors(results, servers)
        finally:
            for server in servers:
                server.remove()
        run_checks(results, arguments, SHORT_CHECKS + (LONG_CHECKS if arguments.checks else []))

    run(arguments, body)


if __name__ == "__main__":
    main()
