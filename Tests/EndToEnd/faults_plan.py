"""Which faults there are when, and that all is healed after them."""

import contextlib
import signal
import time

from faults_members import MemberFaults
from faults_paths import PathFaults


class Faults(MemberFaults, PathFaults):
    def __init__(self, results, cluster, recorder, rng, only):
        super().__init__(results, cluster, recorder, rng)
        # (kind, weight). Those of `alone` need the others of the cluster in good health.
        self.shared = [(self.kill, 20), (self.pause, 14), (self.partition, 24), (self.loss, 10), (self.delay, 10),
                       (self.clock, 8), (self.transfer, 5)]
        self.alone = [(self.fill_disk, 7), (self.corrupt, 7), (self.fall_behind, 4), (self.exchange, 5)]
        if only:
            self.shared = [(kind, weight) for kind, weight in self.shared if kind.__name__ in only.split(",")]
            self.alone = [(kind, weight) for kind, weight in self.alone if kind.__name__ in only.split(",")]
        self.waiting = [kind for kind, _ in self.shared + self.alone]
        rng.shuffle(self.waiting)

    def run_until(self, deadline):
        """One after the other, sometimes two at once. Ends right after the last one is taken back."""
        while time.monotonic() < deadline and not self.results.failed:
            kind = self._draw()
            shared = [each for each, _ in self.shared]
            with contextlib.ExitStack() as faults:
                faults.enter_context(kind())
                if kind in shared and len(shared) > 1 and self.rng.random() < 0.3:
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
