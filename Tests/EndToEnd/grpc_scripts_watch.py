"""Hand-picked conversations about watches. Each runs on two fresh servers."""

from grpc_scripts_kv import delete, put, txn
from wire import pb

ALL = dict(key=b"\0", range_end=b"\0")
MIB = 1 << 20


def change(pair, key, value=b"v", **fields):
    pair.call("KV/Put", pb.PutRequest(key=key, value=value, **fields))


def remove(pair, key, range_end=b""):
    pair.call("KV/DeleteRange", pb.DeleteRangeRequest(key=key, range_end=range_end))


def live_events(pair):
    with pair.watch(dict(key=b"a"), dict(key=b"p", range_end=b"q"), dict(key=b"p1", range_end=b"\0", prev_kv=True),
                    dict(**ALL, filters=[0]), dict(**ALL, filters=[1]), dict(**ALL, filters=[0, 1])) as watch:
        watch.answers("six created", 6)
        change(pair, b"a", b"1")
        watch.events("put a", 2)
        change(pair, b"p1", b"1")
        watch.events("put p1", 3)
        change(pair, b"p1", b"2")
        watch.events("put p1 again", 3)
        remove(pair, b"p1")
        watch.events("delete p1", 3)
        remove(pair, b"p1")
        change(pair, b"p1", b"reborn")
        watch.events("put p1 after its delete", 3)
        pair.call("KV/Txn", txn((), [put(b"p3"), put(b"p2"), delete(b"p1"), put(b"a"), delete(b"none")]))
        watch.events("a transaction", 11)
        remove(pair, b"\0", b"\0")
        watch.events("delete everything", 8)
        watch.quiet("nothing more")


CREATES = {
    "of no key": dict(),
    "of an empty range": dict(key=b"a", range_end=b"a"),
    "of a backward range": dict(key=b"b", range_end=b"a"),
    "from a key on": dict(key=b"a", range_end=b"\0"),
    "of everything, without a key": dict(range_end=b"\0"),
    "from a negative revision": dict(key=b"a", start_revision=-1),
    "from a later revision": dict(key=b"a", start_revision=5),
    "with id 7": dict(key=b"a", watch_id=7),
    "with id 3": dict(key=b"a", watch_id=3),
    "with id -9": dict(key=b"a", watch_id=-9),
    "with filters twice": dict(key=b"a", filters=[0, 0, 1]),
}


def created_answers(pair):
    for label, create in CREATES.items():
        with pair.watch(create, create) as watch:
            watch.settle(f"create {label} twice", 2, 0.15)
            change(pair, b"a")
            watch.quiet(f"create {label}, then a put", 0.15)
    creates = [create for create in CREATES.values() if "start_revision" not in create]
    with pair.watch(*creates) as watch:
        watch.answers("all of them on one stream", len(creates))


def history(pair):
    for index in range(6):
        change(pair, b"h%d" % (index % 3), b"%d" % index)
    remove(pair, b"h1")
    pair.call("KV/Txn", txn((), [put(b"h1", b"new"), delete(b"h", b"h1"), put(b"h9")]))
    for revision in (1, 2, 3, 7, 8, 9):
        with pair.watch(dict(**ALL, start_revision=revision, prev_kv=True), dict(key=b"h1", start_revision=revision),
                        dict(key=b"h", range_end=b"i", start_revision=revision, filters=[0])) as watch:
            watch.settle(f"history from {revision}", 3)
    with pair.watch(dict(key=b"h", range_end=b"i", start_revision=10)) as watch:
        watch.answers("created at the next revision")
        change(pair, b"h2", b"next")
        watch.events("from the next revision", 1)
    with pair.watch(dict(key=b"h2", start_revision=13)) as watch:
        watch.answers("created in the future")
        for value in (b"11", b"12", b"13", b"14"):
            change(pair, b"h2", value)
        watch.events("only from 13 on", 2)
        watch.quiet("nothing earlier")


def compacted_start(pair):
    for index in range(8):
        change(pair, b"k", b"%d" % index)
    pair.call("KV/Compact", pb.CompactionRequest(revision=6, physical=True))
    for revision in (1, 5, 6, 7):
        with pair.watch(dict(key=b"k", start_revision=revision, prev_kv=True), dict(key=b"k")) as watch:
            watch.settle(f"watch from {revision} of compact revision 6", 2, 0.4)
            change(pair, b"k", b"live")
            watch.quiet(f"put after a watch from {revision}", 0.3)
    remove(pair, b"k")
    revision = pair.clients[0].revision()
    pair.call("KV/Compact", pb.CompactionRequest(revision=revision, physical=True))
    with pair.watch(dict(key=b"k", start_revision=revision)) as watch:
        watch.settle("watch from a delete that is the compact revision", 1, 0.4)
    with pair.watch(dict(key=b"k")) as watch:
        watch.answers("created after the compaction")
        for index in range(3):
            change(pair, b"k", b"more %d" % index)
        pair.call("KV/Compact", pb.CompactionRequest(revision=revision + 3))
        change(pair, b"k", b"last")
        watch.events("a synced watcher does not notice a compaction", 4)


def cancelling(pair):
    with pair.watch(dict(key=b"a"), dict(**ALL), dict(key=b"a", watch_id=9)) as watch:
        watch.answers("created", 3)
        watch.cancel_watch(55)
        watch.cancel_watch(0)
        watch.answers("canceled 0")
        watch.cancel_watch(0)
        change(pair, b"a")
        watch.events("the other two go on", 2)
        watch.create(key=b"a", watch_id=0)
        watch.create(key=b"a", watch_id=9)
        watch.answers("created again, and a duplicate", 2)
        watch.cancel_watch(9)
        watch.answers("canceled 9")
        watch.create(key=b"a", watch_id=9)
        watch.answers("id 9 again")
        watch.send(pb.WatchRequest())
        watch.quiet("an empty request is ignored")
        change(pair, b"a")
        watch.events("all three", 3)
        watch.half_close()
        change(pair, b"a")
        watch.events("a client that has no more to ask is still told", 3)


def progress(pair):
    change(pair, b"a")
    with pair.watch() as watch:
        watch.request_progress()
        watch.quiet("progress without a watcher", 0.3)
    with pair.watch(dict(key=b"a")) as watch:
        watch.answers("created")
        for index in range(3):
            watch.request_progress()
            watch.answers(f"progress {index}")
            change(pair, b"other%d" % index)
    with pair.watch(dict(key=b"a"), dict(key=b"b")) as watch:
        watch.answers("two created", 2)
        watch.request_progress()
        watch.answers("one answer for two watchers")
        watch.quiet("and no second one")
        change(pair, b"b")
        watch.events("an event", 1)
        watch.request_progress()
        watch.answers("progress after the event")


def many_watchers(pair):
    creates = [dict(key=b"w%d" % (index % 40), prev_kv=index % 2 == 0) for index in range(200)]
    with pair.watch(*creates) as watch:
        watch.answers("200 created", 200)
        for index in range(40):
            change(pair, b"w%d" % index, b"x" * index)
        watch.events("each told of its key", 200)
        remove(pair, b"w", b"x")
        watch.events("each told of its delete", 200)
        watch.quiet("nothing more")


def fragments(pair):
    for index in range(4):
        change(pair, b"big%d" % index, b"%d" % index * MIB)
    for fragment in (False, True):
        with pair.watch(dict(key=b"big", range_end=b"bih", start_revision=2, fragment=fragment)) as watch:
            watch.answers("created")
            fragments_joined(watch.events(f"history of 4 MiB, fragment {fragment}", 4), pair, fragment)
    with pair.watch(dict(key=b"big", range_end=b"bih", fragment=True, prev_kv=True),
                    dict(key=b"big", range_end=b"bih", prev_kv=True)) as watch:
        watch.answers("created", 2)
        remove(pair, b"big", b"bih")
        fragments_joined(watch.events("delete of 4 MiB with prev_kv", 8), pair, True)


def fragments_joined(both, pair, fragment):
    """Fragments of one answer: all but the last are marked, and none is much above the request limit."""
    for messages in both:
        limit_kept = all(m.ByteSize() <= 2 * MIB + 4096 or len(m.events) == 1 for m in messages if m.fragment)
        pair.results.check("fragments: size of the pieces", limit_kept, [m.ByteSize() for m in messages])
        marked = any(m.fragment for m in messages)
        pair.results.check("fragments: marked only when asked", marked == fragment, [m.fragment for m in messages])
        last = {m.watch_id: m.fragment for m in messages if m.events}
        pair.results.check("fragments: the last piece is not marked", not any(last.values()), last)


def long_history(pair):
    for index in range(40):
        operations = [put(b"l%03d" % (index * 60 + i), b"%d" % i) for i in range(60)]
        pair.call("KV/Txn", txn((), operations), "60 puts")
    with pair.watch(dict(key=b"l", range_end=b"m", start_revision=1),
                    dict(key=b"l1", range_end=b"l2", start_revision=20)) as watch:
        watch.settle("2,400 events and 920 in one stream", 2)
        change(pair, b"l1000", b"live")
        watch.events("then live ones", 2)


SCRIPTS = [live_events, created_answers, history, compacted_start, cancelling, progress, many_watchers, fragments,
           long_history]
