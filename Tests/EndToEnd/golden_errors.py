"""Replays single calls, one after the other, down to the header blocks of their answers."""

import golden_grpc
import raw_grpc
from golden_gateway import levelled
from golden_grpc import difference, filled, replaced, without_noise
from wire import METHODS, from_json, pb, to_json

WAIT = 5
QUIET = 0.24


def replay(fixture, server):
    replayer = Replayer(server)
    for step in fixture["setup"]:
        replayer.work(step)
    return [replayer.compared(case, case_difference) for case in fixture["cases"]]


class Replayer(golden_grpc.Replayer):
    def __init__(self, server):
        super().__init__(server)
        header = self.client.must("Maintenance/Status", pb.StatusRequest()).header
        # What stands for values that only this server has.
        self.names = {"<member>": str(header.member_id), "<cluster>": str(header.cluster_id),
                      "<peer>": f"http://127.0.0.1:{server.peer_port}", "<client>": f"http://{server.endpoint}"}

    def own(self, value):
        """As this server is to get it."""
        for name, known in self.names.items():
            value = replaced(value, name, known)
        return value

    def request(self, method, value):
        return from_json(method, filled(self.own(value)))

    def answer(self, message, expected):
        """In the fixture's terms. What `expected` names for the first time is from then on what this server said there."""
        actual = to_json(message)
        self.learn(expected, actual)
        for name, known in self.names.items():
            actual = replaced(actual, known, name)
        return levelled(without_noise(actual, kept=("cluster_id", "member_id", "peerURLs", "clientURLs")))

    def learn(self, expected, actual):
        if isinstance(expected, str) and expected.startswith("<"):
            self.names.setdefault(expected, actual)
        elif isinstance(expected, dict) and isinstance(actual, dict):
            for name in expected.keys() & actual.keys():
                self.learn(expected[name], actual[name])


def case_difference(replayer, case):
    expected = case["expect"]
    metadata = list(replayer.own(case.get("metadata", {})).items())
    if "open" in expected:
        return watch_difference(replayer, case, metadata)
    if "deadline_ms" in case:
        request = replayer.request(case["method"], case["request"])
        answer = replayer.client.call(case["method"], request, case["deadline_ms"] / 1000, metadata)
        return difference(expected, {"code": answer.code})
    try:
        answer = call(replayer, case, metadata)
    except OSError as error:
        return f"UNAVAILABLE: {error!r}"
    actual = {"code": answer.code, "header": answer.header, "trailer": answer.trailer}
    if "text" in expected or answer.code == "OK" and answer.text:
        actual["text"] = answer.text
    messages = [METHODS[case["method"]].response.FromString(message) for message in answer.messages]
    if "requests" in case:
        actual["messages"] = answers(replayer, messages, expected["messages"])
    elif messages:
        actual["response"], = answers(replayer, messages, [expected.get("response")])
    return difference(without_ended(case, levelled(expected), actual), actual)


def call(replayer, case, metadata):
    path = case.get("path") or METHODS[case["method"]].path
    if "request_hex" in case:
        messages = [bytes.fromhex(case["request_hex"])]
    else:
        requests = case["requests"] if "requests" in case else [case["request"]]
        messages = [replayer.request(case["method"], request).SerializeToString() for request in requests]
    return raw_grpc.call(replayer.server.client_port, path, messages, metadata)


def answers(replayer, messages, expected):
    expected = expected + [None] * len(messages)
    return [replayer.answer(message, each) for message, each in zip(messages, expected)]


def without_ended(case, expected, actual):
    """Leases that may have run out by now are expected if they are there."""
    if "may_be_over" not in case:
        return expected
    listed = actual.get("response", {}).get("leases", [])
    leases = [each for each in expected["response"]["leases"] if each["ID"] not in case["may_be_over"] or each in listed]
    return dict(expected, response=dict(expected["response"], leases=leases))


def watch_difference(replayer, case, metadata):
    """A stream that the client keeps open: what comes on it, and that nothing more does."""
    expected = case["expect"]
    with replayer.client.watch(metadata=metadata) as stream:
        for request in case["requests"]:
            stream.send(replayer.request(case["method"], request))
        messages = stream.take(lambda found: len(found) >= len(expected["messages"]), WAIT) + stream.drain(QUIET)
        actual = {"messages": answers(replayer, messages, expected["messages"]), "open": stream.end is None}
    return difference(expected, actual)
