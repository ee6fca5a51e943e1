"""Members as processes in network namespaces of their own, that are killed, paused, cut off, slowed down, filled up,
damaged and given wrong clocks, while clients write down what they are told. When all is healed, it must fit."""

import contextlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time

from faults_check import WRITES_WITHIN, Judge, check_history, first_writes, planted_stale_read
from faults_cluster import FaultyCluster
from faults_load import BulkWriter, Load, Recorder
from faults_network import Impossible, enter_private_namespaces
from faults_plan import Faults
from faults_recovery import kill_leaders
from faults_watch import LeaseKeeper, ResumingWatch, planted_bugs
from harness import parse_arguments, run

CLIENTS_PER_MEMBER = 3
# What the last fault and the last look at everything may take.
END_SECONDS = 45


class Run:
    def __init__(self, results, arguments, cluster):
        self.results, self.arguments, self.cluster = results, arguments, cluster
        rng = random.Random(arguments.seed)
        endpoints = [member.endpoint for member in cluster.members]
        self.recorder = Recorder()
        self.faults = Faults(results, cluster, self.recorder, rng, arguments.only)
        self.keepers = [LeaseKeeper(member.number, endpoints, self.recorder, rng.getrandbits(64))
                        for member in cluster.members]
        self.watches = [ResumingWatch(member.name, member.endpoint, on_events=keeper.look_at)
                        for member, keeper in zip(cluster.members, self.keepers)]
        self.judge = Judge(results, cluster, self.watches, self.recorder, rng)
        self.bulk = BulkWriter(endpoints, self.recorder, rng.getrandbits(64))
        self.load = Load(cluster.members, self.recorder, rng, CLIENTS_PER_MEMBER)
        self.rounds = self.operations = 0
        self.slowest_heal = 0

    def rounds_until_the_end(self):
        """As many as fit in the time."""
        while not self.results.failed and self.results.remaining() > self.arguments.round / 2 + END_SECONDS:
            self._round()
        self.load.stop()
        for each in (self.bulk, *self.keepers):
            each.stop()
        if not self.results.failed:
            self.judge.look_below_compaction()
            self.judge.watch_again()
        for watch in self.watches:
            watch.stop()
        if not self.results.failed:
            for name, seen in planted_bugs(self.watches[0], self.keepers[0]):
                self.results.check(f"the checks see the planted bug '{name}'", seen)
        self._report()

    def _round(self):
        self.rounds += 1
        label = f"round {self.rounds}"
        path = os.path.join(self.cluster.directory, f"history-{self.rounds}.jsonl")
        seconds = min(self.arguments.round, self.results.remaining() - END_SECONDS)
        print(f"{label}: {seconds:.0f} s of faults", flush=True)
        self.load.resume(path)
        self.faults.run_until(time.monotonic() + seconds)
        self.faults.heal()
        took = first_writes(self.cluster, self.recorder, label)
        if self.results.check(f"{label}: every member takes writes within {WRITES_WITHIN} s after healing", took):
            self.slowest_heal = max(self.slowest_heal, took)
        self.load.pause()
        last = self.judge.revision
        with contextlib.ExitStack() as resting:
            for each in (self.bulk, *self.keepers):
                resting.enter_context(each.writing)
            sound = self.judge.judge(label)
        checker = self.arguments.checker or self.arguments.server
        holds, said = check_history(checker, path)
        self.results.check(f"{label}: the history is linearizable", holds, f"{path}: {said}")
        if holds and self.rounds == 1:
            self.results.check("the check sees a planted stale read", planted_stale_read(checker, path))
        lost = [problem for keeper in self.keepers for problem in keeper.problems]
        self.results.check(f"{label}: no lease ended that was kept alive", not lost, "\n".join(lost))
        self.operations += self.recorder.operations
        if sound and holds:
            os.remove(path)
        if self.rounds > 1:
            self.judge.compact(last)
        print(f"{label}: revision {self.judge.revision}, writes {took or -1:.2f} s after healing; {said}", flush=True)

    def _report(self):
        keepers, outcomes, members = self.keepers, self.recorder.outcomes, self.cluster.members
        print(f"{self.rounds} rounds, seed {self.arguments.seed}, {len(members)} members")
        print("faults: " + ", ".join(f"{kind} {number}" for kind, number in sorted(self.faults.counts.items())))
        print("operations: " + ", ".join(f"{operation} {outcome} {number}"
                                         for (operation, outcome), number in sorted(outcomes.items())))
        print("refused writes: " + ", ".join(f"{why} {number}"
                                             for why, number in sorted(self.recorder.refusals.items())))
        print(f"{self.operations} operations in the histories, revision {self.judge.revision}, "
              f"watches resumed {sum(watch.resumed for watch in self.watches)} times")
        print(f"snapshots installed {sum(member.count_in_log('applied snapshot') for member in members)}, "
              f"compacted to {self.judge.compacted}")
        print(f"leases granted {sum(keeper.granted for keeper in keepers)}, kept alive "
              f"{sum(keeper.kept for keeper in keepers)} times, lost {sum(keeper.lost for keeper in keepers)}; "
              f"slowest healing {self.slowest_heal:.2f} s", flush=True)
        done = sum(number for (_, outcome), number in outcomes.items() if outcome == "ok")
        self.results.check("the load was one", done > 1_000 * self.rounds, done)
        # In five minutes there is time for each.
        self.results.check("there were faults of each kind", self.rounds < 5 or not self.faults.waiting,
                           self.faults.waiting)


def random_faults(results, arguments, cluster):
    Run(results, arguments, cluster).rounds_until_the_end()


def test(results, arguments, directory):
    body = kill_leaders if arguments.leader_kills else random_faults
    # How long a leader is missed is measured with the default flags, and with a disk as it is.
    flags = [] if arguments.leader_kills else ["--snapshot-count", "1000"]
    cluster = FaultyCluster(arguments.server, arguments.members, flags, directory, on_disk=arguments.leader_kills > 0)
    sound = False
    try:
        cluster.start()
        body(results, arguments, cluster)
        sound = not results.failed
    finally:
        for member in cluster.members:
            member.kill()
            if not sound:
                member.keep()
                print(f"{member.label}:\n{member.log_tail()}", flush=True)
        cluster.remove()
        if sound:
            shutil.rmtree(directory, ignore_errors=True)
        else:
            print(f"histories, logs and data are kept in {directory}", flush=True)


def main():
    arguments = parse_arguments(
        __doc__, budget=300, members=(3, "how many"), round=(40, "seconds of faults between two looks at everything"),
        only=("", f"these faults and no others, of {','.join(sorted(Faults.WEIGHTS))}"),
        leader_kills=(0, "instead: kill the leader so many times and measure how long writes stop"),
        checker=("", "the strake whose check-history judges the histories; the server itself unless another is named"))
    if arguments.members < 3:
        sys.exit("--members: at least 3, so that there is a majority without one of them")
    for name in filter(None, arguments.only.split(",")):
        if name not in Faults.WEIGHTS:
            sys.exit(f"--only: there is no fault {name!r}")
    # Also where a shell has it ignored, as it does for what runs in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Before anything starts a thread: each has namespaces of its own.
    try:
        enter_private_namespaces()
    except Impossible as error:
        print(f"FAILED {error}\n0 passed, 1 failed", flush=True)
        sys.exit(1)
    directory = tempfile.mkdtemp(prefix="strake-faults-")
    print(f"directory {directory}", flush=True)
    run(arguments, lambda results: test(results, arguments, directory))


if __name__ == "__main__":
    main()
