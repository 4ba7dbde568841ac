"""Services behind stream: over TCP what a function does with each connection, over UDP what it
answers each datagram with."""

import socket
import threading


class TcpService:
    """`handle(sock)` runs in a thread of its own for each connection, which is closed after it."""

    def __init__(self, handle, port=0):
        self.handle = handle
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        sock.settimeout(20)
        with sock:
            try:
                self.handle(sock)
            except OSError:
                pass

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class UdpService:
    """`answers(data, count)`: the datagrams that are sent back for the count-th one."""

    def __init__(self, answers):
        self.answers = answers
        self.sock = socket.socket(type=socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.clients = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        count = 0
        while True:
            try:
                data, client = self.sock.recvfrom(65536)
            except OSError:
                return
            if data == b"\0stop":
                return
            count += 1
            self.clients.append(client)
            for answer in self.answers(data, count):
                self.sock.sendto(answer, client)

    def stop(self):
        with socket.socket(type=socket.SOCK_DGRAM) as last:
            last.sendto(b"\0stop", ("127.0.0.1", self.port))
        self.sock.close()


def echo(sock):
    while data := sock.recv(65536):
        sock.sendall(data)


def says(name):
    """Tells its name, then what it gets."""
    def handle(sock):
        sock.sendall(name)
        echo(sock)
    return handle


def receive_all(sock):
    data = bytearray()
    while piece := sock.recv(65536):
        data += piece
    return bytes(data)
