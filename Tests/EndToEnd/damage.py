"""Members whose files are damaged behind their back: what they notice, what they say, and that the others go on."""

import os
import random
import re
import signal
import struct
import time
import urllib.request

from cluster import Cluster
from harness import Server, eventually, parse_arguments, run
from wire import Client, WatchStream, pb

COMPARISONS = "strake_store_comparisons_total"
CORRUPT = "etcdserver: corrupt cluster"


def crc32c(data, value=0):
    value = ~value & 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return ~value & 0xFFFFFFFF


def store_file(member):
    return os.path.join(member.data_directory, "store", "data.mdb")


def falsify_version(member, key):
    """Raises the version that the file has of a key, and puts the checksum right: docs/storage-format.md, `current`."""
    with open(store_file(member), "r+b") as file:
        data = file.read()
        row_key = bytes(8) + key
        changed = 0
        place = data.find(row_key)
        while place >= 0:
            # liblmdb's node: size of the data (u32), flags, size of the key, then both.
            size, _, key_size = struct.unpack_from("<IHH", data, place - 8)
            record = data[place + key_size:place + key_size + size]
            if key_size == len(row_key) and size >= 37 and \
                    struct.unpack_from("<I", record)[0] == crc32c(row_key, crc32c(record[4:])):
                version = struct.unpack_from("<q", record, 25)[0]
                rest = record[4:25] + struct.pack("<q", version + 1) + record[33:]
                file.seek(place + key_size)
                file.write(struct.pack("<I", crc32c(row_key, crc32c(rest))) + rest)
                changed += 1
            place = data.find(row_key, place + 1)
        return changed


def flip_bit(member, value):
    """Flips a bit in the middle of every copy of the value that the file has."""
    with open(store_file(member), "r+b") as file:
        data = file.read()
        flipped = 0
        place = data.find(value)
        while place >= 0:
            middle = place + len(value) // 2
            file.seek(middle)
            file.write(bytes([data[middle] ^ 1]))
            flipped += 1
            place = data.find(value, place + 1)
        return flipped


def check_divergence(results, server):
    """One member applies otherwise than the others."""
    with Cluster(server, 3) as cluster:
        odd = cluster.followers()[0]
        others = [member for member in cluster.members if member is not odd]
        number = cluster.ids()[odd]
        cluster.client(others[0]).put(b"falsified", b"1")
        # A clean stop writes a checkpoint.
        results.check("the put is everywhere", eventually(
            lambda: cluster.client(odd).call("KV/Range", pb.RangeRequest(key=b"falsified", serializable=True))
            .message.count == 1))
        results.equal("a clean stop", odd.stop(), 0)
        results.check("rows falsified", falsify_version(odd, b"falsified") > 0)
        odd.start()
        watch = WatchStream(cluster.client(odd), [{"key": b"w"}])
        before = cluster.client(odd).call("KV/Range", pb.RangeRequest(key=b"falsified"))
        results.equal("it serves reads, until it applies", before.code, "OK")
        cluster.client(others[0]).put(b"falsified", b"2")

        def alarms(member):
            answer = cluster.client(member).call("Maintenance/Alarm", pb.AlarmRequest())
            return [(item.memberID, item.alarm) for item in answer.message.alarms] if answer.ok else None

        results.check("CORRUPT names it", eventually(
            lambda: all(alarms(member) == [(number, pb.CORRUPT)] for member in cluster.members)),
            [alarms(member) for member in cluster.members])
        results.check("its watches end", eventually(lambda: watch.end is not None, 5))
        results.equal("and say why", watch.end and (watch.end.code, watch.end.text), ("DATA_LOSS", CORRUPT))
        for name, request in (("Range", pb.RangeRequest(key=b"falsified")),
                              ("Range", pb.RangeRequest(key=b"falsified", serializable=True)),
                              ("Txn", pb.TxnRequest())):
            answer = cluster.client(odd).call(f"KV/{name}", request)
            results.equal(f"{name} of the odd one", (answer.code, answer.text), ("DATA_LOSS", CORRUPT))
        for member in others:
            answer = cluster.client(member).call("KV/Range", pb.RangeRequest(key=b"falsified"))
            results.equal(f"{member.name} serves reads", answer.message.kvs[0].value, b"2")
            answer = cluster.client(member).call("KV/Put", pb.PutRequest(key=b"x"))
            results.equal(f"{member.name} takes no writes", (answer.code, answer.text), ("DATA_LOSS", CORRUPT))
        results.check("it does not lead", eventually(lambda: cluster.leader() is not odd))
        results.check("its log says what to do", f"etcdctl member remove {number:x}" in odd.log_tail(50))
        # What the operator is told to do.
        results.equal("remove", cluster.client(others[0]).call(
            "Cluster/MemberRemove", pb.MemberRemoveRequest(ID=number)).code, "OK")
        odd.kill()
        results.equal("disarm", cluster.client(others[0]).call("Maintenance/Alarm", pb.AlarmRequest(
            action=pb.AlarmRequest.DEACTIVATE, memberID=number, alarm=pb.CORRUPT)).code, "OK")
        results.equal("writes again", cluster.client(others[1]).call("KV/Put", pb.PutRequest(key=b"x")).code, "OK")


def check_time(results, arguments):
    """--corrupt-check-time: how often members are compared, and that one that differs is noticed by that, as with etcd."""
    with Cluster(arguments.server, 3, ["--corrupt-check-time=300ms"]) as soon, \
            Cluster(arguments.server, 3, ["--corrupt-check-time=1h"]) as late, \
            Cluster(arguments.peer, 3, ["--experimental-corrupt-check-time=1s"]) as etcd, Cluster(arguments.peer, 3) as never:
        odd = {cluster: diverge(results, cluster) for cluster in (soon, etcd, late, never)}
        # A member that was asked while it was down is asked again after 5 s: meanwhile the others are compared.
        check_interval(results, soon)
        # etcd 3.5 names nobody: its leader compares each member with itself alone, and so cannot tell who is wrong.
        for name, cluster, named in (("strake", soon, odd[soon]), ("etcd", etcd, 0)):
            eventually(lambda: alarms(cluster))
            results.equal(f"{name} notices it in time", alarms(cluster), [(named, pb.CORRUPT)])
        for name, cluster in (("strake in an hour", late), ("etcd without the flag", never)):
            results.equal(f"{name} has not noticed it yet", alarms(cluster), [])
        results.equal("nor looked", sum(member.metric(COMPARISONS) for member in late.members), 0)


def check_interval(results, cluster):
    leader, times = cluster.leader(), []
    for _ in range(4):
        before = leader.metric(COMPARISONS)
        eventually(lambda: leader.metric(COMPARISONS) > before)
        times.append(time.monotonic())
    # Unless told otherwise it is once a second.
    took = (times[-1] - times[0]) / 3
    results.check("compared every 300 ms", 0.2 < took < 0.6, took)


def diverge(results, cluster):
    """Has a follower's file say something else, and returns its id. The first member, which is asked for alarms, stays up."""
    odd = next(member for member in cluster.followers() if member is not cluster.members[0])
    number = cluster.ids()[odd]
    other = next(member for member in cluster.members if member is not odd)
    value = b"value that is changed"
    cluster.client(other).put(b"falsified", value)
    local = pb.RangeRequest(key=b"falsified", serializable=True)
    results.check("the put is everywhere", eventually(lambda: cluster.client(odd).call("KV/Range", local).message.count))
    odd.stop()
    if os.path.exists(store_file(odd)):
        results.check("rows falsified", falsify_version(odd, b"falsified") > 0)
    else:
        path = os.path.join(odd.data_directory, "member", "snap", "db")
        with open(path, "rb") as file:
            data = file.read()
        results.check("etcd's file changed", value in data)
        with open(path, "wb") as file:
            file.write(data.replace(value, value.upper()))
    odd.start()
    cluster.client(other).put(b"falsified", b"2")
    return number


def alarms(cluster):
    answer = cluster.client(cluster.members[0]).call("Maintenance/Alarm", pb.AlarmRequest())
    return [(item.memberID, item.alarm) for item in answer.message.alarms] if answer.ok else None


def check_bit_flip(results, server, seed):
    """A value on one member's disk goes bad while it is down: it finds out by itself, and stops."""
    value = random.Random(seed).randbytes(300)
    with Cluster(server, 3) as cluster:
        odd = cluster.followers()[0]
        others = [member for member in cluster.members if member is not odd]
        number = cluster.ids()[odd]
        cluster.client(others[0]).put(b"flipped", value)
        results.check("the put is everywhere", eventually(
            lambda: cluster.client(odd).call("KV/Range", pb.RangeRequest(key=b"flipped", serializable=True))
            .message.count == 1))
        results.equal("a clean stop", odd.stop(), 0)
        results.check("bits flipped", flip_bit(odd, value) > 0)
        odd.launch()
        results.equal("it stops within 10 s", odd.process.wait(10), 1)
        odd.kill()
        log = odd.log_tail(50)
        results.check("it names table and row", "in table history is damaged: checksum" in log, log)
        results.check("it says what to do", f"etcdctl member remove {number:x}" in log, log)
        answer = cluster.client(others[1]).call("KV/Range", pb.RangeRequest(key=b"flipped"))
        results.equal("the others have the value", answer.message.kvs[0].value, value)
        results.equal("and take writes", cluster.client(others[1]).call("KV/Put", pb.PutRequest(key=b"x")).code, "OK")


def check_bit_flip_alone(results, server, seed):
    """A member alone has nothing better than what is left, and serves that."""
    value = random.Random(seed + 1).randbytes(300)
    with Server(server) as alone:
        client = Client(alone.endpoint)
        client.put(b"flipped", value)
        client.put(b"whole", b"1")
        results.equal("a clean stop", alone.stop(), 0)
        results.check("bits flipped", flip_bit(alone, value) > 0)
        alone.start()
        results.check("it says so", eventually(lambda: "in table history is damaged: checksum" in alone.log_tail(50)),
                      alone.log_tail(50))
        results.equal("the damaged value", client.call("KV/Range", pb.RangeRequest(key=b"flipped")).code, "DATA_LOSS")
        results.equal("another one", client.get(b"whole").kvs[0].value, b"1")
        results.equal("a put", client.call("KV/Put", pb.PutRequest(key=b"flipped", value=b"new")).code, "OK")
        results.equal("the value anew", client.get(b"flipped").kvs[0].value, b"new")
        client.close()


def check_truncation(results, server):
    """The file is cut short beneath a running member, which then reads where nothing is any more."""
    with Cluster(server, 3) as cluster:
        odd = cluster.followers()[0]
        others = [member for member in cluster.members if member is not odd]
        for number in range(500):
            cluster.client(others[0]).put(b"key%03d" % number, bytes(1000))
        everything = pb.RangeRequest(key=b"k", range_end=b"l", serializable=True)
        results.check("all is everywhere", eventually(
            lambda: cluster.client(odd).call("KV/Range", everything).message.count == 500))
        odd.stop()
        odd.start()
        results.check("its store was read", eventually(lambda: scrubs(odd) == 1), scrubs(odd))
        os.truncate(store_file(odd), 3 * 4096)
        answer = cluster.client(odd).call("KV/Range", everything, timeout=5)
        results.check("no answer", not answer.ok, answer.code)
        results.equal("it ends at once", odd.process.wait(5), 1)
        odd.kill()
        log = odd.log_tail(50)
        results.check("it says what it could not read", f"cannot read {store_file(odd)} at byte " in log, log)
        results.check("and what to do", "Check the disk" in log and "etcdctl member remove" in log, log)
        results.equal("the others go on", cluster.client(others[0]).call("KV/Put", pb.PutRequest(key=b"x")).code, "OK")


def check_other_faults(results, server):
    """What is no fault of the map ends as it would without the report."""
    for number in (signal.SIGSEGV, signal.SIGBUS):
        with Server(server) as alone:
            alone.process.send_signal(number)
            results.equal(f"ended by {number.name}", alone.process.wait(20), -number)
            results.check("nothing is said of a file", "cannot read" not in alone.log_tail(50), alone.log_tail(50))


def scrubs(member):
    page = urllib.request.urlopen(f"http://{member.endpoint}/metrics", timeout=5).read().decode()
    return int(float(re.search(r"^strake_scrubs_total (\S+)", page, re.MULTILINE)[1]))


def main():
    arguments = parse_arguments(__doc__, 40)

    def body(results):
        check_divergence(results, arguments.server)
        check_time(results, arguments)
        check_bit_flip(results, arguments.server, arguments.seed)
        check_bit_flip_alone(results, arguments.server, arguments.seed)
        check_truncation(results, arguments.server)
        check_other_faults(results, arguments.server)

    run(arguments, body)


if __name__ == "__main__":
    main()
