"""What the server says about a record that is damaged under it."""

import os

from harness import Server, eventually
from wire import Client

DAMAGED = b"damaged record in the store"
MARK = b"a value that can be found in a file " * 8


def check(results, arguments):
    if os.path.basename(arguments.server) == "etcd":
        return
    server = Server(arguments.server, label="server").start()
    try:
        check_previous_value(results, server)
    finally:
        server.remove()


def check_previous_value(results, server):
    """A live event whose previous value is damaged comes without it, and the operator is told once."""
    with Client(server.endpoint) as client, client.watch(dict(key=b"k", prev_kv=True)) as watch:
        client.put(b"k", MARK)
        next_event(watch)
        results.check("the value is in the store's file", flip_bit(server, MARK))
        client.put(b"k", b"new")
        event = next_event(watch)
        results.equal("the event is whole", event.kv.value, b"new")
        results.check("a damaged previous value is left out", not event.HasField("prev_kv"), str(event))
        results.check("the operator is told", eventually(lambda: server.log_since(0).count(DAMAGED)))
        client.put(b"k", b"newer")
        results.equal("the next event has its previous value", next_event(watch).prev_kv.value, b"new")
        results.equal("once", server.log_since(0).count(DAMAGED), 1)


def next_event(watch):
    return [event for message in watch.take_events(1) for event in message.events][0]


def flip_bit(server, content):
    """Waits until a checkpoint has written the content, and flips a bit of it in the file, as a bad disk would."""
    server.wait_until_drained()
    with open(os.path.join(server.data_directory, "store", "data.mdb"), "r+b") as file:
        data = file.read()
        offset = data.find(content)
        is_there = offset >= 0
        while offset >= 0:
            file.seek(offset)
            file.write(bytes([content[0] ^ 1]))
            offset = data.find(content, offset + 1)
    return is_there
