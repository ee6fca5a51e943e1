"""Faults of members: their processes, disks and clocks."""

import contextlib
import signal
import time

from cluster import wait_until_cut
from faults_cluster import refusal
from faults_kinds import FaultKinds, names
from harness import eventually
from wire import pb

# Strake's own promise to keep-alives is tested under clocks that run so much faster or slower (faults_watch).
DRIFT = 0.1
DAY = 86_400
# More than a segment of the log, twice.
BEHIND_BYTES, BEHIND_VALUE_BYTES = 40 << 20, 500_000


class MemberFaults(FaultKinds):
    @contextlib.contextmanager
    def kill(self):
        victims = self._victims()
        self._count("kill", names(victims))
        for victim in victims:
            victim.kill()
        yield
        for victim in victims:
            while self.rng.random() < 0.15:
                victim.kill()
                victim.launch()
                time.sleep(self.rng.uniform(0, 0.1))
                victim.kill()
            if not victim.process:
                victim.launch()

    @contextlib.contextmanager
    def pause(self):
        victims = [victim for victim in self._victims() if victim.process]
        self._count("pause", names(victims))
        for victim in victims:
            victim.paused = True
            victim.signal(signal.SIGSTOP)
        yield
        for victim in victims:
            if victim.process:
                victim.signal(signal.SIGCONT)
            victim.paused = False

    @contextlib.contextmanager
    def clock(self):
        """A clock that drifts, or a wall clock that jumps by days."""
        victim = self._victim()
        victim.kill()
        drifts = self.rng.random() < 0.5
        if drifts:
            rate = round(1 + self.rng.choice((-DRIFT, DRIFT)), 3)
            self._count("clock (drift)", f"{victim.name} runs at {rate}")
            victim.set_clock(rate=rate)
        else:
            self._count("clock (jumps)", victim.name)
            victim.set_clock(offset=self.rng.randint(-DAY, DAY))
        victim.launch()
        for _ in range(3):
            time.sleep(self.rng.uniform(0.5, 1.5))
            if not drifts:
                victim.jump(self.rng.randint(-DAY, DAY))
        yield
        victim.kill()
        victim.set_clock()
        victim.launch()

    @contextlib.contextmanager
    def transfer(self):
        leader = self.cluster.peek_leader()
        target = self.rng.choice([member for member in self.cluster.members if member is not leader])
        if leader:
            ids = self.cluster.client(leader).call("Cluster/MemberList", pb.MemberListRequest(), timeout=2)
            for member in ids.message.members if ids.ok else ():
                if member.name == target.name:
                    self._count("leader transfer", f"{leader.name} to {target.name}")
                    self.cluster.client(leader).call("Maintenance/MoveLeader",
                                                     pb.MoveLeaderRequest(targetID=member.ID), timeout=5)
        yield

    @contextlib.contextmanager
    def fill_disk(self):
        """The member goes on as long as it can, then stops by itself and says why; with room it starts again."""
        victim = self._victim()
        self._count("disk full", victim.name)
        victim.fill_disk(leave=self.rng.choice((0, 4_096, 100_000)))
        # A checkpoint comes every 5 s, and needs room.
        eventually(lambda: victim.process.poll() is not None, timeout=self.rng.uniform(4, 14))
        yield
        stopped = victim.ended()
        if stopped:
            log = victim.log_since(victim.log_start).decode(errors="replace")
            self.results.check("a full disk stops the member with exit code 1", victim.exit_code == 1,
                               f"{victim.name}: {victim.exit_code}")
            self.results.check("it says that the disk is full", "disk is full" in log or "No space" in log,
                               victim.log_tail())
            self._count("stopped by a full disk", victim.name)
        victim.free_disk()
        if stopped:
            victim.launch()

    @contextlib.contextmanager
    def corrupt(self):
        """The member must refuse to start, and say where; then it is replaced, and catches up from the others."""
        victim = self._victim()
        self.settle()
        victim.kill()
        flipped = victim.flip_byte(self.rng)
        if flipped:
            self._count("corruption", f"{victim.name}: {flipped[0]} at byte {flipped[1]}")
            victim.launch()
            self.results.check("a member with a damaged log refuses to start",
                               eventually(victim.ended, timeout=10) and victim.exit_code == 1, victim.log_tail())
            named = refusal(victim.log_since(victim.log_start).decode(errors="replace"))
            self.results.check("it names the file and a record at or before the flipped byte",
                               named and named[0] == flipped[0] and named[1] <= flipped[1],
                               f"flipped {flipped}\n{victim.log_tail()}")
            self.cluster.expel(victim)
            self.cluster.readmit(victim, as_learner=False)
        else:
            victim.launch()
        yield
        self.settle()

    @contextlib.contextmanager
    def fall_behind(self):
        """A member is away until the log of the others reaches back no more, so it needs a snapshot. Something else may
        happen while that is under way."""
        victim = self._victim()
        self.settle()
        last = self.cluster.status(victim).raftIndex
        victim.kill()
        self._count("fall behind", victim.name)
        client = self.cluster.client(self.rng.choice(self.cluster.running()))
        for number in range(BEHIND_BYTES // BEHIND_VALUE_BYTES):
            key, value = b"bulk/behind%d" % (number % 5), b"%d/" % self.rng.getrandbits(62) + b"." * BEHIND_VALUE_BYTES
            self.recorder.put(key, value, client.call("KV/Put", pb.PutRequest(key=key, value=value), timeout=10))
        # Not before more entries came than a log keeps: the load brings them.
        wait_until_cut(self.cluster, last)
        victim.launch()
        self._meddle(victim)
        yield
        self.settle()

    @contextlib.contextmanager
    def exchange(self):
        """A member is removed, stops by itself, and is added again with nothing, as a voter or a learner first."""
        victim = self._victim()
        self.settle()
        as_learner = self.rng.random() < 0.5
        self._count("exchange", f"{victim.name}, {'a learner first' if as_learner else 'a voter at once'}")
        self.cluster.expel(victim)
        self.results.check("a removed member ends by itself, with exit code 0",
                           eventually(victim.ended, timeout=15) and victim.exit_code == 0, victim.log_tail())
        self.cluster.readmit(victim, as_learner)
        self._meddle(victim)
        if as_learner:
            self.cluster.promote(victim)
        yield
        self.settle()

    def _meddle(self, victim):
        """Perhaps something else happens, while a member catches up."""
        time.sleep(self.rng.uniform(0.05, 0.5))
        killed = self.rng.choice((None, victim, self.cluster.peek_leader()))
        if killed:
            self._count("kill", f"{killed.name}, while {victim.name} catches up")
            killed.kill()
            killed.launch()
