// nginx's rewrite module: what its directives mean, and mistakes in them.
#include "support.h"

using namespace weir::config::testing;

TEST_CASE("rules in the order written") {
  const auto model = model_of(R"(server {
    set $a "$host x"; set $args ""; set $limit_rate 4k;
    rewrite ^/(?<id>\d+)$ /item?id=$id last;
    rewrite ^/b /c? break;
    rewrite /d https://x/$1;
    rewrite /e /f permanent;
    rewrite /e http://g redirect;
    rewrite ^/x$ /y;
    if ($host !~* (a)$) { set $b $1; return 403; }
    if (-f $request_filename) { break; }
    if (!-e /x) { return 301 /y; }
    if ($arg_a = "b c") { return 200 ""; }
    if ($arg_a != d) { rewrite ^ /z last; }
    if (!-d a) { break; }
    if (-x a) { break; }
    if ( $b ) { return 204; }
    return $scheme://x;
  })");
  const std::string want = R"(
set ${user:a} "${host} x"
set ${args} ""
set ${limit_rate} "4k"
rewrite ~^/(?<id>\d+)$ "/item?id=${user:id}" args own_args 1
rewrite ~^/b "/c" 2
rewrite ~/d "https://x/${1}" args 3
rewrite ~/e "/f" args 4
rewrite ~/e "http://g" args 3
rewrite ~^/x$ "/y" args 0
if not 2 "${host}" "" ~*(a)$
set ${user:b} "${1}"
return 403
if 3 "${request_filename}" "" 
break
if not 5 "/x" "" 
return 301 redirect "/y"
if 1 "${arg:a}" "b c" 
return 200 ""
if not 1 "${arg:a}" "d" 
rewrite ~^ "/z" args 1
if not 4 "a" "" 
break
if 6 "a" "" 
break
if 0 "${user:b}" "" 
return 204
return 302 redirect "${scheme}://x"
)";
  CAPTURE(model);
  CHECK(model.find(want) != std::string::npos);
}

TEST_CASE("mistakes in rules") {
  const std::string condition =
      "invalid condition; write ($variable), ($variable = text), ($variable ~ pattern) or (-f "
      "path)";
  const struct {
    std::string text;  // in a server
    std::string want;
  } rows[] = {
      {"set x 1;", "t:1:14: error: set: invalid variable name \"x\"; it must begin with $"},
      {"set $uri 1;", "t:1:14: error: set: \"$uri\" is a variable of weir; choose another name"},
      {"set $a $nope;", "t:1:17: error: set: unknown variable \"nope\""},
      {"rewrite ^/a '';", "t:1:22: error: rewrite: the replacement is empty"},
      {"rewrite ( /x;",
       "t:1:18: error: rewrite: invalid regular expression \"(\": missing closing parenthesis at "
       "offset 1"},
      {"rewrite ^/a /b always;",
       "t:1:25: error: rewrite: unknown flag \"always\"; use last, break, redirect or permanent"},
      {"if $host { }",
       "t:1:10: error: if: the condition must stand in parentheses: if ($variable = text) { ... }"},
      {"if ( ) { }", "t:1:10: error: if: the condition is empty"},
      {"if ($host == a) { }",
       "t:1:20: error: if: unknown comparison \"==\"; use =, !=, ~, ~*, !~ or !~*"},
      {"if ($host = a b) { }", "t:1:10: error: if: " + condition},
      {"if (host) { }", "t:1:10: error: if: " + condition},
      {"if (-f) { }", "t:1:10: error: if: " + condition},
      {"if (-z $uri) { }", "t:1:10: error: if: " + condition},
      {"if ($nope) { }", "t:1:13: error: if: unknown variable \"nope\""},
      {"if ($host ~ () { }",
       "t:1:22: error: if: invalid regular expression \"(\": missing closing parenthesis at offset "
       "1"},
      {"if ($host) { if ($uri) { } }",
       "t:1:23: error: if: is not allowed in if (server); it belongs in server, location"},
      {"if ($host) { listen 80; }",
       "t:1:23: error: listen: is not allowed in if (server); it belongs in server, admin"},
      {"break 1;", "t:1:10: error: break: takes 0 arguments, 1 given"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(problems_of("server { " + row.text + " }") == row.want);
  }
}
