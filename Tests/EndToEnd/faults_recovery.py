"""How long writes stop when the leader is killed, with the default timings, under load."""

import datetime
import random
import re
import threading
import time

from faults_check import Judge
from faults_load import Recorder
from faults_watch import ResumingWatch
from harness import eventually
from wire import Client, pb

ELECTION_SECONDS = 1.0  # The default of --election-timeout.
WRITERS_PER_MEMBER = 3
WRITES_A_SECOND = 60  # of one writer


class Writer:
    """Puts one key after the other through one member, and through the next one when that fails."""

    def __init__(self, number, endpoints, recorder, seed):
        self.number, self.endpoints, self.recorder = number, endpoints, recorder
        self.rng = random.Random(seed)
        self.place = number % len(endpoints)
        self.first_after = None  # the first answered one of those sent after `mark`
        self.mark = float("inf")
        self.lock = threading.Lock()
        self.ended = False
        self.written = 0
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        client = Client(self.endpoints[self.place])
        while not self.ended:
            if not self._write(client):
                client.close()
                self.place = (self.place + 1) % len(self.endpoints)
                client = Client(self.endpoints[self.place])
            else:
                time.sleep(self.rng.expovariate(WRITES_A_SECOND))
        client.close()

    def _write(self, client):
        key, value = b"writer%d/%d" % (self.number, self.rng.randrange(50)), b"%d-%d" % (self.number, self.written)
        self.written += 1
        sent = time.monotonic()
        future = client.begin("KV/Put", pb.PutRequest(key=key, value=value), timeout=5, wait_for_ready=False)
        answer = Client.finish(future)
        self.recorder.put(key, value, answer)
        if answer.ok:
            with self.lock:
                if sent >= self.mark and self.first_after is None:
                    self.first_after = time.monotonic()
        return answer.ok

    def watch_from(self, mark):
        with self.lock:
            self.mark, self.first_after = mark, None


def kill_leaders(results, arguments, cluster):
    rng = random.Random(arguments.seed)
    endpoints = [member.endpoint for member in cluster.members]
    recorder = Recorder()
    watches = [ResumingWatch(member.name, member.endpoint) for member in cluster.members]
    writers = [Writer(number, endpoints, recorder, rng.getrandbits(64))
               for number in range(WRITERS_PER_MEMBER * len(endpoints))]
    first, last, elected = [], [], []
    for number in range(arguments.leader_kills):
        if results.remaining() < 15:
            break
        # Some time apart from the start before, so that kills meet any moment between two heartbeats.
        time.sleep(rng.uniform(0.5, 1.5))
        leader = cluster.leader()
        times = kill(cluster, leader, writers)
        if not results.check(f"kill {number + 1}: every writer goes on", times):
            break
        for times_of_all, one in zip((first, last, elected), times):
            times_of_all.append(one)
        leader.launch().wait_until_ready()
        cluster.forget_clients()
    for writer in writers:
        writer.ended = True
        writer.thread.join(10)
    Judge(results, cluster, watches, recorder, rng).judge("at the end")
    for watch in watches:
        watch.stop()
    results.check("all kills were done", len(first) == arguments.leader_kills, len(first))
    print(f"{len(first)} kills of the leader, {sum(writer.written for writer in writers)} writes, "
          f"{len(writers)} writers, {len(endpoints)} members")
    report("a new leader is elected", elected)
    report("the first write is acknowledged", first)
    report("every writer has one acknowledged", last)
    results.check("p99 of the time until every writer goes on is at most two election timeouts",
                  last and percentile(last, 99) <= 2 * ELECTION_SECONDS, percentile(last, 99))


def kill(cluster, leader, writers):
    """Seconds from the kill until the first of the writers and until all have a write acknowledged that was sent after
    it, and until a member said that it was elected; None if that takes too long."""
    offsets = {member: len(member.log_since(0)) for member in cluster.members}
    mark, wall = time.monotonic(), time.time()
    for writer in writers:
        writer.watch_from(mark)
    leader.kill()
    if not eventually(lambda: all(writer.first_after for writer in writers), timeout=20):
        return None
    found = [writer.first_after - mark for writer in writers]
    return min(found), max(found), elected_at(cluster, leader, offsets) - wall


def elected_at(cluster, leader, offsets):
    """When the first other member was elected, by its log; members' clocks are the machine's here."""
    times = []
    for member in cluster.members:
        if member is not leader:
            log = member.log_since(offsets[member]).decode()
            times += re.findall(r'"ts":"([^"]+)Z",(?:"caller":"[^"]+",)?"msg":"elected leader"', log)
    return min(datetime.datetime.fromisoformat(each + "+00:00").timestamp() for each in times)


def report(name, seconds):
    if seconds:
        figures = ", ".join(f"{label} {value:.3f}" for label, value in (
            ("min", min(seconds)), ("median", percentile(seconds, 50)), ("p90", percentile(seconds, 90)),
            ("p99", percentile(seconds, 99)), ("max", max(seconds))))
        print(f"seconds from the kill until {name}: {figures}", flush=True)


def percentile(values, share):
    """The smallest value that `share` percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)] if ordered else None
