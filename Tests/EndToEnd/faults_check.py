"""Whether what the members show when all is healed fits what clients were told."""

import copy
import json
import subprocess
import time

from crash_check import problems_in_book, problems_in_log, problems_in_state
from crash_load import DELETE, PUT
from faults_watch import LEASE_PREFIX, ResumingWatch
from harness import eventually
from wire import pb

# A connection between members is given up after 5 s and tried again within 1 s, then an election takes up to 2 s;
# members that start must read their log first.
WRITES_WITHIN = 15


def first_writes(cluster, recorder, label):
    """Writes through each member; returns the time until all of them took one, or None."""
    began = time.monotonic()
    for member in cluster.members:
        for attempt in range(1000):
            key, value = b"probe/" + member.name.encode(), f"{label}-{attempt}".encode()
            answer = cluster.client(member).call("KV/Put", pb.PutRequest(key=key, value=value), timeout=1)
            recorder.put(key, value, answer)
            if answer.ok:
                break
            if time.monotonic() > began + WRITES_WITHIN:
                return None
            time.sleep(0.02)
    return time.monotonic() - began


def check_history(checker, path):
    """(holds, what the checker says)"""
    done = subprocess.run([checker, "check-history", path], capture_output=True, text=True, timeout=600)
    return done.returncode == 0, (done.stdout + done.stderr).strip()


def planted_stale_read(checker, path):
    """Whether the checker sees a read that comes back with a value after another read had a later one."""
    latest = {}
    with open(path) as file:
        lines = [line for line in map(json.loads, file) if line.get("found")]
    for line in sorted(lines, key=lambda line: line["call"]):
        before = latest.setdefault(line["key"], line)
        if line["op"] == before["op"] == "get" and line["found"]["mod"] > before["found"]["mod"]:
            stale = dict(before, call=line["return"] + 1, **{"return": line["return"] + 2})
            break
    else:
        return False
    planted = path + ".planted"
    with open(path) as file, open(planted, "w") as copied:
        copied.write(file.read() + json.dumps(stale) + "\n")
    return not check_history(checker, planted)[0]


def planted_bugs(book, log, first):
    """[(name, found)]: whether the comparison of writes and watch sees bugs planted in copies of sound data."""
    revisions = {revision: place for place, (revision, _) in enumerate(log)}
    # Of deletes one is like another: what is forgotten could be taken for one without an answer, or for a lease's end.
    acknowledged = [write for write in book if write.revision is not None and len(write.events) == 1
                    and write.events[0][0] == PUT]
    middle = acknowledged[len(acknowledged) // 2]
    place = revisions[middle.revision]

    def forget(other_book, _):
        other_book.remove(middle)

    def lose(_, other_log):
        del other_log[place]

    def change(_, other_log):
        (kind, key, _, lease), = middle.events
        other_log[place] = (middle.revision, [(kind, key, b"never written", lease)])

    def repeat(_, other_log):
        other_log.insert(place, log[place])

    def seen(bug):
        other_book, other_log = copy.copy(book), copy.copy(log)
        bug(other_book, other_log)
        return bool(problems_in_log(other_log, first) or problems_in_book(other_book, without_expiries(other_log)))

    return [(bug.__name__, seen(bug)) for bug in (forget, lose, change, repeat)]


def hashes_at(cluster, revision):
    request = pb.HashKVRequest(revision=revision)
    found = {}
    for member in cluster.members:
        answer = cluster.client(member).call("Maintenance/HashKV", request)
        found[member.name] = (answer.message.hash, answer.message.hash_revision) if answer.ok else answer.text
    return found


class Judge:
    """Follows the state from one round to the next, so that each is judged by its own events."""

    def __init__(self, results, cluster, watches, recorder, rng):
        self.results, self.cluster, self.watches, self.recorder = results, cluster, watches, recorder
        self.rng = rng
        self.state = {}  # key: (value, mod revision, lease)
        self.revision = 1
        self.compacted = 1
        self.log = []  # What a watch from the compact revision on must tell.

    def judge(self, label):
        """Of a healed cluster, while clients rest. Returns whether all holds."""
        results, before = self.results, self.results.failed
        current = self.cluster.client(self.cluster.members[0]).revision()
        for watch in self.watches:
            results.check(f"{label}: the watch through {watch.label} reaches revision {current}",
                          watch.wait_for(current, 30), f"it is at {watch.seen}")
        results.check(f"{label}: all members have the same hash at revision {current}",
                      eventually(lambda: len(set(hashes_at(self.cluster, current).values())) == 1),
                      hashes_at(self.cluster, current))
        logs = [watch.take_log(current) for watch in self.watches]
        for watch, log in zip(self.watches, logs):
            results.check(f"{label}: the watch through {watch.label} tells what the others tell", log == logs[0],
                          difference(log, logs[0]))
        found = [problem for watch in self.watches for problem in watch.problems]
        book, first = self.recorder.take_book(), self.revision + 1
        found += problems_in_log(logs[0], first)
        found += problems_in_book(book, without_expiries(logs[0]))
        found += self._problems_in_state(logs[0], current)
        self.log += logs[0]
        results.check(f"{label}: nothing lost, halved, repeated or invented", not found, "\n".join(found[:10]))
        if first == 2 and not results.failed:
            for name, seen in planted_bugs(book, logs[0], first):
                results.check(f"the checks see the planted bug '{name}'", seen)
        return results.failed == before

    def compact(self, revision):
        """Its work is done while the next faults come."""
        member = self.rng.choice(self.cluster.members)
        answer = self.cluster.client(member).call("KV/Compact", pb.CompactionRequest(revision=revision))
        if self.results.check(f"compaction to {revision} through {member.name}", answer.ok, answer):
            self.compacted = revision
            self.log = [entry for entry in self.log if entry[0] > revision]

    def look_below_compaction(self):
        for member in self.cluster.members if self.compacted > 1 else ():
            request = pb.RangeRequest(key=b"a", revision=self.compacted - 1)
            answer = self.cluster.client(member).call("KV/Range", request)
            self.results.equal(f"{member.name}: a read below the compaction", answer.code, "OUT_OF_RANGE")

    def watch_again(self):
        """A fresh watch through each member must tell what the old ones told over time."""
        for member in self.cluster.members:
            watch = ResumingWatch(f"a fresh watch through {member.name}", member.endpoint, self.compacted + 1)
            watch.wait_for(self.revision, 30)
            again = watch.take_log(self.revision)
            self.results.check(f"{watch.label} from {self.compacted + 1} on tells the same", again == self.log,
                               f"{difference(again, self.log)}; {watch.problems}")
            watch.stop()

    def _problems_in_state(self, log, current):
        found = []
        for revision, events in log:
            for kind, key, value, lease in events:
                if kind == PUT:
                    self.state[key] = (value, revision, lease)
                else:
                    self.state.pop(key, None)
        self.revision = current
        # As one log, so that the same comparison serves as after crashes.
        whole = sorted((mod, [(PUT, key, value, lease)]) for key, (value, mod, lease) in self.state.items())
        for member in self.cluster.members:
            request = pb.RangeRequest(key=b"\0", range_end=b"\0", revision=current)
            kvs = self.cluster.client(member).must("KV/Range", request).kvs
            found += [f"{member.name}: {problem}" for problem in problems_in_state(kvs, whole, current)]
        return found


def without_expiries(log):
    """Leases end by themselves: nobody asked for these deletes."""
    return [(revision, events) for revision, events in log
            if not all(kind == DELETE and key.startswith(LEASE_PREFIX) for kind, key, _, _ in events)]


def difference(log, other):
    for one, two in zip(log, other):
        if one != two:
            return f"{one} where another tells {two}"
    return f"{len(log)} revisions, another tells {len(other)}"
