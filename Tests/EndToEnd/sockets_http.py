"""HTTP on the client port, as curl, h2load and less polite clients speak it."""

import os
import re
import socket
import subprocess
import time

from harness import Server
from known_differences import parse_version
from wire import Client, pb
from raw_http2 import DATA, END_HEADERS, HEADERS, PREFACE, SETTINGS, frame, grpc_message

PATHS = {
    "/health": r'"health":"true"',
    "/version": r'"etcdserver":"\d',
    "/metrics": r"# TYPE etcd_server_has_leader gauge",
    "/livez": r"^ok$",
    "/readyz": r"^ok$",
}
VERSIONS = {"--http1.1": "200 1.1", "--http1.0": "200 1", "--http2-prior-knowledge": "200 2"}


def curl(server, *arguments):
    done = subprocess.run(["curl", "-sS", "--max-time", "10", *arguments], capture_output=True)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def check_curl(results, server, version, is_etcd):
    for path, pattern in PATHS.items():
        if path in ("/livez", "/readyz") and version < (3, 6):
            continue
        for option, wanted in VERSIONS.items():
            if is_etcd and option == "--http2-prior-knowledge":
                continue  # without TLS etcd gives all HTTP/2 to gRPC
            code, output, error = curl(server, option, "-w", "\n%{http_code} %{http_version}",
                                       f"http://{server.endpoint}{path}")
            body, _, last = output.rpartition("\n")
            right = code == 0 and re.search(pattern, body, re.MULTILINE) and last.startswith(wanted)
            results.check(f"curl {option} {path}", right, f"curl {code}: {error}{output[-300:]}")
    url = f"http://{server.endpoint}/health"
    code, output, _ = curl(server, "-o", "/dev/null", "-o", "/dev/null", "-w", "%{num_connects} ", url, url)
    results.equal("curl keeps the connection for a second request", (code, output), (0, "1 0 "))
    code, output, _ = curl(server, "-X", "POST", "-d", "x" * 100000, "-w", "%{http_code}", "-o", "/dev/null", url)
    results.equal("a POST with a body is refused, not left hanging", (code, output), (0, "405"))


def check_h2load(results, server):
    """Many requests at once through a client that is not ours."""
    requests = {"Put": grpc_message(pb.PutRequest(key=b"load", value=b"v" * 100)),
                "Range": grpc_message(pb.RangeRequest(key=b"load"))}
    for method, body in requests.items():
        path = os.path.join(server.directory, "body")
        with open(path, "wb") as file:
            file.write(body)
        done = subprocess.run(["h2load", "-n", "6000", "-c", "20", "-m", "10", "-d", path,
                               "-H", "content-type: application/grpc", "-H", "te: trailers",
                               f"http://{server.endpoint}/etcdserverpb.KV/{method}"], capture_output=True, timeout=60)
        output = done.stdout.decode()
        results.check(f"h2load {method}", "6000 succeeded, 0 failed, 0 errored, 0 timeout" in output, output[-600:])
        rate = re.search(r"finished in .*", output)
        print(f"h2load {method}: {rate.group(0) if rate else 'no figures'}", flush=True)
    with Client(server.endpoint) as client:
        results.equal("each of the puts happened once", client.get(b"load").kvs[0].version, 6000)


PREFACE_AND_SETTINGS = PREFACE + frame(SETTINGS, 0, 0)
RUDE = {
    "nothing at all": b"",
    "random bytes": bytes((i * 197 + 11) % 256 for i in range(4000)),
    "half a request line": b"GET /hea",
    "a request without end": b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 200000,
    "too many headers": b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 20000 + b"\r\n",
    "a TLS hello": bytes.fromhex("16030100c8010000c40303") + b"\x11" * 194,
    "half a preface": b"PRI * HTTP/2.0\r\n\r\nSM",
    "a preface and garbage": PREFACE + b"\xff" * 500,
    "a huge frame": PREFACE_AND_SETTINGS + b"\xff\xff\xff" + frame(DATA, 0, 1)[3:],
    "data before headers": PREFACE_AND_SETTINGS + frame(DATA, 0, 1, b"hello"),
    "headers that are no HPACK": PREFACE_AND_SETTINGS + frame(HEADERS, END_HEADERS, 1, b"\xff" * 100),
}


def check_rude_clients(results, server):
    """Whatever comes in, the server goes on; some of these connections stay open meanwhile."""
    left_open = []
    for name, data in RUDE.items():
        connection = socket.create_connection(("127.0.0.1", server.client_port), timeout=5)
        try:
            connection.sendall(data)
        except OSError:
            pass  # closed in our face, which is fine
        left_open.append(connection)
        with Client(server.endpoint) as client:
            answer = client.call("KV/Put", pb.PutRequest(key=b"polite", value=name.encode()), timeout=5)
        results.check(f"the server goes on after {name}", answer.ok, answer)
    for connection in left_open:
        connection.close()


def check_dribbled_request(results, server):
    """A request that arrives byte by byte is answered like any other."""
    with socket.create_connection(("127.0.0.1", server.client_port), timeout=5) as connection:
        for byte in b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":
            connection.sendall(bytes([byte]))
            time.sleep(0.001)
        answer = b""
        while piece := connection.recv(4096):
            answer += piece
    results.check("a request byte by byte", answer.startswith(b"HTTP/1.1 200") and b'"health":"true"' in answer, answer)


def check_many_connections(results, server):
    clients = [Client(server.endpoint) for _ in range(200)]
    futures = [client.begin("KV/Put", pb.PutRequest(key=b"c%d" % index)) for index, client in enumerate(clients)]
    answers = [Client.finish(future) for future in futures]
    results.check("200 connections at once", all(answer.ok for answer in answers), [a for a in answers if not a.ok][:3])
    for client in clients:
        client.close()


def check(results, arguments):
    is_etcd = os.path.basename(arguments.server) == "etcd"
    with Server(arguments.server, label="server") as server:
        with Client(server.endpoint) as client:
            version = parse_version(client.must("Maintenance/Status", pb.StatusRequest()).version)
        check_curl(results, server, version, is_etcd)
        check_h2load(results, server)
        check_rude_clients(results, server)
        check_dribbled_request(results, server)
        check_many_connections(results, server)
