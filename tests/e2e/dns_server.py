"""A name server on loopback, whose records tests change while it serves."""

import socket
import struct
import threading

A, AAAA, SRV = 1, 28, 33


def _name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


class DnsServer:
    """`records`: {(name, type): [(lifetime in s, value), ...]}; a value is an address, or for SRV
    (priority, weight, port, target)."""

    def __init__(self):
        self.records = {}
        self.silent = False
        self.dead = set()  # names that nothing is answered about
        self.asked = []  # (name, type)
        self.sock = socket.socket(type=socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.sock.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def set(self, name, *values, lifetime=1):
        kind = SRV if isinstance(values[0], tuple) else A
        self.records[name, kind] = [(lifetime, value) for value in values]

    def drop(self, name, kind=A):
        del self.records[name, kind]

    def count(self, name, kind=A):
        return self.asked.count((name, kind))

    def _serve(self):
        while True:
            try:
                query, client = self.sock.recvfrom(4096)
            except OSError:
                return
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
                at += query[at] + 1
            name, kind = ".".join(labels), struct.unpack_from("!H", query, at + 1)[0]
            self.asked.append((name, kind))
            if self.silent or name in self.dead:
                continue
            found = self.records.get((name, kind), [])
            code = 0 if any(known == name for known, _ in self.records) else 3
            head = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(found), 0, 0)
            answer = head + query[12:at + 5]
            for lifetime, value in found:
                if kind == A:
                    data = socket.inet_aton(value)
                else:
                    priority, weight, port, target = value
                    data = struct.pack("!HHH", priority, weight, port) + _name(target)
                answer += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, lifetime, len(data)) + data
            self.sock.sendto(answer, client)

    def stop(self):
        self.sock.close()
