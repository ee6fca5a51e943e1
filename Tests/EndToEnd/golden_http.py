"""Replays HTTP requests on the ports of clients, of metrics and of peers."""

import email.utils
import http.client
import re
import time
from datetime import datetime

from golden_grpc import difference
from wire import Client, pb

ALARMS = {"NOSPACE": 1, "CORRUPT": 2}


def replay(fixture, server):
    outcomes, raised = [], []
    with Client(server.endpoint) as client:
        own = own_texts(client, server)
        for case in fixture["cases"]:
            raised = set_alarms(client, raised, case.get("alarms", []))
            outcomes.append((case["name"], case_difference(server, case, own)))
    return outcomes


def set_alarms(client, raised, wanted):
    if raised == wanted:
        return wanted
    member = client.must("Maintenance/Status", pb.StatusRequest()).header.member_id
    for name in sorted(set(raised) ^ set(wanted)):
        action = pb.AlarmRequest.ACTIVATE if name in wanted else pb.AlarmRequest.DEACTIVATE
        client.must("Maintenance/Alarm", pb.AlarmRequest(action=action, memberID=member, alarm=ALARMS[name]))
    return wanted


def own_texts(client, server):
    """Each value that is this server's own, with what the fixture says in its place."""
    header = client.must("Maintenance/Status", pb.StatusRequest()).header
    return {f"{header.cluster_id:x}": "<cluster>", str(header.member_id): "<member>",
            f"http://127.0.0.1:{server.peer_port}": "http://<peer>", f"http://{server.endpoint}": "http://<client>"}


def case_difference(server, case, own):
    expected = case["expect"]
    try:
        actual = request(server, case)
    except (OSError, http.client.HTTPException) as error:
        return f"no answer: {error!r}"
    if not is_now(actual["headers"].get("date")):
        return f"the date is {actual['headers'].get('date')}"
    actual["headers"] = {name: actual["headers"].get(name.lower()) for name in expected["headers"]}
    if case.get("port") == "peer":
        level_own(actual, own)
    if "body" not in expected:  # it is replayed elsewhere, or says something else each time
        del actual["body"]
        return difference(expected, actual)
    return difference(dict(expected, body=levelled(expected["body"])), dict(actual, body=levelled(actual["body"])))


def level_own(answer, own):
    answer["headers"] = {name: own.get(value, value) for name, value in answer["headers"].items()}
    for text, name in own.items():
        answer["body"] = answer["body"].replace(text, name)
    now = re.search(r'(?<="Now":")(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z(?=")', answer["body"])
    if now and is_near(datetime.fromisoformat(now[1] + "+00:00").timestamp()):
        answer["body"] = answer["body"].replace(now[0], "<now>")


def is_near(moment, seconds=10):
    return abs(moment - time.time()) < seconds


def is_now(date):
    """Whether a header `Date` is there and right."""
    if not date:
        return False
    moment = email.utils.parsedate_to_datetime(date)
    return date == email.utils.format_datetime(moment, usegmt=True) and is_near(moment.timestamp())


def request(server, case, timeout=10):
    port = getattr(server, case.get("port", "client") + "_port")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(case["method"], case["path"], case.get("body"), case.get("request_headers", {}))
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return {"status": answer.status, "headers": headers, "body": answer.read().decode()}
    finally:
        connection.close()


def levelled(body):
    """Versions replaced, and the checks of /readyz, which come in any order, sorted."""
    body = re.sub(r'":"\d+\.\d+\.\d+[^"]*"', '":"<version>"', body)
    lines = body.splitlines(keepends=True)
    checks = sorted(line for line in lines if line.startswith(("[+]", "[-]")))
    return "".join(checks + [line for line in lines if line not in checks])
