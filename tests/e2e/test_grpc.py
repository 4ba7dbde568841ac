"""gRPC's own client and server with weir between them."""

import queue
from concurrent import futures

import pytest

from certificates import Authority
from harness import PROXY, free_port
from wire import LIMIT

grpc = pytest.importorskip("grpc")
pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="Debian's nginx is not built the same")


class Server:
    """One service, whose messages are bytes."""

    def __init__(self, credentials=None):
        self.server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", {
            "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "Both": grpc.stream_stream_rpc_method_handler(self.both),
            "Many": grpc.unary_stream_rpc_method_handler(self.many),
            "Sum": grpc.stream_unary_rpc_method_handler(self.sum),
            "Fails": grpc.unary_unary_rpc_method_handler(self.fails),
        }),))
        self.port = (self.server.add_secure_port("127.0.0.1:0", credentials) if credentials else
                     self.server.add_insecure_port("127.0.0.1:0"))
        self.address = f"127.0.0.1:{self.port}"
        self.server.start()

    @staticmethod
    def unary(message, context):
        context.send_initial_metadata((("x-initial", "1"),))
        context.set_trailing_metadata((("x-trailing", "2"),))
        return message

    @staticmethod
    def both(messages, _):
        for message in messages:
            yield b"echo " + message

    @staticmethod
    def many(message, _):
        for i in range(int(message)):
            yield b"%d" % i

    @staticmethod
    def sum(messages, _):
        return b"%d" % sum(len(message) for message in messages)

    @staticmethod
    def fails(_, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now: 50 %")

    def stop(self):
        self.server.stop(0).wait(LIMIT)


@pytest.fixture(name="server_of")
def server_of_fixture(start):
    def make(*arguments):
        return start._keep(Server(*arguments))  # pylint: disable=protected-access
    return make


@pytest.fixture(name="channel")
def channel_fixture(start, server_of):
    proxy = start.proxy(f"""
        upstream app {{ server {server_of().address}; server {server_of().address}; }}
        server {{ listen @listen@; http2 on; client_max_body_size 0;
                  location / {{ grpc_pass grpc://app; }} }}""")
    with grpc.insecure_channel(f"127.0.0.1:{proxy.port}") as made:
        yield made


def test_a_call_with_metadata_both_ways(channel):
    for size in (0, 1, 100000, 3000000):
        message = b"m" * size
        answer, call = channel.unary_unary("/test.Echo/Unary").with_call(message, timeout=20)
        assert answer == message
        assert ("x-initial", "1") in call.initial_metadata()
        assert ("x-trailing", "2") in call.trailing_metadata()


def test_a_failure_keeps_code_and_words(channel):
    with pytest.raises(grpc.RpcError) as failure:
        channel.unary_unary("/test.Echo/Fails")(b"", timeout=20)
    assert failure.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert failure.value.details() == "not now: 50 %"
    with pytest.raises(grpc.RpcError) as failure:
        channel.unary_unary("/test.Echo/Missing")(b"", timeout=20)
    assert failure.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_streams(channel):
    assert list(channel.unary_stream("/test.Echo/Many")(b"500", timeout=20)) == [
        b"%d" % i for i in range(500)]
    assert channel.stream_unary("/test.Echo/Sum")(
        (b"x" * 1000 for _ in range(2000)), timeout=20) == b"2000000"


def test_a_dialogue(channel):
    """Each message waits for the answer to the one before."""
    said = queue.Queue()
    call = channel.stream_stream("/test.Echo/Both")(iter(said.get, None), timeout=20)
    for i in range(20):
        said.put(b"%d" % i)
        assert next(call) == b"echo %d" % i
    said.put(None)
    assert list(call) == [] and call.code() == grpc.StatusCode.OK


def test_many_calls_at_once(channel):
    call = channel.unary_unary("/test.Echo/Unary")
    waiting = [call.future(b"%d" % i, timeout=20) for i in range(200)]
    assert [one.result() for one in waiting] == [b"%d" % i for i in range(200)]


def test_cancelling(channel):
    call = channel.stream_stream("/test.Echo/Both")(iter([b"one"]), timeout=20)
    assert next(call) == b"echo one"
    call.cancel()
    assert channel.unary_unary("/test.Echo/Unary")(b"still there", timeout=20) == b"still there"


def test_over_tls(start, server_of, tmp_path):
    authority = Authority(tmp_path)
    certificate, key = authority.sign("node.example")
    with open(certificate, "rb") as chain, open(key, "rb") as secret:
        server = server_of(grpc.ssl_server_credentials([(secret.read(), chain.read())]))
    proxy = start.proxy(f"""server {{ listen @listen@; http2 on; location / {{
        grpc_pass grpcs://{server.address}; grpc_ssl_name node.example; grpc_ssl_verify on;
        grpc_ssl_trusted_certificate {authority.certificate}; }} }}""")
    with grpc.insecure_channel(f"127.0.0.1:{proxy.port}") as channel:
        for _ in range(3):
            assert channel.unary_unary("/test.Echo/Unary")(b"secret", timeout=20) == b"secret"


def test_without_a_server_the_call_is_unavailable(start):
    proxy = start.proxy(f"""server {{ listen @listen@; http2 on; location / {{
        grpc_pass grpc://127.0.0.1:{free_port()}; }} }}""")
    with grpc.insecure_channel(f"127.0.0.1:{proxy.port}") as channel:
        with pytest.raises(grpc.RpcError) as failure:
            channel.unary_unary("/test.Echo/Unary")(b"", timeout=20)
    assert failure.value.code() == grpc.StatusCode.UNAVAILABLE
