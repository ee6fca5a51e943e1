"""Faults of the network between members, and between members and clients."""

import contextlib

from faults_kinds import FaultKinds
from faults_network import HUB


class PathFaults(FaultKinds):
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
