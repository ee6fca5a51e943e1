"""What the server says when it cannot start, and that it stops and starts again cleanly."""

import os
import re
import signal
import socket
import subprocess
import tempfile

from harness import Server, command_for, eventually, faketime
from wire import Client, pb

# (flags, exit code, what a line of the output must say). 2 is for what the flag parser refuses.
BAD_FLAGS = [
    (["--nosuch"], 2, r"flag provided but not defined: -nosuch"),
    (["--nosuch=1"], 2, r"flag provided but not defined: -nosuch"),
    (["--snapshot-count=abc"], 2, r'invalid value "abc" for flag -snapshot-count'),
    (["--snapshot-count=-1"], 2, r'invalid value "-1" for flag -snapshot-count'),
    (["--pre-vote=maybe"], 2, r'invalid boolean value "maybe" for -pre-vote'),
    (["--listen-client-urls=foo"], 2, r'invalid value "foo" for flag -listen-client-urls'),
    (["--listen-client-urls=http://127.0.0.1"], 2, r"-listen-client-urls.*host:port"),
    (["--listen-client-urls="], 2, r'invalid value "" for flag -listen-client-urls'),
    (["--listen-peer-urls=http://nohost:2380"], 1, r"expected IP in URL for binding .*--listen-peer-urls"),
    (["--watch-progress-notify-interval=5"], 2, r"--watch-progress-notify-interval: not a dur"),
    (["--name="], 1, r"--name must not be empty"),
    (["--initial-cluster-state=foo"], 2, r'invalid value "foo" for flag -initial-cluster-state'),
    (["--heartbeat-interval=0"], 1, r"heartbeat-interval must be >0"),
    (["--heartbeat-interval=100", "--election-timeout=300"], 1, r"should be at least as 5 times as"),
    (["--election-timeout=60000"], 1, r"is too long, and should be set less than 50000ms"),
    (["--initial-cluster=other=http://127.0.0.1:1"], 1, r"couldn't find local name"),
    (["--initial-cluster=default"], 1, r"not of the form name=peer-url"),
    (["--initial-cluster=default=http://localhost:2399"], 1, r"default=http://localhost:2399 but missing from"),
    (["--initial-cluster=default=http://localhost:2380,m2=http://localhost:2380"], 1, r"has duplicate url"),
    (["--initial-cluster-state=existing"], 1, r"cannot fetch cluster info from peer urls"),
    (["--data-dir=/proc/nowhere"], 1, r"/proc/nowhere"),
    (["somewhere"], 1, r'somewhere.*is not a valid flag'),
]
# The same for the other commands: (words, exit code, what the only line says). 1 is for what a run meets.
BAD_WORDS = [
    (["sing"], 2, r'unknown command "sing"'),
    (["bench", "sing"], 2, r'unknown workload "sing"'),
    (["bench", "--total=5"], 2, r"the workload comes before the flags"),
    (["bench", "put", "extra"], 2, r'"extra" is not a valid flag'),
    (["bench", "put", "--total=abc"], 2, r'invalid value "abc" for flag -total'),
    (["bench", "put", "--total=0"], 2, r"--total must be at least 1"),
    (["bench", "put", "--endpoints=127.0.0.1:99999"], 2, r'"127.0.0.1:99999" is not host:port'),
    (["bench", "put", "--plot=/nowhere/plot.svg"], 2, r"--plot: cannot write /nowhere/plot.svg: No such file"),
    (["bench", "put", "--endpoints=127.0.0.1:1"], 1, r"cannot connect to 127.0.0.1:1: Connection refused$"),
    (["simulate"], 2, r"--seed or --seeds is needed"),
    (["simulate", "--seeds=5..1"], 2, r'--seeds: "5..1" is not'),
    (["simulate", "--seed=1", "--jobs=2"], 2, r"--jobs goes with --seeds only"),
    (["simulate", "--seed=1", "--directory=/nowhere"], 2, r"--directory: cannot write to /nowhere"),
    (["check-history"], 2, r"takes one FILE"),
    (["check-history", "--loud"], 2, r"takes one FILE"),
    (["check-history", "/nowhere"], 2, r"/nowhere: No such file"),
    (["ctl", "sing"], 2, r'unknown command "sing"'),
    (["ctl", "--loud"], 1, r"unknown flag: --loud"),
    (["ctl", "member", "replace", "5", "m4", "http://127.0.0.1:1", "--endpoints=127.0.0.1:1"], 1,
     r"cannot connect to 127.0.0.1:1: Connection refused$"),
]
CRASHED = ("Fatal error", "Illegal instruction", "Segmentation fault", "stack dump")


def run_to_end(command, environment=None, timeout=15):
    """(exit code or None if it keeps running, output)"""
    with tempfile.TemporaryDirectory(prefix="strake-e2e-") as directory:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=directory,
                                   env=dict(os.environ, **(environment or {})))
        try:
            output, _ = process.communicate(timeout=timeout)
            return process.returncode, output.decode(errors="replace")
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            return None, output.decode(errors="replace")


def refuses(results, name, command, code, pattern, **options):
    actual, output = run_to_end(command, **options)
    said = [line for line in output.splitlines() if re.search(pattern, line)]
    crashed = [word for word in CRASHED if word in output]
    results.check(f"{name}: exit code {code} and a line that says why", actual == code and said and not crashed,
                  f"exit code {actual}, wanted a line with {pattern!r}:\n{output[-1500:]}")


def check_flags(results, arguments):
    binary = command_for(arguments.server)
    for flags, code, pattern in BAD_FLAGS:
        refuses(results, " ".join(flags), binary + flags, code, pattern)
    refuses(results, "a bad value in the environment", binary, 1, r"ETCD_SNAPSHOT_COUNT",
            environment={"ETCD_SNAPSHOT_COUNT": "abc"})
    # As it is loaded first it sets variables, which moves the environment that the arguments stand beside.
    refuses(results, "a library that sets variables before main", binary + ["--nosuch"], 2,
            r"flag provided but not defined: -nosuch", environment={"LD_PRELOAD": faketime()})
    refuses(results, "--version", binary + ["--version"], 0, r"\d+\.\d+\.\d+")
    refuses(results, "--help", binary + ["--help"], 0, r"--data-dir")


def check_words(results, arguments):
    """The commands that etcd does not have."""
    binary = os.path.abspath(arguments.server)
    for words, code, pattern in BAD_WORDS:
        actual, output = run_to_end([binary] + words)
        results.check(f"{' '.join(words)}: exit code {code} and one line that says why",
                      actual == code and len(output.splitlines()) == 1 and re.search(pattern, output.rstrip()),
                      f"exit code {actual}, wanted {pattern!r}:\n{output[-1500:]}")
    refuses(results, "too few open files", ["bash", "-c", 'ulimit -n 50; exec "$0" version', binary], 1,
            r"allows it 50 open files \(ulimit -Hn\); it needs at least")
    for command in ("server", "bench", "simulate", "check-history", "ctl"):
        asked = [run_to_end([binary, *words]) for words in ([command, "--help"], ["help", command])]
        results.check(f"help for {command}", asked[0] == asked[1] and asked[0][0] == 0 and f"strake {command}" in asked[0][1],
                      asked)


def check_bench(results, arguments):
    """A server that goes away while it is loaded: one line says which."""
    for workload in ("put", "watch", "lease-keepalive"):
        with Server(arguments.server, label="server") as server:
            words = ["bench", workload, "--total=100000000", "--clients=8", "--connections=4",
                     f"--endpoints={server.endpoint}"]
            process = subprocess.Popen([os.path.abspath(arguments.server), *words], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
            counter = "etcd_debugging_lease_granted_total" if workload == "lease-keepalive" else "etcd_mvcc_put_total"
            eventually(lambda: server.metric(counter) > 0)
            server.kill()
            _, said = process.communicate(timeout=30)
        line = re.escape(server.endpoint) + "( closed the connection| was lost: (Connection reset by peer|Broken pipe))"
        results.check(f"bench {workload} loses its server: exit code 1 and one line that names it",
                      process.returncode == 1 and len(said.splitlines()) == 1 and re.search(line + "$", said.rstrip()),
                      f"exit code {process.returncode}: {said}")


def check_places(results, arguments):
    """Ports and directories that are not free."""
    is_etcd = os.path.basename(arguments.server) == "etcd"
    with Server(arguments.server, label="server") as first:
        for what, flag in (("client", "--listen-client-urls"), ("peer", "--listen-peer-urls")):
            other = Server(arguments.server, label="second")
            port = first.client_port if what == "client" else first.peer_port
            refuses(results, f"busy {what} port", other.command() + [f"{flag}=http://127.0.0.1:{port}"], 1,
                    "address already in use")
            other.remove()
        if not is_etcd:  # etcd waits for the lock instead
            other = Server(arguments.server, label="second")
            refuses(results, "data directory in use", other.command() + [f"--data-dir={first.data_directory}"], 1,
                    re.escape(first.data_directory))
            other.remove()
        with Client(first.endpoint) as client:
            results.check("the first server is not disturbed", client.call("KV/Put", pb.PutRequest(key=b"a")).ok)
    occupied = Server(arguments.server, label="server")
    with open(occupied.data_directory, "w") as file:
        file.write("not a directory")
    refuses(results, "data directory is a file", occupied.command(), 1, re.escape(occupied.data_directory))
    occupied.remove()
    if not is_etcd:
        refuses_foreign_directory(results, arguments)
        refuses_emptied_directory(results, arguments)


def refuses_foreign_directory(results, arguments):
    """A directory of etcd's is neither taken over nor touched."""
    foreign = Server(arguments.peer, label="etcd").start()
    with Client(foreign.endpoint) as client:
        client.put(b"mine", b"etcd")
    foreign.stop()
    ours = Server(arguments.server, label="server")
    refuses(results, "data directory of etcd", ours.command() + [f"--data-dir={foreign.data_directory}"], 1,
            r"etcd|member")
    foreign.start()
    with Client(foreign.endpoint) as client:
        results.equal("etcd still has its data", client.get(b"mine").kvs[0].value, b"etcd")
    foreign.remove()
    ours.remove()


def refuses_emptied_directory(results, arguments):
    """A member whose log and store are gone does not begin again as if it had never held anything."""
    server = Server(arguments.server, label="server").start()
    with Client(server.endpoint) as client:
        client.put(b"a", b"1")
    server.stop()
    kept = os.path.join(server.directory, "kept")
    for names in (("log",), ("log", "store")):
        os.mkdir(kept)
        for name in names:
            os.rename(os.path.join(server.data_directory, name), os.path.join(kept, name))
        gone = ", ".join(name + "/" for name in names)
        for attempt in ("", " again"):
            refuses(results, f"data directory without {gone}{attempt}", server.command(), 1,
                    re.escape(f"{server.data_directory} is the data directory of member ") + ".*has been initialised.*"
                    + re.escape(f"this is gone: {gone}. Put them back"))
        for name in names:
            os.rename(os.path.join(kept, name), os.path.join(server.data_directory, name))
        os.rmdir(kept)
    server.start()
    with Client(server.endpoint) as client:
        results.equal("put back, everything is there", client.get(b"a").kvs[0].value, b"1")
    server.remove()


def check_restarts(results, arguments):
    server = Server(arguments.server, label="server").start()
    try:
        for index, number in enumerate((signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGTERM)):
            with Client(server.endpoint) as client, client.watch(dict(key=b"n")) as watch:
                client.put(b"n", b"%d" % index)
                watch.take_events(1)
                code = server._end(number, 20)
            results.check(f"stop {index} by {number.name} with a watch open", code in (0, -number), f"exit code {code}")
            server.start()
            with Client(server.endpoint) as client:
                kv = client.get(b"n").kvs[0]
                results.equal(f"start {index}: the key is there", (kv.value, kv.version), (b"%d" % index, index + 1))
        with socket.create_connection(("127.0.0.1", server.client_port)):
            code = server.stop()
        results.check("stop with an idle connection open", code in (0, -signal.SIGTERM), f"exit code {code}")
    finally:
        server.remove()


def check(results, arguments):
    check_flags(results, arguments)
    if os.path.basename(arguments.server) == "strake":
        check_words(results, arguments)
        check_bench(results, arguments)
    check_places(results, arguments)
    check_restarts(results, arguments)
