// Warnings of what is allowed and surely not meant; each with what is near it and right.
#include "support.h"

using namespace weir::config::testing;

namespace {

struct Case {
  std::string text;
  std::string want;  // "": no warning
};

void check(std::initializer_list<Case> cases) {
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(problems_of(c.text) == c.want);
  }
}

const std::string kRepeat =
    "; a block with a field of its own has none of the outer ones; repeat them here";
const std::string kMerge = kRepeat + ", or write add_header_inherit merge";

}  // namespace

TEST_CASE("fields that are lost") {
  check({
      {"server { add_header A 1; add_header B 2;\nlocation / { add_header C 3; } }",
       "t:2:14: warning: add_header: not sent from here: A, B (set at t:1:10)" + kMerge},
      {"add_header A 1; server { location / { location /b { add_header b 3; } } }",
       "t:1:53: warning: add_header: not sent from here: A (set at t:1:1)" + kMerge},
      {"http { add_header A 1; } server { add_header B 3; }",
       "t:1:35: warning: add_header: not sent from here: A (set at t:1:8)" + kMerge},
      {"server { location / { add_header A 1; if ($arg_a) { add_header B 3; } } }",
       "t:1:53: warning: add_header: not sent from here: A (set at t:1:23)" + kMerge},
      {"server { add_header a 1; add_header b 1; add_header c 1; add_header d 1; add_header e 1;"
       "add_header f 1; add_header g 1; add_header f 2; location / { add_header x 1; } }",
       "t:1:150: warning: add_header: not sent from here: a, b, c, d, e and 2 more (set at "
       "t:1:10)" +
           kMerge},
      {"server { add_header A 1; location / { add_header a 3; add_header B 3; } }", ""},
      {"server { add_header A 1; add_header_inherit merge; location / { add_header B 3; } }", ""},
      {"server { add_header A 1; location / { add_header_inherit off; add_header B 3; } }", ""},
      {"server { add_header A 1; location / { add_header_inherit off; location /b { add_header B "
       "3; } } }",
       ""},
      {"server { add_trailer A 1; location / { add_trailer B 3; } }",
       "t:1:40: warning: add_trailer: not sent from here: A (set at t:1:10)" + kRepeat +
           ", or write add_trailer_inherit merge"},
      {"server { proxy_set_header Host $host; location / { proxy_set_header Upgrade "
       "$http_upgrade; proxy_pass http://a; } }",
       "t:1:52: warning: proxy_set_header: not sent from here: Host (set at t:1:10)" + kRepeat},
      {"server { proxy_set_header Host $host; location / { proxy_set_header A b; if ($uri) { "
       "proxy_pass http://a; } } }",
       "t:1:52: warning: proxy_set_header: not sent from here: Host (set at t:1:10)" + kRepeat},
      {"server { proxy_set_header Host $host; location / { proxy_set_header A b; } }", ""},
      {"server { proxy_set_header Host $host; location / { proxy_set_header A b; proxy_set_header "
       "HOST c; proxy_pass http://a; } }",
       ""},
      {"servers: [{add_header: {A: 1}, locations: [{path: /, add_header: {B: 2}}]}]",
       "t:1:67: warning: add_header: not sent from here: A (set at t:1:25)" + kMerge},
  });
}

TEST_CASE("addresses of clients that are not seen") {
  const std::string unheard =
      "warning: real_ip_header: has no effect: nobody is believed without set_real_ip_from; name "
      "the addresses of the proxies in front";
  const std::string hashed =
      "have the address of the proxy in front and go to one peer; write real_ip_header "
      "proxy_protocol and set_real_ip_from with its address";
  const std::string app = "upstream App { ip_hash; server b; } ";
  check({
      {"server { real_ip_header X-Forwarded-For; }", "t:1:10: " + unheard},
      {"real_ip_header X-Forwarded-For; server { set_real_ip_from ::1; }", ""},
      {"set_real_ip_from ::1; server { location / { real_ip_header X-Forwarded-For; } }", ""},
      {app + "server { listen 80 proxy_protocol; location / { proxy_pass http://app/; } }",
       "t:1:16: warning: ip_hash: all clients of t:1:46 " + hashed},
      {"upstream a { server b; balance ip_hash; } server { listen 80 proxy_protocol; location / { "
       "if ($uri) { proxy_pass http://a; } } location /b { proxy_pass http://a; } }",
       "t:1:24: warning: balance: all clients of t:1:52 " + hashed},
      {app + "server { listen 80; location / { proxy_pass http://app; } }", ""},
      {app + "server { listen 80 proxy_protocol; set_real_ip_from ::1; location / { proxy_pass "
             "http://app; } }",
       ""},
      {"upstream a { server b; } server { listen 80 proxy_protocol; location / { proxy_pass "
       "http://a; } }",
       ""},
  });
}

TEST_CASE("names with a port") {
  check({
      {"server { server_name a.org:8080 b.org; }",
       "t:1:22: warning: server_name: \"a.org:8080\" never fits: the name of a host is compared "
       "without its port; leave out \":8080\""},
      {"server { server_name ~^(?:a|b)$; }", ""},
  });
}

TEST_CASE("paths that do not fit") {
  const std::string both = "; end both the location and the URL with a slash, or none of them";
  check({
      {"server { location /a/ { alias /b; } }",
       "t:1:25: warning: alias: /a/x is looked for as /bx; write alias /b/"},
      {"server { location ^~ /a { alias /b/; } }",
       "t:1:27: warning: alias: /a../x leads out of the folder, since the location does not end "
       "with a slash; write location /a/"},
      {"server { location /a/ { alias /b/; } location /c { alias /d; } location = /e/ { alias /f; "
       "} location ~ ^/g/(.*) { alias /h/$1; } location /i/ { alias $document_uri; } }",
       ""},
      {"server { location /static/ { root /srv/static/; } }",
       "t:1:30: warning: root: files of /static/ are looked for in /srv/static/static/; if they "
       "are in /srv/static/, write root /srv"},
      {"server { location /static { root /srv; } location / { root /srv/; } location ~ /a { root "
       "/a; } location /b { root $host/b; } }",
       ""},
      {"server { location /a { proxy_pass http://b/; } }",
       "t:1:24: warning: proxy_pass: /a/x is asked of the peer as //x" + both},
      {"server { location /a/ { proxy_pass http://b/c; } }",
       "t:1:25: warning: proxy_pass: /a/x is asked of the peer as /cx; end the URL with a slash"},
      {"server { location / { proxy_pass http://b/c; } }",
       "t:1:23: warning: proxy_pass: /x is asked of the peer as /cx; end the URL with a slash"},
      {"server { location / { proxy_pass http://b/; } location /c { proxy_pass http://b/d; } "
       "location = /e { proxy_pass http://b/; } location /f/ { proxy_pass http://b; } location /g "
       "{ proxy_pass http://b/h?i=; } location /j { proxy_pass http://$host/; } location @k { "
       "proxy_pass http://unix:/l; } }",
       ""},
  });
}

TEST_CASE("an if beside try_files") {
  const std::string want =
      "warning: if: the try_files at t:1:23 does not hold for requests that meet the condition; "
      "use a `map`, or end the block with return or rewrite ... last";
  check({
      {"server { location / { try_files $uri /x; if ($arg_a) { set $b 1; } } }", "t:1:42: " + want},
      {"server { location / { try_files $uri /x; if ($arg_a) { gzip on; rewrite a b break; } } }",
       "t:1:42: " + want},
      {"server { location / { try_files $uri /x; if ($arg_a) { return 403; } if ($arg_b) { rewrite "
       "^ /y last; } if ($arg_c) { rewrite ^ http://z/; } } if ($arg_d) { set $e 1; } }",
       ""},
  });
}

TEST_CASE("warnings end at a hundred") {
  std::string text = "server { add_header A 1;";
  for (int i = 0; i < 300; ++i) {
    text += "location /" + std::to_string(i) + " { add_header B 2; }";
  }
  const auto result = weir::config::load_text("t", text + "}", options());
  CHECK(result.diagnostics.size() == 100);
  CHECK(result.model);
}
