"""A gRPC call with what libraries hide of its answer: the header blocks as they came. The client names a subtype in its
content type, so that the server's is seen to be no constant."""

import socket
import struct
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import grpc

import hpack
from raw_http2 import (ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS,
                       WINDOW_UPDATE, frame, grpc_headers, literal)

HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE = 1, 4
STREAM = 1
FRAME_MAX = 16_384
CODES = {code.value[0]: code.name for code in grpc.StatusCode}


@dataclass
class RawAnswer:
    """`header` is None when all came in one block; both are name to values, without the status."""
    code: str
    text: str
    header: Any
    trailer: dict
    messages: list


def call(port, path, messages, metadata=(), timeout=20):
    """Sends all of these messages, as bytes, and reads the answer, of at most one window (64 KiB)."""
    fields = grpc_headers(path.encode(), b"127.0.0.1:%d" % port, b"application/grpc+proto")
    fields += b"".join(literal(name.encode(), value.encode()) for name, value in metadata)
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        return _Call(connection, messages).run(fields)


class _Call:
    def __init__(self, connection, messages):
        self.socket = connection
        self.unsent = b"".join(b"\0" + struct.pack(">I", len(message)) + message for message in messages)
        self.is_sent = False
        # What may be sent on the connection and on the stream, and what the server lets streams begin with.
        self.windows = {0: 65_535, STREAM: 65_535}
        self.initial_window = 65_535
        self.blocks = []
        self.body = b""

    def run(self, fields):
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", HEADER_TABLE_SIZE, 0))
                            + frame(HEADERS, END_HEADERS, STREAM, fields))
        with self.socket.makefile("rb") as incoming:
            self.send()
            while not self.take_frame(incoming):
                self.send()
        return self.answer()

    def send(self):
        """As much of the messages as the windows allow."""
        while not self.is_sent:
            room = min(*self.windows.values(), FRAME_MAX)
            if self.unsent and room <= 0:
                return
            part, self.unsent = self.unsent[:room], self.unsent[room:]
            self.is_sent = not self.unsent
            self.socket.sendall(frame(DATA, END_STREAM if self.is_sent else 0, STREAM, part))
            self.windows = {number: window - len(part) for number, window in self.windows.items()}

    def take_frame(self, incoming):
        """Whether it was the last one of the answer."""
        head = incoming.read(9)
        if len(head) < 9:
            raise ConnectionError("the server closed the connection")
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
        payload = incoming.read(int.from_bytes(head[:3], "big"))
        if kind in (SETTINGS, PING) and not flags & ACK:
            self.socket.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
        if kind == SETTINGS:
            self.take_settings(payload)
        elif kind == WINDOW_UPDATE:
            self.windows[stream] += int.from_bytes(payload, "big")
        elif kind == DATA:
            self.body += payload
        elif kind == HEADERS:
            self.blocks.append(by_name(hpack.decode(payload)))
        elif kind in (RST_STREAM, GOAWAY):
            raise ConnectionError(f"the server ended the call with a frame of type {kind}: {payload!r}")
        return kind in (DATA, HEADERS) and bool(flags & END_STREAM)

    def take_settings(self, payload):
        for at in range(0, len(payload), 6):
            name, value = struct.unpack(">HI", payload[at:at + 6])
            if name == INITIAL_WINDOW_SIZE:
                self.windows[STREAM] += value - self.initial_window
                self.initial_window = value

    def answer(self):
        if self.blocks[0].pop(":status") != ["200"]:
            raise ConnectionError("the HTTP status is not 200")
        trailer = self.blocks[-1]
        code, text = trailer.pop("grpc-status"), trailer.pop("grpc-message", [""])
        header = self.blocks[0] if len(self.blocks) > 1 else None
        return RawAnswer(CODES[int(code[0])], unquote(text[0]), header, trailer, self.messages())

    def messages(self):
        found, rest = [], self.body
        while rest:
            size = int.from_bytes(rest[1:5], "big")
            found.append(rest[5:5 + size])
            rest = rest[5 + size:]
        return found


def by_name(fields):
    found = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return found
