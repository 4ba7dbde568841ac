"""What becomes of a request: the same for nginx and weir, seen from the client and from the node.

Every row is a configuration and the requests to try on it; @a@ and @b@ are nodes.
"""

import pytest

from pair import scripted
from wire import request


def get(*targets, **options):
    return [request(target, **options) for target in targets]


def answer(script, target="/", **options):
    """A request that tells the node what to answer; see pair.scripted."""
    return request(target, f"X-Answer: {script}", **options)


class Differs(bytes):
    """A request that nginx and weir treat differently, and why."""

    def __new__(cls, data, why, meant):
        self = super().__new__(cls, data)
        self.why, self.meant = why, meant
        return self


def meant(data, why):
    """On purpose: the test fails when the difference has gone."""
    return Differs(data, why, True)


def still(data, why):
    """weir does not do this yet."""
    return Differs(data, why, False)


PASS = "server { listen @listen@; location / { proxy_pass http://@a@; } }"

ROWS = [
    # How a location is found.
    ("locations", """server { listen @listen@;
        location = / { return 200 root; }
        location = /exact { return 200 exact; }
        location / { return 200 prefix; }
        location /doc/ { return 200 doc; }
        location /doc/deep { return 200 deep; }
        location ^~ /strong/ { return 200 strong; }
        location ~ \\.php$ { return 200 php; }
        location ~* \\.(gif|JPG|png)$ { return 200 image; }
        location ~ ^/doc/deep/re { return 200 regex; } }""",
     get("/", "/x", "/exact", "/exact/", "/exact?q", "/doc", "/doc/", "/doc/x", "/doc/deep",
         "/doc/deeper", "/doc/deep/regex", "/strong/x.php", "/strong", "/a.php", "/a.PHP",
         "/a.php/x", "/a.png", "//exact", "/./exact",
         "/x/../exact", "/%65xact", "/exact%2F", "/a%2ephp", "/doc/../a.php", "/EXACT") +
     [still(request(target), "the types nginx has without a types block: html, gif, jpg")
      for target in ("/a.gif", "/a.Gif", "/a.jpg?x", "/doc/x.gif")]),
    ("nested locations", """server { listen @listen@;
        location /app/ { return 200 app;
            location /app/one/ { return 200 one;
                location ~ \\.txt$ { return 200 text; } }
            location = /app/two { return 200 two; }
            location ~ /app/.*\\.txt$ { return 200 inner; } }
        location ~ \\.txt$ { return 200 outer; }
        location / { return 200 all; } }""",
     get("/app/", "/app/x", "/app/one/", "/app/one/a.txt", "/app/two", "/app/two/x", "/app/a.txt",
         "/a.txt", "/app", "/x")),
    ("regex locations in order, with captures", """server { listen @listen@;
        location ~ ^/(\\w+)/(\\d+)$ { return 200 "first $1 $2"; }
        location ~ ^/(?<word>\\w+)/ { return 200 "second $word"; }
        location ~ . { return 200 "third $uri"; } }""",
     get("/abc/12", "/", "/a%20b") +
     [request(target) for target in ("/abc/12x", "/abc/")]),
    ("location without a slash redirects", """server { listen @listen@;
        location /app/ { proxy_pass http://@a@; }
        location = /own { return 200 own; }
        location /own/ { proxy_pass http://@a@; } }""",
     get("/app", "/app?x=1", "/app/", "/own", "/nothing") + get("/app", method="POST")),
    ("static files are not served", "server { listen @listen@; location /x { return 200 x; } }",
     get("/x")),

    # What the node is asked for.
    ("proxy_pass without a URI", PASS,
     get("/", "/a/b?c=d", "/a%20b", "/a%2Fb", "//a//b", "/a/../b", "/a/./b?x=../y", "/%E2%82%AC",
         "/a?", "/a?b?c", "/a;b=c", "/~x", "/a+b", "/%7e", "/a%zz", "/a%", "/a%00b", "/\\x") +
     [meant(request("/a#b"), "a fragment is no part of a target: 400, RFC 9112 section 3.2")]),
    ("proxy_pass with a URI", """server { listen @listen@;
        location / { proxy_pass http://@a@/; }
        location /api/ { proxy_pass http://@a@/v1/; }
        location /bare { proxy_pass http://@a@/v2; }
        location /slash/ { proxy_pass http://@a@; }
        location /query/ { proxy_pass http://@a@/q?fixed=1; }
        location = /one { proxy_pass http://@a@/two; } }""",
     get("/", "/x", "/api/", "/api/users?id=1", "/api/a%20b", "/api/a%2Fb", "/api/../x", "/barefoot",
         "/bare/x", "/bare", "/slash/x", "/query/x", "/query/x?y=2", "/one", "/one?x", "/api//x",
         "/api/%3Fx", "/api/%23x", "/api/%25x", "/api/;x", "/api/\"x")),
    ("proxy_pass with variables", """server { listen @listen@;
        location / { proxy_pass http://@a@$request_uri; }
        location /u/ { proxy_pass http://@a@$uri; }
        location ~ ^/re/(.*)$ { proxy_pass http://@a@/$1$is_args$args; } }""",
     get("/x?y", "/u/a?b=c", "/re/x/y?z=1", "/re/x")),
    ("proxy_pass in a nested location", """server { listen @listen@;
        location /a/ { proxy_pass http://@a@/x/;
            location /a/b/ { proxy_pass http://@b@/y/; }
            location ~ \\.txt$ { proxy_pass http://@b@; } } }""",
     get("/a/1", "/a/b/1", "/a/1.txt")),
    ("fields to the node", """server { listen @listen@; server_name example.com;
        location / { proxy_pass http://@a@;
            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Name $server_name;
            proxy_set_header X-Uri "$uri|$request_uri|$args|$request_method|$server_protocol";
            proxy_set_header Accept-Encoding "";
            proxy_set_header X-Empty ""; }
        location /host { proxy_pass http://@a@; proxy_set_header Host $http_host; }
        location /default { proxy_pass http://@a@; } }""",
     [request("/a?b=c", "X-Forwarded-For: 1.2.3.4", "Accept-Encoding: gzip", "X-Empty: full",
              "User-Agent: me"),
      request("/", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: 5.6.7.8"),
      request("/host", host="Example.COM:8080"), request("/", host="Example.COM:8080"),
      request("/default", host="Example.COM:8080"),
      request("/default", "Cookie: a=b", "cookie: c=d", "X-Two: 1", "X-Two: 2"),
      request("/default", "X_under: 1"),
      request("/default", "X.dot: 2"),
      request("/default", "TE: trailers", "Connection: close"),
      meant(request("/default", "Connection: X-Hop", "X-Hop: 1"),
            "what Connection names is of this hop only, RFC 9110 section 7.6.1")]),
    ("proxy_set_header is inherited as a whole", """proxy_set_header X-Http h;
        server { listen @listen@; proxy_set_header X-Server s;
        location / { proxy_pass http://@a@; }
        location /own { proxy_pass http://@a@; proxy_set_header X-Own o; } }""",
     get("/", "/own")),
    ("methods and bodies", PASS,
     [request("/", method=method) for method in ("HEAD", "OPTIONS", "DELETE", "PROPFIND")] +
     [request("/", method="POST", body=b"x" * 1000), request("/", method="PUT", body=b""),
      request("/", method="POST", body=b"y" * 100_000),
      request("/", version="1.0"), request("/", method="POST", body=b"z", version="1.0")]),
    ("request lines and heads", PASS,
     [line + b"\r\nHost: h\r\n\r\n" for line in (
         b"GET / HTTP/1.1", b"G-T / HTTP/1.1", b"GET x HTTP/1.1",
         b"GET / HTTP/1.0", b"GET / HTTP/2.0", b"GET / HTTP/1", b"GET / FTP/1.1", b"GET  HTTP/1.1",
         b"GET http://other/x HTTP/1.1", b"GET http://other HTTP/1.1", b"GET http:/x HTTP/1.1",
         b"\r\nGET / HTTP/1.1", b"GET / HTTP/1.1\r\nHost: two",
         b"GET / HTTP/1.1\r\nX : space", b"GET / HTTP/1.1\r\nX: a\r\n folded",
         b"GET / HTTP/1.1\r\nX: \0", b"GET / HTTP/1.1\r\nX:", b"GET / HTTP/1.1\r\nX:\t tab \t",
         b"GET / HTTP/1.1\r\nX: \xff\xfe", b"GET / HTTP/1.1\r\nX: " + b"y" * 7000,
         b"GET /" + b"u" * 7000 + b" HTTP/1.1", b"GET / HTTP/1.1\r\nContent-Length: 0",
         b"GET / HTTP/1.1\r\nContent-Length: +1", b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1",
         b"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999",
         b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
         b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip", b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked",
         b"GET / HTTP/1.1\r\n: empty")] +
     [b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
      b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
      b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
      meant(b"GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", "a port is a number: 400"),
      meant(b"get / HTTP/1.1\r\nHost: h\r\n\r\n", "any token is a method, RFC 9110 section 9.1"),
      meant(b"GET /\r\n\r\n", "HTTP/0.9 is not spoken"),
      meant(b"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", "405, which tells more than the 400 of nginx 1.22")]),
    ("upstream by name", """upstream Pool { server @a@; }
        server { listen @listen@; location / { proxy_pass http://Pool; }
                 location /uri/ { proxy_pass http://Pool/x/; } }""",
     get("/", "/uri/y")),

    # What the client is given.
    ("answers of the node", PASS,
     [answer(script) for script in (
         "200|hello", "201|Location: /new|made", "204|", "304|ETag: \"x\"|", "404|not here",
         "500|broken", "503|Retry-After: 3|later", "200|Set-Cookie: a=b|Set-Cookie: c=d|x",
         "200|X-Accel-Buffering: no|x", "200|Server: node|Date: Thu, 01 Jan 1970 00:00:00 GMT|x",
         "200|Content-Type: text/html; charset=utf-8|x", "200|Cache-Control: no-store|Vary: *|x",
         "200|X-Powered-By: y|Via: z|x", "206|Content-Range: bytes 0-0/9|x", "302|Location: /r|",
         "301|Location: https://other.example/|")]),
    ("redirects of the node", """upstream pool { server @a@; }
        server { listen @listen@;
        location / { proxy_pass http://@a@; }
        location /api/ { proxy_pass http://@a@/v1/; }
        location /pool/ { proxy_pass http://pool/; }
        location /off/ { proxy_pass http://@a@/; proxy_redirect off; } }""",
     [answer(f"302|Location: {location}|", target) for target, location in (
         ("/", "/x"), ("/", "http://@a@/x"), ("/", "https://@a@/x"), ("/", "http://other.example/x"),
         ("/api/q", "http://@a@/v1/x"), ("/api/q", "http://@a@/v2/x"), ("/api/q", "/v1/x"),
         ("/pool/q", "http://pool/x?y"), ("/off/q", "/x"), ("/off/q", "http://@a@/x"))] +
     [answer("201|Location: http://@a@/x|x"),
      still(answer("200|Refresh: 5; url=http://@a@/x|x"), "Refresh is not put right")]),
    ("add_header", """add_header X-Http h;
        server { listen @listen@; add_header X-Server s;
            location / { proxy_pass http://@a@; }
            location /own { proxy_pass http://@a@; add_header X-Own o; add_header X-Own p always; }
            location /var { proxy_pass http://@a@; add_header X-Var "$status $upstream_status"; }
            location /ret { return 200 x; }
            location /no { return 404; }
            location /always { return 404; add_header X-Always yes always; } }""",
     get("/", "/own", "/ret", "/no", "/always") +
     [request("/var")] +
     [answer(script, target) for target in ("/", "/own") for script in ("404|x", "302|y", "500|z",
                                                                       "201|", "206|w")]),
    ("proxy_hide_header", """server { listen @listen@;
        location / { proxy_pass http://@a@; proxy_hide_header X-Secret; proxy_hide_header Etag; }
        location /pass { proxy_pass http://@a@; proxy_pass_header X-Accel-Expires; } }""",
     [answer("200|X-Secret: 1|ETag: \"x\"|X-Open: 2|x"),
      answer("200|X-Accel-Expires: 5|X-Pad: q|x", "/pass"), answer("200|X-Accel-Expires: 5|x")]),
    ("return", """server { listen @listen@;
        location /text { return 200 "$uri and $args"; }
        location /empty { return 200; }
        location /204 { return 204; }
        location /301 { return 301 /text?x=1; }
        location /302 { return 302 https://other.example$request_uri; }
        location /303 { return 303 $scheme://$host/x; }
        location /307 { return 307 /x; }
        location /308 { return 308 /x; }
        location /url { return http://short.example/; }
        location /400 { return 400; }
        location /403 { return 403 "no"; }
        location /410 { return 410; }
        location /418 { return 418 "teapot"; }
        location /503 { return 503; }
        location /type { default_type application/json; return 200 "{}"; } }""",
     get("/text/a?b", "/empty", "/204", "/301", "/302?q", "/303", "/307", "/308", "/url", "/400",
         "/403", "/410", "/418", "/503", "/type") +
     get("/text", "/301", "/403", method="HEAD") +
     [request("/text", method="POST", body=b"abc"), request("/301", host="h.example:81"),
      request("/text", version="1.0")]),

    # Names.
    ("server names", """
        server { listen @listen@; server_name a.example www.a.example; return 200 a; }
        server { listen @listen@ default_server; server_name b.example; return 200 b; }
        server { listen @listen@; server_name *.c.example; return 200 c; }
        server { listen @listen@; server_name .d.example; return 200 d; }
        server { listen @listen@; server_name www.e.*; return 200 e; }
        server { listen @listen@; server_name *.deep.c.example; return 200 deep; }
        server { listen @listen@; server_name ~^x(?<n>\\d+)\\.example$; return 200 "x $n"; }
        server { listen @listen@; server_name ~^x(.*)$; return 200 "x any $1"; }
        server { listen @listen@; server_name ""; return 200 "none"; }""",
     [request(host=host) for host in (
         "a.example", "A.Example", "www.a.example", "a.example.", "b.example", "unknown.example",
         "c.example", "x.c.example", "x.y.c.example", "y.deep.c.example", "d.example",
         "q.d.example", "www.e.org", "www.e.co.uk", "www.e",
         "xy.example", "127.0.0.1", "a.example:99")] +
     [b"GET / HTTP/1.0\r\n\r\n", b"GET http://a.example/ HTTP/1.1\r\nHost: d.example\r\n\r\n"] +
     [request(host=host)
      for host in ("x42.example", "x42.example:80")]),

    # map, variables.
    ("map", """
        map $http_x_key $mapped { default other; "" empty; one 1; TWO 2; ~^re(.)$ "re $1";
                                  ~*^CASE case; three $host; }
        map $host $by_host { hostnames; default none; .example.com sub; *.example.org org;
                             www.* www; }
        map $mapped $again { default "again $mapped"; 1 first; }
        server { listen @listen@; return 200 "$mapped/$by_host/$again"; }""",
     [request("/", f"X-Key: {key}") for key in ("one", "ONE", "two", "rex", "rexx", "Case-x", "three",
                                                "\\one", "x")] +
     [request("/")] +
     [request(host=host) for host in ("example.com", "a.example.com", "a.example.org",
                                      "example.org", "www.x.y", "q")]),
    ("variables", """server { listen @listen@; server_name first.example second.example;
        location / { return 200
            "$request|$request_method|$request_uri|$uri|$args|$query_string|$is_args|$host|$http_host|$server_name|$server_port|$scheme|$server_protocol|$remote_addr|$server_addr|$content_length|$content_type|$http_user_agent|$cookie_a|$arg_x|$arg_none|$remote_user|$document_uri|$https|$pipe"; } }""",
     [request("/a%20b/../c?x=1&y=2", "User-Agent: me", "Cookie: b=1; a=2; c=3",
              "Authorization: Basic dXNlcjpwYXNz", "Content-Type: text/x", host="second.example:81"),
      request("/?X=up&x=low"), request("/?x=", method="POST", body=b"12345")]),
    ("real IP", """set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.0.0/8;
        real_ip_header X-Forwarded-For;
        server { listen @listen@; return 200 "$remote_addr $realip_remote_addr"; }""",
     [request("/", f"X-Forwarded-For: {value}") for value in (
         "1.2.3.4", "1.2.3.4, 10.0.0.1", "::1", "[2001:db8::1]:80", "1.2.3.4:80", "nonsense",
         "1.2.3.4, nonsense", "", " 5.6.7.8 ", "unix:")] + [request("/")] +
     [request("/", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: 5.6.7.8"),
      request("/", "X-Forwarded-For: 1.2.3.4,")]),
    ("real IP, recursive", """set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.0.0/8;
        real_ip_header X-Forwarded-For; real_ip_recursive on;
        server { listen @listen@; return 200 "$remote_addr"; }""",
     [request("/", f"X-Forwarded-For: {value}") for value in (
         "1.2.3.4, 10.0.0.1", "10.0.0.2, 10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.1, 10.1.1.1",
         "1.2.3.4, x, 10.0.0.1")]),

    # Server side includes.
    ("server side includes", """server { listen @listen@; ssi on; set $mine own; default_type text/html;
        location / { proxy_pass http://@a@; }
        location /silent { proxy_pass http://@a@; ssi_silent_errors on; }
        location /short { proxy_pass http://@a@; ssi_value_length 8; }
        location /dated { proxy_pass http://@a@; ssi_last_modified on; }
        location /in/ { return 200 '($uri?$args<!--#echo var="a" -->)'; }
        location /empty { return 200; }
        location /set { return 200 '<!--#set var="a" value="theirs" -->'; }
        location /404 { return 404; } }""",
     [answer(f"200|Content-Type: text/html|{page}") for page in (
         "plain", "<!--#", "a<!--#echo", '<!--#echo var="mine" -->', '<!--# echo var="MINE"-->',
         '<!--#echo var="none" -->', '<!--#echo var="none" default="d&" -->',
         '<!--#echo var="none" default="" -->', "<!--#echo -->", '<!--#echo var="arg_x" x="y" -->',
         '<!--#set var="a" value="<$mine\\$\\x>" --><!--#echo var="a" --><!--#echo var="a" '
         'encoding="none" --><!--#echo var="a" --><!--#echo var="a" encoding="url" -->',
         '<!--#set var="a" value="${mine" -->', '<!--#set var="a" value="$" -->',
         '<!--#echo var="mine" encoding="odd" -->', '<!--#exec cmd="x" -->', "<!--#echo var=x -->y",
         "<!--#config errmsg='no' --><!--#x --><!--#config timefmt='at' --><!--#echo var='date_gmt' -->",
         '<!--#if expr="$mine" -->a<!--#else -->b<!--#endif -->c',
         '<!--#if expr="$none" -->a<!--#elif expr="$mine = own" -->b<!--#endif -->c',
         '<!--#if expr="$MINE != own" -->a<!--#elif expr="$mine = /(o)(?P<w>w.)/" -->'
         '<!--#echo var="w" --><!--#echo var="1" --><!--#else -->b<!--#endif -->c',
         '<!--#if expr="$mine = own " -->a<!--#else -->b<!--#endif -->',
         '<!--#if expr="Own = own" -->a<!--#else -->b<!--#endif -->',
         '<!--#if expr="$mine < own" -->a<!--#endif -->', '<!--#else -->a<!--#endif -->b',
         '<!--#if expr="a" --><!--#else -->a<!--#elif expr="b" -->b<!--#endif -->c',
         '<!--#if expr="$mine = /(/" -->a<!--#endif -->b',
         '<!--#include virtual="/in/a?b=c" -->-<!--#include file="in/%62" -->',
         '<!--#include virtual="/in/$mine" wait="yes" --><!--#include virtual="in/x" wait="no" -->',
         "<!--#include -->", '<!--#include virtual="/a" file="b" -->', '<!--#include file="../b" -->',
         '<!--#include virtual="/in/%2e%2e/x" -->', '<!--#include virtual="/in/x" wait="maybe" -->',
         '<!--#include virtual="/in/x" set="a" stub="b" -->',
         '<!--#include virtual="/in/x" stub="none" -->',
         '<!--#set var="a" value="mine" --><!--#include virtual="/in/x" --><!--#echo var="a" -->',
         '<!--#include virtual="/set" wait="yes" --><!--#echo var="a" -->',
         '<!--#include virtual="/404" -->',
         '<!--#block name="s" -->S<!--#echo var="mine" --><!--#endblock -->'
         '<!--#include virtual="/404" stub="s" -->-<!--#include virtual="/in/x" stub="s" -->',
         '<!--#include virtual="/in/x" set="b" -->[<!--#echo var="b" encoding="none" -->]')] +
     [answer('200|Content-Type: text/html|a<!--#x -->b', "/silent"),
      answer("200|Content-Type: text/html|<!--#set var='a' value='12345678' --><!--#echo var='a' -->",
             "/short"),
      answer("200|Content-Type: text/html|<!--#set var='a' value='123456789' -->x", "/short"),
      answer('200|Content-Type: text/plain|<!--#echo var="mine" -->'),
      answer('404|Content-Type: text/html|<!--#echo var="mine" -->'),
      answer("200|Content-Type: text/html|", method="HEAD")] +
     [answer('200|Content-Type: text/html|ETag: "x"|Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT|'
             '<!--#echo var="mine" -->', target) for target in ("/", "/dated")] +
     get("/in/x", "/404", "/empty")),

    # Limits and errors.
    ("client_max_body_size", """server { listen @listen@; client_max_body_size 10;
        location / { proxy_pass http://@a@; }
        location /big { proxy_pass http://@a@; client_max_body_size 1k; }
        location /none { proxy_pass http://@a@; client_max_body_size 0; }
        location /ret { return 200 x; } }""",
     [request(target, method="POST", body=b"x" * size)
      for target in ("/", "/big", "/none", "/ret") for size in (0, 10, 11, 1024, 1025)]),
    ("errors of the proxy itself", f"""upstream dead {{ server 127.0.0.1:1; }}
        upstream down {{ server @a@ down; }}
        server {{ listen @listen@;
        location /dead {{ proxy_pass http://dead; }}
        location /down {{ proxy_pass http://down; }} }}""",
     get("/dead", "/down") + [request("/dead", method="POST", body=b"x"),
                              request("/dead", method="HEAD")]),
    ("proxy_next_upstream by status", """upstream pool { server @a@; server @b@ backup; }
        server { listen @listen@;
        location / { proxy_pass http://pool; proxy_next_upstream http_503; }
        location /403 { proxy_pass http://pool; proxy_next_upstream http_403 http_404; }
        location /off { proxy_pass http://pool; proxy_next_upstream off; } }""",
     [answer("403|x", "/403"), answer("404|x", "/403"), answer("500|x"), answer("503|x", "/off"),
      answer("503|x", method="POST")]),
]


@pytest.fixture(scope="module", name="nodes")
def nodes_fixture(start_once):
    return {name: start_once.node(scripted(name)) for name in ("a", "b")}


@pytest.mark.parametrize("text, requests", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_same(pair, nodes, text, requests):
    both = pair(text, nodes)
    wrong = []
    for i, data in enumerate(requests):
        found = both.differences(data)
        if isinstance(data, Differs):
            assert found or not data.meant, f"no difference any more: {data.why}"
        elif found:
            wrong.append("\n".join([f"[{i}] {data[:200]!r}", *("    " + line for line in found)]))
    assert not wrong, "nginx != weir:\n" + "\n".join(wrong)


def test_the_comparison_can_fail(pair, nodes):
    """Two servers that differ are told apart."""
    both = pair("server { listen @listen@; return 200 $pid; }", nodes)
    assert both.differences(request("/")) != []
