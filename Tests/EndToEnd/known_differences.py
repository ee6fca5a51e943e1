"""Where the server differs from the etcd it is compared with, and why. Newer wins: the peers are etcd 3.5.1 and 3.4.23, the
contract is 3.7. A difference that is not listed here is a failure. A listed one is required where the server calls itself
`since` or newer and its peer is older; two on the same side of it must be equal."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Callable


@dataclass
class Known:
    """`accepts` gets the server's answer as the failure message would print it."""
    reason: str
    since: tuple
    accepts: Callable


def holds(table, name, versions, server, equal):
    """Whether the server's answer is right, given that it does or does not equal the peer's; `versions` are theirs."""
    version, peer_version = versions
    for pattern, known in table.items():
        if fnmatchcase(name, pattern) and peer_version < known.since <= version:
            return known.accepts(str(server))
    return equal


# A transaction checks its operations before it changes anything: in their order since 3.6, all puts first before.
# So of a transaction with two mistakes the one tells this, the other that.
CHECKS = ("etcdserver: key not found", "etcdserver: requested lease not found",
          "etcdserver: mvcc: required revision has been compacted",
          "etcdserver: mvcc: required revision is a future revision")


def either_check_failed(server, peer):
    return server in CHECKS and peer in CHECKS


def parse_version(text):
    return tuple(int(part) for part in text.split("-")[0].split("."))


COMPACTED = "etcdserver: mvcc: required revision has been compacted"

GRPC = {
    "created_answers: create from a negative revision twice": Known(
        "a negative start revision is refused as compacted since 3.6", (3, 6),
        lambda answer: answer.count("created+canceled") == 2 and COMPACTED in answer),
    "created_answers: create from a negative revision, then a put": Known(
        "as above: there is no watcher", (3, 6), lambda answer: answer == "({}, {})"),
    "maintenance: hash of the compact revision": Known(
        "the compact revision can still be hashed since 3.6", (3, 6), lambda answer: answer.startswith("('OK'")),
    "progress: progress without a watcher": Known(
        "a stream without watchers has no progress to tell since 3.6", (3, 6), lambda answer: answer == "({}, {})"),
    "alarms: alarm *": Known(
        "AlarmResponse has a header since 3.5", (3, 5), lambda answer: "AlarmResponse{header {" in answer),
    "leases_and_members: Maintenance/Alarm AlarmRequest{} as *": Known(
        "as above", (3, 5), lambda answer: "AlarmResponse{header {" in answer),
    "lock_ends: the lease of who waited has expired": Known(
        "whose lease ends while it waits for a lock is refused since 3.5; 3.4 says that it has the lock", (3, 5),
        lambda answer: answer == "('UNKNOWN', 'mutex: session is expired', 'nothing')"),
    "management: Auth/AuthStatus *": Known(
        "AuthStatus came with 3.5", (3, 5), lambda answer: answer.startswith("('OK', '', 'AuthStatusResponse{header {")),
    "compacted_start: watch from a delete that is the compact revision": Known(
        "a tombstone at the compact revision is kept since 3.6; 3.5.1 lost it", (3, 6),
        lambda answer: "type: DELETE" in answer and "mod_revision: 14" in answer),
}

CLI = {
    "maintenance: alarm list -w json": Known(
        "AlarmResponse has a header since 3.5", (3, 5), lambda answer: '"revision":29' in answer),
}

# "file: case" as a pattern to the reason; such a case counts neither as equal nor as different.
NOT_COUNTED = "malloc does not count this, and counting it would cost each allocation"
GOLDEN = {
    "gateway.json: maintenance downgrade ENABLE '3.6.0'":
        "no earlier version can read the files of this server, so nothing is enabled",
    "http_endpoints.json: * /debug/vars": "only served with --enable-pprof, since it shows the command line to everybody",
    "metrics.json: go_memstats_alloc_bytes_total": NOT_COUNTED,
    "metrics.json: go_memstats_frees_total": NOT_COUNTED,
    "metrics.json: go_memstats_heap_objects": NOT_COUNTED,
    "metrics.json: go_memstats_mallocs_total": NOT_COUNTED,
}


def golden_reason(name):
    """Why the case may differ; None if it may not."""
    return next((reason for pattern, reason in GOLDEN.items() if fnmatchcase(name, pattern)), None)
