"""Seeded random requests over a small key space, so that they hit each other."""

from wire import pb

C = pb.Compare


class Generator:
    """Endless requests; the same seed gives the same ones. It keeps a rough idea of revision and leases only, so
    that most of its requests mean something; the answers tell it the revision."""

    def __init__(self, rng):
        self.rng = rng
        self.keys = sorted({self._new_key() for _ in range(60)})
        self.leases = []
        self.next_lease = 1000
        self.revision = 1
        self.compacted = 0

    def _new_key(self):
        return bytes(self.rng.choice(b"ab\x00\xff/") for _ in range(self.rng.randint(1, 4)))

    def next(self):
        """(method, request)"""
        kinds = [(30, self.put), (25, self.range), (10, self.delete), (24, self.txn), (3, self.grant), (2, self.revoke),
                 (3, self.time_to_live), (0.3, self.compact)]
        weights, makers = zip(*kinds)
        return self.rng.choices(makers, weights)[0]()

    def key(self):
        return self.rng.choice(self.keys) if self.rng.random() < 0.97 else self._new_key()

    def value(self):
        return b"%d" % self.rng.randrange(10) * self.rng.choice((0, 1, 1, 2, 5, 400))

    def span(self):
        """A key and the end of a range: mostly sensible, sometimes empty or backwards."""
        key = self.key()
        return key, self.rng.choices(
            [b"", b"\0", key + b"\0", key[:-1] + bytes([min(key[-1] + 1, 255)]), self.key()], [4, 1, 1, 3, 3])[0]

    def lease(self):
        if self.rng.random() < 0.75:
            return 0
        return self.rng.choice(self.leases) if self.leases and self.rng.random() < 0.9 else 99

    def past_revision(self):
        choice = self.rng.random()
        if choice < 0.7:
            return 0
        if choice < 0.97:
            return self.rng.randint(max(1, self.compacted - 3), self.revision)
        return self.revision + self.rng.randint(1, 5)

    def put_request(self, keeping=True):
        """`keeping` allows puts that keep the value or the lease. Not in transactions: when an open-ended delete
        before them takes the key away, etcd panics."""
        request = pb.PutRequest(key=self.key(), value=self.value(), lease=self.lease(), prev_kv=self.rng.random() < 0.3)
        if not keeping:
            return request
        if self.rng.random() < 0.06:
            request.ignore_value = True
            if self.rng.random() < 0.9:
                request.value = b""
        if self.rng.random() < 0.06:
            request.ignore_lease = True
            if self.rng.random() < 0.9:
                request.lease = 0
        return request

    def put(self):
        return "KV/Put", self.put_request()

    def range_request(self, sort_targets=5):
        key, end = self.span()
        request = pb.RangeRequest(key=key, range_end=end, revision=self.past_revision())
        rng = self.rng
        if rng.random() < 0.3:
            request.limit = rng.randint(0, 6)
        if rng.random() < 0.3:
            request.sort_order, request.sort_target = rng.randrange(3), rng.randrange(sort_targets)
        if rng.random() < 0.15:
            request.keys_only = True
        if rng.random() < 0.15:
            request.count_only = True
        if rng.random() < 0.2:
            request.serializable = True
        if rng.random() < 0.2:
            field = rng.choice(["min_mod_revision", "max_mod_revision", "min_create_revision", "max_create_revision"])
            setattr(request, field, rng.randint(1, self.revision + 1))
        return request

    def range(self):
        return "KV/Range", self.range_request()

    def delete_request(self):
        key, end = self.span()
        if end == b"\0" and self.rng.random() < 0.8:
            end = b""
        return pb.DeleteRangeRequest(key=key, range_end=end, prev_kv=self.rng.random() < 0.5)

    def delete(self):
        return "KV/DeleteRange", self.delete_request()

    def compare(self):
        key, end = self.span()
        request = C(key=key, result=self.rng.randrange(4), target=self.rng.randrange(5))
        if self.rng.random() < 0.2:
            request.range_end = end
        if request.target == C.VERSION:
            request.version = self.rng.randrange(5)
        elif request.target == C.CREATE:
            request.create_revision = self.rng.choice((0, self.rng.randint(0, self.revision)))
        elif request.target == C.MOD:
            request.mod_revision = self.rng.choice((0, self.rng.randint(0, self.revision)))
        elif request.target == C.VALUE:
            request.value = self.value()
        else:
            request.lease = self.lease()
        return request

    def operation(self, depth):
        kind = self.rng.choices(["put", "range", "delete", "txn"], [5, 4, 2, 1 if depth < 2 else 0])[0]
        if kind == "put":
            return pb.RequestOp(request_put=self.put_request(keeping=False))
        if kind == "range":
            # Only by key: how equal ones are ordered is open, and inside a transaction nothing levels it.
            return pb.RequestOp(request_range=self.range_request(sort_targets=1))
        if kind == "delete":
            return pb.RequestOp(request_delete_range=self.delete_request())
        return pb.RequestOp(request_txn=self.txn_request(depth + 1))

    def txn_request(self, depth=0):
        count = self.rng.choice
        return pb.TxnRequest(compare=[self.compare() for _ in range(count((0, 1, 1, 2)))],
                             success=[self.operation(depth) for _ in range(count((0, 1, 2, 3)))],
                             failure=[self.operation(depth) for _ in range(count((0, 1, 2)))])

    def txn(self):
        return "KV/Txn", self.txn_request()

    def grant(self):
        self.next_lease += 1
        duplicate = self.leases and self.rng.random() < 0.1
        identifier = self.rng.choice(self.leases) if duplicate else self.next_lease
        if not duplicate:
            self.leases.append(identifier)
        return "Lease/LeaseGrant", pb.LeaseGrantRequest(ID=identifier, TTL=self.rng.randint(2000, 90000))

    def revoke(self):
        identifier = self.rng.choice(self.leases) if self.leases and self.rng.random() < 0.9 else 98
        if identifier in self.leases:
            self.leases.remove(identifier)
        return "Lease/LeaseRevoke", pb.LeaseRevokeRequest(ID=identifier)

    def time_to_live(self):
        return "Lease/LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=self.lease(), keys=True)

    def compact(self):
        revision = self.rng.randint(self.compacted, self.revision + 1)
        return "KV/Compact", pb.CompactionRequest(revision=revision, physical=self.rng.random() < 0.7)
