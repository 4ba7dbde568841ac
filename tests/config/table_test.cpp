#include <doctest/doctest.h>

#include <set>
#include <string>

#include "config/directive_rows.h"
#include "config/directives.h"

using namespace weir::config;

TEST_CASE("rows are complete and unambiguous") {
  std::set<std::pair<std::string_view, std::uint32_t>> seen;
  for (const auto& row : directive_table()) {
    CAPTURE(row.name);
    CHECK(row.contexts != 0);
    CHECK(!row.help.empty());
    CHECK(row.min_args <= row.max_args);
    constexpr std::uint32_t kOfEntries = in_map | in_geo;
    CHECK((row.handler != nullptr) == ((row.contexts & kOfEntries) == 0));
    if (row.has(kFlag)) CHECK((row.min_args == 1 && row.max_args == 1));
    if (row.has(kBlock)) CHECK((row.inner != 0 || row.has(kEntries)));
    for (std::uint32_t bit = 1; bit <= in_stream_upstream; bit <<= 1) {
      if ((row.contexts & bit) != 0) CHECK(seen.emplace(row.name, bit).second);
    }
    CHECK((find_directive(row.name, row.contexts) != nullptr));
  }
}

TEST_CASE("YAML has a place for what every directive takes") {
  for (const auto& row : directive_table()) {
    CAPTURE(row.name);
    const auto names = split_words(row.positional);
    if (row.has(kBlock) && row.max_args > 0) {
      const bool named = row.has(kNamed) || row.has(kOrdered) || row.name == "location";
      CHECK((named || !names.empty()));
      // The names stand beside the directives of the block.
      for (const auto name : names) CHECK((find_directive(name, row.inner) == nullptr));
    }
    if (row.has(kNamed)) CHECK((row.has(kBlock) && !row.yaml_name.empty()));
    if (row.has(kEntries) && !row.yaml_name.empty()) {
      CHECK((find_directive("values", row.inner) == nullptr));
    }
    if (ordered_list_of(row) != nullptr) CHECK((row.has(kRepeats) && row.yaml_name.empty()));
    for (const auto& list : kOrderedLists) CHECK(row.name != list.key);
  }
}

TEST_CASE("a directive is either supported or not") {
  for (const auto& row : directive_table()) {
    CAPTURE(row.name);
    // `gzip off` and the like are accepted, more of them is not supported.
    const bool conditional = row.support == Support::accepted && !row.default_text.empty();
    const bool elsewhere = row.support == Support::accepted;
    if (!conditional && !elsewhere) CHECK(unsupported_advice(row.name).empty());
  }
  CHECK(!unsupported_advice("fastcgi_pass").empty());
  CHECK(unsupported_advice("proxy_pas").empty());
}

TEST_CASE("names that may not stand somewhere") {
  const struct {
    const char* name;
    std::uint32_t context;
    bool yaml;
    std::string want;
  } cases[] = {
      {"proxy_pas", in_location, false,
       "unknown directive \"proxy_pas\"; did you mean \"proxy_pass\"?"},
      {"upstrem", in_http, true, "unknown key \"upstrem\"; did you mean \"upstreams\"?"},
      {"upstream", in_http, true, "upstream: is written \"upstreams\" in YAML"},
      {"listen", in_http, false, "listen: is not allowed in http; it belongs in server, admin"},
      {"locations", in_http, true,
       "locations: is not allowed in http; it belongs in server, location"},
      {"zzzzzz", in_http, false, "unknown directive \"zzzzzz\""},
      {"ntlm", in_upstream, false,
       "ntlm: nginx has this directive, weir does not support it yet; remove it"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    CHECK(unknown_directive(c.name, c.context, c.yaml) == c.want);
  }
}

TEST_CASE("the reference page names every directive") {
  const std::string page = directives_markdown();
  for (const auto& row : directive_table()) {
    CAPTURE(row.name);
    CHECK(page.find("`" + std::string(row.name) + "`") != std::string::npos);
  }
  for (const auto& group : unsupported_directives()) {
    for (const auto name : split_words(group.names)) {
      CAPTURE(name);
      CHECK(page.find("`" + std::string(name) + "`") != std::string::npos);
    }
  }
}
