"""Replays the recorded answers of etcd 3.7.1 against the server and counts how many are equal."""

import json
import os

import golden_auth
import golden_errors
import golden_gateway
import golden_grpc
import golden_http
import golden_metrics
import golden_watch
from harness import ROOT, Server, free_ports, indent, parse_arguments, run
from known_differences import golden_reason, parse_version
from wire import Client, pb

FIXTURES = os.path.join(ROOT, "Tests", "Fixtures", "golden")
REPLAYERS = {
    "grpc_errors.json": golden_errors.replay,
    "auth.json": golden_auth.replay,
    "range_stream.json": golden_grpc.replay_range_streams,
    "watch_streams.json": golden_watch.replay,
    "gateway.json": golden_gateway.replay,
    "http_endpoints.json": golden_http.replay,
    "metrics.json": golden_metrics.replay,
}
REQUIRED = 0.98


def replay_file(results, arguments, name):
    with open(os.path.join(FIXTURES, name)) as file:
        fixture = json.load(file)
    metrics_port = free_ports(1)[0]
    flags = [flag.replace("<metrics port>", str(metrics_port)) for flag in fixture["flags"]]
    with Server(arguments.server, flags_for(arguments.server, flags)) as server:
        server.metrics_port = metrics_port
        outcomes = REPLAYERS[name](fixture, server)
    report(results, name, fixture["recorded"], outcomes)


def flags_for(binary, flags):
    """etcd called some flags experimental before 3.6; that is only of interest when etcd itself is replayed."""
    if os.path.basename(binary) != "etcd":
        return flags
    with Server(binary) as server, Client(server.endpoint) as client:
        version = parse_version(client.must("Maintenance/Status", pb.StatusRequest()).version)
    prefix = "--experimental-watch-progress" if version < (3, 6) else "--watch-progress"
    return [flag.replace("--watch-progress", prefix) for flag in flags]


def report(results, name, recorded, outcomes):
    """`outcomes` are (case, difference) pairs; an empty difference means equal."""
    known = [case for case, difference in outcomes if difference and golden_reason(f"{name}: {case}")]
    differing = [(case, difference) for case, difference in outcomes if difference and case not in known]
    total = len(outcomes) - len(known)
    for case in known:
        print(f"KNOWN {name}: {case}: {golden_reason(f'{name}: {case}')}")
    for case, difference in differing:
        print(f"DIFFERS {name}: {case}\n{indent(difference)}")
    equal = total - len(differing)
    share = equal / total if total else 0
    print(f"{name}: {equal} of {total} equal to {recorded} ({100 * share:.1f} %), {len(known)} known differences",
          flush=True)
    results.passed += equal
    results.check(f"{name}: at least {100 * REQUIRED:.0f} % equal", share >= REQUIRED, f"{equal} of {total}")


def main():
    arguments = parse_arguments(__doc__, budget=90, only=("", "replay only the files whose name has this"))

    def body(results):
        for name in REPLAYERS:
            if arguments.only in name:
                replay_file(results, arguments, name)

    run(arguments, body)


if __name__ == "__main__":
    main()
