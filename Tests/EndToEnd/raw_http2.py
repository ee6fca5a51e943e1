"""A bare HTTP/2 client for what no library would do: open streams and not read them."""

import socket
import struct

from wire import pb

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
ACK, END_STREAM, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE = 4
HUGE = (1 << 31) - 1


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A header as HPACK's plainest form: literal, not indexed, not compressed."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def grpc_headers(path, authority, content_type=b"application/grpc"):
    headers = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", path), (b":authority", authority),
               (b"content-type", content_type), (b"te", b"trailers")]
    return b"".join(literal(name, value) for name, value in headers)


def grpc_message(message):
    data = message.SerializeToString()
    return b"\0" + struct.pack(">I", len(data)) + data


class RawConnection:
    """One connection with Watch streams on it. `window` is how much the server may send ahead on each stream."""

    def __init__(self, port, window=65535, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", port))
        self.authority = b"127.0.0.1:%d" % port
        self.next_stream = 1
        self.buffer = b""
        hello = PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, window))
        if window > 65535:
            hello += frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", HUGE - 65535))
        self.socket.sendall(hello)

    def open_watch(self, **create):
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        request = pb.WatchRequest(create_request=pb.WatchCreateRequest(**create))
        headers = grpc_headers(b"/etcdserverpb.Watch/Watch", self.authority)
        data = grpc_message(request)
        self.socket.sendall(frame(HEADERS, END_HEADERS, stream, headers) + frame(DATA, 0, stream, data))
        return stream

    def open_call(self, path, request):
        """Sends the one request of a call; the answer is for the caller to read."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        headers = grpc_headers(path, self.authority)
        self.socket.sendall(frame(HEADERS, END_HEADERS, stream, headers)
                            + frame(DATA, END_STREAM, stream, grpc_message(request)))
        return stream

    def open_request(self, path, body, headers=()):
        """A plain POST with a body in JSON."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        fields = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", path), (b":authority", self.authority),
                  (b"content-type", b"application/json"), *headers]
        block = b"".join(literal(name, value) for name, value in fields)
        self.socket.sendall(frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, END_STREAM, stream, body))
        return stream

    def read_frame(self):
        """(kind, stream, payload); answers settings and pings on the way."""
        head = self._read(9)
        payload = self._read(int.from_bytes(head[:3], "big"))
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
        if kind in (SETTINGS, PING) and not flags & ACK:
            self.socket.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
        return kind, stream, payload

    def _read(self, count):
        while len(self.buffer) < count:
            piece = self.socket.recv(1 << 18)
            if not piece:
                raise ConnectionError("the server closed the connection")
            self.buffer += piece
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def responses(self, stream):
        """The watch answers of one stream, as they come."""
        data = bytearray()
        while True:
            kind, of, payload = self.read_frame()
            if kind != DATA or of != stream:
                continue
            data += payload
            while len(data) >= 5 and len(data) >= 5 + int.from_bytes(data[1:5], "big"):
                size = int.from_bytes(data[1:5], "big")
                yield pb.WatchResponse.FromString(bytes(data[5:5 + size]))
                del data[:5 + size]

    def close(self):
        self.socket.close()


class Body:
    """What comes on the one stream of a connection, read from the socket as it is asked for, and never whole in memory."""

    def __init__(self, connection):
        self.connection = connection
        self.file = connection.socket.makefile("rb", 1 << 20)
        self.left = 0
        self.has_ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.connection.close()

    def read(self, count):
        """That many bytes of it; fewer at its end."""
        parts = []
        while count > 0 and (self.left > 0 or self._next_frame()):
            part = self.file.read(min(count, self.left))
            if not part:
                raise ConnectionError("the server closed the connection")
            self.left -= len(part)
            count -= len(part)
            parts.append(part)
        return b"".join(parts)

    def _next_frame(self):
        """Up to the next DATA with something in it; false at the end of the stream."""
        while not self.has_ended:
            head = self.file.read(9)
            if len(head) < 9:
                raise ConnectionError("the server closed the connection")
            length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
            if kind == DATA:
                self.has_ended = bool(flags & END_STREAM)
                self.left = length
                if length:
                    return True
                continue
            payload = self.file.read(length)
            if kind in (SETTINGS, PING) and not flags & ACK:
                self.connection.socket.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
            if kind in (RST_STREAM, GOAWAY):
                raise ConnectionError(f"the server ended the call with a frame of type {kind}: {payload!r}")
            self.has_ended = kind == HEADERS and bool(flags & END_STREAM)
        return False
