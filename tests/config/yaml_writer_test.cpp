// What the conversion writes, and that it means the same.
#include "config/yaml_writer.h"

#include <cstdlib>
#include <filesystem>

#include "config/convert.h"
#include "support.h"
#include "tree_form.h"

using namespace weir::config;
using namespace weir::config::testing;

namespace {

const std::string kHead = "# made from /etc/weir/t by weir convert\ndefaults: nginx\n";

std::string converted(const std::string& text, const Files& files = {}) {
  const auto result = convert_text("/etc/weir/t", text, options(files));
  if (result.ok) return result.yaml;
  std::string out;
  for (const auto& diagnostic : result.diagnostics) out += diagnostic.text() + "\n";
  return out;
}

std::string form_of(const ParseResult& parsed) {
  std::string out;
  for (const auto& diagnostic : parsed.diagnostics) out += diagnostic.text() + "\n";
  return out + TreeForm::of(parsed.tree);
}

// Tree and model of the text and of what is written from it.
void check_same(const ParseResult& parsed, const LoadOptions& how) {
  Diagnostics diagnostics;
  const auto yaml = write_yaml(parsed.tree, parsed.dialect, diagnostics);
  CAPTURE(yaml);
  REQUIRE(!diagnostics.failed());
  auto again = parse_text("again", "---\n" + yaml, how);
  again.directory = parsed.directory;
  CHECK(form_of(again) == form_of(parsed));
  const auto model = compile(parsed, how);
  const auto second = compile(again, how);
  REQUIRE(model.model);
  CHECK(problems(second).find("error") == std::string::npos);
  REQUIRE(second.model);
  CHECK(print(*second.model) == print(*model.model));
}

void check_file(const std::filesystem::path& path) {
  CAPTURE(path.string());
  const auto parsed = parse(path, {});
  if (compile(parsed, {}).model) check_same(parsed, {});
}

}  // namespace

TEST_CASE("what is written") {
  const struct {
    std::string name;
    std::string nginx;
    std::string yaml;
  } cases[] = {
      {"nothing", "# a comment\n", ""},
      {"main",
       "user www-data; worker_processes auto; pid /run/weir.pid; error_log /var/log/e warn; events "
       "{ worker_connections 1024; } http { send_timeout 30; sendfile on; gzip on; gzip_types "
       "text/css text/plain; }",
       R"(user: www-data
worker_processes: auto
pid: /run/weir.pid
error_log: { path: /var/log/e, level: warn }

events:
  worker_connections: 1024

send_timeout: 30
sendfile: true
gzip: true
gzip_types: [text/css, text/plain]
)"},
      {"said in http and outside",
       "proxy_buffering on; http { proxy_buffering off; } add_header A b;",
       R"(proxy_buffering: true

http:
  proxy_buffering: false

add_header:
  A: b
)"},
      {"upstreams",
       "upstream app { server 10.0.0.1:80; server 10.0.0.2:80 weight=3 backup; server unix:/s "
       "max_fails=0; keepalive 4 local; health_check uri=/h interval=1s status=200-299,301; } "
       "upstream b { ip_hash; server c; server d; keepalive 4; health_check; } upstream f { server "
       "g; health_check off; }",
       R"(
upstreams:
  app:
    servers:
      - 10.0.0.1:80
      - { address: 10.0.0.2:80, weight: 3, backup: true }
      - { address: unix:/s, max_fails: 0 }
    keepalive: { connections: 4, local: true }
    health_check: { uri: /h, interval: 1s, status: [200-299, 301] }
  b:
    ip_hash: true
    servers: [c, d]
    keepalive: 4
    health_check: true
  f:
    servers: [g]
    health_check: false
)"},
      {"tests of answers",
       "match ok { header A = \"b c\"; header ! D; body \"e f\"; body \"~ g\"; } upstream b { "
       "server "
       "c; health_check uri=/h { status 200; body ok; } } upstream f { server g; health_check { "
       "expect ~ \"200 OK\"; } }",
       R"(
matches:
  ok:
    header: [A = b c, "! D"]
    body:
      - e f
      - [~ g]

upstreams:
  b:
    servers: [c]
    health_check:
      uri: /h
      match:
        status: 200
        body: ok
  f:
    servers: [g]
    health_check:
      match:
        expect: ~ 200 OK
)"},
      {"several checks",
       "upstream b { server c; health_check uri=/h { status 200; } health_check type=tcp port=90; "
       "health_check; }",
       R"(
upstreams:
  b:
    servers: [c]
    health_check:
      - uri: /h
        match:
          status: 200
      - { type: tcp, port: 90 }
      - true
)"},
      {"matches", "match ok { status ! 500 502-504; } match up { status 200; }", R"(
matches:
  ok:
    status: ["!", 500, 502-504]
  up:
    status: 200
)"},
      {"servers",
       "server { listen 80 default_server; listen [::]:81 ipv6only=off backlog=7; listen 82; "
       "server_name a.org *.b.org \"\" ~^x; server_name c.org; client_max_body_size 0; } server { "
       "}",
       R"(
servers:
  - listen:
      - { address: 80, default_server: true }
      - { address: "[::]:81", ipv6only: false, backlog: 7 }
      - 82
    server_name: [a.org, "*.b.org", "", ~^x, c.org]
    client_max_body_size: 0
  - {}
)"},
      {"locations",
       "server { location / { proxy_pass http://a; } location = /b { return 204; } location ~* "
       "\\.(js|css)$ { return 302 /x?$args; } location ^~ /c { location /c/d { } } location @e { } "
       "location =/f { } location \"/ g\" { } location ~ \"^ h\" { } location = ' i' { } }",
       R"(
servers:
  - locations:
      - path: /
        proxy_pass: http://a
      - path: = /b
        return: 204
      - path: ~* \.(js|css)$
        return: 302 /x?$args
      - path: ^~ /c
        locations:
          - path: /c/d
      - path: "@e"
      - path: = /f
      - path: / g
      - path: ~ ^ h
      - path: " i"
        match: exact
)"},
      {"return and its order",
       "server { location /a { return 200 \"\"; } location /b { return 200 ' a'; } location /c { "
       "return 'http://x/ y'; } location /d { return 301 https://x/; return 404; } location /e { "
       "return 200 \"a\\nb\"; } location /f { return 301 ' /g'; } }",
       R"(
servers:
  - locations:
      - path: /a
        return: { status: 200, text: "" }
      - path: /b
        return: { status: 200, text: " a" }
      - path: /c
        return: { url: http://x/ y }
      - path: /d
        rules:
          - return: 301 https://x/
          - return: 404
      - path: /e
        return: "200 a\nb"
      - path: /f
        return: { status: 301, text: " /g" }
)"},
      {"headers",
       "add_header A b; add_header C 'd e' always; server { add_header A b; add_header A c; "
       "proxy_set_header X ''; proxy_set_header Host $host; proxy_hide_header P; proxy_hide_header "
       "Q; proxy_pass_header R; }",
       R"(
add_header:
  A: b
  C: { value: d e, always: true }

servers:
  - add_header:
      - A: b
      - A: c
    proxy_set_header:
      X: ""
      Host: $host
    proxy_hide_header: [P, Q]
    proxy_pass_header: R
)"},
      {"lists",
       "keepalive_timeout 5s 6s; large_client_header_buffers 4 8k; proxy_next_upstream error "
       "http_502; set_real_ip_from 10.0.0.0/8; set_real_ip_from ::1;",
       R"(keepalive_timeout: [5s, 6s]
large_client_header_buffers: [4, 8k]
proxy_next_upstream: [error, http_502]
set_real_ip_from: [10.0.0.0/8, "::1"]
)"},
      {"logs",
       "log_format a '$remote_addr [$time_local] ' '\"$request\"'; log_format b escape=json "
       "'{\"u\": \"$uri\"}'; access_log /l a buffer=1k; access_log /m; access_log '/n o'; server { "
       "access_log off; }",
       R"(
log_formats:
  a: ["$remote_addr [$time_local] ", '"$request"']
  b:
    escape: json
    format: '{"u": "$uri"}'

access_log:
  - { path: /l, format: a, buffer: 1k }
  - /m
  - { path: /n o }

servers:
  - access_log: false
)"},
      {"maps",
       "map $http_upgrade $c { volatile; volatile; default upgrade; '' close; } map $host $h { "
       "hostnames; *.x '1 2'; \\default 3; \\include 4; ~^a:\\ b 5; } map $uri $u { ~a 1; ~b 2; ~a "
       "3; "
       "default 4; } map $uri $u { hostnames x; }",
       R"(
maps:
  - c:
      source: $http_upgrade
      volatile: true
      default: upgrade
      values:
        "": close
    h:
      source: $host
      hostnames: true
      values:
        "*.x": 1 2
        default: 3
        include: 4
        ~^a:\ b: 5
    u:
      source: $uri
      default: 4
      values:
        - ~a: 1
          ~b: 2
        - ~a: 3
  - u:
      source: $uri
      values:
        hostnames: x
)"},
      {"types",
       "types { text/html html htm; x/y a; text/html shtml; } types { x/y b; } server { types { } "
       "location / { types { a b; c d; a d; } } }",
       R"(
types:
  text/html: html htm shtml
  x/y: a b

servers:
  - types: {}
    locations:
      - path: /
        types:
          - a: b
            c: d
          - a: d
)"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    CHECK(converted(c.nginx) == kHead + c.yaml);
    check_same(parse_text("t", c.nginx, {}), {});
  }
}

TEST_CASE("what is hard to say means the same") {
  for (const std::string text : {
           // Every argument that looks like something else.
           "default_type no;",
           "default_type ''; server { default_type off; }",
           "server_tokens off; proxy_redirect off; server { proxy_redirect a b; }",
           "log_format a true; log_format b ''; log_format no '' ''; log_format d escape=none;",
           "add_header ~ ~; add_header 010 null; proxy_set_header a ''; server { add_header y on "
           "always; }",
           "upstream true { server on; server off weight=1 weight=2; server \"127.0.0.1:1\"; }",
           "upstream a { server false; health_check uri=/true status=200,301 host=true; }",
           "access_log on; server { access_log /a\\ b; location / { access_log 'a b' combined "
           "if=$uri; } }",
           "server { server_name \"a b\"; } server { server_name \"\" true; } server { server_name "
           "'~ x'; }",
           "map '' $a { ' ' x; '#' y; '? a' z; '- ' 1; a: 2; \"a: b\" 3; '[' 4; '{' 5; \\~ 6; }",
           "map a $b { volatile 1; hostnames 2; hostnames; default 3; \\include 4; }",
           "server { location '' { } location \"= /a\" { } location = ' b' { } location ~ '' { } }",
           "server { location ~ 'a\\{2}' { return 200 'x: y #z'; } location = \"\" { return 200 "
           "\"\\n\"; } }",
           "proxy_no_cache true; proxy_no_cache on; proxy_no_cache off false; proxy_no_cache 'a "
           "b'; "
           "proxy_no_cache a 'b c' ''; chunked_transfer_encoding on;",
           "gzip_types a b; gzip_types c; server { gzip off; listen 80; }",
           "types { a; b ''; c 'd e' f; } types { c d; }",
           "error_log stderr; error_log '/a b' warn;",
           "upstream a { server b; ip_hash; ip_hash; }",
           "upstream a { ip_hash; server b; server c; keepalive 1; }",
           "upstream a { server b backup; ip_hash; server c; }",
           "http { server { } } server { } upstream a { server b; }",
           "http { error_log /a; server { error_log /b; } } error_log stderr;",
           "events { } admin { listen 127.0.0.1:1; }",
           "proxy_buffering ON; server { proxy_buffering Off; return 200; return 300; }",
           "default_type \"a\tb\x01\xc2\x85\xe2\x80\xa8\xef\xbb\xbf\xf0\x9f\x98\x80\";",
       }) {
    CAPTURE(text);
    const auto parsed = parse_text("t", text + " server { listen 1; }", {});
    CHECK(problems(compile(parsed, {})).find("error") == std::string::npos);
    check_same(parsed, {});
  }
  std::string map = "map $uri $a { ";
  for (int i = 0; i < 300; ++i) map += "'" + std::string(1500, 'k') + std::to_string(i) + "' v;";
  check_same(parse_text("t", map + "}", {}), {});
}

TEST_CASE("blocks in blocks as deep as nginx.conf may have them") {
  std::string text = "server {";
  for (std::size_t i = 0; i < 58; ++i) text += "location /" + std::string(i, 'a') + " {";
  check_same(parse_text("t", text + std::string(59, '}'), {}), {});
}

TEST_CASE("a configuration in YAML") {
  CHECK(converted("servers: [{listen: 80, rules: [return: 200 a]}]") ==
        "# made from /etc/weir/t by weir convert\nservers:\n  - listen: 80\n    return: 200 a\n");
  CHECK(converted("defaults careful; server { }") ==
        "# made from /etc/weir/t by weir convert\ndefaults: careful\n\nservers:\n  - {}\n");
}

TEST_CASE("what is included stands in its place") {
  const Files files = {{"/etc/weir/m", "map $uri $m { include /e; } include /s*;"},
                       {"/e", "a 1; b 2;"},
                       {"/s1", "server { listen 1; }"},
                       {"/s2", "server { listen 2; include /r; }"},
                       {"/r", "return 200 $m;"}};
  const auto result = weir::config::convert("/etc/weir/m", options(files));
  CHECK(result.ok);
  CHECK(result.yaml == R"(# made from /etc/weir/m by weir convert
defaults: nginx

maps:
  m:
    source: $uri
    values:
      a: 1
      b: 2

servers:
  - listen: 1
  - listen: 2
    return: 200 $m
)");
}

TEST_CASE("mistakes end the conversion") {
  const struct {
    std::string text;
    std::string want;
  } cases[] = {
      {"lisen 80;",
       "/etc/weir/t:1:1: error: unknown directive \"lisen\"; did you mean \"listen\"?\n"},
      {"server { return 200 '\xe9'; }",
       "/etc/weir/t:1:10: error: return: YAML holds UTF-8 only; write it in UTF-8\n"},
      {"map $uri $a {\n b '\xff'; }",
       "/etc/weir/t:2:2: error: b: YAML holds UTF-8 only; write it in UTF-8\n"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    const auto text = converted(c.text);
    CHECK(text.substr(text.size() - std::min(text.size(), c.want.size())) == c.want);
  }
  CHECK(!weir::config::convert("/none", options()).ok);
  // More than the reader of YAML takes: better no file than one that is not read.
  std::string big = "server { } map $uri $a { ";
  for (int i = 0; i < 100; ++i) {
    big += "k" + std::to_string(i) + " '" + std::string(30000, 'v') + "';";
  }
  CHECK(converted(big + "}") == "/etc/weir/t in YAML: error: the file is larger than 2 MiB\n");
}

TEST_CASE("files beside the configuration have to stay there") {
  const auto warned = [](const std::string& text) {
    const auto result = convert_text("/etc/weir/t", text, options());
    REQUIRE(result.ok);
    std::string out;
    for (const auto& diagnostic : result.diagnostics) out += diagnostic.text() + "\n";
    return out;
  };
  CHECK(warned("server { location / { auth_basic_user_file pw; } }") ==
        "/etc/weir/t:1:23: warning: auth_basic_user_file: \"pw\" is looked for beside the "
        "configuration; keep the YAML in the same folder\n");
  CHECK(warned("server { auth_basic_user_file /pw; location / { auth_basic_user_file $uri; } }")
            .empty());
}

TEST_CASE("trees that do not compile are written as they are, or not at all") {
  const struct {
    std::string text;
    std::string want;  // empty: written
  } cases[] = {
      {"server x { }", "t:1:1: error: server: YAML has no names for the arguments of this block"},
      {"upstream { }", "t:1:1: error: upstream: an argument is missing"},
      {"upstream a b { }", "t:1:1: error: upstream: takes one name"},
      {"map $a { }", "t:1:1: error: map: an argument is missing"},
      {"user a; user b;", "t:1:9: error: user: is duplicate"},
      {"user x { }", "t:1:1: error: user: takes no block"},
      {"events;", "t:1:1: error: events: a block is missing"},
      {"nothing;", "t:1:1: error: unknown directive \"nothing\""},
      {"log_format;", "t:1:1: error: log_format: takes a name"},
      {"map a b { }", "t:1:1: error: map: the name of a variable must begin with $"},
      {"map $a $b { x; }", "t:1:13: error: x: an entry is KEY VALUE;"},
      {"map $a $b { x { } }", "t:1:13: error: x: takes no block"},
      {"types { a { } }", "t:1:9: error: a: takes no block"},
      {"server { location ! x { } }", "t:1:10: error: location: invalid modifier \"!\""},
      {"server { location a b c { } }", "t:1:10: error: location: takes 1 or 2 arguments"},
      {"user; listen;",
       "t:1:7: error: listen: is not allowed in main, http; it belongs in server, admin"},
      {"user; pid a b c; worker_processes ''; send_timeout; proxy_buffering maybe; add_header A; "
       "add_header A b c d; server { listen; return 1 2 3; listen 80 x; server_name; }",
       ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    const auto parsed = parse_text("t", c.text, {});
    Diagnostics diagnostics;
    const auto yaml = write_yaml(parsed.tree, parsed.dialect, diagnostics);
    CAPTURE(yaml);
    LoadResult result;
    result.diagnostics = diagnostics.take();
    CHECK(problems(result) == c.want);
    if (c.want.empty()) CHECK(form_of(parse_text("again", yaml, {})) == form_of(parsed));
  }
}

TEST_CASE("the samples mean the same in YAML") {
  const std::filesystem::path tests = WEIR_TEST_DATA;
  for (const auto& folder : {tests / "../config", tests / "config/convert",
                             tests / "config/include", tests / "fuzz/corpus/nginx_conf"}) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      check_file(entry.path());
      ++count;
    }
    CAPTURE(folder.string());
    CHECK(count > 0);
  }
}

// WEIR_CONFIGURATIONS names folders, with `:` between: what loads of their files is converted.
TEST_CASE("configurations from elsewhere mean the same in YAML") {
  const char* folders = std::getenv("WEIR_CONFIGURATIONS");
  std::string rest = folders != nullptr ? folders : "";
  while (!rest.empty()) {
    const auto end = std::min(rest.find(':'), rest.size());
    for (const auto& entry : std::filesystem::recursive_directory_iterator(rest.substr(0, end))) {
      if (entry.is_regular_file()) check_file(entry.path());
    }
    rest.erase(0, end + 1);
  }
}
