"""Uses the `etcd3` package, a client by others, the way its users do, and prints one line for everything it sees.

Runs in an environment of its own (it needs an old protobuf), so it shares no code with the other scripts."""

import sys
import threading

import etcd3


def show(name, value):
    print(f"{name}: {value!r}", flush=True)


def keys_and_values(client):
    client.put("/doot/one", "1")
    client.put("/doot/two", "2")
    client.put("/other", "x")
    show("get", client.get("/doot/one")[0])
    show("get nothing", client.get("/nothing"))
    show("prefix", [(value, meta.key, meta.version, meta.mod_revision) for value, meta in client.get_prefix("/doot")])
    descending = client.get_prefix("/doot", sort_order="descend", sort_target="key")
    show("prefix descending", [value for value, _ in descending])
    show("range", [value for value, _ in client.get_range("/doot/one", "/doot/two")])
    show("everything", sorted(meta.key for _, meta in client.get_all()))
    show("put_if_not_exists", [client.put_if_not_exists("/once", "a"), client.put_if_not_exists("/once", "b")])
    show("replace", [client.replace("/other", "x", "y"), client.replace("/other", "x", "z"), client.get("/other")[0]])
    show("delete", [client.delete("/other"), client.delete("/other")])
    show("delete_prefix", client.delete_prefix("/doot").deleted)


def transactions(client):
    tx = client.transactions
    client.put("/t", "1")
    for value in ("1", "2"):
        outcome = client.transaction(
            compare=[tx.value("/t") == value, tx.version("/t") > 0],
            success=[tx.put("/t", "2"), tx.get("/t")],
            failure=[tx.get("/t"), tx.delete("/none")])
        show("transaction", (outcome[0], len(outcome[1])))
    show("after transactions", client.get("/t")[0])


def watching(client):
    seen, done = [], threading.Event()

    def on_response(response):
        for event in response.events:
            seen.append((type(event).__name__, event.key, event.value))
            if len(seen) == 4:
                done.set()

    revision = client.put("/before", "x").header.revision
    watch = client.add_watch_prefix_callback("/w/", on_response, start_revision=revision)
    client.put("/w/1", "a")
    client.put("/w/2", "b")
    client.put("/w/1", "c")
    client.delete("/w/2")
    show("watch", (done.wait(10), seen))
    client.cancel_watch(watch)
    try:
        client.compact(revision)
        events, _ = client.watch("/w/1", start_revision=2)
        next(events)
        show("compacted watch", "goes on")
    except etcd3.exceptions.RevisionCompactedError as error:
        show("compacted watch", ("compacted at", error.compacted_revision == revision))


def leases_and_locks(client):
    lease = client.lease(600)
    client.put("/leased", "x", lease=lease)
    show("lease", (lease.granted_ttl, lease.remaining_ttl > 590, list(lease.keys)))
    show("refresh", [answer.TTL for answer in lease.refresh()])
    lease.revoke()
    show("after revoke", client.get("/leased"))
    # Not contended: the package's own waiting does not work with the libraries of today.
    with client.lock("mutex", ttl=30) as lock:
        show("lock", lock.is_acquired())
    again = client.lock("mutex", ttl=30)
    show("lock after release", (again.acquire(), again.is_acquired(), again.release()))


def upkeep(client):
    status = client.status()
    show("status", (status.leader is not None, status.db_size > 0))
    show("members", [member.name for member in client.members])
    show("alarms", list(client.list_alarms()))
    client.defragment()
    show("hash is a number", client.hash() >= 0)


def main():
    host, port = sys.argv[1].split(":")
    client = etcd3.client(host=host, port=int(port), timeout=10)
    for part in (keys_and_values, transactions, watching, leases_and_locks, upkeep):
        part(client)
    client.close()


if __name__ == "__main__":
    main()
