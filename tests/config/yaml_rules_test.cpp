// Directives whose order counts, and blocks with a condition.
#include "config/diagnostics.h"
#include "config/yaml_writer.h"
#include "support.h"
#include "tree_form.h"

using namespace weir::config;
using namespace weir::config::testing;

namespace {

// Both lists have several directives in this table.
bool has_rows() {
  return find_ordered_list("access", in_location) != nullptr &&
         find_directive("if", in_location) != nullptr;
}

}  // namespace

TEST_CASE("rules and access rules in YAML") {
  if (!has_rows()) return;
  const struct {
    std::string nginx;
    std::string yaml;
  } cases[] = {
      {"server { if ($http_x = \"1\") { return 403; } rewrite ^/old/(.*)$ /new/$1 permanent; set "
       "$a "
       "'b c'; if ($host !~* \"^w{3}\\.\") { set $a 1; break; rewrite ^(.*)$ \"/x $1\"; } return "
       "302 "
       "/x; }",
       R"(servers:
  - rules:
      - if:
          condition: $http_x = "1"
          return: 403
      - rewrite: [^/old/(.*)$, /new/$1, permanent]
      - set: [$a, b c]
      - if:
          condition: $host !~* "^w{3}\."
          rules:
            - set: [$a, 1]
            - break
            - rewrite: [^(.*)$, /x $1]
      - return: 302 /x
)"},
      {"server { location /a { set $a b; } location /b { break; } location /c { if ($a) { } } "
       "location /d { rewrite ^ /x; rewrite ^ /y last; } }",
       R"(servers:
  - locations:
      - path: /a
        set: [$a, b]
      - path: /b
        break: true
      - path: /c
        rules:
          - if:
              condition: $a
      - path: /d
        rules:
          - rewrite: [^, /x]
          - rewrite: [^, /y, last]
)"},
      {"allow 10.0.0.0/8; allow ::1; server { deny all; location / { deny 10.0.0.1; allow "
       "10.0.0.0/8; deny all; } }",
       R"(allow: [10.0.0.0/8, "::1"]

servers:
  - deny: all
    locations:
      - path: /
        access:
          - deny: 10.0.0.1
          - allow: 10.0.0.0/8
          - deny: all
)"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.nginx);
    const auto parsed = parse_text("t", c.nginx, {});
    Diagnostics diagnostics;
    const auto yaml = write_yaml(parsed.tree, Dialect::yaml, diagnostics);
    CHECK(!diagnostics.failed());
    CHECK(yaml == c.yaml);
    CHECK(TreeForm::of(parse_text("again", yaml, {}).tree) == TreeForm::of(parsed.tree));
  }
}

TEST_CASE("mistakes in rules") {
  if (!has_rows()) return;
  const struct {
    std::string text;
    std::string want;
  } cases[] = {
      {"servers: [{rules: [{if: {return: 403}}]}]",
       "t:1:25: error: if: condition is missing; write condition: $variable = text"},
      {"servers: [{rules: [{if: {condition: '$uri ~ x{2}'}}]}]",
       "t:1:37: error: if: in the condition unexpected \"{\"; put quotes around the word that has "
       "it"},
      {"servers: [{rules: [{deny: all}]}]",
       "t:1:21: error: deny: is no item of \"rules\"; put it beside that list"},
      {"servers: [{set: [$a, b], rewrite: [^, /x]}]",
       "t:1:26: error: rewrite: its order to \"set\" is not told; make both items of \"rules\""},
      {"servers: [{set: [$a, b], deny: all, allow: all}]",
       "t:1:37: error: allow: its order to \"deny\" is not told; make both items of \"access\""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(problems_of(c.text) == c.want);
  }
}
