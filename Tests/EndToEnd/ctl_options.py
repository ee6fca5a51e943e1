"""The options that all commands of `strake ctl` take, and what has no server to ask: help, options, --debug, and snapshots
with every one of these options; etcdctl 3.5 does the same where it can."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time

from harness import ETCDCTL, ETCDCTL_35, Server

# A value for each of etcdctl's options, as it would have it by itself or with no other effect.
ALL_OPTIONS = ("--cacert=", "--cert=", "--command-timeout=20s", "--debug=false", "--dial-timeout=3s", "--discovery-srv=",
               "--discovery-srv-name=", "--hex", "--insecure-discovery", "--insecure-skip-tls-verify=false",
               "--insecure-transport=true", "--keepalive-time=11s", "--keepalive-timeout=5s", "--key=", "--password=", "--user=")
# etcdctl 3.4 has it for the stores of etcd 2; later ones do not.
GONE = {"migrate"}
# It has a page for commands, and none for itself.
PAGES = {"help"}
SECRET = "sesame"


def ask(*words, timeout=20, **variables):
    done = subprocess.run(words, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL, text=True,
                          env=dict(os.environ, ETCDCTL_API="3", **variables))
    return done.returncode, done.stdout, done.stderr


def theirs(text):
    """The names of the flags in etcdctl's help."""
    return set(re.findall(r"^ +(?:-\w, )?--([a-z-]+)[=\[]", text, re.MULTILINE))


def ours(text):
    return set(re.findall(r"^ +(?:-\w, )?--([a-z-]+)=", text, re.MULTILINE))


def check(results, arguments):
    ctl = [arguments.server, "ctl"]
    for etcdctl, version in ((ETCDCTL, "3.4"), (ETCDCTL_35, "3.5")):
        check_complete(results, ctl, etcdctl, version)
    check_help(results, ctl)
    with Server(arguments.server, ["--bcrypt-cost=4"], label="strake") as server:
        check_debug(results, ctl, server)
        with tempfile.TemporaryDirectory(prefix="strake-e2e-") as directory:
            check_save(results, ctl, server, directory)
            check_files(results, ctl, directory)


def check_complete(results, ctl, etcdctl, version):
    """No command and no flag of etcdctl's is missing."""
    overview = ask(etcdctl, "help")[1]
    listed = overview[overview.index("COMMANDS:"):overview.index("OPTIONS:")]
    for command in re.findall(r"^\t([a-z][a-z -]*?)\t+\S", listed, re.MULTILINE):
        if command in GONE | PAGES:
            continue
        words = command.split()
        code, page, errors = ask(*ctl, *words, "--help")
        results.equal(f"etcdctl {version}'s {command} is there", (code, errors), (0, ""))
        results.equal(f"flags of etcdctl {version}'s {command} that are not there",
                      theirs(ask(etcdctl, *words, "--help")[1]) - {"help"} - ours(page), set())


def check_help(results, ctl):
    options = ask(*ctl, "options")
    results.check("options", options[0] == 0 and options[1].startswith("The following options can be passed to any command:\n\n"),
                  options)
    results.equal("they are those at the end of each command's help", options[1].split("\n", 2)[2],
                  ask(*ctl, "member", "list", "--help")[1].split("and so on:\n\n")[1])
    for words in (("help",), ("--help",), ("-w", "json", "help")):
        results.equal(f"{words}: as without words", ask(*ctl, *words), ask(*ctl))
    for words in (("get",), ("user",), ("user", "add"), ("snapshot", "restore")):
        results.equal(f"help {words}", ask(*ctl, "help", *words), ask(*ctl, *words, "--help"))
    results.check("help nosuch", ask(*ctl, "help", "nosuch")[0] == 2)
    for short, full in ((("mem", "l", "--help"), ("member", "list", "--help")), (("us", "a", "-h"), ("user", "add", "-h")),
                        (("vers",), ("version",)), (("snapshot", "sta"), ("snapshot", "status")), (("sna",), ("snapshot",))):
        results.equal(f"{short}: cut short", ask(*ctl, *short), ask(*ctl, *full))
    results.check("words that begin several commands are none", ask(*ctl, "d")[0] == 2 and ask(*ctl, "user", "g", "x")[0] == 2)
    code, _, errors = ask(*ctl, "defrag", "--data-dir", "x", "--endpoints", "127.0.0.1:1")
    results.check("defrag --data-dir is refused", code == 128 and "need no defragmentation" in errors, errors)


def check_debug(results, ctl, server):
    endpoint = f"--endpoints={server.endpoint}"
    for words in (("--debug",), ("--debug", "--hex", "--dial-timeout=1500ms", "--insecure-transport=1")):
        first, second = (ask(*command, endpoint, *words, "get", "x") for command in (ctl, [ETCDCTL_35]))
        results.equal(f"{words}: the options", *(re.findall(r"^ETCDCTL_.*", answer[2], re.MULTILINE) for answer in (first, second)))
        results.equal(f"{words}: the answer", first[:2], second[:2])
        told = re.findall(r"^DEBUG: \S+s (.*)$", first[2], re.MULTILINE)
        results.equal(f"{words}: what is done", told, [
            f"connecting to {server.endpoint}", f"connected to {server.endpoint}",
            f"calling /etcdserverpb.KV/Range of {server.endpoint}", f"/etcdserverpb.KV/Range of {server.endpoint} ended well"])
    results.check("ETCDCTL_DEBUG", "ETCDCTL_DEBUG=true\n" in ask(*ctl, endpoint, "get", "x", ETCDCTL_DEBUG="true")[2])
    results.equal("without --debug", ask(*ctl, endpoint, "get", "x"), (0, "", ""))
    code, _, errors = ask(*ctl, "--endpoints=127.0.0.1:1", "--debug", "--command-timeout=200ms", "get", "x")
    results.check("why nobody is connected", code == 1 and "not connected to 127.0.0.1:1: cannot connect to 127.0.0.1:1: Connection refused"
                  in errors, errors)
    for user in ((f"--user=root:{SECRET}",), ("--user=root", f"--password={SECRET}"), (f"--user=:{SECRET}",)):
        code, output, errors = ask(*ctl, endpoint, "--debug", *user, "get", "x")
        results.check(f"{len(user)} flags: who, but not the password", SECRET not in output + errors and "***" in errors, errors)
    results.equal("nothing to say where no server is asked", ask(*ctl, "--debug", "version")[2], "")


def check_save(results, ctl, server, directory):
    endpoint = f"--endpoints={server.endpoint}"
    file = os.path.join(directory, "saved.db")
    results.equal("snapshot save with all options", ask(*ctl, *ALL_OPTIONS, endpoint, "-w", "json", "snapshot", "save", file),
                  (0, f"Snapshot saved at {file}\n", ""))
    for words in (("snapshot", "save"), ("snapshot", "save", "a", "b"), ("snapshot", "save", file, "-w", "bad"),
                  ("snapshot", "save", file, "--command-timeout=1ns"), ("snapshot", "save", file, "--nosuch"),
                  ("snapshot", "save", file, "--endpoints=a:1,b:2")):
        first, second = (ask(*command, endpoint, *words) for command in (ctl, [ETCDCTL_35]))
        error = re.search(r"^Error: .*", second[2], re.MULTILINE).group()
        results.equal(f"{words[2:]}: as etcdctl", first, (second[0], "", f"{error}\n"))
    code, _, errors = ask(*ctl, endpoint, "--debug", "snapshot", "save", file)
    results.check("snapshot save --debug", code == 0 and "/etcdserverpb.Maintenance/Snapshot of" in errors, errors)
    # It takes the connection, and says nothing.
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        for flags, wait, text in (
                (("--command-timeout=700ms", "--dial-timeout=10s"), 0.7, "context deadline exceeded"),
                (("--dial-timeout=900ms",), 0.9, f"cannot connect to {server.endpoint}: it does not answer")):
            began = time.monotonic()
            code, _, errors = ask(*ctl, endpoint, *flags, "snapshot", "save", os.path.join(directory, "none.db"))
            took = time.monotonic() - began
            results.check(f"snapshot save {flags} of a server that is silent", code == 5 and text in errors and wait <= took < wait + 2,
                          f"{code} {errors} {took}")
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    results.equal("nothing is left of what failed", sorted(os.listdir(directory)), ["saved.db"])


def check_files(results, ctl, directory):
    """They ask no server: of the options only those about outputs matter."""
    file = os.path.join(directory, "saved.db")
    quiet = ("--endpoints=127.0.0.1:1", "-d", "nowhere.test", "--user", "nobody")
    status = ask(*ctl, *ALL_OPTIONS, *quiet, "snapshot", "status", file)
    results.equal("snapshot status with all options", status, ask(*ctl, "snapshot", "status", file))
    results.check("ETCDCTL_WRITE_OUT", "totalKey" in json.loads(ask(*ctl, "snapshot", "status", file, ETCDCTL_WRITE_OUT="json")[1]))
    for words in (("snapshot", "status", file, "-w", "protobuf"), ("snapshot", "status", file, "-w", "bad"), ("snapshot", "status"),
                  ("snapshot", "restore"), ("snapshot", "status", file, "--nosuch")):
        first, second = (ask(*command, *words) for command in (ctl, [ETCDCTL_35]))
        results.equal(f"{words[1:]}: etcdctl's exit code", first[0], second[0])
    made = os.path.join(directory, "made")
    code, output, errors = ask(*ctl, *ALL_OPTIONS, *quiet, "snapshot", "restore", file, f"--data-dir={made}",
                               ETCDCTL_DATA_DIR=file, ETCDCTL_NAME="other")
    results.check("snapshot restore with all options", code == 0 and f"restored {made}," in output and not errors, (output, errors))
