"""Hand-picked conversations about keys and transactions. Each runs on two fresh servers."""

from wire import pb

OP = pb.RequestOp
R = pb.RangeRequest
C = pb.Compare


def put(key, value=b"v", **fields):
    return OP(request_put=pb.PutRequest(key=key, value=value, **fields))


def get(key, range_end=b"", **fields):
    return OP(request_range=R(key=key, range_end=range_end, **fields))


def delete(key, range_end=b"", **fields):
    return OP(request_delete_range=pb.DeleteRangeRequest(key=key, range_end=range_end, **fields))


def nested(compare=(), success=(), failure=()):
    return OP(request_txn=txn(compare, success, failure))


def txn(compare=(), success=(), failure=()):
    return pb.TxnRequest(compare=compare, success=success, failure=failure)


def fill(pair, prefix=b"k", count=5):
    """`count` keys in mixed order, some of them changed again, one deleted."""
    for index in [(7 * i) % count for i in range(count)]:
        pair.call("KV/Put", pb.PutRequest(key=prefix + b"%d" % index, value=b"%d" % (100 - index)))
    for index in range(0, count, 2):
        pair.call("KV/Put", pb.PutRequest(key=prefix + b"%d" % index, value=b"again %d" % index))
    pair.call("KV/DeleteRange", pb.DeleteRangeRequest(key=prefix + b"1"))


def puts_and_deletes(pair):
    call = pair.call
    for fields in [dict(key=b"a", value=b"1"), dict(key=b"a", value=b"2", prev_kv=True), dict(key=b"a"),
                   dict(key=b"a", value=b"3", prev_kv=True), dict(key=b"b", value=b"1", prev_kv=True),
                   dict(key=b"a", ignore_value=True, prev_kv=True), dict(key=b"a", value=b"4", ignore_lease=True),
                   dict(key=b"a", ignore_value=True, ignore_lease=True), dict(key=b"\0", value=b"\0"),
                   dict(key=b"\xff\xff", value=bytes(range(256))), dict(key=b"", value=b"x"),
                   dict(key=b"none", ignore_value=True), dict(key=b"none", value=b"x", ignore_lease=True),
                   dict(key=b"a", value=b"x", ignore_value=True), dict(key=b"a", lease=5),
                   dict(key=b"a", lease=-1), dict(key=b"a", lease=5, ignore_lease=True), dict(value=b"only")]:
        call("KV/Put", pb.PutRequest(**fields))
    call("KV/Range", R(key=b"\0", range_end=b"\0"))
    for fields in [dict(key=b"zz"), dict(key=b"a", prev_kv=True), dict(key=b"a"),
                   dict(key=b"a", range_end=b"c", prev_kv=True), dict(key=b""), dict(range_end=b"x"),
                   dict(key=b"x", range_end=b"a"), dict(key=b"b", range_end=b"b"),
                   dict(key=b"\0", range_end=b"\0", prev_kv=True), dict(key=b"\0", range_end=b"\0")]:
        call("KV/DeleteRange", pb.DeleteRangeRequest(**fields))
    call("KV/Put", pb.PutRequest(key=b"a", value=b"reborn", prev_kv=True))
    call("KV/Range", R(key=b"a"))
    for revision in range(0, 16):
        call("KV/Range", R(key=b"\0", range_end=b"\0", revision=revision))


def range_options(pair):
    fill(pair, b"k", 9)
    spans = [(b"k", b"l"), (b"k3", b""), (b"k3", b"k6"), (b"k3", b"\0"), (b"\0", b"\0")]
    for key, end in spans:
        for order in range(3):
            for target in range(5):
                for limit in (0, 3):
                    pair.call("KV/Range", R(key=key, range_end=end, sort_order=order, sort_target=target, limit=limit))
        for flags in [dict(keys_only=True), dict(count_only=True), dict(count_only=True, limit=2),
                      dict(keys_only=True, limit=2), dict(serializable=True), dict(revision=5), dict(revision=-1),
                      dict(limit=-1), dict(limit=100), dict(min_mod_revision=12), dict(max_mod_revision=12),
                      dict(min_create_revision=5), dict(max_create_revision=5),
                      dict(min_mod_revision=12, limit=2), dict(max_create_revision=8, min_create_revision=4, limit=2),
                      dict(min_mod_revision=999), dict(max_mod_revision=1, count_only=True)]:
            pair.call("KV/Range", R(key=key, range_end=end, **flags))


def range_ends(pair):
    for key in [b"\0", b"\0\0", b"a", b"a\0", b"a\0\0", b"aa", b"b", b"\xff", b"\xff\0", b"\xff\xff"]:
        pair.call("KV/Put", pb.PutRequest(key=key, value=key))
    ends = [b"", b"\0", b"\0\0", b"a", b"a\0", b"aa", b"b", b"\xff", b"\xff\0", b"\xff\xff\xff"]
    for key in ends:
        for end in ends:
            pair.call("KV/Range", R(key=key, range_end=end))
            pair.call("KV/Range", R(key=key, range_end=end, count_only=True, revision=6))
    for key, end in [(b"\xff", b"\0"), (b"a\0", b"aa"), (b"\0", b"a"), (b"a", b"\0")]:
        pair.call("KV/DeleteRange", pb.DeleteRangeRequest(key=key, range_end=end, prev_kv=True))
        pair.call("KV/Range", R(key=b"\0", range_end=b"\0"))


def compares(pair):
    fill(pair, b"k", 4)
    pair.call("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=1000, ID=77))
    pair.call("KV/Put", pb.PutRequest(key=b"leased", value=b"x", lease=77))
    sides = [dict(target=C.VERSION, version=v) for v in (0, 1, 2)]
    sides += [dict(target=C.CREATE, create_revision=v) for v in (0, 2, 5)]
    sides += [dict(target=C.MOD, mod_revision=v) for v in (0, 6, 9)]
    sides += [dict(target=C.VALUE, value=v) for v in (b"", b"again 0", b"97", b"zzz")]
    sides += [dict(target=C.LEASE, lease=v) for v in (0, 77, 78)]
    sides += [dict(target=C.VERSION), dict(target=C.CREATE), dict(target=C.VALUE), dict(target=C.LEASE),
              dict(target=C.VALUE, version=1), dict(target=C.MOD, value=b"x")]
    for key, end in [(b"k0", b""), (b"k1", b""), (b"leased", b""), (b"none", b""), (b"k", b"l"), (b"k2", b"\0"),
                     (b"x", b"y"), (b"l", b"k")]:
        for side in sides:
            for result in range(4):
                pair.call("KV/Txn", txn([C(key=key, range_end=end, result=result, **side)]))
    pair.call("KV/Txn", txn([C(key=b"k0", target=C.VERSION, version=2), C(key=b"k1", target=C.VERSION, version=0)]))
    pair.call("KV/Txn", txn([C(key=b"k0", target=C.VERSION, version=2), C(key=b"k1", target=C.VERSION, version=1)]))
    pair.call("KV/Txn", txn([C(target=C.VERSION, version=1)]))
    pair.call("KV/Txn", txn())


def transactions(pair):
    call = lambda *args, **kw: pair.call("KV/Txn", txn(*args, **kw))  # noqa: E731
    is_new = C(key=b"a", target=C.CREATE, create_revision=0)
    call([is_new], [put(b"a", b"1"), get(b"a"), put(b"b", b"1")], [get(b"a")])
    call([is_new], [put(b"a", b"2")], [get(b"a"), get(b"\0", b"\0", limit=1), get(b"none")])
    call((), [get(b"a"), put(b"a", b"3", prev_kv=True), get(b"a"), delete(b"b", prev_kv=True), get(b"b")])
    call((), [delete(b"a"), put(b"c", b"1"), get(b"\0", b"\0", sort_order=2, sort_target=3)])
    call((), [get(b"c", revision=2), get(b"a", revision=3), put(b"c", b"2"), get(b"c", revision=5)])
    call((), [get(b"c", revision=-1)])
    call((), [delete(b"none"), get(b"c")])
    call((), [delete(b"none")])
    call((), [put(b"c", ignore_value=True, prev_kv=True)])
    call((), [put(b"n1"), put(b"n2"), put(b"n3"), delete(b"m", b"n"), get(b"n", b"o", keys_only=True)])
    call((), [delete(b"n", b"o", prev_kv=True), delete(b"n", b"o", prev_kv=True)])
    call((), [put(b"p1"), nested([C(key=b"p1", target=C.VERSION, version=1)],
                                 [put(b"p2", b"in"), get(b"p1")], [put(b"p3")])])
    call((), [nested((), [nested((), [put(b"q1")], []), put(b"q2")], []), get(b"q", b"r")])
    call([C(key=b"none", target=C.VERSION, version=1)], [put(b"x")], [nested((), [delete(b"q1", prev_kv=True)], [])])
    call((), [put(b"f"), get(b"f", revision=9999)])
    call((), [get(b"f"), put(b"f", lease=999)])
    call((), [OP()])
    call((), [put(b"")])
    call((), [get(b"")])
    call((), [delete(b"")])
    call((), [], [put(b"g", lease=999)])
    call((), [put(b"h", b"v", ignore_value=True)])
    pair.call("KV/Range", R(key=b"\0", range_end=b"\0"))


def read_only_transactions(pair):
    """They take no revision, and none of them becomes an entry of the log."""
    fill(pair, b"k", 9)
    pair.call("KV/Compact", pb.CompactionRequest(revision=8))
    server = pair.clients[0]
    before = server.must("Maintenance/Status", pb.StatusRequest())
    exists = C(key=b"k0", target=C.VERSION, version=2)
    missing = C(key=b"none", target=C.VERSION, version=1)
    span = C(key=b"k", range_end=b"l", result=C.GREATER, target=C.MOD, mod_revision=1)
    one, many = [get(b"k0"), get(b"none"), get(b"k3", keys_only=True)], [get(b"k", b"l"), get(b"k3", b"k6", limit=2)]
    options = [dict(sort_order=2, sort_target=3), dict(sort_order=1, sort_target=4, limit=3), dict(count_only=True),
               dict(keys_only=True), dict(revision=9), dict(min_mod_revision=12), dict(max_create_revision=5, limit=2)]
    many += [get(b"k", b"l", **fields) for fields in options]
    for compare in [(), [exists], [missing], [span], [exists, span], [span, missing]]:
        for success, failure in [(one, many), (many, one), ((), ()), (one, ()), ((), many)]:
            pair.call("KV/Txn", txn(compare, success, failure))
            pair.call("KV/Txn", txn(compare, [nested(compare, success, failure)], [nested((), failure)]))
    for operation in one + many:
        serializable = OP.FromString(operation.SerializeToString())
        serializable.request_range.serializable = True
        pair.call("KV/Txn", txn([exists], [serializable], [operation]))
        pair.call("KV/Txn", txn([missing], [serializable], [operation]))
    for revision in (-1, 1, 7, 8, 9, 14, 15, 16, 17, 9999):
        for key, end in [(b"k0", b""), (b"k", b"l")]:
            pair.call("KV/Txn", txn((), [get(b"k2"), get(key, end, revision=revision)]))
            pair.call("KV/Txn", txn((), [get(key, end, revision=revision, serializable=True)]))
            pair.call("KV/Txn", txn([missing], [get(key, end, revision=revision)], [get(b"k2")]))
    after = server.must("Maintenance/Status", pb.StatusRequest())
    pair.results.equal("reading transactions leave the raft index where it was",
                       (after.raftIndex, after.header.revision), (before.raftIndex, before.header.revision))
    pair.call("KV/Txn", txn([exists], [get(b"k0")], [put(b"k0")]), "a put in the branch that is not taken")
    last = server.must("Maintenance/Status", pb.StatusRequest())
    pair.results.equal("a transaction that could write is an entry",
                       (last.raftIndex, last.header.revision), (after.raftIndex + 1, after.header.revision))


def too_many_operations(pair):
    gets = [get(b"a")]
    for count in (128, 129):
        pair.call("KV/Txn", txn((), gets * count), f"{count} ops in success")
        pair.call("KV/Txn", txn((), (), gets * count), f"{count} ops in failure")
        pair.call("KV/Txn", txn([C(key=b"a", target=C.VERSION)] * count), f"{count} compares")
    for outer, inner in [(1, 127), (1, 128), (2, 127), (64, 64), (127, 1)]:
        pair.call("KV/Txn", txn((), gets * (outer - 1) + [nested((), gets * inner)]), f"nested {outer}+{inner}")
    pair.call("KV/Txn", txn((), [put(b"%d" % i) for i in range(128)]), "128 puts")
    pair.call("KV/Range", R(key=b"\0", range_end=b"\0", keys_only=True))


def overlapping_operations(pair):
    pair.call("KV/Put", pb.PutRequest(key=b"y", value=b"1"))
    pair.call("KV/Put", pb.PutRequest(key=b"y2", value=b"1"))
    pair.call("KV/Put", pb.PutRequest(key=b"z1", value=b"1"))
    cases = {
        "put twice": [put(b"a"), put(b"a")],
        "put twice in one nested": [nested((), [put(b"a"), put(b"a")])],
        "put and nested put": [put(b"a"), nested((), [put(b"a")])],
        "put in both branches of a nested": [nested((), [put(b"a")], [put(b"a")])],
        "put, nested put in the failure branch": [put(b"a"), nested((), (), [put(b"a")])],
        "two nested put": [nested((), [put(b"a")]), nested((), [put(b"a")])],
        "two nested put, other branches": [nested((), [put(b"a")]), nested((), (), [put(b"a")])],
        "delete then put": [delete(b"a"), put(b"a")],
        "put then delete": [put(b"a"), delete(b"a")],
        "delete range with the put at its start": [delete(b"b", b"d"), put(b"b")],
        "delete range with the put inside": [delete(b"b", b"d"), put(b"c")],
        "delete range with the put at its end": [delete(b"b", b"d"), put(b"d")],
        "delete range below the put": [delete(b"b", b"d"), put(b"e")],
        "delete from key, put above": [delete(b"y", b"\0"), put(b"y2")],
        "delete from key, put at it": [delete(b"y", b"\0"), put(b"y")],
        "delete from key, put below": [delete(b"y", b"\0"), put(b"x")],
        "delete prefix, put in it": [delete(b"z", b"{"), put(b"z1")],
        "delete everything, put": [delete(b"\0", b"\0"), put(b"c")],
        "delete empty range, put": [delete(b"d", b"b"), put(b"c")],
        "two deletes": [delete(b"a"), delete(b"a")],
        "two delete ranges": [delete(b"a", b"c"), delete(b"b", b"d")],
        "nested delete, put": [nested((), [delete(b"a", b"c")]), put(b"b")],
        "put, nested delete": [put(b"b"), nested((), [delete(b"a", b"c")])],
        "nested delete, nested put": [nested((), [delete(b"a", b"c")]), nested((), [put(b"b")])],
        "nested delete and put in its branches": [nested((), [delete(b"a", b"c")], [put(b"b")])],
        "range and put": [get(b"b"), put(b"b"), get(b"a", b"c")],
    }
    for label, operations in cases.items():
        pair.call("KV/Txn", txn((), operations), label)
        pair.call("KV/Txn", txn([C(key=b"none", target=C.VERSION, version=1)], (), operations), label + ", in failure")
        pair.call("KV/Range", R(key=b"\0", range_end=b"\0"), "keys after " + label)
    with pair.watch(dict(key=b"\0", range_end=b"\0", start_revision=1)) as watch:
        watch.answers("created")
        revision = pair.clients[0].revision()
        pair.call("KV/Put", pb.PutRequest(key=b"last"))
        both = [stream.take(lambda m: m and m[-1].events and m[-1].events[-1].kv.mod_revision > revision)
                for stream in watch.streams]
        pair.same("the order of events within revisions", *[
            [(e.type, e.kv.key, e.kv.mod_revision) for m in messages for e in m.events] for messages in both])


def compaction(pair):
    fill(pair, b"k", 5)
    span = dict(key=b"\0", range_end=b"\0")
    for revision in (0, -1, 9999, 7, 7, 6, 1):
        pair.call("KV/Compact", pb.CompactionRequest(revision=revision))
    for revision in range(1, 12):
        pair.call("KV/Range", R(revision=revision, **span))
        pair.call("KV/Range", R(key=b"none", revision=revision))
        pair.call("KV/Txn", txn((), [get(b"k2", revision=revision)]))
    pair.call("KV/Compact", pb.CompactionRequest(revision=10, physical=True))
    for revision in range(8, 12):
        pair.call("KV/Range", R(revision=revision, **span))
    pair.call("KV/DeleteRange", pb.DeleteRangeRequest(key=b"k0", prev_kv=True))
    pair.call("KV/Compact", pb.CompactionRequest(revision=11, physical=True), "compact to a delete")
    pair.call("KV/Range", R(revision=11, **span))
    pair.call("KV/Range", R(key=b"k0", revision=11))
    pair.call("KV/Put", pb.PutRequest(key=b"k0", value=b"back", prev_kv=True))
    pair.call("KV/Compact", pb.CompactionRequest(revision=12, physical=True), "compact to the current revision")
    pair.call("KV/Range", R(**span))
    pair.restart()
    pair.call("KV/Range", R(**span), "after a restart")
    pair.call("KV/Range", R(revision=11, **span), "compacted revision after a restart")
    pair.call("KV/Compact", pb.CompactionRequest(revision=12), "compact again after a restart")


def big_requests(pair):
    mib = 1 << 20
    half = mib + mib // 2
    for label, request in [
            ("key of 1 MiB", pb.PutRequest(key=b"k" * mib, value=b"1")),
            ("key of nearly 1.5 MiB", pb.PutRequest(key=b"K" * (half - 64), value=b"1", prev_kv=True)),
            ("key of nearly 1.5 MiB again", pb.PutRequest(key=b"K" * (half - 64), value=b"2", prev_kv=True)),
            ("key above 1.5 MiB", pb.PutRequest(key=b"K" * (half + 1), value=b"1")),
            ("value of nearly 1.5 MiB", pb.PutRequest(key=b"v", value=b"v" * (half - 64))),
            ("value above 1.5 MiB", pb.PutRequest(key=b"v", value=b"v" * (half + 1))),
            ("value above the gRPC limit", pb.PutRequest(key=b"v", value=b"v" * (half + mib)))]:
        pair.call("KV/Put", request, label)
    pair.call("KV/Txn", txn((), [put(b"t%d" % i, b"x" * (mib // 2)) for i in range(2)]), "txn of 1 MiB")
    pair.call("KV/Txn", txn((), [put(b"t%d" % i, b"x" * (mib // 2)) for i in range(4)]), "txn of 2 MiB")
    for _ in range(3):
        for index in range(4):
            pair.call("KV/Put", pb.PutRequest(key=b"m%d" % index, value=b"%d" % index * mib), "1 MiB value")
    pair.call("KV/Range", R(key=b"\0", range_end=b"\0"), "8 MiB answer")
    pair.call("KV/Range", R(key=b"\0", range_end=b"\0", keys_only=True), "keys only of big values")
    pair.call("KV/Range", R(key=b"m", range_end=b"n", revision=9), "big values at an old revision")
    pair.call("KV/Txn", txn((), [get(b"\0", b"\0"), get(b"m", b"n")]), "12 MiB answer to a transaction")
    pair.call("KV/Txn", txn((), [get(b"m0"), get(b"m1")]), "2 MiB answer to a transaction on single keys")
    pair.call("KV/DeleteRange", pb.DeleteRangeRequest(key=b"K", range_end=b"l", prev_kv=True), "delete the big keys")
    pair.restart()
    pair.call("KV/Range", R(key=b"\0", range_end=b"\0"), "after a restart")


SCRIPTS = [puts_and_deletes, range_options, range_ends, compares, transactions, read_only_transactions,
           too_many_operations, overlapping_operations, compaction, big_requests]
