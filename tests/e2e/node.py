"""An application node that does what a test tells it, byte by byte."""

import socket
import threading
import time

from wire import LIMIT, Ended, Stream, reply


class NodeConnection(Stream):
    """What a handler is given: send, half_close, close, reset, and these."""

    def __init__(self, sock, index):
        super().__init__(sock)
        # A node waits for as long as the proxy keeps the connection; stop() ends it.
        self.sock.settimeout(None)
        self.index = index

    def wait_for_end(self):
        """Until the proxy closes: a node that hangs."""
        while self.open and self.fill():
            self.buffer.clear()


class Node:
    """Serves `handler(connection, request)`, which returns the bytes to send, or None when it has
    done all itself. Records each request from the moment its head is there.

    With `whole=False` the handler is called when the head has come, before any of the body.
    """

    def __init__(self, handler=None, whole=True, port=0):
        self.handler = handler or (lambda connection, request: reply())
        self.whole = whole
        self.requests = []
        self.connections = []
        self.failures = []
        self._changed = threading.Condition()
        self._threads = []
        self._stopping = False
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def targets(self):
        return [request.target for request in self.requests]

    @property
    def received(self):
        """All bytes that ever came."""
        return sum(connection.received for connection in self.connections)

    def wait_for(self, condition, what):
        deadline = time.monotonic() + LIMIT
        with self._changed:
            while not condition():
                left = deadline - time.monotonic()
                assert left > 0, f"node saw no {what}: {self.targets}"
                self._changed.wait(left)

    def wait_for_requests(self, n):
        self.wait_for(lambda: len(self.requests) >= n, f"{n} requests")
        return self.requests

    def changed(self):
        with self._changed:
            self._changed.notify_all()

    def stop(self):
        self._stopping = True
        # The accepting thread waits in accept, which only a connection or a shutdown wakes.
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        for connection in list(self.connections):
            connection.close()
        for thread in self._threads:
            thread.join(LIMIT)
        assert not self.failures, f"the node's handler failed: {self.failures}"

    def _start(self, function, *args):
        thread = threading.Thread(target=function, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while not self._stopping:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            connection = NodeConnection(sock, len(self.connections))
            self.connections.append(connection)
            self._start(self._serve, connection)
            self.changed()

    def _serve(self, connection):
        try:
            while connection.open and (request := connection.read_head()) is not None:
                request.connection = connection.index
                self.requests.append(request)
                self.changed()
                if self.whole:
                    connection.read_body(request)
                    self.changed()
                    if not request.complete:
                        break
                answer = self.handler(connection, request)
                if answer is not None:
                    connection.send(answer)
        except (OSError, Ended, ValueError) as why:
            # What a closed socket gives; anything else is a fault of the test.
            if connection.open and isinstance(why, ValueError):
                self.failures.append(repr(why))
        except Exception as why:  # pylint: disable=broad-except
            self.failures.append(repr(why))
        finally:
            connection.close()
            self.changed()


class RefusedPort:
    """A port that nobody else gets and that refuses connections."""

    def __init__(self):
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"

    def stop(self):
        self._socket.close()
