"""Uses the `etcd3gw` package, a client of the JSON gateway by others, the way its users do, and prints one line for
everything it sees. Runs in an environment of its own, so it shares no code with the other scripts."""

import sys
import threading

import etcd3gw
from etcd3gw import exceptions


def show(name, value):
    print(f"{name}: {value!r}", flush=True)


def keys_and_values(client):
    show("put", client.put("/a/1", "one"))
    show("put", client.put("/a/2", "two \u00e4"))
    show("get", client.get("/a/1"))
    show("get nothing", client.get("/none"))
    found = client.get("/a/2", metadata=True)
    show("metadata", [(value, meta["key"], meta["version"]) for value, meta in found])
    show("prefix", [value for value, _ in client.get_prefix("/a/", sort_order="descend")])
    show("everything", sorted(meta["key"] for _, meta in client.get_all()))
    show("create", [client.create("/once", "x"), client.create("/once", "y")])
    show("replace", [client.replace("/once", "x", "z"), client.replace("/once", "x", "q"), client.get("/once")])
    show("delete", [client.delete("/once"), client.delete("/once")])
    show("delete_prefix", client.delete_prefix("/a/"))


def watching(client):
    events, cancel = client.watch_prefix("/w/")
    for number in range(3):
        client.put(f"/w/{number}", "v" * number)
    client.delete("/w/1")
    seen = []
    for event in events:
        seen.append((event.get("type"), event["kv"]["key"], event["kv"].get("value")))
        if len(seen) == 4:
            break
    cancel()
    show("watch", seen)
    timer = threading.Timer(0.5, client.put, ["/one", "x"])
    timer.start()
    show("watch_once", client.watch_once("/one", timeout=10)["kv"]["key"])
    timer.join()
    try:
        client.watch_once("/never", timeout=1)
        show("watch of nothing", "an event")
    except exceptions.WatchTimedOut:
        show("watch of nothing", "timed out")


def leases_and_locks(client):
    lease = client.lease(ttl=600)
    client.put("/leased", "x", lease=lease)
    show("lease", (lease.ttl() > 590, lease.keys()))
    show("refresh", [lease.refresh() for _ in range(3)])
    show("revoke", lease.revoke())
    show("after revoke", client.get("/leased"))
    with client.lock("mutex", ttl=30) as lock:
        show("lock", lock.is_acquired())
        other = etcd3gw.client(port=client.port).lock("mutex", ttl=30)
        show("lock that is held", other.acquire())


def upkeep(client):
    show("status", sorted(client.status().keys() & {"header", "version", "leader", "dbSize", "raftIndex"}))
    show("members", [member["name"] for member in client.members()])


def main():
    host, port = sys.argv[1].split(":")
    client = etcd3gw.client(host=host, port=int(port), api_path="/v3/", timeout=20)
    for part in (keys_and_values, watching, leases_and_locks, upkeep):
        part(client)


if __name__ == "__main__":
    main()
