"""What one client could do to all others, if it were let: requests that are cheap to send and dear to carry out, connections
that break at the worst moment, requests that follow one another without end."""

import socket
import struct
import time

from gateway import anonymous_bytes
from harness import Server, eventually
from raw_http2 import DATA, HUGE, RawConnection, frame, grpc_message
from wire import Client, auth_pb, pb

MEBIBYTE = 1 << 20
EVERYTHING = dict(key=b"\0", range_end=b"\0")
NAME_BYTES_MAX = 32_768


def check_attacks(results, arguments):
    with Server(arguments.server, label="server") as server, Client(server.endpoint) as client:
        client.put(b"a", b"1")
        for attack in (broken_while_written_to, many_requests_at_once, requests_for_other_protocols, dear_transactions,
                       dear_answers, ranges_in_an_order, long_names):
            started = time.monotonic()
            attack(results, server, client)
            alive = not server.has_died(0.1) and client.get(b"a").kvs[0].value == b"1"
            if not results.check(f"the server outlives {attack.__name__}", alive):
                return
            print(f"{attack.__name__}: {time.monotonic() - started:.1f} s", flush=True)


def broken_while_written_to(results, server, client):
    """A client asks for more than fits on its way back, and is gone while the answers are written."""
    progress = grpc_message(pb.WatchRequest(progress_request=pb.WatchProgressRequest()))
    for attempt in range(60):
        connection = RawConnection(server.client_port, window=HUGE)
        stream = connection.open_watch(key=b"a")
        if attempt % 2:
            connection.read_frame()
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        burst = frame(DATA, 0, stream, progress * 2_000) * (10 + attempt % 4 * 10)
        connection.socket.setblocking(False)
        try:
            while burst:
                burst = burst[connection.socket.send(burst):]
        except BlockingIOError:
            pass
        except ConnectionError:
            pass
        connection.socket.close()
    results.check("no watcher is left of broken connections",
                  eventually(lambda: server.metric("etcd_debugging_mvcc_watcher_total") == 0))


def many_requests_at_once(results, server, client):
    count = 30_000
    body = b'{"key":"YQ=="}'
    post = b"POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with socket.create_connection(("127.0.0.1", server.client_port), timeout=30) as connection:
        burst, taken, answered = memoryview(post + b"GET / HTTP/1.1\r\n\r\n" * count), 0, 0
        connection.setblocking(False)
        deadline, tail = time.monotonic() + 30, b""
        while answered < count + 1 and time.monotonic() < deadline:
            try:
                taken += connection.send(burst[taken:taken + 65_536]) if taken < len(burst) else 0
            except BlockingIOError:
                pass
            try:
                piece = connection.recv(1 << 18)
            except BlockingIOError:
                continue
            if not piece:
                break
            tail += piece
            answered += tail.count(b"HTTP/1.1 ")
            tail = tail[-8:] if not tail.endswith(b"HTTP/1.1 ") else b""
    results.equal("requests one behind the other, all answered", answered, count + 1)
    # Large answers that nobody takes.
    before = anonymous_bytes(server)
    with socket.create_connection(("127.0.0.1", server.client_port), timeout=30) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        connection.setblocking(False)
        burst = b"GET /metrics HTTP/1.1\r\n\r\n" * 20_000
        try:
            connection.sendall(burst)
        except BlockingIOError:
            pass
        server.wait_until_drained()
        grown = (anonymous_bytes(server) - before) / MEBIBYTE
        results.check("pages that nobody reads are not made", grown < 64, f"{grown:.1f} MiB more")
    # And behind them a request whose body has no end.
    for path in (b"/v3/kv/range", b"/version"):
        with socket.create_connection(("127.0.0.1", server.client_port), timeout=30) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            connection.settimeout(1)
            body = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
            sent = 0
            try:
                connection.sendall(b"GET /metrics HTTP/1.1\r\n\r\n" * 200 + b"POST " + path
                                   + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
                while sent < 256 * MEBIBYTE:
                    connection.sendall(body)
                    sent += len(body)
            except (TimeoutError, ConnectionError):
                pass
            grown = (anonymous_bytes(server) - before) / MEBIBYTE
            results.check(f"a body without end behind them, to {path.decode()}", grown < 64,
                          f"{grown:.1f} MiB more after {sent / MEBIBYTE:.0f} MiB")


def requests_for_other_protocols(results, server, client):
    for name, head in (("h2c", b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                        b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"),
                       ("a tunnel", b"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n")):
        with socket.create_connection(("127.0.0.1", server.client_port), timeout=10) as connection:
            connection.sendall(head)
            answer = b""
            while piece := connection.recv(65_536):
                answer += piece
        results.check(f"a request for {name} is answered, and is the last", b"HTTP/1.1 " in answer
                      and b"connection: close" in answer.lower(), answer[:300])


def dear_transactions(results, server, client):
    """Operations that take the place of one another, and of whole transactions."""
    def operation(payload):
        length = len(payload)
        varint = b""
        while True:
            varint += bytes([length & 127 | (128 if length > 127 else 0)])
            length >>= 7
            if not length:
                return b"\x12" + varint + payload

    deep = b"\x12\x00" * 900_000
    for _ in range(250):
        deep = operation(b"\x22" + operation(deep)[1:])
    for name, request in (("empty ones", b"\x12\x00" * 400_000 + operation(b"\x22\x00\x0a\x00" * 200_000)),
                          ("one that grows", operation(b"\x22\x02\x12\x00" * 400_000)), ("deep inside", deep)):
        started = time.monotonic()
        answer = client.call_raw("/etcdserverpb.KV/Txn", request, timeout=60)
        seconds = time.monotonic() - started
        results.check(f"a transaction with operations that are {name} is refused soon",
                      answer.code == "INVALID_ARGUMENT" and seconds < 10, f"{answer} after {seconds:.1f} s")


def dear_answers(results, server, client):
    """A transaction that writes a key and reads everything over and over."""
    for number in range(40):
        client.put(b"big/%d" % number, bytes([number]) * MEBIBYTE)
    read = pb.RequestOp(request_range=pb.RangeRequest(**EVERYTHING))
    write = pb.RequestOp(request_put=pb.PutRequest(key=b"written", value=b"yes"))
    before = anonymous_bytes(server)
    answer = client.call("KV/Txn", pb.TxnRequest(success=[write] + [read] * 127), timeout=60)
    results.equal("its answer is too large", answer.code, "RESOURCE_EXHAUSTED")
    results.check("which it says", "was carried out" in answer.text, answer.text)
    results.equal("and it was carried out", client.get(b"written").kvs[0].value, b"yes")
    grown = (anonymous_bytes(server) - before) / MEBIBYTE
    print(f"{grown:.0f} MiB more than before are held after it")
    client.must("KV/DeleteRange", pb.DeleteRangeRequest(key=b"big/", range_end=b"big0"))


def ranges_in_an_order(results, server, client):
    """Ranges in the order in which a search tree of known priorities would be one long list."""
    state, count, mask = 0, 40_000, (1 << 64) - 1

    def priority():
        nonlocal state
        state = (state + 0x9E3779B97F4A7C15) & mask
        mixed = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & mask
        mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & mask
        return mixed ^ mixed >> 31

    with client.watch() as watch:
        for _ in range(count):
            watch.create(key=struct.pack(">I", priority() & 0xFFFFFFFF), range_end=b"\0")
        made = eventually(lambda: server.metric("etcd_debugging_mvcc_watcher_total") == count, 60)
        results.check(f"{count} ranges are watched", made, server.metric("etcd_debugging_mvcc_watcher_total"))
    results.check("and let go", eventually(lambda: server.metric("etcd_debugging_mvcc_watcher_total") == 0, 60))


def long_names(results, server, client):
    """A name that is no key of etcd's database would break every snapshot."""
    text = "etcdserver: name of user or role is too long"
    for size, code in ((NAME_BYTES_MAX, "OK"), (NAME_BYTES_MAX + 1, "INVALID_ARGUMENT")):
        name = "n" * size
        for method, request in (("RoleAdd", pb.AuthRoleAddRequest(name=name)),
                                ("UserAdd", pb.AuthUserAddRequest(
                                    name=name, options=auth_pb.UserAddOptions(no_password=True)))):
            answer = client.call(f"Auth/{method}", request)
            results.equal(f"{method} with a name of {size} bytes", (answer.code, answer.text),
                          (code, text if code != "OK" else ""))
    messages = client.call("Maintenance/Snapshot", pb.SnapshotRequest())
    results.equal("a snapshot with the longest names", messages.code, "OK")
