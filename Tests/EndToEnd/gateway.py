"""The JSON gateway as its clients use it: curl, etcd3gw, browsers' headers, one that does not read, random calls and damaged ones."""

import base64
import collections
import concurrent.futures
import http.client
import json
import os
import random
import socket
import subprocess
import time

import gateway_random
from harness import PEERS, Server, eventually, parse_arguments, run
from wire import Client, pb

PYTHON = os.path.join(PEERS, "python-etcd3gw", "bin", "python")
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gateway_client.py")
WATCHERS = "etcd_debugging_mvcc_watcher_total"
MEBIBYTE = 1 << 20


def b64(value):
    return base64.b64encode(value).decode()


def curl(server, path, body, *options):
    command = ["curl", "-sS", "--max-time", "20", *options, "-d", body, f"http://{server.endpoint}{path}"]
    return subprocess.run(command, capture_output=True, text=True)


def check_curl_streams(results, server, option):
    """A watch and a keep-alive; the watcher goes with its client."""
    name = f"curl {option}"
    before = server.metric(WATCHERS)
    body = json.dumps({"create_request": {"key": b64(b"w/"), "range_end": b64(b"w0"), "prev_kv": True}})
    command = ["curl", "-sSN", "--max-time", "20", option, "-d", body, f"http://{server.endpoint}/v3/watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watch, Client(server.endpoint) as client:
        created = json.loads(watch.stdout.readline())
        results.check(f"{name}: a watch is created", created["result"].get("created") is True, created)
        client.put(b"w/1", b"a")
        client.put(b"w/1", b"b")
        client.must("KV/DeleteRange", pb.DeleteRangeRequest(key=b"w/1"))
        events = []
        while len(events) < 3:
            events += json.loads(watch.stdout.readline())["result"]["events"]
        seen = [(event.get("type"), event["kv"].get("value"), event.get("prev_kv", {}).get("value")) for event in events]
        results.equal(f"{name}: events", seen, [(None, b64(b"a"), None), (None, b64(b"b"), b64(b"a")),
                                                ("DELETE", None, b64(b"b"))])
        results.equal(f"{name}: one watcher more", server.metric(WATCHERS), before + 1)
        watch.kill()
    gone = eventually(lambda: server.metric(WATCHERS) == before)
    results.check(f"{name}: the watcher goes with its client", gone, server.metric(WATCHERS))
    lease = json.loads(curl(server, "/v3/lease/grant", '{"TTL":100}', option).stdout)["ID"]
    alive = curl(server, "/v3/lease/keepalive", json.dumps({"ID": lease}) * 3, option)
    times = [json.loads(line)["result"].get("TTL") for line in alive.stdout.splitlines()]
    results.equal(f"{name}: keep-alives", times, ["100"] * 3)


def check_large_requests(results, server):
    for option in ("--http1.1", "--http2-prior-knowledge"):
        for size, status in ((MEBIBYTE, 200), (1_600_000, 400), (2_200_000, 429), (12 * MEBIBYTE, 400)):
            path = os.path.join(server.directory, "body")
            with open(path, "w") as file:
                json.dump({"key": b64(b"large"), "value": b64(b"x" * size)}, file)
            done = curl(server, "/v3/kv/put", "@" + path, option, "-w", "\n%{http_code}")
            results.check(f"curl {option}: a value of {size} bytes", done.stdout.endswith(f"\n{status}"), done)
        for _ in range(5):
            done = curl(server, "/v3/kv/range", json.dumps({"key": b64(b"large")}), option)
            value = json.loads(done.stdout)["kvs"][0]["value"]
            results.check(f"curl {option}: the value comes back", base64.b64decode(value) == b"x" * MEBIBYTE, len(value))


def anonymous_bytes(server):
    """Memory that no file backs."""
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("RssAnon"))


def check_client_that_does_not_read(results, server):
    """A watch whose client takes nothing holds no events in memory, and gets them all when it reads at last."""
    count = 100

    def put_all():
        for number in range(count):
            client.put(b"slow/%d" % (number % 3), bytes([65 + number % 26]) * (MEBIBYTE // 2))
        server.wait_until_drained()
        return anonymous_bytes(server)

    body = json.dumps({"create_request": {"key": b64(b"slow/"), "range_end": b64(b"slow0")}})
    with socket.create_connection(("127.0.0.1", server.client_port), timeout=20) as slow, Client(server.endpoint) as client:
        before = put_all()  # memory that the store keeps in any case
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        slow.sendall(f"POST /v3/watch HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        answer = http.client.HTTPResponse(slow)
        answer.begin()
        results.check("a slow watch is created", b"created" in answer.readline())
        grown = (put_all() - before) / MEBIBYTE
        results.check(f"{count / 2:.0f} MiB of events wait for it in little memory", grown < count / 4, f"{grown:.1f} MiB more")
        print(f"{count / 2:.0f} MiB of events wait for a client that does not read: {grown:.1f} MiB more memory")
        events = []
        while len(events) < count:
            events += json.loads(answer.readline())["result"]["events"]
        firsts = [base64.b64decode(event["kv"]["value"])[:1] for event in events]
        results.equal("it gets all events in order", firsts, [bytes([65 + number % 26]) for number in range(count)])
        answer.close()


def check_deadlines(results, server):
    """A deadline ends a call, a stream too, and what the call had begun is taken back."""
    connection = http.client.HTTPConnection("127.0.0.1", server.client_port, timeout=10)

    def ask(path, body, **headers):
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, [json.loads(line) for line in answer.read().splitlines()]

    leases = [ask("/v3/lease/grant", {"TTL": 100})[1][0]["ID"] for _ in range(2)]
    lock = {"name": b64(b"deadline")}
    results.equal("a lock", ask("/v3/lock/lock", dict(lock, lease=leases[0]))[0], 200)
    late = {"code": 4, "message": "context deadline exceeded"}
    held = curl(server, "/v3/lock/lock", json.dumps({"name": b64(b"curl")}), "--http1.1")
    results.check("curl: a lock", '"key"' in held.stdout, held)
    for option in ("--http1.1", "--http2-prior-knowledge"):
        done = curl(server, "/v3/lock/lock", json.dumps({"name": b64(b"curl")}), option, "-H", "Grpc-Timeout: 200m")
        results.equal(f"curl {option}: a lock that comes too late", done.stdout and json.loads(done.stdout), late)
    soon = {"Grpc-Timeout": "200m"}
    results.equal("a lock that is held", ask("/v3/lock/lock", dict(lock, lease=leases[1]), **soon), (504, [late]))
    keys = {"key": b64(b"deadline/"), "range_end": b64(b"deadline0"), "count_only": True}
    gone = eventually(lambda: ask("/v3/kv/range", keys)[1][0].get("count") == "1")
    results.check("who waits no longer leaves no key", gone, ask("/v3/kv/range", keys))
    for long in ("99999999H", "1H"):
        results.equal(f"a deadline of {long}", ask("/v3/kv/range", keys, **{"Grpc-Timeout": long})[0], 200)
    for wrong in ("1", "S", "-1S", "1x", "123456789n"):
        refused = [{"code": 3, "message": f"invalid grpc-timeout: {wrong}"}]
        results.equal(f"a deadline of {wrong}", ask("/v3/kv/range", keys, **{"Grpc-Timeout": wrong}), (400, refused))
    status, lines = ask("/v3/watch", {"create_request": {"key": b64(b"x")}}, **soon)
    results.check("a watch", status == 200 and lines[0]["result"]["created"] and lines[1:] == [{"error": late}], lines)
    connection.close()


def check_close_deadlines(results, server, rng):
    """Deadlines that pass just as the answer comes: it is one or the other, and the connection goes on."""
    count = 1000
    statuses = []

    def ask(times):
        connection = http.client.HTTPConnection("127.0.0.1", server.client_port, timeout=20)
        for microseconds in times:
            body = json.dumps({"key": b64(b"close"), "value": b64(b"x")})
            connection.request("POST", "/v3/kv/put", body, {"Grpc-Timeout": f"{microseconds}u"})
            answer = connection.getresponse()
            kind = json.loads(answer.read()).get("message", "put")
            statuses.append((answer.status, kind))
        connection.close()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = [pool.submit(ask, [rng.randrange(100, 4000) for _ in range(count)]) for _ in range(8)]
    failures = [error for error in (task.exception() for task in asked) if error]
    results.equal("deadlines close to their answers: every request is answered", failures, [])
    put, late = statuses.count((200, "put")), statuses.count((504, "context deadline exceeded"))
    print(f"{put} answers came in time, {late} too late")
    results.check("each by one of two answers", put and late and put + late == len(statuses), collections.Counter(statuses))


def check_pieces(results, server, seed):
    """Many clients at once whose requests come in pieces, or not whole, with deadlines that pass at any moment."""
    senders, count = 8, 750
    with concurrent.futures.ThreadPoolExecutor() as pool:
        sent = pool.map(lambda number: gateway_random.send_pieces(server, random.Random(f"{seed} {number}"), count),
                        range(senders))
    results.check("the server outlives requests in pieces", min(sent) >= count and not server.has_died())
    gone = eventually(lambda: server.metric(WATCHERS) == 0)
    results.check("no watcher is left of them", gone, server.metric(WATCHERS))
    with Client(server.endpoint) as client:
        # The first who asked has the lock for good: it named no lease.
        locks = pb.RangeRequest(key=b"lock/", range_end=b"lock0", count_only=True)
        gone = eventually(lambda: client.must("KV/Range", locks).count <= 1)
        results.check("nor who waits for a lock", gone, client.must("KV/Range", locks).count)


def check_stop(results, server):
    """A server that is stopped does not wait for streams."""
    body = json.dumps({"create_request": {"key": b64(b"x")}})
    with socket.create_connection(("127.0.0.1", server.client_port), timeout=10) as watch:
        watch.sendall(f"POST /v3/watch HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        results.check("a watch before the end", b"200" in watch.recv(1000))
        started = time.monotonic()
        results.equal("the server stops", server.stop(), 0)
        results.check("soon", time.monotonic() - started < 3, f"{time.monotonic() - started:.1f} s")


def headers_of(server, path, method="POST", body='{"key":"YQ=="}', **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.client_port, timeout=10)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("Access-Control-Allow-Origin")
    finally:
        connection.close()


def check_flags(results, arguments):
    allowed = "http://good.example:80"
    with Server(arguments.server, ["--cors", allowed, "--host-whitelist", "127.0.0.1,good.example"]) as server:
        for path in ("/v3/kv/range", "/version"):
            method = "POST" if path.startswith("/v3") else "GET"
            results.equal(f"{path}: an origin that is allowed", headers_of(server, path, method, Origin=allowed), (200, allowed))
            results.equal(f"{path}: one that is not", headers_of(server, path, method, Origin="http://bad.example:80"),
                          (200, None))
            results.equal(f"{path}: a host that is known", headers_of(server, path, method, Host="good.example:9"), (200, None))
            results.equal(f"{path}: one that is not", headers_of(server, path, method, Host="bad.example"), (421, None))
        done = curl(server, "/v3/kv/range", '{"key":"YQ=="}', "--http2-prior-knowledge", "-H", "Host: bad.example",
                    "-o", "/dev/null", "-w", "%{http_code}")
        results.equal("a host that is not known, over HTTP/2", done.stdout, "421")
    with Server(arguments.server, ["--enable-grpc-gateway=false"]) as server:
        results.equal("no gateway", headers_of(server, "/v3/kv/range")[0], 404)
        with Client(server.endpoint) as client:
            results.check("gRPC goes on without it", client.put(b"a", b"b").header.revision == 2)


def what_etcd3gw_sees(server):
    done = subprocess.run([PYTHON, SCRIPT, server.endpoint], capture_output=True, timeout=60, text=True)
    return done.returncode, done.stdout.splitlines(), done.stderr[-1500:]


def check_etcd3gw(results, server, peer):
    code, seen, error = what_etcd3gw_sees(server)
    peer_code, peer_seen, peer_error = what_etcd3gw_sees(peer)
    results.check("etcd3gw runs to its end", code == 0, error)
    results.check("etcd3gw runs to its end on the peer", peer_code == 0, peer_error)
    results.equal("it sees as many things", len(seen), len(peer_seen))
    for ours, theirs in zip(seen, peer_seen):
        results.equal(f"etcd3gw: {theirs.split(':')[0]}", ours, theirs)


def main():
    arguments = parse_arguments(__doc__, budget=90)

    def body(results):
        for binary in arguments.peers:
            with Server(arguments.server, label="server") as server, Server(binary, label="peer") as peer:
                check_etcd3gw(results, server, peer)
            with Server(arguments.server, label="server") as server, Server(binary, label="peer") as peer:
                gateway_random.compare(results, server, peer, random.Random(arguments.seed), 1500)
        with Server(arguments.server, label="server") as server:
            gateway_random.send_damaged(results, server, random.Random(arguments.seed), 1500)
            gone = eventually(lambda: server.metric(WATCHERS) == 0)
            results.check("their watchers went with them", gone, server.metric(WATCHERS))
        with Server(arguments.server, label="server") as server:
            check_pieces(results, server, arguments.seed)
        with Server(arguments.server, label="server") as server:
            for option in ("--http1.1", "--http1.0", "--http2-prior-knowledge"):
                check_curl_streams(results, server, option)
            check_large_requests(results, server)
            check_client_that_does_not_read(results, server)
            check_deadlines(results, server)
            check_close_deadlines(results, server, random.Random(arguments.seed))
            check_stop(results, server)
        check_flags(results, arguments)

    run(arguments, body)


if __name__ == "__main__":
    main()
