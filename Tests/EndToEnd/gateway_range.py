"""A range of the JSON gateway, taken apart while it comes and never whole in memory."""

import base64
import http.client
import json
import socket

from raw_http2 import HUGE, Body, RawConnection

HTTP_1_0, HTTP_1_1, HTTP_2 = "HTTP/1.0", "HTTP/1.1", "HTTP/2"
PATH = "/v3/kv/range"
PIECE = 1 << 18


def b64(value):
    return base64.b64encode(value).decode()


def body_of(key, range_end, **rest):
    return json.dumps(dict(rest, key=b64(key), range_end=b64(range_end))).encode()


class CutOff(Exception):
    """The server has broken the answer off."""


class GatewayRange:
    """The answer to one request. `read` gives its bytes, `pairs` its keys; use one of the two."""

    def __init__(self, server, version, body, headers=(), receive_buffer=None):
        self.version = version
        self.taken = 0
        self.header = self.tail = None
        if version == HTTP_2:
            window = HUGE if receive_buffer is None else receive_buffer
            connection = RawConnection(server.client_port, window=window, receive_buffer=receive_buffer)
            connection.open_request(PATH.encode(), body, [(name.lower().encode(), value.encode()) for name, value in headers])
            self.socket, self.response = connection.socket, Body(connection)
            return
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", server.client_port))
        self.ask(body, headers)

    def ask(self, body, headers=()):
        """Over HTTP/1, also once more when the answer before has been read to its end."""
        lines = [f"POST {PATH} {self.version}", "Host: x", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        self.response = http.client.HTTPResponse(self.socket, method="POST")
        self.response.begin()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.response.close()
        self.socket.close()

    def read(self, count=PIECE):
        """That many bytes; fewer at the end."""
        try:
            piece = self.response.read(count)
        except (http.client.IncompleteRead, ConnectionError) as error:
            raise CutOff(repr(error)[:200]) from error
        self.taken += len(piece)
        return piece

    def pairs(self):
        """The keys, in order; what stands before and behind them is in `header` and `tail` then."""
        text = bytearray()
        start = self._find(text, b'"kvs":[')
        self.header = bytes(text[:start])
        del text[:start + len(b'"kvs":[')]
        while True:
            end = self._find(text, b"}")
            pair = json.loads(text[:end + 1])
            yield base64.b64decode(pair["key"]), base64.b64decode(pair["value"]), pair
            del text[:end + 1]
            while len(text) < 2:
                self._more(text)
            if text[:1] == b"]":
                break
            del text[:2]
        while piece := self.read():
            text += piece
        self.tail = bytes(text)

    def _find(self, text, wanted):
        """Reads on until it is there, and says where."""
        position = 0
        while (found := text.find(wanted, position)) < 0:
            position = max(0, len(text) - len(wanted))
            self._more(text)
        return found

    def _more(self, text):
        piece = self.read()
        if not piece:
            raise CutOff(f"the answer ends after {self.taken} bytes")
        text += piece
