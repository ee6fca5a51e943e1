"""Seeded random calls of the JSON gateway, the same to the server and to etcd, which must answer the same; and damaged ones,
which it must survive."""

import base64
import http.client
import json
import os
import socket
import struct

from harness import ROOT

# What two equal servers may differ in.
NOISE = {"cluster_id", "member_id", "raft_term"}
KEYS = [b"", b"a", b"a/1", b"a/2", b"b", b"\xff\xfe", "\u00e4".encode(), b"z" * 300]


def b64(value):
    """The one form of base64 that etcd took before 3.6."""
    return base64.b64encode(value).decode()


class Caller:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def call(self, path, body):
        self.connection.request("POST", "/v3/" + path, json.dumps(body), {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        return answer.status, tidy(json.loads(answer.read()))

    def close(self):
        self.connection.close()


def tidy(value):
    if isinstance(value, dict):
        # Before 3.6 an error said its text twice.
        kept = {"code", "message"} if "code" in value and "message" in value else value.keys() - NOISE
        return {name: tidy(value[name]) for name in value if name in kept}
    return [tidy(each) for each in value] if isinstance(value, list) else value


def operation(random, depth=0):
    """(path, body) of a call about keys, also what a transaction is made of."""
    key = b64(random.choice(KEYS))
    kind = random.randrange(4 if depth < 2 else 3)
    if kind == 0:
        body = {"key": key, "value": b64(random.randbytes(random.randrange(5)))}
        if random.random() < 0.3:
            body[random.choice(["prev_kv", "prevKv"])] = True
        if random.random() < 0.1:
            body["lease"] = random.choice([7, "7", "12345"])
        return "put", body
    if kind == 1:
        body = {"key": key}
        if random.random() < 0.6:
            body[random.choice(["range_end", "rangeEnd"])] = b64(random.choice([b"\0", b"b", b"zz"]))
        if random.random() < 0.5:
            body["limit"] = random.choice([0, 1, "2", 3])
            body["sort_target"] = random.choice(["KEY", "MOD", "VERSION", 2, 4])
            body["sort_order"] = random.choice(["ASCEND", "DESCEND", 0])
        body[random.choice(["keys_only", "countOnly", "serializable", "unknown"])] = random.random() < 0.5
        return "range", body
    if kind == 2:
        body = {"key": key, "prev_kv": random.random() < 0.5}
        if random.random() < 0.3:
            body["range_end"] = b64(b"b")
        return "deleterange", body
    return "txn", transaction(random, depth)


def transaction(random, depth):
    names = {"range": "request_range", "put": "request_put", "deleterange": "request_delete_range", "txn": "request_txn"}

    def branch():
        chosen = [operation(random, depth + 1) for _ in range(random.randrange(3))]
        return [{names[path]: body} for path, body in chosen]

    compare = []
    for _ in range(random.randrange(3)):
        target, field = random.choice([("VERSION", "version"), ("MOD", "mod_revision"), ("CREATE", "createRevision")])
        compare.append({"key": b64(random.choice(KEYS[1:])), "target": target, field: random.randrange(4),
                        "result": random.choice(["EQUAL", "GREATER", "LESS", "NOT_EQUAL", 1])})
    return {"compare": compare, "success": branch(), "failure": branch()}


def compare(results, server, peer, random, count):
    ours, theirs = Caller(server.client_port), Caller(peer.client_port)
    for caller in (ours, theirs):
        results.check("a lease to put with", caller.call("lease/grant", {"ID": "7", "TTL": 600})[0] == 200)
    different = 0
    for number in range(count):
        name, body = operation(random)
        mine, its = ours.call("kv/" + name, body), theirs.call("kv/" + name, body)
        if mine != its:
            different += 1
            results.check(f"random call {number}", False, f"{name} {json.dumps(body)}\npeer   {its}\nserver {mine}")
    results.check(f"{count} random calls are answered alike", different == 0, f"{different} are not")
    ours.close()
    theirs.close()


HEADERS = [{}, {"Authorization": "nobody"}, {"Grpc-Timeout": "1m"}, {"Grpc-Timeout": "99999999H"}, {"Grpc-Timeout": "x"},
           {"Grpc-Metadata-hasleader": "true", "Grpc-Metadata-some-bin": "~~"}]
ENDLESS = ("watch", "lock/lock", "campaign", "observe")


def damage(body, random):
    body = bytearray(body)
    for _ in range(random.randrange(4)):
        place, kind = random.randrange(len(body) + 1), random.randrange(5)
        if kind == 0 and place < len(body):
            body[place] = random.randrange(256)
        elif kind == 1:
            del body[place:place + 1]
        elif kind == 2:
            body[place:place] = random.choice([b"{", b"}", b"[", b"]", b'"', b"\\u", b"null", b"1e9", b",", b"\xff"])
        elif kind == 3:
            del body[place:]
        else:
            body += body[:place]
    return bytes(body)


def send_damaged(results, server, random, count):
    """Bodies of the recorded requests, damaged, and headers with and without sense. Nothing is said of the answers but that
    they come, and that the server is still there."""
    with open(os.path.join(ROOT, "Tests", "Fixtures", "golden", "gateway.json")) as file:
        cases = [case for case in json.load(file)["cases"] if "body" in case and case.get("method", "POST") == "POST"]
    # Who adds a learner adds a voter where the word for it is damaged, and one member of two has no quorum.
    cases = [case for case in cases if not (case["path"].endswith("member/add") and "http://" in case["body"])]
    unanswered = []
    for _ in range(count):
        case, headers = random.choice(cases), random.choice(HEADERS)
        body = damage(case["body"].encode(), random)
        try:
            if case["path"].endswith(ENDLESS):
                leave(server, case["path"], body)
            else:
                connection = http.client.HTTPConnection("127.0.0.1", server.client_port, timeout=20)
                connection.request("POST", case["path"], body, headers)
                connection.getresponse().read()
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            unanswered.append(f"{case['path']} {headers} {body!r}: {error!r}")
            if server.has_died():
                break
    results.check(f"{count} damaged requests are answered", not unanswered, "\n".join(unanswered[:3]))


def leave(server, path, body):
    """A request whose answer may take for ever: nobody waits for it."""
    with socket.create_connection(("127.0.0.1", server.client_port), timeout=20) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


PIECES_PATHS = ("/v3/kv/put", "/v3/kv/range", "/v3/kv/deleterange", "/v3/watch", "/v3/lock/lock", "/v3/lease/keepalive",
                "/v3/maintenance/snapshot", "/v3/maintenance/hash", "/health", "/metrics")
PIECES_BODIES = (b'{"key":"YQ==","value":"eA=="}', b'{"key":"AA==","range_end":"AA=="}', b'{"create_request":{"key":"YQ=="}}',
                 b'{"name":"bG9jaw=="}', b'{"ID":7}', b"{}")


def piece_request(rng):
    """A request of HTTP/1.1 with a deadline that may pass before, as or after it is answered, and with a body that is whole,
    short, or no body at all."""
    body = rng.choice(PIECES_BODIES)
    head = f"POST {rng.choice(PIECES_PATHS)} HTTP/1.{rng.choice('0111')}\r\nHost: x\r\nGrpc-Timeout: {rng.randrange(1, 4000)}u\r\n"
    head += rng.choice(("", "", "", "Expect: 100-continue\r\n", "Connection: close\r\n"))
    chunk = b"%x\r\n%s\r\n" % (len(body), body)
    kind = rng.randrange(6)
    if kind < 3:
        request = head.encode() + b"Content-Length: %d\r\n\r\n" % (len(body) + (rng.randrange(9) if kind == 1 else 0)) + body
    else:
        end = {3: chunk + b"0\r\n\r\n", 4: chunk, 5: b"zz\r\n" + body}[kind]
        request = head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + end
    if kind != 2:
        return request
    damaged = bytearray(request)
    damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged)


def send_pieces(server, rng, count):
    """Requests one behind the other on one connection, each in two pieces, and the connection left at any moment, by a reset
    at times. Returns how many were sent: fewer than `count` where the server has died."""
    sent = 0
    while sent < count and server.process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", server.client_port), timeout=5) as connection:
                for _ in range(rng.randrange(1, 5)):
                    request = piece_request(rng)
                    place = rng.randrange(len(request))
                    connection.sendall(request[:place])
                    connection.settimeout(rng.choice((0.001, 0.004)))
                    try:
                        connection.recv(65536)
                    except TimeoutError:
                        pass
                    connection.settimeout(5)
                    sent += 1
                    connection.sendall(request[place:])
                if rng.random() < 0.3:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass  # the server may end a connection over which nonsense came
    return sent
