// stream { }: what its servers come to, and what the operator is told of mistakes.
#include "mistakes.h"

using namespace weir::config::testing;

TEST_CASE("a server of stream has the settings of stream, and the defaults") {
  const auto model = model_of(R"(
    stream {
      proxy_timeout 5s;
      upstream db { server 10.0.0.1:5432 max_fails=2; server 10.0.0.2:5432 backup; least_conn; }
      server { listen 5432; proxy_pass db; proxy_half_close on; proxy_connect_timeout 1s; }
      server { listen 127.0.0.1:53 udp; proxy_pass 10.0.0.3:53; proxy_responses 1; }
    })");
  for (const auto* line :
       {"listen 0.0.0.0:5432 backlog=511 rcvbuf=0 sndbuf=0 fastopen=0",
        "listen udp:127.0.0.1:53 backlog=511 rcvbuf=0 sndbuf=0 fastopen=0", "pass db",
        "pass 10.0.0.3:53", "timeout 5s", "half_close on", "half_close off", "responses 1",
        "buffer_size 16384", "next_upstream on", "preread off"}) {
    CAPTURE(line);
    CHECK(has_line(model, line));
  }
}

TEST_CASE("http and stream have names of their own") {
  // The same names for upstreams, variables and formats on both sides.
  const auto model = model_of(R"(
    http {
      map $host $to { default a; }
      log_format f $uri;
      upstream app { server 10.0.0.1:80; }
      server { listen 80; location / { proxy_pass http://app; access_log /l f; } }
    }
    stream {
      map $ssl_preread_server_name $to { default app; }
      log_format f $protocol;
      upstream app { server 10.0.0.1:443; }
      upstream other { server 10.0.0.1:444; }
      server { listen 443; ssl_preread on; proxy_pass $to; access_log /s f; }
    })");
  CAPTURE(model);
  CHECK(model.find("upstream app") != std::string::npos);
  CHECK(model.find("upstream stream:app") != std::string::npos);
  CHECK(model.find("upstream other") != std::string::npos);
  check({
      {"stream { set $x 1; }",
       "t:1:10: error: set: is not allowed in stream; it belongs in server (stream)"},
      {"http { server { location / { return 200 $y; } } } "
       "stream { server { listen 1; set $y 1; return $y; } }",
       "t:1:41: error: return: unknown variable \"y\""},
      {"stream { server { listen 1; return $uri; } }",
       "t:1:36: error: return: unknown variable \"uri\""},
      {"server { location / { return 200 $session_time; } }",
       "t:1:34: error: return: unknown variable \"session_time\""},
      {"upstream a { server 10.0.0.1:80; } stream { server { listen 1; proxy_pass a; } }",
       "t:1:75: error: proxy_pass: there is no upstream \"a\" in stream, and no port for a host; "
       "write HOST:PORT"},
  });
}

TEST_CASE("stream: mistakes") {
  check({
      {"stream { server { proxy_pass 10.0.0.1:1; } }",
       "t:1:10: error: server: no address to listen on; write listen ADDRESS:PORT"},
      {"stream { server { listen 1; } }",
       "t:1:10: error: server: it does nothing with its connections; write proxy_pass, or return"},
      {"stream { server { listen 127.0.0.1; return x; } }",
       "t:1:26: error: listen: no port in \"127.0.0.1\"; write ADDRESS:PORT"},
      {"stream { server { listen 1; return x; proxy_pass 10.0.0.1:1; } }",
       "t:1:39: error: proxy_pass: proxy_pass and return do not go together in a server; keep one "
       "of them"},
      {"stream { server { listen 1 udp ssl; return x; } }",
       "t:1:32: error: listen: \"ssl\" does not go with \"udp\"; remove one of them"},
      {"stream { server { listen unix:/x udp; return x; } }",
       "t:1:26: error: listen: there are no datagrams over Unix sockets; remove \"udp\""},
      {"stream { server { listen 1 ssl; return x; } }",
       "t:1:19: error: listen: there is no ssl_certificate for \"listen 0.0.0.0:1 ssl\"; name one "
       "in this server"},
      {"stream { server { listen 1; return x; } server { listen 1; return y; } }",
       "t:1:50: error: listen: a server listens on 0.0.0.0:1 already, at t:1:19; give each an "
       "address of its own, or tell what clients ask for by ssl_preread and a map"},
      {"server { listen 1; } stream { server { listen 1; return x; } }",
       "t:1:40: error: listen: a server listens on 0.0.0.0:1 already, at t:1:10; give each an "
       "address of its own, or tell what clients ask for by ssl_preread and a map"},
      {"stream { upstream a { server 10.0.0.1; } }",
       "t:1:30: error: server: no port in \"10.0.0.1\"; write HOST:PORT"},
      {"stream { upstream a { server 10.0.0.1:1; sticky cookie x; } }",
       "t:1:42: error: sticky: is not allowed in upstream (stream); it belongs in upstream"},
      {"stream { server { listen 1; return x; access_log /l; } }",
       "t:1:39: error: access_log: stream has no format of its own; name one of log_format behind "
       "the path"},
      {"stream { server { listen 1; pass 127.0.0.1:1; } }",
       "t:1:29: error: pass: nginx has this directive, weir does not support it yet; remove it\n"
       "t:1:10: error: server: it does nothing with its connections; write proxy_pass, or return"},
      {"stream { server { listen 1 udp; proxy_pass 10.0.0.1:1; proxy_protocol on; } }",
       "t:1:10: error: server: proxy_protocol is told over TCP only; remove it, or \"udp\""},
      {"stream { upstream a { server 10.0.0.1:1; proxy_protocol v2; } server { listen 1 udp; "
       "proxy_pass a; } }",
       "t:1:63: error: server: proxy_protocol is told over TCP only; remove it, or \"udp\""},
      {"stream { proxy_protocol_version 3; }",
       "t:1:33: error: proxy_protocol_version: invalid number \"3\"; it must be from 1 to 2"},
      {"ssl_preread on;",
       "t:1:1: error: ssl_preread: is not allowed in main, http; it belongs in stream, server "
       "(stream)"},
      // The same port for TCP and for UDP is fine.
      {"stream { server { listen 1; return x; } server { listen 1 udp; return y; } }", ""},
  });
}

TEST_CASE("checks of stream are of TCP unless they say otherwise") {
  const auto plain = model_of(
      "stream { upstream a { server 10.0.0.1:1; health_check; } server { listen 1; proxy_pass a; } "
      "}");
  CHECK(plain.find("\nhealth_check tcp ") != std::string::npos);
  const auto pong = model_of(
      "stream { match pong { send \"PING\\r\\n\"; expect ~ PONG; } "
      "upstream a { server 10.0.0.1:1; } "
      "server { listen 1; proxy_pass a; health_check match=pong interval=1s; } }");
  CAPTURE(pong);
  CHECK(pong.find("\nhealth_check tcp interval=1s") != std::string::npos);
  CHECK(pong.find("\ncheck_expect") != std::string::npos);
}

TEST_CASE("stream in YAML") {
  const auto model = model_of(R"(
stream:
  upstreams:
    redis:
      balance: least_conn
      proxy_protocol: v2
      servers: [10.0.0.1:6379, {address: 10.0.0.2:6379, backup: true}]
  maps:
    $to: {source: $ssl_preread_server_name, values: {a.example: redis, default: 10.0.0.9:1}}
  servers:
    - listen: 6379
      proxy_pass: redis
      proxy_timeout: 1h
      proxy_protocol: true
      proxy_protocol_version: 2
    - listen: {address: 53, udp: true}
      proxy_pass: 10.0.0.3:53
    - listen: 443
      ssl_preread: true
      proxy_pass: $to
)");
  CAPTURE(model);
  CHECK(has_line(model, "pass redis"));
  CHECK(has_line(model, "timeout 3600s"));
  CHECK(has_line(model, "proxy_protocol v2"));
  CHECK(has_line(model, "proxy_protocol_version 2"));
  CHECK(has_line(model, "pass ${user:to}"));
  CHECK(has_line(model, "listen udp:0.0.0.0:53 backlog=511 rcvbuf=0 sndbuf=0 fastopen=0"));
  // Checks are on by themselves, but nothing is told of datagrams by a connection.
  CHECK(model.find("\nhealth_check tcp") != std::string::npos);
}

TEST_CASE("no check by default for what serves datagrams only") {
  const auto checks = [](const std::string& servers) {
    const auto model = model_of(
        "stream:\n  upstreams:\n    dns: {servers: [10.0.0.1:53]}\n"
        "    other: {servers: [10.0.0.2:53]}\n"
        "    own: {servers: [10.0.0.3:53], health_check: {type: tcp}}\n"
        "  maps:\n    $to: {source: $remote_addr, values: {default: dns}}\n"
        "  servers:\n" +
        servers);
    CAPTURE(model);
    int count = 0;
    for (auto at = model.find("\nhealth_check "); at != std::string::npos;
         at = model.find("\nhealth_check ", at + 1)) {
      ++count;
    }
    return count;
  };
  const std::string udp = "    - {listen: {address: 53, udp: true}, proxy_pass: ";
  const std::string tcp = "    - {listen: 54, proxy_pass: ";
  CHECK(checks(tcp + "dns}\n") == 3);
  CHECK(checks(udp + "dns}\n") == 2);
  CHECK(checks(udp + "dns}\n" + tcp + "dns}\n") == 3);
  // Any of them may be meant; the check that is written stays.
  CHECK(checks(udp + "$to}\n") == 1);
  CHECK(checks(udp + "$to}\n" + tcp + "other}\n") == 2);
}

TEST_CASE("no server is on an address of the admin listener") {
  check({
      {"admin { listen 127.0.0.1:9180; } server { listen 127.0.0.1:9180; }",
       "t:1:43: error: listen: the admin listener is on 127.0.0.1:9180, at t:1:9; give one of them "
       "another address"},
      {"stream { server { listen 127.0.0.1:9180; return x; } } admin { listen 9180; }",
       "t:1:19: error: listen: the admin listener is on 127.0.0.1:9180, at t:1:64; give one of "
       "them "
       "another address"},
      {"admin { listen 9180; } stream { server { listen 127.0.0.1:9180 udp; return x; } }", ""},
  });
}
