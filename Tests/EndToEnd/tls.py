"""TLS and client certificates, with etcdctl, curl and gRPC; certificates that change, are revoked or are for others; beside
real etcd where that knows the case; members that speak TLS to each other."""

import contextlib
import json
import os
import random
import re
import select
import socket
import ssl
import subprocess
import time

from harness import ETCDCTL, ETCDCTL_35, Server, command_for, eventually, free_ports, parse_arguments, peer_name, run
from tls_certificates import Authority, SecureServer, openssl, secure_client
from tls_cluster import check_cluster
from wire import pb

# TLSServer.handshakesMax.
HANDSHAKES_MAX = 1024
PATHS = {"/health": r'"health":"true"', "/version": r'"etcdserver":"\d', "/metrics": r"# TYPE etcd_server_has_leader gauge"}


def curl(*arguments):
    done = subprocess.run(["curl", "-sS", "--max-time", "10", *arguments], capture_output=True)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def etcdctl(binary, endpoint, *arguments):
    done = subprocess.run([binary, "--endpoints", endpoint, "--dial-timeout", "2s", "--command-timeout", "3s", *arguments],
                          capture_output=True, text=True, timeout=30, env={**os.environ, "ETCDCTL_API": "3"})
    return done.returncode, done.stdout, done.stderr


def rejections(server):
    """The lines about connections that were not let in."""
    lines = [json.loads(line) for line in server.log_text().splitlines() if '"rejected connection' in line]
    return [line["error"] for line in lines]


def rejections_after(server, count):
    """Those that came after so many, once there is one: lines are written by a thread of their own."""
    eventually(lambda: len(rejections(server)) > count)
    return rejections(server)[count:]


# MARK: One side with a certificate

def check_clients(results, server, authority, pair=None):
    """Each client reads what the others wrote."""
    ca = ["--cacert", authority.certificate]
    own = pair.etcdctl() if pair else []
    url = f"https://{server.endpoint}"
    for number, binary in enumerate((ETCDCTL, ETCDCTL_35)):
        put = etcdctl(binary, url, *ca, *own, "put", "k", f"v{number}")
        results.check(f"etcdctl {number} puts", put[:2] == (0, "OK\n"), put)
        got = etcdctl(binary, url, *ca, *own, "get", "k")
        results.check(f"etcdctl {number} gets", got[:2] == (0, f"k\nv{number}\n"), got)
    with secure_client(server.endpoint, authority.certificate, pair) as client:
        answer = client.call("KV/Range", pb.RangeRequest(key=b"k"))
        results.check("gRPC gets", answer.ok and answer.message.kvs[0].value == b"v1", answer)
    own = pair.curl() if pair else []
    for path, pattern in PATHS.items():
        for option, version in (("--http1.1", "200 1.1"), ("--http2", "200 2")):
            code, output, error = curl(option, *ca, *own, "-w", "\n%{http_code} %{http_version}", url + path)
            body, _, last = output.rpartition("\n")
            results.check(f"curl {option} {path}", code == 0 and re.search(pattern, body) and last == version,
                          f"{code} {error} {output[-300:]}")


def check_server_certificate(results, arguments, authority):
    pair = authority.issue("server")
    with SecureServer(arguments.server, pair.server_flags()) as server:
        silent, slow = (socket.create_connection(("127.0.0.1", server.client_port), 5) for _ in range(2))
        slow.sendall(b"\x16\x03\x01\x02\x00\x01")
        check_clients(results, server, authority)
        code, output, error = curl("--http2-prior-knowledge", "--no-alpn", "--cacert", authority.certificate,
                                   f"https://{server.endpoint}/health")
        results.check("HTTP/2 without ALPN", code == 0 and "true" in output, f"{code} {error}")
        other = Authority("other")
        code, _, error = curl("--cacert", other.certificate, f"https://{server.endpoint}/health")
        results.equal("curl with a wrong authority", code, 60)
        # OpenSSL says so in a record that is not protected, which the server cannot read as the alert that it is.
        results.check("and the server says so", eventually(
            lambda: any(line.startswith("TLS handshake failed") for line in rejections(server))), rejections(server))
        before = len(rejections(server))
        with socket.create_connection(("127.0.0.1", server.client_port), 5) as plain:
            plain.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            results.equal("plain HTTP on the TLS port", plain.recv(100), b"")
        results.equal("one line about it", rejections_after(server, before),
                      ["tls: first record does not look like a TLS handshake"])
        check_reload(results, server, authority, pair)
        check_commands(results, arguments, server, authority)
        for name, connection in (("says nothing", silent), ("does not finish its handshake", slow)):
            connection.settimeout(20)
            with connection:
                results.equal(f"who {name} is closed", read_to_end(connection), b"")
        results.check("the handshake's end is told", eventually(
            lambda: any("not done within 10 s" in line for line in rejections(server))))
        check_garbage(results, arguments, server, authority)
        results.equal("stops", server.stop(), 0)


def read_to_end(connection):
    """Whatever comes until the other side ends it; an alert of TLS is nothing."""
    try:
        data = connection.recv(100)
    except ConnectionResetError:
        return b""
    return b"" if data[:1] == b"\x15" else data


def ended(connections):
    """Those that the other side has closed."""
    readable = select.poll()
    for connection in connections:
        readable.register(connection, select.POLLIN)
    return readable.poll(0)


def check_garbage(results, arguments, server, authority):
    """What begins like TLS and is none, from many at once; and the log does not grow with it."""
    numbers = random.Random(arguments.seed)
    before, began = len(rejections(server)), time.monotonic()
    open_ones = []
    for number in range(300):
        connection = socket.create_connection(("127.0.0.1", server.client_port), 5)
        head = b"\x16\x03\x01" if number % 3 else b"\x16"
        connection.sendall(head + numbers.randbytes(numbers.randrange(1, 2000)))
        open_ones.append(connection)
    for connection in open_ones:
        connection.close()
    crowd = [socket.create_connection(("127.0.0.1", server.client_port), 5) for _ in range(HANDSHAKES_MAX + 20)]
    # Which of them depends on the event loop that each comes to.
    results.check("those beyond the bound of handshakes are closed",
                  eventually(lambda: len(ended(crowd)) == 20, timeout=5), f"{len(ended(crowd))} are")
    for connection in crowd:
        connection.close()
    code, output, _ = curl("--cacert", authority.certificate, f"https://{server.endpoint}/health")
    results.check("after garbage it serves", code == 0 and "true" in output)
    lines, seconds = len(rejections(server)) - before, time.monotonic() - began
    results.check("with few lines about it", 0 < lines <= 10 * (seconds + 2), f"{lines} lines in {seconds:.1f} s")


def shown_serial(server, authority, pair=None):
    """Of the certificate that the server shows now."""
    context = ssl.create_default_context(cafile=authority.certificate)
    if pair:
        context.load_cert_chain(pair.certificate, pair.key)
    with socket.create_connection(("127.0.0.1", server.client_port), 5) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as protected:
            return int(protected.getpeercert()["serialNumber"], 16)


def serial_in(pair):
    return int(openssl("x509", "-noout", "-serial", "-in", pair.certificate).strip().partition("=")[2], 16)


def check_reload(results, server, authority, pair):
    with secure_client(server.endpoint, authority.certificate) as client:
        client.must("KV/Put", pb.PutRequest(key=b"reload", value=b"1"))
        old = shown_serial(server, authority)
        results.equal("the certificate in the file is shown", old, serial_in(pair))
        authority.issue("server")
        results.equal("and the next one when it is replaced", shown_serial(server, authority), serial_in(pair))
        results.check("which is another one", serial_in(pair) != old)
        results.check("a connection from before goes on", client.call("KV/Range", pb.RangeRequest(key=b"reload")).ok)
    authority.issue("server", rsa=True)
    results.equal("one with another kind of key too", shown_serial(server, authority), serial_in(pair))
    os.rename(pair.key, pair.key + ".away")
    before = serial_in(pair)
    results.equal("a key that is missing changes nothing", shown_serial(server, authority), before)
    results.check("but a line is written", eventually(lambda: "cannot use a changed file" in server.log_text()))
    os.rename(pair.key + ".away", pair.key)
    results.equal("and is forgotten when it is back", shown_serial(server, authority), before)


def check_commands(results, arguments, server, authority):
    """strake ctl and strake bench."""
    def strake(*words):
        done = subprocess.run([arguments.server, *words], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr
    ca = ["--cacert", authority.certificate]
    for endpoint in (f"https://{server.endpoint}", server.endpoint):
        code, output = strake("bench", "put", "--endpoints", endpoint, "--total", "200", "--clients", "10", *ca)
        results.check(f"bench at {endpoint.partition(':')[0]}", code == 0, output)
    code, output = strake("bench", "watch", "--endpoints", f"https://{server.endpoint}", "--total", "20", *ca)
    results.check("bench of watches", code == 0, output)
    code, output = strake("bench", "put", "--endpoints", f"https://{server.endpoint}", "--total", "10")
    results.check("bench without the authority", code == 1 and "certificate verify failed" in output, output)
    code, output = strake("bench", "put", "--endpoints", f"https://{server.endpoint}", "--total", "10",
                          "--insecure-skip-tls-verify")
    results.check("bench that takes any certificate", code == 0, output)
    file = os.path.join(server.directory, "backup.db")
    code, output = strake("ctl", "snapshot", "save", file, "--endpoints", f"https://{server.endpoint}", *ca)
    results.check("ctl snapshot save", code == 0 and os.path.getsize(file) > 0, output)
    code, output = strake("ctl", "snapshot", "save", file, "--endpoints", f"http://{server.endpoint}")
    results.check("ctl without TLS", code == 5, output)
    for words, text in ((["--cacert", "/nonexistent"], "open /nonexistent: no such file"),
                        (["--cert", "/nonexistent"], "--cert and --key go together")):
        code, output = strake("ctl", "snapshot", "save", file, *words)
        results.check(f"ctl {words[0]} with {words[1]}", code == 128 and text in output, output)


# MARK: Both sides with a certificate

def check_client_certificates(results, arguments, authority):
    server_pair, alice, mallory = authority.issue("server"), authority.issue("alice"), authority.issue("mallory")
    authority.revoke(mallory)
    flags = server_pair.server_flags() + [
        "--client-cert-auth", "--trusted-ca-file", authority.certificate, "--client-crl-file",
        authority.write_revocations(der=True)]
    with SecureServer(arguments.server, flags) as server:
        check_clients(results, server, authority, alice)
        url, ca = f"https://{server.endpoint}", ["--cacert", authority.certificate]
        foreign = Authority("foreign").issue("alice")
        for name, own, reason in (("without a certificate", [], "peer did not return a certificate"),
                                  ("with one of another authority", foreign.curl(), "certificate verify failed"),
                                  ("with a revoked one", mallory.curl(), "revoked")):
            code, _, _ = curl(*ca, *own, url + "/health")
            results.check(f"curl {name}", code != 0, code)
            results.check(f"{name}: the server says so",
                          eventually(lambda: any(reason in line for line in rejections(server))), rejections(server))
            code, _, error = etcdctl(ETCDCTL, url, *ca, *own, "get", "k")
            results.check(f"etcdctl {name}", code != 0, error)
        with secure_client(server.endpoint, authority.certificate, alice) as client:
            client.must("KV/Put", pb.PutRequest(key=b"a", value=b"1"))
            authority.revoke(alice)
            authority.write_revocations(der=True)
            code, _, _ = curl(*ca, *alice.curl(), url + "/health")
            results.check("whose certificate is revoked meanwhile gets no further connection", code != 0)
            results.check("but keeps one that is open", client.call("KV/Range", pb.RangeRequest(key=b"a")).ok)
    check_resumption(results, arguments, authority)
    check_chain(results, arguments, authority)
    check_allowed_names(results, arguments, authority)


def served_in_session(server, context, session):
    """Whether a request is answered, whether with an older session's keys, and the session."""
    try:
        with socket.create_connection(("127.0.0.1", server.client_port), 5) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as protected:
                protected.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                answer = protected.recv(12)
                return answer == b"HTTP/1.1 200", protected.session_reused, protected.session
    except OSError:
        return False, False, None


def check_resumption(results, arguments, authority):
    """Who comes back with the keys of an older session shows no certificate again; it is looked at all the same, and so
    is the authority between it and the trusted one."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        guest, name = authority.issue("guest"), version.name
        check_session(results, arguments, authority, name, version, guest, lambda: authority.revoke(guest))
        chained = authority.issue_chain("chained-guest")
        check_session(results, arguments, authority, name + " behind an authority", version, chained,
                      lambda: authority.revoke_between("chained-guest"))


def check_session(results, arguments, authority, name, version, guest, revoke):
    pair = authority.issue("server")
    flags = pair.server_flags() + ["--trusted-ca-file", authority.certificate,
                                   "--client-crl-file", authority.write_revocations()]
    with SecureServer(arguments.server, flags) as server:
        context = ssl.create_default_context(cafile=authority.certificate)
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(guest.certificate, guest.key)
        served, _, session = served_in_session(server, context, None)
        results.check(f"{name}: served", served)
        results.equal(f"{name}: served in the same session", served_in_session(server, context, session)[:2],
                      (True, True))
        revoke()
        authority.write_revocations()
        results.check(f"{name}: not when revoked", not served_in_session(server, context, session)[0])
        results.check(f"{name}: and told", eventually(
            lambda: any("revoked" in line for line in rejections(server))), rejections(server))


def check_chain(results, arguments, authority):
    """Certificates of an authority between, on both sides."""
    pair, client = authority.issue_chain("chained"), authority.issue_chain("client")
    flags = pair.server_flags() + ["--client-cert-auth", "--trusted-ca-file", authority.certificate]
    with SecureServer(arguments.server, flags) as server:
        code, output, error = curl("--cacert", authority.certificate, *client.curl(), f"https://{server.endpoint}/health")
        results.check("certificates with an authority between", code == 0 and "true" in output, f"{code} {error}")


def check_allowed_names(results, arguments, authority):
    pair = authority.issue("server")
    inside, outside = authority.issue("inside", sans="DNS:a.inside.example"), authority.issue("outside", sans="DNS:b.example")
    flags = pair.server_flags() + ["--trusted-ca-file", authority.certificate,
                                   "--client-cert-allowed-hostname", "x.example,a.inside.example"]
    with SecureServer(arguments.server, flags) as server:
        url, ca = f"https://{server.endpoint}/health", ["--cacert", authority.certificate]
        results.equal("a name that is allowed", curl(*ca, *inside.curl(), url)[0], 0)
        results.check("a name that is not", curl(*ca, *outside.curl(), url)[0] != 0)
        results.check("is told", eventually(lambda: any("host name" in line for line in rejections(server))),
                      rejections(server))
        results.check("--trusted-ca-file alone asks for a certificate", curl(*ca, url)[0] != 0)


# MARK: Listeners

def check_listeners(results, arguments, authority):
    pair = authority.issue("server")
    server = SecureServer(arguments.server, pair.server_flags())
    plain_port, both_port = free_ports(2)
    path, protected_path = os.path.join(server.directory, "plain.sock"), os.path.join(server.directory, "tls.sock")
    server.urls += [f"http://127.0.0.1:{plain_port}", f"http://127.0.0.1:{both_port}", f"https://127.0.0.1:{both_port}",
                    f"unix://{path}", f"unixs://{protected_path}"]
    ca = ["--cacert", authority.certificate]
    with server:
        for url in (f"https://{server.endpoint}", f"http://127.0.0.1:{plain_port}", f"http://127.0.0.1:{both_port}",
                    f"https://127.0.0.1:{both_port}"):
            code, output, error = curl(*ca, url + "/health")
            results.check(f"{url.partition(':')[0]} beside others", code == 0 and "true" in output, f"{url} {code} {error}")
        for socket_path, scheme in ((path, "http"), (protected_path, "https")):
            code, output, error = curl(*ca, "--unix-socket", socket_path, f"{scheme}://localhost/health")
            results.check(f"{scheme} on a socket", code == 0 and "true" in output, f"{code} {error}")
            results.equal(f"mode of the {scheme} socket", os.stat(socket_path).st_mode & 0o777, 0o600)
        got = etcdctl(ETCDCTL, f"unix://{path}", "put", "k", "v")
        results.check("etcdctl on a socket", got[:2] == (0, "OK\n"), got)
        before = len(rejections(server))
        code, _, _ = curl(*ca, f"https://127.0.0.1:{plain_port}/health")
        results.check("TLS on a plain port", code != 0)
        results.equal("one line about it", rejections_after(server, before),
                      ["the client speaks TLS, and this address does not"])
        with open(path + ".log", "wb") as log:
            second = subprocess.Popen(command_for(arguments.server) + [
                "--name", "m2", "--data-dir", os.path.join(server.directory, "second"),
                "--listen-client-urls", f"unix://{path}", "--advertise-client-urls", f"unix://{path}",
                "--listen-peer-urls", "http://127.0.0.1:0"], stdout=log, stderr=log)
            results.equal("a socket that is listened on is not taken", second.wait(30), 1)
        results.equal("and still works", curl("--unix-socket", path, "http://localhost/health")[0], 0)
        server.kill()
        results.check("a killed server leaves its sockets", os.path.exists(path))
        server.start()
        results.equal("the next one takes them over", curl("--unix-socket", path, "http://localhost/health")[0], 0)
        results.equal("stops", server.stop(), 0)
        results.check("and takes its sockets with it", not os.path.exists(path) and not os.path.exists(protected_path))


def check_metrics_and_hosts(results, arguments, authority):
    """The port for metrics is protected too, and a whitelist of hosts is for plain connections alone."""
    pair = authority.issue("server")
    metrics_port, plain_port = free_ports(2)
    flags = pair.server_flags() + ["--listen-metrics-urls", f"https://127.0.0.1:{metrics_port}",
                                   "--host-whitelist", "good.example"]
    server = SecureServer(arguments.server, flags)
    server.urls.append(f"http://127.0.0.1:{plain_port}")
    ca, bad = ["--cacert", authority.certificate], ["-H", "Host: bad.example", "-o", "-", "-w", " %{http_code}"]
    with server:
        for version in ("--http1.1", "--http2"):
            code, output, error = curl(*ca, version, f"https://127.0.0.1:{metrics_port}/metrics")
            results.check(f"metrics with TLS, {version}", code == 0 and "etcd_server_has_leader" in output,
                          f"{code} {error}")
            code, output, error = curl(*ca, version, "-w", " %{http_code}", f"https://127.0.0.1:{metrics_port}/version")
            results.check(f"and nothing else, {version}", code == 0 and output.endswith(" 404"), f"{output} {error}")
        results.check("and not without", curl(f"http://127.0.0.1:{metrics_port}/metrics")[0] != 0)
        for version in ("--http1.1", "--http2"):
            code, output, error = curl(*ca, version, *bad, f"https://{server.endpoint}/health")
            results.check(f"any host with TLS, {version}", code == 0 and output.endswith(" 200"), f"{code} {output} {error}")
        code, output, error = curl(*bad, f"http://127.0.0.1:{plain_port}/health")
        results.check("a foreign host without TLS", code == 0 and output.endswith(" 421"), f"{code} {output} {error}")


def check_made_certificate(results, arguments):
    server = SecureServer(arguments.server, ["--auto-tls"])
    folder = os.path.join(server.data_directory, "fixtures", "client")
    certificate = os.path.join(folder, "cert.pem")
    with server:
        code, output, error = curl("--cacert", certificate, f"https://{server.endpoint}/health")
        results.check("a made certificate", code == 0 and "true" in output, f"{code} {error}")
        for name in ("cert.pem", "key.pem"):
            results.equal(f"mode of {name}", os.stat(os.path.join(folder, name)).st_mode & 0o777, 0o600)
        text = openssl("x509", "-noout", "-text", "-in", certificate)
        results.check("is for the address", "IP Address:127.0.0.1" in text, text)
        results.check("its signature holds", "OK" in openssl("verify", "-CAfile", certificate, certificate))
        key = openssl("pkey", "-pubout", "-in", os.path.join(folder, "key.pem"))
        results.equal("its key is the certificate's", openssl("x509", "-noout", "-pubkey", "-in", certificate), key)
        got = etcdctl(ETCDCTL, f"https://{server.endpoint}", "--insecure-transport=false", "--insecure-skip-tls-verify",
                      "put", "k", "v")
        results.check("etcdctl that trusts anybody", got[:2] == (0, "OK\n"), got)
        # Libraries differ in what they take for an authority of its own.
        for number, binary in enumerate((ETCDCTL, ETCDCTL_35)):
            got = etcdctl(binary, f"https://{server.endpoint}", "--cacert", certificate, "get", "k")
            results.check(f"etcdctl {number} that trusts it", got[:2] == (0, "k\nv\n"), got)
        with secure_client(server.endpoint, certificate) as client:
            answer = client.call("KV/Range", pb.RangeRequest(key=b"k"), timeout=5)
            results.check("gRPC that trusts it", answer.ok, answer)
        with open(certificate, "rb") as file:
            first = file.read()
        server.stop()
        server.start()
        with open(certificate, "rb") as file:
            results.equal("is kept over a restart", file.read(), first)


def check_ctl(results, arguments, authority):
    """`strake ctl`, and with it the client library, verifies the server and shows a certificate."""
    pair, own = authority.issue("server"), authority.issue("ctl")
    foreign = Authority("fifth")
    mutual = pair.server_flags() + ["--client-cert-auth", "--trusted-ca-file", authority.certificate]
    server = SecureServer(arguments.server, mutual)
    path = os.path.join(server.directory, "tls.sock")
    server.urls.append(f"unixs://{path}")

    def ctl(endpoint, *words):
        done = subprocess.run([arguments.server, "ctl", "--endpoints", endpoint, "--command-timeout", "2s", *words],
                              capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout, done.stderr

    ca, shown = ["--cacert", authority.certificate], own.etcdctl()
    with server:
        url = f"https://{server.endpoint}"
        for name, endpoint in (("https", url), ("no scheme", server.endpoint), ("unixs", f"unixs://{path}")):
            results.equal(f"ctl, {name}", ctl(endpoint, *ca, *shown, "put", "k", name)[:2], (0, "OK\n"))
            results.equal(f"ctl reads, {name}", ctl(endpoint, *ca, *shown, "get", "k")[:2], (0, f"k\n{name}\n"))
        got = ctl(url, "--insecure-skip-tls-verify", *shown, "get", "k")
        results.equal("ctl that trusts anybody", got[:2], (0, "k\nunixs\n"))
        for name, words in (("another authority", ["--cacert", foreign.certificate, *shown]), ("no certificate", ca),
                            ("the system's authorities", shown)):
            code, output, error = ctl(url, *words, "get", "k")
            results.check(f"ctl with {name} is refused", code != 0 and not output and error.startswith("Error: "), error)
        code, _, error = ctl(url, "--cacert", "/nonexistent", "get", "k")
        results.check("ctl names a file that is not there", code != 0 and "/nonexistent: no such file" in error, error)
        code, _, error = ctl(url, "--cert", own.certificate, "get", "k")
        results.check("ctl names the flag that is missing", code != 0 and "--cert and --key go together" in error, error)


# MARK: Beside etcd

def start_beside(stack, arguments, flags):
    """The server and its peers with the same flags."""
    return [stack.enter_context(SecureServer(binary, flags, label=label)) for binary, label in
            [(arguments.server, "strake")] + [(peer, "etcd") for peer in arguments.peers]]


def check_certificate_users(results, arguments, authority):
    """Who shows a certificate and no token is the user with the certificate's name, as with etcd."""
    pair = authority.issue("server")
    users = {name: authority.issue(name) for name in ("root", "ann", "nobody")}
    mutual = pair.server_flags() + ["--client-cert-auth", "--trusted-ca-file", authority.certificate]
    script = [
        ("root", "user", "add", "root", "--no-password"), ("root", "user", "grant-role", "root", "root"),
        ("root", "user", "add", "ann", "--no-password"), ("root", "role", "add", "app"),
        ("root", "role", "grant-permission", "app", "readwrite", "/app/", "--prefix=true"),
        ("root", "user", "grant-role", "ann", "app"), ("root", "auth", "enable"),
        ("ann", "put", "/app/a", "1"), ("ann", "get", "/app/", "--prefix"), ("ann", "put", "/b", "1"),
        ("ann", "user", "add", "eve", "--no-password"), ("nobody", "put", "/app/a", "2"), ("nobody", "get", "/app/a"),
        ("root", "put", "/b", "2"), ("root", "get", "", "--prefix"),
    ]
    with contextlib.ExitStack() as stack:
        servers = start_beside(stack, arguments, mutual)
        for name, *words in script:
            own = ["--cacert", authority.certificate, *users[name].etcdctl()]
            ours, *theirs = [etcdctl(ETCDCTL_35, f"https://{server.endpoint}", *own, *words) for server in servers]
            for answer, peer in zip(theirs, arguments.peers):
                results.equal(f"{name}: {' '.join(words)}, beside {peer_name(peer)}", ours[:2], answer[:2])
            if words == ["put", "/b", "1"]:
                results.check("which is refused", ours[0] != 0 and "permission denied" in ours[2], ours)


def check_gateway_certificate(results, arguments, authority):
    """etcd's gateway is a client of its own member and needs a client's certificate; here it needs none."""
    serving, asking = authority.issue("serving", usage="serverAuth"), authority.issue("asking", usage="clientAuth")
    mutual = serving.server_flags() + ["--client-cert-auth", "--trusted-ca-file", authority.certificate]
    two = mutual + ["--client-cert-file", asking.certificate, "--client-key-file", asking.key]
    for name, binary, flags in (("strake", arguments.server, mutual), ("strake with --client-cert-file", arguments.server, two),
                                ("etcd with --client-cert-file", arguments.peer, two)):
        with SecureServer(binary, flags) as server:
            url = f"https://{server.endpoint}/v3/kv/put"
            done = curl("--cacert", authority.certificate, *asking.curl(), "-d", '{"key":"YQ=="}', url)
            results.check(f"the gateway of {name}", done[0] == 0 and '"revision":"2"' in done[1], done)


def outcome(server, authority, pair, tls12=False):
    """How a client that speaks first is treated: what it reads, or how it fails."""
    context = ssl.create_default_context(cafile=authority.certificate)
    if tls12:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if pair:
        context.load_cert_chain(pair.certificate, pair.key)
    try:
        with socket.create_connection(("127.0.0.1", server.client_port), 5) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as protected:
                protected.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return protected.recv(12) or "closed"
    except ssl.SSLError as error:
        return f"refused: {error.reason}"
    except OSError as error:
        return f"closed: {type(error).__name__}"


def check_beside_etcd(results, arguments, authority):
    """The same flags, the same clients, the same treatment."""
    pair, good, revoked = authority.issue("server"), authority.issue("good"), authority.issue("revoked")
    named, serving = authority.issue("named", sans="DNS:named.example"), authority.issue("serving", usage="serverAuth")
    chained, orphan = authority.issue_chain("chained-client"), authority.issue_chain("orphan")
    authority.revoke(revoked)
    authority.revoke_between("orphan")
    crl = authority.write_revocations(der=True)
    foreign = Authority("third").issue("foreign")
    mutual = pair.server_flags() + ["--client-cert-auth", "--trusted-ca-file", authority.certificate]
    setups = {"certificate": pair.server_flags(), "client certificates": mutual, "revocations": mutual + ["--client-crl-file", crl],
              "host names": mutual + ["--client-cert-allowed-hostname", "named.example"],
              "an authority alone": pair.server_flags() + ["--trusted-ca-file", authority.certificate],
              "a missing list": mutual + ["--client-crl-file", crl]}
    for setup, flags in setups.items():
        with contextlib.ExitStack() as stack:
            servers = start_beside(stack, arguments, flags)
            if setup == "a missing list":
                os.rename(crl, crl + ".away")
            for name, own in {"nobody": None, "good": good, "revoked": revoked, "named": named, "foreign": foreign,
                              "for servers only": serving, "behind an authority between": chained,
                              "behind a revoked authority": orphan}.items():
                for tls12 in (False, True):
                    ours, *theirs = [allowed(outcome(server, authority, own, tls12)) for server in servers]
                    for treatment, peer in zip(theirs, arguments.peers):
                        version = "TLS 1.2" if tls12 else "TLS 1.3"
                        results.equal(f"{setup}, {name}, {version}, beside {peer_name(peer)}", ours, treatment)
            if setup == "a missing list":
                os.rename(crl + ".away", crl)


def allowed(treatment):
    """How a refusal reaches the client depends on which packet it sees first, with either server; that it is one does not."""
    return "served" if treatment == b"HTTP/1.1 200" else "not served"


# MARK: Flags

def check_flags(results, arguments, authority):
    pair = authority.issue("server")
    mine, nowhere = pair.server_flags(), ["--cert-file=/nonexistent", "--key-file=/nonexistent"]
    https = ["--listen-client-urls=https://127.0.0.1:0"]
    cases = [
        (https, r"TLS key/cert \(--cert-file, --key-file\) must be provided for client url https://127.0.0.1:0 with HTTPS scheme"),
        (https + nowhere, r"open /nonexistent: no such file or directory"),
        (https + ["--cert-file", pair.certificate], r"KeyFile and CertFile must both be present\[key: , cert: "),
        (["--cipher-suites=FOO"], r'unexpected TLS cipher suite \\"FOO\\"|unexpected TLS cipher suite "FOO"'),
        (["--tls-min-version=TLS9"], r"unexpected TLS version .*TLS9.* \(must be one of: TLS1.2, TLS1.3\)"),
        (["--tls-min-version=TLS1.3", "--tls-max-version=TLS1.2"], r"min version \(TLS1.3\) is greater than max version \(TLS1.2\)"),
        (["--tls-min-version=TLS1.3", "--cipher-suites=TLS_AES_128_GCM_SHA256"],
         r"cipher suites cannot be configured when only TLS1.3 is enabled"),
        (["--auto-tls", "--self-signed-cert-validity=0"], r"selfSignedCertValidity is invalid,it should be greater than 0"),
        (["--client-cert-file=x"], r"ClientKeyFile and ClientCertFile must both be present or both absent"),
        (https + mine + ["--client-crl-file=/nonexistent"], r"open /nonexistent: no such file or directory"),
        (https + mine + ["--trusted-ca-file=/nonexistent"], r"open /nonexistent: no such file or directory"),
        (["--listen-peer-urls=https://127.0.0.1:0"], r"KeyFile and CertFile are not presented"),
        (["--listen-peer-urls=https://127.0.0.1:0", "--peer-cert-file", pair.certificate, "--peer-key-file", pair.key,
          "--peer-cert-allowed-cn=a", "--peer-cert-allowed-hostname=b"], r"AllowedCN and AllowedHostname are mutually exclusive"),
        (["--listen-client-urls=unix:///" + "x" * 120], r"longer than 107 bytes"),
    ]
    for flags, pattern in cases:
        server = Server(arguments.server)
        others = ["--listen-client-urls", "http://127.0.0.1:0"] if not any("client-urls" in flag for flag in flags) else []
        others += ["--listen-peer-urls", "http://127.0.0.1:0"] if not any("peer-urls" in flag for flag in flags) else []
        done = subprocess.run(command_for(arguments.server) + ["--data-dir", server.data_directory] + others + flags,
                              capture_output=True, text=True, timeout=30, cwd=server.directory)
        results.check(f"flags {' '.join(flags)[:100]}", done.returncode == 1 and re.search(pattern, done.stderr), done)
        secrets = open(pair.key).read().splitlines()[1]
        results.check("and no key in what it says", secrets not in done.stderr)
        server.remove()
    with SecureServer(arguments.server, mine + ["--tls-min-version=TLS1.3"]) as server:
        results.check("TLS 1.2 where 1.3 is wanted", outcome(server, authority, None, tls12=True) != b"HTTP/1.1 200")
        results.equal("TLS 1.3", outcome(server, authority, None), b"HTTP/1.1 200")
    with SecureServer(arguments.server, mine + ["--tls-max-version=TLS1.2", "--cipher-suites",
                                                "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]) as server:
        context = ssl.create_default_context(cafile=authority.certificate)
        with socket.create_connection(("127.0.0.1", server.client_port), 5) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as protected:
                results.equal("the suite that was chosen", protected.cipher()[:2], ("ECDHE-ECDSA-AES256-GCM-SHA384", "TLSv1.2"))


def main():
    arguments = parse_arguments(__doc__, 120)

    def body(results):
        authority = Authority()
        check_server_certificate(results, arguments, authority)
        check_client_certificates(results, arguments, authority)
        check_listeners(results, arguments, authority)
        check_metrics_and_hosts(results, arguments, authority)
        check_ctl(results, arguments, authority)
        check_made_certificate(results, arguments)
        check_cluster(results, arguments, authority)
        check_certificate_users(results, arguments, authority)
        check_gateway_certificate(results, arguments, authority)
        check_beside_etcd(results, arguments, authority)
        check_flags(results, arguments, authority)

    run(arguments, body)


if __name__ == "__main__":
    main()
