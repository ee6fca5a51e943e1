"""Whether what a server shows after crashes fits what its clients were told. Pure: book and log in, problems out."""

import copy

from crash_load import DELETE, PUT, Write


def problems_in_log(log, first=2):
    """Gaps and repeats of a watch that was resumed again and again."""
    found, expected = [], first
    for revision, _ in log:
        if revision < expected:
            found.append(f"revision {revision} came again after {expected - 1}")
        elif revision > expected:
            found.append(f"gap: revision {revision} came after {expected - 1}")
        expected = revision + 1
    return found


def problems_in_book(book, log):
    """Every acknowledged write is in the log, whole and at its revision; and the log has nothing nobody wrote."""
    found = []
    at = {revision: tuple(events) for revision, events in log}
    acknowledged = {}
    for write in book:
        if write.revision is None:
            continue
        acknowledged[write.revision] = write
        if write.revision not in at:
            found.append(f"lost: acknowledged at {write.revision}: {short(write.events)}")
        elif at[write.revision] != write.events:
            found.append(f"changed: at {write.revision} {short(write.events)} was acknowledged, "
                         f"{short(at[write.revision])} is there")
    unanswered = {}
    for write in book:
        if write.revision is None:
            unanswered[write.events] = unanswered.get(write.events, 0) + 1
    for revision, events in at.items():
        if revision not in acknowledged and not take(unanswered, events):
            found.append(f"unexplained: at {revision}: {short(events)}")
    return found


def take(counts, events):
    counts[events] = counts.get(events, 0) - 1
    return counts[events] >= 0


def state_at(log, revision):
    """{key: (value, mod revision, lease)} after the events up to `revision`."""
    state = {}
    for at, events in log:
        if at > revision:
            break
        for kind, key, value, lease in events:
            if kind == PUT:
                state[key] = (value, at, lease)
            elif kind == DELETE:
                state.pop(key, None)
    return state


def problems_in_state(kvs, log, revision):
    """A whole read at `revision` against what the log makes of it, and pairs that are not equal."""
    expected = state_at(log, revision)
    actual = {kv.key: (kv.value, kv.mod_revision, kv.lease) for kv in kvs}
    found = [f"at {revision} {key!r} is {short(actual.get(key))}, the events say {short(expected.get(key))}"
             for key in sorted(expected.keys() | actual.keys()) if expected.get(key) != actual.get(key)]
    for key, (value, at, _) in actual.items():
        if b"/left/" in key:
            other = actual.get(key.replace(b"left", b"right"))
            if other is None or other[:2] != (value, at):
                found.append(f"half a transaction: {key!r} is {short((value, at))}, its twin {short(other)}")
    return found


def short(value):
    text = repr(value)
    return text if len(text) < 120 else text[:120] + "..."


def planted_bugs(book, log):
    """[(name, found)]: each bug planted in a copy of sound data, and whether the checks see it. They are planted at
    acknowledged writes: of one that was never answered nothing can be said."""
    acknowledged = [index for index, write in enumerate(book) if write.revision is not None]
    pairs = [index for index, (_, events) in enumerate(log) if len(events) == 2]
    middle = acknowledged[len(acknowledged) // 2]
    at_middle = next(index for index, (revision, _) in enumerate(log) if revision == book[middle].revision)
    last = max(write.revision or 0 for write in book)

    def seen(change):
        other_book, other_log = copy.deepcopy(book), copy.deepcopy(log)
        change(other_book, other_log)
        return bool(problems_in_log(other_log) or problems_in_book(other_book, other_log))

    def forget(other_book, _):
        del other_book[middle]

    def invent(other_book, _):
        other_book.append(Write(((PUT, b"w0/0", b"never written", 0),), book[middle].revision))

    def lose_last(_, other_log):
        other_log[:] = [entry for entry in other_log if entry[0] < last]

    def lose(_, other_log):
        del other_log[at_middle]

    def repeat(_, other_log):
        other_log.insert(at_middle, log[at_middle])

    def halve(_, other_log):
        other_log[pairs[len(pairs) // 2]][1].pop()

    def swap(_, other_log):
        one, two = log[at_middle - 1], log[at_middle]
        other_log[at_middle - 1], other_log[at_middle] = (one[0], two[1]), (two[0], one[1])

    return [(bug.__name__, seen(bug)) for bug in (forget, invent, lose_last, lose, repeat, halve, swap)]
