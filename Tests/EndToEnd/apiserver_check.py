"""Whether what a store told an API server fits together. Pure: records in, problems out, as (kind, sentence)."""

from bisect import bisect_left, bisect_right

from apiserver_store import DELETE, PUT


class History:
    """What one watcher of everything was told, as the state at each revision."""

    def __init__(self, record):
        self.record = record
        self.revisions = []  # of (revision, events)
        for batch in record.log:
            for event in batch.events:
                if not self.revisions or self.revisions[-1][0] != event.kv.mod:
                    self.revisions.append((event.kv.mod, []))
                self.revisions[-1][1].append(event)
        self.at = dict(self.revisions)
        self.versions = {}  # key: ([revisions], [KV or None])
        for revision, events in self.revisions:
            for event in events:
                when, what = self.versions.setdefault(event.kv.key, ([], []))
                when.append(revision)
                what.append(event.kv if event.kind == PUT else None)
        self.keys = sorted(self.versions)
        self._events = {}

    @property
    def last(self):
        return self.revisions[-1][0]

    def find(self, key, revision):
        when, what = self.versions.get(key, ((), ()))
        index = bisect_right(when, revision)
        return what[index - 1] if index else None

    def state(self, key, end, revision):
        """What a list of [key, end) at the revision has to be."""
        found = (self.find(each, revision) for each in self.keys[bisect_left(self.keys, key):bisect_left(self.keys, end)])
        return [kv for kv in found if kv]

    def events(self, key, end):
        """All events of a range, in order."""
        if (key, end) not in self._events:
            self._events[key, end] = [event for _, events in self.revisions for event in events
                                      if (key <= event.kv.key < end if end else event.kv.key == key)]
        return self._events[key, end]


def problems_in_history(history, first=2):
    """Revisions without a gap, whose fields say what the events before them make of the state."""
    found, expected = [], first
    for revision, _ in history.revisions:
        if revision != expected:
            found.append(("gap" if revision > expected else "repeat", f"revision {revision} where {expected} was due"))
        expected = revision + 1
    for revision, events in history.revisions:
        for event in events:
            prev = history.find(event.kv.key, revision - 1)
            if event.prev != prev:
                found.append(("prev_kv", f"at {revision} {event.kv.key}: {short(event.prev)}, was {short(prev)}"))
            kv = event.kv
            if event.kind == DELETE:
                right = prev is not None and (kv.value, kv.create, kv.version, kv.lease) == (b"", 0, 0, 0)
            else:
                right = (kv.create, kv.version) == ((prev.create, prev.version + 1) if prev else (revision, 1))
            if not right:
                found.append(("field", f"{short(kv)} after {short(prev)}"))
    return found


def problems_in_watch(record, history, reached):
    """A watcher's messages against what happened in its range, up to `reached`."""
    found = [("canceled", text) for text in record.problems]
    if record.seen < reached:
        found.append(("gap", f"it saw {record.seen} of {reached}"))
    events, ids, last, progress = [], set(), 0, 0
    for batch in record.log:
        if not batch.events:
            progress = max(progress, batch.revision)
            continue
        if batch.revision < batch.events[-1].kv.mod:
            found.append(("header", f"{batch.revision} with an event of {batch.events[-1].kv.mod}"))
        if batch.events[0].kv.mod == last:
            found.append(("split", f"revision {last} in two messages"))
        for event in batch.events:
            name = (event.kv.mod, event.kv.key)
            if name in ids:
                found.append(("repeat", f"{name} again"))
                continue
            if event.kv.mod < last:
                found.append(("order", f"{name} after {last}"))
            if event.kv.mod <= progress:
                found.append(("progress", f"{name} after the progress to {progress}"))
            ids.add(name)
            last = max(last, event.kv.mod)
            events.append(event)
    due = [event for event in history.events(record.key, record.end) if record.start <= event.kv.mod <= reached]
    return found + differences([event for event in events if event.kv.mod <= reached], due)


def differences(events, due):
    """Of two lists of events: which are missing, which come in another order, which say something else."""
    found = []
    by_name = {(event.kv.mod, event.kv.key): event for event in events}
    due_by_name = {(event.kv.mod, event.kv.key): event for event in due}
    found += [("gap", f"{name} never came") for name in due_by_name if name not in by_name]
    found += [("unexplained", f"{name} came") for name in by_name if name not in due_by_name]
    if not found and list(by_name) != list(due_by_name):
        found.append(("order", "the same events in another order"))
    for name, event in by_name.items():
        other = due_by_name.get(name, event)
        if (event.kind, event.kv) != (other.kind, other.kv):
            found.append(("changed", f"{short(event)}, others saw {short(other)}"))
        if event.prev != other.prev:
            found.append(("prev_kv", f"{short(event.prev)}, was {short(other.prev)}"))
    return found


def problems_in_listing(listing, history):
    """Each page against the state at the revision of the list."""
    found, place = [], f"{listing.kind} of {listing.key} at {listing.revision}"
    for page in listing.pages:
        due = history.state(page.key, listing.end, listing.revision)
        if page.count != len(due):
            found.append(("count", f"{place} from {page.key}: {page.count}, {len(due)} are there"))
        shown = [] if listing.kind == "count" else due[:page.limit] if page.limit else due
        if listing.kind == "keys":
            shown = [kv._replace(value=b"") for kv in shown]
        if page.kvs != shown:
            wrong = next((pair for pair in zip(page.kvs, shown) if pair[0] != pair[1]), (len(page.kvs), len(shown)))
            found.append(("list", f"{place} from {page.key}: {short(wrong[0])}, due is {short(wrong[1])}"))
        # A count has no more to show.
        if page.more != (listing.kind != "count" and len(shown) < len(due)):
            found.append(("more", f"{place} from {page.key}: {page.more}, {len(shown)} of {len(due)}"))
    return found


def problems_in_cache(read, history):
    """A cache that was told all up to a revision has the state of that revision."""
    record, position, revision = read
    state = {kv.key: kv for kv in history.state(record.key, record.end, record.start - 1)}
    for batch in record.log[:position]:
        for event in batch.events:
            if event.kv.mod <= revision:
                state.pop(event.kv.key, None)
                if event.kind == PUT:
                    state[event.kv.key] = event.kv
    due = history.state(record.key, record.end, revision)
    if [state[key] for key in sorted(state)] == due:
        return []
    return [("behind", f"a cache of {record.key} with progress to {revision} has not the state of that revision")]


def problems_in_book(book, history):
    """Each answered transaction did what it said, and nothing happened that nobody asked for."""
    found, explained, open_writes = [], set(), set()
    for write in book:
        happens = (write.key, DELETE if write.kind == "delete" else PUT, write.value)
        if not write.answered:
            open_writes.add(happens)
        elif write.succeeded:
            events = history.at.get(write.revision, [])
            if [(event.kv.key, event.kind, event.kv.value) for event in events] != [happens]:
                found.append(("lost", f"{short(write)}: {short(events)} is there"))
            elif write.kind != "delete" and events[0].kv.lease != write.lease:
                found.append(("changed", f"{short(write)}: lease {events[0].kv.lease}"))
            explained.add(write.revision)
        found += problems_in_branch(write, history)
    for revision, events in history.revisions:
        if revision in explained or all(is_expiry(event) for event in events):
            continue
        if not all((event.kv.key, event.kind, event.kv.value) in open_writes for event in events):
            found.append(("unexplained", f"at {revision}: {short(events)}"))
    return found


def problems_in_branch(write, history):
    """Whether the branch that was taken is the right one, and what the failure branch read."""
    if not write.answered:
        return []
    before = history.find(write.key, write.revision - 1 if write.succeeded else write.revision)
    field = "version" if write.kind == "lock" else "mod"
    if write.succeeded != ((getattr(before, field) if before else 0) == write.expected):
        return [("branch", f"{short(write)} met {short(before)}")]
    if not write.succeeded and write.kind != "create" and write.found != before:
        return [("branch", f"{short(write)} read {short(write.found)}, {short(before)} was there")]
    return []


def is_expiry(event):
    return event.kind == DELETE and event.prev is not None and event.prev.lease != 0


def problems_in_expiry(lease, history, late_seconds):
    """All keys of a lease go in one revision, ascending, not before its time and not long after it."""
    revisions = [(revision, events) for revision, events in history.revisions
                 if any(is_expiry(event) and event.prev.lease == lease.id for event in events)]
    if len(revisions) != 1:
        return [("expiry", f"lease {lease.id} ended in revisions {[revision for revision, _ in revisions]}")]
    revision, events = revisions[0]
    keys = [event.kv.key for event in events]
    found = []
    if keys != sorted(lease.keys):
        found.append(("expiry", f"lease {lease.id} at {revision}: {len(keys)} keys of {len(lease.keys)}, or not in order"))
    when = next(batch.time for batch in history.record.log if batch.events and batch.events[-1].kv.mod >= revision)
    if not lease.ttl <= when - lease.granted <= lease.ttl + late_seconds:
        found.append(("time", f"lease {lease.id} of {lease.ttl} s ended after {when - lease.granted:.2f} s"))
    return found


def short(value):
    text = repr(value)
    return text if len(text) < 220 else text[:220] + "..."
