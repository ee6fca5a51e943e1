"""Replays requests of the JSON gateway."""

import base64
import hashlib
import http.client
import json
import re
import socket

from golden_grpc import difference, replaced, without_noise
from golden_http import is_now
from wire import Client, pb

# How long a stream has to be quiet to count as one that says no more, and a request to count as one without an answer.
QUIET = 0.3
PATIENCE = 10
CONTENT = {
    "answer": ("application/json", "application/grpc"),
    "error": ("application/json", None),
    "none": (None, None),
}


def replay(fixture, server):
    replayer = Replayer(server)
    return [(case["name"], replayer.difference(case)) for case in fixture["cases"]]


class Replayer:
    def __init__(self, server):
        self.port = server.client_port
        # What stands for values that only this server has.
        self.names = {"<peer>": f"http://127.0.0.1:{server.peer_port}", "<client>": f"http://{server.endpoint}"}
        with Client(server.endpoint) as client:
            self.names["<member>"] = str(client.must("Maintenance/Status", pb.StatusRequest()).header.member_id)

    def difference(self, case):
        for path, body in case.get("before", []):
            self.must(path, body)
        expected = case["expect"]
        try:
            actual = self.stream(case) if "lines" in expected or "silent" in expected else self.call(case)
        except (OSError, ValueError, http.client.HTTPException) as error:
            return f"no answer: {error!r}"
        self.learn(case, actual)
        if expected.get("cut"):
            actual.pop("body", None)
            actual["cut"] = True
        return difference(in_order(expected), in_order(like(actual, expected)))

    def learn(self, case, actual):
        """Takes names from answers that later requests refer to."""
        body = actual.get("body") or {}
        if case["name"] == "cluster add learner" and "member" in body:
            self.names["<learner>"] = body["member"]["ID"]
        elif case["name"] == "lease grant auto id" and "ID" in body:
            self.names["<lease>"] = body["ID"]
        elif "token" in body:
            user = json.loads(case["body"])["name"]
            self.names[f"<token:{user}>"] = body["token"]
        for name, value in self.names.items():
            if "body" in actual:
                actual["body"] = without_noise(replaced(actual["body"], value, name))

    # One answer.

    def call(self, case):
        connection = self.ask(case)
        try:
            answer = connection.getresponse()
            text = answer.read().decode()
            actual = {"status": answer.status, "headers": content(answer)}
            if text:
                actual["body"] = json.loads(text)
            return actual
        finally:
            connection.close()

    def must(self, path, body):
        answer = self.call({"name": path, "path": "/v3/" + path, "body": json.dumps(body)})
        if answer["status"] != 200:
            raise ValueError(f"{path}: {answer}")

    def ask(self, case, timeout=PATIENCE):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = {name: self.filled(value) for name, value in case.get("request_headers", {}).items()}
        connection.request(case.get("method", "POST"), case["path"], self.body(case), headers)
        return connection

    def body(self, case):
        if "operations" not in case:
            return self.filled(case.get("body") or "")
        kind, count = case["operations"]["kind"], case["operations"]["count"]
        keys = [base64.b64encode(b"m%d" % number).decode() for number in range(count)]
        return json.dumps({"success": [{kind: {"key": key}} for key in keys]})

    def filled(self, text):
        return re.sub(r"<[a-z]+(:\w+)?>", lambda match: self.names.get(match.group(), match.group()), text)

    # Many answers, one a line.

    def stream(self, case):
        expected = case["expect"]
        connection = self.ask(case, QUIET if "silent" in expected else PATIENCE)
        try:
            try:
                answer = connection.getresponse()
            except socket.timeout:
                return {"silent": True}
            actual = {"status": answer.status, "headers": content(answer)}
            if expected.get("lines") == "snapshot":
                return dict(actual, lines=snapshot(answer))
            actual["lines"] = lines = []
            for wanted in range(len(expected.get("lines", []))):
                lines.append(self.tidy(json.loads(answer.readline())))
                if wanted == 0:
                    for path, body in case.get("during", []):
                        self.must(path, body)
            if not ended(connection, answer):
                actual["open"] = True
            return actual
        finally:
            connection.close()

    def tidy(self, value):
        for name, known in self.names.items():
            value = replaced(value, known, name)
        return without_noise(value)


def ended(connection, answer):
    """Whether the answer ends here; raises when there is more of it."""
    if answer.length is not None and answer.length > 0:
        raise ValueError(f"more than was expected: {answer.read()}")
    if connection.sock is not None:
        connection.sock.settimeout(QUIET)
    try:
        more = answer.read1(1000)
    except socket.timeout:
        return False
    if more:
        raise ValueError(f"more than was expected: {more}")
    return True


def snapshot(answer):
    """What is to be said of the lines of a snapshot: whether they hold a file and its checksum."""
    blobs = [json.loads(line)["result"] for line in answer.read().splitlines()]
    data = b"".join(base64.b64decode(blob["blob"]) for blob in blobs)
    whole = hashlib.sha256(data[:-32]).digest() == data[-32:] and "remaining_bytes" not in blobs[-1]
    return "snapshot" if whole else f"{len(data)} bytes in {len(blobs)} lines, which are no snapshot"


def content(answer):
    """Which of the kinds of content types the headers have. They have the date, too."""
    if not is_now(answer.getheader("Date")):
        return f"the date is {answer.getheader('Date')}"
    types = answer.getheader("Content-Type"), answer.getheader("Grpc-Metadata-Content-Type")
    return next((kind for kind, expected in CONTENT.items() if types == expected), str(types))


def like(actual, expected):
    """`actual`, with `<any>` where that is expected, and without the ids and terms that are left out of what is expected."""
    if expected == "<any>" and actual:
        return expected
    if isinstance(actual, dict):
        pattern = expected if isinstance(expected, dict) else {}
        return {name: like(value, pattern.get(name)) for name, value in actual.items()}
    if isinstance(actual, list):
        pattern = expected if isinstance(expected, list) and len(expected) == len(actual) else [None] * len(actual)
        return [like(value, each) for value, each in zip(actual, pattern)]
    return actual


def in_order(value):
    """As text, in which the order of names counts too; without noise."""
    return json.dumps(without_noise(levelled(value)))


def levelled(value):
    """Members, which come in the order of ids that are chosen at random, and a lease's keys, which etcd tells in any order,
    in one that is always the same."""
    if isinstance(value, dict):
        value = {name: levelled(each) for name, each in value.items()}
        for name in ("members", "keys"):
            if isinstance(value.get(name), list):
                value[name].sort(key=json.dumps)
    return value
