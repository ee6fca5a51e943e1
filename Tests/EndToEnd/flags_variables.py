"""--enable-pprof: /debug/vars, with what etcd has in it."""

import http.client
import json
import os

from cluster import Cluster
from harness import Server, eventually, free_ports

TYPES = {"cmdline": list, "file_descriptor_limit": int, "memstats": dict, "raft.status": dict}
RAFT_TYPES = {"id": str, "term": int, "vote": str, "commit": int, "lead": str, "raftState": str, "applied": int,
              "progress": dict, "leadtransferee": str}
SECRET = 'hu"sh'


def check(results, arguments):
    with Server(arguments.server, label="server") as server:
        results.equal("no /debug/vars without --enable-pprof", ask(server.client_port)[0], 404)
    check_ports(results, arguments)
    with Cluster(arguments.server, 3, ["--enable-pprof"]) as cluster:
        leader = cluster.leader()
        cluster.client(leader).put(b"a", b"b")
        for member in (leader, cluster.followers()[0]):
            check_raft(results, cluster, leader, member)


def ask(port, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, "/debug/vars")
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()
    finally:
        connection.close()


def check_ports(results, arguments):
    metrics_port = free_ports(1)[0]
    flags = ["--enable-pprof", f"--listen-metrics-urls=http://127.0.0.1:{metrics_port}", "--discovery-password", SECRET,
             f"--discovery-password={SECRET}", "--discovery-cert", 'a "b" \\ \t c']
    with Server(arguments.server, flags, label="server") as server:
        status, kind, body = ask(server.client_port)
        results.equal("/debug/vars", (status, kind), (200, "application/json; charset=utf-8"))
        shown = json.loads(body)
        results.equal("its members", {name: type(value) for name, value in shown.items()}, TYPES)
        expected = [word.replace(SECRET, "(not shown)") for word in server.command()]
        results.equal("the command line, without secrets", shown["cmdline"], expected)
        with open(f"/proc/{server.process.pid}/limits") as limits:
            limit = next(int(line.split()[3]) for line in limits if line.startswith("Max open files"))
        results.equal("the limit of open files", shown["file_descriptor_limit"], limit)
        memory = shown["memstats"]
        results.check("memory of this process", 1 << 20 < memory["HeapInuse"] < memory["HeapSys"] < memory["Sys"], memory)
        results.check("the heap is its parts", memory["HeapInuse"] + memory["HeapIdle"] == memory["HeapSys"], memory)
        results.equal("nothing collects garbage", (memory["NumGC"], memory["EnableGC"]), (0, False))
        results.equal("only to be read", ask(server.client_port, "POST")[0], 405)
        results.equal("not on the port for metrics", ask(metrics_port)[0], 404)


def check_raft(results, cluster, leader, member):
    def raft():
        return json.loads(ask(member.client_port)[2])["raft.status"]

    # What a follower knows to be committed comes with the next message.
    eventually(lambda: raft()["applied"] >= cluster.status(leader).raftAppliedIndex)
    found, status, ids = raft(), cluster.status(member), cluster.ids()
    results.equal("raft's members", {name: type(value) for name, value in found.items()}, RAFT_TYPES)
    expected = dict(id=f"{ids[member]:x}", lead=f"{ids[leader]:x}", leadtransferee="0", term=status.raftTerm,
                    raftState="StateLeader" if member is leader else "StateFollower")
    results.equal("where the member stands", {name: found[name] for name in expected}, expected)
    results.check("what is applied is committed", 0 < found["applied"] <= found["commit"], found)
    known = {f"{number:x}" for number in ids.values()} if member is leader else set()
    results.equal("the leader knows how far all are", set(found["progress"]), known)
    for progress in found["progress"].values():
        results.check("how far a member is", 0 < progress["match"] < progress["next"] and progress["state"] in (
            "StateReplicate", "StateProbe"), progress)
