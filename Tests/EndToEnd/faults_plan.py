"""The faults: what is done to members and to the network between them, and how it is taken back."""

import contextlib
import signal
import time

from cluster import eventually
from faults_cluster import refusal
from faults_network import HUB
from wire import pb

# Strake's own promise to keep-alives is tested under clocks that run so much faster or slower (faults_watch).
DRIFT = 0.1
DAY = 86_400


class Faults:
    """Each fault is a context: it holds inside, and is over after it."""

    def __init__(self, results, cluster, recorder, rng):
        self.results, self.cluster, self.recorder, self.rng = results, cluster, recorder, rng
        self.counts = {}
        # (kind, weight). Those of `alone` need the others of the cluster in good health.
        self.shared = [(self.kill, 20), (self.pause, 14), (self.partition, 24), (self.loss, 10), (self.delay, 10),
                       (self.clock, 8), (self.transfer, 5)]
        self.alone = [(self.fill_disk, 7), (self.corrupt, 7)]
        self.waiting = [kind for kind, _ in self.shared + self.alone]
        rng.shuffle(self.waiting)

    def run_until(self, deadline):
        """One after the other, sometimes two at once. Ends right after the last one is taken back."""
        while time.monotonic() < deadline and not self.results.failed:
            kind = self._draw()
            shared = [each for each, _ in self.shared]
            with contextlib.ExitStack() as faults:
                faults.enter_context(kind())
                if kind in shared and self.rng.random() < 0.3:
                    time.sleep(self.rng.uniform(0, 1))
                    faults.enter_context(self.rng.choice([each for each in shared if each != kind])())
                time.sleep(self.rng.uniform(0.3, 5))
            if time.monotonic() < deadline:
                time.sleep(self.rng.uniform(0.2, 2))

    def _draw(self):
        """Every kind once in random order, then by weight: so that a short run has them all."""
        if self.waiting:
            return self.waiting.pop()
        kinds = self.shared + self.alone
        return self.rng.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]

    def _count(self, name, text=""):
        self.counts[name] = self.counts.get(name, 0) + 1
        print(f"  {time.strftime('%H:%M:%S')} {name} {text}", flush=True)

    def _victim(self):
        """Half of the faults meet the leader."""
        leader = self.cluster.peek_leader() if self.rng.random() < 0.5 else None
        return leader or self.rng.choice(self.cluster.members)

    def _victims(self):
        """One, a majority, or all."""
        kind, members = self.rng.random(), self.cluster.members
        if kind < 0.7:
            return [self._victim()]
        return self.rng.sample(members, len(members) if kind < 0.85 else len(members) // 2 + 1)

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
    def partition(self):
        one = self._victim().number
        others = [number for number in self.cluster.network.numbers if number != one]
        to, back = [(one, other) for other in others], [(other, one) for other in others]
        other = self.rng.choice(others)
        shapes = {
            "two-way": to + back,
            "two-way, clients too": to + back + [(one, HUB), (HUB, one)],
            "one-way, it is not heard": to,
            "one-way, it does not hear": back,
            "two-way, of two": [(one, other), (other, one)],
            "one-way, of two": [(one, other)],
            "all": [(each, two) for each in [one, *others] for two in [one, *others] if each != two],
        }
        if len(others) > 3:
            side = self.rng.sample(others, 1) + [one]
            rest = [each for each in others if each not in side]
            shapes["two-way, two from the rest"] = [pair for a in side for b in rest for pair in ((a, b), (b, a))]
        shape = self.rng.choice(sorted(shapes))
        self._count(f"partition ({shape.split(',')[0]})", f"{shape}: m{one}")
        self.cluster.network.cut(shapes[shape])
        yield
        self.cluster.network.heal()

    def _paths(self):
        """All between members, or all to and from one of them; with the way from the clients."""
        numbers = self.cluster.network.numbers
        pairs = [(one, two) for one in numbers for two in numbers if one != two]
        if self.rng.random() < 0.6:
            victim = self._victim().number
            return [pair for pair in pairs if victim in pair] + [(HUB, victim)], f"m{victim}"
        return pairs, "all"

    @contextlib.contextmanager
    def loss(self):
        pairs, whose = self._paths()
        share = self.rng.choice((0.02, 0.1, 0.3, 0.5))
        self._count("loss", f"{share:.0%} of {whose}")
        self.cluster.network.lose(pairs, share)
        yield
        self.cluster.network.heal()

    @contextlib.contextmanager
    def delay(self):
        pairs, whose = self._paths()
        seconds, jitter = self.rng.choice(((0.005, 0.02), (0.05, 0.05), (0.2, 0.1), (0.6, 0.6)))
        self._count("delay", f"{seconds} s and up to {jitter} s more, {whose}")
        self.cluster.network.delay(pairs, seconds, jitter)
        yield
        self.cluster.network.heal()

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
            self.cluster.replace(victim)
        else:
            victim.launch()
        yield
        self.settle()

    def settle(self):
        """Waits until all members take writes."""
        key = b"probe/settle"

        def takes(member):
            value = b"%d" % self.rng.getrandbits(62)
            answer = self.cluster.client(member).call("KV/Put", pb.PutRequest(key=key, value=value), timeout=1)
            self.recorder.put(key, value, answer)
            return answer.ok

        for member in self.cluster.members:
            if not eventually(lambda: takes(member), timeout=30):
                raise TimeoutError(f"{member.name} takes no writes while nothing is wrong")

    def heal(self):
        """Whatever a fault that was interrupted has left."""
        self.cluster.network.heal()
        for member in self.cluster.members:
            member.free_disk()
            if member.process and member.paused:
                member.signal(signal.SIGCONT)
                member.paused = False
            member.note_crash()
            self.results.check(f"{member.name} ended only when it was made to", not member.crashes,
                               "\n".join(member.crashes))
            if not member.process:
                member.launch()
        self.cluster.forget_clients()


def names(members):
    return " ".join(member.name for member in members)
