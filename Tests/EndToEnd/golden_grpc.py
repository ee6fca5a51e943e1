"""Replays single calls and RangeStream calls."""

import base64

from harness import shorten
from wire import METHODS, Client, from_json, pb, to_json

# What two equal servers may differ in, by field name; versions only in the answer of Maintenance/Status.
_NOISE = {"cluster_id", "member_id", "raft_term", "peerURLs", "clientURLs", "hash", "dbSize", "dbSizeInUse",
          "raftIndex", "raftTerm", "raftAppliedIndex", "storageVersion", "dbSizeQuota", "downgradeInfo"}


def filled(value):
    """The JSON form of a request with {"fill", "bytes"} written out and <member> left for `with_ids`."""
    if isinstance(value, dict):
        if "fill" in value:
            return base64.b64encode(value["fill"].encode() * value["bytes"]).decode()
        return {name: filled(each) for name, each in value.items()}
    return [filled(each) for each in value] if isinstance(value, list) else value


def replaced(value, old, new):
    if isinstance(value, dict):
        return {name: replaced(each, old, new) for name, each in value.items()}
    if isinstance(value, list):
        return [replaced(each, old, new) for each in value]
    return value.replace(old, new) if isinstance(value, str) else value


def without_noise(value):
    if isinstance(value, list):
        return [without_noise(each) for each in value]
    if not isinstance(value, dict):
        return value
    noise = _NOISE | {"version"} if "raftIndex" in value else _NOISE
    return {name: without_noise(each) for name, each in value.items() if name not in noise}


class Replayer:
    def __init__(self, server):
        self.server = server
        self.client = Client(server.endpoint)
        self.member = str(self.client.must("Maintenance/Status", pb.StatusRequest()).header.member_id)

    def request(self, method, value):
        return from_json(method, filled(replaced(value, "<member>", self.member)))

    def answer(self, message):
        return without_noise(replaced(to_json(message), self.member, "<member>"))

    def compared(self, case, compare):
        """(name, difference); a server that dies of a case is started again for the next."""
        difference = compare(self, case)
        if "UNAVAILABLE" in difference and self.server.has_died():
            difference += "\nthe server died of it"
            self.server.start()
        return case["name"], difference

    def work(self, step):
        """A step of a setup, which must succeed."""
        if "put_many" in step:
            for index in range(step["count"]):
                self.client.put((step["put_many"] % index).encode(), b"x" * step["value_bytes"])
        else:
            self.client.must(step["method"], self.request(step["method"], step["request"]))


def replay_calls(fixture, server):
    replayer = Replayer(server)
    for step in fixture["setup"]:
        replayer.work(step)
    return [replayer.compared(case, call_difference) for case in fixture["cases"]]


def call_difference(replayer, case):
    metadata = list(case.get("metadata", {}).items())
    if "request_hex" in case:
        answer = call_raw(replayer.client, case, metadata)
    elif "requests" in case:
        requests = [replayer.request(case["method"], request) for request in case["requests"]]
        answer = replayer.client.call(case["method"], requests, metadata=metadata)
    else:
        request = replayer.request(case["method"], case["request"])
        answer = replayer.client.call(case["method"], request, metadata=metadata)
    expected = case["expect"]
    actual = {"code": answer.code}
    if "text" in expected:
        actual["text"] = answer.text
    if isinstance(answer.message, list):
        actual["messages"] = [replayer.answer(message) for message in answer.message]
    elif answer.message is not None:
        actual["response"] = replayer.answer(answer.message)
    for lease in case.get("ignore_leases", []):  # they may have run out by now
        listed = actual.get("response", {}).get("leases", [])
        actual["response"]["leases"] = [each for each in listed if each.get("ID") != lease]
    return difference(expected, actual)


def call_raw(client, case, metadata):
    method = METHODS.get(case.get("method"))
    answer = client.call_raw(case.get("path") or method.path, bytes.fromhex(case["request_hex"]), metadata=metadata)
    if answer.message is not None:
        answer.message = method.response.FromString(answer.message)
    return answer


def difference(expected, actual):
    return "" if expected == actual else f"expected {shorten(expected)}\nactual   {shorten(actual)}"


def replay_range_streams(fixture, server):
    replayer = Replayer(server)
    for step in fixture["setup"]:
        replayer.work(step)
    return [replayer.compared(case, stream_difference) for case in fixture["cases"]]


def stream_difference(replayer, case):
    for step in case.get("before", []):
        replayer.work(step)
    answer = replayer.client.call("KV/RangeStream", replayer.request("KV/RangeStream", case["request"]))
    actual = {"code": answer.code}
    if not answer.ok:
        actual["text"] = answer.text
        return difference(case["expect"], actual)
    chunks = [message.range_response for message in answer.message]
    early = [chunk for chunk in chunks[:-1] if chunk.HasField("header") or chunk.more or chunk.count]
    if not chunks or early:
        return f"{len(chunks)} messages, {len(early)} with header, more or count before the last one"
    actual.update(summed_up(chunks, with_values="values" in case["expect"]))
    return difference(case["expect"], actual)


def summed_up(chunks, with_values):
    found = {name: value for name, value in to_json(chunks[-1]).items() if name in ("count", "more")}
    found["revision"] = str(chunks[-1].header.revision)
    kvs = [kv for chunk in chunks for kv in chunk.kvs]
    found["kvs"] = len(kvs)
    if kvs:
        found["first_key"], found["last_key"] = (base64.b64encode(kv.key).decode() for kv in (kvs[0], kvs[-1]))
    if with_values:
        found["values"] = [to_json(kv) for kv in kvs]
    return found
