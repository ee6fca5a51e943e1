"""The same request to two servers, and the comparison of what they say."""

import time

from harness import Server, ServerFailed, start_all
from known_differences import GRPC, either_check_failed, holds, parse_version
from normalise import control_messages, describe, events_by_watch, normalised
from wire import Client, WatchStream, pb


WAIT = 10


def _answers(messages):
    return sum(not message.events for message in messages)


def _events(messages):
    return sum(len(message.events) for message in messages)


class Pair:
    """The server under test and its peer, both fresh. Every call goes to both and is one check."""

    def __init__(self, results, arguments, name, flags=(), peer=None):
        self.results = results
        self.name = name
        self.servers = [Server(arguments.server, flags, "server"), Server(peer or arguments.peer, flags, "peer")]
        self.clients = []
        self.step = 0
        self.errors_in_any_order = False
        # The server's and the peer's.
        self.versions = [(), ()]

    def __enter__(self):
        start_all(self.servers)
        self.clients = [Client(server.endpoint) for server in self.servers]
        self.versions = [parse_version(client.must("Maintenance/Status", pb.StatusRequest()).version)
                         for client in self.clients]
        return self

    def __exit__(self, *failure):
        for client in self.clients:
            client.close()
        for server in self.servers:
            server.__exit__(*failure)

    @property
    def peer_version(self):
        return ".".join(map(str, self.versions[1]))

    def call(self, method, request, label=None, timeout=20):
        """Sends to both at once, compares, and returns the server's normalised answer."""
        futures = [client.begin(method, request, timeout) for client in self.clients]
        answers = [Client.finish(future) for future in futures]
        return self.compare(label or f"{method} {describe(request)[:160]}", answers, request)

    def stream(self, method, requests, label=None):
        """A server or two-way stream to its end."""
        return self.compare(label or method, [client.call(method, requests) for client in self.clients])

    def compare(self, label, answers, request=None):
        for answer in answers:
            normalised(answer.message, request)
        server, peer = answers
        for process, answer in zip(self.servers, answers):
            if answer.code == "UNAVAILABLE" and process.has_died():
                raise ServerFailed(f"{process.label} died of {label}:\n{process.log_tail()}")
        if self.errors_in_any_order and either_check_failed(server.text, peer.text):
            self.same(label, "refused", "refused")
        else:
            self.same(label, (server.code, server.text, describe(server.message)),
                      (peer.code, peer.text, describe(peer.message)), server.message == peer.message)
        return server

    def same(self, label, server, peer, messages_equal=True):
        self.step += 1
        equal = server == peer and messages_equal
        right = holds(GRPC, f"{self.name}: {label}", self.versions, server, equal)
        self.results.check(f"{self.name}: {label}", right, f"server {server}\npeer   {peer}, etcd {self.peer_version}")

    def restart(self):
        for client, server in zip(self.clients, self.servers):
            client.close()
            server.stop()
        start_all(self.servers)
        self.clients = [Client(server.endpoint) for server in self.servers]

    def watch(self, *creates, metadata=None):
        return PairWatch(self, creates, metadata)


class PairWatch:
    """The same Watch stream on both servers."""

    def __init__(self, pair, creates, metadata=None):
        self.pair = pair
        self.streams = [WatchStream(client, creates, metadata) for client in pair.clients]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for stream in self.streams:
            stream.close()

    def create(self, **fields):
        for stream in self.streams:
            stream.create(**fields)

    def cancel_watch(self, watch_id):
        for stream in self.streams:
            stream.cancel_watch(watch_id)

    def request_progress(self):
        for stream in self.streams:
            stream.request_progress()

    def half_close(self):
        for stream in self.streams:
            stream.half_close()

    def send(self, request):
        for stream in self.streams:
            stream.send(request)

    def answers(self, label, count=1):
        """The next `count` messages that carry no events, and what events come with them."""
        both = [stream.take(lambda messages: _answers(messages) >= count, WAIT) for stream in self.streams]
        return self._enough(label, both, _answers, count)

    def settle(self, label, count, seconds=0.3):
        """The next `count` messages without events, and all that comes until both are silent. For watchers with a
        past: whether the events of one come before or after the creation of the next is the server's business."""
        both = [stream.take(lambda messages: _answers(messages) >= count, WAIT) for stream in self.streams]
        time.sleep(seconds)
        both = [messages + stream.drain(0.05) for messages, stream in zip(both, self.streams)]
        return self._enough(label, both, _answers, count)

    def events(self, label, count):
        """The next `count` events over all watchers."""
        return self._enough(label, [s.take_events(count, WAIT) for s in self.streams], _events, count)

    def _enough(self, label, both, measure, count):
        """Both may agree on too little: that would be a script that waits in vain."""
        for messages in both:
            self.pair.results.check(f"{self.pair.name}: {label}: {count} came", measure(messages) >= count,
                                    f"{measure(messages)} came")
        return self._compare(label, both)

    def quiet(self, label, seconds=0.3):
        """Whatever still comes until both have been silent for a while; mostly nothing."""
        time.sleep(seconds)
        self._compare(label, [s.drain(0.05) for s in self.streams])

    def _compare(self, label, both):
        for messages in both:
            for message in messages:
                normalised(message)
            self._check_headers(label, messages)
        controls = [control_messages(messages) for messages in both]
        events = [events_by_watch(messages) for messages in both]
        self.pair.same(label, *[(control, {w: describe(list(e)) for w, e in found.items()})
                                for control, found in zip(controls, events)])
        return both

    def _check_headers(self, label, messages):
        for message in messages:
            if message.events and message.header.revision < message.events[-1].kv.mod_revision:
                self.pair.results.check(f"{self.pair.name}: {label}: header not behind its events", False,
                                        describe(message))
