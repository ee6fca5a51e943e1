"""Replays RangeStream calls; and what the replays of calls have in common."""

import base64

from harness import shorten
from wire import Client, from_json, pb, to_json

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


def without_noise(value, kept=()):
    """`kept` are names that are no noise to the caller."""
    if isinstance(value, list):
        return [without_noise(each, kept) for each in value]
    if not isinstance(value, dict):
        return value
    noise = (_NOISE | {"version"} if "raftIndex" in value else _NOISE) - set(kept)
    return {name: without_noise(each, kept) for name, each in value.items() if name not in noise}


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
