"""`strake ctl top` of three members under load, of one that speaks TLS and of an etcd: plain lines, JSON, members that die,
and a terminal that is given back as it was, however the live screen ends; then with certificates and users, of Strake and of
etcd."""

import base64
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
import unicodedata

from cluster import Cluster
from harness import Server, eventually, free_ports, parse_arguments, run
from tls_certificates import Authority, SecureServer
from wire import Client, pb

# Neither its escape sequence nor its bytes that are no text may reach a terminal.
BINARY_KEY = b"\x1b[2J\xff/a/1"
BINARY_PREFIX = b"\x1b[2J\xff/a/"
LEAVE = b"\x1b[?7h\x1b[?25h\x1b[?1049l"


class Load:
    """Puts and deletes, about 200 a second, until it is stopped."""

    def __init__(self, endpoint):
        self.client = Client(endpoint)
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def work(self):
        number = 0
        while not self.ends.wait(0.005):
            number += 1
            key = f"/registry/pods/default/web-{number % 10}".encode()
            if number % 10 == 9:
                key = BINARY_KEY
            if number % 10 == 8:
                key = f"/registry/東京/{number}".encode()
            self.client.call("KV/Put", pb.PutRequest(key=key, value=b"x" * 100))
            if number % 20 == 0:
                self.client.call("KV/DeleteRange", pb.DeleteRangeRequest(key=key))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()
        self.client.close()


class Top:
    def __init__(self, binary):
        self.binary = binary

    def command(self, endpoints, *flags):
        return [self.binary, "ctl", "top", "--endpoints", ",".join(endpoints), *flags]

    def run(self, endpoints, *flags):
        done = subprocess.run(self.command(endpoints, *flags), capture_output=True, timeout=30, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def views(self, endpoints, *flags):
        code, output, errors = self.run(endpoints, "-w", "json", "--interval", "1s", *flags)
        if code != 0:
            raise RuntimeError(f"{code}: {output}{errors}")
        return [json.loads(line) for line in output.splitlines()]


def columns(text):
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def is_printable(text):
    return not any(unicodedata.category(letter).startswith("C") for letter in text if letter != "\n")


# Flags and what is said of them.

def check_flags(results, top):
    code, output, _ = top.run([], "--help")
    results.check("--help", code == 0 and all(flag in output for flag in ("--once", "--prefixes=10", "--depth=2", "--cluster")),
                  output)
    results.check("it tells what the watch costs", "--prefixes=0 goes without" in output, output)
    done = subprocess.run([top.binary, "ctl", "--help"], capture_output=True, text=True)
    results.check("strake ctl --help has it", "strake ctl top [options]" in done.stdout, done.stdout)
    for flags, text in (
            (["--interval", "10ms"], "--interval must be at least 100ms"), (["--count", "-1"], "--count must not be below 0"),
            (["--prefixes", "1025"], "--prefixes must be from 0 to 1024"), (["--depth", "0"], "--depth must be from 1 to 100"),
            (["--once", "--count", "2"], "--once and --count exclude each other"),
            (["-w", "table"], "table not supported as output format"), (["word"], "top takes no arguments"),
            (["--cert", "x"], "--cert and --key go together")):
        code, output, errors = top.run(["127.0.0.1:1"], *flags)
        results.check(" ".join(flags), code != 0 and not output and text in errors, f"{code} {output} {errors}")


# Snapshots of a cluster under load.

def check_json(results, top, cluster):
    leader = cluster.leader()
    seed = cluster.followers()[0]
    views = top.views([seed.endpoint], "--cluster", "--count", "2")
    results.equal("intervals", len(views), 2)
    first, last = views
    members = last["members"]
    results.equal("members", [member["name"] for member in members], ["m1", "m2", "m3"])
    ids = {member.name: f"{number:x}" for member, number in cluster.ids().items()}
    results.equal("their ids", {member["name"]: member["id"] for member in members}, ids)
    results.equal("the leader", last["leader"], leader.name)
    roles = {member["name"]: member["role"] for member in members}
    results.equal("roles", roles, {name: "leader" if name == leader.name else "follower" for name in ids})
    results.check("the interval", 0.5 < last["interval_seconds"] < 5, last["interval_seconds"])
    moved = last["revision"] - first["revision"]
    results.check("revisions a second", moved > 0 and abs(last["revisions_per_second"] * last["interval_seconds"] - moved) < 1,
                  (first["revision"], last))
    for member in members:
        results.check(f"{member['name']} has a log that is flushed", member["wal_sync"]["count"] > 0, member)
        results.check(f"{member['name']} applies", member["apply"]["count"] > 0, member)
        bounds = member["wal_sync"]
        results.check("a quantile is within its bucket",
                      bounds["p50_above"] <= bounds["p50_seconds"] <= bounds["p50_at_most"], bounds)
        results.check(f"{member['name']} tells its state", member["raft_index"] >= member["raft_applied_index"] > 0
                      and member["db_size"] > 0 and member["resident_bytes"] > 0 and member["version"], member)
        results.equal(f"{member['name']} knows the lease", member["leases"], 1)
    puts = {method["method"]: method for method in last["methods"]}["Put"]
    results.check("puts", 10 < puts["requests_per_second"] < 1_000 and puts["duration"]["count"] > 0, puts)
    results.check("no failures", puts["failures_per_second"] == 0, puts)
    prefixes = {base64.b64decode(prefix["prefix"]): prefix for prefix in last["prefixes"]}
    results.equal("prefixes", set(prefixes), {b"/registry/pods/", "/registry/東京/".encode(), BINARY_PREFIX})
    results.equal("the busiest first", base64.b64decode(last["prefixes"][0]["prefix"]), b"/registry/pods/")
    results.equal("a prefix as text", prefixes[BINARY_PREFIX]["prefix_text"], r"\x1b[2J\xff/a/")
    share = prefixes[b"/registry/pods/"]["events_per_second"] / last["revisions_per_second"]
    results.check("its part of all revisions", 0.5 < share < 1.1, share)
    results.check("deletes", prefixes[b"/registry/pods/"]["deletes_per_second"] > 0, prefixes)


def check_prefix_flags(results, top, cluster):
    endpoints = [member.endpoint for member in cluster.members]
    [view] = top.views(endpoints, "--once", "--prefix", "/registry/", "--depth", "2")
    found = {base64.b64decode(prefix["prefix"]) for prefix in view["prefixes"]}
    results.equal("behind --prefix", found, {b"/registry/pods/default/", "/registry/東京/".encode()})
    [view] = top.views(endpoints, "--once", "--prefixes", "1")
    results.equal("as many as were asked for", len(view["prefixes"]), 1)


def check_cost(results, top, cluster):
    """One watch in all, and none with --prefixes=0."""
    def watchers():
        return sum(member.metric("etcd_debugging_mvcc_watcher_total") for member in cluster.members)
    endpoints = [member.endpoint for member in cluster.members]
    results.check("watches of runs before are gone", eventually(lambda: watchers() == 0), watchers())
    for flags, expected in ((["--prefixes=0"], 0), ([], 1)):
        process = subprocess.Popen(top.command(endpoints, "-w", "json", "--interval", "200ms", *flags), stdout=subprocess.PIPE)
        try:
            # The first line follows two samples.
            view = json.loads(process.stdout.readline())
            results.check(f"watches with {flags}", eventually(lambda: watchers() == expected), watchers())
            results.equal(f"prefixes with {flags}", "prefixes" in view, expected == 1)
        finally:
            process.terminate()
            process.wait()
    results.check("the watch goes with it", eventually(lambda: watchers() == 0), watchers())


def check_plain(results, top, cluster):
    code, output, errors = top.run([cluster.members[0].endpoint], "--cluster", "--once", "--interval", "500ms")
    lines = output.splitlines()
    results.check("plain lines", code == 0 and not errors, f"{code} {errors}")
    results.check("nothing but text", is_printable(output), ascii(output))
    results.check("no line is too long", all(columns(line) <= 120 for line in lines), output)
    results.check("members, load, methods and prefixes", re.search(r"^MEMBER +ROLE(.|\n)*^MEMBER +REQ/S(.|\n)*^METHOD(.|\n)*^PREFIX",
                                                                   output, re.MULTILINE), output)
    results.check("a row for each member", all(re.search(rf"^m{number} +(leader|follower) ", output, re.MULTILINE)
                                               for number in (1, 2, 3)), output)
    results.check("binary keys are quoted", r'"\x1b[2J\xff/a/"' in output, output)
    results.check("other keys are as they are", '"/registry/東京/"' in output, output)
    # A reader that goes away ends it.
    process = subprocess.Popen(top.command([cluster.members[0].endpoint], "--interval", "100ms"), stdout=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    try:
        results.check("it ends with its reader", process.wait(10) is not None)
    except subprocess.TimeoutExpired:
        process.kill()
        results.check("it ends with its reader", False, "it goes on")


def check_dead_member(results, top, cluster):
    dead = cluster.followers()[0]
    process = subprocess.Popen(top.command([dead.endpoint], "--cluster", "-w", "json", "--interval", "300ms"),
                               stdout=subprocess.PIPE, text=True)

    def until(holds):
        """The next view of which it holds, and of that the member."""
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            view = json.loads(process.stdout.readline())
            member = {member["name"]: member for member in view["members"]}[dead.name]
            if holds(member, view):
                return member, view
        raise TimeoutError(f"not seen of {dead.name}: {member}")
    try:
        until(lambda member, _: member["role"] == "follower")
        dead.kill()
        member, view = until(lambda member, _: member["role"] == "down")
        until(lambda member, _: any("cannot connect" in problem for problem in member["problems"]))
        results.check("the others are there", sorted(other["role"] for other in view["members"]) == ["down", "follower", "leader"],
                      view)
        # The watch and the member list have gone on at another member.
        _, view = until(lambda _, view: view["prefixes"] and not view.get("problems"))
        results.check("and work", view["revisions_per_second"] > 0 and view["requests_per_second"] > 0, view)
        code, output, errors = top.run([member.endpoint for member in cluster.members], "--once", "--interval", "200ms")
        results.check("as plain lines", code == 0 and re.search(r"^127\.0\.0\.1:\d+ +down ", output, re.MULTILINE)
                      and re.search(r"^! .*cannot connect to .*: Connection refused", output, re.MULTILINE), output + errors)
        dead.start()
        member, _ = until(lambda member, _: member["role"] == "follower" and "requests_per_second" in member)
        results.check("rates of a restarted member are no leaps", member["requests_per_second"] < 100, member)
        # One that is there and says nothing holds nobody up for longer than a second.
        dead.process.send_signal(signal.SIGSTOP)
        try:
            member, view = until(lambda member, _: member["role"] == "down")
            results.check("a silent member", any("deadline" in problem for problem in member["problems"]), member)
            _, view = until(lambda member, _: member["role"] == "down")
            results.check("does not hold the others up", view["interval_seconds"] < 2.5 and view["revisions_per_second"] > 0, view)
        finally:
            dead.process.send_signal(signal.SIGCONT)
        until(lambda member, _: member["role"] == "follower")
    finally:
        process.terminate()
        process.wait()
    [port] = free_ports(1)
    code, output, errors = top.run([f"127.0.0.1:{port}"], "--once", "--interval", "200ms")
    results.check("nobody answers", code == 1 and "Connection refused" in output and "no member has answered" in errors,
                  f"{code} {output} {errors}")


# The live screen.

class Screen:
    """A terminal of its own."""

    def __init__(self, command, width, height):
        self.master, self.slave = pty.openpty()
        self.resize(width, height, tell=False)
        self.before = termios.tcgetattr(self.slave)
        self.output = b""
        # Whoever leads a session and opens a terminal has it for his own. No Python between fork and exec: gRPC's threads
        # are not there, and its handlers would write to the terminal.
        self.process = subprocess.Popen(["sh", "-c", 'exec "$@" <"$0" >"$0" 2>&1', os.ttyname(self.slave), *command],
                                        start_new_session=True)

    def resize(self, width, height, tell=True):
        self.width, self.height = width, height
        # The kernel tells whoever is in front of the terminal.
        fcntl.ioctl(self.master if tell else self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            self.output += os.read(self.master, 1 << 16)

    def until(self, holds, timeout=15):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            frame = self.frame()
            if frame and holds(frame):
                return frame
            self.read(0.1)
        raise TimeoutError(f"not on the screen: {self.frame()}, last {self.output[-300:]}")

    def frame(self):
        return (self.frames() or [[]])[-1]

    def frames(self):
        """The lines of each whole frame: its beginning is the cursor's way home, its end clears what is below."""
        frames = re.findall(rb"\x1b\[H((?:(?!\x1b\[H).)*?)\x1b\[J", self.output, re.DOTALL)
        # The terminal puts a carriage return in front of each new line, also where there is one.
        return [[re.sub(r"\x1b\[(7m|1m|0m|K)", "", line) for line in re.split("\r+\n", frame.decode())]
                for frame in frames]

    def end(self):
        """The exit code, once all is read."""
        deadline = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.05)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            return "it goes on"
        self.read(0.2)
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


def check_screen(results, top, cluster):
    command = top.command([cluster.members[0].endpoint], "--cluster", "--interval", "300ms")

    def type_q(screen):
        os.write(screen.master, b"xq")

    def type_control_c(screen):
        os.write(screen.master, b"\x03")

    def terminate(screen):
        screen.process.send_signal(signal.SIGTERM)

    for name, finish, code in (("q", type_q, 0), ("control-c", type_control_c, 0), ("SIGTERM", terminate, 143)):
        screen = Screen(command, 100, 40)
        try:
            frame = screen.until(lambda frame: any(line.startswith("PREFIX") for line in frame))
            results.check("the alternate screen", screen.output.startswith(b"\x1b[?1049h"), screen.output[:40])
            local = termios.tcgetattr(screen.slave)[3]
            results.check("keys are not echoed", not local & (termios.ECHO | termios.ICANON) and local & termios.ISIG)
            if name == "q":
                check_frames(results, screen, frame)
            finish(screen)
            results.equal(f"exit code after {name}", screen.end(), code)
            results.check(f"the screen after {name}", screen.output.endswith(LEAVE), screen.output[-60:])
            results.equal(f"the terminal after {name}", termios.tcgetattr(screen.slave), screen.before)
        finally:
            screen.close()


def check_frames(results, screen, frame):
    fits = lambda frame: len(frame) <= screen.height and all(columns(line) <= screen.width for line in frame)
    results.check("the frame fits", fits(frame), frame)
    results.check("it is text", all(is_printable(line) for line in frame), frame)
    results.check("it has the members", all(any(re.match(rf"m{number} +(leader|follower) ", line) for line in frame)
                                            for number in (1, 2, 3)), frame)
    for width, height in ((40, 12), (160, 50)):
        mark = len(screen.output)
        screen.resize(width, height)
        # Drawn anew for the new size: the narrow one leaves columns out, the wide one has them all.
        frame = screen.until(lambda frame: len(screen.output) > mark and fits(frame)
                             and any("VERSION" in line for line in frame) == (width == 160))
        results.check(f"it fits {width} columns and {height} lines", fits(frame), frame)
    print("\n".join(frame), flush=True)


def check_other_servers(results, arguments, top):
    server = SecureServer(arguments.server, ["--auto-tls"])
    with server:
        certificate = os.path.join(server.data_directory, "fixtures", "client", "cert.pem")
        [view] = top.views([f"https://{server.endpoint}"], "--once", "--cacert", certificate)
        results.check("over TLS", view["members"][0]["role"] == "leader" and "resident_bytes" in view["members"][0], view)
        [view] = top.views([server.endpoint], "--once", "--insecure-skip-tls-verify")
        results.check("without a scheme", "resident_bytes" in view["members"][0], view)
        code, output, errors = top.run([f"https://{server.endpoint}"], "--once", "--interval", "200ms", "--prefixes=0",
                                       "--cacert", Authority("another").certificate)
        results.check("a certificate of another authority", code == 1 and "TLS" in output, f"{code} {output} {errors}")
    with Server(arguments.peer) as peer, Load(peer.endpoint):
        [view] = top.views([peer.endpoint], "--once")
        [member] = view["members"]
        results.check("an etcd's status", member["role"] == "leader" and member["raft_index"] > 0, view)
        results.check("its metrics", member["wal_sync"]["count"] > 0 and member["requests_per_second"] > 0, view)
        results.check("its prefixes", base64.b64decode(view["prefixes"][0]["prefix"]) == b"/registry/pods/", view)


# Certificates and users.

class Guarded:
    """A server that lets in whom its authority knows, and asks for users."""

    PROBLEM = "! prefixes: the watch has ended: etcdserver: permission denied"

    def __init__(self, binary, label, top):
        authority = Authority(label)
        flags = authority.issue("server").server_flags() + ["--client-cert-auth", "--trusted-ca-file", authority.certificate]
        self.server, self.top, self.label = SecureServer(binary, flags, label=label), top, label
        self.authorities = ["--cacert", authority.certificate]
        self.security = self.authorities + authority.issue("client", common_name="nobody").etcdctl()

    def ctl(self, *words):
        subprocess.run([self.top.binary, "ctl", "--endpoints", self.endpoint, *self.security, *words], check=True,
                       stdout=subprocess.DEVNULL, timeout=20)

    @property
    def endpoint(self):
        return f"https://{self.server.endpoint}"

    def enable(self):
        for words in ("user add root:pw", "user grant-role root root", "user add app:pw", "role add app",
                      "role grant-permission app readwrite --prefix /app/", "user grant-role app app", "auth enable"):
            self.ctl(*words.split())

    def screen(self, *flags):
        return Screen(self.top.command([self.endpoint], "--interval", "200ms", *flags), 110, 30)

    def check(self, results):
        with self.server:
            self.enable()
            self.check_snapshots(results)
            for flags in (["--user", "root:pw"], ["--user", "app:pw", "--prefix", "/app/"], ["--user", "root"]):
                self.check_live(results, flags)
            self.check_denied(results)
            self.check_wrong_password(results)

    def check_snapshots(self, results):
        # Getting the tokens takes longer than the interval, which the first rates must not be those of.
        [view] = self.top.views([self.endpoint], "--once", "--cluster", *self.security, "--user", "root:pw", "--interval", "100ms")
        [member] = view["members"]
        results.equal(f"{self.label}: root sees the member", (member["name"], member["role"], view.get("problems")),
                      ("m1", "leader", None))
        results.check(f"{self.label}: its metrics", member["resident_bytes"] > 0 and "requests_per_second" in member, view)
        results.check(f"{self.label}: over an interval", view["interval_seconds"] > 0.09, view["interval_seconds"])
        code, output, errors = self.top.run([self.endpoint], "--once", "--interval", "200ms", "--prefixes=0", *self.authorities)
        results.check(f"{self.label}: without a certificate", code == 1 and re.search("^! .*TLS.*certificate", output, re.MULTILINE),
                      f"{code} {output} {errors}")

    def check_live(self, results, flags):
        screen = self.screen(*self.security, *flags)

        def has_all(frame):
            self.ctl("--user", "app:pw", "put", "/app/x/1", "v")
            return (any(re.match(r"m1 +leader +https://", line) for line in frame)
                    and any(re.match(r'"/app/(x/(1")?)?', line) for line in frame)
                    and any(re.match(r"m1 +[0-9.]+ ", line) for line in frame))
        try:
            if ":" not in " ".join(flags):
                results.check(f"{self.label}: the password is asked for", eventually(
                    lambda: screen.read(0.1) or screen.output.endswith(b"Password: ")), screen.output)
                os.write(screen.master, b"pw\n")
            frame = screen.until(has_all)
            results.check(f"{self.label}: {' '.join(flags)}: nothing is wrong", not any(line.startswith("!") for line in frame), frame)
            results.check(f"{self.label}: no password on the screen", b"pw" not in screen.output, screen.output)
            os.write(screen.master, b"q")
            results.equal(f"{self.label}: {' '.join(flags)}: its end", (screen.end(), termios.tcgetattr(screen.slave)), (0, screen.before))
        finally:
            screen.close()

    def check_denied(self, results):
        screen = self.screen(*self.security, "--user", "app:pw")
        try:
            seen = lambda: [any(line == self.PROBLEM for line in frame) for frame in screen.frames()]
            screen.until(lambda frame: True in seen())
            count = len(seen()) + 6
            screen.until(lambda frame: len(seen()) >= count)
            # The watch is tried again each second; meanwhile the frames say what is missing.
            results.check(f"{self.label}: a watch that is denied is told of in each frame", all(seen()[seen().index(True):]), seen())
        finally:
            screen.close()

    def check_wrong_password(self, results):
        screen = self.screen(*self.security, "--user", "root:bad")
        try:
            results.equal(f"{self.label}: a wrong password ends it", screen.end(), 2)
            results.equal(f"{self.label}: and is told", screen.output,
                          b"Error: etcdserver: authentication failed, invalid user ID or password\r\n")
        finally:
            screen.close()


def main():
    arguments = parse_arguments(__doc__, budget=60)

    def body(results):
        top = Top(arguments.server)
        check_flags(results, top)
        with Cluster(arguments.server, 3) as cluster:
            cluster.client(cluster.leader()).must("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=600, ID=7))
            with Load(cluster.leader().endpoint):
                for check in (check_json, check_prefix_flags, check_cost, check_plain, check_screen, check_dead_member):
                    check(results, top, cluster)
        check_other_servers(results, arguments, top)
        for label, binary in (("strake with users", arguments.server), ("etcd with users", arguments.peer)):
            Guarded(binary, label, top).check(results)

    run(arguments, body)


if __name__ == "__main__":
    main()
