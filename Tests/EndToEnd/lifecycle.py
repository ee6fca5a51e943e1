"""A server's life as a service manager and an operator see it: start, log, link named etcd, stop."""

import fcntl
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from cluster import Cluster
from harness import Server, eventually, parse_arguments, run
from raw_http2 import GOAWAY, RawConnection
from sockets_startup import refuses, run_to_end
from wire import Client, pb

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
STOP_SECONDS_MAX = 2.0
# Nobody reads the log; the member serves all the same.
PUTS_WITHOUT_READER = 200


def main():
    arguments = parse_arguments(__doc__, budget=60)

    def body(results):
        for part in (check_lines, check_outputs, check_rotation, check_unread_log, check_link, check_stop,
                     check_stop_under_load, check_stop_without_quorum, check_stop_of_a_leader, check_systemd):
            part(results, arguments)
            print(f"{part.__name__}: {results.elapsed():.1f} s", flush=True)

    run(arguments, body)


class Quiet(Server):
    """One whose log goes elsewhere than where readiness is looked for."""

    def start(self, timeout=30):
        self.launch()
        with Client(self.endpoint) as client:
            client.must("Maintenance/Status", pb.StatusRequest(), timeout=timeout)
        return self


# MARK: Log


def check_lines(results, arguments):
    with Server(arguments.server, label="server") as server:
        lines = server.log_since(0).decode().splitlines()
        parsed = [json.loads(line) for line in lines]
        results.check("each line is a JSON object with zap's keys first", all(
            list(line)[:4] == ["level", "ts", "caller", "msg"] for line in parsed), lines)
        results.check("levels, times and callers have zap's forms", all(
            line["level"] in ("debug", "info", "warn", "error") and re.fullmatch(STAMP, line["ts"])
            and re.fullmatch(r"\w+/[\w+]+\.swift:\d+", line["caller"]) for line in parsed), lines)
        ready = [line for line in parsed if line["msg"] == "ready to serve client requests"]
        results.equal("ready, once", [line.get("client-urls") for line in ready], [f"http://{server.endpoint}"])
    with Server(arguments.server, ["--log-format=console"], label="server") as server:
        lines = server.log_since(0).decode().splitlines()
        results.check("console lines have columns", all(
            re.fullmatch(rf"{STAMP}\t\w+\t[\w/+]+\.swift:\d+\t[^\t]+(\t\{{\".*\}})?", line) for line in lines), lines)
    with Quiet(arguments.server, ["--log-level=error"], label="server") as server:
        results.equal("nothing below the level", server.log_since(0), b"")
    for flags, pattern in (
            (["--log-format=xml"], "unknown log format: xml, supported values json, console"),
            (["--log-outputs=stderr,default"], r'multi logoutput for .*default.* is not supported yet'),
            (["--log-outputs=systemd/journal,stderr"], "running with systemd/journal but other '--log-outputs' values"),
            (["--enable-log-rotation"], "--log-outputs requires a single file path"),
            (["--enable-log-rotation", "--log-outputs=/tmp/x", "--log-rotation-config-json={"],
             "improperly formatted log rotation config"),
            (["--enable-log-rotation", "--log-outputs=/tmp/x", '--log-rotation-config-json={"maxsize":"1"}'],
             "invalid log rotation config: maxsize takes a whole number")):
        server = Server(arguments.server, flags)
        refuses(results, " ".join(flags), server.command(), 1, "failed to verify flags.*" + pattern)
        server.remove()


def check_outputs(results, arguments):
    server = Quiet(arguments.server, label="server")
    path = os.path.join(server.directory, "server.log")
    server.flags = [f"--log-outputs=stdout,{path}"]
    server.start()
    results.check("a file and standard output get the same lines",
                  eventually(lambda: read(path) and read(path) == server.log_since(0)))
    results.equal("a log file is its owner's alone", os.stat(path).st_mode & 0o777, 0o600)
    before = read(path)
    server.stop()
    server.start()
    results.check("a restart appends", eventually(lambda: len(read(path)) > len(before))
                  and read(path).startswith(before))
    server.remove()


JOURNAL = "/run/systemd/journal/socket"


def fields_of(entry):
    """Of an entry in the journal's native protocol: NAME=VALUE in a line, or NAME in one and then size and value."""
    fields = {}
    while entry:
        line, _, entry = entry.partition(b"\n")
        name, mark, value = line.partition(b"=")
        if not mark:
            (size,), entry = struct.unpack("<Q", entry[:8]), entry[8:]
            value, entry = entry[:size], entry[size + 1:]
        fields[name.decode()] = value.decode()
    return fields


def entries_in_journal(binary):
    """What a server sends to the journal of systemd until it has stopped, and what it writes besides."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        os.makedirs(os.path.dirname(JOURNAL), exist_ok=True)
        journal.bind(JOURNAL)
        try:
            journal.setblocking(False)
            server = Quiet(binary, ["--log-outputs=systemd/journal"], label="server")
            server.launch()
            entries = []

            def seen(text):
                try:
                    while True:
                        entries.append(fields_of(journal.recv(1 << 20)))
                except BlockingIOError:
                    return any(text in entry["MESSAGE"] for entry in entries)

            eventually(lambda: seen("ready to serve client requests"))
            server.stop()
            seen("")
            return entries, server.log_since(0)
        finally:
            os.unlink(JOURNAL)
            server.remove()


def check_journal(results, arguments):
    """Where systemd runs its socket is taken, and what arrives cannot be seen; the unit tests have that as well."""
    if os.path.exists(JOURNAL) or not os.access("/run", os.W_OK):
        return print(f"{JOURNAL} is not ours to open: no check of --log-outputs=systemd/journal", flush=True)
    for binary in (arguments.server, arguments.peer):
        server = Server(binary, ["--log-outputs=systemd/journal"])
        refuses(results, f"{binary} without a journal", server.command(), 1,
                r"can't find journal \(dial unixgram /run/systemd/journal/socket: connect: no such file or directory\)")
        server.remove()
    for binary, name in ((arguments.server, "strake"), (arguments.peer, "etcd")):
        entries, told = entries_in_journal(binary)
        ready = [entry for entry in entries if "ready to serve client requests" in entry["MESSAGE"]]
        results.equal(f"{name}: ready, in the journal", [(entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"], sorted(entry))
                                                         for entry in ready[:1]],
                      [("6", name, ["MESSAGE", "PACKAGE", "PRIORITY", "SYSLOG_IDENTIFIER"])])
        lines = [(entry, json.loads(entry["MESSAGE"])) for entry in entries]
        results.check(f"{name}: packages are those of the callers", all(
            entry["PACKAGE"] == line["caller"].rpartition("/")[0] for entry, line in lines), entries[:3])
        results.equal(f"{name}: warnings have syslog's level",
                      {entry["PRIORITY"] for entry, line in lines if line["level"] == "warn"} - {"4"}, set())
        if name == "strake":
            results.equal("nothing goes to standard error beside the journal", told, b"")


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def check_rotation(results, arguments):
    """Files of a MiB, three old ones at most; debug lines come with each request that takes longer than nothing."""
    server = Quiet(arguments.server, label="server")
    path = os.path.join(server.directory, "server.log")
    # The file is nearly full already.
    with open(path, "w") as file:
        file.write("x" * ((1 << 20) - 200) + "\n")
    server.flags = [f"--log-outputs={path}", "--enable-log-rotation",
                    '--log-rotation-config-json={"maxsize": 1, "maxbackups": 1, "compress": true}']
    server.start()
    directory = server.directory
    old = lambda: [name for name in os.listdir(directory)
                   if re.fullmatch(r"server-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.log", name)]
    results.check("a full log is renamed", eventually(lambda: len(old()) == 1), os.listdir(directory))
    results.check("and begun anew", eventually(lambda: b"ready to serve client requests" in read(path)))
    results.check("what cannot be is told", b"compress changes nothing" in
                  b"".join(read(os.path.join(directory, name)) for name in old()) + read(path))
    server.stop()
    first = old()
    with open(path, "a") as file:
        file.write("x" * ((1 << 20) - 200) + "\n")
    server.start()
    results.check("no more old files than asked for", eventually(lambda: len(old()) == 1 and old() != first), old())
    server.remove()


def check_unread_log(results, arguments):
    """Standard error is a pipe that is full: lines are dropped, requests are not."""
    server = Server(arguments.server, ["--warning-apply-duration=0s"], label="server")
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    server.process = subprocess.Popen(server.command(), stderr=writing, cwd=server.directory)
    os.close(writing)
    slowest = 0
    try:
        with Client(server.endpoint) as client:
            client.must("Maintenance/Status", pb.StatusRequest(), timeout=20)
            for number in range(PUTS_WITHOUT_READER):
                started = time.monotonic()
                client.put(b"a", b"%d" % number)
                slowest = max(slowest, time.monotonic() - started)
        results.check("puts do not wait for a log that nobody reads", slowest < 1, slowest)
        started = time.monotonic()
        code = server.stop()
        took = time.monotonic() - started
        results.check("nor does the stop for long", code == 0 and took < STOP_SECONDS_MAX + 1, (code, took))
    finally:
        os.close(reading)
        server.remove()


# MARK: Called as etcd


def check_link(results, arguments):
    with tempfile.TemporaryDirectory(prefix="strake-e2e-") as directory:
        link = os.path.join(directory, "etcd")
        os.symlink(arguments.server, link)
        code, output = run_to_end([link, "--version"])
        results.check("etcd --version", code == 0 and re.match(r"etcd Version: \d+\.\d+\.\d+\n", output), output)
        code, output = run_to_end([link, "--help"])
        results.check("etcd --help", code == 0 and "  etcd [flags]" in output and "--data-dir" in output, output)
        refuses(results, "etcd --nosuch", [link, "--nosuch"], 2, "^flag provided but not defined: -nosuch$")
        server = Server(link, label="etcd", directory=directory)
        server.command = lambda: [arg for arg in Server.command(server)
                                  if arg not in ("--data-dir", server.data_directory, "--name", "m1")] + [
            "--initial-cluster", f"default=http://127.0.0.1:{server.peer_port}"]
        server.start()
        results.check("its data is where etcd's would be", os.path.isdir(os.path.join(directory, "default.etcd")))
        with Client(server.endpoint) as client:
            results.check("it serves", client.call("KV/Put", pb.PutRequest(key=b"a")).ok)
        results.equal("it stops", server.stop(), 0)


# MARK: Stop


def check_stop(results, arguments):
    for number in (signal.SIGTERM, signal.SIGINT):
        server = Server(arguments.server, label="server").start()
        watching = RawConnection(server.client_port)
        watching.open_watch(key=b"a")
        with Client(server.endpoint) as client, ThreadPoolExecutor() as pool:
            client.put(b"a", b"1")
            told = pool.submit(said_goaway, watching)
            started = time.monotonic()
            code = server._end(number, 20)
            took = time.monotonic() - started
        results.check(f"{number.name} with clients: exit 0 within {STOP_SECONDS_MAX} s",
                      code == 0 and took < STOP_SECONDS_MAX, (code, took))
        results.check("a client is told by GOAWAY, and nothing else", told.result())
        log = server.log_since(0).decode()
        results.check("both ends of the stop are logged", re.search(r'"msg":"stopping".*\n(.*\n)*.*"msg":"stopped"', log),
                      log)
        server.remove()


def check_stop_under_load(results, arguments):
    """Every put is acknowledged and stays, or fails as one that may be tried elsewhere."""
    server = Server(arguments.server, label="server").start()
    with ThreadPoolExecutor() as pool:
        writers = [pool.submit(put_until_it_fails, server.endpoint, b"w%d" % number) for number in range(4)]
        if not results.check("all write", eventually(lambda: written(server) == 4)):
            server.kill()
        started = time.monotonic()
        code = server.stop()
        took = time.monotonic() - started
        results.check(f"SIGTERM under load: exit 0 within {STOP_SECONDS_MAX} s", code == 0 and took < STOP_SECONDS_MAX,
                      (code, took))
        ends = [writer.result() for writer in writers]
    results.check("calls end as UNAVAILABLE", all(code == "UNAVAILABLE" for _, code in ends), ends)
    server.start()
    with Client(server.endpoint) as client:
        for number, (last, _) in enumerate(ends):
            value = int(client.get(b"w%d" % number).kvs[0].value)
            # The one that failed may have been written all the same.
            results.check(f"writer {number}: what was acknowledged is there", value in (last, last + 1), (value, last))
    server.remove()


def written(server):
    with Client(server.endpoint) as client:
        return client.get(b"w", range_end=b"x").count


def put_until_it_fails(endpoint, key):
    """(the last number that was acknowledged, how the next put failed)"""
    with Client(endpoint) as client:
        number = 0
        while True:
            answer = client.finish(client.begin("KV/Put", pb.PutRequest(key=key, value=b"%d" % (number + 1)),
                                                wait_for_ready=False))
            if not answer.ok:
                return number, answer.code
            number += 1


def check_stop_without_quorum(results, arguments):
    cluster = Cluster(arguments.server, 3)
    alone = cluster.members[0].launch()
    results.check("one of three waits for the others", eventually(lambda: b"cannot reach member" in alone.log_since(0)))
    started = time.monotonic()
    code = alone.stop()
    took = time.monotonic() - started
    results.check(f"and stops: exit 0 within {STOP_SECONDS_MAX} s", code == 0 and took < STOP_SECONDS_MAX, (code, took))
    for member in cluster.members:
        member.remove()


def said_goaway(connection):
    """Whether the connection ended behind a GOAWAY without an error."""
    goaway = False
    try:
        while True:
            kind, _, payload = connection.read_frame()
            goaway = goaway or kind == GOAWAY and struct.unpack(">II", payload[:8])[1] == 0
    except (ConnectionError, OSError):
        return goaway
    finally:
        connection.close()


def check_stop_of_a_leader(results, arguments):
    """The others lead at once, without waiting for an election timeout."""
    cluster = Cluster(arguments.server, 3, ["--election-timeout=3000"])
    cluster.start()
    try:
        leader = leader_of(cluster)
        others = [member for member in cluster.members if member is not leader]
        with Client(others[0].endpoint) as client:
            client.put(b"a", b"1")
            started = time.monotonic()
            leader.process.send_signal(signal.SIGTERM)
            code = leader.process.wait(20)
            took = time.monotonic() - started
            results.check(f"SIGTERM of a leader: exit 0 within {STOP_SECONDS_MAX} s",
                          code == 0 and took < STOP_SECONDS_MAX, (code, took))
            client.must("KV/Put", pb.PutRequest(key=b"a", value=b"2"), timeout=10)
            results.check("a put through another member does not wait for an election timeout",
                          time.monotonic() - started < 2.5, time.monotonic() - started)
    finally:
        for member in cluster.members:
            member.remove()


def leader_of(cluster):
    for member in cluster.members:
        with Client(member.endpoint) as client:
            status = client.must("Maintenance/Status", pb.StatusRequest())
            if status.leader == status.header.member_id:
                return member
    raise AssertionError("nobody leads")


# MARK: systemd


def check_systemd(results, arguments):
    for place in ("in the file system", "abstract"):
        with tempfile.TemporaryDirectory(prefix="strake-e2e-") as directory:
            manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            name = os.path.join(directory, "notify") if place != "abstract" else f"\0strake-{os.getpid()}"
            manager.bind(name)
            manager.settimeout(20)
            server = Server(arguments.server, label="server")
            command = server.command()
            server.command = lambda: ["env", "NOTIFY_SOCKET=" + name.replace("\0", "@")] + command
            server.launch()
            results.equal(f"READY=1, to a socket {place}", manager.recv(1024), b"READY=1\n")
            with Client(server.endpoint) as client:
                results.check("it is ready then", client.call("KV/Put", pb.PutRequest(key=b"a")).ok)
            server.process.send_signal(signal.SIGTERM)
            results.equal(f"STOPPING=1, to a socket {place}", manager.recv(1024), b"STOPPING=1\n")
            results.equal("and it stops", server.process.wait(20), 0)
            results.check("nothing else is told", not select.select([manager], [], [], 0)[0])
            manager.close()
            server.remove()
    with Server(arguments.server, label="server") as server:
        command = server.command()
        server.stop()
        server.command = lambda: ["env", "NOTIFY_SOCKET=/nonexistent/notify"] + command
        server.start()
        results.check("a manager that is not there changes nothing", server.process.poll() is None)


if __name__ == "__main__":
    main()
