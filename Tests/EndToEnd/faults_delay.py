"""Holds packets back. Runs in a member's network namespace and takes what its firewall puts into queues:

    faults_delay.py QUEUE:SECONDS:JITTER...

Each packet waits SECONDS and a random part of JITTER, so with jitter packets overtake each other. Prints `ready` when
the queues are its own. It speaks the kernel's nfnetlink_queue (linux/netfilter/nfnetlink_queue.h): numbers are in
network order where the header says so, messages are padded to 4 bytes."""

import heapq
import random
import select
import socket
import struct
import sys
import time

_NETLINK_NETFILTER = 12
_SUBSYSTEM_QUEUE = 3
_MSG_PACKET, _MSG_VERDICT, _MSG_CONFIG = 0, 1, 2
_NLM_F_REQUEST, _NLM_F_ACK = 1, 4
_NLMSG_ERROR = 2
_CFG_CMD, _CFG_PARAMS, _CFG_QUEUE_MAXLEN = 1, 2, 3
_CMD_BIND, _COPY_META = 1, 1
_ATTRIBUTE_PACKET_HEADER, _ATTRIBUTE_VERDICT = 1, 2
_ACCEPT = 1
QUEUE_PACKETS_MAX = 65_536  # The kernel drops what goes beyond.


def attribute(kind, payload):
    return struct.pack("=HH", 4 + len(payload), kind) + payload + b"\0" * (-len(payload) % 4)


def message(kind, flags, queue, attributes):
    body = struct.pack("=BBH", socket.AF_UNSPEC, 0, socket.htons(queue)) + attributes
    return struct.pack("=IHHII", 16 + len(body), _SUBSYSTEM_QUEUE << 8 | kind, flags, 0, 0) + body


class Queues:
    def __init__(self, queues):
        self.queues = queues  # number: (seconds, jitter)
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        self.socket.bind((0, 0))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.held = []  # heap of (due, queue, packet)
        for queue in queues:
            self._configure(queue, attribute(_CFG_CMD, struct.pack("!BBH", _CMD_BIND, 0, socket.AF_INET)))
            self._configure(queue, attribute(_CFG_PARAMS, struct.pack("!IB", 0, _COPY_META)))
            self._configure(queue, attribute(_CFG_QUEUE_MAXLEN, struct.pack("!I", QUEUE_PACKETS_MAX)))

    def _configure(self, queue, attributes):
        self.socket.send(message(_MSG_CONFIG, _NLM_F_REQUEST | _NLM_F_ACK, queue, attributes))
        while True:
            data = self.socket.recv(1 << 16)
            kind, = struct.unpack_from("=H", data, 4)
            if kind == _NLMSG_ERROR:
                error, = struct.unpack_from("=i", data, 16)
                if error:
                    sys.exit(f"queue {queue}: the kernel answers {-error}")
                return
            self._take(data)

    def _take(self, data):
        position = 0
        while position + 20 <= len(data):
            length, kind = struct.unpack_from("=IH", data, position)
            if kind == _SUBSYSTEM_QUEUE << 8 | _MSG_PACKET:
                self._hold(data[position + 16:position + length])
            position += (length + 3) & ~3

    def _hold(self, body):
        queue = socket.ntohs(struct.unpack_from("=H", body, 2)[0])
        position = 4
        while position < len(body):
            length, kind = struct.unpack_from("=HH", body, position)
            if kind & 0x7fff == _ATTRIBUTE_PACKET_HEADER:
                packet, = struct.unpack_from("!I", body, position + 4)
                seconds, jitter = self.queues[queue]
                due = time.monotonic() + seconds + random.random() * jitter
                heapq.heappush(self.held, (due, queue, packet))
            position += (length + 3) & ~3

    def _release(self):
        while self.held and self.held[0][0] <= time.monotonic():
            _, queue, packet = heapq.heappop(self.held)
            verdict = attribute(_ATTRIBUTE_VERDICT, struct.pack("!II", _ACCEPT, packet))
            self.socket.send(message(_MSG_VERDICT, _NLM_F_REQUEST, queue, verdict))

    def serve(self):
        while True:
            wait = max(0, self.held[0][0] - time.monotonic()) if self.held else None
            if select.select([self.socket], [], [], wait)[0]:
                try:
                    self._take(self.socket.recv(1 << 16))
                except OSError:
                    pass  # ENOBUFS: packets were dropped, as a network may.
            self._release()


def main():
    queues = {}
    for argument in sys.argv[1:]:
        queue, seconds, jitter = argument.split(":")
        queues[int(queue)] = (float(seconds), float(jitter))
    served = Queues(queues)
    print("ready", flush=True)
    served.serve()


if __name__ == "__main__":
    main()
