"""Replays what etcd 3.7.1 says to flags that it does not take, and compares names and defaults of the flags that it
takes."""

import json
import os
import re
import signal
import subprocess
import tempfile

from harness import ROOT, command_for, free_ports

FIXTURES = os.path.join(ROOT, "Tests", "Fixtures", "golden")
REQUIRED = 0.98
# How long a server that takes its flags is left to run.
PATIENCE = 2.5

# Cases that are not equal, and why.
DIFFERENT = {
    "log-level bad": "a Go panic in etcd; here a bad value like any other",
    "data-dir not writable": "the same in Strake's own words, which say what cannot be done",
}
DEFAULTS = {
    "data-dir": "called as etcd it is etcd's",
    "max-concurrent-streams": "the same number, written out",
    "watch-progress-notify-interval": "the same time, as Go prints it",
    "compaction-batch-limit": "slices of that size were measured; etcd's figure is for its own index",
    "compaction-sleep-interval": "no reader or writer waits for a slice, so there is nothing to pause for",
}
# In etcd's help, but its parser does not know it.
NOT_DEFINED = {"discovery"}


def known_flags(binary):
    """Names and defaults, as the help page lists them."""
    page = subprocess.run(command_for(binary) + ["--help"], capture_output=True, text=True, check=True).stdout
    return dict(re.findall(r"^  --([a-z0-9-]+) '(.*)'$", page, re.MULTILINE))


def check(results, arguments):
    known = known_flags(arguments.server)
    check_defaults(results, known)
    check_refusals(results, arguments)


def fixture_of(name):
    with open(os.path.join(FIXTURES, name)) as file:
        return json.load(file)


def check_refusals(results, arguments):
    fixture = fixture_of("bad_flags.json")
    equal = total = 0
    for case in fixture["cases"]:
        problem = difference(case, arguments.server)
        reason = DIFFERENT.get(case["name"])
        if reason:
            print(f"KNOWN {case['name']}: {reason}")
            results.check(f"{case['name']} is refused", problem and not problem.startswith("runs"), problem)
            continue
        total += 1
        equal += not problem
        if problem:
            print(f"DIFFERS {case['name']}: {problem}")
    print(f"bad_flags.json: {equal} of {total} equal to {fixture['recorded']}", flush=True)
    results.passed += equal
    results.check(f"at least {100 * REQUIRED:.0f} % equal", total and equal / total >= REQUIRED, f"{equal} of {total}")


def check_defaults(results, known):
    cases = fixture_of("flags.json")["cases"]
    missing = [case["name"] for case in cases if case["name"] not in known and case["name"] not in NOT_DEFINED]
    results.equal(f"of {len(cases)} flags those that are not taken", missing, [])
    for case in cases:
        name, default = case["name"], case["default"]
        if default is None or name not in known or name in DEFAULTS:
            continue
        results.equal(f"default of --{name}", known[name], default)


def difference(case, binary):
    """Why the server does not answer as etcd did; empty if it does."""
    code, output = run_case(case, binary)
    if case.get("runs"):
        return "" if code is None else f"exit code {code}: {output[-300:]}"
    if code is None:
        return "runs"
    if code != case["exit_code"]:
        return f"exit code {code}, not {case['exit_code']}: {output[-300:]}"
    if "message" not in case:
        return "" if case["text"] in output.splitlines() else f"no line {case['text']!r}: {output[-300:]}"
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    for line in lines:
        # etcd's words, and more behind them where they do not say which flag is meant.
        if line["level"] == case["level"] and line.get("error", "").startswith(case.get("text", "")):
            if case["message"] == line["msg"] or case["message"] == "discovery failed":
                return ""
    return f"no line {case!r}: {output[-600:]}"


def run_case(case, binary):
    """(exit code or None if it keeps running, output)"""
    client, peer = free_ports(2)
    environment = dict({name: value for name, value in os.environ.items() if not name.startswith("ETCD_")},
                       **case.get("env", {}))
    # Ports of its own, where the case says nothing of ports, and where more flags change nothing.
    spare = []
    if case.get("runs"):
        for name, port in (("listen-client-urls", client), ("listen-peer-urls", peer)):
            if not any(word.startswith(f"--{name}") for word in case["args"]):
                spare.append(f"--{name}=http://127.0.0.1:{port}")
    with tempfile.TemporaryDirectory(prefix="strake-e2e-") as directory:
        process = subprocess.Popen(command_for(binary) + spare + case["args"], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, cwd=directory, env=environment)
        try:
            output, _ = process.communicate(timeout=0.7 if case.get("runs") else PATIENCE * 4)
            return process.returncode, output.decode(errors="replace")
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            output, _ = process.communicate()
            return None, output.decode(errors="replace")
