"""A small DNS server: answers A, AAAA and SRV from a zone that a test changes."""

import ipaddress
import socket
import struct
import threading

A, AAAA, SRV = 1, 28, 33


def name_bytes(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split(".")) + b"\0"


class DNSServer:
    def __init__(self, address="127.0.0.1", port=53):
        # {(name, type): [addresses, or (priority, weight, port, target)]}
        self.zone = {}
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                question, source = self.socket.recvfrom(4096)
                self.socket.sendto(self._answer(question), source)
            except OSError:
                return

    def _answer(self, question):
        place, labels = 12, []
        while question[place]:
            labels.append(question[place + 1:place + 1 + question[place]].decode())
            place += 1 + question[place]
        kind = struct.unpack(">H", question[place + 1:place + 3])[0]
        name = ".".join(labels).lower()
        self.asked.append((name, kind))
        records = self.zone.get((name, kind), [])
        exists = any(known == name for known, _ in self.zone)
        # An authoritative answer; 3 is that there is no such name.
        head = question[:2] + struct.pack(">HHHHH", 0x8580 | (0 if exists else 3), 1, len(records), 0, 0)
        return head + question[12:place + 5] + b"".join(self._record(kind, record) for record in records)

    @staticmethod
    def _record(kind, record):
        if kind == SRV:
            content = struct.pack(">HHH", *record[:3]) + name_bytes(record[3])
        else:
            content = ipaddress.ip_address(record).packed
        return struct.pack(">HHHIH", 0xC00C, kind, 1, 1, len(content)) + content
