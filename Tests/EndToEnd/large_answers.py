"""A GiB of data read whole, by Range, RangeStream and Snapshot and through the JSON gateway, and by clients that stop: the
server's memory must not follow."""

import hashlib
import json
import threading
import time

from harness import Server, eventually, parse_arguments, run
from gateway_range import HTTP_1_0, HTTP_1_1, HTTP_2, CutOff, GatewayRange, body_of
from raw_http2 import HUGE, Body, RawConnection
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
# Keys that are read through the gateway: in JSON they are a third longer. Fewer where memory is not the question.
GATEWAY_COUNTS = {HTTP_1_1: 384, HTTP_2: 384, HTTP_1_0: 32}
LATE_COUNT = 128
# Keys that are deleted while a client may still be sent them.
HELD_COUNT = 16
COMPACTED = "etcd_debugging_mvcc_db_compaction_keys_total"

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


class Answer(Body):
    """The answer to one call, read from the socket as it is asked for, and never whole in memory."""

    def __init__(self, server, path, **span):
        connection = RawConnection(server.client_port, window=HUGE)
        connection.open_call(path, pb.SnapshotRequest() if path == SNAPSHOT else pb.RangeRequest(**(span or ALL)))
        super().__init__(connection)

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


def read_by_gateway(results, server, version):
    """Some of the keys, so that there are `more`."""
    name = f"{version} range in JSON"
    wrong, count = [], 0
    body = body_of(**ALL, limit=GATEWAY_COUNTS[version])
    with Sampler(server.process.pid) as sampler, GatewayRange(server, version, body) as answer:
        if version != HTTP_2:
            framing = (answer.response.status, answer.response.chunked, answer.response.will_close)
            results.equal(f"{name}: status, in chunks, the last of its connection", framing,
                          (200, version == HTTP_1_1, version == HTTP_1_0))
        for found_key, found_value, pair in answer.pairs():
            members = ["key", "create_revision", "mod_revision", "version", "value"]
            if (found_key, found_value, list(pair)) != (key(count), value(count), members):
                wrong.append((count, found_key, len(found_value), list(pair)))
            count += 1
    results.equal(f"{name}: keys, wrong ones", (count, wrong[:3]), (GATEWAY_COUNTS[version], []))
    header = json.loads(answer.header.removesuffix(b", ") + b"}")["header"]
    results.equal(f"{name}: the header's revision", header["revision"], str(REVISION))
    results.equal(f"{name}: what follows the keys", answer.tail, b'], "more":true, "count":"%d"}' % COUNT)
    sampler.report(results, name)


def read_twice_over_one_connection(results, server):
    """After a long answer in chunks a short one with its length."""
    with GatewayRange(server, HTTP_1_1, body_of(key(0), key(2))) as answer:
        first = json.loads(answer.read(1 << 30))
        results.equal("a long answer is in chunks", answer.response.getheader("content-length"), None)
        answer.ask(body_of(key(0), key(2), keys_only=True))
        second = answer.read(1 << 30)
        results.equal("a short one behind it says its length", answer.response.getheader("content-length"), str(len(second)))
        second = json.loads(second)
        results.equal("both have the same keys", [pair["key"] for pair in first["kvs"]], [pair["key"] for pair in second["kvs"]])


def run_out_of_time(results, server, version):
    """A deadline that passes within an answer: the client must see that it is not whole, and keeps no half of it."""
    name = f"{version} range in JSON, too late"
    body = body_of(**ALL, limit=LATE_COUNT)
    with GatewayRange(server, version, body, [("Grpc-Timeout", "300m")], receive_buffer=1 << 16) as answer:
        text = bytearray(answer.read(1 << 16))
        time.sleep(0.6)
        try:
            while piece := answer.read():
                text += piece
            ending = "an end"
        except CutOff:
            ending = "cut off"
    # HTTP/1.0 has no other end of an answer than the connection's.
    results.equal(f"{name}: it ends in", ending, "an end" if version == HTTP_1_0 else "cut off")
    results.check(f"{name}: it began, and is no JSON", text.startswith(b'{"header":') and not is_json(text), bytes(text[-50:]))
    results.check(f"{name}: most of it was not sent", len(text) < LATE_COUNT * VALUE_BYTES / 4, str(len(text)))
    # Known before the first byte, it is an error like any other.
    with GatewayRange(server, version, body, [("Grpc-Timeout", "1n")]) as answer:
        refusal = json.loads(answer.read())
    results.equal(f"{version} range in JSON, too late from the start", refusal,
                  {"code": 4, "message": "context deadline exceeded"})


def is_json(text):
    try:
        json.loads(text)
        return True
    except ValueError:
        return False


def stop_reading_gateway(results, server, client, version):
    """A client that takes its first bytes and nothing more. What it has not been sent is kept from compaction until it is
    gone, and not longer."""
    name = f"{version} range in JSON, client stops"
    for index in range(HELD_COUNT):
        client.put(b"held/%06d" % index, b"held")
    server.wait_until_drained()
    with Sampler(server.process.pid) as sampler:
        with GatewayRange(server, version, body_of(b"big/", b"held0"), receive_buffer=1 << 16) as answer:
            results.equal(f"{name}: the client gets its first bytes", len(answer.read(1 << 14)), 1 << 14)
            deleted = client.must("KV/DeleteRange", pb.DeleteRangeRequest(key=b"held/", range_end=b"held0"))
            results.equal(f"{name}: the last of its keys go", deleted.deleted, HELD_COUNT)
            before = server.metric(COMPACTED)
            # Above the tombstones, so that they go too, and are not there for the next one.
            revision = client.put(b"z", b"").header.revision
            client.must("KV/Compact", pb.CompactionRequest(revision=revision))
            server.wait_until_drained()
            time.sleep(2)
            results.equal(f"{name}: nothing is removed while it may read on", server.metric(COMPACTED), before)
    sampler.report(results, name)
    gone = eventually(lambda: server.metric(COMPACTED) >= before + 2 * HELD_COUNT)
    results.check(f"{name}: all of it is, once it is gone", gone, f"{server.metric(COMPACTED)} after {before}")


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
        for version in (HTTP_1_1, HTTP_2, HTTP_1_0):
            read_by_gateway(results, server, version)
        read_twice_over_one_connection(results, server)
        for version in (HTTP_1_1, HTTP_2, HTTP_1_0):
            run_out_of_time(results, server, version)
        refuse_large_transactions(results, server, client)
        for version in (HTTP_1_1, HTTP_2):
            stop_reading_gateway(results, server, client, version)
        results.check("a put after all", client.call("KV/Put", pb.PutRequest(key=b"after")).ok)


def main():
    arguments = parse_arguments(__doc__, budget=150)

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
