"""Members of a new cluster that nobody has told of each other: they find each other through another cluster, or by DNS."""

import json
import os
import re
import subprocess
import sys
import time

from auth import PASSWORD, ROOT, set_up
from cluster import Member
from discovery_srv import IMPOSSIBLE
from harness import Server, command_for, eventually, free_ports, parse_arguments, run
from tls_certificates import Authority, SecureServer, secure_client
from wire import Client, pb

REGISTRY = "/_etcd/registry"
PASSWORD_TEXT = PASSWORD if isinstance(PASSWORD, str) else PASSWORD.decode()


class Seeker(Member):
    """A member that has to find the others."""

    def __init__(self, binary, number, token, endpoints, flags=()):
        super().__init__(binary, number, flags)
        self.discovery = ["--discovery-token", token, "--discovery-endpoints", endpoints]

    def command(self):
        words = Server.command(self)
        place = words.index("--initial-cluster")
        return [self.name if word == "m1" else word for word in words[:place]] + self.discovery + self.flags

    def said(self, text, timeout=20):
        return eventually(lambda: text in self.log_since(self.log_start).decode(errors="replace"), timeout)

    def gives_up(self):
        """(exit code, the error that it ended with)"""
        code = self.process.wait(20)
        lines = [json.loads(line) for line in self.log_since(self.log_start).decode().splitlines() if line.startswith("{")]
        return code, lines[-1].get("error", lines[-1]["msg"])


def write_size(client, token, size):
    client.must("KV/Put", pb.PutRequest(key=f"{REGISTRY}/{token}/_config/size".encode(), value=str(size).encode()))


def registered(client, token):
    """{member id: what it wrote}"""
    prefix = f"{REGISTRY}/{token}/members/".encode()
    answer = client.must("KV/Range", pb.RangeRequest(key=prefix, range_end=prefix[:-1] + b"0"))
    return {int(pair.key[len(prefix):], 16): pair.value.decode() for pair in answer.kvs}


def members_of(member):
    with Client(member.endpoint) as client:
        answer = client.must("Cluster/MemberList", pb.MemberListRequest(linearizable=True))
    return {one.ID: (one.name, sorted(one.peerURLs)) for one in answer.members}


# MARK: The way it should go

def check_three(results, binary, registry, kind):
    """Three find each other, a fourth has no place, and who has data does not ask again."""
    token = "three/of-them"
    with Client(registry.endpoint) as client:
        write_size(client, token, 3)
        # With a scheme or without, and one of them down: all that etcd takes.
        endpoints = f"127.0.0.1:{free_ports(1)[0]},http://{registry.endpoint}"
        members = [Seeker(binary, number, token, endpoints) for number in (1, 2, 3)]
        fourth = Seeker(binary, 4, token, registry.endpoint)
        try:
            for member in members[:2]:
                member.launch()
            for member in members[:2]:
                results.check(f"{kind}: {member.name} waits for the others",
                              member.said("waiting for peers from discovery service"), member.log_tail())
            members[2].launch()
            for member in members:
                member.wait_until_ready()
            expected = {number: (f"m{number}", [members[number - 1].peer_url]) for number in (1, 2, 3)}
            found = members_of(members[0])
            results.equal(f"{kind}: the members", sorted(found.values()), sorted(expected.values()))
            results.equal(f"{kind}: all know the same", [members_of(member) for member in members[1:]], [found, found])
            results.equal(f"{kind}: what is registered, by their ids", registered(client, token),
                          {id: f"{name}={urls[0]}" for id, (name, urls) in found.items()})
            with Client(members[0].endpoint) as one, Client(members[2].endpoint) as other:
                one.must("KV/Put", pb.PutRequest(key=b"k", value=b"v"))
                results.equal(f"{kind}: they are one cluster",
                              other.must("KV/Range", pb.RangeRequest(key=b"k")).kvs[0].value, b"v")
            code, error = fourth.launch().gives_up()
            results.check(f"{kind}: a fourth is refused", code == 1 and "discovery: cluster is full" in error, error)
            results.equal(f"{kind}: and leaves no trace", len(registered(client, token)), 3)
            members[1].stop()
            registry.stop()
            members[1].start()
            results.check(f"{kind}: a member with data does not ask again",
                          members[1].said("discovery token is ignored since cluster already initialized"))
        finally:
            for member in [*members, fourth]:
                member.remove()
    registry.start()


def check_patience(results, binary, registry):
    """The registry is not there yet; a member waits, for it and for others, until it is stopped."""
    with Client(registry.endpoint) as client:
        write_size(client, "late", 1)
        write_size(client, "lonely", 2)
    registry.stop()
    urls = [f"http://127.0.0.1:{port}" for port in free_ports(2)]
    late = Seeker(binary, 1, "late", registry.endpoint,
                  ["--discovery-request-timeout=300ms", "--discovery-dial-timeout=200ms",
                   "--listen-peer-urls", ",".join(urls), "--initial-advertise-peer-urls", ",".join(reversed(urls))])
    lonely = Seeker(binary, 2, "lonely", registry.endpoint)
    try:
        started = time.monotonic()
        late.launch()
        results.check("a registry that does not answer is told",
                      late.said("failed to get cluster size from discovery service", 5), late.log_tail())
        results.check("after the timeout", time.monotonic() - started < 3, time.monotonic() - started)
        results.check("and that it is tried again", late.said('"backoff":"2s"', 5), late.log_tail())
        registry.start()
        late.wait_until_ready()
        with Client(registry.endpoint) as client:
            results.equal("a member of two URLs registers both", list(registered(client, "late").values()),
                          [",".join(f"m1={url}" for url in sorted(urls))])
            results.equal("and has both", list(members_of(late).values()), [("m1", sorted(urls))])
            lonely.launch()
            results.check("one that waits", lonely.said("waiting for peers"), lonely.log_tail())
            # What is no member, and is removed again, changes nothing.
            stray = f"{REGISTRY}/lonely/members/1".encode()
            client.must("KV/Put", pb.PutRequest(key=stray, value=b"nothing"))
            client.must("KV/DeleteRange", pb.DeleteRangeRequest(key=stray))
            results.check("is not confused by what is no member",
                          lonely.said("invalid peer info returned from discovery service"), lonely.log_tail())
        results.equal("stops when it is told to", lonely.stop(), 0)
    finally:
        late.remove()
        lonely.remove()


# MARK: Who is refused

def check_refusals(results, binary, registry):
    with Client(registry.endpoint) as client:
        for size in ("none", "0", "-3", "1x"):
            write_size(client, f"bad{size}", size)
        write_size(client, "clash", 2)
        client.must("KV/Put", pb.PutRequest(key=f"{REGISTRY}/clash/members/1".encode(), value=b"m1=http://127.0.0.1:1"))
        write_size(client, "garbage", 2)
        client.must("KV/Put", pb.PutRequest(key=f"{REGISTRY}/garbage/members/1".encode(), value=b"m9=nowhere"))
        write_size(client, "old", 1)
    for token, flags, pattern in (
            ("missing", [], r"^failed to join discovery cluster \(discovery: size key not found\).*/missing/_config/size"),
            ("badnone", [], r"discovery: size key is bad"), ("bad0", [], r"discovery: size key is bad"),
            ("bad-3", [], r"discovery: size key is bad"), ("bad1x", [], r"discovery: size key is bad"),
            ("clash", [], r"m1=http://127.0.0.1:1 but missing from --initial-advertise-peer-urls"),
            ("garbage", [], r"discovery: invalid peer URL.*nowhere"),
            ("old", ["--initial-cluster-state=existing"], r"should not be set when joining existing initial cluster")):
        member = Seeker(binary, 1, token, registry.endpoint, flags)
        code, error = member.launch().gives_up()
        results.check(f"refused: {token}", code == 1 and re.search(pattern, error), error)
        member.remove()


SEVERAL = ('multiple discovery or bootstrap flags are set. Choose one of \\"initial-cluster\\", '
           '\\"discovery-endpoints\\" or \\"discovery-srv\\"')


def check_flags(results, binary):
    both = ["--discovery-token=t", "--discovery-endpoints=127.0.0.1:1"]
    for flags, text in (
            (both[:1], "both --discovery-token and --discovery-endpoints must be set"),
            (both[1:], "both --discovery-token and --discovery-endpoints must be set"),
            (both + ["--initial-cluster=default=http://localhost:2380"], SEVERAL), (both + ["--discovery-srv=x.test"], SEVERAL),
            (["--initial-cluster=default=http://localhost:2380", "--discovery-srv=x.test"], SEVERAL),
            (["--discovery-token=t", "--discovery-endpoints=a:1,,b:1"],
             "--discovery-endpoints must not contain empty endpoints"),
            (["--discovery-token=t", "--discovery-endpoints=nowhere"], "--discovery-endpoints: endpoint \\\"nowhere\\\""),
            (both + ["--discovery-cert=/x"], "--discovery-cert and --discovery-key go together"),
            (both + ["--discovery-dial-timeout=-1s"], "--discovery-dial-timeout must not be below 0")):
        done = subprocess.run(command_for(binary) + flags, capture_output=True, text=True, timeout=20)
        results.check(f"flags {flags}", done.returncode == 1 and text in done.stderr + done.stdout, done.stderr)


# MARK: Protected registries

CONFIGURATION = """\
name: m1
data-dir: {directory}/data
listen-client-urls: http://127.0.0.1:{client}
advertise-client-urls: http://127.0.0.1:{client}
listen-peer-urls: http://127.0.0.1:{peer}
initial-advertise-peer-urls: http://127.0.0.1:{peer}
discovery-config:
  token: file
  client:
    endpoints: [{endpoint}]
    request-timeout: 5000000000
    auth:
      username: root
      password: {password}
"""


class Configured(Seeker):
    def command(self):
        path = os.path.join(self.directory, "configuration.yaml")
        with open(path, "w") as file:
            file.write(CONFIGURATION.format(directory=self.directory, client=self.client_port, peer=self.peer_port,
                                            endpoint=self.discovery[-1], password=PASSWORD_TEXT))
        return command_for(self.binary) + ["--config-file", path]


def check_users(results, arguments):
    with Server(arguments.peer, ["--bcrypt-cost=4"], label="registry") as registry, Client(registry.endpoint) as client:
        for token in ("split", "joined", "file", "wrong", "nobody"):
            write_size(client, token, 1)
        set_up(client)
        root = ["--discovery-user", ROOT if isinstance(ROOT, str) else ROOT.decode()]
        for token, member in (
                ("split", Seeker(arguments.server, 1, "split", registry.endpoint,
                                 root + ["--discovery-password", PASSWORD_TEXT])),
                ("joined", Seeker(arguments.server, 1, "joined", registry.endpoint,
                                  [root[0], f"{root[1]}:{PASSWORD_TEXT}"])),
                ("file", Configured(arguments.server, 1, "file", registry.endpoint))):
            member.start()
            results.equal(f"a user registers: {token}", [one[0] for one in members_of(member).values()], ["m1"])
            results.check(f"and the password is nowhere: {token}", PASSWORD_TEXT.encode() not in member.log_since(0))
            member.remove()
        wrong = Seeker(arguments.server, 1, "wrong", registry.endpoint, root + ["--discovery-password=not-this-one"])
        code, error = wrong.launch().gives_up()
        results.check("a wrong password is told", code == 1 and "authentication failed" in error, error)
        results.check("and not shown", b"not-this-one" not in wrong.log_since(0))
        wrong.remove()
        nobody = Seeker(arguments.server, 1, "nobody", registry.endpoint, root)
        nobody.launch()
        results.check("a user without a password is warned of", nobody.said("change nothing without each other"))
        results.check("and is nobody", nobody.said("user name is empty"), nobody.log_tail())
        nobody.remove()


def check_tls(results, arguments):
    authority, other = Authority("registry"), Authority("other")
    pair, own = authority.issue("server"), authority.issue("member")
    flags = pair.server_flags() + ["--trusted-ca-file", authority.certificate, "--client-cert-auth"]
    trust = ["--discovery-cacert", authority.certificate]
    shown = ["--discovery-cert", own.certificate, "--discovery-key", own.key]
    with SecureServer(arguments.peer, flags) as registry:
        with secure_client(registry.endpoint, authority.certificate, own) as client:
            for token in ("https", "bare", "anybody", "other"):
                write_size(client, token, 1)
        for token, endpoint, extra in (
                ("https", f"https://{registry.endpoint}", trust + shown), ("bare", registry.endpoint, trust + shown),
                ("anybody", registry.endpoint, shown + ["--discovery-insecure-skip-tls-verify"])):
            member = Seeker(arguments.server, 1, token, endpoint, extra)
            member.start()
            results.equal(f"TLS: {token}", [one[0] for one in members_of(member).values()], ["m1"])
            member.remove()
        for name, endpoint, extra in (
                ("another authority", f"https://{registry.endpoint}",
                 ["--discovery-cacert", other.certificate] + shown),
                ("no authority", registry.endpoint, ["--discovery-insecure-transport=false"]),
                ("no certificate of its own", f"https://{registry.endpoint}", trust),
                ("no TLS", f"http://{registry.endpoint}", trust + shown)):
            member = Seeker(arguments.server, 1, "other", endpoint, extra + ["--discovery-request-timeout=500ms"])
            member.launch()
            results.check(f"TLS refused: {name}", member.said("failed to get cluster size"), member.log_tail())
            member.remove()


def check_dns(results, arguments):
    """In a process of its own, since its network is another."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "discovery_srv.py")
    done = subprocess.run(
        [sys.executable, "-u", path, "--server", arguments.server, "--peer", arguments.peer, "--seed", str(arguments.seed)],
        capture_output=True, text=True, timeout=60)
    print(done.stdout + done.stderr, end="", flush=True)
    if done.returncode == IMPOSSIBLE:
        return
    counts = re.findall(r"^(\d+) passed, (\d+) failed$", done.stdout, re.MULTILINE)
    results.check("discovery by DNS", done.returncode == 0 and counts, done.stdout[-2000:] + done.stderr[-2000:])
    results.passed += int(counts[-1][0]) if counts else 0


def main():
    arguments = parse_arguments(__doc__, budget=80)

    def body(results):
        for kind, binary in (("Strake", arguments.server), ("etcd", arguments.peer)):
            with Server(binary, label=f"registry of {kind}") as registry:
                check_three(results, arguments.server, registry, kind)
                if kind == "Strake":
                    check_refusals(results, arguments.server, registry)
                    check_patience(results, arguments.server, registry)
        check_flags(results, arguments.server)
        check_users(results, arguments)
        check_tls(results, arguments)
        check_dns(results, arguments)

    run(arguments, body)


if __name__ == "__main__":
    main()
