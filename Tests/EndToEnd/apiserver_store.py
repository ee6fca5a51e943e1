"""The requests that a Kubernetes API server makes of its store, each in exactly its shape, and what came of them."""

from dataclasses import dataclass, field
from typing import NamedTuple

from wire import Client, pb

LOCK_KEY = b"compact_rev_key"
HEALTH_KEY = b"/registry/health"
# What the API server sends with each watch: end it when there is no leader.
WATCH_METADATA = (("hasleader", "true"),)
# The most keys that the API server lets a lease have.
LEASE_KEYS_MAX = 1_000
PUT, DELETE = 0, 1


class KV(NamedTuple):
    key: bytes
    value: bytes
    create: int
    mod: int
    version: int
    lease: int


class Event(NamedTuple):
    kind: int
    kv: KV
    prev: KV | None


def plain(kv):
    return KV(kv.key, kv.value, kv.create_revision, kv.mod_revision, kv.version, kv.lease)


def plain_event(event):
    return Event(event.type, plain(event.kv), plain(event.prev_kv) if event.HasField("prev_kv") else None)


def prefix_end(prefix):
    """All prefixes here end with a slash or a key, none with 0xff."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


@dataclass
class Write:
    """A transaction that one client wrote down before it sent it."""
    kind: str  # create, update, delete or lock
    key: bytes
    value: bytes
    lease: int
    expected: int  # the key's mod revision that it asks for; the lock's version
    answered: bool = False
    revision: int = 0
    succeeded: bool = False
    found: KV | None = None  # what the failure branch read


@dataclass
class Page:
    key: bytes
    limit: int
    kvs: list
    more: bool
    count: int


@dataclass
class Listing:
    """A list of the keys in [key, end), whole: its pages in order, at one revision."""
    kind: str  # pages, stream, keys or count
    key: bytes
    end: bytes
    revision: int
    pages: list = field(default_factory=list)


class Expired(Exception):
    """The revision of a list has been compacted."""


def transaction(write):
    """Compares one revision; reads the key when that is another, unless it was to be a new key."""
    if write.kind == "lock":
        compare = pb.Compare(target=pb.Compare.VERSION, result=pb.Compare.EQUAL, key=write.key, version=write.expected)
    else:
        compare = pb.Compare(target=pb.Compare.MOD, result=pb.Compare.EQUAL, key=write.key,
                             mod_revision=write.expected)
    if write.kind == "delete":
        change = pb.RequestOp(request_delete_range=pb.DeleteRangeRequest(key=write.key))
    else:
        change = pb.RequestOp(request_put=pb.PutRequest(key=write.key, value=write.value, lease=write.lease))
    read = pb.RequestOp(request_range=pb.RangeRequest(key=write.key))
    return pb.TxnRequest(compare=[compare], success=[change], failure=[] if write.kind == "create" else [read])


class Storage:
    """One connection of an API server. Every write is in `book` before it is sent."""

    def __init__(self, client, book):
        self.client, self.book = client, book

    def begin(self, kind, key, value=b"", lease=0, expected=0):
        write = Write(kind, key, value, lease, expected)
        self.book.append(write)
        future = self.client.begin("KV/Txn", transaction(write), timeout=10, wait_for_ready=False)
        return write, future

    @staticmethod
    def finish(write, future):
        """The write, answered or not."""
        answer = Client.finish(future)
        if answer.ok:
            message = answer.message
            write.revision, write.succeeded = message.header.revision, message.succeeded
            if not message.succeeded and write.kind != "create":
                kvs = message.responses[0].response_range.kvs
                write.found = plain(kvs[0]) if kvs else None
            write.answered = True
        return write

    def write(self, *arguments, **fields):
        return self.finish(*self.begin(*arguments, **fields))

    def get(self, key, revision=0):
        return self.client.must("KV/Range", pb.RangeRequest(key=key, limit=1, revision=revision))

    def pages(self, prefix, limit, revision=0):
        """A list in pages: the first one says the revision, and the others are read there."""
        listing = Listing("pages", prefix, prefix_end(prefix), revision)
        key = prefix
        while True:
            answer = self._range(key=key, range_end=listing.end, limit=limit, revision=listing.revision)
            listing.revision = listing.revision or answer.header.revision
            kvs = [plain(kv) for kv in answer.kvs]
            listing.pages.append(Page(key, limit, kvs, answer.more, answer.count))
            if not answer.more or not kvs:
                return listing
            key = kvs[-1].key + b"\0"

    def _range(self, **fields):
        answer = self.client.call("KV/Range", pb.RangeRequest(**fields))
        if answer.code == "OUT_OF_RANGE" and answer.text == "etcdserver: mvcc: required revision has been compacted":
            raise Expired(fields)
        if not answer.ok:
            raise RuntimeError(f"list {fields}: {answer.code} {answer.text}")
        return answer.message

    def count(self, prefix):
        return self._once("count", prefix, count_only=True)

    def keys(self, prefix):
        return self._once("keys", prefix, keys_only=True)

    def _once(self, kind, prefix, **fields):
        answer = self._range(key=prefix, range_end=prefix_end(prefix), **fields)
        page = Page(prefix, 0, [plain(kv) for kv in answer.kvs], answer.more, answer.count)
        return Listing(kind, prefix, prefix_end(prefix), answer.header.revision, [page])

    def stream(self, prefix):
        """A list as a stream; None from a server that has none, and the caller reads pages."""
        request = pb.RangeRequest(key=prefix, range_end=prefix_end(prefix))
        answer = self.client.call("KV/RangeStream", request)
        if answer.code == "UNIMPLEMENTED":
            return None
        if not answer.ok:
            raise RuntimeError(f"stream {prefix}: {answer.code} {answer.text}")
        chunks = [message.range_response for message in answer.message]
        kvs = [plain(kv) for chunk in chunks for kv in chunk.kvs]
        page = Page(prefix, 0, kvs, chunks[-1].more, chunks[-1].count)
        early = [chunk for chunk in chunks[:-1] if chunk.header.revision or chunk.more or chunk.count]
        if early:
            raise RuntimeError(f"stream {prefix}: {len(early)} chunks before the last one have what only that may have")
        return Listing("stream", prefix, prefix_end(prefix), chunks[-1].header.revision, [page])
