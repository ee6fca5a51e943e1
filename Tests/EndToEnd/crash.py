"""Kills the server under load with SIGKILL, again and again, and checks after every restart that each acknowledged
write is there at its revision, that no transaction is half done, and that a resumed watch has no gap and no repeat."""

import random
import signal
import time

from crash_check import planted_bugs, problems_in_book, problems_in_log, problems_in_state
from crash_load import LEASE, Watcher, Writer, grouped
from harness import Server, parse_arguments, run
from wire import Client, WatchStream, pb

WRITERS = 12


class Crashes:
    def __init__(self, results, server, rng):
        self.results = results
        self.server = server
        self.rng = rng
        self.book = []
        self.compacted = 0
        self.watcher = Watcher(server.endpoint)

    def load_and_kill(self):
        """Load for a random while, then SIGKILL. Returns how many writes were acknowledged."""
        before = len(self.book)
        writers = [Writer(number, self.server.endpoint, self.rng.getrandbits(64), self.book)
                   for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(self.rng.uniform(0.05, 0.7))
        if self.rng.random() < 0.3:
            self.compact()
        self.server.kill()
        for writer in writers:
            writer.stop()
        return sum(write.revision is not None for write in self.book[before:])

    def compact(self):
        """Asks for a compaction; its answer comes before its work is done, so that the kill meets it."""
        revision = self.watcher.seen - 50
        if revision > self.compacted:
            with Client(self.server.endpoint) as client:
                answer = client.call("KV/Compact", pb.CompactionRequest(revision=revision), timeout=5)
            self.compacted = revision if answer.ok else self.compacted

    def restart(self):
        """Some starts are killed too, in their first moments."""
        while self.rng.random() < 0.15:
            self.server.launch()
            time.sleep(self.rng.uniform(0, 0.1))
            self.server.process.send_signal(signal.SIGKILL)
            self.server.kill()
        self.server.start()

    def check(self, label):
        with Client(self.server.endpoint) as client:
            whole = client.get(b"\0", range_end=b"\0")
            current = whole.header.revision
            self.results.check(f"{label}: the resumed watch reaches revision {current}", self.watcher.wait_for(current),
                               f"it is at {self.watcher.seen}")
            log = [entry for entry in self.watcher.log if entry[0] <= current]
            found = self.watcher.problems + problems_in_log(log) + problems_in_book(self.book, log)
            found += problems_in_state(whole.kvs, log, current)
            found += self.old_reads(client, log, current) + self.lease_keys(client, whole.kvs)
        self.results.check(f"{label}: nothing lost, halved, repeated or invented", not found, "\n".join(found[:10]))
        return not found

    def old_reads(self, client, log, current):
        found = []
        for _ in range(3):
            revision = self.rng.randint(max(self.compacted, 2), current)
            answer = client.call("KV/Range", pb.RangeRequest(key=b"\0", range_end=b"\0", revision=revision))
            if answer.ok:
                found += problems_in_state(answer.message.kvs, log, revision)
            else:
                found.append(f"read at {revision} of {current}: {answer.code} {answer.text}")
        if self.compacted > 1:
            below = client.call("KV/Range", pb.RangeRequest(key=b"a", revision=self.compacted - 1))
            if below.code != "OUT_OF_RANGE":
                found.append(f"a read below the acknowledged compaction at {self.compacted}: {below.code}")
        return found

    def lease_keys(self, client, kvs):
        answer = client.must("Lease/LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=LEASE, keys=True))
        expected = sorted(kv.key for kv in kvs if kv.lease == LEASE)
        actual = sorted(answer.keys)
        return [] if actual == expected else [f"keys of the lease {actual}, expected {expected}"]

    def read_again(self, label):
        """A fresh watch over all that is left must tell what the resumed one told over time."""
        with Client(self.server.endpoint) as client:
            first, current = self.compacted + 1, client.revision()
            with WatchStream(client, [dict(key=b"\0", range_end=b"\0", start_revision=first)]) as stream:
                messages = stream.take(lambda m: m and m[-1].events and m[-1].events[-1].kv.mod_revision >= current)
        again = [entry for message in messages for entry in grouped(message.events)]
        told = [entry for entry in self.watcher.log if first <= entry[0] <= current]
        self.results.check(f"{label}: a fresh watch tells the same {len(told)} revisions", again == told,
                           f"{len(again)} revisions, of which {sum(a == b for a, b in zip(again, told))} equal")


def kill_again_and_again(results, arguments, server):
    rng = random.Random(arguments.seed)
    with Client(server.endpoint) as client:
        client.must("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=100000, ID=LEASE))
    crashes = Crashes(results, server, rng)
    done = acknowledged = 0
    for index in range(arguments.rounds):
        if results.remaining() < 10:
            break
        acknowledged += crashes.load_and_kill()
        crashes.restart()
        done += 1
        if not crashes.check(f"round {index}"):
            break
    crashes.read_again("at the end")
    crashes.watcher.stop()
    print(f"{done} rounds, {acknowledged} acknowledged and {len(crashes.book) - acknowledged} unanswered writes, "
          f"revision {crashes.watcher.seen}, compacted {crashes.compacted}, "
          f"watch resumed {crashes.watcher.resumed} times", flush=True)
    results.check("all rounds ran", done == arguments.rounds, f"{done} of {arguments.rounds}")
    results.check("the load was one", acknowledged > 20 * done, acknowledged)
    if done and not results.failed:
        for name, found in planted_bugs(crashes.book, crashes.watcher.log):
            results.check(f"the checks see the planted bug '{name}'", found)


def main():
    arguments = parse_arguments(__doc__, budget=180, rounds=(50, "how often the server is killed"))

    def body(results):
        with Server(arguments.server, label="server") as server:
            kill_again_and_again(results, arguments, server)

    run(arguments, body)


if __name__ == "__main__":
    main()
