"""A plain gRPC client for the etcd contract: calls by method name, answers as values that can be compared."""

import os
import queue
import sys
import threading
from dataclasses import dataclass
from typing import Any

from harness import PEERS

sys.path.insert(0, os.path.join(PEERS, "generated"))

import grpc  # noqa: E402
from google.protobuf import json_format, message_factory  # noqa: E402

import auth_pb2 as auth_pb  # noqa: E402, F401
import election_pb2 as election_pb  # noqa: E402
import etcd_pb2 as pb  # noqa: E402
import health_pb2  # noqa: E402
import lock_pb2 as lock_pb  # noqa: E402

_CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),
    # A restarted server must be found again at once, not after a doubling wait.
    ("grpc.initial_reconnect_backoff_ms", 20),
    ("grpc.min_reconnect_backoff_ms", 20),
    ("grpc.max_reconnect_backoff_ms", 100),
]


@dataclass
class Method:
    path: str
    request: Any
    response: Any
    client_streaming: bool
    server_streaming: bool


def _methods():
    """Every method of the compiled contract under "Service/Method"."""
    found = {}
    for file in (pb, health_pb2, lock_pb, election_pb):
        for service in file.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                found[f"{service.name}/{method.name}"] = Method(
                    f"/{service.full_name}/{method.name}",
                    message_factory.GetMessageClass(method.input_type),
                    message_factory.GetMessageClass(method.output_type),
                    method.client_streaming, method.server_streaming)
    return found


METHODS = _methods()


@dataclass
class Answer:
    """How a call ended. `message` is the response, a list of them for a server stream, or None."""
    code: str
    text: str
    message: Any

    @property
    def ok(self):
        return self.code == "OK"


class CallFailed(Exception):
    def __init__(self, method, answer):
        super().__init__(f"{method}: {answer.code} {answer.text}")
        self.answer = answer


class Client:
    """One connection. `call` never raises for an error status, `must` does."""

    def __init__(self, endpoint, credentials=None):
        self.endpoint = endpoint
        self.channel = (grpc.secure_channel(endpoint, credentials, options=_CHANNEL_OPTIONS) if credentials
                        else grpc.insecure_channel(endpoint, options=_CHANNEL_OPTIONS))
        self._stubs = {}
        # What calls say that bring nothing else: a token, once there is one.
        self.metadata = None

    def close(self):
        self.channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _stub(self, name):
        if name not in self._stubs:
            method = METHODS[name]
            kind = {(False, False): self.channel.unary_unary, (False, True): self.channel.unary_stream,
                    (True, True): self.channel.stream_stream}[method.client_streaming, method.server_streaming]
            self._stubs[name] = kind(method.path, request_serializer=_to_bytes,
                                     response_deserializer=method.response.FromString)
        return self._stubs[name]

    def begin(self, name, request, timeout=20, metadata=None, wait_for_ready=True):
        """Starts a unary call and returns its future; give it to `finish`."""
        return self._stub(name).future(request, timeout=timeout, metadata=metadata or self.metadata,
                                       wait_for_ready=wait_for_ready)

    @staticmethod
    def finish(future):
        try:
            return Answer("OK", "", future.result())
        except grpc.RpcError as error:
            return Answer(error.code().name, error.details() or "", None)

    def call(self, name, request, timeout=20, metadata=None):
        if METHODS[name].server_streaming:
            return self._collect(name, request, timeout, metadata)
        return self.finish(self.begin(name, request, timeout, metadata))

    def _collect(self, name, request, timeout, metadata):
        request = iter(request) if METHODS[name].client_streaming else request
        call = self._stub(name)(request, timeout=timeout, metadata=metadata or self.metadata, wait_for_ready=True)
        messages = []
        try:
            for message in call:
                messages.append(message)
        except grpc.RpcError as error:
            return Answer(error.code().name, error.details() or "", messages)
        return Answer("OK", "", messages)

    def open(self, name, request):
        """A server stream that goes on; a thread of its own moves the answers into a queue."""
        return ServerStream(self._stub(name)(request, metadata=self.metadata, wait_for_ready=True))

    def call_raw(self, path, data, timeout=20, metadata=None):
        """A unary call with the bytes and path given; the answer's message is bytes too."""
        stub = self.channel.unary_unary(path, request_serializer=_to_bytes, response_deserializer=bytes)
        return self.finish(stub.future(data, timeout=timeout, metadata=metadata, wait_for_ready=True))

    def must(self, name, request, timeout=20):
        answer = self.call(name, request, timeout)
        if not answer.ok:
            raise CallFailed(name, answer)
        return answer.message

    def put(self, key, value, **fields):
        return self.must("KV/Put", pb.PutRequest(key=key, value=value, **fields))

    def get(self, key, **fields):
        return self.must("KV/Range", pb.RangeRequest(key=key, **fields))

    def revision(self):
        return self.get(b"\0", limit=1, keys_only=True).header.revision

    def authenticate(self, user, password):
        """From then on calls are this user's."""
        answer = self.must("Auth/Authenticate", pb.AuthenticateRequest(name=user, password=password))
        self.metadata = [("token", answer.token)]
        return answer.token

    def watch(self, *creates, metadata=None):
        return WatchStream(self, creates, metadata)


def _to_bytes(request):
    return request if isinstance(request, bytes) else request.SerializeToString()


class ServerStream:
    """The answers of an open call; a thread of its own moves them into a queue."""

    _END = object()

    def __init__(self, call):
        self._call = call
        self._incoming = queue.Queue()
        self.end = None
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self):
        try:
            for message in self._call:
                self._incoming.put(message)
            self.end = Answer("OK", "", None)
        except grpc.RpcError as error:
            self.end = Answer(error.code().name, error.details() or "", None)
        self._incoming.put(self._END)

    def next(self, timeout):
        """The next message, or None when none came in time or the stream ended."""
        try:
            message = self._incoming.get(timeout=timeout)
        except queue.Empty:
            return None
        if message is self._END:
            self._incoming.put(message)
            return None
        return message

    def take(self, enough, timeout=10):
        """Messages until `enough(messages)` holds, the stream ends or `timeout` passes without a message."""
        messages = []
        while not enough(messages):
            message = self.next(timeout)
            if message is None:
                break
            messages.append(message)
        return messages

    def drain(self, quiet):
        """All messages until none comes for `quiet` seconds."""
        return self.take(lambda _: False, quiet)

    def close(self):
        self._call.cancel()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class WatchStream(ServerStream):
    """An open Watch stream."""

    def __init__(self, client, creates=(), metadata=None):
        self._outgoing = queue.Queue()
        for create in creates:
            self.create(**create)
        super().__init__(client._stub("Watch/Watch")(iter(self._outgoing.get, self._END),
                                                     metadata=metadata or client.metadata, wait_for_ready=True))

    def send(self, request):
        self._outgoing.put(request)

    def create(self, **fields):
        self.send(pb.WatchRequest(create_request=pb.WatchCreateRequest(**fields)))

    def cancel_watch(self, watch_id):
        self.send(pb.WatchRequest(cancel_request=pb.WatchCancelRequest(watch_id=watch_id)))

    def request_progress(self):
        self.send(pb.WatchRequest(progress_request=pb.WatchProgressRequest()))

    def half_close(self):
        self._outgoing.put(self._END)

    def take_events(self, count, timeout=10):
        return self.take(lambda messages: sum(len(m.events) for m in messages) >= count, timeout)

    def close(self):
        super().close()
        self._outgoing.put(self._END)


def to_json(message):
    """The JSON form of a message: proto names, base64 bytes, 64-bit integers as strings, defaults left out."""
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def from_json(name, value):
    return json_format.ParseDict(value, METHODS[name].request())
