#include "support.h"

using namespace weir::config::testing;

namespace {

const std::string kApp = "upstreams: {app: {servers: [a], health_check: false}}\n";

}  // namespace

TEST_CASE("the same in both syntaxes") {
  const struct {
    std::string name;
    std::string nginx;
    std::string yaml;
  } cases[] = {
      {"upstream",
       "upstream app { server 10.0.0.1:13000; server b weight=3 max_fails=0 fail_timeout=5s "
       "max_conns=9 backup; server c down; ip_hash; keepalive 4; keepalive_timeout 4s; }",
       R"(
upstreams:
  app:
    balance: ip_hash
    servers:
      - 10.0.0.1:13000
      - {address: b, weight: 3, max_fails: 0, fail_timeout: 5s, max_conns: 9, backup: true, down: false}
      - c down
    keepalive: 4
    keepalive_timeout: 4s
)"},
      {"upstream as nginx words",
       "upstream app { ip_hash; server a; server b; keepalive 3 local; }",
       "upstreams: {app: {ip_hash: true, servers: [a, b], keepalive: {connections: 3, local: "
       "on}}}"},
      {"method that is off", "upstream app { server a; }",
       "upstreams: {app: {ip_hash: false, servers: a}}"},
      {"methods",
       "upstream a { server a; hash $uri; } upstream b { server a; hash '$host $uri' consistent; } "
       "upstream c { server a; least_conn; } upstream d { server a; random; } "
       "upstream e { server a; random two least_conn; } "
       "upstream f { server a; least_time header inflight; } "
       "upstream g { server a; least_time last_byte; } upstream h { server a; ip_hash full; } "
       "upstream i { server a; server b; } upstream j { server a; random two least_time=header; }",
       R"(
upstreams:
  a: {servers: a, hash: $uri}
  b: {servers: a, hash: [$host $uri, consistent]}
  c: {servers: a, least_conn: true}
  d: {servers: a, random: true}
  e: {servers: a, random: two}
  f: {servers: a, least_time: [header, inflight]}
  g: {servers: a, least_time: last_byte}
  h: {servers: a, ip_hash: full}
  i: {servers: [a, b], ip_hash: false, least_conn: false, random: false}
  j: {servers: a, random: [two, least_time=header]}
)"},
      {"methods as words of balance",
       "upstream a { server a; server x backup; hash $uri; } "
       "upstream b { server a; hash '$host $uri' consistent; } "
       "upstream c { server a; least_conn; } upstream d { server a; random; } "
       "upstream e { server a; random two; } upstream f { server a; least_time header inflight; } "
       "upstream g { server a; least_time last_byte; } upstream h { server a; ip_hash full; } "
       "upstream i { server a; }",
       R"(
upstreams:
  a: {balance: hash $uri, servers: [a, x backup]}
  b: {balance: [hash, $host $uri, consistent], servers: a}
  c: {balance: least_conn, servers: a}
  d: {balance: random, servers: a}
  e: {balance: random two, servers: a}
  f: {balance: [least_time, header, inflight], servers: a}
  g: {balance: least_time last_byte, servers: a}
  h: {balance: ip_hash full, servers: a}
  i: {balance: round_robin, servers: a}
)"},
      {"methods as mappings",
       "upstream a { server a; hash $uri consistent; } upstream b { server a; random two; } "
       "upstream c { server a; least_time header inflight; } upstream d { server a; ip_hash full; "
       "}",
       R"(
upstreams:
  a: {servers: a, hash: {key: $uri, consistent: true}}
  b: {servers: a, random: {two: true}}
  c: {servers: a, least_time: {header: true, inflight: true}}
  d: {servers: a, ip_hash: {full: true}}
)"},
      {"health check",
       "upstream app { server a; health_check uri=/h interval=1s timeout=2s fails=2 passes=3 "
       "status=200-299,304 mandatory; }",
       "upstreams: {app: {servers: [a], health_check: {uri: /h, interval: 1s, timeout: 2s, fails: "
       "2, passes: 3, status: [200-299, 304], mandatory: true}}}"},
      {"several health checks",
       "upstream app { server a; health_check uri=/h; health_check type=tcp port=9000; "
       "health_check uri=/h { body ok; } }",
       "upstreams: {app: {servers: [a], health_check: [{uri: /h}, {type: tcp, port: 9000}, {uri: "
       "/h, match: {body: ok}}]}}"},
      {"health check in a location",
       "match ok { status ! 500; } upstream app { server a; } server { location / { proxy_pass "
       "http://app; health_check match=ok; } }",
       "matches: {ok: {status: '! 500'}}\n"
       "upstreams: {app: {servers: [a]}}\n"
       "servers: [{locations: [{path: /, proxy_pass: http://app, health_check: {match: ok}}]}]"},
      {"tests of an answer",
       "match ok { status 200 204; header Content-Type ~ \"text/(html|plain); charset\"; header ! "
       "Refresh; header X-A; body \"not quite ready\"; body !~ \"maintenance mode\"; } "
       "match pong { send \"PING\\r\\n\"; expect \"+PONG and more\"; } "
       "upstream app { server a; health_check uri=/h { status 200; body ok; } } "
       "upstream b { server b; health_check { expect ~ \"200 OK\"; } }",
       R"(
matches:
  ok:
    status: [200, 204]
    header: [Content-Type ~ text/(html|plain); charset, "! Refresh", X-A]
    body: [not quite ready, "!~ maintenance mode"]
  pong: {send: "PING\r\n", expect: +PONG and more}
upstreams:
  app: {servers: [a], health_check: {uri: /h, match: {status: 200, body: ok}}}
  b: {servers: [b], health_check: {match: {expect: ~ 200 OK}}}
)"},
      {"variables that an answer must have",
       "match ready { require $upstream_http_x_ready $status; } "
       "upstream app { server a; health_check uri=/h match=ready; } "
       "upstream b { server b; health_check { require $upstream_http_a; } }",
       R"(
matches: {ready: {require: [$upstream_http_x_ready, $status]}}
upstreams:
  app: {servers: [a], health_check: {uri: /h, match: ready}}
  b: {servers: [b], health_check: {match: {require: $upstream_http_a}}}
)"},
      {"health check without parameters", "upstream app { server a; health_check; } server { }",
       "upstreams: {app: {servers: [a], health_check: true}}\nservers: [{}]"},
      {"listen",
       "server { listen 80 default_server reuseport backlog=7; listen [::]:80 ipv6only=off; "
       "listen unix:/x; server_name a.org *.b.org; }",
       R"(
servers:
  - listen:
      - {address: 80, default_server: true, reuseport: true, backlog: 7}
      - "[::]:80 ipv6only=off"
      - {address: 'unix:/x', reuseport: false}
    server_name: [a.org, "*.b.org"]
)"},
      {"names in one text", "server { server_name a b; }", "servers: {server_name: a b}"},
      {"locations",
       "server { location / { } location = /a { } location ^~ /b { } location ~ \\.c$ { } "
       "location ~* \\.d$ { } location @e { } location /f { location /f/g { } } location = /h { } "
       "location ~* i { } }",
       R"(
servers:
  - locations:
      - path: /
      - path: = /a
      - {path: /b, match: prefix_no_regex}
      - path: ~ \.c$
      - {path: '\.d$', match: regex_nocase}
      - path: "@e"
      - path: /f
        match: prefix
        locations: [{path: /f/g}]
      - {path: /h, match: exact}
      - path: "~*i"
)"},
      {"return",
       "server { location /a { return 404; } location /b { return 200 'ok then'; } location /c { "
       "return 301 https://x/; } location /d { return 200 'a b'; } location /e { return "
       "http://y/; } location /f { return http://z/; } }",
       R"(
servers:
  - locations:
      - {path: /a, return: 404}
      - {path: /b, return: {status: 200, text: ok then}}
      - {path: /c, return: {status: 301, url: https://x/}}
      - {path: /d, return: 200 a b}
      - {path: /e, return: http://y/}
      - {path: /f, return: {url: http://z/}}
)"},
      {"rules",
       "server { location /a { return 302 /x; return 404; } location /b { return 200 'a  b '; } "
       "location /c { return 200 'a b'; } }",
       R"(
servers:
  - locations:
      - {path: /a, rules: [{return: 302 /x}, {return: 404}]}
      - path: /b
        rules:
          - return: [200, 'a  b ']
      - {path: /c, return: [200, a b]}
)"},
      {"arguments of a directive each",
       "log_format f $uri; access_log '/a b' f; access_log /c; server { server_name a b; "
       "server_name "
       "c; listen 80 default_server; listen 81; } server { listen 82; client_max_body_size 1; }",
       R"(
log_formats: {f: $uri}
access_log: [[/a b, f], /c]
servers:
  - server_name: [[a, b], [c]]
    listen: [[80, default_server], 81]
  - {listen: [[82]], client_max_body_size: [[1]]}
)"},
      {"headers",
       "server { add_header A '1 2'; add_header B 3 always; location / { proxy_pass http://a; "
       "proxy_set_header Host $host; proxy_set_header X ''; proxy_hide_header P; "
       "proxy_hide_header Q; } }",
       R"(
servers:
  - add_header: {A: 1 2, B: {value: 3, always: true}}
    locations:
      - path: /
        proxy_pass: http://a
        proxy_set_header: {Host: $host, X: }
        proxy_hide_header: [P, Q]
)"},
      {"lists and pairs of values",
       "proxy_next_upstream error http_502; keepalive_timeout 5s 6s; large_client_header_buffers "
       "4 8k; set_real_ip_from 10.0.0.0/8; set_real_ip_from ::1; server { }",
       "proxy_next_upstream: [error, http_502]\nkeepalive_timeout: [5s, 6s]\n"
       "large_client_header_buffers: 4 8k\nset_real_ip_from: [10.0.0.0/8, '::1']\nservers: [{}]"},
      {"logs",
       "log_format a 'x y' z; log_format b escape=json $uri; log_format c $uri; "
       "access_log /l a buffer=1k; access_log /m; error_log /e warn; error_log_limit 20 1m; server "
       "{ access_log off; "
       "location / { access_log /n; } location /x { access_log off; } }",
       R"(
log_formats: {a: [x y, z], b: {escape: json, format: $uri}, c: $uri}
access_log:
  - {path: /l, format: a, buffer: 1k}
  - /m
error_log: {path: /e, level: warn}
error_log_limit: {lines: 20, time: 1m}
servers:
  - access_log: off
    locations: [{path: /, access_log: /n}, {path: /x, access_log: false}]
)"},
      {"maps",
       "map $http_upgrade $c { volatile; default upgrade; '' close; ~^a(.*) $1; } map $host $h { "
       "hostnames; *.x 1; } map $arg_a $d { \\default 2; }",
       R"(
maps:
  c: {source: $http_upgrade, volatile: true, default: upgrade, values: {'': close, '~^a(.*)': $1}}
  $h: {source: $host, hostnames: true, values: {'*.x': 1}}
  d: {source: $arg_a, values: {default: 2}}
)"},
      {"the same key twice",
       "map $arg_a $d { default 2; ~a 1; ~b 2; ~a 3; } map $arg_a $d { a 1; } server { }",
       R"(
maps:
  - d: [{source: $arg_a, values: {~a: 1, ~b: 2}}, {default: 2, values: [{~a: 3}]}]
  - d: {source: $arg_a, values: [{a: 1}]}
servers: [{}]
)"},
      {"accepted",
       "gzip on; sendfile off; gzip_types a b; chunked_transfer_encoding on; server { }",
       "gzip: on\nsendfile: false\ngzip_types: a b\nchunked_transfer_encoding: true\n"
       "servers: [{}]"},
      {"types", "types { a/b c d; e/f; } types { a/b g; } server { }",
       "types: [{a/b: c d, e/f: []}, {a/b: [g]}]\nservers: [{}]"},
      {"main",
       "user w; worker_processes 3; pid /p; events { worker_connections 9; } admin { listen "
       "127.0.0.1:1; } http { send_timeout 1s; } types { a/b c d; }",
       "user: w\nworker_processes: 3\npid: /p\nevents: {worker_connections: 9}\n"
       "admin: {listen: '127.0.0.1:1'}\nhttp: {send_timeout: 1s}\ntypes: {a/b: c d}"},
      {"flags", "proxy_buffering off; merge_slashes on; server { proxy_buffering on; }",
       "proxy_buffering: off\nmerge_slashes: true\nservers: [{proxy_buffering: true}]"},
      {"JSON", "server { listen 8080; }", "{\"servers\": [{\"listen\": 8080}]}"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    const auto model = model_of("defaults nginx; worker_processes 1; " + c.nginx);
    const std::string frame = c.yaml.starts_with("{") ? c.yaml : "defaults: nginx\n" + c.yaml;
    if (c.yaml.starts_with("{")) {
      CHECK(has_line(model_of(frame),
                     "listen 0.0.0.0:8080 backlog=511 rcvbuf=0 sndbuf=0 fastopen=0"));
    } else if (c.name == "main") {
      CHECK(model_of("defaults nginx; " + c.nginx) == model_of(frame));
    } else {
      CHECK(model == model_of(frame + "\nworker_processes: 1"));
    }
  }
}

TEST_CASE("defaults of YAML") {
  const auto model = model_of(
      "upstreams: {app: {servers: [a]}}\n"
      "servers: [{locations: [{path: /, proxy_pass: http://app}, {path: /b, proxy_pass: "
      "http://b}, "
      "{path: /t, proxy_pass: http://app, set_real_ip_from: 10.0.0.0/8}]}]");
  for (const char* line :
       {"dialect careful", "set Host ${host}${is_request_port}${request_port}", "set Connection ",
        "set X-Real-IP ${remote_addr}", "set X-Forwarded-For ${remote_addr}",
        "set X-Forwarded-Proto ${scheme}",
        "set X-Forwarded-Host ${host}${is_request_port}${request_port}",
        "set X-Forwarded-For ${proxy_add_x_forwarded_for}", "forward_upgrade on",
        "tunnel_timeout 3600s", "proxy_request_buffering off", "proxy_buffering off",
        "client_max_body_size 1073741824", "client_header_timeout 10s", "proxy_connect_timeout 2s",
        "health_check tcp interval=1s jitter=0s timeout=2s fast=200ms fails=2 "
        "passes=1 uri=/ host= port=0 status= grace=1s"}) {
    CAPTURE(line);
    CHECK(has_line(model, line));
  }
  // The implicit upstream of http://b has no check.
  CHECK(model.find("health_check") == model.rfind("health_check"));
  CHECK(has_line(model_of("upstreams: {app: {servers: [a], health_check: {uri: /h}}}"),
                 "health_check http interval=1s jitter=0s timeout=2s fast=200ms fails=2 passes=1 "
                 "uri=/h host= port=0 status=200-399, grace=1s"));
  for (const char* off : {"false", "off"}) {
    CHECK(model_of("upstreams: {app: {servers: [a], health_check: " + std::string(off) + "}}")
              .find("health_check") == std::string::npos);
  }
}

TEST_CASE("text stays text") {
  const auto model = model_of(kApp +
                              "servers: [{locations: [{path: /, proxy_pass: http://app, "
                              "proxy_set_header: {A: no, B: 010, C: 1e3, D: ~, E: 'on', F: 0x10, "
                              "G: 12:30:45, H: null}}]}]");
  for (const char* line : {"set A no", "set B 010", "set C 1e3", "set D ", "set E on", "set F 0x10",
                           "set G 12:30:45", "set H "}) {
    CAPTURE(line);
    CHECK(has_line(model, line));
  }
}

TEST_CASE("mistakes in YAML") {
  const struct {
    std::string text;
    std::string want;
  } cases[] = {
      {"upstrems: {}", "t:1:1: error: unknown key \"upstrems\"; did you mean \"upstreams\"?"},
      {"upstream: {}", "t:1:1: error: upstream: is written \"upstreams\" in YAML"},
      {"listen: 80",
       "t:1:1: error: listen: is not allowed in main, http; it belongs in server, admin"},
      {"servers:\n  - lisen: 80", "t:2:5: error: unknown key \"lisen\"; did you mean \"listen\"?"},
      {"user: a\nuser: b", "t:2:1: error: duplicate key \"user\""},
      {"upstreams: {a: {servers: [b], ntlm: true}}",
       "t:1:31: error: ntlm: nginx has this directive, weir does not support it yet; remove it"},
      {"servers: [{proxy_buffering: yes}]",
       "t:1:29: error: invalid value \"yes\"; use true or false"},
      {"servers: [{proxy_buffering: [on]}]",
       "t:1:12: error: proxy_buffering: takes one value, not a sequence"},
      {"servers: [{send_timeout: }]", "t:1:12: error: send_timeout: the value is missing"},
      {"servers: [{send_timeout: {a: 1}}]",
       "t:1:27: error: send_timeout: unknown key \"a\"\n"
       "t:1:26: error: send_timeout: is not written as a mapping"},
      {"servers: [{send_timeout: [1s, 2s]}]",
       "t:1:12: error: send_timeout: takes one value, not a sequence"},
      {"servers: [{listen: [[80, [81]]]}]", "t:1:26: error: plain text is wanted here"},
      {"servers: [{server_name: [a, [b]]}]",
       "t:1:26: error: server_name: a sequence and plain text side by side"},
      {"upstreams: [a]", "t:1:13: error: a mapping of names is wanted here"},
      {"upstreams: [{a: {}, a: {}}]", "t:1:21: error: duplicate key \"a\""},
      {"servers: 5", "t:1:10: error: a mapping of directives is wanted here"},
      {"5: a", "t:1:1: error: unknown key \"5\""},
      {"? [a]\n: b", "t:1:3: error: a key must be plain text"},
      {"user: !x y", "t:1:7: error: tags are not supported; remove \"!x\""},
      {"user: a\n---\nuser: b",
       "t:2:1: error: text after the end of the document; keep one document"},
      {"{user: a},b", "t:1:10: error: text after the end of the document; keep one document"},
      {"user: [a", "t:1:1: error: end of sequence flow not found"},
      {"user: *a", "t:1:7: error: the referenced anchor is not defined"},
      {"upstreams: {app: {servers: [{address: a, weigth: 3}]}}",
       "t:1:42: error: server: unknown key \"weigth\"; did you mean \"weight\"?"},
      {"upstreams: {app: {servers: [{weight: 3}]}}", "t:1:29: error: server: address is missing"},
      {"upstreams: {app: {servers: [{address: a, backup: 1}]}}",
       "t:1:42: error: server: parameter \"backup\" is true or false"},
      {"upstreams: {app: {servers: [{address: a, weight: {b: c}}]}}",
       "t:1:50: error: plain text is wanted here"},
      {"upstreams: {app: {servers: [{address: a, weight: x}]}}",
       "t:1:50: error: server: invalid number \"x\"; it must be from 1 to 65535"},
      {"servers: [{locations: [{proxy_pass: http://a}]}]",
       "t:1:24: error: location: path is missing; write path: /"},
      {"servers: [{locations: [{path: /, match: fuzzy}]}]",
       "t:1:24: error: location: unknown match \"fuzzy\"; use prefix, exact, regex, regex_nocase "
       "or prefix_no_regex"},
      {"maps: {a: {values: {b: c}}}",
       "t:1:8: error: map: source is missing; write source: $http_NAME"},
      {"maps: {a: [{source: $uri}, {source: $host}]}", "t:1:29: error: duplicate key \"source\""},
      {"maps: {a: {source: $uri, defalt: c}}",
       "t:1:26: error: map: unknown key \"defalt\"; did you mean \"default\"?"},
      {"log_formats: {a: {escape: json}}", "t:1:15: error: log_format: format is missing"},
      {"log_formats: {a: {formt: x}}",
       "t:1:19: error: log_format: unknown key \"formt\"; use format and escape\n"
       "t:1:15: error: log_format: format is missing"},
      {"servers: [{rules: {return: 403}}]",
       "t:1:19: error: rules: a sequence is wanted here, of one directive an item"},
      {"servers: [{rules: [{return: 403, set: x}]}]",
       "t:1:20: error: rules: an item is one directive; write \"- name: arguments\""},
      {"servers: [{rules: [[return, 403]]}]",
       "t:1:20: error: rules: an item is one directive; write \"- name: arguments\""},
      {"servers: [{rules: [return]}]", "t:1:20: error: return: the value is missing"},
      {"servers: [{rules: [{retrun: 403}]}]",
       "t:1:21: error: unknown key \"retrun\"; did you mean \"return\"?"},
      {"servers: [{rules: [{listen: 80}]}]",
       "t:1:21: error: listen: is no item of \"rules\"; put it beside that list"},
      {"servers: [{rules: [{return: 403}], return: 404}]",
       "t:1:36: error: return: its order to \"rules\" is not told; make both items of \"rules\""},
      {"servers: [{return: 404, rules: [{return: 403}]}]",
       "t:1:25: error: rules: its order to \"return\" is not told; make both items of \"rules\""},
      {"servers: [{ruls: [{return: 403}]}]",
       "t:1:12: error: unknown key \"ruls\"; did you mean \"rules\"?"},
      {"rules: [{return: 403}]",
       "t:1:1: error: rules: is not allowed in main, http; it belongs in server, location, if "
       "(location), if (server)"},
      {"# only a comment\n---\n",
       "configuration: warning: there is no server; nothing will be served"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(problems_of(c.text) == c.want);
  }
}

TEST_CASE("the syntax is told by the content") {
  const struct {
    std::string text;
    bool yaml;
  } cases[] = {{"user: x", true},
               {"\n# c: d\n\nuser: x", true},
               {"---\nuser: x", true},
               {"{user: x}", true},
               {"%YAML 1.2\n---\nuser: x", true},
               {"\"user\": x", true},
               {"user : x", true},
               {"servers:\n  - {}", true},
               {"user x;", false},
               {"# a: b\nuser x;", false},
               {"server{}", false},
               {"error_log syslog: x;", false},
               {"", false},
               {"log_format a 'b: c';", false}};
  for (const auto& c : cases) {
    CAPTURE(c.text);
    const auto model = weir::config::load_text("t", c.text, options());
    const std::string shown = problems(model);
    if (model.model) {
      CHECK((model.model->dialect == weir::config::Dialect::yaml) == c.yaml);
    } else {
      CHECK(!c.yaml);
    }
  }
}

TEST_CASE("alias bombs and deep nesting end soon") {
  std::string bomb = "servers:\n  - locations:\n    - &l0 {path: /}\n";
  for (int level = 1; level < 12; ++level) {
    bomb += "    - &l" + std::to_string(level) + " {path: /, locations: [";
    for (int i = 0; i < 9; ++i) bomb += (i > 0 ? ", *l" : "*l") + std::to_string(level - 1);
    bomb += "]}\n";
  }
  CHECK(problems_of(bomb).find("too many nodes; are there aliases of aliases?") !=
        std::string::npos);
  CHECK(problems_of("servers: [{locations: &l [{path: /, locations: *l}]}]") ==
        "t:1:27: error: too many levels");
  CHECK(problems_of("servers: &a [{locations: *a}]").find("path is missing") != std::string::npos);
  CHECK(problems_of("servers: " + std::string(3000, '[')) != "");
  // What is too much is told, never left out.
  std::string names = "servers: [{server_name: [";
  for (int i = 0; i < 200000; ++i) names += "a,";
  CHECK(problems_of(names + "b]}]").find("too many nodes") != std::string::npos);
}

TEST_CASE("mistakes in YAML: blocks of entries, pairs and names of arguments") {
  const struct {
    std::string text;
    std::string want;
  } cases[] = {
      {"geos: {g: {source: $host, netwroks: {a: b}}}",
       "t:1:27: error: geo: unknown key \"netwroks\"; did you mean \"networks\"?"},
      {"geos: {g: {networks: {10.0.0.0/40: b}}}",
       "t:1:23: error: 10.0.0.0/40: invalid address or network \"10.0.0.0/40\"; write 10.0.0.1, "
       "10.0.0.0/8, 2001:db8::/32 or unix:"},
      {"geos: {g: {networks: {10.0.0.0/8: [a, b]}}}",
       "t:1:23: error: 10.0.0.0/8: an entry of a geo is NETWORK VALUE; or FROM-TO VALUE;"},
      {"geos: [a]", "t:1:8: error: a mapping of names is wanted here"},
      {"geos: {g: {ranges: maybe}}", "t:1:20: error: invalid value \"maybe\"; use true or false"},
      {"geo: {g: {}}", "t:1:1: error: geo: is written \"geos\" in YAML"},
      {"split_clients: {s: {parts: {50%: a}}}",
       "t:1:17: error: split_clients: source is missing; write source: $http_NAME"},
      {"split_clients: {s: {source: $host, parts: {50%: a, 51%: b}}}",
       "t:1:52: error: 51%: the shares are more than 100% in all"},
      {"charset_maps: [{from: a, bytes: {80: 81}}]", "t:1:16: error: charset_map: to is missing"},
      {"charset_maps: [{from: a, to: b, bites: {80: 81}}]",
       "t:1:33: error: charset_map: unknown key \"bites\"; did you mean \"bytes\"?"},
      {"charset_maps: {from: a, to: b, bytes: {80: xx}}",
       "t:1:44: error: 80: is not a byte in hexadecimal: \"xx\""},
      {"servers: [{locations: [{path: /, limit_except: {deny: all}}]}]",
       "t:1:48: error: limit_except: methods is missing"},
      {"servers: [{locations: [{path: /, limit_except: {methods: FETCH, deny: all}}]}]",
       "t:1:58: error: limit_except: unknown method \"FETCH\"; write GET, POST, PUT, DELETE and so "
       "on"},
      {"servers: [{limit_req: {zone: a, brst: 5}}]",
       "t:1:33: error: limit_req: unknown key \"brst\"; did you mean \"burst\"?"},
      {"servers: [{limit_req: {burst: 5}}]",
       "t:1:12: error: limit_req: the zone is missing; write zone=NAME"},
      {"servers: [{limit_conn: {a: b}}]",
       "t:1:25: error: limit_conn: unknown zone \"a\"; make it with limit_conn_zone\nt:1:28: "
       "error: limit_conn: invalid number \"b\"; it must be from 1 to 65535"},
      {"servers: [{gzip_static: maybe}]",
       "t:1:25: error: gzip_static: invalid value \"maybe\"; use off, on or always"},
      {"servers: [{etag: maybe}]", "t:1:18: error: invalid value \"maybe\"; use true or false"},
      {"servers: [{error_page: {404: [a, b, c]}}]",
       "t:1:31: error: error_page: invalid code \"a\"; it must be from 300 to 599, and not 499 "
       "(the client has gone)"},
      {"servers: [{error_page: /x}]",
       "t:1:12: error: error_page: takes at least 2 arguments, 1 given"},
      {"servers: [{resolver: {addresses: [nowhere], vald: 5s}}]",
       "t:1:45: error: resolver: unknown key \"vald\"; did you mean \"valid\"?"},
      {"servers: [{types: {a/b: {c: d}}}]", "t:1:25: error: plain text is wanted here"},
      {"servers: [{expires: {a: b}}]", "t:1:22: error: expires: unknown key \"a\""},
      {"servers: [{proxy_redirect: {a: {b: c}}}]",
       "t:1:33: error: proxy_redirect: unknown key \"b\""},
      {"servers: [{internal: true}]",
       "t:1:12: error: internal: is not allowed in server; it belongs in location"},
      {"servers: [{proxy_cookie_flags: {a: {b: c}}}]", "t:1:36: error: plain text is wanted here"},
      {"maps: {m: {source: $host, include: nope}}",
       "t:1:36: error: include: cannot read \"nope\": No such file or directory"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(problems_of(c.text) == c.want);
  }
}
