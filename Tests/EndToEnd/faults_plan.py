"""Which faults there are when, and that all is healed after them."""

import contextlib
import signal
import time

from faults_members import MemberFaults
from faults_paths import PathFaults


class Faults(MemberFaults, PathFaults):
    # How often a kind is drawn, against the others.
    WEIGHTS = dict(kill=20, pause=14, partition=24, loss=10, delay=10, clock=8, transfer=5, fill_disk=7, corrupt=7,
                   fall_behind=4, exchange=5)
    # These need the rest of the cluster in good health.
    ALONE = {"fill_disk", "corrupt", "fall_behind", "exchange"}

    def __init__(self, results, cluster, recorder, rng, only):
        super().__init__(results, cluster, recorder, rng)
        self.kinds = [kind for kind in self.WEIGHTS if not only or kind in only.split(",")]
        self.waiting = list(self.kinds)
        rng.shuffle(self.waiting)

    def run_until(self, deadline):
        """One after the other, sometimes two or three at once. Ends right after the last one is taken back."""
        while time.monotonic() < deadline and not self.results.failed:
            kinds = [self._draw()]
            while kinds[0] not in self.ALONE and len(kinds) < 3 and self.rng.random() < 0.35:
                kinds.append(self.rng.choice([kind for kind in self.kinds if kind not in self.ALONE]))
            with contextlib.ExitStack() as faults:
                for kind in kinds:
                    faults.enter_context(getattr(self, kind)())
                    time.sleep(self.rng.uniform(0.1, 1))
                time.sleep(self.rng.uniform(0.2, 4))
            if time.monotonic() < deadline:
                time.sleep(self.rng.uniform(0.2, 2))

    def _draw(self):
        """Every kind once in random order, then by weight: so that a short run has them all."""
        if self.waiting:
            return self.waiting.pop()
        return self.rng.choices(self.kinds, [self.WEIGHTS[kind] for kind in self.kinds])[0]

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
