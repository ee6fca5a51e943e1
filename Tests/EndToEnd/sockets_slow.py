"""Clients that open watches and do not read, or go away while they are written to: the server must neither grow nor slow
down, nor lose what they miss, nor end."""

import random
import socket
import struct
import threading
import time

from harness import Server
from raw_http2 import HUGE, RawConnection
from wire import Client, pb

VALUE = b"s" * 100_000
PUTS = 1500
# 15 GB are owed to the readers; etcd 3.5 grows by about 350 MiB here.
ANONYMOUS_GROWTH_MAX = 384 << 20
# Of watchers that are reset while events come.
RESET_SECONDS = 5


def anonymous_bytes(server):
    """Memory that is the process's own; pages of mapped files come and go as the system likes."""
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("RssAnon"))


def check(results, arguments):
    with Server(arguments.server, label="server") as server, Client(server.endpoint) as client:
        never = [RawConnection(server.client_port, receive_buffer=4096) for _ in range(4)]
        for connection in never:
            for _ in range(25):
                connection.open_watch(key=b"slow")
        late = RawConnection(server.client_port, window=HUGE, receive_buffer=4096)
        stream = late.open_watch(key=b"slow")
        responses = late.responses(stream)
        results.check("the late reader's watch is created", next(responses).created)
        grew, slowest = put_and_measure(results, server, client)
        print(f"{PUTS} puts of {len(VALUE)} bytes under 101 idle readers: anonymous memory grew {grew >> 20} MiB, "
              f"slowest put {slowest * 1000:.0f} ms", flush=True)
        results.check(f"memory grows less than {ANONYMOUS_GROWTH_MAX >> 20} MiB", grew < ANONYMOUS_GROWTH_MAX,
                      f"{grew >> 20} MiB")
        late_reader_gets_everything(results, responses)
        for connection in never + [late]:
            connection.close()
        results.check("a put after all", client.call("KV/Put", pb.PutRequest(key=b"after")).ok)
    check_resets(results, arguments)


def check_resets(results, arguments):
    """Connections that are reset just when more is written to them than waits for a socket."""
    rng = random.Random(arguments.seed)
    with Server(arguments.server, label="server") as server, Client(server.endpoint) as client:
        over, count = threading.Event(), 0
        writer = threading.Thread(target=put_until, args=(client, over))
        writer.start()
        try:
            deadline = time.monotonic() + RESET_SECONDS
            while time.monotonic() < deadline and not server.has_died(grace=0):
                watchers = [RawConnection(server.client_port, window=HUGE) for _ in range(8)]
                for watcher in watchers:
                    watcher.open_watch(key=b"reset", range_end=b"reseu")
                time.sleep(rng.uniform(0.02, 0.15))
                for watcher in watchers:
                    watcher.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    watcher.close()
                count += len(watchers)
        except OSError as error:
            results.check("a watcher connects", False, error)
        over.set()
        writer.join()
        print(f"{count} watchers were reset", flush=True)
        results.check("a server outlives watchers that are reset", not server.has_died(), server.log_tail())


def put_until(client, over):
    while not over.is_set():
        puts = [client.begin("KV/Put", pb.PutRequest(key=b"reset%d" % number, value=b"x" * 60_000), timeout=5)
                for number in range(16)]
        for put in puts:
            client.finish(put)


def put_and_measure(results, server, client):
    """(the greatest growth of memory seen, the slowest put); one watcher reads all the while."""
    before = anonymous_bytes(server)
    most, slowest = before, 0
    with client.watch(dict(key=b"slow")) as watch:
        watch.take(lambda messages: len(messages) >= 1)
        for index in range(PUTS):
            started = time.monotonic()
            client.put(b"slow", b"%d " % index + VALUE)
            slowest = max(slowest, time.monotonic() - started)
            if index % 50 == 0:
                most = max(most, anonymous_bytes(server))
        events = [event for message in watch.take_events(PUTS) for event in message.events]
    versions = [event.kv.version for event in events]
    results.equal("the reader beside them misses nothing", versions, list(range(1, PUTS + 1)))
    return max(most, anonymous_bytes(server)) - before, slowest


def late_reader_gets_everything(results, responses):
    versions = []
    for response in responses:
        versions += [event.kv.version for event in response.events]
        if versions and versions[-1] >= PUTS:
            break
    results.equal("the late reader gets every event, in order", versions, list(range(1, PUTS + 1)))
