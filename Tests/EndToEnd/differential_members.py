"""The same etcdctl commands about members against a live cluster of three and a live etcd cluster of three: exit codes
and output must be equal, but for ids, sizes, versions and times. Members come, learn, lead, die and go meanwhile."""

import json
import re
import shlex
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from cluster import Cluster, Member, wait_until_in_touch, wait_until_missed
from differential_cli import COMMON_MASKS, difference, environment
from harness import ETCDCTL, eventually, parse_arguments, run
from wire import pb

# What two equal clusters differ in, by field in JSON and by pattern in all else.
NOISE = ("dbSize", "dbSizeInUse", "raftIndex", "raftTerm", "raft_term", "raftAppliedIndex", "hash", "version", "took")
MASKS = COMMON_MASKS + (
    (rb'"(Version|DBSize|DBSizeInUse|RaftIndex|RaftTerm|RaftAppliedIndex|Hash)" : ("[^"]*"|\d+)', rb'"\1" : <n>'),
    (rb"\b3\.[4-7]\.\d+\b", b"<version>"),
    (rb"\d+(\.\d+)? [kM]?B\b", b"<size>"),
    (rb"took = [0-9.]+[mun\xc2\xb5]*s", b"took = <time>"),
    (rb"\| +[0-9.]+[m\xc2\xb5]*s +\|", b"| <time> |"),
    # The last columns of `endpoint status`: term and indexes.
    (rb"(true|false), (true|false), \d+, \d+, \d+,", rb"\1, \2, <n>, <n>, <n>,"),
    (rb"(true|false) +\| +(true|false) +\| +\d+ \| +\d+ \| +\d+ \|", rb"\1 | \2 | <n> | <n> | <n> |"),
    # `endpoint hashkv`: that all members have the same is checked apart.
    (rb"^(<client:[a-z0-9]+>), \d+$", rb"\1, <hash>"),
    (rb"(<client:[a-z0-9]+> *\|) +\d+ \|", rb"\1 <hash> |"),
    (rb"dial tcp [^ ]+ ", b"dial tcp <client> "),
)

class Side:
    """One cluster: who has which part in it, and what its output must be stripped of to be comparable."""

    def __init__(self, binary, label):
        self.cluster = Cluster(binary, 3)
        self.label = label
        self.parts, self.ids = {}, {}
        while not self.has_distinct_ports():
            self.parts = {f"m{number}": Member(binary, number) for number in (4, 5, 6)}

    def has_distinct_ports(self):
        members = self.cluster.members + list(self.parts.values())
        ports = {port for member in members for port in (member.client_port, member.peer_port)}
        return len(ports) == 12

    def learn(self):
        """Who leads may differ between the two, so members are called by their parts of this moment."""
        leader = self.cluster.leader()
        followers = [member for member in self.cluster.members if member is not leader]
        ids = self.cluster.ids()
        for part, member in zip(("leader", "follower1", "follower2"), [leader] + followers):
            self.parts[part], self.ids[part] = member, ids[member]
        self.cluster_id = self.cluster.status(leader).header.cluster_id

    def fill(self, text):
        for part, member in self.parts.items():
            text = text.replace("{peer:" + part + "}", member.peer_url).replace("{client:" + part + "}", member.endpoint)
        for part, number in self.ids.items():
            text = text.replace("{" + part + "}", f"{number:x}")
        return text

    def do(self, asked, command):
        """(exit code, stdout, stderr) of etcdctl, masked."""
        endpoints = ",".join(self.parts[part].endpoint for part in asked.split(","))
        words = [ETCDCTL, f"--endpoints={endpoints}"] + [self.fill(word) for word in shlex.split(command)]
        done = subprocess.run(words, capture_output=True, timeout=60, env=environment())
        added = re.search(r"member add (\w+).*peer:(\w+)", command)
        if added and done.returncode == 0:
            self.ids[added.group(1)] = next(each.ID for each in self.members(self.parts[asked])
                                            if self.parts[added.group(1)].peer_url in each.peerURLs)
        return done.returncode, self.levelled(done.stdout), sorted(self.mask(done.stderr).splitlines())

    def levelled(self, output):
        """Members come in the order of their ids, which differ: lines, blocks and lists in an order of their own."""
        if output.startswith((b"{", b"[")):
            return json.dumps(self.levelled_json(json.loads(output)), sort_keys=True)
        lines = []
        for line in self.mask(output).splitlines():
            if line.startswith(b"ETCD_INITIAL_CLUSTER="):
                name, _, members = line.partition(b"=")
                line = name + b"=" + b",".join(sorted(members.strip(b'"').split(b",")))
            # Tables are as wide as what is in them.
            lines.append(re.sub(rb"-+", b"-", re.sub(rb" +", b" ", line)))
        if b'"ID" : ' in output:
            blocks = b"\n".join(lines).replace(b'"ID" :', b'\n"ID" :').split(b"\n\n")
            return sorted(block.strip() for block in blocks)
        return sorted(lines)

    def levelled_json(self, value):
        if isinstance(value, dict):
            return {name: "<n>" if name in NOISE else self.levelled_json(each) for name, each in value.items()}
        if isinstance(value, list):
            return sorted((self.levelled_json(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
        if isinstance(value, bool):
            return value
        return self.mask(str(value).encode()).decode()

    def mask(self, output):
        for part, member in self.parts.items():
            output = output.replace(member.peer_url.encode(), f"<peer:{part}>".encode())
            output = output.replace(b"http://" + member.endpoint.encode(), f"<client:{part}>".encode())
            output = output.replace(member.endpoint.encode(), f"<client:{part}>".encode())
            output = re.sub(rb"(?<![:<])\b%s\b(?!>)" % member.name.encode(), f"<name:{part}>".encode(), output)
        for part, number in list(self.ids.items()) + [("cluster", self.cluster_id)]:
            output = re.sub(rb"\b0*(%x|%d)\b" % (number, number), f"<{part}>".encode(), output)
        for pattern, replacement in MASKS:
            output = re.sub(pattern, replacement, output, flags=re.MULTILINE)
        return output

    def wait_until_in_touch(self):
        for part in ("leader", "follower1"):
            wait_until_in_touch(self.cluster, self.parts[part])

    def wait_until_missed(self):
        for part in ("leader", "follower1"):
            wait_until_missed(self.cluster, self.parts[part])

    def join(self, part):
        member = self.parts[part]
        # etcd's new member asks whom it finds first, which may not have applied its addition yet.
        eventually(lambda: all(self.ids[part] in {each.ID for each in self.members(other)}
                               for other in self.cluster.members))
        self.cluster.members.append(member)
        member.initial, member.state = self.cluster.initial(), "existing"
        member.start()

    def members(self, member):
        return self.cluster.client(member).must("Cluster/MemberList", pb.MemberListRequest()).members

    def gone(self, part):
        """Waits for a removed member to end by itself. What is left of it is nobody's member any more."""
        member = self.parts[part]
        ended = member.process is None or eventually(lambda: member.process.poll() is not None)
        member.kill()
        self.cluster.members.remove(member)
        return ended

    def remove(self):
        self.cluster.remove()
        for member in self.parts.values():
            member.remove()


EVERYBODY = "leader,follower1,follower2"

JUST_STARTED = """
follower1> member add m4 --peer-urls={peer:m4}
follower1> member add m4 --learner --peer-urls={peer:m4}
leader> member add m4 --peer-urls={peer:m4}
"""

IN_TOUCH = f"""
leader> put a 1
leader> member list
follower1> member list -w json
follower1> member list -w table
follower1> member list -w fields
{EVERYBODY}> endpoint status
{EVERYBODY}> endpoint status -w json
{EVERYBODY}> endpoint status -w table
{EVERYBODY}> endpoint status -w fields
follower1> endpoint status --cluster
{EVERYBODY}> endpoint health
{EVERYBODY}> endpoint health -w table
follower1> endpoint health --cluster
{EVERYBODY}> endpoint hashkv
{EVERYBODY}> endpoint hashkv -w json
{EVERYBODY}> endpoint hashkv -w table
follower1> endpoint hashkv --cluster --rev 2
follower1> endpoint hashkv --rev 99
follower1> member add
follower1> member add m4
follower1> member add m4 --peer-urls=
follower1> member add m4 --peer-urls=nonsense
follower1> member add m4 --peer-urls=127.0.0.1:1
follower1> member add m4 --peer-urls=http://127.0.0.1
follower1> member add m4 --peer-urls=ftp://127.0.0.1:1
follower1> member add m4 --peer-urls=http://127.0.0.1:1/path
follower1> member add m4 --peer-urls={{peer:follower2}}
leader> member add m4 --learner --peer-urls={{peer:m4}},{{peer:leader}}
follower1> member remove
follower1> member remove zz
follower1> member remove 5
follower1> member promote
follower1> member promote zz
follower1> member promote 5
follower1> member promote {{follower2}}
leader> member promote {{follower2}}
follower1> member update
follower1> member update {{follower2}}
follower1> member update 5 --peer-urls={{peer:m4}}
follower1> member update {{follower2}} --peer-urls={{peer:leader}}
follower1> member update {{follower2}} --peer-urls={{peer:follower2}}
leader> member update {{follower2}} --peer-urls={{peer:follower2}},{{peer:m6}} -w json
leader> member list
follower2> member update {{follower2}} --peer-urls={{peer:follower2}} -w fields
leader> member list -w json
leader> move-leader
leader> move-leader zz
leader> move-leader 5
follower1> move-leader {{follower2}}
leader> move-leader {{leader}}
"""

LEARNER_ADDED = """
follower1> member add m4 --learner --peer-urls={peer:m4}
follower1> member list
follower1> member list -w json
follower1> member promote {m4}
leader> member promote {m4}
follower1> member add m5 --learner --peer-urls={peer:m5}
leader> move-leader {m4}
follower1> member update {m4} --peer-urls={peer:m5}
follower1> member update {m4} --peer-urls={peer:m4}
follower1> member remove {m4}
follower1> member remove {m4}
"""

LEARNER_ADDED_AGAIN = """
leader> member add m4 --learner --peer-urls={peer:m4} -w json
follower1> member list
"""

LEARNER_STARTED = f"""
follower1> member list
follower1> member list -w table
{EVERYBODY},m4> endpoint status
{EVERYBODY},m4> endpoint status -w json
leader> move-leader {{m4}}
"""

PROMOTED = f"""
follower1> member promote {{m4}}
follower1> member list -w json
{EVERYBODY},m4> endpoint status
{EVERYBODY},m4> endpoint health
{EVERYBODY},m4> move-leader {{m4}}
"""

MOVED_BACK = """
m4> member list
follower1> member remove {m4}
"""

# The second follower is dead.
ONE_DEAD = f"""
follower1> member add m5 --peer-urls={{peer:m5}}
leader> member add m5 --learner --peer-urls={{peer:m5}}
leader> member remove {{follower1}}
follower1> member remove {{follower1}}
follower1> member remove {{leader}}
{EVERYBODY}> endpoint health
leader,follower1> endpoint health
follower1> member remove {{follower2}}
follower1> member list
leader,follower1> endpoint status
"""

TWO_LEFT = """
follower1> member add m5 --peer-urls={peer:m5}
follower1> member list
follower1> member add m6 --peer-urls={peer:m6}
leader> member remove {follower1}
follower1> member remove {leader}
follower1> member promote {m5}
leader> member remove {m5}
leader> member list -w json
leader> member remove {follower1}
"""

ONE_LEFT = """
leader> member list
leader> member remove {leader}
leader> endpoint status -w json
leader> endpoint health
leader> put a 2
leader> member add m6 --peer-urls={peer:m6}
"""


class Comparison:
    def __init__(self, results, sides):
        self.results, self.sides = results, sides
        self.pool = ThreadPoolExecutor(2)
        self.count = 0

    def both(self, function, *arguments):
        return list(self.pool.map(lambda side: function(side, *arguments), self.sides))

    def do(self, script):
        for line in script.strip().splitlines():
            asked, _, command = line.partition("> ")
            self.compare(line, self.both(Side.do, asked, command))

    def compare(self, name, answers):
        self.count += 1
        server, peer = answers
        self.results.check(name, server == peer, f"server {difference(server, peer)}\npeer   {difference(peer, server)}")

    def promote_once_caught_up(self):
        """When the learner has the log is each cluster's own business; that it then can be promoted is not."""
        def caught_up(side):
            leader = side.cluster.status(side.parts["leader"])
            return eventually(lambda: side.cluster.status(side.parts["m4"]).raftIndex >= leader.raftIndex)
        self.results.check("the learners catch up", all(self.both(caught_up)))

    def moved(self, part):
        self.results.check(f"{part} leads", all(self.both(
            lambda side: eventually(lambda: side.cluster.leader() is side.parts[part]))))

    def same_hashes(self, side):
        """All members of one cluster have one hash, which `endpoint hashkv` shows."""
        endpoints = ",".join(side.parts[part].endpoint for part in EVERYBODY.split(","))
        done = subprocess.run([ETCDCTL, f"--endpoints={endpoints}", "endpoint", "hashkv"], capture_output=True,
                              timeout=30, env=environment())
        found = {line.rsplit(b", ", 1)[1] for line in done.stdout.splitlines()}
        return len(done.stdout.splitlines()) == 3 and len(found) == 1


def compare(results, sides):
    comparison = Comparison(results, sides)
    comparison.both(lambda side: side.cluster.start())
    comparison.both(Side.learn)
    comparison.do(JUST_STARTED)
    comparison.both(Side.wait_until_in_touch)
    comparison.do(IN_TOUCH)
    results.check("one hash on all members", all(comparison.both(comparison.same_hashes)))
    comparison.do(LEARNER_ADDED)
    # etcd makes ids of URLs and the time in seconds: within one it would be the removed one's.
    time.sleep(1.1)
    comparison.do(LEARNER_ADDED_AGAIN)
    comparison.both(Side.join, "m4")
    comparison.promote_once_caught_up()
    comparison.do(LEARNER_STARTED)
    comparison.do(PROMOTED)
    comparison.moved("m4")
    comparison.both(Side.wait_until_in_touch)
    comparison.both(lambda side: side.do("m4", "move-leader {leader}"))
    comparison.moved("leader")
    comparison.do(MOVED_BACK)
    results.check("the removed members end", all(comparison.both(Side.gone, "m4")))
    comparison.both(lambda side: side.parts["follower2"].kill())
    comparison.both(Side.wait_until_missed)
    comparison.do(ONE_DEAD)
    comparison.both(Side.gone, "follower2")
    comparison.both(Side.wait_until_in_touch)
    comparison.do(TWO_LEFT)
    results.check("the removed followers end", all(comparison.both(Side.gone, "follower1")))
    comparison.do(ONE_LEFT)
    print(f"{comparison.count} commands compared", flush=True)


def main():
    arguments = parse_arguments(__doc__, budget=90)

    def body(results):
        sides = [Side(arguments.server, "server"), Side(arguments.peer, "peer")]
        try:
            compare(results, sides)
        except Exception:
            for side in sides:
                for member in side.cluster.members:
                    print(f"{side.label} {member.label}:\n{member.log_tail()}", flush=True)
            raise
        finally:
            for side in sides:
                side.remove()

    run(arguments, body)


if __name__ == "__main__":
    main()
