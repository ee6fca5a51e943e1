"""What strangers try: to be somebody by a certificate, to watch a member that knows nobody yet, to fill logs and memory, to
keep others out; random bytes at the auth service and at the TLS port; what the files' modes are and what the log says."""

import os
import random
import re
import socket
import ssl
import stat
import subprocess

import security_attacks
from auth import PASSWORD, ROOT, USER, set_up
from cluster import Cluster
from harness import Server, eventually, parse_arguments, peer_name, run
from tls import HANDSHAKES_MAX, ended
from tls_certificates import Authority, SecureServer, secure_client
from wire import METHODS, Client, pb

NOBODY = "etcdserver: user name is empty"
CASES = int(os.environ.get("STRAKE_FUZZ_CASES", "100000"))
EVERYTHING = dict(key=b"\0", range_end=b"\0")


# MARK: Who somebody is

def check_names_of_certificates(results, arguments):
    """Names in certificates are those of users where client-cert-auth says so, and not where there is only an authority."""
    authority = Authority("users")
    pair, root = authority.issue("server"), authority.issue("root")
    trust = pair.server_flags() + ["--trusted-ca-file", authority.certificate]
    forwarded = [("grpcgateway-accept", "application/json")]
    for name, flags in (("an authority alone", trust), ("client-cert-auth", trust + ["--client-cert-auth"])):
        answers = []
        for binary in (arguments.server, *arguments.peers):
            with SecureServer(binary, flags + ["--bcrypt-cost=4"]) as server:
                with secure_client(server.endpoint, authority.certificate, root) as client:
                    set_up(client)
                    answers.append([client.call("Auth/UserList", pb.AuthUserListRequest()).text,
                                    client.call("KV/Put", pb.PutRequest(key=b"k", value=b"v")).text,
                                    client.call("KV/Put", pb.PutRequest(key=b"k"), metadata=forwarded).text])
        for peer, theirs in zip(arguments.peers, answers[1:]):
            results.equal(f"the certificate's name counts as with {peer_name(peer)}: {name}", answers[0], theirs)
        results.equal(f"and who has it: {name}", answers[0], ["" if name == "client-cert-auth" else NOBODY] * 2 + [NOBODY])


def check_early(results, arguments):
    """A member that was away while users were made, and is alone, does not know yet whom it should refuse."""
    with Cluster(arguments.server, 3, ["--bcrypt-cost=4"]) as cluster:
        away = cluster.followers()[0]
        others = [member for member in cluster.members if member is not away]
        away.stop()
        client = cluster.client(others[0])
        set_up(client)
        for member in others:
            member.kill()
        away.launch()
        with Client(away.endpoint) as stranger, stranger.watch(EVERYTHING) as watch, stranger.watch() as crowd:
            for _ in range(12):
                crowd.create(key=b"k" * 200_000)
            crowd.take(lambda _: crowd.end, 5)
            results.equal("what it cannot look at yet is bounded", crowd.end and crowd.end.code, "RESOURCE_EXHAUSTED")
            alarm = stranger.begin("Maintenance/Alarm", pb.AlarmRequest(
                action=pb.AlarmRequest.ACTIVATE, alarm=pb.CORRUPT))
            for member in others:
                member.launch()
            for member in cluster.members:
                member.wait_until_ready()
            results.check("a stranger raises no alarm", not stranger.finish(alarm).ok)
            client.authenticate(ROOT, PASSWORD)
            secret = client.put(b"secret", b"v")
            # Once the member has it, a watch would have it next.
            with Client(away.endpoint) as root:
                root.authenticate(ROOT, PASSWORD)
                results.equal("the member has caught up", root.get(b"secret").kvs[0].mod_revision, secret.header.revision)
                with root.watch(dict(key=b"secret", start_revision=secret.header.revision)) as own:
                    results.equal("root's watch sees it", len(own.take_events(1)[-1].events), 1)
            messages = watch.take(lambda seen: seen[-1:] and (seen[-1].events or seen[-1].canceled))
            results.check("a stranger's watch does not", not any(message.events for message in messages), messages)
            results.check("but hears why, or ends", watch.end or NOBODY in messages[-1].cancel_reason, messages)
            results.check("there is no alarm", not client.must("Maintenance/Alarm", pb.AlarmRequest()).alarms)


# MARK: What strangers cost

def check_strangers_writes(results, arguments):
    with Server(arguments.server, ["--bcrypt-cost=4"]) as server, Client(server.endpoint) as client:
        set_up(client)
        token = [("token", client.authenticate(ROOT, PASSWORD))]
        client.metadata = None

        def index():
            answer = client.call("Maintenance/Status", pb.StatusRequest(), metadata=token)
            return answer.message.raftIndex
        before = index()
        put = pb.RequestOp(request_put=pb.PutRequest(key=b"k", value=b"v" * 1000))
        requests = [("KV/Put", pb.PutRequest(key=b"k", value=b"v" * 1000)), ("KV/Txn", pb.TxnRequest(success=[put])),
                    ("KV/DeleteRange", pb.DeleteRangeRequest(key=b"k")), ("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=60)),
                    ("KV/Compact", pb.CompactionRequest(revision=1)), ("Lock/Unlock", b"\n\x01k"),
                    ("Auth/UserAdd", pb.AuthUserAddRequest(name="x", options=dict(no_password=True))),
                    ("Auth/AuthDisable", pb.AuthDisableRequest()),
                    ("Maintenance/Alarm", pb.AlarmRequest(action=pb.AlarmRequest.ACTIVATE, alarm=pb.NOSPACE))]
        for method, request in requests:
            results.equal(f"a stranger's {method}", client.call(method, request).text, NOBODY)
        results.equal("none of them is in the log", index(), before)
        check_broken_watches(results, server, client, token)


def check_broken_watches(results, server, client, token):
    """A call that ends of a message that is none takes its watchers with it."""
    for metadata, creates in ((token, [EVERYTHING]), (None, [])):
        for _ in range(20):
            with client.watch(*creates, metadata=metadata) as watch:
                if creates:
                    results.check("a watch begins", watch.next(10).created)
                watch.send(b"\x0a\xff\xff\xff")
                watch.take(lambda _: watch.end)
                results.check("and ends of nonsense", watch.end and not watch.end.ok, watch.end)
    for name in ("watcher_total", "watch_stream_total"):
        results.check(f"nothing of them is left: {name}", eventually(
            lambda: server.metric(f"etcd_debugging_mvcc_{name}") == 0, 5), server.metric(f"etcd_debugging_mvcc_{name}"))


def check_flood(results, arguments):
    """Connections that say nothing do not keep out who means it."""
    authority = Authority("flood")
    with SecureServer(arguments.server, authority.issue("server").server_flags()) as server:
        crowd = [socket.create_connection(("127.0.0.1", server.client_port), 5) for _ in range(HANDSHAKES_MAX + 50)]
        for turn in range(3):
            with secure_client(server.endpoint, authority.certificate) as client:
                answer = client.call("KV/Range", pb.RangeRequest(key=b"k"), timeout=5)
                results.check(f"others are served beside {len(crowd)} silent ones, {turn}", answer.ok, answer)
        results.check("for whom the oldest had to go", eventually(lambda: len(ended(crowd)) >= 50, 5), len(ended(crowd)))
        for connection in crowd:
            connection.close()


# MARK: Random bytes

def requests_of_auth(numbers):
    """Requests of every method of the auth service, with names that are there and names that are not."""
    def name():
        return numbers.choice([USER, "r", ROOT, "", "x", "é", "n" * 200])

    def key():
        return numbers.choice([b"", b"p", b"p/", b"\0", b"\xff", numbers.randbytes(5)])
    perm = dict(permType=numbers.randrange(3), key=key(), range_end=key())
    fields = dict(name=name(), user=name(), role=name(), password=numbers.choice(["", "p", "p" * 80, "a\0b"]), key=key(),
                  range_end=key(), perm=perm, hashedPassword=numbers.choice(["", "JA==", "%"]))
    for method, description in METHODS.items():
        if method.startswith("Auth/"):
            known = description.request.DESCRIPTOR.fields_by_name
            yield description.path, description.request(**{field: value for field, value in fields.items() if field in known})


def damaged(data, numbers, most=1):
    data = bytearray(data)
    for _ in range(numbers.randrange(most + 1)):
        place = numbers.randrange(len(data) + 1)
        kind = numbers.randrange(4)
        if kind == 0:
            data[place:place + 1] = numbers.randbytes(1)
        elif kind == 1:
            data[place:place] = numbers.choice([b"\0", b"\xff", b"\x0a\x03", b"\x80\x80\x80\x80\x80\x01"])
        elif kind == 2:
            del data[place:]
        else:
            data += numbers.randbytes(numbers.randrange(20))
    return bytes(data)


def random_token(numbers, own):
    letters = "abcXYZ019.-_=+/ "
    made = "".join(numbers.choice(letters) for _ in range(numbers.randrange(60)))
    changed = own[:-1] + chr(ord(own[-1]) ^ 1)
    name = numbers.choice(["token", "authorization"])
    value = numbers.choice([made, made.strip() + ".1", "x.18446744073709551615", "x.99999999999", changed, own[:-1], own + "0",
                            own.upper(), "Bearer " + changed, "Bearer", "e30.e30.", "a" * 5000])
    return [(name, value.strip())]


def check_random_requests(results, arguments):
    """Whatever strangers and users who are not root ask of the auth service, it stays as it is."""
    numbers = random.Random(arguments.seed)
    with Server(arguments.server, ["--bcrypt-cost=4"]) as server, Client(server.endpoint) as client:
        set_up(client)
        root = [("token", client.authenticate(ROOT, PASSWORD))]
        own = client.authenticate(USER, "u's")
        client.metadata = None

        def state():
            users = client.call("Auth/UserList", pb.AuthUserListRequest(), metadata=root).message.users
            roles = client.call("Auth/RoleList", pb.AuthRoleListRequest(), metadata=root).message.roles
            status = client.call("Auth/AuthStatus", pb.AuthStatusRequest(), metadata=root).message
            perms = client.call("Auth/RoleGet", pb.AuthRoleGetRequest(role="r"), metadata=root).message.perm
            return list(users), list(roles), status.enabled, status.authRevision, [str(perm) for perm in perms]
        before, codes = state(), {}
        reading = ("AuthStatus", "Authenticate", "UserGet", "RoleGet")
        rounds = max(CASES // 1000, 20)
        for _ in range(rounds):
            for path, request in requests_of_auth(numbers):
                metadata = numbers.choice([None, [("token", own)], random_token(numbers, own)])
                data = damaged(request.SerializeToString(), numbers)
                answer = client.call_raw(path, data, metadata=metadata)
                codes[answer.code] = codes.get(answer.code, 0) + 1
                if answer.code == "UNAVAILABLE" or answer.ok and not path.endswith(reading):
                    results.check(f"{path} {data!r} {metadata} with seed {arguments.seed}", False, answer)
                    return
        results.equal("users and roles are as they were", state(), before)
        print(f"{rounds} rounds: {codes}", flush=True)
        results.check("requests were refused for many reasons", len(codes) > 4, codes)
        # Root may do everything, by accident too: what is written must be readable when the member begins again.
        for _ in range(rounds):
            for path, request in requests_of_auth(numbers):
                answer = client.call_raw(path, damaged(request.SerializeToString(), numbers), metadata=root)
                if answer.code == "UNAVAILABLE":
                    results.check(f"{path} {request} with seed {arguments.seed}", False, answer)
                    return
        revision = client.call("Auth/AuthStatus", pb.AuthStatusRequest(), metadata=None).message.authRevision
        results.check("root has changed something", revision > before[3], revision)
        results.equal("stops", server.stop(), 0)
        server.start()
        again = client.call("Auth/AuthStatus", pb.AuthStatusRequest()).message.authRevision
        results.equal("and is the same after a restart", again, revision)


class Handshake:
    """A client of TLS that says what it says into memory."""

    def __init__(self, authority):
        context = ssl.create_default_context(cafile=authority.certificate)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="127.0.0.1")

    def try_to(self, call, *arguments):
        """What the call returns, or True; None when it waits for the server."""
        try:
            return call(*arguments) or True
        except ssl.SSLWantReadError:
            return None


def served_in_pieces(server, authority, piece):
    """What a client hears whose bytes come in pieces."""
    client = Handshake(authority)
    with socket.create_connection(("127.0.0.1", server.client_port), 10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def send():
            data = client.outgoing.read()
            for start in range(0, len(data), piece):
                connection.sendall(data[start:start + piece])

        def receive():
            received = connection.recv(65536)
            client.incoming.write(received)
            return received
        while not client.try_to(client.tls.do_handshake):
            send()
            if not receive():
                return "closed"
        client.tls.write(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
        send()
        answer = b""
        while len(answer) < 15:
            answer += client.try_to(client.tls.read, 15 - len(answer)) or b""
            if len(answer) < 15 and not receive():
                return "closed"
        return answer


def check_random_bytes(results, arguments):
    """Greetings that are cut off, damaged or split: nothing of them is served but what is whole."""
    numbers = random.Random(arguments.seed)
    authority = Authority("bytes")
    with SecureServer(arguments.server, authority.issue("server").server_flags()) as server:
        client = Handshake(authority)
        client.try_to(client.tls.do_handshake)
        hello = client.outgoing.read()
        results.check("a greeting begins like one", hello[:2] == b"\x16\x03" and len(hello) > 100, hello)
        served = 0
        for _ in range(max(CASES // 200, 100)):
            data = numbers.choice([damaged(hello, numbers, 3), hello[:numbers.randrange(len(hello))], hello + hello,
                                   b"\x16\x03\x01\xff\xff" + numbers.randbytes(100), numbers.randbytes(200)])
            with socket.create_connection(("127.0.0.1", server.client_port), 10) as connection:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                answer = b""
                try:
                    while received := connection.recv(65536):
                        answer += received
                except ConnectionResetError:
                    pass
            # A greeting that is still one gets the server's, and nothing but TLS comes out of the port.
            if answer and answer[:1] not in (b"\x15", b"\x16"):
                results.check(f"{data!r} gets no answer but TLS's, seed {arguments.seed}", False, answer[:100])
                return
            served += answer[:1] == b"\x16"
        results.check("some greetings were good still", served > 0)
        for piece in (1, 7, 100_000):
            results.equal(f"a client whose bytes come {piece} at a time", served_in_pieces(server, authority, piece),
                          b"HTTP/1.1 200 OK")


# MARK: Files and lines

def check_files(results, arguments):
    """Nobody else reads what the server writes, and no secret is in what it says."""
    authority = Authority("files")
    pair = authority.issue("server")
    server = SecureServer(arguments.server, ["--auto-tls", "--bcrypt-cost=4", "--log-level=debug"])
    log = os.path.join(server.directory, "own.log")
    server.flags += ["--log-outputs", f"stderr,{log}"]
    socket_path = os.path.join(server.directory, "s")
    server.urls.append(f"unix://{socket_path}")
    previous = os.umask(0)
    try:
        server.start()
    finally:
        os.umask(previous)
    made = os.path.join(server.data_directory, "fixtures", "client", "cert.pem")
    with Client(f"unix:{socket_path}") as client:
        set_up(client)
        tokens = [client.authenticate(ROOT, PASSWORD), client.authenticate(USER, "u's")]
        client.call("Auth/Authenticate", pb.AuthenticateRequest(name=ROOT, password="wrong-password-7"))
        client.call("KV/Range", pb.RangeRequest(key=b"k"), metadata=[("token", "void-token-7.12345678")])
        backup = os.path.join(server.directory, "backup")
        done = subprocess.run([arguments.server, "ctl", "snapshot", "save", backup, "--endpoints", f"https://{server.endpoint}",
                               "--cacert", made, "--user", f"{ROOT}:{PASSWORD}"], capture_output=True, text=True, timeout=60)
        results.check("a snapshot is saved", done.returncode == 0, done.stderr)
    modes = {}
    for directory, folders, files in os.walk(server.directory):
        for name in folders + files:
            path = os.path.join(directory, name)
            modes[path] = stat.S_IMODE(os.lstat(path).st_mode)
    modes.pop(server.log_path)
    wrong = {path: oct(mode) for path, mode in modes.items() if mode != (0o700 if os.path.isdir(path) else 0o600)}
    results.check("files are their owner's alone, under whatever umask", len(modes) > 8 and not wrong, wrong)
    said = server.log_since(0).decode(errors="replace") + done.stdout + done.stderr
    with open(log, errors="replace") as file:
        said += file.read()
    for what, secret in (("password", PASSWORD), ("wrong password", "wrong-password-7"), ("void token", "void-token-7"),
                         ("token", tokens[0]), ("other token", tokens[1]), ("hash", "$2a$"), ("key", "PRIVATE KEY")):
        results.check(f"no {what} is in what was said", secret not in said)
    check_rules_without_certificates(results, arguments, pair)
    server.remove()


def check_rules_without_certificates(results, arguments, pair):
    """Rules for certificates that nobody has to show are told of."""
    server = Server(arguments.server, ["--peer-cert-allowed-cn=m"])
    server.flags += ["--listen-peer-urls", f"https://127.0.0.1:{server.peer_port}", "--peer-cert-file", pair.certificate,
                     "--peer-key-file", pair.key, "--initial-advertise-peer-urls", f"https://127.0.0.1:{server.peer_port}",
                     "--initial-cluster", f"m1=https://127.0.0.1:{server.peer_port}"]
    with server:
        text = server.log_since(0).decode()
        results.check("a rule that does nothing is told of", re.search(r"rules for certificates.*--peer-client-cert-auth", text), text)


def main():
    arguments = parse_arguments(__doc__, 60, only=("", "run only the parts whose name has this"))

    def body(results):
        for check in (check_names_of_certificates, check_early, check_strangers_writes, check_flood, check_random_requests,
                      check_random_bytes, check_files, security_attacks.check_attacks):
            if arguments.only in check.__name__:
                started = results.elapsed()
                check(results, arguments)
                print(f"{check.__name__}: {results.elapsed() - started:.1f} s", flush=True)

    run(arguments, body)


if __name__ == "__main__":
    main()
