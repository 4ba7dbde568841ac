// What a configuration means: each row's lines must be among those of the printed model.
#include <unistd.h>

#include "support.h"

using namespace weir::config::testing;

namespace {

struct Case {
  std::string name;
  std::string text;
  std::vector<std::string> lines;
  std::vector<std::string> missing;
};

void check(const std::vector<Case>& cases) {
  for (const auto& c : cases) {
    const std::string model = model_of(c.text);
    CAPTURE(c.name);
    CAPTURE(model);
    for (const auto& line : c.lines) {
      CAPTURE(line);
      CHECK(has_line(model, line));
    }
    for (const auto& line : c.missing) {
      CAPTURE(line);
      CHECK(!has_line(model, line));
    }
  }
}

std::string in_location(const std::string& text) { return "server { location / {" + text + "} }"; }

const std::string kPeerRest = " weight=1 max_fails=1 fail_timeout=10s max_conns=0";

}  // namespace

TEST_CASE("main and events") {
  check({
      {"defaults",
       "",
       {"dialect nginx", "workers 1", "worker_connections 0", "shutdown_timeout 0s"},
       {}},
      {"values",
       "user www-data; worker_processes 4; worker_rlimit_nofile 1000; worker_shutdown_timeout 10s;"
       "pid run/x.pid; error_log_limit 7 1m; error_log stderr; error_log logs/e.log debug; "
       "error_log /e warn;"
       "events { worker_connections 768; use epoll; multi_accept on; }",
       {"workers 4", "rlimit_nofile 1000", "shutdown_timeout 10s", "user www-data",
        "pid /etc/weir/run/x.pid", "error_log_limit 7 60s", "error_log stderr 4",
        "error_log /etc/weir/logs/e.log 0", "error_log /e 3", "worker_connections 768"},
       {}},
      {"careful defaults in nginx.conf", "defaults careful;", {"dialect careful"}, {}},
      {"admin",
       "admin { listen 127.0.0.1:9180; listen unix:/run/w.sock; }",
       {"admin", "listen 127.0.0.1:9180 backlog=511 rcvbuf=0 sndbuf=0 fastopen=0",
        "listen unix:/run/w.sock backlog=511 rcvbuf=0 sndbuf=0 fastopen=0"},
       {}},
  });
  CHECK(model_of("worker_processes auto;").find("\nworkers 0\n") == std::string::npos);
}

TEST_CASE("upstreams") {
  check({
      {"names of servers",
       "upstream app { server 10.0.0.1:8080; server b; server [::1]:81; server unix:/run/a.sock;"
       "server 10.0.0.2; }",
       {"upstream app", "peer 10.0.0.1:8080 at 10.0.0.1:8080" + kPeerRest,
        "peer b at b:80" + kPeerRest, "peer [::1]:81 at ::1:81" + kPeerRest,
        "peer unix:/run/a.sock at unix:/run/a.sock" + kPeerRest,
        "peer 10.0.0.2 at 10.0.0.2:80" + kPeerRest,
        "keepalive 32 requests=1000 time=3600s timeout=60s"},
       {}},
      {"parameters",
       "upstream app { server a weight=5 max_fails=3 fail_timeout=1m max_conns=7; server b backup;"
       "server c down max_fails=0; }",
       {"peer a at a:80 weight=5 max_fails=3 fail_timeout=60s max_conns=7",
        "peer b at b:80" + kPeerRest + " backup",
        "peer c at c:80 weight=1 max_fails=0 fail_timeout=10s max_conns=0 down"},
       {}},
      {"ip_hash, backup before it",
       "upstream app { server a; server b backup; ip_hash; zone z 64k; }",
       {"upstream app ip_hash"},
       {}},
      {"hash and random, backup before them",
       "upstream a { server a; server b backup; hash $arg_k consistent; } "
       "upstream b { server a; server b backup; random; } "
       "upstream c { hash $uri$is_args; least_conn; server a; server b backup; }",
       {"upstream a hash consistent by ${arg:k}", "upstream b random", "upstream c least_conn"},
       {}},
      {"keepalive",
       "upstream app { server a; keepalive 8 local; keepalive_requests 10; keepalive_time 10m;"
       "keepalive_timeout 4s; }",
       {"keepalive 8 requests=10 time=600s timeout=4s"},
       {}},
      {"no keepalive",
       "upstream app { server a; keepalive 0; }",
       {"keepalive 0 requests=1000 time=3600s timeout=60s"},
       {}},
  });
}

TEST_CASE("health checks") {
  const std::string app = "upstream app { server a; } ";
  const std::string location = "server { location / { proxy_pass http://app; health_check";
  check({
      {"nginx's defaults",
       app + location + "; } }",
       {"health_check http interval=5s jitter=0s timeout=2s fast=1s fails=1 passes=1 uri=/ host= "
        "port=0 status=200-399,"},
       {}},
      {"all of it",
       app + "match m { status ! 500-599 404; } " + location +
           " interval=10s jitter=500ms timeout=1s fast=100ms fails=3 passes=2 uri=/h?x=1 host=x "
           "port=81 match=m mandatory persistent keepalive_time=3s; } }",
       {"health_check http interval=10s jitter=500ms timeout=1s fast=100ms fails=3 passes=2 "
        "uri=/h?x=1 host=x port=81 status=!500-599,404-404, mandatory keepalive=3s grace=1s"},
       {}},
      {"tcp",
       app + location + " type=tcp; } }",
       {"health_check tcp interval=5s jitter=0s timeout=2s fast=1s fails=1 passes=1 uri=/ host= "
        "port=0 status="},
       {}},
      {"fast is not slower than interval",
       app + location + " interval=500ms; } }",
       {"health_check http interval=500ms jitter=0s timeout=2s fast=500ms fails=1 passes=1 uri=/ "
        "host= port=0 status=200-399,"},
       {}},
      {"several, in the upstream and in a location",
       "upstream app { server a; health_check uri=/a; } " + location + " type=tcp port=90; } }",
       {"health_check http interval=5s jitter=0s timeout=2s fast=1s fails=1 passes=1 uri=/a host= "
        "port=0 status=200-399,",
        "health_check tcp interval=5s jitter=0s timeout=2s fast=1s fails=1 passes=1 uri=/ host= "
        "port=90 status="},
       {}},
      {"in the upstream, with codes",
       "upstream app { server a; health_check status=200,204-299; }",
       {"health_check http interval=5s jitter=0s timeout=2s fast=1s fails=1 passes=1 uri=/ host= "
        "port=0 status=200-200,204-299,"},
       {}},
      {"before the upstream and the match",
       location + " match=m; } } match m { status 200; } " + app,
       {"health_check http interval=5s jitter=0s timeout=2s fast=1s fails=1 passes=1 uri=/ host= "
        "port=0 status=200-200,"},
       {}},
      {"a match without status takes any",
       "match m { } upstream app { server a; health_check match=m; }",
       {"health_check http interval=5s jitter=0s timeout=2s fast=1s fails=1 passes=1 uri=/ host= "
        "port=0 status="},
       {}},
      {"tests of fields and bodies, in a block of its own",
       "upstream app { server a; health_check uri=/h { status 200; header Content-Type = "
       "text/html; header ! Refresh; header X-A; header X-B != b; header Connection !~* close; "
       "body ~ \"Welcome to\"; body !~ maintenance; body ok; body = \"a b\"; body ! x; } }",
       {"check_header Content-Type equals text/html", "check_header Refresh not present",
        "check_header X-A present", "check_header X-B not equals b",
        "check_header Connection not regex caseless close", "check_body regex Welcome to",
        "check_body not regex maintenance", "check_body contains ok", "check_body equals a b",
        "check_body not contains x"},
       {}},
      {"variables of the answer",
       "match m { require $upstream_http_X_Ready ${status}; require $upstream_status; } upstream "
       "app { server a; health_check match=m; }",
       {"health_check http interval=5s jitter=0s timeout=2s fast=1s fails=1 passes=1 uri=/ host= "
        "port=0 status=",
        "check_require upstream_http:x-ready", "check_require status",
        "check_require upstream_status"},
       {}},
      {"send and expect make it a check by TCP",
       "match m { send PING\\x20a\\x7e; expect +PONG\\x20; } upstream app { server a; "
       "health_check match=m; }",
       {"health_check tcp interval=5s jitter=0s timeout=2s fast=1s fails=1 passes=1 uri=/ host= "
        "port=0 status=",
        "check_send PING a~", "check_expect contains +PONG "},
       {}},
      {"grace",
       "upstream app { server a; health_check grace=300ms; } upstream b { server b; health_check "
       "mandatory grace=0; }",
       {"health_check http interval=5s jitter=0s timeout=2s fast=1s fails=1 passes=1 uri=/ host= "
        "port=0 status=200-399, grace=300ms",
        "health_check http interval=5s jitter=0s timeout=2s fast=1s fails=1 passes=1 uri=/ host= "
        "port=0 status=200-399, mandatory"},
       {}},
      {"gRPC",
       "upstream app { server a; health_check type=grpc; } upstream b { server b; health_check "
       "type=grpc grpc_service=a.B grpc_status=12; }",
       {"health_check grpc interval=5s jitter=0s timeout=2s fast=1s fails=1 passes=1 uri=/ host= "
        "port=0 status=",
        "grpc 0 ", "grpc 12 a.B"},
       {}},
      {"expect by a pattern",
       "match m { expect ~* \"200 ok\\x20\"; } upstream app { server a; health_check type=tcp "
       "match=m; }",
       {"check_expect regex caseless 200 ok\\x20"},
       {}},
  });
}

TEST_CASE("listen") {
  const std::string rest = " backlog=511 rcvbuf=0 sndbuf=0 fastopen=0";
  check({
      {"forms",
       "server { listen 8080; listen *:81; listen 127.0.0.1; listen 127.0.0.2:82; listen [::]:83;"
       "listen [::1]; listen unix:/run/x.sock; listen localhost:84; }",
       {"listen 0.0.0.0:8080" + rest, "listen 0.0.0.0:81" + rest, "listen 127.0.0.1:80" + rest,
        "listen 127.0.0.2:82" + rest, "listen [::]:83" + rest, "listen [::1]:80" + rest,
        "listen unix:/run/x.sock" + rest, "listen 127.0.0.1:84" + rest},
       {}},
      {"parameters",
       "server { listen 80 default_server backlog=1024 reuseport rcvbuf=64k sndbuf=128k deferred "
       "so_keepalive=on fastopen=256 bind; listen [::]:80 ipv6only=off default; }",
       {"listen 0.0.0.0:80 default_server backlog=1024 reuseport rcvbuf=65536 sndbuf=131072 "
        "so_keepalive deferred fastopen=256",
        "listen [::]:80 default_server backlog=511 ipv6only=off rcvbuf=0 sndbuf=0 fastopen=0"},
       {}},
      {"options are the socket's",
       "server { listen 80; } server { listen 80 backlog=7; server_name b; }",
       {"listen 0.0.0.0:80 backlog=7 rcvbuf=0 sndbuf=0 fastopen=0"},
       {"listen 0.0.0.0:80" + rest}},
      {"none",
       "server { }",
       {getuid() == 0 ? "listen 0.0.0.0:80" + rest : "listen 0.0.0.0:8000" + rest},
       {}},
  });
}

TEST_CASE("server names") {
  check({
      {"kinds",
       "server { server_name Example.org *.a.org .B.org www.c.* ~^(?<app>.+)\\.d$ \"\" _; }",
       {"server example.org", "name exact example.org", "name leading .a.org", "name exact b.org",
        "name leading .b.org", "name trailing www.c.", "name regex ^(?<app>.+)\\.d$", "name exact ",
        "name exact _"},
       {}},
      {"none", "server { }", {"server ", "name exact "}, {}},
      {"leading dot first", "server { server_name .x.org; }", {"server x.org"}, {}},
  });
}

TEST_CASE("settings of a server") {
  check({
      {"defaults", "server { }", {"header_limit 32768", "header_line_limit 16384"}, {}},
      {"values",
       "client_header_timeout 5s; server { large_client_header_buffers 8 4k; merge_slashes off;"
       "ignore_invalid_headers off; underscores_in_headers on; }",
       {"client_header_timeout 5s", "header_limit 32768", "header_line_limit 4096",
        "ignore_invalid_headers off", "underscores_in_headers on", "merge_slashes off"},
       {}},
      {"a first buffer that is greater",
       "server { client_header_buffer_size 64k; large_client_header_buffers 2 4k; }",
       {"header_limit 65536", "header_line_limit 65536"},
       {}},
  });
}

TEST_CASE("locations") {
  check({
      {"kinds",
       "server { location /a { } location = /b { } location ^~ /c { } location ~ \\.d$ { }"
       "location ~* \\.e$ { } location @f { } location =/g { } location ^~/h { } location ~i { }"
       "location ~*j { } location = /a { } }",
       {"location prefix /a", "location exact /b", "location prefix_no_regex /c",
        "location regex \\.d$", "location regex \\.e$ caseless", "location named @f",
        "location exact /g", "location prefix_no_regex /h", "location regex i",
        "location regex j caseless", "location exact /a"},
       {}},
      {"nested",
       "server { location /a { location /a/b { location ~ x { return 200 deep; } } location ~ y { "
       "location ~ z { } } } }",
       {"location prefix /a", "location prefix /a/b", "location regex x", "return 200 \"deep\"",
        "location regex z"},
       {}},
  });
}

TEST_CASE("return") {
  check({
      {"status", in_location("return 404;"), {"return 404"}, {}},
      {"text", in_location("return 200 \"hello $host\";"), {"return 200 \"hello ${host}\""}, {}},
      {"an empty text", in_location("return 200 \"\";"), {"return 200 \"\""}, {}},
      {"redirect",
       in_location("return 301 https://$host$request_uri;"),
       {"return 301 redirect \"https://${host}${request_uri}\""},
       {}},
      {"URL alone", in_location("return https://x/;"), {"return 302 redirect \"https://x/\""}, {}},
      {"scheme",
       in_location("return $scheme://x/;"),
       {"return 302 redirect \"${scheme}://x/\""},
       {}},
      {"308 without URL", in_location("return 308;"), {"return 308"}, {}},
      {"of a server", "server { return 444; }", {"return 444"}, {}},
  });
}

TEST_CASE("proxy_pass") {
  const std::string app = "upstream app { server a; } ";
  check({
      {"upstream", app + in_location("proxy_pass http://app;"), {"proxy app host=app port=80"}, {}},
      {"upstream without regard to case",
       app + in_location("proxy_pass http://APP;"),
       {"proxy app host=APP port=80"},
       {}},
      {"upstream after use",
       in_location("proxy_pass http://app;") + app,
       {"proxy app host=app port=80"},
       {}},
      {"URI",
       app + in_location("proxy_pass http://app/x/;"),
       {"proxy app uri=/x/ host=app port=80"},
       {}},
      {"query alone",
       app + in_location("proxy_pass http://app?x;"),
       {"proxy app uri=?x host=app port=80"},
       {}},
      {"address",
       in_location("proxy_pass http://127.0.0.1:8080;"),
       {"upstream 127.0.0.1:8080 implicit", "peer 127.0.0.1:8080 at 127.0.0.1:8080" + kPeerRest,
        "proxy 127.0.0.1:8080 host=127.0.0.1:8080 port=8080"},
       {}},
      {"default port",
       in_location("proxy_pass http://10.0.0.1:80/;"),
       {"upstream 10.0.0.1:80 implicit", "proxy 10.0.0.1:80 uri=/ host=10.0.0.1 port=80"},
       {}},
      {"IPv6",
       in_location("proxy_pass http://[::1]:81/;"),
       {"peer [::1]:81 at ::1:81" + kPeerRest, "proxy [::1]:81 uri=/ host=[::1]:81 port=81"},
       {}},
      {"socket",
       in_location("proxy_pass http://unix:/run/a.sock;"),
       {"upstream unix:/run/a.sock implicit", "proxy unix:/run/a.sock host=localhost port="},
       {}},
      {"socket and URI",
       in_location("proxy_pass http://unix:/run/a.sock:/x;"),
       {"proxy unix:/run/a.sock uri=/x host=localhost port="},
       {}},
      {"variables",
       in_location("proxy_pass http://$arg_b:80$uri;"),
       {"proxy http://${arg:b}:80${uri} host= port="},
       {}},
      {"one implicit upstream for all",
       "server { location /a { proxy_pass http://b:1; } location /c { proxy_pass http://b:1/; } }",
       {"proxy b:1 host=b:1 port=1", "proxy b:1 uri=/ host=b:1 port=1"},
       {}},
      {"not inherited",
       app + "server { location / { proxy_pass http://app; location /x { return 200; } } }",
       {"proxy app host=app port=80"},
       {}},
  });
}

TEST_CASE("settings of the proxy") {
  const std::string pass = "proxy_pass http://a;";
  check({
      {"defaults",
       in_location(pass),
       {"set Host ${proxy_host}", "set Connection ", "forward_upgrade off", "tunnel_timeout 60s",
        "hide date", "hide server", "hide x-pad", "hide x-accel-redirect"},
       {}},
      {"values",
       in_location(pass +
                   "proxy_http_version 1.0; proxy_next_upstream error http_502 non_idempotent;"
                   "proxy_next_upstream_tries 2; proxy_next_upstream_timeout 1500ms;"
                   "proxy_connect_timeout 1s; proxy_send_timeout 2s; proxy_read_timeout 3s;"
                   "proxy_buffering off; proxy_request_buffering off; proxy_retry_body_size 1k;"
                   "proxy_hide_header X-Secret; proxy_pass_header Server;"),
       {"proxy_http_version 10", "proxy_next_upstream 1041", "proxy_next_upstream_tries 2",
        "proxy_next_upstream_timeout 1500ms", "proxy_connect_timeout 1s", "proxy_send_timeout 2s",
        "proxy_read_timeout 3s", "tunnel_timeout 3s", "proxy_buffering off",
        "proxy_request_buffering off", "proxy_retry_body_size 1024", "hide x-secret"},
       {"hide server"}},
      {"gRPC has its own words in place of proxy_*",
       in_location("grpc_pass grpcs://127.0.0.1:50051; proxy_read_timeout 1s; grpc_read_timeout 9s;"
                   "proxy_set_header A b; grpc_set_header C d; grpc_hide_header X-Secret;"
                   "grpc_ssl_server_name on; grpc_buffer_size 128k;"),
       {"proxy 127.0.0.1:50051 host=127.0.0.1:50051 port=50051 tls grpc", "proxy_read_timeout 9s",
        "set C d", "set TE trailers", "set Host ${proxy_host}", "hide x-secret",
        "proxy_http_version 20", "proxy_buffering off", "proxy_request_buffering off",
        "proxy_pass_trailers on", "proxy_ssl_server_name on", "response_head_limit 131072",
        "forward_upgrade off"},
       {"set A b"}},
      {"HTTP/2 to peers",
       in_location(pass + "proxy_http_version 2;"),
       {"proxy_http_version 20"},
       {"set TE trailers"}},
      {"a large head of answers",
       in_location(pass + "proxy_buffer_size 256k;"),
       {"response_head_limit 262144"},
       {}},
      {"a small one",
       in_location(pass + "proxy_buffer_size 4k;"),
       {"response_head_limit 65536"},
       {}},
      {"a tunnel's own time",
       in_location(pass + "proxy_tunnel_timeout 2h; proxy_read_timeout 1s;"),
       {"tunnel_timeout 7200s"},
       {}},
      {"headers",
       in_location(pass + "proxy_set_header host $host; proxy_set_header Upgrade $http_upgrade;"
                          "proxy_set_header X-Empty \"\";"),
       {"set host ${host}", "set Upgrade ${http:upgrade}", "set X-Empty ", "set Connection "},
       {"set Host ${proxy_host}"}},
      {"off", in_location(pass + "proxy_next_upstream off;"), {"proxy_next_upstream 2048"}, {}},
  });
}

TEST_CASE("inheritance") {
  check({
      {"values",
       "http { proxy_read_timeout 7s; server { send_timeout 8s; location / { proxy_pass http://a; "
       "} } }",
       {"proxy_read_timeout 7s", "send_timeout 8s"},
       {}},
      {"set after the server",
       "server { location / { proxy_pass http://a; } } proxy_read_timeout 9s;",
       {"proxy_read_timeout 9s"},
       {}},
      {"lists whole",
       "add_header A 1; server { location / { proxy_pass http://a; proxy_set_header X 1; "
       "location /b { proxy_pass http://a; } } }",
       {"add_header [A: \"1\"]", "set X 1"},
       {}},
      {"a list of one's own",
       "server { proxy_set_header X 1; location / { proxy_pass http://a; proxy_set_header Y 2; } }",
       {"set Y 2"},
       {"set X 1"}},
      {"an empty list of logs", "access_log /a; server { access_log off; }", {}, {}},
  });
  const std::string off = model_of("access_log /a; server { access_log off; }");
  CHECK(off.find("access_log [") == std::string::npos);
  const std::string nested =
      model_of("server { add_header A 1; location /x { add_header B 2; location /x/y { } } }");
  CHECK(nested.find("A: \"1\"") == nested.rfind("A: \"1\""));
  CHECK(nested.find("B: \"2\"") != nested.rfind("B: \"2\""));
}

TEST_CASE("logs") {
  check({
      {"formats",
       "log_format main '$remote_addr ' \"$status\" a; log_format j escape=json '{\"a\":\"$uri\"}';"
       "log_format n escape=none x; server { access_log logs/a.log main buffer=32k flush=5s "
       "if=$arg_log; access_log /b; }",
       {"log_format main escape=0 ${remote_addr} ${status}a",
        "log_format j escape=1 {\"a\":\"${uri}\"}", "log_format n escape=2 x",
        "access_log [\"/etc/weir/logs/a.log\" main buffer=32768 flush=5s gzip=0 "
        "if=\"${arg:log}\", \"/b\" combined buffer=0 flush=0s gzip=0 if=none]"},
       {}},
      {"a format after its use, none named",
       "server { access_log /a m flush=1s; } log_format m x;",
       {"access_log [\"/a\" m buffer=65536 flush=1s gzip=0 if=none]"},
       {}},
      {"off wins", "server { access_log /a; access_log off; access_log /b; }", {}, {}},
      {"gzip, and a path with variables",
       "server { access_log /a combined gzip; access_log /b combined gzip=9 buffer=1k; "
       "access_log logs/$host.log; access_log $pipe; }",
       {"access_log [\"/a\" combined buffer=65536 flush=0s gzip=1 if=none, \"/b\" combined "
        "buffer=1024 flush=0s gzip=9 if=none, \"/etc/weir/logs/${host}.log\" combined buffer=0 "
        "flush=0s gzip=0 if=none, \"${pipe}\" combined buffer=0 flush=0s gzip=0 if=none]"},
       {}},
      {"syslog",
       "error_log syslog:server=127.0.0.1 warn; server { access_log syslog:server=localhost:1514,"
       "facility=local0,tag=w,severity=debug,nohostname combined; error_log "
       "syslog:server=unix:/dev/log; }",
       {"error_log stderr 3 syslog 127.0.0.1:514 23 6 nginx",
        "error_log [stderr 4 syslog unix:/dev/log 23 6 nginx]",
        "access_log [\"\" combined buffer=0 flush=0s gzip=0 if=none syslog 127.0.0.1:1514 16 7 w "
        "nohost]"},
       {}},
  });
  CHECK(model_of("server { access_log /a; access_log off; access_log /b; }").find("access_log") ==
        std::string::npos);
}

TEST_CASE("maps and captures") {
  check({
      {"map",
       "map $http_upgrade $connection_upgrade { default upgrade; '' close; B 2; a 1; }"
       "server { location / { proxy_pass http://a; proxy_set_header Connection "
       "$connection_upgrade; } }",
       {"map ${http:upgrade} $connection_upgrade", "exact  close", "exact a 1", "exact b 2",
        "default upgrade", "set Connection ${user:connection_upgrade}"},
       {}},
      {"host names",
       "map $host $n { hostnames; volatile; default 0; *.a.org 1; .b.org 2; www.c.* 3; d.org 4; }",
       {"map ${host} $n volatile hostnames", "leading .a.org 1", "exact b.org 2",
        "leading .b.org 2", "trailing www.c. 3", "exact d.org 4"},
       {}},
      {"words of its own as keys",
       "map $host $n { \\default 1; \\~x 2; *.a 3; }",
       {"exact default 1", "exact ~x 2", "exact *.a 3"},
       {}},
      {"patterns",
       "map $uri $n { ~^/(?<part>[a-z]+)/ p-$part; ~*X $1; }",
       {"pattern ~^/(?<part>[a-z]+)/ p-${user:part}", "pattern ~*X ${1}"},
       {}},
      {"captures of names and locations",
       "server { server_name ~^(?<sub>.+)\\.x$; location ~ ^/(?<first>[^/]+)/(.*)$ { return 200 "
       "\"$sub $first $2 ${first}x $10\"; } }",
       {"return 200 \"${user:sub} ${user:first} ${2} ${user:first}x ${1}0\""},
       {}},
  });
}

TEST_CASE("what is accepted without effect is listed") {
  const auto result = weir::config::load_text(
      "t", "lock_file x; http { sendfile on; gzip_buffers 4 8k; proxy_cache_valid 200 1h; }",
      options());
  REQUIRE(result.model);
  std::string names;
  for (const auto& accepted : result.model->accepted) {
    names += accepted.directive + ": " + accepted.note + "\n";
  }
  CHECK(names ==
        "lock_file: tuning of nginx's processes has no meaning here\n"
        "sendfile: weir chooses how it reads and writes\n"
        "gzip_buffers: weir sizes its buffers by itself\n"
        "proxy_cache_valid: answers are not cached\n");
}

TEST_CASE("the usual configuration, with and without its frame") {
  const std::string servers =
      "server 172.31.0.1:13000; server 172.31.0.2:13000; server 172.31.0.3:13000; }"
      "server { listen 80; location / { proxy_pass http://myapp; } }";
  const std::string plain = "upstream myapp { # ip_hash;\n" + servers;
  const std::string hashed = "upstream myapp { ip_hash;\n" + servers;
  for (const auto& text : {plain, hashed}) {
    CAPTURE(text);
    const auto model = model_of(text);
    CHECK(has_line(model, "proxy myapp host=myapp port=80"));
    CHECK(has_line(model, "peer 172.31.0.3:13000 at 172.31.0.3:13000" + kPeerRest));
    CHECK(has_line(model, "upstream myapp") == (text == plain));
    CHECK(has_line(model, "upstream myapp ip_hash") == (text == hashed));
    CHECK(model == model_of("events { } http { " + text + " }"));
  }
}

TEST_CASE("how the program runs") {
  const auto model = model_of(
      "daemon off; master_process off; user app www; env A; env B=c=d; working_directory cores;"
      "worker_priority -5; worker_rlimit_core 1m; server { }");
  for (const char* line : {"daemon off", "master_process off", "user app", "group www", "env A",
                           "env B=c=d", "rlimit_core 1048576", "priority -5"}) {
    CHECK_MESSAGE(has_line(model, line), std::string(line));
  }
  CHECK_FALSE(has_line(model_of("server { }"), "daemon off"));
}

TEST_CASE("the access log of a configuration that names none") {
  auto given = options();
  given.access_log = "/default.log";
  const auto logs = [&](const std::string& text) {
    const auto result = weir::config::load_text("t", text, given);
    REQUIRE(result.model);
    std::string paths;
    for (const auto& log : result.model->servers.front()->root->request.access_log) {
      paths += std::string(log.path.constant()) + " ";
    }
    return paths;
  };
  CHECK(logs("server { }") == "/default.log ");
  CHECK(logs("access_log off; server { }").empty());
  CHECK(logs("server { access_log /x; }") == "/x ");
  CHECK(logs("defaults careful; server { }").empty());
}

TEST_CASE("directives of the command line") {
  auto given = options();
  given.global_directives = "pid /x.pid; worker_processes 3";
  const auto result = weir::config::load_text("t", "server { }", given);
  REQUIRE(result.model);
  CHECK(result.model->pid_path == "/x.pid");
  CHECK(result.model->workers == 3);
  const auto twice = weir::config::load_text("t", "pid /y;", given);
  CHECK(problems(twice) == "t:1:1: error: pid: is duplicate; first at line 1");
}
