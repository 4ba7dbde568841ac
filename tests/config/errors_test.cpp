// What the operator is told: one row for each kind of mistake.
#include "support.h"

using namespace weir::config::testing;

namespace {

struct Case {
  const char* text;
  std::string want;  // all problems, a line each
};

void check(std::initializer_list<Case> cases) {
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(problems_of(c.text) == c.want);
  }
}

// The directive in a location of a server; it starts at 1:21.
void check_in_location(std::initializer_list<Case> cases) {
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(problems_of(std::string("server { location / ") + "{" + c.text + "}}") == c.want);
  }
}

}  // namespace

TEST_CASE("syntax") {
  check({
      {"server { listen 80; ",
       "t:1:21: error: unexpected end of file, expecting \"}\" for the \"server\" opened in line "
       "1"},
      {"server { listen 80 }", "t:1:20: error: unexpected \"}\"; \"listen\" lacks a \";\""},
      {"}", "t:1:1: error: unexpected \"}\"; no block is open here"},
      {";", "t:1:1: error: unexpected \";\""},
      {"user x; {", "t:1:9: error: unexpected \"{\""},
      {"user x", "t:1:6: error: unexpected end of file, expecting \";\" or \"}\""},
      {"user x\n", "t:1:1: error: \"user\" lacks a \";\"; the file ends inside it"},
      {"user \"x\ny", "t:1:6: error: no closing \"; the quote is opened here"},
  });
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "http{";
  CHECK(problems_of(deep) == "t:1:301: error: blocks are nested more than 60 deep");
}

TEST_CASE("names and places") {
  check({
      {"server { proxy_pas x; }",
       "t:1:10: error: unknown directive \"proxy_pas\"; did you mean \"proxy_pass\"?"},
      {"http { listen 80; }",
       "t:1:8: error: listen: is not allowed in http; it belongs in server, admin"},
      {"server { server { } }",
       "t:1:10: error: server: is not allowed in server; it belongs in http, upstream"},
      {"server { ip_hash; }",
       "t:1:10: error: ip_hash: is not allowed in server; it belongs in upstream"},
      {"http { user x; }", "t:1:8: error: user: is not allowed in http; it belongs in main"},
      {"upstream a { server b; ntlm; } upstream c { server d; ntlm; }",
       "t:1:24: error: ntlm: nginx has this directive, weir does not support it yet; remove it"},
      {"server { location / { fastcgi_pass a; fastcgi_param b c; } }",
       "t:1:23: error: fastcgi_pass: nginx has this directive, weir will not have it; peers are "
       "spoken to in HTTP: use proxy_pass, to a server that speaks to the application\n"
       "t:1:39: error: fastcgi_param: nginx has this directive, weir will not have it; peers are "
       "spoken to in HTTP: use proxy_pass, to a server that speaks to the application"},
      {"vhost_traffic_status_zone;",
       "t:1:1: error: vhost_traffic_status_zone: is a directive of a third-party module; the "
       "`admin` listener has metrics; remove it"},
      {"user x;\nuser y;", "t:2:1: error: user: is duplicate; first at line 1"},
      {"server x { }", "t:1:1: error: server: takes 0 arguments, 1 given"},
      {"user;", "t:1:1: error: user: takes 1 to 2 arguments, 0 given"},
      {"server { server_name; }", "t:1:10: error: server_name: takes at least 1 argument, 0 given"},
      {"server;", "t:1:1: error: server: a block is missing; put its directives between { and }"},
      {"user x { }", "t:1:1: error: user: takes no block; end it with \";\""},
      {"server { merge_slashes yes; }",
       "t:1:24: error: merge_slashes: invalid value \"yes\"; use on or off"},
      {"defaults best;",
       "t:1:10: error: defaults: unknown set of defaults \"best\"; use nginx or "
       "careful"},
  });
}

TEST_CASE("all errors of a file, up to 20") {
  CHECK(problems_of("server { listen x y; lisen 1; merge_slashes 2; }") ==
        "t:1:19: error: listen: unknown parameter \"y\"\n"
        "t:1:17: error: listen: host \"x\" is not found: no such host; write an address, or mend "
        "the name\n"
        "t:1:22: error: unknown directive \"lisen\"; did you mean \"listen\"?\n"
        "t:1:45: error: merge_slashes: invalid value \"2\"; use on or off");
  std::string many;
  for (int i = 0; i < 50; ++i) many += "zzzzzz;";
  const auto result = weir::config::load_text("t", many, options());
  CHECK(result.diagnostics.size() == 20);
  CHECK(!result.model);
}

TEST_CASE("main") {
  check({
      {"worker_processes 0;",
       "t:1:18: error: worker_processes: invalid number \"0\"; it must be "
       "from 1 to 512"},
      {"worker_processes many;",
       "t:1:18: error: worker_processes: invalid number \"many\"; it "
       "must be from 1 to 512"},
      {"events { worker_connections 1k; }",
       "t:1:29: error: worker_connections: invalid number \"1k\"; it must be from 1 to 2147483647"},
      {"worker_shutdown_timeout 1x;",
       "t:1:25: error: worker_shutdown_timeout: invalid time \"1x\"; write 30s or 1h30m"},
      {"admin { }", "t:1:1: error: admin: no address to listen on; write listen 127.0.0.1:9180"},
      {"error_log /x loud;", "t:1:14: error: error_log: unknown level \"loud\""},
      {"error_log /x eror;",
       "t:1:14: error: error_log: unknown level \"eror\"; did you mean "
       "\"error\"?"},
      {"error_log_limit 0;",
       "t:1:17: error: error_log_limit: invalid number \"0\"; it must be from 1 to 1000000"},
      {"error_log_limit 5 10ms;",
       "t:1:19: error: error_log_limit: a time from 1s to 24h is expected, such as 10s"},
      {"error_log_limit off 10s;",
       "t:1:21: error: error_log_limit: after off there is nothing to say"},
      {"error_log syslog:server=x;",
       "t:1:11: error: error_log: host \"x\" is not found: no such host; write an address, or "
       "mend the name"},
      {"error_log syslog:tag=a;",
       "t:1:11: error: error_log: syslog: the server is missing; write syslog:server=ADDRESS"},
      {"", "configuration: warning: there is no server; nothing will be served"},
  });
}

TEST_CASE("upstreams") {
  check({
      {"upstream a { }",
       "t:1:1: error: upstream: no servers are inside upstream \"a\"; add server HOST:PORT"},
      {"upstream a { server b backup; }",
       "t:1:1: error: upstream: all servers of \"a\" are backups; one must not be"},
      {"upstream a { server b; }\nupstream A { server c; }",
       "t:2:10: error: upstream: duplicate upstream \"A\"; first at t:1:1"},
      {"upstream a/b { server c; }",
       "t:1:10: error: upstream: invalid name \"a/b\"; use letters, digits, - . and _"},
      {"upstream a { server b:0; }",
       "t:1:21: error: server: invalid address \"b:0\": invalid port \"0\"; it must be from 1 to "
       "65535"},
      {"upstream a { server b:x; }",
       "t:1:21: error: server: invalid address \"b:x\": invalid port \"x\"; it must be from 1 to "
       "65535"},
      {"upstream a { server b:70000; }",
       "t:1:21: error: server: invalid address \"b:70000\": invalid port \"70000\"; it must be "
       "from 1 to 65535"},
      {"upstream a { server http://b; }",
       "t:1:21: error: server: invalid address \"http://b\": an address is wanted, not a URL; "
       "write it without \"http://\""},
      {"upstream a { server ::1; }",
       "t:1:21: error: server: invalid address \"::1\": an IPv6 address needs brackets: [::1]"},
      {"upstream a { server [::1; }",
       "t:1:21: error: server: invalid address \"[::1\": invalid IPv6 address"},
      {"upstream a { server [::1]x; }",
       "t:1:21: error: server: invalid address \"[::1]x\": a port or nothing must follow \"]\""},
      {"upstream a { server b/c; }",
       "t:1:21: error: server: invalid address \"b/c\": invalid host \"b/c\""},
      {"upstream a { server :80; }", "t:1:21: error: server: invalid address \":80\": no host"},
      {"upstream a { server unix:; }",
       "t:1:21: error: server: invalid address \"unix:\": no path after unix:"},
      {"upstream a { server b weight=0; }",
       "t:1:23: error: server: invalid number \"0\"; it must be from 1 to 65535"},
      {"upstream a { server b wieght=2; }",
       "t:1:23: error: server: unknown parameter \"wieght=2\"; did you mean \"weight\"?"},
      {"upstream a { server b weight; }",
       "t:1:23: error: server: parameter \"weight\" needs a value: weight=..."},
      {"upstream a { server b down=1; }",
       "t:1:23: error: server: parameter \"down\" takes no value"},
      {"upstream a { server b down down; }",
       "t:1:14: warning: server: parameter \"down\" is given twice\n"
       "configuration: warning: there is no server; nothing will be served"},
      {"upstream a { server b fail_timeout=500ms; }",
       "t:1:23: error: server: fail_timeout counts whole seconds"},
      {"upstream a { server b max_fails=-1; }",
       "t:1:23: error: server: invalid number \"-1\"; it must be from 0 to 2147483647"},
      {"upstream a { server b resolve; server c service=x; }",
       "t:1:32: error: server: service needs the parameter resolve"},
      {"upstream a { server b:80 resolve service=x; server 10.0.0.1 service=x resolve; "
       "server c service= resolve; }",
       "t:1:21: error: server: with service, \"b:80\" must be a host name without a port: SRV "
       "records "
       "have the ports\n"
       "t:1:52: error: server: with service, \"10.0.0.1\" must be a host name without a port: SRV "
       "records have the ports\n"
       "t:1:89: error: server: service is empty; write service=NAME"},
      {"upstream a { ip_hash; server b; server c backup; }",
       "t:1:42: error: server: ip_hash does not support \"backup\"; put ip_hash after the servers, "
       "or leave one of them out"},
      {"upstream a { server b; keepalive x; }",
       "t:1:34: error: keepalive: invalid number \"x\"; it must be from 0 to 1048576"},
      {"upstream a { server b; keepalive 3 locl; }",
       "t:1:36: error: keepalive: unknown parameter \"locl\"; did you mean \"local\"?"},
      {"upstream a { hash $uri; server b; server c backup; }",
       "t:1:44: error: server: hash does not support \"backup\"; put hash after the servers, "
       "or leave one of them out"},
      {"upstream a { least_conn; random two; server b; server c backup; }",
       "t:1:26: warning: random: the method of choice is set already; this one holds\n"
       "t:1:57: error: server: random does not support \"backup\"; put random after the servers, "
       "or leave one of them out"},
      {"upstream a { server b; balance fair; }",
       "t:1:32: error: balance: unknown method \"fair\"; use round_robin, ip_hash, hash, "
       "least_conn, random or least_time"},
      {"upstream a { server b; balance least_con; }",
       "t:1:32: error: balance: unknown method \"least_con\"; did you mean \"least_conn\"?"},
      {"upstream a { server b; balance hash; }",
       "t:1:32: error: balance: is written hash KEY [consistent] [bounded=PERCENT]"},
      {"upstream a { server b; balance least_conn 1; }",
       "t:1:32: error: balance: is written least_conn"},
      {"upstream a { server b; balance round_robin 1; }",
       "t:1:44: error: balance: round_robin takes no parameters"},
      {"upstream a { server b; ip_hash all; }",
       "t:1:32: error: ip_hash: unknown parameter \"all\"; use full or nothing"},
      {"upstream a { server b; hash $uri consistant; }",
       "t:1:34: error: hash: unknown parameter \"consistant\"; use consistent, "
       "bounded=PERCENT or nothing"},
      {"upstream a { server b; hash $urii; }",
       "t:1:29: error: hash: unknown variable \"urii\"; did you mean \"uri\"?"},
      {"upstream a { server b; random three; random two most; random two least_conn x; }",
       "t:1:31: error: random: unknown parameter \"three\"; use two or nothing\n"
       "t:1:38: warning: random: the method of choice is set already; this one holds\n"
       "t:1:49: error: random: invalid value \"most\"; use least_conn, least_time=header or "
       "least_time=last_byte\n"
       "t:1:55: error: random: takes 0 to 2 arguments, 3 given"},
      {"upstream a { server b; least_time inflight; }",
       "t:1:35: error: least_time: invalid value \"inflight\"; use header or last_byte"},
      {"upstream a { server b; least_time header; least_time last_byte; }",
       "t:1:43: error: least_time: is duplicate; first at line 1"},
  });
}

TEST_CASE("health checks") {
  check({
      {"server { location / { health_check; } }",
       "t:1:23: error: health_check: there is no proxy_pass to an upstream block beside it; add "
       "one, or put health_check into the upstream"},
      {"server { location / { proxy_pass http://127.0.0.1; health_check; } }",
       "t:1:52: error: health_check: there is no proxy_pass to an upstream block beside it; add "
       "one, or put health_check into the upstream"},
      {"upstream a { server b; health_check; } server { location / { proxy_pass http://a; "
       "health_check; } }",
       "t:1:83: error: health_check: upstream \"a\" has a health_check already that asks the same, "
       "at "
       "t:1:24; several of them differ in type, uri, host, port, grpc_service or match"},
      {"upstream a { server b; health_check interval=0 uri=x match=m fials=2 passes=0 type=udp "
       "timeout=x; }",
       "t:1:62: error: health_check: unknown parameter \"fials=2\"; did you mean \"fails\"?\n"
       "t:1:37: error: health_check: interval must not be 0\n"
       "t:1:48: error: health_check: uri must begin with / and have no blanks\n"
       "t:1:54: error: health_check: unknown match \"m\"; define it: match NAME { status 200; }\n"
       "t:1:70: error: health_check: invalid number \"0\"; it must be from 1 to 1000\n"
       "t:1:79: error: health_check: unknown type \"udp\"; use http, tcp or grpc\n"
       "t:1:88: error: health_check: invalid time \"x\"; write 30s or 1h30m"},
      {"upstream a { server b; health_check type=tcp uri=/; }",
       "t:1:24: error: health_check: uri, status, keepalive_time and the tests of an answer need "
       "type=http"},
      {"match m { expect a; } upstream a { server b; health_check match=m type=http; }",
       "t:1:46: error: health_check: send and expect need type=tcp"},
      {"upstream a { server b; health_check grpc_status=17; } upstream c { server d; health_check "
       "grpc_service=x; } upstream e { server f; health_check type=grpc uri=/; }",
       "t:1:37: error: health_check: invalid number \"17\"; it must be from 0 to 16\n"
       "t:1:37: error: health_check: grpc_service and grpc_status need type=grpc\n"
       "t:1:91: error: health_check: grpc_service and grpc_status need type=grpc\n"
       "t:1:132: error: health_check: uri, status, keepalive_time and the tests of an answer need "
       "type=http"},
      {"upstream a { server b; health_check off { status 200; } }",
       "t:1:24: error: health_check: \"off\" stands alone"},
      {"match m { } upstream a { server b; health_check match=m { status 200; } }",
       "t:1:36: error: health_check: has a match by name and one of its own; remove one"},
      {"match m { status 20; status 200; }",
       "t:1:18: error: status: invalid status \"20\"; write 200 or 200-399\n"
       "t:1:22: error: status: is duplicate; first at line 1"},
      {"match m { header \"x y\"; header x y; header ! ; header x <> y; header x ~ (; }",
       "t:1:18: error: header: invalid name of a field \"x y\"\n"
       "t:1:25: error: header: the value or the operator is missing; write NAME, ! NAME or NAME = "
       "VALUE\n"
       "t:1:37: error: header: the value or the operator is missing; write NAME, ! NAME or NAME = "
       "VALUE\n"
       "t:1:57: error: header: unknown operator \"<>\"; use =, !=, ~, ~*, !~ or !~*\n"
       "t:1:74: error: header: invalid regular expression \"(\": missing closing parenthesis at "
       "offset 1"},
      {"match m { body a b; body ~ (; body \"\"; send \\x0g; send \"\"; expect ! b; }",
       "t:1:16: error: body: unknown operator \"a\"; use !, =, !=, ~, ~*, !~ or !~*, and quotes "
       "around "
       "a text with blanks\n"
       "t:1:28: error: body: invalid regular expression \"(\": missing closing parenthesis at "
       "offset "
       "1\n"
       "t:1:36: error: body: the text is empty; write body = \"\" for an empty body\n"
       "t:1:45: error: send: \\x in \"\\x0g\" needs two hexadecimal digits\n"
       "t:1:51: error: send: is duplicate; first at line 1\n"
       "t:1:67: error: expect: unknown operator \"!\"; use ~ or ~*, and quotes around a text with "
       "blanks"},
      {"match m { status 200; expect a; }",
       "t:1:1: error: match: send and expect are of type=tcp, status, header, require and body of "
       "type=http; make two of it"},
      {"match m { send a; require $status; }",
       "t:1:1: error: match: send and expect are of type=tcp, status, header, require and body of "
       "type=http; make two of it"},
      {"match m { require $ok; }",
       "t:1:19: error: require: \"$ok\" says nothing of the answer to a check; use "
       "$upstream_http_NAME, $upstream_status or $status"},
      {"match m { require $upstream_http_a $http_a $upstream_http_a$status a$status $; }",
       "t:1:36: error: require: \"$http_a\" says nothing of the answer to a check; use "
       "$upstream_http_NAME, $upstream_status or $status\n"
       "t:1:44: error: require: \"$upstream_http_a$status\" is not one variable; write "
       "$upstream_http_NAME\n"
       "t:1:68: error: require: \"a$status\" is not one variable; write $upstream_http_NAME\n"
       "t:1:77: error: require: \"$\" is not one variable; write $upstream_http_NAME"},
      {"match m { require $status; } upstream a { server b; health_check type=grpc match=m; }",
       "t:1:53: error: health_check: uri, status, keepalive_time and the tests of an answer need "
       "type=http"},
      {"upstream a { server b; health_check { require $upstream_http_a; }\n"
       "health_check { require $upstream_http_A; } }",
       "t:2:1: error: health_check: upstream \"a\" has a health_check already that asks the same, "
       "at t:1:24; several of them differ in type, uri, host, port, grpc_service or match"},
      {"match m { status ! ; }", "t:1:11: error: status: no status is given; write 200 or 200-399"},
      {"match m { status 300-200; }",
       "t:1:18: error: status: invalid status \"300-200\"; write 200 or 200-399"},
      {"match m { status 200; } match m { status 200; }",
       "t:1:31: error: match: duplicate match \"m\""},
  });
}

TEST_CASE("listen") {
  check({
      {"server { listen 0; }",
       "t:1:17: error: listen: invalid address \"0\": invalid port \"0\"; "
       "it must be from 1 to 65535"},
      {"server { listen 127.0.0.1:99999; }",
       "t:1:17: error: listen: invalid address \"127.0.0.1:99999\": invalid port \"99999\"; it "
       "must be from 1 to 65535"},
      {"server { listen example.org:80; }",
       "t:1:17: error: listen: host \"example.org\" is not found: no such host; write an address, "
       "or mend the name"},
      {"server { listen 90-80; }",
       "t:1:17: error: listen: invalid address \"90-80\": the range of ports ends before it "
       "begins"},
      {"server { listen 80-90; listen 85; }",
       "t:1:31: error: listen: duplicate listen \"0.0.0.0:85\" in this block"},
      {"server { listen 80; listen *:80; }",
       "t:1:28: error: listen: duplicate listen \"0.0.0.0:80\" in this block"},
      {"server { listen 80 ssl; }",
       "t:1:10: error: listen: there is no ssl_certificate for \"listen 0.0.0.0:80 ssl\"; name one "
       "in this server"},
      {"server { listen 80 quic; }",
       "t:1:20: error: listen: parameter \"quic\" is not supported yet; remove it"},
      {"server { listen 80; ssl_ciphers no-such; }",
       "t:1:33: error: ssl_ciphers: invalid list \"no-such\": no cipher match; see "
       "openssl-ciphers(1)"},
      {"server { listen 80; ssl_session_cache shared:x; }",
       "t:1:39: error: ssl_session_cache: invalid zone \"shared:x\"; write shared:NAME:10m"},
      {"server { listen 80; ssl_certificate /no/such.pem; }",
       "t:1:37: error: ssl_certificate: cannot read \"/no/such.pem\": No such file or directory"},
      {"server { listen 80 so_keepalive=1h:x; }",
       "t:1:20: error: listen: invalid value \"1h:x\" of so_keepalive; use on, off or "
       "IDLE:INTERVAL:COUNT"},
      {"server { listen 80 so_keepalive=::; }",
       "t:1:20: error: listen: invalid value \"::\" of so_keepalive; use on, off or "
       "IDLE:INTERVAL:COUNT"},
      {"server { listen 80 backlog=0; }",
       "t:1:20: error: listen: invalid number \"0\"; it must be from 1 to 1048576"},
      {"server { listen 80 ipv6only=on; }",
       "t:1:10: warning: listen: ipv6only is for IPv6 addresses only"},
      {"server { listen 80 so_keepalive=maybe; }",
       "t:1:20: error: listen: invalid value \"maybe\" of so_keepalive; use on, off or "
       "IDLE:INTERVAL:COUNT"},
      {"server { listen 80 reusport; }",
       "t:1:20: error: listen: unknown parameter \"reusport\"; did you mean \"reuseport\"?"},
      {"server { listen 80 default_server; }\nserver { listen 80 default_server; }",
       "t:2:10: error: listen: duplicate default server for 0.0.0.0:80; first at t:1:10\n"
       "t:2:1: warning: server_name: conflicting name \"\" on 0.0.0.0:80 is ignored; first at "
       "t:1:1"},
      {"server { listen 80 backlog=5; server_name a; }\nserver { listen 80 backlog=6; "
       "server_name b; }",
       "t:2:10: error: listen: duplicate listen options for 0.0.0.0:80; first at t:1:10"},
  });
}

TEST_CASE("server names") {
  check({
      {"server { server_name a.*.b; }",
       "t:1:22: error: server_name: invalid name or wildcard \"a.*.b\"; write example.org, "
       "*.example.org or www.*"},
      {"server { server_name *; }",
       "t:1:22: error: server_name: invalid name or wildcard \"*\"; write example.org, "
       "*.example.org or www.*"},
      {"server { server_name a..b; }",
       "t:1:22: error: server_name: invalid name or wildcard \"a..b\"; write example.org, "
       "*.example.org or www.*"},
      {"server { server_name ~; }", "t:1:22: error: server_name: the regular expression is empty"},
      {"server { server_name ~(; }",
       "t:1:22: error: server_name: invalid regular expression \"(\": missing closing parenthesis "
       "at offset 1"},
      {"server { server_name a/b; }",
       "t:1:10: warning: server_name: name \"a/b\" has suspicious symbols"},
  });
}

TEST_CASE("locations") {
  check({
      {"server { location ~~ /a { } }",
       "t:1:19: error: location: invalid modifier \"~~\"; use =, ^~, ~ or ~*"},
      {"server { location /a { } location /a { } }",
       "t:1:26: error: location: duplicate location \"/a\"; first at line 1"},
      {"server { location /a { }\nlocation ^~ /a { } }",
       "t:2:1: error: location: duplicate location \"/a\"; first at line 1"},
      {"server { location @a { } location @a { } }",
       "t:1:26: warning: location: duplicate location \"@a\" is never used; first at line 1"},
      {"server { location = /a { location /a/b { } } }",
       "t:1:26: error: location: location \"/a/b\" cannot be inside the exact location \"/a\""},
      {"server { location @a { location /b { } } }",
       "t:1:24: error: location: location \"/b\" cannot be inside the named location \"@a\""},
      {"server { location /a { location @b { } } }",
       "t:1:24: error: location: named location \"@b\" can be on the server level only"},
      {"server { location /a { location /b { } } }",
       "t:1:24: error: location: location \"/b\" is outside location \"/a\""},
      {"server { location ~ [ { } }",
       "t:1:21: error: location: invalid regular expression \"[\": missing terminating ] for "
       "character class at offset 1"},
  });
}

TEST_CASE("proxying") {
  check_in_location({
      {"proxy_pass ftp://x;",
       "t:1:33: error: proxy_pass: invalid URL prefix in \"ftp://x\"; it "
       "must begin with http:// or https://"},
      {"proxy_pass https://x; proxy_ssl_verify on;",
       "t:1:10: error: proxy_ssl_verify: there is nothing to check certificates by; name "
       "authorities with proxy_ssl_trusted_certificate"},
      {"proxy_pass https://$nox;", "t:1:33: error: proxy_pass: unknown variable \"nox\""},
      {"proxy_pass http://;", "t:1:33: error: proxy_pass: invalid URL \"http://\": no host"},
      {"proxy_pass http://a:b;",
       "t:1:33: error: proxy_pass: invalid URL \"http://a:b\": invalid "
       "port \"b\"; it must be from 1 to 65535"},
      {"proxy_pass http://$x;", "t:1:33: error: proxy_pass: unknown variable \"x\""},
      {"proxy_pass http://${host;",
       "t:1:33: error: proxy_pass: in \"http://${host\" \"}\" is missing after \"${host\""},
      {"proxy_pass http://a$;",
       "t:1:33: error: proxy_pass: in \"http://a$\" a name is missing after \"$\""},
      {"proxy_set_header \"a b\" c;",
       "t:1:39: error: proxy_set_header: invalid field name \"a b\""},
      {"proxy_set_header a \"b\\nc\";",
       "t:1:22: warning: proxy_set_header: the value has line breaks, which no field can have; "
       "each is sent as a space"},
      {"proxy_set_header a $remote_adr;",
       "t:1:41: error: proxy_set_header: unknown variable "
       "\"remote_adr\"; did you mean \"remote_addr\"?"},
      {"proxy_set_header a $ssl_sigalg;",
       "t:1:41: error: proxy_set_header: variable "
       "$ssl_sigalg of nginx is not supported yet; remove "
       "it"},
      {"grpc_pass http://a:1;",
       "t:1:32: error: grpc_pass: invalid URL prefix in \"http://a:1\"; it must begin with grpc:// "
       "or "
       "grpcs://"},
      {"grpc_pass grpc://a;",
       "t:1:32: error: grpc_pass: there is no upstream \"a\", and a host needs a port; write "
       "HOST:PORT"},
      {"grpc_next_upstream eror;",
       "t:1:41: error: grpc_next_upstream: unknown word \"eror\"; did you mean \"error\"?"},
      {"proxy_http_version 1.2;",
       "t:1:41: error: proxy_http_version: invalid version \"1.2\"; use 1.0, 1.1 or 2"},
      {"proxy_next_upstream eror;",
       "t:1:42: error: proxy_next_upstream: unknown word "
       "\"eror\"; did you mean \"error\"?"},
      {"proxy_read_timeout soon;",
       "t:1:41: error: proxy_read_timeout: invalid time \"soon\"; write 30s or 1h30m"},
      {"client_max_body_size big;",
       "t:1:43: error: client_max_body_size: invalid size \"big\"; write 512, 16k or 1m"},
      {"proxy_next_upstream_tries -1;",
       "t:1:48: error: proxy_next_upstream_tries: invalid number "
       "\"-1\"; it must be from 0 to 2147483647"},
      {"add_header a b sometimes;", "t:1:37: error: add_header: unknown parameter \"sometimes\""},
      {"return;", "t:1:22: error: return: takes 1 to 2 arguments, 0 given"},
      {"return x;",
       "t:1:29: error: return: invalid status \"x\"; write CODE, CODE TEXT, CODE URL "
       "or a URL with http://"},
      {"return 1000;",
       "t:1:29: error: return: invalid status \"1000\"; write CODE, CODE TEXT, "
       "CODE URL or a URL with http://"},
  });
  check({
      {"upstream a { server b; } server { location / { proxy_pass http://a:80; } }",
       "t:1:59: error: proxy_pass: upstream \"a\" may not have port 80; leave it out"},
      {"server { location ~ /a { proxy_pass http://a/b; } }",
       "t:1:37: error: proxy_pass: cannot have a URI (\"/b\") in a regex location: there is no "
       "prefix for it to replace; leave it out"},
      {"server { location @a { proxy_pass http://a/; } }",
       "t:1:35: error: proxy_pass: cannot have a URI (\"/\") in a named location: there is no "
       "prefix for it to replace; leave it out"},
      {"server { location / { if ($uri) { proxy_pass http://a/; } } }",
       "t:1:46: error: proxy_pass: cannot have a URI (\"/\") in an \"if\": there is no prefix for "
       "it "
       "to replace; leave it out"},
      {"server { location / { limit_except GET { proxy_pass http://a/; } } }",
       "t:1:53: error: proxy_pass: cannot have a URI (\"/\") in a limit_except: there is no prefix "
       "for it to replace; leave it out"},
      {"server { proxy_pass http://a; }",
       "t:1:10: error: proxy_pass: is not allowed in server; it belongs in location, if "
       "(location), limit_except"},
  });
}

TEST_CASE("clients and logs") {
  check_in_location({
      {"set_real_ip_from 10.0.0.0/40;",
       "t:1:39: error: set_real_ip_from: invalid address or network \"10.0.0.0/40\"; write "
       "10.0.0.1, 10.0.0.0/8, 2001:db8::/32 or unix:"},
      {"set_real_ip_from nowhere;",
       "t:1:39: error: set_real_ip_from: host \"nowhere\" is not found: no such host; write an "
       "address, or mend the name"},
      {"set_real_ip_from 10.1.2.3/8;",
       "t:1:22: warning: set_real_ip_from: low bits of the address \"10.1.2.3/8\" mean nothing; "
       "write 10.0.0.0/8"},
      {"server_tokens maybe;",
       "t:1:36: error: server_tokens: invalid value \"maybe\"; use on, off or build"},
      {"access_log /x nope;", "t:1:36: error: access_log: unknown log format \"nope\""},
      {"access_log /x combned;",
       "t:1:36: error: access_log: unknown log format \"combned\"; did "
       "you mean \"combined\"?"},
      {"access_log /x combined gzip=10;",
       "t:1:45: error: access_log: invalid number \"10\"; it must be from 1 to 9"},
      {"access_log /x$host combined buffer=1k;",
       "t:1:33: error: access_log: a path with variables cannot be buffered; leave out buffer=, "
       "flush= and gzip"},
      {"access_log syslog:server=x;",
       "t:1:33: error: access_log: host \"x\" is not found: no such host; write an address, or "
       "mend the name"},
      {"access_log syslog:server=[::1],facility=no;",
       "t:1:33: error: access_log: syslog: invalid parameter \"facility=no\"; known are server=, "
       "facility=, severity=, tag= and nohostname"},
      {"access_log off combined;", "t:1:37: error: access_log: \"off\" stands alone"},
      {"access_log /x combined buffer=0;",
       "t:1:45: error: access_log: the buffer must have 1 byte to 64 MiB"},
  });
  check({
      {"log_format combined x;", "t:1:12: error: log_format: duplicate format \"combined\""},
      {"log_format a escape=xml b;",
       "t:1:14: error: log_format: unknown escape \"xml\"; use default, json or none"},
      {"log_format a '$stats';",
       "t:1:14: error: log_format: unknown variable \"stats\"; did you "
       "mean \"status\"?"},
      {"large_client_header_buffers 4 1g;",
       "t:1:1: error: large_client_header_buffers: the buffers must have 1 byte to 16 MiB in all"},
  });
}

TEST_CASE("maps") {
  check({
      {"map $host name { }",
       "t:1:11: error: map: invalid variable name \"name\"; it must begin with $"},
      {"map $host $uri { }", "t:1:11: error: map: $uri is a variable of weir; choose another name"},
      {"map $hots $a { }", "t:1:5: error: map: unknown variable \"hots\"; did you mean \"host\"?"},
      {"map $host $a { x; }", "t:1:16: error: x: an entry of a map is KEY VALUE;"},
      {"map $host $a { x y; X z; }", "t:1:21: error: X: is duplicate in this map"},
      {"map $host $a { default 1; default 2; }",
       "t:1:27: error: default: is duplicate in this map"},
      {"map $host $a { ~( 1; }",
       "t:1:16: error: ~(: invalid regular expression \"(\": missing closing parenthesis at "
       "offset 1"},
      {"map $host $a { } map $host $a { } server { }",
       "t:1:18: warning: map: $a has a map already, at t:1:1; this one holds"},
      {"map $host $a { hostnames; a*b 1; .c 2; c 3; *.c 4; }",
       "t:1:27: error: a*b: invalid name or wildcard; write example.org, *.example.org or www.*\n"
       "t:1:40: error: c: is duplicate in this map\n"
       "t:1:45: error: *.c: is duplicate in this map"},
  });
}

TEST_CASE("a file that can't be read") {
  const auto result = weir::config::load("/none.conf", options());
  CHECK(problems(result) ==
        "/none.conf: error: cannot read the configuration: No such file or directory");
}
