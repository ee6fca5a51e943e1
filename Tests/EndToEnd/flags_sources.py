"""Flags, environment and configuration file: which wins, and what is said of those that mean nothing."""

import json
import os
import re
import subprocess

from harness import Server, command_for
from sockets_startup import refuses
from wire import Client, pb

CONFIGURATION = """\
# What a distribution installs.
name: 'm1'
data-dir: {directory}/data
listen-client-urls: http://127.0.0.1:{client}
advertise-client-urls: http://127.0.0.1:{client}
listen-peer-urls: [http://127.0.0.1:{peer}]
initial-advertise-peer-urls: "http://127.0.0.1:{peer}"
initial-cluster: m1=http://127.0.0.1:{peer}
initial-cluster-token: 'etcd-cluster'   # the default
snapshot-count: 500
wal-dir:
max-txn-ops: 3
auto-compaction-mode: periodic
auto-compaction-retention: "1"
watch-progress-notify-interval: 5000000000
client-transport-security:
  # Path to the client server TLS cert file.
  cert-file:
  client-cert-auth: false
peer-transport-security:
  trusted-ca-file:
log-outputs: [stderr]
max-wals: 3
proxy: 'off'
"""

IDLE = ["--wal-dir=/x", "--max-snapshots=3", "--max-wals=3", "--backend-bbolt-freelist-type=array",
        "--backend-batch-interval=50ms", "--backend-batch-limit=5", "--raft-read-timeout=1s", "--raft-write-timeout=1s",
        "--discovery-proxy=http://hush", "--discovery-fallback=proxy",
        "--v2-deprecation=gone", "--enable-distributed-tracing",
        "--distributed-tracing-sampling-rate=10", "--bootstrap-defrag-threshold-megabytes=5",
        "--downgrade-check-time=1s", "--unsafe-no-fsync"]


def lines(server):
    return [json.loads(line) for line in server.log_since(0).decode().splitlines() if line.startswith("{")]


def check(results, arguments):
    check_environment(results, arguments)
    check_configuration(results, arguments)
    check_bad_configuration(results, arguments)
    check_idle(results, arguments)


class Environment(Server):
    """Started with nothing but its environment."""

    def __init__(self, binary, environment):
        super().__init__(binary, label="server")
        self.environment = environment

    def command(self):
        client, peer = f"http://{self.endpoint}", f"http://127.0.0.1:{self.peer_port}"
        settings = dict(
            ETCD_NAME="m1", ETCD_DATA_DIR=self.data_directory, ETCD_LISTEN_CLIENT_URLS=client,
            ETCD_ADVERTISE_CLIENT_URLS=client, ETCD_LISTEN_PEER_URLS=peer, ETCD_INITIAL_ADVERTISE_PEER_URLS=peer,
            ETCD_INITIAL_CLUSTER=f"m1={peer}", **self.environment)
        return ["env"] + [f"{name}={value}" for name, value in settings.items()] + command_for(self.binary)


def check_environment(results, arguments):
    with Environment(arguments.server, {"ETCD_MAX_TXN_OPS": "2", "ETCD_NOSUCH": "hush", "ETCD_WAL_DIR": ""}) as server:
        results.check("max-txn-ops from the environment", refuses_operations(server, 3))
        said = lines(server)
        used = {line.get("variable-name") for line in said if line["msg"] == "recognized and used environment variable"}
        results.check("variables that were used are told", {"ETCD_NAME", "ETCD_MAX_TXN_OPS"} <= used, used)
        results.check("one without a value is none", "ETCD_WAL_DIR" not in used, used)
        unknown = [line for line in said if line["msg"] == "unrecognized environment variable"]
        results.equal("one that is not known is told, without its value",
                      [line["environment-variable"] for line in unknown], ["ETCD_NOSUCH"])
        results.check("and its value is nowhere", "hush" not in server.log_since(0).decode())


def refuses_operations(server, count):
    request = pb.TxnRequest(success=[
        pb.RequestOp(request_put=pb.PutRequest(key=b"k%d" % number)) for number in range(count)])
    with Client(server.endpoint) as client:
        return "too many operations" in str(client.call("KV/Txn", request))


class Configured(Server):
    def __init__(self, binary, text=CONFIGURATION, flags=()):
        super().__init__(binary, flags, label="server")
        self.path = os.path.join(self.directory, "configuration.yaml")
        with open(self.path, "w") as file:
            file.write(text.format(directory=self.directory, client=self.client_port, peer=self.peer_port))

    def command(self):
        return command_for(self.binary) + ["--config-file", self.path] + self.flags


def check_configuration(results, arguments):
    ignored = ["--max-txn-ops=128", "--listen-client-urls=http://127.0.0.1:1"]
    with Configured(arguments.server, flags=ignored) as server:
        results.check("max-txn-ops from the file, not from the flag", refuses_operations(server, 4))
        said = lines(server)
        results.check("that other sources count for nothing is told", any(
            line["msg"].startswith("loaded server configuration, other configuration command line flags and environment "
                                   "variables will be ignored if provided") for line in said), said)
        unknown = [(line["key"], line["line"]) for line in said if line["msg"].startswith("unknown key")]
        results.check("an unknown key is told with its line", ("proxy", "24") in unknown, unknown)
        warned = [line["msg"] for line in said if line["level"] == "warn" and line["msg"].startswith("--")]
        results.check("an idle key is warned of", any(text.startswith("--max-wals changes nothing") for text in warned),
                      warned)


def check_bad_configuration(results, arguments):
    for text, pattern in (
            ("name: m1\nsnapshot-count: many\n", r"line 2: snapshot-count: invalid value .*many.*whole number"),
            ("name: [m1\n", r"line 1: name: the list has no \]"),
            ("name: m1\n\tdata-dir: x\n", r"line 2: indentation is of blanks"),
            ("name: m1\nname: m2\n", r"line 2: name: is there twice"),
            ("log-outputs: {{a: b}}\n", r"line 1: log-outputs: a map in braces"),
            ("logger: log4j\n", r"unknown logger option .*log4j")):
        server = Configured(arguments.server, text)
        refuses(results, f"configuration {text!r}", server.command(), 1, "failed to verify flags.*" + pattern)
        server.remove()
    other = Configured(arguments.server, "snapshot-count: many\n")
    refuses(results, "a configuration file named by the environment", command_for(arguments.server), 1,
            "line 1: snapshot-count", environment={"ETCD_CONFIG_FILE": other.path})
    refuses(results, "a bad flag beside a file", other.command() + ["--snapshot-count=many"], 2, "-snapshot-count: parse")
    other.remove()


def check_idle(results, arguments):
    with Server(arguments.server, IDLE, label="server") as server:
        said = [line["msg"] for line in lines(server) if line["level"] == "warn"]
        for flag in IDLE:
            name = flag.split("=")[0]
            about = [text for text in said if re.match(rf"{name} changes nothing: .{{10}}", text)]
            results.check(f"{name} is taken with one warning that says why", len(about) == 1, said)
        results.check("and a secret is not shown", "hush" not in server.log_since(0).decode())
    gates = "--feature-gates=InitialCorruptCheck=true,CompactHashCheck=false"
    with Server(arguments.server, [gates, "--max-request-bytes=104857600"], label="server") as server:
        said = [line["msg"] for line in lines(server) if line["level"] == "warn"]
        results.check("gates that change nothing are named", any("InitialCorruptCheck" in text for text in said), said)
        results.check("a bound that is lowered is told", any(
            text.startswith("--max-request-bytes: taken as 66060288") for text in said), said)
    for name, later in (("initial-corrupt-check=true", "--feature-gates=InitialCorruptCheck=true"),
                        ("watch-progress-notify-interval=5s", "--watch-progress-notify-interval")):
        refuses(results, f"--experimental-{name}", command_for(arguments.server) + [f"--experimental-{name}"], 2,
                re.escape(f"since etcd 3.6 it is {later}"))
    page = subprocess.run(command_for(arguments.server) + ["--help"], capture_output=True, text=True).stdout
    without_effect = page.partition("\nTaken without effect, with a warning that says why:\n")[2]
    missing = [flag for flag in IDLE if f"  {flag.split('=')[0]} '" not in without_effect]
    results.check("the help page says which flags change nothing", not missing, missing)
