"""The client library with a user, through `strake ctl` and the sample service: tokens that end, passwords at a terminal."""

import os
import pty
import re
import select
import signal
import subprocess
import tempfile
import termios
import time

from cluster import Cluster
from harness import Server, eventually

# The names, and what is never to be shown.
USER, PASSWORD, ROOT_PASSWORD = "app", "open-sesame", "root-sesame"


def set_up(ctl):
    """A user who may do everything below the keys that the tests use."""
    for words in (["user", "add", f"root:{ROOT_PASSWORD}"], ["user", "add", f"{USER}:{PASSWORD}"], ["role", "add", "app"],
                  ["role", "grant-permission", "app", "readwrite", "--prefix", "app/"],
                  ["role", "grant-permission", "app", "readwrite", "--prefix", "counter/"],
                  ["user", "grant-role", USER, "app"], ["auth", "enable"]):
        ctl.must(*words)


def as_user(*words):
    return [f"--user={USER}:{PASSWORD}", *words]


def single(results, label, binary, ctl_of):
    """Tokens are lost with a restart: what goes on needs new ones."""
    with Server(binary, ["--bcrypt-cost=4"], label=label) as server:
        ctl = ctl_of([server.endpoint])
        set_up(ctl)
        check_variables(results, label, ctl)
        check_secrets(results, label, ctl)
        check_restart(results, label, server, ctl)
        mirrored(results, label, server, ctl, ctl_of)
        ctl.must(f"--user=root:{ROOT_PASSWORD}", "auth", "disable")
        results.equal(f"{label}: without authentication nobody asks", ctl.must("get", "app/1"), b"app/1\nv\n")


def check_variables(results, label, ctl):
    for variables in ({"ETCDCTL_USER": f"{USER}:{PASSWORD}"}, {"ETCDCTL_USER": USER, "ETCDCTL_PASSWORD": PASSWORD}):
        done = subprocess.run(ctl.words(["put", "app/1", "v"]), capture_output=True, timeout=30,
                              env=dict(os.environ, **variables))
        results.equal(f"{label}: a user from {', '.join(variables)}", (done.returncode, done.stdout), (0, b"OK\n"))
    # etcdctl's exit code for a snapshot that is not saved.
    with tempfile.TemporaryDirectory() as directory:
        for variables, code in (({}, 5), ({"ETCDCTL_USER": "root", "ETCDCTL_PASSWORD": ROOT_PASSWORD}, 0)):
            done = subprocess.run(ctl.words(["snapshot", "save", os.path.join(directory, "file")]), capture_output=True,
                                  timeout=30, env=dict(os.environ, **variables))
            results.equal(f"{label}: snapshot save with {len(variables)} variables", (done.returncode, b"sesame" in done.stderr),
                          (code, False))
    done = ctl.run("get", "app/1")
    results.equal(f"{label}: nobody may read", (done.returncode, done.stderr),
                  (1, b"Error: etcdserver: user name is empty\n"))
    done = ctl.run(*as_user("get", "other"))
    results.equal(f"{label}: the user may not read elsewhere", (done.returncode, done.stderr),
                  (1, b"Error: etcdserver: permission denied\n"))


def check_secrets(results, label, ctl):
    """Whatever fails, no output has the password."""
    wrong = "wrong-sesame"
    for words in ([f"--user={USER}:{wrong}", "get", "app/1"], [f"--user={USER}", f"--password={wrong}", "watch", "app/"],
                  [f"--user={USER}:{wrong}", "endpoint", "health"], [f"--user={USER}:{wrong}", "get", "--foo"],
                  [f"--user={USER}:{wrong}", "get", "--help"], [f"--user={USER}:{wrong}", "--debug", "get", "app/1"],
                  [f"--user={USER}", f"--password={wrong}", "--debug", "endpoint", "status"], ["user", "add", f":{wrong}"],
                  [f"--user={USER}:{wrong}", "snapshot", "save", "/dev/null/x"],
                  [f"--user={USER}:{wrong}", "user", "passwd", USER, "--interactive=false"]):
        done = ctl.run(*words, stdin=wrong.encode() + b"\n")
        results.check(f"{label}: no password in the output of {' '.join(words[1:3])}",
                      b"sesame" not in done.stdout + done.stderr, done.stdout + done.stderr)
    done = ctl.run(f"--user={USER}:{wrong}", "get", "app/1")
    results.equal(f"{label}: a wrong password is told", (done.returncode, done.stderr),
                  (2, b"Error: etcdserver: authentication failed, invalid user ID or password\n"))


def check_restart(results, label, server, ctl):
    watched, kept = (os.path.join(server.directory, name) for name in ("watched", "kept"))
    lease = re.search(rb"lease ([0-9a-f]+) ", ctl.must(*as_user("lease", "grant", "4"))).group(1).decode()
    watch = ctl.start(watched, *as_user("watch", "--prefix", "app/w", "-w", "fields"))
    keeping = ctl.start(kept, *as_user("lease", "keep-alive", lease))

    def seen():
        with open(watched, "rb") as file:
            return [int(number) for number in re.findall(rb'^"ModRevision" : (\d+)$', file.read(), re.MULTILINE)]

    def renewals():
        with open(kept, "rb") as file:
            return file.read().count(b"keepalived")

    results.check(f"{label}: the user's watch begins", eventually(
        lambda: ctl.must(*as_user("put", "app/w", "first")) and bool(seen())))
    results.check(f"{label}: the user's lease is renewed", eventually(lambda: renewals() > 0))
    server.kill()
    server.start()
    before = renewals()
    for _ in range(3):
        ctl.must(*as_user("put", "app/w", "again"))
    last = int(re.search(rb'"ModRevision" : (\d+)', ctl.must(*as_user("get", "app/w", "-w", "fields"))).group(1))
    results.check(f"{label}: the watch goes on with another token", eventually(lambda: last in seen()), seen())
    results.equal(f"{label}: without gap or repeat", seen(), list(range(seen()[0], last + 1)))
    results.check(f"{label}: so does the keep-alive", eventually(lambda: renewals() >= before + 2))
    for process in (watch, keeping):
        process.send_signal(signal.SIGINT)
        process.wait(20)


def mirrored(results, label, server, ctl, ctl_of):
    """Into a cluster that has users too."""
    with Server(server.binary, ["--bcrypt-cost=4"], label="target") as target:
        other = ctl_of([target.endpoint])
        set_up(other)
        log = os.path.join(server.directory, "mirror")
        copying = ctl.start(log, *as_user("make-mirror", "--prefix", "app/", f"--dest-user={USER}",
                                          f"--dest-password={PASSWORD}", target.endpoint))
        results.check(f"{label}: make-mirror with users on both sides", eventually(
            lambda: other.must(*as_user("get", "app/1")) == b"app/1\nv\n"))
        copying.send_signal(signal.SIGINT)
        copying.wait(20)


# MARK: A terminal

class Terminal:
    """`strake ctl` at a terminal of its own."""

    def __init__(self, words):
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        self.slave = slave
        self.output = b""

    def read_until(self, text, timeout=10):
        deadline = time.monotonic() + timeout
        while text not in self.output and time.monotonic() < deadline:
            if select.select([self.master], [], [], 0.1)[0]:
                self.output += os.read(self.master, 4096)
            elif self.process.poll() is not None:
                break
        return text in self.output

    def type(self, text):
        os.write(self.master, text)

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def end(self):
        code = self.process.wait(20)
        while select.select([self.master], [], [], 0.1)[0]:
            self.output += os.read(self.master, 4096)
        restored = termios.tcgetattr(self.slave) == self.before
        os.close(self.master)
        os.close(self.slave)
        return code, restored


def terminal(results, binary, ctl_of):
    with Server(binary, ["--bcrypt-cost=4"], label="terminal") as server:
        ctl = ctl_of([server.endpoint])
        adding = Terminal(ctl.words(["user", "add", "typed"]))
        results.check("terminal: the password is asked for", adding.read_until(b"Password of typed: "), adding.output)
        results.check("terminal: and not shown", eventually(lambda: not adding.echoes()))
        adding.type(PASSWORD.encode() + b"\n")
        results.check("terminal: it is asked for again", adding.read_until(b"again for confirmation: "), adding.output)
        # Between the two answers the terminal is as before for a moment.
        results.check("terminal: and not shown again", eventually(lambda: not adding.echoes()))
        adding.type(PASSWORD.encode() + b"\n")
        results.equal("terminal: the user is added, the terminal as before", adding.end(), (0, True))
        results.check("terminal: no password was shown",
                      b"User typed created" in adding.output and PASSWORD.encode() not in adding.output, adding.output)
        asking = Terminal(ctl.words(["--user", "typed", "get", "a"]))
        results.check("terminal: --user alone asks", asking.read_until(b"Password: "), asking.output)
        results.check("terminal: unseen", eventually(lambda: not asking.echoes()))
        asking.process.send_signal(signal.SIGINT)
        results.equal("terminal: who calls it off has his terminal as before", asking.end(), (-signal.SIGINT, True))


# MARK: The sample

def sample(results, program, server_binary, ctl_of):
    """Its workers' tokens are taken from them while they count, each time that the user gets a password, be it the same."""
    cluster = Cluster(server_binary, 3, ["--bcrypt-cost=4"]).start()
    try:
        endpoints = [member.endpoint for member in cluster.members]
        cluster.leader()
        ctl = ctl_of(endpoints)
        set_up(ctl)
        environment = dict(os.environ, COUNTER_USER=USER, COUNTER_PASSWORD=PASSWORD)
        workers = [subprocess.Popen([program, ",".join(endpoints), f"w{number}", "500"], stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, env=environment) for number in range(2)]
        changes = 0
        while any(worker.poll() is None for worker in workers) and changes < 100:
            ctl.must(f"--user=root:{ROOT_PASSWORD}", "user", "passwd", USER, "--interactive=false",
                     stdin=PASSWORD.encode() + b"\n")
            changes += 1
        outputs = [worker.communicate(timeout=40)[0] for worker in workers]
        print(f"{changes} changes of the password", flush=True)
        results.check("sample with a user: the password was changed while they counted", changes > 2, changes)
        results.equal("sample with a user: both end well", [worker.returncode for worker in workers], [0, 0])
        results.equal("sample with a user: nothing was counted twice or lost",
                      ctl.must(*as_user("get", "counter/total")), b"counter/total\n1000\n")
        results.check("sample with a user: no password is shown", b"sesame" not in b"".join(outputs), outputs)
        done = subprocess.run([program, endpoints[0], "w", "1"], capture_output=True, timeout=30)
        results.check("sample without a user: it is refused",
                      done.returncode != 0 and b"user name is empty" in done.stdout + done.stderr, done.stderr)
    finally:
        for member in cluster.members:
            member.remove()


def downgrades(results, ctl):
    """In the words of etcdctl 3.6, which is not among the peers."""
    version = re.search(rb", (\d+)\.(\d+)\.\d+", ctl.must("endpoint", "status")).groups()
    now, earlier = f"{int(version[0])}.{int(version[1])}", f"{int(version[0])}.{int(version[1]) - 1}"
    results.equal("downgrade validate", ctl.must("downgrade", "validate", earlier).decode(),
                  f"Downgrade validate success, cluster version {now}\n")
    results.equal("downgrade cancel", ctl.must("downgrade", "cancel").decode(),
                  f"Downgrade cancel success, cluster version {now}\n")
    results.check("downgrade in JSON", f'"version":"{now}"'.encode() in ctl.must("downgrade", "cancel", "-w", "json"))
    for words, code, text in ((["validate"], 128, "TARGET_VERSION not provided"),
                              (["validate", "a", "b"], 128, "too many arguments"),
                              (["enable", ""], 128, "target version not provided"),
                              (["validate", "x"], 1, "etcdserver: wrong downgrade target version format"),
                              (["validate", "3.1"], 1, "etcdserver: invalid downgrade target version"),
                              (["cancel", "-w", "table"], 4, "table not supported as output format")):
        done = ctl.run("downgrade", *words)
        results.equal(f"downgrade {' '.join(words)}", (done.returncode, done.stderr.decode()), (code, f"Error: {text}\n"))
    done = ctl.run("downgrade", "enable", earlier)
    results.check("downgrade enable is refused", done.returncode == 1 and b"no earlier version can read" in done.stderr,
                  done.stderr)
