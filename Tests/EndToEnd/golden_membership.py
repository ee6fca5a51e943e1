"""Replays what etcd answered while members came, learned, went and died: three members as processes, and a fourth.
Compares code, text, answer, and how long it took."""

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import golden_http
from cluster import Cluster, Member, wait_until_in_touch
from golden import FIXTURES, report
from golden_grpc import difference, without_noise
from harness import eventually, parse_arguments, run
from wire import METHODS, Client, from_json, pb, to_json

FIXTURE = "membership.json"
# Seconds that a case may take to be of a class: etcd's requests wait 5 s and two election timeouts of 1 s, its streams
# that need a leader end three election timeouts after it is missed, which takes up to two.
AT_ONCE = (0, 1)
REQUEST_TIMEOUT = (6.5, 8.5)
LEADER_MISSED = (2.5, 6.5)
DEADLINE_SLACK = 0.7


class Situation:
    """The cluster with who is who in it: the recording names members by their part."""

    def __init__(self, binary):
        self.cluster = Cluster(binary, 3)
        self.learner = Member(binary, 4)
        self.parts, self.ids = {}, {}
        self.pool = ThreadPoolExecutor(64)
        self.over = threading.Event()

    def begin(self):
        self.cluster.start()
        leader = self.cluster.leader()
        followers = [member for member in self.cluster.members if member is not leader]
        self.parts = {"leader": leader, "follower1": followers[0], "follower2": followers[1], "learner": self.learner}
        self.ids = {part: self.cluster.ids()[member] for part, member in self.parts.items() if member.process}

    def texts(self):
        """Each value that is this cluster's own, with what the fixture says in its place."""
        for part, number in self.ids.items():
            yield str(number), f"<id:{part}>"
        for part, member in self.parts.items():
            yield member.name, f"<name:{part}>"
            yield f"http://{member.endpoint}", f"http://<client:{part}>"
            yield member.peer_url, f"http://<peer:{part}>"

    def filled(self, value):
        """The request as this cluster is to get it."""
        return mapped(value, {theirs: own for own, theirs in self.texts()})

    def levelled(self, message):
        """The answer in the fixture's terms, members in order of their ids there."""
        # URLs and ids are no noise here: they are compared by who they belong to.
        value = mapped(without_noise(to_json(message), ("member_id", "peerURLs", "clientURLs")), dict(self.texts()))
        if "members" in value:
            value["members"].sort(key=json.dumps)
        return value

    def client(self, part):
        return self.cluster.client(self.parts[part])

    # What happens before the cases of each situation of the fixture.

    def wait_for_touch(self):
        wait_until_in_touch(self.cluster, self.parts["follower1"])

    def start_learner(self):
        self.cluster.members.append(self.learner)
        self.learner.initial, self.learner.state = self.cluster.initial(), "existing"
        self.learner.start()
        local = pb.RangeRequest(key=b"a", serializable=True)
        if not eventually(lambda: len(self.client("learner").must("KV/Range", local).kvs) == 1):
            raise TimeoutError("the learner has no data")

    def kill(self):
        time.sleep(0.1)
        for part in ("leader", "follower2"):
            self.parts[part].kill()
        self.died = time.monotonic()

    def wait_three_seconds(self):
        time.sleep(max(0, self.died + 3 - time.monotonic()))

    def remove(self):
        self.over.set()
        self.cluster.remove()
        self.learner.remove()


BEFORE = {
    "three members have just started": lambda situation: None,
    "the members have been in touch for five seconds": Situation.wait_for_touch,
    "the learner has caught up": Situation.start_learner,
    "the learner is promoted and removed": lambda situation: None,
    "the leader and a follower are about to die": lambda situation: None,
    "the leader and a follower have just died": Situation.kill,
    "they have been dead for three seconds": Situation.wait_three_seconds,
}
# In these the cases run side by side, since most of them wait; an earlier one changes nothing for a later one.
SIDE_BY_SIDE = set(list(BEFORE)[4:])


def mapped(value, replacements):
    if isinstance(value, dict):
        return {name: mapped(each, replacements) for name, each in value.items()}
    if isinstance(value, list):
        return [mapped(each, replacements) for each in value]
    return replacements.get(value, value) if isinstance(value, str) else value


def replay(fixture, binary):
    situation, outcomes, waiting = Situation(binary), [], []
    try:
        situation.begin()
        client = situation.client("leader")
        client.put(b"a", b"1")
        client.must("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=600, ID=70))
        for step in fixture["situations"]:
            BEFORE[step["name"]](situation)
            for case in step["cases"]:
                name = f"{step['name']}: {case['name']}"
                if step["name"] in SIDE_BY_SIDE:
                    waiting.append((name, situation.pool.submit(case_difference, situation, case)))
                else:
                    outcomes.append((name, case_difference(situation, case)))
        outcomes += [(name, future.result()) for name, future in waiting]
    except Exception:
        for member in situation.cluster.members:
            print(f"{member.label}:\n{member.log_tail()}", flush=True)
        raise
    finally:
        situation.remove()
    return outcomes


def case_difference(situation, case):
    began = time.monotonic()
    try:
        actual = answer(situation, case)
    except OSError as error:
        return f"no answer: {error!r}"
    took = time.monotonic() - began
    expected = case["expect"]
    found = [one_difference(case, each, actual, took) for each in expected.get("either", [expected])]
    return "" if "" in found else "\nor\n".join(found)


def one_difference(case, expected, actual, took):
    compared = {name: value for name, value in actual.items() if name in expected}
    if "body" in compared:
        compared["body"] = golden_http.levelled(compared["body"])
        expected = dict(expected, body=golden_http.levelled(expected["body"]))
    found = difference({name: value for name, value in expected.items() if name != "time"}, compared)
    if found or "time" not in expected:
        return found
    low, high = bounds(case, expected["time"])
    return "" if low <= took <= high else f"took {took:.1f} s, expected {low} to {high} s ({expected['time']})"


def bounds(case, name):
    if name == "deadline":
        return case["deadline_ms"] / 1000 - 0.1, case["deadline_ms"] / 1000 + DEADLINE_SLACK
    low, high = {"at once": AT_ONCE, "request timeout": REQUEST_TIMEOUT, "leader missed": LEADER_MISSED}[name]
    sent = case.get("send_after_ms", 0) / 1000
    return low + sent, high + sent


def answer(situation, case):
    if "exit_code" in case["expect"]:
        process = situation.parts[case["ask"]].process
        eventually(lambda: process.poll() is not None)
        return {"exit_code": process.poll()}
    if "http" in case:
        return answer_http(situation.parts[case["ask"]], case)
    client, deadline = situation.client(case["ask"]), case.get("deadline_ms", 20_000) / 1000
    metadata = list(case.get("metadata", {}).items())
    if "request_hex" in case:
        found = client.call_raw(case["path"], bytes.fromhex(case["request_hex"]), deadline, metadata)
        return {"code": found.code, "text": found.text}
    method = case["method"]
    if METHODS[method].client_streaming:
        request = held_open(situation, case)
        found = client.call(method, request, deadline, metadata)
    elif "UNAVAILABLE" == case["expect"].get("code") and "text" not in case["expect"]:
        # Nobody is there: to wait until somebody is would be to wait for ever.
        request = from_json(method, situation.filled(case["request"]))
        found = Client.finish(client.begin(method, request, deadline, metadata, wait_for_ready=False))
    else:
        found = client.call(method, from_json(method, situation.filled(case["request"])), deadline, metadata)
    actual = {"code": found.code, "text": found.text}
    if isinstance(found.message, list):
        actual["messages"] = [situation.levelled(message) for message in found.message]
    elif found.message is not None:
        learn_learner(situation, found.message)
        actual["response"] = situation.levelled(found.message)
    return actual


def learn_learner(situation, message):
    """The id that a new member was given."""
    if message.DESCRIPTOR.name == "MemberAddResponse" and message.member.isLearner:
        situation.ids["learner"] = message.member.ID


def held_open(situation, case):
    """The requests of a stream that the client never ends by itself."""
    if "send_after_ms" in case:
        situation.over.wait(case["send_after_ms"] / 1000)
    for request in case["requests"]:
        yield from_json(case["method"], situation.filled(request))
    situation.over.wait()


def answer_http(member, case):
    found = golden_http.request(member, dict(case, method=case["http"]), timeout=20)
    found["headers"] = {name: found["headers"].get(name.lower()) for name in case["expect"]["headers"]}
    return found


def main():
    arguments = parse_arguments(__doc__, budget=90)

    def body(results):
        with open(os.path.join(FIXTURES, FIXTURE)) as file:
            fixture = json.load(file)
        report(results, FIXTURE, fixture["recorded"], replay(fixture, arguments.server))

    run(arguments, body)


if __name__ == "__main__":
    main()
