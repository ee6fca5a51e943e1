"""A GiB of data read whole, by Range, RangeStream and Snapshot, and by clients that stop: the server's memory must not
follow."""

import hashlib
import threading
import time

from harness import Server, parse_arguments, run
from raw_http2 import ACK, DATA, END_STREAM, GOAWAY, HEADERS, HUGE, PING, RST_STREAM, SETTINGS, RawConnection, frame
from wire import Client, pb

COUNT = 1024
VALUE_BYTES = 1 << 20
ALL = dict(key=b"big/", range_end=b"big0")
# Before the large ones in key order, so that a stream has come to many keys a message when it meets those.
SMALL_COUNT = 2550
MESSAGE_BYTES_MAX = (16 << 20) + (2 << 20)
GROWTH_MAX = 64 << 20
# What the server builds of a transaction's answer before it refuses it, and some.
TXN_GROWTH_MAX = (512 + 64) << 20
SAMPLE_SECONDS = 0.02
QUOTA_BYTES = 4 << 30
REVISION = 1 + COUNT + SMALL_COUNT
# Keys in the messages of a stream of 1 MiB values: ten at first, then fewer until a message has less than 1.5 MiB.
STREAM_KEYS = [10, 5, 2]
RANGE, RANGE_STREAM = b"/etcdserverpb.KV/Range", b"/etcdserverpb.KV/RangeStream"
SNAPSHOT = b"/etcdserverpb.Maintenance/Snapshot"

_BLOCK = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(VALUE_BYTES // 32))


def key(index):
    return b"big/%06d" % index


def value(index):
    """1 MiB that no other index has."""
    return key(index) + _BLOCK[len(key(index)):]


def load(client):
    """Puts everything, a few at a time."""
    waiting = []
    for index in range(COUNT + SMALL_COUNT):
        if len(waiting) == 8:
            finish_put(client, waiting.pop(0))
        pair = (key(index), value(index)) if index < COUNT else (b"a/%06d" % index, b"small")
        waiting.append(client.begin("KV/Put", pb.PutRequest(key=pair[0], value=pair[1]), timeout=60))
    for future in waiting:
        finish_put(client, future)


def finish_put(client, future):
    answer = client.finish(future)
    if not answer.ok:
        raise RuntimeError(f"put: {answer.code} {answer.text}")


def memory(pid):
    """(RssAnon, VmRSS) in bytes. Of the second the pages of the mapped store are the larger part."""
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return tuple(int(fields[name].split()[0]) << 10 for name in ("RssAnon", "VmRSS"))


class Sampler(threading.Thread):
    """The highest memory of a process while the block runs."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid = pid
        self.before = self.peak = memory(pid)
        self.samples = 0
        self._ended = threading.Event()

    def run(self):
        while not self._ended.wait(SAMPLE_SECONDS):
            self.peak = tuple(map(max, self.peak, memory(self.pid)))
            self.samples += 1

    def __enter__(self):
        self.started = time.monotonic()
        self.start()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.started
        self._ended.set()
        self.join()
        self.peak = tuple(map(max, self.peak, memory(self.pid)))

    def report(self, results, name):
        growth, mapped = (peak - before for peak, before in zip(self.peak, self.before))
        print(f"{name}: {self.seconds:.1f} s, {self.samples} samples, RssAnon {self.before[0] / 2**20:.1f} MiB and up to "
              f"{growth / 2**20:.1f} more, VmRSS {self.before[1] / 2**20:.1f} MiB and up to {mapped / 2**20:.1f} more",
              flush=True)
        results.check(f"{name}: RssAnon grows by less than {GROWTH_MAX >> 20} MiB", growth < GROWTH_MAX,
                      f"{growth / 2**20:.1f} MiB")
        results.check(f"{name}: memory was sampled all the while", self.samples > self.seconds / SAMPLE_SECONDS / 4,
                      f"{self.samples} samples in {self.seconds:.1f} s")


class Answer:
    """The answer to one call, read from the socket as it is asked for, and never whole in memory."""

    def __init__(self, server, path, **span):
        self.connection = RawConnection(server.client_port, window=HUGE)
        request = pb.SnapshotRequest() if path == SNAPSHOT else pb.RangeRequest(**(span or ALL))
        self.connection.open_call(path, request)
        self.file = self.connection.socket.makefile("rb", 1 << 20)
        self.left = 0
        self.has_ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.connection.close()

    def read(self, count):
        """That many bytes of the stream; fewer at its end."""
        parts = []
        while count > 0 and (self.left > 0 or self._next_frame()):
            part = self.file.read(min(count, self.left))
            if not part:
                raise ConnectionError("the server closed the connection")
            self.left -= len(part)
            count -= len(part)
            parts.append(part)
        return b"".join(parts)

    def _next_frame(self):
        """Up to the next DATA with something in it; false at the end of the stream."""
        while not self.has_ended:
            head = self.file.read(9)
            length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
            if kind == DATA:
                self.has_ended = bool(flags & END_STREAM)
                self.left = length
                if length:
                    return True
                continue
            payload = self.file.read(length)
            if kind in (SETTINGS, PING) and not flags & ACK:
                self.connection.socket.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
            if kind in (RST_STREAM, GOAWAY):
                raise ConnectionError(f"the server ended the call with a frame of type {kind}: {payload!r}")
            self.has_ended = kind == HEADERS and bool(flags & END_STREAM)
        return False

    def message_length(self):
        """Of the next gRPC message, or None at the end."""
        prefix = self.read(5)
        if not prefix:
            return None
        if len(prefix) < 5 or prefix[0] != 0:
            raise ValueError(f"no message begins with {prefix!r}")
        return int.from_bytes(prefix[1:], "big")


class Fields:
    """The fields of a protobuf message of `length` bytes, one after the other."""

    def __init__(self, answer, length):
        self.answer = answer
        self.left = length

    def __iter__(self):
        while self.left > 0:
            tag = self._varint()
            number = self._varint()
            yield (tag >> 3, self._bytes(number)) if tag & 7 == 2 else (tag >> 3, number)

    def _bytes(self, count):
        self.left -= count
        if self.left < 0:
            raise ValueError("a field is longer than its message")
        content = self.answer.read(count)
        if len(content) < count:
            raise ValueError("the message is shorter than its prefix says")
        return content

    def _varint(self):
        number, shift = 0, 0
        while True:
            byte = self._bytes(1)[0]
            number |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return number


class Checker:
    """Takes the keys of an answer in order and remembers where it was wrong."""

    def __init__(self):
        self.next = 0
        self.wrong = []
        self.count = self.revision = None

    def take(self, fields):
        """The fields of a RangeResponse; returns how many keys it had."""
        first = self.next
        for number, content in fields:
            if number == 1:
                self.revision = pb.ResponseHeader.FromString(content).revision
            elif number == 2:
                found = pb.RangeResponse.FromString(b"\x12" + varint(len(content)) + content).kvs[0]
                if (found.key, found.value, found.version) != (key(self.next), value(self.next), 1):
                    self.wrong.append((self.next, found.key, len(found.value), found.version))
                self.next += 1
            elif number == 4:
                self.count = content
        return self.next - first

    def report(self, results, name):
        results.equal(f"{name}: keys, count, revision, wrong ones",
                      (self.next, self.count, self.revision, self.wrong[:3]), (COUNT, COUNT, REVISION, []))


def varint(number):
    encoded = b""
    while number >= 0x80:
        encoded += bytes([number & 0x7f | 0x80])
        number >>= 7
    return encoded + bytes([number])


def read_by_range(results, server):
    checker = Checker()
    with Sampler(server.process.pid) as sampler, Answer(server, RANGE) as answer:
        length = answer.message_length()
        results.check("Range: the answer is a GiB", length > COUNT * VALUE_BYTES, str(length))
        checker.take(Fields(answer, length))
        results.equal("Range: nothing follows the message", answer.read(1), b"")
    checker.report(results, "Range")
    sampler.report(results, "Range")


def read_by_stream(results, server):
    checker, keys = Checker(), []
    with Sampler(server.process.pid) as sampler, Answer(server, RANGE_STREAM) as answer:
        while (length := answer.message_length()) is not None:
            for number, content in Fields(answer, length):
                if number == 1:
                    keys.append(checker.take(Fields(Memory(content), len(content))))
    checker.report(results, "RangeStream")
    results.equal("RangeStream: keys in its messages", keys[:len(STREAM_KEYS) + 1], STREAM_KEYS + [1])
    results.equal("RangeStream: all later messages have one key", set(keys[len(STREAM_KEYS):]), {1})
    sampler.report(results, "RangeStream")


def read_small_then_large(results, server):
    """Messages are counted in keys: without a bound, those sized for small values would be GiB of large ones."""
    keys = longest = 0
    with Sampler(server.process.pid) as sampler, Answer(server, RANGE_STREAM, key=b"\0", range_end=b"\0") as answer:
        while (length := answer.message_length()) is not None:
            longest = max(longest, length)
            for number, content in Fields(answer, length):
                if number == 1:
                    keys += sum(field == 2 for field, _ in Fields(Memory(content), len(content)))
    name = "RangeStream, small then large"
    print(f"{name}: its longest message has {longest / 2**20:.1f} MiB", flush=True)
    results.equal(f"{name}: keys", keys, COUNT + SMALL_COUNT)
    results.check(f"{name}: no message above {MESSAGE_BYTES_MAX >> 20} MiB", longest < MESSAGE_BYTES_MAX, str(longest))
    sampler.report(results, name)


def read_by_snapshot(results, server):
    """The file by its checksum, its size by what it must hold at least."""
    checksum, size, blob, left = hashlib.sha256(), 0, b"", []
    with Sampler(server.process.pid) as sampler, Answer(server, SNAPSHOT) as answer:
        while (length := answer.message_length()) is not None:
            checksum.update(blob)
            size += len(blob)
            fields = dict(Fields(answer, length))
            blob = fields[3]
            left.append(size + len(blob) + fields.get(2, 0))
    results.equal("Snapshot: the last blob is the checksum", blob, checksum.digest())
    results.check("Snapshot: the file is a GiB", COUNT * VALUE_BYTES < size < COUNT * VALUE_BYTES * 1.02, str(size))
    results.equal("Snapshot: what is left, at each message", set(left[:-1]), {size})
    sampler.report(results, "Snapshot")


class Memory:
    """What was read already, to be read like an answer."""

    def __init__(self, content):
        self.content = memoryview(content)
        self.position = 0

    def read(self, count):
        self.position += count
        return bytes(self.content[self.position - count:self.position])


def stop_reading(results, server, name, path):
    """A client that takes a MiB, nothing for two seconds, and is gone."""
    with Sampler(server.process.pid) as sampler:
        with Answer(server, path) as answer:
            results.equal(f"{name}: the client gets its first MiB", len(answer.read(1 << 20)), 1 << 20)
            time.sleep(2)
    sampler.report(results, name)


def refuse_large_transactions(results, server, client):
    """A transaction's answer is built whole, so it has a bound: one range is above it, or many are together. And the
    one thing here that takes much memory shows that taking much is seen."""
    everything = pb.RequestOp(request_range=pb.RangeRequest(**ALL))
    part = pb.RequestOp(request_range=pb.RangeRequest(key=key(0), range_end=key(100)))
    for name, operations in [("a GiB", [everything]), ("eight times 100 MiB", [part] * 8)]:
        with Sampler(server.process.pid) as sampler:
            answer = client.call("KV/Txn", pb.TxnRequest(success=operations))
        results.equal(f"a transaction that reads {name}", (answer.code, answer.text),
                      ("INVALID_ARGUMENT", "etcdserver: request is too large"))
        growth = sampler.peak[0] - sampler.before[0]
        print(f"a refused transaction that reads {name}: RssAnon up to {growth / 2**20:.1f} MiB more", flush=True)
        results.check(f"a transaction that reads {name}: RssAnon grows, to its bound",
                      GROWTH_MAX < growth < TXN_GROWTH_MAX, f"{growth / 2**20:.1f} MiB")


def check(results, server):
    with Client(server.endpoint) as client:
        started = time.monotonic()
        load(client)
        server.wait_until_drained()
    print(f"{COUNT} values of {VALUE_BYTES} bytes loaded and checkpointed in {time.monotonic() - started:.1f} s",
          flush=True)
    # A new process: in the old one answers could hide in memory that the layers took and gave back.
    server.stop()
    server.start()
    with Client(server.endpoint) as client:
        results.equal("all is there after a restart", client.revision(), REVISION)
        server.wait_until_drained()
        read_by_range(results, server)
        read_by_stream(results, server)
        read_small_then_large(results, server)
        read_by_snapshot(results, server)
        for name, path in [("Range, client stops", RANGE), ("RangeStream, client stops", RANGE_STREAM),
                           ("Snapshot, client stops", SNAPSHOT)]:
            stop_reading(results, server, name, path)
        refuse_large_transactions(results, server, client)
        results.check("a put after all", client.call("KV/Put", pb.PutRequest(key=b"after")).ok)


def main():
    arguments = parse_arguments(__doc__, budget=75)

    def body(results):
        server = Server(arguments.server, [f"--quota-backend-bytes={QUOTA_BYTES}"], label="server")
        try:
            check(results, server.start())
        finally:
            # A GiB is not left behind, whatever happened.
            server.remove()

    run(arguments, body)


if __name__ == "__main__":
    main()
