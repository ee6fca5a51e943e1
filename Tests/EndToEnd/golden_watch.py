"""Replays Watch streams step by step."""

import base64

from golden_grpc import Replayer, difference, filled
from wire import Client, from_json, to_json

WAIT = 5
QUIET = 0.12


def replay(fixture, server):
    replayer = Replayer(server)
    return [replayer.compared(case, case_difference) for case in fixture["cases"]]


def case_difference(replayer, case):
    """The first difference; the steps after it still run, for the cases that build on them."""
    found = ""
    with replayer.client.watch(metadata=list(case.get("metadata", {}).items())) as stream:
        for step in case["steps"]:
            found = found or step_difference(replayer, stream, step, case) or ""
            if found:
                run_without_looking(replayer, step)
    return found


def step_difference(replayer, stream, step, case):
    if "send" in step:
        stream.send(from_json("Watch/Watch", filled(step["send"])))
    elif "half_close" in step:
        stream.half_close()
    elif "call" in step:
        return call(replayer, step)
    elif "receive_count" in step:
        return count_difference(stream, step["receive_count"])
    else:
        return receive_difference(stream, step["receive"], "repeats" in case, "optional" in case)
    return ""


def run_without_looking(replayer, step):
    """Only the calls, unless this very step was one."""
    if "call" in step and not step.get("done"):
        call(replayer, step)


def call(replayer, step):
    request = replayer.request(step["call"], step["request"])
    calls = [replayer.client.begin(step["call"], request) for _ in range(step.get("times", 1))]
    answers = [Client.finish(each) for each in calls]
    step["done"] = True
    actual = {"code": answers[-1].code}
    expected = {"code": "OK"}
    if "revision" in step:
        expected["revision"] = step["revision"]
        actual["revision"] = str(answers[-1].message.header.revision) if answers[-1].ok else None
    return difference(expected, actual) and f"{step['call']}: {difference(expected, actual)}"


def count_difference(stream, expected):
    events = [event for message in stream.take_events(expected["events"], WAIT) for event in message.events]
    actual = {"events": len(events)}
    if events:
        actual.update(first=str(events[0].kv.mod_revision), last=str(events[-1].kv.mod_revision))
    return difference(expected, actual)


def receive_difference(stream, expected, repeats, optional):
    events = sum(len(message.get("events", [])) for message in expected)
    controls = sum("events" not in message for message in expected)

    def enough(messages):
        return (sum(len(m.events) for m in messages) >= events
                and sum(not m.events for m in messages) >= controls)

    messages = stream.take(enough, WAIT) if expected else []
    messages += stream.drain(QUIET if expected else 2 * QUIET) if not repeats else []
    behind = [m for m in messages if m.events and m.header.revision < m.events[-1].kv.mod_revision]
    if behind:
        return f"the header is behind its own events: {behind[0]}"
    actual = [as_step(message) for message in messages]
    if optional:
        actual = [message for message in actual if not is_progress(message)]
    if repeats:
        expected, actual = once(expected), once(actual, latest(expected))
    expected, actual = by_watch(expected), by_watch(actual)
    for watch_id, watch in expected.items():
        if watch_id in actual:
            actual[watch_id]["events"] = as_detailed_as(watch["events"], actual[watch_id]["events"])
    return difference(expected, actual)


def as_step(message):
    """A received message in the form of the fixture."""
    found = to_json(message)
    header = found.pop("header", {})
    if "revision" in header:
        found["revision"] = header["revision"]
    return found


def by_watch(messages):
    """Per watch id: what is said apart from events, the events in order, and the fragment marks if there are any."""
    found = {}
    for message in messages:
        watch = found.setdefault(message.get("watch_id", "0"), {"controls": [], "events": [], "fragments": []})
        if "events" in message:
            watch["events"] += message["events"]
            watch["fragments"].append(message.get("fragment", False))
        else:
            watch["controls"].append({name: value for name, value in message.items() if name != "watch_id"})
    for watch in found.values():
        if not any(watch["fragments"]):
            watch["fragments"] = []
    return found


def as_detailed_as(expected, actual):
    """Events that the fixture states by key, revision and size only are cut down to these."""
    paired = [flat(event, like) if "kv" not in like else event for like, event in zip(expected, actual)]
    return paired + actual[len(expected):]


def flat(event, like):
    found = {name: event["kv"][name] for name in ("key", "mod_revision")}
    if "type" in event:
        found["type"] = event["type"]
    if "value_bytes" in like:
        found["value_bytes"] = len(base64.b64decode(event["kv"].get("value", "")))
    return found


def is_progress(message):
    return not any(name in message for name in ("created", "canceled", "events"))


def latest(expected):
    revisions = [int(message["revision"]) for message in expected if "revision" in message]
    return max(revisions, default=0)


def once(messages, revision=0):
    """Progress answers that say the same again, and those from before the last change, are left out."""
    found = []
    for message in messages:
        if is_progress(message) and (message in found or int(message["revision"]) < revision):
            continue
        found.append(message)
    return found
