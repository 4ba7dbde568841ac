// Blocks that make something besides settings, in both syntaxes, and what levels inherit.
#include "support.h"

using namespace weir::config::testing;

namespace {

struct Row {
  std::string name;
  std::string nginx;
  std::string yaml;  // empty: nginx only
  std::vector<std::string> lines;
};

void check(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    const std::string model = model_of("defaults nginx; worker_processes 1; " + row.nginx);
    CAPTURE(row.name);
    CAPTURE(model);
    for (const auto& line : row.lines) {
      CAPTURE(line);
      CHECK(has_line(model, line));
    }
    if (!row.yaml.empty()) {
      CHECK(model_of("defaults: nginx\nworker_processes: 1\n" + row.yaml) == model);
    }
  }
}

// How often `text` occurs.
std::size_t count(const std::string& in, const std::string& text) {
  std::size_t found = 0;
  for (auto at = in.find(text); at != std::string::npos; at = in.find(text, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("locations and what answers there") {
  check({
      {"try_files",
       "server { try_files $uri $uri/ /index.html?$args; location /a { try_files /x =404; } "
       "location /b { try_files $uri @c; } }",
       "servers: [{try_files: [$uri, $uri/, '/index.html?$args'], locations: [{path: /a, "
       "try_files: /x =404}, {path: /b, try_files: $uri @c}]}]",
       {"file ${uri}", "directory ${uri}", "last 0 /index.html?${args}", "file /x", "last 404 ",
        "last 0 @c"}},
      {"limit_except",
       "server { location / { limit_except GET post { deny all; auth_basic x; proxy_pass "
       "http://a; } proxy_pass http://b; } }",
       "servers: [{locations: [{path: /, limit_except: {methods: [GET, post], deny: all, "
       "auth_basic: x, proxy_pass: http://a}, proxy_pass: http://b}]}]",
       {"limit_except 7", "access [deny all]", "auth_basic \"x\"", "proxy a:80 host=a port=80",
        "proxy b:80 host=b port=80"}},
      {"a handler of the location in a limit_except",
       "server { location / { limit_except PUT { allow 10.0.0.0/8; } proxy_pass http://b; } }",
       "",
       {"limit_except 8", "access [allow 10.0.0.0/8]"}},
      {"content",
       "server { stub_status; location /a { empty_gif; } location /b { stub_status on; internal; "
       "random_index on; location /b/c { } location /b/d { random_index off; } } }",
       "servers: [{stub_status: true, locations: [{path: /a, empty_gif: true}, {path: /b, "
       "stub_status: on, internal: true, random_index: true, locations: [{path: /b/c}, {path: "
       "/b/d, random_index: false}]}]}]",
       {"stub_status", "empty_gif", "internal", "random_index"}},
      {"an alias of a pattern",
       "server { location ~ ^/a/(.*)$ { alias /b/$1; } location = /c { alias d; } }",
       "servers: [{locations: [{path: '~ ^/a/(.*)$', alias: /b/$1}, {path: = /c, alias: d}]}]",
       {"root \"/b/${1}\" alias 0 whole", "root \"/etc/weir/d\" alias 2"}},
      {"settings of an if",
       "server { location / { if ($arg_a) { proxy_pass http://$arg_a; gzip on; add_header A 1; "
       "error_page 404 /x; expires max; root /y; access_log off; charset utf-8; limit_rate 1; "
       "ssi on; add_trailer B 2; add_header_inherit off; } } }",
       "",
       {"if 0 \"${arg:a}\" \"\" ", "gzip on", "add_header [A: \"1\"]", "ssi on",
        "proxy http://${arg:a}"}},
  });
  const auto model = model_of(
      "server { location /b { internal; random_index on; location /b/c { } location /b/d { "
      "random_index off; } } }");
  CHECK(count(model, "\ninternal\n") == 3);
  CHECK(count(model, "\nrandom_index\n") == 2);
}

TEST_CASE("listen") {
  const std::string rest = " backlog=511 rcvbuf=0 sndbuf=0 fastopen=0";
  check({
      {"ranges of ports",
       "server { listen 8000-8002; listen 127.0.0.1:90-91; listen [::1]:92-93; }",
       "servers: [{listen: [8000-8002, '127.0.0.1:90-91', '[::1]:92-93']}]",
       {"listen 0.0.0.0:8000" + rest, "listen 0.0.0.0:8002" + rest, "listen 127.0.0.1:90" + rest,
        "listen 127.0.0.1:91" + rest, "listen [::1]:92" + rest, "listen [::1]:93" + rest}},
      {"names of hosts",
       "server { listen two.example:81 ipv6only=on; listen localhost; }",
       "servers: [{listen: ['two.example:81 ipv6only=on', localhost]}]",
       {"listen 192.0.2.1:81" + rest,
        "listen [2001:db8::2]:81 backlog=511 ipv6only=on rcvbuf=0 sndbuf=0 fastopen=0",
        "listen 127.0.0.1:80" + rest}},
      {"the PROXY protocol is the socket's",
       "server { listen 80 proxy_protocol; } server { listen 80; server_name b; }",
       "servers: [{listen: {address: 80, proxy_protocol: true}}, {listen: 80, server_name: b}]",
       {"listen 0.0.0.0:80" + rest + " proxy_protocol"}},
      {"times of keep-alive",
       "server { listen 80 so_keepalive=30m::10; listen 81 so_keepalive=:5s; listen 82 "
       "so_keepalive=off; }",
       "servers: [{listen: [80 so_keepalive=30m::10, {address: 81, so_keepalive: ':5s'}, {address: "
       "82, so_keepalive: false}]}]",
       {"listen 0.0.0.0:80 backlog=511 rcvbuf=0 sndbuf=0 so_keepalive=1800:0:10 fastopen=0",
        "listen 0.0.0.0:81 backlog=511 rcvbuf=0 sndbuf=0 so_keepalive=0:5:0 fastopen=0",
        "listen 0.0.0.0:82" + rest}},
  });
  CHECK(count(model_of("server { listen 80 proxy_protocol; } server { listen 80; server_name b; }"),
              " proxy_protocol\n") == 2);
}

TEST_CASE("certificates from ACME servers") {
  check({
      {"an issuer, and what servers want of it",
       "acme_issuer ca { uri https://ca.example/dir; contact a@b.example; contact tel:1; challenge "
       "tls-alpn; account_key rsa:3072; accept_terms_of_service; ssl_verify off; profile short; "
       "state_path /s/; retry 5m; external_account_key id data:Zm9v; } server { listen 1 ssl; "
       "server_name A.example .c.example; acme_certificate ca b.example A.example ::1 key=rsa; "
       "ssl_certificate $acme_certificate; ssl_certificate_key $acme_certificate_key; }",
       "acme_issuers: {ca: {uri: 'https://ca.example/dir', contact: [a@b.example, 'tel:1'], "
       "challenge: tls-alpn-01, account_key: 'rsa:3072', accept_terms_of_service: true, "
       "ssl_verify: false, profile: short, state_path: /s, retry: 5m, external_account_key: [id, "
       "'data:Zm9v']}}\nservers: [{listen: {address: 1, ssl: true}, server_name: [A.example, "
       ".c.example], acme_certificate: [ca, b.example, A.example, '::1', 'key=rsa'], "
       "ssl_certificate: $acme_certificate, ssl_certificate_key: $acme_certificate_key}]",
       {"contact mailto:a@b.example", "contact tel:1", "challenge 1 account_key=3 terms retry=300s",
        "account /s/account.key", "acme_certificate ca b.example a.example ::1 key=2"}},
      {"the names are those of the server, and each certificate is ordered once",
       "acme_issuer ca { uri https://ca.example/dir; } server { listen 1; server_name a b; "
       "acme_certificate ca; } server { listen 2; server_name b a; acme_certificate ca; }",
       "acme_issuers: {ca: {uri: 'https://ca.example/dir'}}\nservers: [{listen: 1, server_name: "
       "[a, b], acme_certificate: ca}, {listen: 2, server_name: [b, a], acme_certificate: ca}]",
       {"acme_certificate ca a b key=0", "account /etc/weir/acme_ca/account.key"}},
  });
}

TEST_CASE("the PROXY protocol to peers") {
  check({{"of each version",
          "upstream a { server b:1; proxy_protocol v1; } upstream c { server d:1; proxy_protocol "
          "v2; } upstream e { server f:1; proxy_protocol off; }",
          "upstreams: {a: {servers: ['b:1'], proxy_protocol: v1}, c: {servers: ['d:1'], "
          "proxy_protocol: v2}, e: {servers: ['f:1'], proxy_protocol: off}}",
          {"proxy_protocol v1", "proxy_protocol v2"}}});
}

TEST_CASE("geo") {
  check({
      {"networks",
       "geo $n { default d; 10.0.0.0/8 a; 10.1.0.0/16 'b c'; 2001:db8::/32 e; 127.0.0.1 f; "
       "proxy 192.168.0.0/16; proxy ::1; proxy_recursive; volatile; 10.9.0.0/16 x; delete "
       "10.9.0.0/16; }",
       "geos: {n: {default: d, networks: {10.0.0.0/8: a, 10.1.0.0/16: b c, '2001:db8::/32': e, "
       "127.0.0.1: f}, proxy: [192.168.0.0/16, '::1'], proxy_recursive: true, volatile: true}}",
       {"geo ${remote_addr} $n volatile proxy_recursive", "10.0.0.0/8 a", "10.1.0.0/16 b c",
        "2001:db8::/32 e", "127.0.0.1/32 f", "proxy 192.168.0.0/16", "proxy ::1/128", "default d"}},
      {"another address",
       "geo $arg_ip $n { 10.0.0.0/8 a; }",
       "geos: {$n: {source: $arg_ip, networks: {10.0.0.0/8: a}}}",
       {"geo ${arg:ip} $n", "10.0.0.0/8 a", "default "}},
      {"ranges",
       "geo $n { ranges; 10.0.0.0-10.0.255.255 a; 10.0.0.16-10.0.0.31 b; 11.0.0.0-11.0.0.0 c; "
       "delete 11.0.0.0-11.0.0.0; 12.0.0.0-12.0.0.9 d; 12.0.0.0-12.0.0.9 e; }",
       "",
       {"geo ${remote_addr} $n ranges", "167772160-167772175 a", "167772176-167772191 b",
        "167772192-167837695 a", "201326592-201326601 e"}},
      {"ranges in YAML",
       "geo $n { ranges; 1.0.0.0-1.0.0.9 a; }",
       "geos: {n: {networks: {1.0.0.0-1.0.0.9: a}, ranges: true}}",
       {"16777216-16777225 a"}},
      {"a range over more than one block, and one inside",
       "geo $n { ranges; 1.0.0.0-1.3.255.255 a; 1.0.255.0-1.1.0.255 b; }",
       "",
       {"16777216-16842495 a", "16842496-16843007 b", "16843008-17039359 a"}},
  });
  CHECK(model_of("geo $n { ranges; 11.0.0.0-11.0.0.0 c; delete 11.0.0.0-11.0.0.0; }")
            .find("184549376") == std::string::npos);
}

TEST_CASE("split_clients, zones and charset maps") {
  check({
      {"split_clients",
       "split_clients \"$remote_addr a\" $v { 0.5% one; 33.33% two; * ''; }",
       "split_clients: {v: {source: $remote_addr a, parts: {0.5%: one, 33.33%: two, '*': ''}}}",
       {"split_clients ${remote_addr} a $v", "50 one", "3333 two", "0 "}},
      {"the whole",
       "split_clients $host $v { 50% a; 50% b; }",
       "split_clients: {v: {source: $host, parts: {50%: a, '50.00%': b}}}",
       {"5000 a", "0 b"}},
      {"zones",
       "limit_req_zone $binary_remote_addr zone=a:10m rate=30r/m; limit_req_zone $host rate=5r/s "
       "zone=b:32k; limit_conn_zone $server_name zone=c:1m;",
       "limit_req_zone: [{key: $binary_remote_addr, zone: 'a:10m', rate: 30r/m}, $host rate=5r/s "
       "zone=b:32k]\nlimit_conn_zone: {key: $server_name, zone: 'c:1m'}",
       {"limit_req_zone a size=10485760 rate=500 ${binary_remote_addr}",
        "limit_req_zone b size=32768 rate=5000 ${host}",
        "limit_conn_zone c size=1048576 rate=0 ${server_name}"}},
      {"charset maps",
       "charset_map koi8-r utf-8 { 80 E282AC; 41 41; } charset_map a b { c0 0d; }",
       "charset_maps:\n- {from: koi8-r, to: utf-8, bytes: {80: E282AC, 41: 41}}\n"
       "- {from: a, to: b, bytes: {c0: 0d}}",
       {"charset_map koi8-r utf-8", "128 \xe2\x82\xac", "65 A", "charset_map a b", "192 \r"}},
  });
}

TEST_CASE("proxy_redirect default") {
  const auto redirects = [](const std::string& text) {
    const auto model = model_of(text);
    std::string out;
    for (auto at = model.find("\nredirect "); at != std::string::npos;
         at = model.find("\nredirect ", at + 1)) {
      out += model.substr(at + 10, model.find('\n', at + 1) - at - 10) + "\n";
    }
    return out;
  };
  const struct {
    const char* text;
    const char* want;
  } rows[] = {
      {"server { location /a/ { proxy_pass http://B:80/c; } }", "\"http://B:80/c\" -> \"/a/\"\n"},
      {"server { location /a/ { proxy_pass http://b; } }", "\"http://b/\" -> \"/\"\n"},
      {"server { location ~ x { proxy_pass http://b:81; } }", "\"http://b:81/\" -> \"/\"\n"},
      {"server { location / { proxy_pass http://unix:/s:/x; } }",
       "\"http://unix:/s:/x\" -> \"/\"\n"},
      {"server { location / { proxy_pass http://$host; } }", ""},
      {"server { location / { proxy_pass http://b; proxy_redirect off; } }", ""},
      {"server { location / { proxy_pass http://b; proxy_redirect http://x/ /; proxy_redirect "
       "default; proxy_redirect /y /z; } }",
       "\"http://x/\" -> \"/\"\n\"http://b/\" -> \"/\"\n\"/y\" -> \"/z\"\n"},
      {"server { location / { proxy_redirect default; proxy_pass http://b; } }",
       "\"http://b/\" -> \"/\"\n"},
      // nginx: what the outer location has worked out holds inside, too.
      {"server { location / { proxy_pass http://b; location /c { proxy_pass http://d; } } }",
       "\"http://b/\" -> \"/\"\n\"http://b/\" -> \"/\"\n"},
      {"defaults careful; server { location / { proxy_pass http://b; location /c { proxy_pass "
       "http://d/e; } } }",
       "\"http://b/\" -> \"/\"\n\"http://d/e\" -> \"/c\"\n"},
      {"server { proxy_redirect http://x/ /; location / { proxy_pass http://b; } }",
       "\"http://x/\" -> \"/\"\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.text));
    CHECK(redirects(row.text) == row.want);
  }
}

TEST_CASE("what is inherited in part") {
  check({
      {"add_header, merged",
       "add_header A 1; server { add_header B 2; add_header_inherit merge; }",
       "",
       {"add_header [B: \"2\", A: \"1\"]"}},
      {"add_header, off below",
       "server { add_header A 1; location / { add_header_inherit off; } location /b { } }",
       "",
       {"add_header_inherit 1", "add_header [A: \"1\"]"}},
      {"add_trailer, merged",
       "add_trailer A 1; server { add_trailer B 2; add_trailer_inherit merge; }",
       "",
       {"add_trailer [B: \"2\", A: \"1\"]"}},
      {"the Keep-Alive field",
       "keepalive_timeout 75 60; server { keepalive_timeout 10; }",
       "",
       {"keepalive_timeout 10s 60s"}},
      {"secure_link",
       "server { secure_link $arg_a; location / { secure_link_md5 $uri; } }",
       "",
       {"secure_link \"${arg:a}\" \"${uri}\" "}},
      {"referers",
       "server { valid_referers a.org ~b; location / { valid_referers none c.org; } location /d { "
       "valid_referers ~e; } }",
       "",
       {"valid_referers [\"a.org\"][~*b]", "valid_referers none [\"c.org\"][~*b]",
        "valid_referers [][~*e]"}},
      {"types of an outer level are not added to",
       "types { a/b c; } server { types { d/e f; } }",
       "",
       {"types { f=d/e }"}},
  });
}

TEST_CASE("include in blocks of entries") {
  const Files files = {{"/e/mime.types", "types { text/html html; image/png png; }"},
                       {"/e/types.list", "a/b c d;"},
                       {"/e/map.d/1", "x 1;"},
                       {"/e/map.d/2", "~^y 2; default 3;"},
                       {"/e/net", "10.0.0.0/8 n;"},
                       {"/e/split", "10% s;"},
                       {"/e/map.yaml", "{x: 1, default: 4}"},
                       {"/e/types.yaml", "a/b: [c, d]"},
                       {"/e/server.conf", "listen 81; location /in { return 204; }"}};
  const auto load = [&](const std::string& text) {
    const auto result = weir::config::load_text("/e/main", text, options(files));
    if (!result.model) return problems(result);
    std::string out;
    bool start = true;
    for (const char c : print(*result.model)) {
      if (start && c == ' ') continue;
      start = c == '\n';
      out += c;
    }
    return "\n" + out;
  };
  const struct {
    const char* text;
    std::vector<std::string> lines;
  } rows[] = {
      {"include mime.types; server { }", {"types { html=text/html png=image/png }"}},
      {"types { include types.list; e/f g; } server { }", {"types { c=a/b d=a/b g=e/f }"}},
      {"map $host $m { include map.d/*; }", {"exact x 1", "pattern ~^y 2", "default 3"}},
      {"geo $g { include net; }", {"10.0.0.0/8 n"}},
      {"split_clients $host $s { include split; * t; }", {"1000 s", "0 t"}},
      {"include: mime.types\nservers: [{}]", {"types { html=text/html png=image/png }"}},
      {"types: {include: types.list, e/f: g}\nservers: [{}]", {"types { c=a/b d=a/b g=e/f }"}},
      {"types: {include: types.yaml}\nservers: [{}]", {"types { c=a/b d=a/b }"}},
      {"maps: {m: {source: $host, include: map.d/*}}", {"exact x 1", "pattern ~^y 2", "default 3"}},
      {"maps: {m: {source: $host, include: map.yaml, values: {y: 5}}}",
       {"exact x 1", "exact default 4", "exact y 5"}},
      {"geos: {g: {include: net}}", {"10.0.0.0/8 n"}},
      {"split_clients: {s: {source: $host, include: split, parts: {'*': t}}}", {"1000 s", "0 t"}},
      {"servers: [{include: server.conf}]", {"location prefix /in", "return 204"}},
  };
  for (const auto& row : rows) {
    const auto model = load(row.text);
    CAPTURE(std::string(row.text));
    CAPTURE(model);
    for (const auto& line : row.lines) {
      CAPTURE(line);
      CHECK(has_line(model, line));
    }
  }
}

TEST_CASE("variables of families can be made anew") {
  check({
      {"map",
       "map $host $http_x { default 1; } server { return 200 $http_x; }",
       "",
       {"return 200 \"${user:http_x}\""}},
      {"set",
       "server { set $arg_a 1; return 200 $arg_a$args; }",
       "",
       {"set ${user:arg_a} \"1\"", "return 200 \"${user:arg_a}${args}\""}},
  });
}
