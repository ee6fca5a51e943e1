"""Compares the families of /metrics, and some values after a defined piece of work."""

import os
import re
import urllib.request

from golden_grpc import difference
from wire import Client, pb

SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def replay(fixture, server):
    with Client(server.endpoint) as client:
        watches = work(client)
        content_type, families, samples = scrape(server)
        process = runtime(server, samples)
        for watch in watches:
            watch.close()
        client.must("Maintenance/Defragment", pb.DefragmentRequest())
        process += defragmented(samples, scrape(server)[2])
    outcomes = [("content type", "" if content_type.startswith("text/plain; version=0.0.4") else content_type)]
    for family in fixture["families"]:
        outcomes.append((family["name"], difference(family, families.get(family["name"]))))
    for each in fixture["values_after_work"]:
        value = samples.get(series(each["series"]))
        outcomes.append((each["series"], difference(float(each["value"]), value)))
    return outcomes + histograms(families, samples) + durations(samples) + process


def work(client):
    """10 Put, 5 Range, 3 Txn of two puts, a DeleteRange that hits and one that misses, 2 LeaseGrant, LeaseRevoke once
    right and once wrong, a Range in the future, Compact, 2 Watch streams with 3 watchers, 4 Put on a watched key."""
    for index in range(10):
        client.put(b"k%d" % index, b"x" * 10)
    for _ in range(5):
        client.get(b"k", range_end=b"l")
    for index in range(3):
        puts = [pb.PutRequest(key=b"k%d" % key, value=b"y") for key in (2 * index, 2 * index + 1)]
        client.must("KV/Txn", pb.TxnRequest(success=[pb.RequestOp(request_put=put) for put in puts]))
    for key in (b"k1", b"none"):
        client.must("KV/DeleteRange", pb.DeleteRangeRequest(key=key))
    for identifier in (1, 2):
        client.must("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=600, ID=identifier))
    for identifier in (1, 99):
        client.call("Lease/LeaseRevoke", pb.LeaseRevokeRequest(ID=identifier))
    client.call("KV/Range", pb.RangeRequest(key=b"k", revision=9999))
    client.must("KV/Compact", pb.CompactionRequest(revision=5, physical=True))
    watches = [client.watch(dict(key=b"w")), client.watch(dict(key=b"v"), dict(key=b"u"))]
    for watch, count in zip(watches, (1, 2)):
        watch.take(lambda messages, count=count: len(messages) >= count)
    for _ in range(4):
        client.put(b"w", b"z")
    watches[0].take_events(4)
    return watches


def histograms(families, samples):
    """Of each histogram: buckets that only grow, the last of them everything, and a sum that fits."""
    series = {}
    for (name, labels), value in samples.items():
        if name.endswith("_bucket"):
            bound = float(dict(labels)["le"])
            rest = tuple(label for label in labels if label[0] != "le")
            series.setdefault((name[:-len("_bucket")], rest), []).append((bound, value))
    outcomes = []
    for (name, labels), buckets in series.items():
        counts = [count for _, count in sorted(buckets)]
        total, amount = samples.get((name + "_count", labels)), samples.get((name + "_sum", labels))
        fits = counts == sorted(counts) and counts[-1] == total and (amount > 0 or total == 0)
        outcomes.append((f"{name}{dict(labels)} adds up", "" if fits else f"{counts}, count {total}, sum {amount}"))
    empty = [name for name, family in families.items() if family["type"] == "histogram"
             and not any(name == known for known, _ in series)]
    return outcomes + [(name, "a histogram without a series") for name in empty]


def durations(samples):
    """What was done was timed, once each: as many observations as the counters count."""
    def of(name, **labels):
        return sum(value for (found, has), value in samples.items() if found == name and labels.items() <= set(has))

    apply, request, ranges = (name + "_count" for name in (
        "etcd_server_apply_duration_seconds", "etcd_server_request_duration_seconds", "etcd_server_range_duration_seconds"))
    expected = [(apply, dict(op=op, success=success, version="v3"), count) for op, success, count in (
        ("Put", "true", 14), ("Txn", "true", 3), ("DeleteRange", "true", 2), ("Compaction", "true", 1),
        ("LeaseGrant", "true", 2), ("LeaseRevoke", "true", 1), ("LeaseRevoke", "false", 1))]
    expected += [(request, dict(type=kind, success=success), count) for kind, success, count in (
        ("Put", "true", 14), ("Range", "true", 5), ("Range", "false", 1), ("Txn", "true", 3), ("LeaseRevoke", "false", 1))]
    expected += [(ranges, dict(success="true"), 5), (ranges, dict(success="false"), 1)]
    expected += [("etcd_debugging_lease_ttl_total_count", {}, 2), ("etcd_debugging_lease_ttl_total_sum", {}, 1200)]
    # Of the keys and values: 10 times 2 and 10, 6 times 2 and 1, 4 times 1 and 1.
    expected += [("etcd_debugging_mvcc_total_put_size_in_bytes", {}, 146)]
    # Of the four puts on a watched key each is a response with one event; each of the three watchers was created.
    sends = "etcd_debugging_server_watch_send_loop_"
    expected += [(sends + "watch_stream_duration_seconds_count", {}, 4), (sends + "progress_duration_seconds_count", {}, 0),
                 (sends + "watch_stream_duration_per_event_seconds_count", {}, 4),
                 (sends + "control_stream_duration_seconds_count", {}, 3)]
    expected += [("promhttp_metric_handler_requests_in_flight", {}, 1)]
    expected += [("etcd_debugging_mvcc_db_compaction_total_duration_milliseconds_count", {}, 1)]
    outcomes = [(f"{name}{labels}", difference(float(count), of(name, **labels))) for name, labels, count in expected]
    # At least: the values that were put, and a time of this century.
    floors = [("etcd_disk_wal_write_bytes_total", 200), ("etcd_debugging_mvcc_db_compaction_last", 1e9)]
    return outcomes + [(f"{name} is at least {floor:g}", "" if of(name) >= floor else str(of(name)))
                       for name, floor in floors]


def runtime(server, samples):
    """What is said of the process is what the system says of it."""
    of = {name: value for (name, labels), value in samples.items() if not labels}
    pid, memory = server.process.pid, "go_memstats_"
    threads = len(os.listdir(f"/proc/{pid}/task"))
    with open(f"/proc/{pid}/status") as status:
        data = 1024 * int(re.search(r"^VmData:\s+(\d+) kB", status.read(), re.MULTILINE)[1])
    heap, used, system = (of[memory + name] for name in ("heap_sys_bytes", "heap_inuse_bytes", "sys_bytes"))
    others = sum(of[memory + name] for name in (
        "stack_sys_bytes", "mspan_sys_bytes", "mcache_sys_bytes", "buck_hash_sys_bytes", "gc_sys_bytes", "other_sys_bytes"))
    # Threads and memory come and go between the page and the look at them.
    checks = {
        "threads are those that there are": abs(of["go_threads"] - threads) <= 3 and of["go_goroutines"] > 3,
        "processors are those that it may have": of["go_sched_gomaxprocs_threads"] == len(os.sched_getaffinity(pid)),
        "some of the heap is in use, and not all": 1 << 20 < used < heap,
        "the heap is what is in use and what is idle": used + of[memory + "heap_idle_bytes"] == heap,
        "allocated is at most what is in use": 0 < of[memory + "alloc_bytes"] <= used,
        "all memory is the sum of its parts": system == heap + others,
        "all memory is what the process can write to": abs(system - data) < 16 << 20,
    }
    return [(f"runtime: {name}", "" if holds else str({key: of[key] for key in of if key.startswith("go_")}))
            for name, holds in checks.items()]


def defragmented(before, after):
    name = "etcd_disk_backend_defrag_duration_seconds_count"
    calls = after[name, ()] - before[name, ()]
    return [("a call of Defragment is timed", difference(1.0, calls)),
            ("none is under way", difference(0.0, after["etcd_disk_defrag_inflight", ()]))]


def scrape(server):
    """(content type, {family: its name, type and labels}, {series: value})"""
    with urllib.request.urlopen(f"http://{server.endpoint}/metrics", timeout=10) as answer:
        content_type, text = answer.headers["Content-Type"], answer.read().decode()
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    families = {name: {"name": name, "type": kind, "labels": []} for name, kind in types.items()}
    samples = {}
    for line in text.splitlines():
        found = SAMPLE.match(line)
        if found is None:
            continue
        name, labels, value = found.groups()
        labels = dict(LABEL.findall(labels or ""))
        samples[name, tuple(sorted(labels.items()))] = float(value)
        family = families.get(name) or families.get(re.sub(r"_(bucket|sum|count)$", "", name))
        if family is not None:
            family["labels"] = sorted(set(family["labels"]) | set(labels) - {"le", "quantile"})
    return content_type, families, samples


def series(text):
    name, labels, _ = SAMPLE.match(text + " 0").groups()
    return name, tuple(sorted(LABEL.findall(labels or "")))
