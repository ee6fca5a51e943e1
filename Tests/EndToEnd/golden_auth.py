"""Replays what users with different permissions are answered."""

from golden_grpc import Replayer, difference
from wire import METHODS, WatchStream, to_json

WAIT = 5


def replay(fixture, server):
    replayer = Replayer(server)
    for step in fixture["setup"]:
        replayer.work(step)
    tokens = {}
    return [replayer.compared(case, lambda replayer, case: case_difference(replayer, case, tokens))
            for case in fixture["cases"]]


def case_difference(replayer, case, tokens):
    metadata = []
    if "token" in case:
        token = case["token"]
        for user, known in tokens.items():
            token = token.replace(f"<token:{user}>", known)
        # As etcd's gateway and its library do.
        metadata = [("authorization", token)] if token.startswith("Bearer") else [("token", token)]
    request = replayer.request(case["method"], case["request"])
    if case["method"] == "Watch/Watch":
        return watch_difference(replayer, request, metadata, case["expect"])
    requests = [request] if METHODS[case["method"]].client_streaming else request
    answer = replayer.client.call(case["method"], requests, metadata=metadata)
    expected, actual = case["expect"], {"code": answer.code}
    if "text" in expected:
        actual["text"] = answer.text
    if "response" in expected and answer.message is not None:
        response = to_json(answer.message)
        response.pop("header", None)
        actual["response"] = response
    if answer.ok and "saves" in case:
        tokens[case["saves"]] = answer.message.token
    return difference(expected, actual)


def watch_difference(replayer, request, metadata, expected):
    with WatchStream(replayer.client, metadata=metadata) as stream:
        stream.send(request)
        first = stream.next(WAIT)
        if first is None:
            return f"no answer, but {stream.end}"
        found = to_json(first)
        found.pop("header", None)
        return difference(expected["first"], found)
