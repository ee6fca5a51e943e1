"""What all faults have in common: whom they meet, and how they are counted."""

import time

from harness import eventually
from wire import pb


class FaultKinds:
    """Each fault is a context: it holds inside, and is over after it."""

    def __init__(self, results, cluster, recorder, rng):
        self.results, self.cluster, self.recorder, self.rng = results, cluster, recorder, rng
        self.counts = {}

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


def names(members):
    return " ".join(member.name for member in members)
