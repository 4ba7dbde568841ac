import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness import Proxy, free_port, site  # noqa: E402
from node import Node, RefusedPort  # noqa: E402
from program import Program  # noqa: E402
from services import TcpService  # noqa: E402


class Started:
    """Starts nodes and proxies for a test, and stops them in the opposite order."""

    def __init__(self, directories):
        self._directories = directories
        self._all = []

    def _keep(self, thing):
        self._all.append(thing)
        return thing

    def node(self, handler=None, **options):
        return self._keep(Node(handler, **options))

    def refused(self):
        return self._keep(RefusedPort())

    def proxy(self, http, **options):
        return self._keep(Proxy(self._directories.mktemp("proxy"), http, **options)).start()

    def before(self, nodes, **blocks):
        """A proxy in front of these nodes; see harness.site."""
        nodes = nodes if isinstance(nodes, (list, tuple)) else [nodes]
        return self.proxy(site(nodes, **blocks))

    def stop(self):
        failure = None
        for thing in reversed(self._all):
            try:
                thing.stop()
            except AssertionError as why:
                failure = failure or why
        if failure:
            raise failure


@pytest.fixture
def start(tmp_path_factory):
    started = Started(tmp_path_factory)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def start_once(tmp_path_factory):
    """As `start`, for what all tests of a file share."""
    started = Started(tmp_path_factory)
    yield started
    started.stop()


@pytest.fixture
def proxy_of(start):
    """proxy_of(handler, ...): a node with the handler, and a proxy that speaks HTTP/2 before it."""
    def both(handler=None, whole=True, server="", **blocks):
        node = start.node(handler, whole=whole)
        return start.before(node, server="http2 on;" + server, **blocks), node
    return both


@pytest.fixture
def service(request):
    """service(handle, ...) gives a TcpService that is stopped at the end."""
    def begin(handle, **options):
        made = TcpService(handle, **options)
        request.addfinalizer(made.stop)
        return made
    return begin


@pytest.fixture
def stream(start):
    """A proxy with this in its stream block; `ports`: how many @0@, @1@, ... stand for."""
    def begin(text, ports=1, **options):
        numbers = [free_port() for _ in range(ports)]
        for i, number in enumerate(numbers):
            text = text.replace(f"@{i}@", f"127.0.0.1:{number}")
        proxy = start.proxy("server { listen @listen@; location / { return 200; } }",
                            main=f"stream {{ {text} }}", **options)
        proxy.ports = numbers
        return proxy
    return begin


@pytest.fixture
def make(tmp_path_factory):
    """make(text, ...) gives a Program, make.node(handler) a node; all are stopped at the end."""
    started = []

    def program(*arguments, **options):
        started.append(Program(tmp_path_factory.mktemp("program"), *arguments, **options))
        return started[-1]

    def node(*arguments):
        started.append(Node(*arguments))
        return started[-1]

    program.node = node
    yield program
    for thing in reversed(started):
        thing.stop()


@pytest.fixture
def program(make):
    return make()
