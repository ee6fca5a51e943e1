"""Takes out of answers what two equal servers may still differ in: ids, terms, sizes, hashes, remaining times."""

import itertools

_HEADER_NOISE = ("cluster_id", "member_id", "raft_term")
_NOISE = {
    "StatusResponse": ("version", "dbSize", "leader", "raftIndex", "raftTerm", "raftAppliedIndex", "dbSizeInUse",
                       "storageVersion", "dbSizeQuota", "downgradeInfo"),
    "HashResponse": ("hash",),
    # hash_revision came with 3.6.
    "HashKVResponse": ("hash", "hash_revision"),
}


def normalised(message, request=None):
    """The message with its noise cleared in place. None stays None, lists go member by member."""
    if message is None:
        return None
    if isinstance(message, list):
        return [normalised(each) for each in message]
    if message.DESCRIPTOR.name == "RangeStreamResponse":
        normalised(message.range_response)
        return message
    _clear_header(message)
    for field in _NOISE.get(message.DESCRIPTOR.name, ()):
        message.ClearField(field)
    _level(message)
    if message.DESCRIPTOR.name == "RangeResponse" and request is not None:
        _order_ties(message, request)
    return message


def _clear_header(message):
    if "header" in message.DESCRIPTOR.fields_by_name and message.HasField("header"):
        for field in _HEADER_NOISE:
            message.header.ClearField(field)


_SORT_FIELDS = {1: "version", 2: "create_revision", 3: "mod_revision", 4: "value"}


def _order_ties(message, request):
    """Keys that are equal in what they are sorted by come in any order; a limit may cut any of them off."""
    if request.sort_target not in _SORT_FIELDS or not message.kvs:
        return
    field = _SORT_FIELDS[request.sort_target]
    groups = [(value, sorted(ties, key=lambda kv: kv.key))
              for value, ties in itertools.groupby(message.kvs, key=lambda kv: getattr(kv, field))]
    if message.more:
        value, ties = groups.pop()
        groups.append((value, [type(ties[0])(**{field: value}) for _ in ties]))
    del message.kvs[:]
    message.kvs.extend(kv for _, ties in groups for kv in ties)


def _level(message):
    name = message.DESCRIPTOR.name
    if name == "LeaseTimeToLiveResponse" and message.TTL > 0:
        # Seconds may pass between the two servers' answers; a lease that lives is equal to one that lives.
        message.TTL = message.grantedTTL
    if name == "LeaseTimeToLiveResponse":
        message.keys.sort()
    if name == "MemberListResponse":
        for member in message.members:
            member.ClearField("ID")
            member.ClearField("peerURLs")
            member.ClearField("clientURLs")
    if name == "AlarmResponse":
        for alarm in message.alarms:
            alarm.ClearField("memberID")


def events_by_watch(messages):
    """{watch id: [events in order]}: how events are packed into messages, and how the messages of two watchers
    interleave, is the server's own business."""
    found = {}
    for message in messages:
        if message.events:
            found.setdefault(message.watch_id, []).extend(message.events)
    return found


def control_messages(messages):
    """What a watch stream said apart from events, per watch id, in order. Progress answers keep their revision."""
    found = {}
    for message in messages:
        if message.events:
            continue
        kind = "created" if message.created else "progress"
        if message.canceled:
            kind += "+canceled" if message.created else ""
            kind = kind if message.created else "canceled"
        revision = message.header.revision if kind == "progress" else None
        found.setdefault(message.watch_id, []).append(
            (kind, message.compact_revision, message.cancel_reason, revision))
    return found


def describe(message):
    """A short text for failure messages."""
    if message is None:
        return "nothing"
    if isinstance(message, list):
        return "[" + ", ".join(describe(each) for each in message) + "]"
    return message.DESCRIPTOR.name + "{" + " ".join(str(message).split()) + "}"


def lease_ids(answer, without=()):
    """The ids of a LeaseLeases answer: their order is by time left, which two servers may see differently."""
    return sorted(lease.ID for lease in answer.leases if lease.ID not in without)
