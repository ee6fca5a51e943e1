"""Three members that speak TLS to each other and ask for certificates, and who they do not let in."""

import json
import os
import subprocess
import urllib.request

from cluster import Cluster, Member
from harness import eventually
from wire import pb


class SecureMember(Member):
    @property
    def peer_url(self):
        return f"https://127.0.0.1:{self.peer_port}"


class SecureCluster(Cluster):
    """`flags_of` gives each member's own flags, by its name."""

    def __init__(self, binary, count, flags_of):
        super().__init__(binary, 0)
        self.members = [SecureMember(binary, number + 1) for number in range(count)]
        for member in self.members:
            member.flags = flags_of(member.name)
            member.initial = self.initial()


def peer_flags(authority, pair, *more):
    return ["--peer-cert-file", pair.certificate, "--peer-key-file", pair.key, "--peer-client-cert-auth",
            "--peer-trusted-ca-file", authority.certificate, *more]


def rejections(member):
    lines = member.log_since(0).decode(errors="replace").splitlines()
    return [json.loads(line)["error"] for line in lines if '"rejected connection' in line]


def told(member, text):
    return eventually(lambda: text in member.log_since(0).decode(errors="replace"))


def check_cluster(results, arguments, authority):
    names = ("m1", "m2", "m3")
    pairs = {name: authority.issue(f"peer-{name}", common_name="member") for name in names}
    stranger = authority.issue("stranger", common_name="stranger")
    revocations = authority.write_revocations()
    cluster = SecureCluster(arguments.server, 3, lambda name: peer_flags(
        authority, pairs[name], "--peer-cert-allowed-cn=member", "--peer-crl-file", revocations))
    with cluster:
        check_work(results, cluster, "with certificates")
        check_plain_peer(results, cluster, authority)
        check_stranger(results, cluster, authority, arguments, stranger)
        # A member's new certificate counts when it connects again; the others' streams go on.
        victim = cluster.followers()[0]
        authority.issue(f"peer-{victim.name}", common_name="stranger")
        victim.kill()
        victim.launch()
        results.check("a member with another name in its certificate is kept out",
                      eventually(lambda: any("common name" in line for member in cluster.members if member is not victim
                                             for line in rejections(member))))
        results.check("the others go on", cluster.client(others(cluster, victim)[0]).call(
            "KV/Put", pb.PutRequest(key=b"k", value=b"3")).ok)
        authority.issue(f"peer-{victim.name}", common_name="member")
        results.check("and with the right one it is in again, without a restart", eventually(
            lambda: cluster.client(victim).call("KV/Range", pb.RangeRequest(key=b"k"), timeout=2).ok, 30))
    check_made(results, arguments)
    check_two_certificates(results, arguments, authority)


def others(cluster, victim):
    return [member for member in cluster.members if member is not victim]


def check_work(results, cluster, how):
    leader = cluster.leader()
    for number, member in enumerate(cluster.members):
        answer = cluster.client(member).call("KV/Put", pb.PutRequest(key=b"k", value=str(number).encode()))
        results.check(f"{how}: a write through {member.label}", answer.ok, answer)
        got = cluster.client(leader).must("KV/Range", pb.RangeRequest(key=b"k"))
        results.equal(f"{how}: is read at the leader", got.kvs[0].value, str(number).encode())


def check_plain_peer(results, cluster, authority):
    member = cluster.members[0]
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{member.peer_port}/members", timeout=5)
        results.check("plain HTTP on a peer port", False)
    except OSError:
        results.check("plain HTTP on a peer port is refused", told(member, "does not look like a TLS handshake"))
    done = subprocess.run(["curl", "-sS", "--max-time", "5", "--cacert", authority.certificate,
                           f"https://127.0.0.1:{member.peer_port}/members"], capture_output=True)
    results.check("and so is who has no certificate", done.returncode != 0
                  and told(member, "peer did not return a certificate"), done)


def check_stranger(results, cluster, authority, arguments, stranger):
    """The list of members is for those with the right name; and one that joins gets to know it."""
    url = f"https://127.0.0.1:{cluster.members[0].peer_port}/members"
    done = subprocess.run(["curl", "-sS", "--max-time", "5", "--cacert", authority.certificate,
                           "--cert", stranger.certificate, "--key", stranger.key, url], capture_output=True)
    results.check("who has another name is refused", done.returncode != 0 or not done.stdout, done)
    results.check("and told of", told(cluster.members[0], "the common name is not allowed"))
    asker = authority.issue("asker", common_name="member")
    done = subprocess.run(["curl", "-sS", "--max-time", "5", "--cacert", authority.certificate,
                           "--cert", asker.certificate, "--key", asker.key, url], capture_output=True, check=True)
    results.equal("who has the right name hears who is in the cluster",
                  sorted(member["name"] for member in json.loads(done.stdout)), ["m1", "m2", "m3"])
    fourth = SecureMember(arguments.server, 4)
    fourth.flags = peer_flags(authority, authority.issue("peer-m4", common_name="member"))
    wanted = pb.MemberAddRequest(peerURLs=[fourth.peer_url])
    leader = cluster.leader()
    results.check("a member is added", eventually(lambda: cluster.client(leader).call("Cluster/MemberAdd", wanted).ok))
    cluster.members.append(fourth)
    fourth.initial, fourth.state = cluster.initial(), "existing"
    fourth.start()
    results.check("and joins over TLS", eventually(
        lambda: cluster.client(fourth).call("KV/Range", pb.RangeRequest(key=b"k"), timeout=2).ok))


def check_two_certificates(results, arguments, authority):
    """A member that shows others one certificate and asks them with another, as with etcd: which of the two has to be for
    what, and for where."""
    serving = authority.issue("serving-peer", usage="serverAuth")
    asking = authority.issue("asking-peer", usage="clientAuth")
    elsewhere = authority.issue("elsewhere", usage="clientAuth", sans="IP:192.0.2.1")
    for binary in (arguments.server, arguments.peer):
        skip = "--peer-skip-client-san-verification"
        skip = skip if binary == arguments.server else skip.replace("--", "--experimental-", 1)
        for name, own, more, works in (("one certificate that is for servers only", None, [], False),
                                       ("another one for asking", asking, [], True),
                                       ("another one, for another address", elsewhere, [], False),
                                       ("another one, and no look at the address", elsewhere, [skip], True)):
            if own:
                more = more + ["--peer-client-cert-file", own.certificate, "--peer-client-key-file", own.key]
            cluster = SecureCluster(binary, 2, lambda _: peer_flags(authority, serving, *more))
            check_meeting(results, f"{os.path.basename(binary)}, {name}", cluster, works)
            if works and own is asking and binary == arguments.server:
                check_next_certificate(results, arguments, authority)


def check_meeting(results, name, cluster, works):
    """Whether two members that need each other come together, or refuse each other."""
    try:
        for member in cluster.members:
            member.launch()
        if works:
            for member in cluster.members:
                member.wait_until_ready()
                answer = cluster.client(member).call("KV/Put", pb.PutRequest(key=b"k"))
                results.check(f"{name}: a write through {member.label}", answer.ok, answer)
        else:
            for member in cluster.members:
                results.check(f"{name}: {member.label} refuses, again and again",
                              eventually(lambda: len(rejections(member)) >= 5), member.log_tail())
        for member in cluster.members:
            results.equal(f"{name}: {member.label} refuses or is ready", (bool(rejections(member)), member.is_ready()),
                          (not works, works))
    finally:
        cluster.remove()


def check_next_certificate(results, arguments, authority):
    """The certificate that a member asks with is read again when it is replaced."""
    pairs = {name: authority.issue(f"asking-{name}", common_name="member", usage="clientAuth") for name in ("m1", "m2", "m3")}
    serving = authority.issue("serving-member", common_name="member", usage="serverAuth")
    with SecureCluster(arguments.server, 3, lambda name: peer_flags(
            authority, serving, "--peer-cert-allowed-cn=member", "--peer-client-cert-file", pairs[name].certificate,
            "--peer-client-key-file", pairs[name].key)) as cluster:
        # The leader is who has to reach the other one: a stranger that follows would keep nobody out.
        leader, away = cluster.leader(), cluster.followers()[0]
        authority.issue(f"asking-{leader.name}", common_name="stranger", usage="clientAuth")
        away.kill()
        away.launch()
        results.check("whose next certificate has another name is kept out", eventually(
            lambda: any("common name" in line for line in rejections(away))), away.log_tail())
        count = len(rejections(away))
        authority.issue(f"asking-{leader.name}", common_name="member", usage="clientAuth")
        results.check("until the one after that", eventually(
            lambda: cluster.client(away).call("KV/Put", pb.PutRequest(key=b"k"), timeout=2).ok), rejections(away)[count:])


def check_made(results, arguments):
    """Certificates that members make for themselves, and that nobody verifies."""
    with SecureCluster(arguments.server, 3, lambda name: ["--peer-auto-tls"]) as cluster:
        check_work(results, cluster, "with made certificates")
        for member in cluster.members:
            path = os.path.join(member.data_directory, "fixtures", "peer", "key.pem")
            results.equal(f"mode of the key of {member.label}", os.stat(path).st_mode & 0o777, 0o600)
