"""Rules, variables, files and filters of nginx's language: the same for nginx and weir, seen from the
client and from the node. Every row is a configuration and the requests to try on it; @a@ is a node, @files@ a
folder of files.
"""

import gzip
import os

import pytest

from pair import scripted
from wire import request
from test_requests import answer, get

ROWS = [
    # Rules.
    ("rewrite", """server { listen @listen@; rewrite_log on;
        rewrite ^/server/(.*)$ /$1;
        location / { return 200 "root $uri $args"; }
        location /last { rewrite ^/last/(.*)$ /target/$1 last; return 200 no; }
        location /break { rewrite ^/break/(.*)$ /target/$1 break; proxy_pass http://@a@; }
        location /target { return 200 "target $uri $is_args$args"; }
        location /args { rewrite ^/args/(.*)$ /target?x=$1; }
        location /drop { rewrite ^/drop/(.*)$ /target?x=$1?; }
        location /redirect { rewrite ^/redirect/(.*)$ /to/$1 redirect; }
        location /permanent { rewrite ^/permanent/(.*)$ /to/$1?a=b permanent; }
        location /away { rewrite ^/away/(.*)$ http://example.org/$1; }
        location /case { rewrite (?i)^/CASE/X$ /target; return 200 no; }
        location /none { rewrite ^/other /target; return 200 "none $uri"; }
        location /twice { rewrite ^/twice(.*)$ /one$1; rewrite ^/one(.*)$ /target$1; }
        location /loop { rewrite ^ /loop/x; }
        location /named { rewrite ^/named/(?<first>[^/]+)/(?<rest>.*)$ /target/$rest/$first; } }""",
     get("/", "/server/x", "/server/last/x?q", "/last/a/b?c=d", "/last", "/break/x?y", "/args/a?b=c",
         "/args/a%20b", "/drop/a?b=c", "/redirect/x?y", "/redirect/a%20b", "/redirect/%3F", "/permanent/x",
         "/permanent/x?y=z", "/away/x%2Fy?q", "/case/x", "/none", "/twice/x", "/loop", "/named/a/b/c?d",
         "/last/%2e%2e/x", "/break/a%20b%3f")),
    ("return", """server { listen @listen@;
        location /text { return 200 "text $request_method $uri\\n"; }
        location /type { default_type application/json; return 201 "{}"; }
        location /bare { return 204; }
        location /code { return 404; }
        location /codetext { return 404 "not here"; }
        location /301 { return 301 /to$request_uri; }
        location /302 { return 302 http://example.org$uri; }
        location /303 { return 303 https://$host$request_uri; }
        location /307 { return 307 /to; }
        location /308 { return 308 //to; }
        location /url { return http://example.org/?u=$uri; }
        location /empty { return 200; }
        location /500 { return 500; }
        location /close { return 444; } }""",
     get("/text", "/type", "/bare", "/code", "/codetext", "/301?a=b", "/302/x", "/303", "/307", "/308",
         "/url", "/empty", "/500", "/close") +
     [request(target, method="HEAD") for target in ("/text", "/code", "/301", "/bare")] +
     [request("/text", method="POST", body=b"x"), request("/301", version="1.0")]),
    ("if and set", """server { listen @listen@;
        set $plain value; set $both "$plain-$arg_a";
        if ($arg_stop) { return 403; }
        location / {
            set $kind none;
            if ($arg_a) { set $kind some; }
            if ($arg_a = 0) { set $kind zero; }
            if ($arg_a != "") { set $kind "$kind+"; }
            if ($http_user_agent ~* (bot|CRAWLER)) { set $kind "bot $1"; }
            if ($http_user_agent !~ human) { set $kind "$kind!"; }
            if ($request_method = POST) { return 405; }
            return 200 "$plain|$both|$kind|$unset_$arg_b"; }
        location /files {
            root @files@;
            if (-f $request_filename) { return 200 "file $uri"; }
            if (-d $request_filename) { return 200 "folder $uri"; }
            if (!-e $request_filename) { return 200 "nothing $uri"; } }
        location /proxy {
            if ($arg_x) { proxy_pass http://@a@; }
            return 200 "not passed"; }
        location /break { set $v 1; break; set $v 2; return 200 $v; }
        location /header { if ($arg_h) { add_header X-If yes; } add_header X-Loc yes; root @files@;
                           try_files /a.txt =404; } }""".replace("$unset_", ""),
     get("/", "/?a=1", "/?a=0", "/?a=", "/?stop=1", "/?stop=0", "/?b=x", "/files/a.txt", "/files/sub",
         "/files/none", "/proxy?x=1", "/proxy", "/break", "/header", "/header?h=1") +
     [request("/", f"User-Agent: {agent}") for agent in ("Googlebot", "a crawler", "human", "x")] +
     [request("/", method="POST", body=b"x")]),
    ("maps and other makers of variables", """
        map $arg_a $mapped { default none; one 1; two "2 $arg_b"; ~^x(?<tail>.*)$ "re:$tail"; ~*^Y "yes"; "" empty; }
        map $host $by_host { hostnames; default other; .example.org site; *.example.net star; www.* any; }
        map "$arg_a:$arg_b" $pair { 1:2 both; default $mapped; }
        map $arg_v $vol { volatile; default $arg_v; }
        geo $geo { default far; 127.0.0.0/8 near; 10.0.0.0/8 ten; }
        geo $arg_ip $geo_arg { default far; 10.0.0.0/8 ten; 10.1.0.0/16 ten-one; 2001:db8::/32 six; }
        split_clients "$arg_a" $split { 30% one; 30% two; * rest; }
        server { listen @listen@;
            return 200 "$mapped|$by_host|$pair|$vol|$geo|$geo_arg|$split"; }""",
     get("/", "/?a=one", "/?a=ONE", "/?a=two&b=c", "/?a=xyz", "/?a=yes", "/?a=1&b=2", "/?v=3", "/?ip=10.0.0.1",
         "/?ip=10.1.2.3", "/?ip=2001:db8::1", "/?ip=x", *(f"/?a={i}" for i in range(30))) +
     [request("/", host=host) for host in ("example.org", "a.example.org", "x.example.net", "example.net",
                                           "www.x.y", "WWW.Example.Org", "a.b.example.org:80")]),
    ("variables of a request", """server { listen @listen@; server_name name.example;
        location / { return 200 "$request_method $request_uri $uri $document_uri $args $query_string $is_args \
$host $server_name $server_port $server_protocol $scheme $remote_addr $content_type $content_length \
$http_x_a $arg_a $arg_B $cookie_c $request $https $remote_user $request_completion $nginx_none"; } }"""
     .replace(" $nginx_none", ""),
     get("/", "/x?a=1&b=2&A=3", "/%61?a=%20", "/x?", "/x?a", "/a//b/./c/../d?e") +
     [request("/", "X-A: 1", "Cookie: b=1; c=2; d=3", "Content-Type: a/b"),
      request("/", "Authorization: Basic dXNlcjpwYXNz"), request("/", method="POST", body=b"abc"),
      request("http://other.example:81/p?q"), request("/", version="1.0")]),

    # Where a location's files are.
    ("static files", """types { text/html html; text/plain txt; image/png png; application/json json; }
        default_type application/x-own; server { listen @listen@; root @files@;
        location /alias/ { alias @files@/sub/; }
        location ~ ^/re/(.*)$ { alias @files@/$1; }
        location /index { alias @files@/; index none.html a.txt; }
        location /types { types { x/y txt; } root @files@; }
        location = /exact.txt { alias @files@/a.txt; }
        location /internal { internal; }
        location /etag { etag off; alias @files@/; }
        location /expires { expires 1h; alias @files@/; }
        location /modified { expires modified +24h; add_header Cache-Control public; alias @files@/; }
        location /epoch { expires epoch; alias @files@/; }
        location /max { expires max; alias @files@/; }
        location /unmodified { if_modified_since before; alias @files@/; }
        location /off { if_modified_since off; alias @files@/; }
        location /noranges { max_ranges 0; alias @files@/; } }""",
     get("/a.txt", "/none", "/", "/sub", "/sub/", "/sub/b.html", "/sub/b.html/", "/a.txt/x", "/x.unknown",
         "/noextension", "/alias/b.html", "/alias/", "/alias", "/re/a.txt", "/re/sub/b.html", "/index/",
         "/types/none", "/exact.txt", "/internal", "/etag/a.txt", "/a%2Etxt",
         "/modified/a.txt", "/max/a.txt", "/.hidden", "/a.txt?x=y", "/%61.txt", "/a.TXT", "/sub/../a.txt",
         "/empty.txt", "/big.txt") +
     [request("/a.txt", method=method) for method in ("HEAD", "POST", "PUT", "DELETE", "OPTIONS")] +
     [request(target, f"If-Modified-Since: {date}")
      for target in ("/a.txt", "/unmodified/a.txt", "/off/a.txt")
      for date in ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:36 GMT",
                   "Sun, 06 Nov 1994 08:49:38 GMT", "nonsense")] +
     [request("/a.txt", field) for field in (
         'If-None-Match: "2ebc9931-b"', 'If-None-Match: W/"2ebc9931-b"', "If-None-Match: *",
         'If-None-Match: "x", "2ebc9931-b"', 'If-None-Match: "x"', 'If-Match: "x"', "If-Match: *",
         'If-Match: "2ebc9931-b"', "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT",
         "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT")]),
    ("ranges", """server { listen @listen@; root @files@; default_type text/plain;
        location /one { max_ranges 1; alias @files@/; } }""",
     [request("/a.txt", f"Range: bytes={ranges}") for ranges in (
         "0-3", "0-", "-3", "4-4", "0-10", "0-11", "11-", "5-2", "-0", "-100", "x", "0-3,x", "", "3-1,0-1")] +
     [request("/a.txt", "Range: chars=0-3"), request("/a.txt", "Range: bytes=0-1", method="HEAD"),
      request("/one/a.txt", "Range: bytes=0-1,3-4"), request("/one/a.txt", "Range: bytes=0-1"),
      request("/a.txt", "Range: bytes=0-1", 'If-Range: "2ebc9931-b"'),
      request("/a.txt", "Range: bytes=0-1", 'If-Range: "x"'),
      request("/a.txt", "Range: bytes=0-1", "If-Range: Sun, 06 Nov 1994 08:49:37 GMT"),
      request("/a.txt", "Range: bytes=0-1", "If-Range: Sun, 06 Nov 1994 08:49:38 GMT"),
      request("/none", "Range: bytes=0-1"), request("/empty.txt", "Range: bytes=0-1")]),
    ("try_files", """server { listen @listen@; root @files@; default_type text/plain;
        location / { try_files $uri $uri/ $uri.txt /fallback?u=$uri; }
        location /fallback { return 200 "fallback $args"; }
        location /code { try_files $uri =410; }
        location /named { try_files $uri @app; }
        location @app { proxy_pass http://@a@; }
        location /app/ { alias @files@/; try_files $uri @app; }
        location /spa { try_files $uri /a.txt; } }""",
     get("/a.txt", "/a", "/sub", "/none", "/none?q", "/code/x", "/named/x?y=z", "/app/a.txt", "/app/none",
         "/spa/deep/link", "/big")),
    ("error_page", """server { listen @listen@; root @files@; default_type text/plain;
        error_page 404 /a.txt; error_page 500 502 =200 /a.txt; error_page 503 @named; error_page 403 =302 /to;
        location @named { return 503 "named $uri"; }
        location /500 { return 500; }  location /503 { return 503; } location /403 { return 403; }
        location /keep { error_page 404 = /code; }
        location /code { return 202 "code $uri"; }
        location /url { error_page 404 http://example.org/missing; }
        location /proxy { proxy_pass http://@a@; proxy_intercept_errors on; error_page 404 =410 /a.txt;
                          error_page 401 /a.txt; }
        location /pass { proxy_pass http://@a@; }
        location /none { error_page 404 /really-none; }
        location /own { error_page 404 = @named; }
        location /dead { proxy_pass http://127.0.0.1:1; } }""",
     get("/x", "/500", "/503", "/403", "/keep/x", "/url/x", "/none/x", "/own/x", "/dead") +
     [answer("404|gone", "/proxy"), answer("401|WWW-Authenticate: Basic realm=x|no", "/proxy"),
      answer("200|fine", "/proxy"), answer("404|gone", "/pass"), answer("500|bad", "/proxy"),
      request("/x", method="POST", body=b"x"), request("/503", method="HEAD")]),

    # Access.
    ("who may", """server { listen @listen@; root @files@; default_type text/plain;
        location /open { allow 127.0.0.1; deny all; return 200 returned; }
        location /allowed/ { allow 127.0.0.0/8; deny all; alias @files@/; }
        location /denied/ { deny 127.0.0.1; allow all; alias @files@/; }
        location /all/ { deny all; alias @files@/; }
        location /password/ { auth_basic "the realm"; auth_basic_user_file @files@/users; alias @files@/; }
        location /any/ { satisfy any; deny all; auth_basic x; auth_basic_user_file @files@/users;
                         alias @files@/; }
        location /both/ { satisfy all; deny all; auth_basic x; auth_basic_user_file @files@/users;
                          alias @files@/; }
        location /ask/ { auth_request /question; auth_request_set $who $upstream_http_x_who;
                         add_header X-Seen $who; alias @files@/; }
        location = /question { internal; proxy_pass http://@a@/ask; proxy_pass_request_body off;
                               proxy_set_header Content-Length ""; }
        location /except/ { limit_except GET { deny all; } alias @files@/; } }""",
     get("/open", "/allowed/a.txt", "/denied/a.txt", "/all/a.txt", "/all/none", "/password/a.txt", "/any/a.txt",
         "/both/a.txt", "/question") +
     [request(target, f"Authorization: {given}") for target in ("/password/a.txt", "/any/a.txt", "/both/a.txt")
      for given in ("Basic dXNlcjpwYXNz", "Basic dXNlcjp3cm9uZw==", "Basic bm9ib2R5OnBhc3M=", "Basic !!",
                    "Bearer x", "basic dXNlcjpwYXNz")] +
     [answer(script, "/ask/a.txt") for script in (
         "200|X-Who: me|", "204|X-Who: you|", "401|WWW-Authenticate: Basic realm=q|", "403|", "500|", "302|Location: /x|")] +
     [request("/except/a.txt", method=method) for method in ("GET", "HEAD", "POST", "DELETE")]),

    # What becomes of answers.
    ("fields of answers", """server { listen @listen@; add_header X-Server s; add_header X-Always a always;
        location / { proxy_pass http://@a@; }
        location /own { add_header X-Own o; proxy_pass http://@a@; }
        location /value { add_header X-Value "$status $upstream_status $sent_http_x_node"; proxy_pass http://@a@; }
        location /empty { add_header X-Empty ""; proxy_pass http://@a@; }
        location /expires { expires 10m; proxy_pass http://@a@; }
        location /hide { proxy_hide_header X-Node; proxy_pass http://@a@; }
        location /charset { charset utf-8; proxy_pass http://@a@; }
        location /override { charset utf-8; override_charset on; proxy_pass http://@a@; }
        location /sub { sub_filter one 1; sub_filter TWO 2; sub_filter_once off; proxy_pass http://@a@;
                        proxy_set_header Accept-Encoding ""; }
        location /once { sub_filter one 1; sub_filter_types *; proxy_pass http://@a@; }
        location /around { add_before_body /before; add_after_body /after; addition_types *;
                           proxy_pass http://@a@; }
        location /before { return 200 "<"; } location /after { return 200 ">"; } }""",
     [answer(script, target) for target in ("/", "/own", "/value", "/empty") for script in (
         "200|X-Node: n|x", "404|x", "500|x", "204|", "301|Location: /y|x")] +
     [answer("200|X-Node: n|x", "/hide"), answer("200|Content-Type: text/html|x", "/charset"),
      answer("200|Content-Type: text/html; charset=latin1|x", "/charset"),
      answer("200|Content-Type: text/html; charset=latin1|x", "/override"),
      answer("200|Content-Type: image/png|x", "/charset"),
      answer("200|Content-Type: text/html|one two ONE Two", "/sub"),
      answer("200|Content-Type: text/plain|one two", "/sub"),
      answer("200|Content-Type: text/plain|one one", "/once"),
      answer("200|Content-Type: text/html|ETag: \"a\"|Last-Modified: x|one", "/once"),
      answer("200|Content-Type: text/html|body", "/around"), answer("404|body", "/around")]),
    ("compression", """server { listen @listen@; gzip on; gzip_min_length 10; gzip_types text/plain; gzip_vary on;
        gzip_proxied any;
        location / { proxy_pass http://@a@; }
        location /off { gzip off; proxy_pass http://@a@; }
        location /static { gzip_static on; alias @files@/; default_type text/plain; }
        location /always { gzip_static always; alias @files@/; default_type text/plain; }
        location /gunzip { gunzip on; gzip off; gzip_static always; alias @files@/; default_type text/plain; }
        location /proxied { gzip_proxied no-cache; proxy_pass http://@a@; } }""",
     [request(target, f"Accept-Encoding: {coding}") for target in
      ("/static/z.txt", "/always/z.txt", "/static/a.txt", "/gunzip/z.txt") for coding in
      ("gzip", "identity", "gzip;q=0", "br, gzip;q=0.5", "*", "gzip;q=0.001")] +
     [answer("200|Content-Type: text/plain|short"), answer("200|Content-Type: image/png|" + "x" * 50),
      answer("200|Content-Type: text/plain|" + "x" * 50), answer("200|Content-Type: text/plain|" + "x" * 50, "/off")]),
    ("trailing matters", """server { listen @listen@; server_name_in_redirect off; port_in_redirect off;
        root @files@; location /deep/ { proxy_pass http://@a@; } location /abs { absolute_redirect off;
        alias @files@/sub; } }""",
     get("/sub", "/deep", "/deep?x=y", "/abs")),
]


@pytest.fixture(scope="module", name="nodes")
def nodes_fixture(start_once):
    return {"a": start_once.node(scripted("a"))}


@pytest.fixture(scope="module", name="files")
def files_fixture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "sub").mkdir()
    (folder / "files").symlink_to(folder)
    texts = {"a.txt": b"hello world", "sub/b.html": b"<b>", "noextension": b"x", "x.unknown": b"x",
             ".hidden": b"x", "empty.txt": b"", "big.txt": b"0123456789" * 20000,
             "users": b"user:{PLAIN}pass\n", "z.txt": b"text " * 50,
             "z.txt.gz": gzip.compress(b"text " * 50, mtime=0)}
    for name, text in texts.items():
        (folder / name).write_bytes(text)
        os.utime(folder / name, (784111777, 784111777))
    for parent in [folder, *folder.parents][:3]:
        parent.chmod(0o755)
    return folder


@pytest.mark.parametrize("text, requests", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_same(pair, nodes, files, text, requests):
    both = pair(text.replace("@files@", str(files)), nodes)
    wrong = []
    for i, data in enumerate(requests):
        found = both.differences(data)
        if found:
            wrong.append("\n".join([f"[{i}] {data[:200]!r}", *("    " + line for line in found)]))
    assert not wrong, "nginx != weir:\n" + "\n".join(wrong)
