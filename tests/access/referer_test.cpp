#include "access/referer.h"

#include <doctest/doctest.h>

using namespace weir;
using namespace weir::access;
using Outcome = Referers::Outcome;

namespace {

std::shared_ptr<const config::Regex> regex(const char* pattern) {
  std::string error;
  auto compiled = config::Regex::compile(pattern, true, error);
  REQUIRE(compiled);
  return compiled;
}

Referers make(std::initializer_list<const char*> words) {
  Referers referers;
  for (const std::string_view word : words) {
    if (word == "none") {
      referers.allow_none();
    } else if (word == "blocked") {
      referers.allow_blocked();
    } else if (word.starts_with("server~")) {
      referers.add_server_pattern(regex(word.substr(7).data()));
    } else if (word.starts_with("~")) {
      referers.add_pattern(regex(word.substr(1).data()));
    } else {
      CHECK(referers.add_name(word) == Outcome::ok);
    }
  }
  return referers;
}

}  // namespace

TEST_CASE("who may link here") {
  const auto blocked = make({"blocked", "www.example.org"});
  const auto none = make({"none", "www.example.org"});
  const auto simple = make({"www.example.org"});
  const auto patterns = make({"~example.org", "~(?-i)example.net"});
  const auto pattern_uri = make({"~example.org/uri"});
  const auto pattern_end = make({"~example.org$"});
  const auto uri = make({"www.example.org/uri"});
  const auto server = make({"localhost", "server~bar", "server~^anchoredre$"});
  const auto wild = make({"*.example.com", "*.example.org", "www.example.*", "example.*"});
  const auto wild_uri = make({"www.example.*/uri"});
  const auto both = make({".example.org"});
  const auto longest = make({"*.example.org/a", "*.b.example.org/b", "c.*/c", "c.d.*/d", "x.y/z"});
  const auto any = make({"~.*"});
  const std::string long_name(256, 'a');
  struct Row {
    const char* what;
    const Referers& referers;
    std::optional<std::string> referer;
    bool want;
  };
  const Row rows[] = {
      {"simple", simple, "http://www.example.org", true},
      {"simple, path", simple, "http://www.example.org/uri", true},
      {"simple, port", simple, "http://www.example.org:8080/uri", true},
      {"simple, case", simple, "HTTP://WWW.Example.org", true},
      {"simple, other", simple, "localhost", false},
      {"https", simple, "https://www.example.org", true},
      {"other scheme", simple, "ftp://www.example.org", false},
      {"no scheme", simple, "example.com", false},
      {"nothing", simple, std::nullopt, false},
      {"none", none, std::nullopt, true},
      {"none, empty", none, "", false},
      {"blocked", blocked, "www.example.org", true},
      {"blocked, other", blocked, "www.example.com", true},
      {"blocked, short", blocked, "http://su", true},
      {"blocked, empty", blocked, "", true},
      {"blocked, nothing", blocked, std::nullopt, false},
      {"blocked, with a scheme", blocked, "http://www.example.com", false},
      {"long path", simple, "http://www.example.org/" + long_name, true},
      {"long host", simple, "http://www.example." + long_name, false},
      {"long host, wildcard", wild, "http://example." + long_name, false},
      {"host of 256", any, "http://" + long_name, true},
      {"host of 257", any, "http://a" + long_name, false},
      {"path", uri, "http://www.example.org/uri", true},
      {"path, longer", uri, "http://www.example.org/urii", true},
      {"path, case", uri, "http://www.example.org/uRi", false},
      {"path, port", uri, "http://www.example.org:80/urii", true},
      {"path, shorter", uri, "http://www.example.org/ur", false},
      {"path, none", uri, "http://www.example.org", false},
      {"pattern", patterns, "http://www.example.org", true},
      {"pattern, case", patterns, "http://www.eXample.org", true},
      {"pattern, not", patterns, "http://www.example.com", false},
      {"pattern with its case", patterns, "http://www.eXample.net", false},
      {"pattern with a path", pattern_uri, "http://www.example.org/uRI", true},
      {"pattern with a path, none", pattern_uri, "http://www.example.org", false},
      {"pattern, https", pattern_end, "https://www.eXample.org", true},
      {"server names", server, "http://localHost/uri", true},
      {"server names, pattern", server, "http://foobAr/uri", true},
      {"server names, anchored", server, "http://anchoredre/uri", true},
      {"server names, pattern in the path", server, "http://foo.example/bar", false},
      {"server names, no scheme", server, "foobar", false},
      {"wildcard before", wild, "http://www.example.org", true},
      {"wildcard before, itself", make({"*.example.org"}), "http://example.org", false},
      {"wildcard before, deep", wild, "http://a.b.example.org", true},
      {"wildcard behind", wild, "http://www.example.net", true},
      {"wildcard behind, deep", wild, "http://example.co.uk", true},
      {"wildcard behind, nothing", wild, "http://www.example", false},
      {"wildcard and path", wild_uri, "http://www.example.net/urii", true},
      {"wildcard and path, case", wild_uri, "http://www.example.net/uRI", false},
      {"both", both, "http://example.org", true},
      {"both, under it", both, "http://www.example.org", true},
      {"both, not", both, "http://xexample.org", false},
      {"longest before", longest, "http://x.b.example.org/b", true},
      {"longest before, other path", longest, "http://x.b.example.org/a", false},
      {"longest behind", longest, "http://c.d.e/d", true},
      {"longest behind, other path", longest, "http://c.d.e/c", false},
      {"shorter behind", longest, "http://c.e/c", true},
      {"no configuration", Referers{}, std::nullopt, true},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.what));
    CHECK(row.referers.valid(row.referer) == row.want);
  }
}

TEST_CASE("names that cannot be") {
  Referers referers;
  struct Row {
    const char* name;
    Outcome want;
  };
  const Row rows[] = {
      {"www.example.org", Outcome::ok},
      {"WWW.example.org/x", Outcome::conflicting},
      {"*.example.org", Outcome::ok},
      {"*.example.org", Outcome::conflicting},
      {".example.org", Outcome::conflicting},
      {"www.*", Outcome::ok},
      {"www.*", Outcome::conflicting},
      {"*", Outcome::invalid},
      {"*.", Outcome::invalid},
      {".*", Outcome::invalid},
      {"a*.example.org", Outcome::invalid},
      {"www.*.org", Outcome::invalid},
      {"*.example.*", Outcome::invalid},
      {"a..b", Outcome::invalid},
      {"**", Outcome::invalid},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.name));
    CHECK(referers.add_name(row.name) == row.want);
  }
  CHECK(referers.has_names());
  CHECK_FALSE(make({"none", "~x"}).has_names());
}
