"""Members of a new cluster that DNS names, and clients who find it so: Strake's beside etcd's, from the same zone, in a
network of their own."""

import ctypes
import json
import os
import re
import subprocess
import tempfile

from cluster import Member
from dns_server import A, AAAA, SRV, DNSServer
from harness import ETCDCTL_35, Server, command_for, eventually, parse_arguments, run, start_all
from tls_certificates import Authority
from wire import Client, pb

_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
IMPOSSIBLE = 77


def enter_private_network():
    """Before any thread is started. False where it is impossible."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS | _CLONE_NEWNET) != 0:
        print(f"namespaces are impossible here: {os.strerror(ctypes.get_errno())}", flush=True)
        return False
    with tempfile.NamedTemporaryFile("w", prefix="strake-e2e-resolv-", delete=False) as file:
        file.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    try:
        for command in (["mount", "--make-rprivate", "/"], ["mount", "--bind", file.name, "/etc/resolv.conf"],
                        ["ip", "link", "set", "lo", "up"]):
            subprocess.run(command, check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"namespaces are impossible here: {error}", flush=True)
        return False
    finally:
        # The mount keeps it.
        os.unlink(file.name)
    return True


class Named(Member):
    """A member that knows its own URL and a domain."""

    def __init__(self, binary, number, domain, scheme="http", host=None, flags=()):
        super().__init__(binary, number, flags)
        self.domain, self.scheme = domain, scheme
        self.host = host or f"m{number}.{domain}"

    def command(self):
        client = f"http://{self.endpoint}"
        return command_for(self.binary) + [
            "--name", self.name, "--data-dir", self.data_directory,
            "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", f"{self.scheme}://127.0.0.1:{self.peer_port}",
            "--initial-advertise-peer-urls", f"{self.scheme}://{self.host}:{self.peer_port}",
            "--initial-cluster-state", self.state, "--initial-cluster-token", "of-dns",
            "--discovery-srv", self.domain,
        ] + self.flags

    def said(self, text, timeout=20):
        return eventually(lambda: text in self.log_since(self.log_start).decode(errors="replace"), timeout)

    def gives_up(self):
        """(exit code, the error that it ended with)"""
        code = self.launch().process.wait(20)
        lines = [json.loads(line) for line in self.log_since(self.log_start).decode().splitlines() if line.startswith("{")]
        return code, next((line["error"] for line in reversed(lines) if "error" in line), lines)


def publish(dns, domain, members, service="etcd-server"):
    dns.zone[f"_{service}._tcp.{domain}", SRV] = [
        (number, 10, member.peer_port, f"m{member.name[1:]}.{domain}") for number, member in enumerate(members)]
    for member in members:
        dns.zone[f"m{member.name[1:]}.{domain}", A] = ["127.0.0.1"]


def members_of(member):
    with Client(member.endpoint) as client:
        answer = client.must("Cluster/MemberList", pb.MemberListRequest(linearizable=True))
    return sorted((one.name, list(one.peerURLs), list(one.clientURLs)) for one in answer.members)


def check_three(results, dns, arguments):
    """The same three, of each kind after the other, at the same ports."""
    found = {}
    ports = None
    for kind, binary in (("Strake", arguments.server), ("etcd", arguments.peer)):
        # One knows itself by an address, where the records have names.
        hosts = [None, "127.0.0.1", None]
        members = [Named(binary, number, "cluster.test", host=hosts[number - 1]) for number in (1, 2, 3)]
        ports = ports or [(member.client_port, member.peer_port) for member in members]
        for member, (client, peer) in zip(members, ports):
            member.client_port, member.peer_port = client, peer
        publish(dns, "cluster.test", members)
        try:
            start_all(members)
            results.check(f"{kind}: all come to have their names", eventually(
                lambda: [name for name, _, _ in members_of(members[0])] == ["m1", "m2", "m3"]), members_of(members[0]))
            lists = [members_of(member) for member in members]
            results.equal(f"{kind}: all know the same", lists, [lists[0]] * 3)
            found[kind] = lists[0]
            if kind == "Strake":
                check_restart(results, dns, members)
                check_joining(results, dns, members, binary)
        finally:
            for member in members:
                member.remove()
    results.equal("the members are those of etcd", found["Strake"], found["etcd"])
    expected = [(f"m{number}", [f"http://m{number}.cluster.test:{ports[number - 1][1]}"],
                 [f"http://127.0.0.1:{ports[number - 1][0]}"]) for number in (1, 2, 3)]
    results.equal("and those of the records", found["Strake"], expected)


def check_restart(results, dns, members):
    before = members_of(members[1])
    kept, dns.zone = dns.zone, {key: value for key, value in dns.zone.items() if key[1] != SRV}
    members[1].stop()
    dns.asked.clear()
    members[1].start()
    results.check("a member with data does not ask again", all(kind != SRV for _, kind in dns.asked), dns.asked)
    results.equal("and is who it was", members_of(members[1]), before)
    dns.zone = kept


def check_joining(results, dns, members, binary):
    fourth = Named(binary, 4, "cluster.test")
    fourth.state = "existing"
    publish(dns, "cluster.test", members + [fourth])
    url = f"http://m4.cluster.test:{fourth.peer_port}"
    with Client(members[0].endpoint) as client:
        # The one that was restarted is in touch again soon.
        request = pb.MemberAddRequest(peerURLs=[url])
        results.check("a member is added", eventually(lambda: client.call("Cluster/MemberAdd", request).code == "OK"))
        fourth.start()
        listed = [member for member in members_of(fourth) if member[1] == [url]]
        results.equal("a member that was added finds the others by DNS", [name for name, _, _ in listed], ["m4"])
        answer = client.must("Cluster/MemberList", pb.MemberListRequest(linearizable=True))
        client.must("Cluster/MemberRemove", pb.MemberRemoveRequest(
            ID=next(one.ID for one in answer.members if one.name == "m4")))
    fourth.remove()


def check_ctl(results, dns, arguments):
    """strake ctl and etcdctl 3.5 find a cluster's endpoints in the same way."""
    def run_both(*words):
        both = []
        for command in ([arguments.server, "ctl"], [ETCDCTL_35]):
            done = subprocess.run(command + list(words), capture_output=True, text=True, timeout=20,
                                  env=dict(os.environ, ETCDCTL_API="3"))
            # etcdctl leaves the dot at the end of a host's name.
            both.append((done.returncode, done.stdout.replace("test.:", "test:"), done.stderr.replace("test.:", "test:")))
        return both

    with Server(arguments.peer, label="etcd") as server:
        dns.zone["_etcd-client._tcp.ctl.test", SRV] = [(0, 0, server.client_port, "a.ctl.test")]
        dns.zone["_etcd-client-blue._tcp.ctl.test", SRV] = [(0, 0, server.client_port, "b.ctl.test")]
        for host in ("a", "b"):
            dns.zone[f"{host}.ctl.test", A] = ["127.0.0.1"]
        for words in (["--discovery-srv", "ctl.test"], ["-d", "ctl.test", "--discovery-srv-name", "blue"]):
            ours, etcds = run_both("put", "k", "v", *words)
            results.check(f"ctl put {words}", ours == etcds and ours[:2] == (0, "OK\n"), (ours, etcds))
        for kind, (code, _, error) in zip(("Strake", "etcd"), run_both(
                "get", "k", "-d", "ctl.test", "--insecure-discovery=false", "--endpoints", server.endpoint,
                "--command-timeout=500ms")):
            # Those of --endpoints are left, and are spoken to by TLS.
            results.check(f"ctl leaves out what is without TLS: {kind}", code != 0 and re.match(
                r'ignoring discovered insecure endpoint "http://a\.ctl\.test:[0-9]+"', error), (code, error))
        status = subprocess.run([arguments.server, "ctl", "endpoint", "status", "-d", "ctl.test"], capture_output=True,
                                text=True, timeout=20).stdout
        results.check("ctl asks for the status of what was found",
                      status.startswith(f"http://a.ctl.test:{server.client_port},"), status)
        with tempfile.TemporaryDirectory() as directory:
            done = subprocess.run([arguments.server, "ctl", "snapshot", "save", os.path.join(directory, "file"), "-d", "ctl.test"],
                                  capture_output=True, text=True, timeout=20)
        results.check("ctl saves a snapshot of what was found", done.returncode == 0 and "Snapshot saved at" in done.stdout, done)
        for kind, (code, _, error) in zip(("Strake", "etcd"), run_both("get", "k", "-d", "nowhere.test")):
            results.check(f"ctl of a domain without records: {kind}", code == 1 and re.search(
                r"dns lookup errors: lookup _etcd-client-ssl\._tcp\.nowhere\.test.*: no such host and lookup "
                r"_etcd-client\._tcp\.nowhere\.test.*: no such host", error), (code, error))


def check_secure(results, dns, arguments):
    """By https records, under another service name, of hosts that have an address of IPv6 too."""
    authority = Authority("peers")
    sans = "IP:127.0.0.1," + ",".join(f"DNS:m{number}.secure.test" for number in (1, 2, 3))
    pair = authority.issue("peer", sans=sans)
    flags = ["--peer-cert-file", pair.certificate, "--peer-key-file", pair.key,
             "--peer-trusted-ca-file", authority.certificate, "--peer-client-cert-auth",
             "--discovery-srv-name", "blue"]
    members = [Named(arguments.server, number, "secure.test", "https", flags=flags) for number in (1, 2, 3)]
    publish(dns, "secure.test", members, "etcd-server-ssl-blue")
    for member in members:
        dns.zone[f"{member.name}.secure.test", AAAA] = ["::1"]
    # What would be taken without the name.
    dns.zone["_etcd-server-ssl._tcp.secure.test", SRV] = [(0, 0, 1, "m1.secure.test")]
    try:
        start_all(members)
        results.equal("https, and a service name", [urls for _, urls, _ in members_of(members[2])],
                      [[f"https://{member.host}:{member.peer_port}"] for member in members])
    finally:
        for member in members:
            member.remove()


def check_errors(results, dns, arguments):
    lone = Named(arguments.server, 1, "lone.test")
    publish(dns, "lone.test", [lone])
    for name, domain, text in (
            ("no such domain", "nowhere.test",
             r"^error setting up initial cluster: error querying DNS SRV records for _etcd-server-ssl lookup "
             r"_etcd-server-ssl\._tcp\.nowhere\.test.*: no such host"),
            ("not among the records", "lone.test",
             r"^error setting up initial cluster: cannot find local etcd member \"m2\" in SRV records")):
        for kind, binary in (("Strake", arguments.server), ("etcd", arguments.peer)):
            member = Named(binary, 2, domain, host="127.0.0.1")
            code, error = member.gives_up()
            results.check(f"{name}: {kind}", code == 1 and re.search(text, str(error)), error)
            member.remove()
    dns.zone["_etcd-server._tcp.odd.test", SRV] = [(0, 0, 1, "a=b,c.odd.test")]
    dns.zone["_etcd-server._tcp.lost.test", SRV] = [(0, 0, 1, "gone.lost.test")]
    dns.zone["_etcd-server._tcp.none.test", SRV] = [(0, 0, 0, ".")]
    twice = Named(arguments.server, 1, "twice.test")
    publish(dns, "twice.test", [twice])
    dns.zone["other.twice.test", A] = ["127.0.0.1"]
    dns.zone["_etcd-server._tcp.twice.test", SRV].append((0, 0, twice.peer_port, "other.twice.test"))
    half = Named(arguments.server, 1, "half.test")
    publish(dns, "half.test", [half])
    dns.zone["_etcd-server._tcp.half.test", SRV].append((0, 0, 1, "gone.half.test"))
    other = Named(arguments.server, 1, "scheme.test", "https", flags=["--peer-auto-tls"])
    publish(dns, "scheme.test", [other])
    for member, text in (
            (Named(arguments.server, 1, "odd.test", host="127.0.0.1"), r"the answer cannot be read \(badName\)"),
            (Named(arguments.server, 1, "lost.test", host="127.0.0.1"), r"no address of gone.lost.test"),
            (Named(arguments.server, 1, "none.test", host="127.0.0.1"), r"no such host"),
            (half, r"name hosts without an address: http://gone.half.test:1"), (twice, r"several of the SRV records of twice.test lead to one of"),
            (Named(arguments.server, 1, "lone.test", host="unknown.lone.test"),
             r"cannot find local etcd member \"m1\" in SRV records: .*no address of this member's own http://unknown"),
            (other, r"has scheme mismatch with expected peer https://m1.scheme.test")):
        code, error = member.gives_up()
        results.check(f"refused: {member.domain}", code == 1 and re.search(text, str(error)), error)
        member.remove()


def main():
    arguments = parse_arguments(__doc__, budget=30)
    if not enter_private_network():
        raise SystemExit(IMPOSSIBLE)

    def body(results):
        dns = DNSServer()
        check_three(results, dns, arguments)
        check_secure(results, dns, arguments)
        check_errors(results, dns, arguments)
        check_ctl(results, dns, arguments)

    run(arguments, body)


if __name__ == "__main__":
    main()
