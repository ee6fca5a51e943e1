"""Users, roles, permissions and tokens: against etcds, on three members, and by etcdctl."""

import os
import random
import subprocess
import tempfile
import threading

import grpc_scripts_auth
from cluster import Cluster, eventually, wait_until_cut
from grpc_scripts_auth import PASSWORD, READ, ROOT, WRITE, permission
from harness import PEERS, Server, ServerFailed, parse_arguments, peer_name, run, start_all
from pair import Pair
from wire import CallFailed, Client, pb

USER = "u"
BAD_TOKEN = "etcdserver: invalid auth token"
DENIED = "etcdserver: permission denied"
# Puts that show how long a client waits while others authenticate.
PUTS = 300


def compare_scripts(results, arguments):
    def random_rights(pair):
        grpc_scripts_auth.random_rights(pair, random.Random(arguments.seed), 60)

    for peer in arguments.peers:
        for script in grpc_scripts_auth.SCRIPTS + [random_rights]:
            compare_script(results, arguments, script, (), peer)
    # Mostly waiting: one peer is enough.
    compare_script(results, arguments, *grpc_scripts_auth.EXPIRY, arguments.peer)


def compare_script(results, arguments, script, flags, peer):
    if arguments.only not in script.__name__:
        return
    started = results.elapsed()
    pair = Pair(results, arguments, script.__name__, list(flags) + ["--bcrypt-cost=4"], peer)
    try:
        with pair:
            script(pair)
    except (ServerFailed, CallFailed) as error:
        results.check(f"{script.__name__} ran to its end", False, error)
    print(f"{script.__name__}: {pair.step} comparisons with etcd {pair.peer_version} in {results.elapsed() - started:.1f} s",
          flush=True)


def set_up(client):
    """Root, and a user who reads and writes below one prefix."""
    client.must("Auth/RoleAdd", pb.AuthRoleAddRequest(name="r"))
    for kind in (READ, WRITE):
        grant = permission(kind, b"p", b"q") if kind == READ else permission(kind, b"p/", b"p0")
        client.must("Auth/RoleGrantPermission", pb.AuthRoleGrantPermissionRequest(name="r", perm=grant))
    for name, password in ((ROOT, PASSWORD), (USER, "u's")):
        client.must("Auth/UserAdd", pb.AuthUserAddRequest(name=name, password=password))
    for name, role in ((ROOT, "root"), (USER, "r")):
        client.must("Auth/UserGrantRole", pb.AuthUserGrantRoleRequest(user=name, role=role))
    client.must("Auth/AuthEnable", pb.AuthEnableRequest())


def check_cluster(results, arguments):
    """A token that one member has given is good on all of them at once, and what one has changed binds all."""
    with Cluster(arguments.server, 3, ["--bcrypt-cost=4", "--snapshot-count=100"]) as cluster:
        leader = cluster.leader()
        set_up(cluster.client(cluster.followers()[0]))
        for client in (cluster.client(member) for member in cluster.members):
            client.authenticate(ROOT, PASSWORD)
        for giver in cluster.members:
            with Client(giver.endpoint) as client:
                for turn in range(20):
                    token = [("token", client.authenticate(USER, "u's"))]
                    for taker in cluster.members:
                        check_token(results, cluster.client(taker), token, f"{giver.label} to {taker.label}, {turn}")
        check_changes(results, cluster)
        check_restart(results, cluster, leader)
        check_snapshot(results, cluster)
        client = cluster.client(leader)
        # The member may be the one that was away, and has forgotten the token before.
        client.metadata = None
        client.authenticate(ROOT, PASSWORD)
        results.check("no alarm", not client.must("Maintenance/Alarm", pb.AlarmRequest()).alarms)


def check_token(results, client, token, name):
    """The first call with a new token decides: each kind of call is the first one in turn."""
    kinds = [("KV/Put", pb.PutRequest(key=b"p/1", value=b"v")), ("KV/Range", pb.RangeRequest(key=b"p/1")),
             ("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=100)),
             ("KV/Txn", pb.TxnRequest(compare=[pb.Compare(key=b"p/1")]))]
    turn = hash(name) % len(kinds)
    for method, request in kinds[turn:] + kinds[:turn]:
        results.equal(f"{method}, token of {name}", client.call(method, request, metadata=token).code, "OK")
    answer = client.call("KV/Put", pb.PutRequest(key=b"q", value=b"v"), metadata=token)
    results.equal(f"a put elsewhere, token of {name}", answer.text, DENIED)


def check_changes(results, cluster):
    one, two, three = (cluster.client(member) for member in cluster.members)
    with Client(two.endpoint) as user:
        user.authenticate(USER, "u's")
        with three.watch(dict(key=b"p/2"), metadata=user.metadata) as watch:
            results.check("the user watches", watch.next(10).created)
            one.must("Auth/RoleRevokePermission", pb.AuthRoleRevokePermissionRequest(role="r", key=b"p", range_end=b"q"))
            for number, client in enumerate((one, two, three)):
                answer = client.call("KV/Range", pb.RangeRequest(key=b"p/1"), metadata=user.metadata)
                results.equal(f"a revoked permission on member {number}", answer.text, DENIED)
            one.put(b"p/2", b"v")
            results.check("a watch that was there goes on", watch.next(10).events)
        with three.watch(dict(key=b"p/2"), metadata=user.metadata) as watch:
            reason = watch.next(10).cancel_reason
            results.equal("a new one does not", reason, f"rpc error: code = PermissionDenied desc = {DENIED}")
        two.must("Auth/UserChangePassword", pb.AuthUserChangePasswordRequest(name=USER, password="new"))
        for number, client in enumerate((one, two, three)):
            # The newest state, so that the member has heard of the change.
            client.must("Auth/UserGet", pb.AuthUserGetRequest(name=USER))
            answer = client.call("KV/Put", pb.PutRequest(key=b"p/1", value=b""), metadata=user.metadata)
            results.equal(f"a token from before the change, on member {number}", answer.text, BAD_TOKEN)


def check_restart(results, cluster, leader):
    """Who may do what outlives restarts, of one and of all."""
    for members in ([leader], cluster.members):
        for member in members:
            member.kill()
        for member in members:
            member.launch()
        for member in members:
            member.wait_until_ready()
        for member in members:
            client = cluster.client(member)
            client.metadata = None
            results.equal("after a restart nobody reads", client.call("KV/Range", pb.RangeRequest(key=b"p/1")).text,
                          "etcdserver: user name is empty")
            client.authenticate(ROOT, PASSWORD)
            results.equal("but root does", client.get(b"p/1").count, 1)


def check_snapshot(results, cluster):
    """A member that is sent the whole store has users and roles with it."""
    away = cluster.followers()[0]
    others = [member for member in cluster.members if member is not away]
    client = cluster.client(others[0])
    before = client.must("Maintenance/Status", pb.StatusRequest()).raftIndex
    away.kill()
    client.must("Auth/UserAdd", pb.AuthUserAddRequest(name="late", password="late's"))
    for number in range(300):
        client.put(b"p/%d" % number, b"x" * 100)
    wait_until_cut(cluster, before)
    away.start()
    with Client(away.endpoint) as late:
        results.equal("a member that was sent the store lets nobody in", late.call("KV/Range", pb.RangeRequest(key=b"p")).text,
                      "etcdserver: user name is empty")
        late.authenticate("late", "late's")
        results.equal("nor who has no role", late.call("KV/Range", pb.RangeRequest(key=b"p")).text, DENIED)
        late.authenticate(ROOT, PASSWORD)
        results.equal("it has all", late.get(b"p/", range_end=b"p0", count_only=True).count, 300)
    results.check("it came as a snapshot", eventually(lambda: b"applied snapshot" in away.log_since(0)))


def check_backup(results, arguments):
    """Users and roles go to an etcd and back by snapshots."""
    with Server(arguments.server, ["--bcrypt-cost=4"]) as server, Client(server.endpoint) as client:
        client.put(b"p/1", b"v")
        set_up(client)
        client.authenticate(ROOT, PASSWORD)
        blobs = client.call("Maintenance/Snapshot", pb.SnapshotRequest())
        results.equal("the snapshot", blobs.code, "OK")
        path = os.path.join(server.directory, "snapshot.db")
        with open(path, "wb") as file:
            file.write(b"".join(message.blob for message in blobs.message))
        other = os.path.join(server.directory, "other.db")
        saved = subprocess.run([arguments.server, "ctl", "snapshot", "save", other, "--endpoints", server.endpoint],
                               capture_output=True, text=True, timeout=60)
        results.equal("strake ctl without a user", (saved.returncode, "user name is empty" in saved.stderr), (5, True))
        saved = subprocess.run([arguments.server, "ctl", "snapshot", "save", other, "--endpoints", server.endpoint,
                                f"--user={ROOT}:{PASSWORD}"], capture_output=True, text=True, timeout=60)
        results.equal("strake ctl as root", saved.returncode, 0)
        etcdutl = os.path.join(PEERS, "etcd-3.5", "etcdutl")
        for binary in arguments.peers:
            check_restored(results, binary, [etcdutl, "snapshot"], path)
        check_restored(results, arguments.server, [arguments.server, "ctl", "snapshot"], path)


def check_restored(results, binary, tool, path):
    restored = Server(binary, label=f"restored {peer_name(binary)}")
    try:
        peer = f"http://127.0.0.1:{restored.peer_port}"
        done = subprocess.run(
            [*tool, "restore", path, "--data-dir", restored.data_directory, "--name", "m1", "--initial-cluster", f"m1={peer}",
             "--initial-advertise-peer-urls", peer], capture_output=True, text=True, timeout=60)
        if not results.equal(f"{tool[0]} restores it", done.returncode, 0):
            print(done.stdout + done.stderr)
            return
        restored.start()
        with Client(restored.endpoint) as client:
            name = restored.label
            results.equal(f"{name}: nobody reads", client.call("KV/Range", pb.RangeRequest(key=b"p/1")).text,
                          "etcdserver: user name is empty")
            client.authenticate(USER, "u's")
            results.equal(f"{name}: the user reads", client.get(b"p/1").kvs[0].value, b"v")
            results.equal(f"{name}: but not elsewhere", client.call("KV/Range", pb.RangeRequest(key=b"q")).text, DENIED)
            client.authenticate(ROOT, PASSWORD)
            results.equal(f"{name}: roles", list(client.must("Auth/UserGet", pb.AuthUserGetRequest(name=USER)).roles), ["r"])
            client.must("Auth/UserChangePassword", pb.AuthUserChangePasswordRequest(name=USER, password="x"))
            client.authenticate(USER, "x")
    finally:
        restored.remove()


def check_etcdctl(results, arguments):
    """The same commands to all, with each version of etcdctl."""
    commands = [line.split() for line in """
        role add r
        role grant-permission r read a c
        role grant-permission r readwrite p --prefix=true
        role get r
        role list
        user add root:rp
        user add u:up
        user grant-role root root
        user grant-role u r
        user get u --detail
        auth enable
        --user=root:rp user list
        --user=root:rp put a 1
        --user=u:up get a
        --user=u:up get b
        --user=u:up get z
        --user=u:up put a 2
        --user=u:up put p1 2
        --user=u:wrong get a
        --user=nobody:x get a
        get a
        --user=u:up user get u
        --user=u:up user list
        --user=root:rp role revoke-permission r a c
        --user=u:up get a
        --user=root:rp user revoke-role u r
        --user=u:up put p1 3
        --user=root:rp role delete r
        --user=root:rp user delete u
        --user=u:up get a
        --user=root:rp auth disable
        get a""".strip().splitlines()]
    for version in ("3.4", "3.5"):
        etcdctl = os.path.join(PEERS, f"etcd-{version}", "etcdctl")
        servers = [Server(binary, ["--bcrypt-cost=4"]) for binary in (arguments.server, *arguments.peers)]
        try:
            start_all(servers)
            for command in commands:
                ours, *theirs = (ctl(etcdctl, server, command) for server in servers)
                for answer, peer in zip(theirs, arguments.peers):
                    results.equal(f"etcdctl {version} {' '.join(command)}, beside {peer_name(peer)}", ours, answer)
        finally:
            for server in servers:
                server.remove()


def ctl(etcdctl, server, command):
    done = subprocess.run([etcdctl, "--endpoints", server.endpoint, *command], capture_output=True, text=True, timeout=30,
                          env={**os.environ, "ETCDCTL_API": "3"})
    # etcdctl's own log line names the endpoint and the time; the error follows it.
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    return done.returncode, done.stdout, errors


def check_load(results, arguments):
    """Many clients authenticate, also with wrong passwords, and do not keep others waiting."""
    with Server(arguments.server) as server, Client(server.endpoint) as client:
        set_up(client)
        client.authenticate(ROOT, PASSWORD)
        stop = threading.Event()
        counts = {"right": 0, "wrong": 0}

        def authenticate(kind, password):
            with Client(server.endpoint) as other:
                while not stop.is_set():
                    request = pb.AuthenticateRequest(name=USER, password=password)
                    code = other.call("Auth/Authenticate", request).code
                    if code not in ("OK", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"):
                        results.check("authenticating under load", False, code)
                    counts[kind] += 1

        threads = [threading.Thread(target=authenticate, args=each)
                   for each in [("right", "u's")] * 4 + [("wrong", "x")] * 4]
        for thread in threads:
            thread.start()
        started = results.elapsed()
        for number in range(PUTS):
            client.put(b"p/%d" % number, b"v")
        seconds = results.elapsed() - started
        results.check("both went on", eventually(lambda: min(counts.values()) > 10), counts)
        stop.set()
        for thread in threads:
            thread.join()
        took = results.elapsed() - started
        print(f"{PUTS} puts in {seconds:.2f} s, beside {counts['right'] / took:.0f} right and "
              f"{counts['wrong'] / took:.0f} wrong authentications a second", flush=True)
        results.check("puts are not kept waiting", seconds < 10, f"{seconds:.2f} s")
        log = server.log_since(0).decode()
        results.check("no password and no token in the log",
                      not any(secret in log for secret in (PASSWORD, "u's", client.metadata[0][1])))


ALGORITHMS = ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
# One of each kind.
OF_OLDER_PEERS = ("HS256", "RS384", "PS512", "ES256")
CURVES = {"ES256": "prime256v1", "ES384": "secp384r1", "ES512": "secp521r1"}


def make_keys(directory, algorithm):
    """(public, private) paths; an HS algorithm has a secret only."""
    private, public = (os.path.join(directory, f"{algorithm}.{part}") for part in ("key", "pub"))
    if algorithm.startswith("HS"):
        with open(private, "wb") as file:
            file.write(os.urandom(64))
        return None, private
    if algorithm in CURVES:
        openssl("ecparam", "-name", CURVES[algorithm], "-genkey", "-noout", "-out", private)
    elif algorithm == "EdDSA":
        openssl("genpkey", "-algorithm", "ed25519", "-out", private)
    else:
        openssl("genrsa", "-out", private, "2048")
    openssl("pkey", "-in", private, "-pubout", "-out", public)
    return public, private


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


def check_jwt(results, arguments):
    """Tokens that one server has signed are good on the other, and for nothing else."""
    with tempfile.TemporaryDirectory(prefix="strake-e2e-") as directory:
        for algorithm in ALGORITHMS:
            public, private = make_keys(directory, algorithm)
            option = f"jwt,sign-method={algorithm},priv-key={private},ttl=10m" + (f",pub-key={public}" if public else "")
            exchange_tokens(results, arguments, algorithm, option, arguments.peer)
            if algorithm in OF_OLDER_PEERS:
                for peer in arguments.peers[1:]:
                    exchange_tokens(results, arguments, algorithm, option, peer)
        check_verify_only(results, arguments, directory)


def exchange_tokens(results, arguments, algorithm, option, peer):
    servers = [Server(binary, ["--bcrypt-cost=4", f"--auth-token={option}"]) for binary in (arguments.server, peer)]
    try:
        start_all(servers)
        clients = [Client(server.endpoint) for server in servers]
        tokens = []
        for client in clients:
            set_up(client)
            tokens.append(client.authenticate(USER, "u's"))
        for taker, token, name in ((clients[0], tokens[1], "etcd's to Strake"), (clients[1], tokens[0], "Strake's to etcd")):
            metadata = [("token", token)]
            put = taker.call("KV/Put", pb.PutRequest(key=b"p/1", value=b"v"), metadata=metadata)
            results.equal(f"{algorithm}: a token of {name}", put.code, "OK")
            put = taker.call("KV/Put", pb.PutRequest(key=b"q", value=b"v"), metadata=metadata)
            results.equal(f"{algorithm}: allows no more, {name}", put.text, DENIED)
            put = taker.call("KV/Put", pb.PutRequest(key=b"p/1", value=b"v"), metadata=[("token", token[:-8] + "AAAAAAAA")])
            results.equal(f"{algorithm}: a changed token of {name}", put.text, BAD_TOKEN)
        clients[0].authenticate(ROOT, PASSWORD)
        clients[0].must("Auth/RoleAdd", pb.AuthRoleAddRequest(name="more"))
        old = clients[0].call("KV/Put", pb.PutRequest(key=b"p/1", value=b"v"), metadata=[("token", tokens[0])])
        results.equal(f"{algorithm}: after a change of roles", old.text, "etcdserver: revision of auth store is old")
        for client in clients:
            client.close()
    finally:
        for server in servers:
            server.remove()


def check_verify_only(results, arguments, directory):
    """A member with only the public key takes tokens that another one has signed."""
    public, private = make_keys(directory, "EdDSA")
    flags = [["--bcrypt-cost=4", f"--auth-token=jwt,sign-method=EdDSA,{key}"] for key in
             (f"priv-key={private}", f"pub-key={public}")]
    with Server(arguments.server, flags[0]) as signer, Server(arguments.server, flags[1]) as checker:
        with Client(signer.endpoint) as one, Client(checker.endpoint) as two:
            set_up(one)
            set_up(two)
            token = [("token", one.authenticate(USER, "u's"))]
            answer = two.call("Auth/Authenticate", pb.AuthenticateRequest(name=USER, password="u's"))
            results.equal("without a private key", (answer.code, answer.text),
                          ("UNKNOWN", "auth: token signing attempted with verify-only key"))
            results.equal("a token of another server",
                          two.call("KV/Put", pb.PutRequest(key=b"p/1", value=b"v"), metadata=token).code, "OK")
    for option, words in (("jwt", "sign-method must be one of"), ("jwt,sign-method=none", "sign-method must be one of"),
                          ("jwt,sign-method=RS256", "RS256 needs priv-key"), ("other", "must be 'simple' or 'jwt,'"),
                          ("jwt,sign-method=RS256,pub-key=/none", "cannot read /none"),
                          ("jwt,sign-method=HS256,priv-key=%s,ttl=x" % private, "ttl must be a duration"),
                          (f"jwt,sign-method=ES256,priv-key={private}", "no key for ES256")):
        server = Server(arguments.server, [f"--auth-token={option}"])
        try:
            server.start()
            results.check(f"--auth-token={option} is refused", False)
        except ServerFailed as error:
            results.check(f"--auth-token={option} is refused with {words!r}", words in str(error), error)
        finally:
            server.remove()


def main():
    arguments = parse_arguments(__doc__, 90, only=("", "run only the parts whose name has this"))

    def body(results):
        compare_scripts(results, arguments)
        for check in (check_etcdctl, check_backup, check_jwt, check_load, check_cluster):
            if arguments.only in check.__name__:
                started = results.elapsed()
                check(results, arguments)
                print(f"{check.__name__}: {results.elapsed() - started:.1f} s", flush=True)

    run(arguments, body)


if __name__ == "__main__":
    main()
