"""As test_accepts.py, for what stands in an upstream."""

import pytest

import test_accepts
from test_accepts import meant

UPSTREAM = [
    "hash $arg_a;", "hash x;", "hash $arg_a$host consistent;", "hash;", "hash a b;", "hash a b c;",
    "hash a CONSISTENT;", "hash $nope;", "hash '';",
    "hash a; server 127.0.0.1:1 backup;", "hash a consistent; server 127.0.0.1:1 backup;",
    "server 127.0.0.1:1 backup; hash a;",
    "least_conn;", "least_conn x;", "least_conn; server 127.0.0.1:1 backup max_conns=3;",
    "random;", "random two;", "random two least_conn;", "random one;", "random two least_time;",
    "random two least_conn x;", "random least_conn;", "random Two;",
    "random; server 127.0.0.1:1 backup;", "random two; server 127.0.0.1:1 backup;",
    "server 127.0.0.1:1 backup; random;",
    "ip_hash; server 127.0.0.1:1 backup;", "ip_hash x;",
    meant("ip_hash full;", "weir's own"),
    "ip_hash; ip_hash;", "hash a; hash b;", "hash a; least_conn;", "random; random two;",
    "hash a; least_conn; server 127.0.0.1:1 backup;",
    "least_conn; hash a; server 127.0.0.1:1 backup;",
    "keepalive 3; hash a;", "hash a; zone z 64k; keepalive 3;",
    meant("least_time header;", "newer than the nginx that is compared with"),
    meant("balance least_conn;", "weir's own"),
]


@pytest.mark.parametrize("text", UPSTREAM)
def test_accepted_in_an_upstream(tmp_path, text):
    test_accepts.test_accepted(tmp_path, "upstream", text)
