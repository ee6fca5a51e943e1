"""`-w protobuf`: `strake ctl` and etcdctl 3.5 in turn give the same commands to one server, and leave it as they found it.
Exit codes and errors must be equal, and the messages too, once revisions are counted from where each began and what is
made up for each (ids of new members and of sessions' leases) is left out."""

import os
import re
import shlex
import subprocess

from differential_cli import environment, read_until_quiet
from harness import ETCDCTL_35, Server, parse_arguments, run
from wire import Client, pb

LOG_LINE = re.compile(rb'^\{"level".*\n', re.MULTILINE)
LEASE = 0x77
MEMBER = b"http://127.0.0.1:9"
TXN = b'mod("t1") = "0"\n\nput t1 v\nget t1\nput t2 w\ndel none\n\n\n'
TXN_READS = b'mod("t1") = "0"\n\nput t1 v\n\nget t1\ndel none\n\n'

# What is asked, and which message answers. None: text. A pair: the text in front of the message, and the message.
STEPS = (
    ("put a 1", pb.PutResponse), ("put a 2 --prev-kv", pb.PutResponse), (f"put leased x --lease={LEASE:x}", pb.PutResponse),
    ("get a", pb.RangeResponse), ("get --prefix ''", pb.RangeResponse), ("get --prefix '' --limit=1", pb.RangeResponse),
    ("get a --keys-only", pb.RangeResponse), ("get a --hex", pb.RangeResponse), ("get nosuch", pb.RangeResponse),
    ("get leased", pb.RangeResponse), ("get a --count-only", None), ("get a --print-value-only", None),
    ("get a --rev=999999", None),
    ("del a --prev-kv", pb.DeleteRangeResponse), ("del a", pb.DeleteRangeResponse),
    ("txn", pb.TxnResponse, TXN), ("txn", pb.TxnResponse, TXN_READS), ("del t1 t3", pb.DeleteRangeResponse),
    # Of leases there is the header alone, and of a revoked one an error.
    ("lease grant 100", pb.ResponseHeader), (f"lease timetolive {LEASE:x}", pb.ResponseHeader),
    (f"lease timetolive {LEASE:x} --keys", pb.ResponseHeader), ("lease timetolive 1", pb.ResponseHeader),
    ("lease list", pb.ResponseHeader), (f"lease keep-alive --once {LEASE:x}", pb.ResponseHeader),
    ("lease keep-alive --once 1", None), ("lease keep-alive 1", None), (f"lease revoke {LEASE:x}", None),
    ("lease revoke 1", None),
    ("member list", pb.MemberListResponse), ("member add m2 --learner --peer-urls=http://127.0.0.1:9", pb.MemberAddResponse),
    ("member list", pb.MemberListResponse), ("member update {member} --peer-urls=http://127.0.0.1:9,http://127.0.0.1:8",
                                             pb.MemberUpdateResponse),
    ("member promote {member}", None), ("member remove {member}", pb.MemberRemoveResponse), ("member remove 1", None),
    ("endpoint health", None), ("endpoint status", None), ("endpoint hashkv", None), ("defrag", None),
    ("alarm list", pb.AlarmResponse), ("alarm disarm", None),
    ("auth status", pb.AuthStatusResponse), ("user add u:p", pb.AuthUserAddResponse),
    ("user add n --no-password", pb.AuthUserAddResponse), ("user add u:p", None), ("user list", pb.AuthUserListResponse),
    ("user passwd u --interactive=false", pb.AuthUserChangePasswordResponse, b"new\n"),
    ("role add r", pb.AuthRoleAddResponse), ("role list", pb.AuthRoleListResponse),
    ("role grant-permission r readwrite k kk", pb.AuthRoleGrantPermissionResponse),
    ("role grant-permission r read --prefix p", pb.AuthRoleGrantPermissionResponse),
    ("role grant-permission r write --from-key z", pb.AuthRoleGrantPermissionResponse),
    ("role get r", pb.AuthRoleGetResponse), ("user grant-role u r", pb.AuthUserGrantRoleResponse),
    ("user get u", pb.AuthUserGetResponse), ("user get u --detail", (b"User: u\n\n", pb.AuthRoleGetResponse)),
    ("user revoke-role u r", pb.AuthUserRevokeRoleResponse),
    ("role revoke-permission r k kk", pb.AuthRoleRevokePermissionResponse), ("role delete r", pb.AuthRoleDeleteResponse),
    ("user delete u", pb.AuthUserDeleteResponse), ("user delete n", pb.AuthUserDeleteResponse), ("auth enable", None),
    ("user add a b", None), ("get a -w Protobuf", None),
)
# Those that go on until they are interrupted.
CONVERSATIONS = (
    ("watch --prefix '' --rev={next}", pb.WatchResponse), ("watch --prefix '' --rev={next} --prev-kv", pb.WatchResponse),
    ("watch -i", pb.WatchResponse, b"watch leased --rev={next}\n"),
    ("lock l", pb.RangeResponse), ("elect e v", pb.RangeResponse), ("elect -l held", pb.RangeResponse),
)


class Tool:
    """One of the programs: its answers in a form that does not depend on when they were given."""

    def __init__(self, results, server, program):
        self.results, self.server = results, server
        self.words = program + [f"--endpoints={server.endpoint}", "-w", "protobuf"]
        with Client(server.endpoint) as client:
            client.must("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=600, ID=LEASE))
            header = client.must("KV/Range", pb.RangeRequest(key=b"a")).header
            self.own_members = {member.ID for member in client.must("Cluster/MemberList", pb.MemberListRequest()).members}
        self.base, self.revision = header.revision, header.revision

    def answers(self):
        for command, answer, *stdin in STEPS:
            yield command, self.once(command, answer, *stdin)
        for command, answer, *stdin in CONVERSATIONS:
            yield command, self.conversation(command, answer, *stdin)
        # Watches of what is gone end by themselves.
        with Client(self.server.endpoint) as client:
            client.must("KV/Compact", pb.CompactionRequest(revision=self.revision))
        yield "watch of what is compacted", self.once("watch a --rev=1", pb.WatchResponse)
        yield "compaction of what is compacted", self.once(f"compaction {self.revision}", None)

    def arguments(self, command):
        return self.words + shlex.split(self.fill(command))

    def fill(self, text):
        member = f"{self.new_member():x}" if "{member}" in text else ""
        return text.replace("{member}", member).replace("{next}", str(self.base + 1))

    def new_member(self):
        with Client(self.server.endpoint) as client:
            members = client.must("Cluster/MemberList", pb.MemberListRequest()).members
        return next(member.ID for member in members if member.ID not in self.own_members)

    def once(self, command, answer, stdin=b""):
        done = subprocess.run(self.arguments(command), input=stdin, capture_output=True, timeout=30, env=environment())
        errors = re.sub(rb"revision:(\d+) ", lambda found: b"revision:+%d " % (int(found[1]) - self.base),
                        LOG_LINE.sub(b"", done.stderr))
        return done.returncode, errors.replace(b"strake ctl", b"etcdctl"), self.decoded(command, answer, done.stdout)

    def conversation(self, command, answer, stdin=b""):
        process = subprocess.Popen(self.arguments(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, bufsize=0, env=environment())
        os.set_blocking(process.stdout.fileno(), False)
        process.stdin.write(self.fill(stdin.decode()).encode())
        [output] = read_until_quiet([process])
        return self.decoded(command, answer, output)

    def decoded(self, command, answer, output):
        if answer is None:
            return output
        before = b""
        if isinstance(answer, tuple):
            before, answer = answer
        if not output.startswith(before):
            return f"no {before!r} in front of {output!r}"
        message = answer.FromString(output[len(before):])
        # Several messages of a watch are read as one, and it is not said where it got its events from.
        if answer is not pb.WatchResponse:
            self.results.equal(f"{self.words[0]} {command}: fields in their order", message.SerializeToString(), output[len(before):])
        return self.relative(message)

    def relative(self, message):
        header = message if isinstance(message, pb.ResponseHeader) else message.header
        self.revision = max(self.revision, header.revision)
        for part in self.parts(message):
            for name in ("revision", "create_revision", "mod_revision", "compact_revision"):
                # Of 0 and of what was written before nothing depends on the tool.
                if getattr(part, name, 0) > self.base:
                    setattr(part, name, getattr(part, name) - self.base)
            if isinstance(part, pb.Member) and part.ID not in self.own_members:
                part.ID = 1
            if getattr(part, "lease", 0) not in (0, LEASE):
                part.key, part.lease = part.key.replace(b"%x" % part.lease, b"<lease>"), 1
            if isinstance(part, pb.AuthStatusResponse):
                part.authRevision = 1
        if hasattr(message, "members"):
            # They come in the order of their ids.
            message.members.sort(key=lambda member: member.ID == 1)
        return message

    def parts(self, message):
        """All messages in a message."""
        yield message
        for field, value in message.ListFields():
            if field.message_type:
                for inner in value if hasattr(value, "add") else [value]:
                    yield from self.parts(inner)


def check(results, arguments):
    for label, binary in (("strake", arguments.server), ("etcd 3.5", arguments.peer)):
        with Server(binary, ["--bcrypt-cost=4"], label=label) as server:
            holder = subprocess.Popen([arguments.server, "ctl", f"--endpoints={server.endpoint}", "elect", "held", "v"],
                                      stdout=subprocess.PIPE)
            try:
                holder.stdout.readline()
                ours, theirs = [list(Tool(results, server, program).answers())
                                for program in ([arguments.server, "ctl"], [ETCDCTL_35])]
                for (name, our), (_, their) in zip(ours, theirs):
                    results.equal(f"{label}: {name} -w protobuf", our, their)
            finally:
                holder.kill()
                holder.wait()


def main():
    arguments = parse_arguments(__doc__, budget=60)
    run(arguments, lambda results: check(results, arguments))


if __name__ == "__main__":
    main()
