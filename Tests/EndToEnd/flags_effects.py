"""That flags do what they are for."""

import http.client
import json
import select
import socket
import struct
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from cluster import Cluster, hashes, wait_until_cut
from harness import Server, ServerFailed, eventually, free_ports
from raw_http2 import GOAWAY, PING, SETTINGS, RawConnection, frame
from sockets_startup import refuses
from wire import Client, lock_pb, pb

ENHANCE_YOUR_CALM = 11
MAX_CONCURRENT_STREAMS = 3


def check(results, arguments):
    check_pings(results, arguments)
    check_keepalive(results, arguments)
    check_ports(results, arguments)
    check_compaction(results, arguments)
    check_warnings(results, arguments)
    check_metrics(results, arguments)
    check_quota(results, arguments)
    check_learners(results, arguments)
    check_first_election(results, arguments)
    check_catch_up(results, arguments)
    check_memory_lock(results, arguments)


def said(server, message):
    """The lines with this message."""
    lines = [json.loads(line) for line in server.log_since(0).decode().splitlines() if line.startswith("{")]
    return [line for line in lines if line["msg"] == message]


def ping_often(server, seconds, pause=0.05):
    """The GOAWAY that pings bring; None if none does. A watch is open all the while."""
    connection = RawConnection(server.client_port)
    try:
        connection.open_watch(key=b"a")
        deadline, next_ping = time.monotonic() + seconds, 0
        while time.monotonic() < deadline:
            if time.monotonic() > next_ping:
                connection.socket.sendall(frame(PING, 0, 0, b"12345678"))
                next_ping = time.monotonic() + pause
            if not connection.buffer and not select.select([connection.socket], [], [], 0.02)[0]:
                continue
            kind, _, payload = connection.read_frame()
            if kind == GOAWAY:
                return struct.unpack(">II", payload[:8])[1], payload[8:]
        return None
    finally:
        connection.close()


def check_pings(results, arguments):
    with Server(arguments.server, label="server") as server:
        results.equal("pings every 50 ms", ping_often(server, 3), (ENHANCE_YOUR_CALM, b"too_many_pings"))
    with Server(arguments.server, ["--grpc-keepalive-min-time=20ms", "--max-concurrent-streams=7"]) as server:
        results.equal("pings every 50 ms where every 20 ms are allowed", ping_often(server, 1), None)
        connection = RawConnection(server.client_port)
        settings = {}
        while not settings:
            kind, _, payload = connection.read_frame()
            if kind == SETTINGS:
                settings = dict(struct.unpack_from(">HI", payload, at) for at in range(0, len(payload), 6))
        connection.close()
        results.equal("streams allowed", settings.get(MAX_CONCURRENT_STREAMS), 7)


def check_keepalive(results, arguments):
    """A client that says nothing is asked whether it is there, and cut off when it does not answer."""
    flags = ["--grpc-keepalive-interval=1s", "--grpc-keepalive-timeout=500ms"]
    with Server(arguments.server, flags, label="server") as server:
        silent, alive = RawConnection(server.client_port), RawConnection(server.client_port)
        pool = ThreadPoolExecutor()
        answers = pool.submit(answer_pings, alive, 3)
        started = time.monotonic()
        pinged = ended = None
        buffer = b""
        while ended is None and time.monotonic() - started < 5:
            piece = silent.socket.recv(1 << 16)
            buffer += piece
            if not piece:
                ended = time.monotonic() - started
            while len(buffer) >= 9 and len(buffer) >= 9 + int.from_bytes(buffer[:3], "big"):
                if buffer[3] == PING and pinged is None:
                    pinged = time.monotonic() - started
                buffer = buffer[9 + int.from_bytes(buffer[:3], "big"):]
        results.check("a silent client gets a ping after 1 s", pinged and 0.9 < pinged < 1.4, pinged)
        results.check("and is cut off 500 ms later", ended and 1.4 < ended < 2.1, ended)
        results.equal("one that answers stays", answers.result(), 3)
        pool.shutdown()
        silent.close()
        alive.close()


def answer_pings(connection, count):
    """How many pings came and were answered before the connection ended."""
    answered = 0
    try:
        while answered < count:
            answered += connection.read_frame()[0] == PING
    except (ConnectionError, OSError):
        pass
    return answered


def answer(port, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, dict(response.getheaders()), body


def check_ports(results, arguments):
    metrics, more = free_ports(2)
    flags = [f"--listen-metrics-urls=http://127.0.0.1:{metrics}", f"--listen-client-http-urls=http://127.0.0.1:{more}",
             "--socket-reuse-port"]
    with Server(arguments.server, flags, label="server") as server:
        for path, status in (("/metrics", 200), ("/health", 200), ("/livez", 200), ("/readyz?verbose", 200),
                             ("/readyz/linearizable_read", 200), ("/version", 404), ("/v3/kv/range", 404), ("/", 404)):
            results.equal(f"metrics port: GET {path}", answer(metrics, "GET", path)[0], status)
        status, headers, body = answer(metrics, "OPTIONS", "/health")
        results.equal("metrics port: OPTIONS /health", (status, headers.get("allow"), body),
                      (405, "GET", "Method Not Allowed\n"))
        for name, port in (("metrics", metrics), ("client", server.client_port), ("peer", server.peer_port)):
            for method, page in (("GET", '<a href="/health?a=1&amp;b=2">Temporary Redirect</a>.\n\n'), ("POST", "")):
                status, headers, body = answer(port, method, "//health?a=1&b=2")
                location = {key.lower(): value for key, value in headers.items()}.get("location")
                results.equal(f"{name} port: a redirect of {method} takes the query along", (status, location, body),
                              (307, "/health?a=1&b=2", page))
        results.check("metrics port: nothing for browsers", not any("access-control" in name for name in headers), headers)
        results.check("metrics port: metrics", "etcd_server_has_leader 1" in answer(metrics, "GET", "/metrics")[2])
        with Client(f"127.0.0.1:{metrics}") as client:
            results.equal("metrics port: no gRPC", client.call("KV/Put", pb.PutRequest(key=b"a")).code, "UNIMPLEMENTED")
        with Client(f"127.0.0.1:{more}") as client:
            results.check("the other client port: gRPC", client.call("KV/Put", pb.PutRequest(key=b"a")).ok)
        results.equal("the other client port: /version", answer(more, "GET", "/version")[0], 200)
        second = Server(arguments.server, [f"--listen-client-urls=http://{server.endpoint}", "--socket-reuse-port"])
        second.start()
        results.check("two servers share a port that both want to share", second.process.poll() is None)
        second.remove()


def check_compaction(results, arguments):
    flags = ["--compaction-batch-limit=10", "--compaction-sleep-interval=20ms", "--snapshot-count=50",
             "--feature-gates=CompactHashCheck=true", "--compact-hash-check-time=300ms"]
    with Server(arguments.server, flags, label="server") as server, Client(server.endpoint) as client:
        for number in range(200):
            client.put(b"a", b"%d" % number)
        client.must("KV/Compact", pb.CompactionRequest(revision=client.revision(), physical=True))
        if results.check("compaction is told", eventually(lambda: said(server, "finished scheduled compaction"))):
            line = said(server, "finished scheduled compaction")[-1]
            results.equal("its revision", line["compact-revision"], client.revision())
            # 200 events, ten at a time, with 20 ms in between.
            results.check("in batches with pauses", float(line["took"].removesuffix("ms")) > 300, line)
        results.check("saved snapshot", eventually(lambda: said(server, "saved snapshot"), 10))
        results.check("and its index", said(server, "saved snapshot")[0]["snapshot-index"] >= 50)
        results.check("finished compaction hash check", eventually(
            lambda: len(said(server, "finished compaction hash check")) >= 2))
    with Server(arguments.server, ["--auto-compaction-retention=1s"], label="server") as server, \
            Client(server.endpoint) as client:
        client.put(b"a", b"1")
        old = client.revision()
        client.put(b"a", b"2")
        client.put(b"a", b"3")
        newest = client.revision()
        compacted = lambda: [line for line in said(server, "completed auto periodic compaction")
                             if line["revision"] == newest]
        results.check("old revisions go by themselves", eventually(compacted, 10), said(server, "completed auto periodic"))
        answer = client.call("KV/Range", pb.RangeRequest(key=b"a", revision=old))
        results.check("and cannot be read any more", "has been compacted" in str(answer), answer)
        results.equal("the newest stays", client.get(b"a", revision=newest).kvs[0].value, b"3")
        results.check("what begins is told too", said(server, "starting auto periodic compaction"))


def check_warnings(results, arguments):
    flags = ["--warning-apply-duration=0s", "--warning-unary-request-duration=200ms"]
    with Server(arguments.server, flags, label="server") as server, Client(server.endpoint) as client:
        client.put(b"a", b"1")
        line = eventually(lambda: said(server, "apply request took too long")) and \
            said(server, "apply request took too long")[0]
        results.check("slow applying is told", line and line["took"].endswith("ms")
                      and line["expected-duration"] == "0.000ms", line)
        lease = client.must("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=60)).ID
        client.must("Lock/Lock", lock_pb.LockRequest(name=b"l", lease=lease))
        other = client.must("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=60)).ID
        client.call("Lock/Lock", lock_pb.LockRequest(name=b"l", lease=other), timeout=0.5)
        told = eventually(lambda: said(server, "request stats")) and said(server, "request stats")
        results.check("a slow request is told, and no other", told and len(told) == 1
                      and told[0]["method"] == "v3lockpb.Lock/Lock"
                      and 200 < float(told[0]["time-spent"].removesuffix("ms")) < 3000, told)


def handling_times(server):
    """{series: value} of gRPC's own times, but for sums."""
    page = answer(server.client_port, "GET", "/metrics")[2]
    lines = [line.rsplit(" ", 1) for line in page.splitlines() if line.startswith("grpc_server_handling_seconds")]
    return {series: float(value) for series, value in lines if "_sum{" not in series}


def check_metrics(results, arguments):
    """What calls took, by method: with --metrics=extensive alone, with etcd's series and buckets."""
    found = []
    for binary in (arguments.server, arguments.peer):
        with Server(binary, ["--metrics=extensive"], label="server") as server, Client(server.endpoint) as client:
            for number in range(3):
                client.put(b"a", b"%d" % number)
            with client.watch(dict(key=b"a")) as watch:
                watch.next(10)
            ended = 'grpc_server_handling_seconds_count{grpc_method="Watch",grpc_service="etcdserverpb.Watch"'
            eventually(lambda: any(value for series, value in handling_times(server).items() if series.startswith(ended)))
            found.append(handling_times(server))
    ours, theirs = found
    missing = [series for series in theirs if series not in ours]
    results.equal("--metrics=extensive: etcd's series that are not here", missing, [])
    for series in theirs:
        # Where every call is done in time: in the last bucket.
        if 'le="+Inf"' in series or "_count{" in series:
            results.equal(f"--metrics=extensive: {series}", ours.get(series), theirs[series])
    for value, warns in (("basic", False), ("many", True)):
        with Server(arguments.server, [f"--metrics={value}"], label="server") as server:
            results.equal(f"--metrics={value}: no times by method", handling_times(server), {})
            told = "is neither basic nor extensive" in server.log_since(0).decode()
            results.equal(f"--metrics={value}: a warning", told, warns)


def check_quota(results, arguments):
    """--quota-backend-bytes: full, nothing more is taken but what makes room, until the alarm is let go."""
    for binary in (arguments.server, arguments.peer):
        name = "server" if binary == arguments.server else "peer"
        with Server(binary, [f"--quota-backend-bytes={16 << 20}"], label=name) as server, \
                Client(server.endpoint) as client:
            answers = []
            for number in range(40):
                answers.append(client.call("KV/Put", pb.PutRequest(key=b"k", value=bytes([number]) * (1 << 20))))
                if not answers[-1].ok:
                    break
            results.equal(f"{name}: a store above its quota", (answers[-1].code, answers[-1].text),
                          ("RESOURCE_EXHAUSTED", "etcdserver: mvcc: database space exceeded"))
            if name == "server":
                results.check("which is about where it was set", 8 <= len(answers) <= 20, len(answers))
            results.equal(f"{name}: a delete is taken", client.call("KV/DeleteRange", pb.DeleteRangeRequest(key=b"k")).code, "OK")
            small = client.call("KV/Put", pb.PutRequest(key=b"small"))
            results.equal(f"{name}: a small put is not", small.code, "RESOURCE_EXHAUSTED")
            alarms = client.must("Maintenance/Alarm", pb.AlarmRequest()).alarms
            results.equal(f"{name}: the alarm", [alarm.alarm for alarm in alarms], [pb.NOSPACE])
            client.must("KV/Compact", pb.CompactionRequest(revision=client.revision(), physical=True))
            client.must("Maintenance/Defragment", pb.DefragmentRequest(), timeout=60)
            disarm = pb.AlarmRequest(action=pb.AlarmRequest.DEACTIVATE, memberID=alarms[0].memberID, alarm=pb.NOSPACE)

            def takes_again():
                client.must("Maintenance/Alarm", disarm)
                return client.call("KV/Put", pb.PutRequest(key=b"k", value=b"v" * (1 << 20))).ok

            # The server counts pages at its checkpoints: a put before the next one may raise the alarm once more.
            results.check(f"{name}: there is room again", eventually(takes_again))


def check_learners(results, arguments):
    for binary in (arguments.server, arguments.peer):
        name = "server" if binary == arguments.server else "peer"
        flags = ["--max-learners=2"] if name == "server" else ["--experimental-max-learners=2"]
        try:
            with Server(binary, flags, label=name) as server, Client(server.endpoint) as client:
                codes = []
                for number in range(3):
                    request = pb.MemberAddRequest(peerURLs=[f"http://127.0.0.1:{number + 1}"], isLearner=True)
                    added = client.call("Cluster/MemberAdd", request)
                    codes.append((added.code, added.text))
                results.equal(f"{name}: --max-learners=2", codes, [("OK", "")] * 2 + [
                    ("FAILED_PRECONDITION", "etcdserver: too many learner members in cluster")])
        except ServerFailed:
            if name == "server":
                raise
            print("the peer has no such flag")


def check_first_election(results, arguments):
    # Timeouts are drawn from one to two of what the flag says; the first of three members to reach its own decides.
    times = [first_election(arguments, "true") for _ in range(2)]
    slow = first_election(arguments, "false")
    results.check("a first election does not wait for the timeout, unless it is told to", min(times) < 1.9 < slow,
                  (times, slow))


def first_election(arguments, advance):
    cluster = Cluster(arguments.server, 3, ["--election-timeout=2000", f"--initial-election-tick-advance={advance}"])
    started = time.monotonic()
    try:
        cluster.start()
        return time.monotonic() - started
    finally:
        for member in cluster.members:
            member.remove()


def check_catch_up(results, arguments):
    """With few entries kept, a member that was away needs a snapshot, and both sides say so."""
    cluster = Cluster(arguments.server, 3, ["--snapshot-catchup-entries=20"])
    cluster.start()
    try:
        away, other = cluster.followers()
        last = cluster.status(away).raftIndex
        away.kill()
        for number in range(200):
            cluster.client(other).put(b"a", b"%d" % number)
        wait_until_cut(cluster, last)
        away.start()
        results.check("it catches up", eventually(lambda: len(hashes(cluster)) == 1), hashes(cluster))
        results.check("by a snapshot", eventually(lambda: said(away, "applied snapshot")))
        results.check("which one of the others has sent", eventually(lambda: any(
            said(member, "sent database snapshot") for member in cluster.members if member is not away)))
    finally:
        for member in cluster.members:
            member.remove()


def check_memory_lock(results, arguments):
    probe = Server(arguments.server, ["--memory-mlock"], label="server")
    refuses(results, "--memory-mlock with a limit", ["bash", "-c", 'ulimit -l 64; exec "$@"', "bash"] + probe.command(), 1,
            r"--memory-mlock: the system allows it to lock 65536 bytes \(ulimit -l\); it needs unlimited")
    unlimited = ["bash", "-c", 'ulimit -l unlimited && exec "$@"', "bash"]
    if subprocess.run(unlimited + ["true"], capture_output=True).returncode != 0:
        print("ulimit -l cannot be raised here: --memory-mlock is only seen to be refused")
        return probe.remove()
    command = probe.command()
    probe.command = lambda: unlimited + command
    with probe as server:
        with open(f"/proc/{server.process.pid}/status") as status:
            locked = next(int(line.split()[1]) for line in status if line.startswith("VmLck"))
        results.check("--memory-mlock locks memory", locked > 0, locked)
