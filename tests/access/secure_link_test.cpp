#include "access/secure_link.h"

#include <doctest/doctest.h>

#include <string>

using namespace weir::access;

TEST_CASE("links with a sum, and perhaps a time") {
  constexpr auto valid = LinkVerdict::valid;
  constexpr auto expired = LinkVerdict::expired;
  constexpr auto invalid = LinkVerdict::invalid;
  struct Row {
    const char* value;
    const char* text;
    LinkVerdict want;
    const char* expires = nullptr;  // null: none
  };
  const Row rows[] = {
      {"q-5vpkjBkRXXtkUMXiJVHA", "secret/test.html", valid},
      {"q-5vpkjBkRXXtkUMXiJVHA==", "secret/test.html", valid},
      {"q+5vpkjBkRXXtkUMXiJVHA==", "secret/test.html", invalid},
      {"q-5vpkjBkRXXtkUMXiJVHA", "secret/test2.html", invalid},
      {"q-5vpkjBkRXXtkUMXiJVHB", "secret/test.html", valid},  // bits behind the sum do not count
      {"Q-5vpkjBkRXXtkUMXiJVHA", "secret/test.html", invalid},
      {"q-5vpkjBkRXXtkUMXiJV", "secret/test.html", invalid},
      {"q-5vpkjBkRXXtkUMXiJVHA===", "secret/test.html", invalid},
      {"", "secret/test.html", invalid},
      {"W1z9q_K8jnSigub3Y605WQ,2147483647", "secret/test.html2147483647", valid, "2147483647"},
      {"W1z9q_K8jnSigub3Y605WQ,1000", "secret/test.html2147483647", expired, "1000"},
      {"W1z9q_K8jnSigub3Y605WQ,1001", "secret/test.html2147483647", valid, "1001"},
      {"xxxx,1000", "secret/test.html", invalid, "1000"},
      {"q-5vpkjBkRXXtkUMXiJVHA,", "secret/test.html", invalid},
      {"q-5vpkjBkRXXtkUMXiJVHA,0", "secret/test.html", invalid},
      {"q-5vpkjBkRXXtkUMXiJVHA,-1", "secret/test.html", invalid},
      {"q-5vpkjBkRXXtkUMXiJVHA,1x", "secret/test.html", invalid},
      {"q-5vpkjBkRXXtkUMXiJVHA,99999999999999999999", "secret/test.html", invalid},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.value));
    const auto check = check_link(row.value, row.text, 1001);
    CHECK(check.verdict == row.want);
    CHECK(check.expires.has_value() == (row.expires != nullptr));
    if (check.expires && row.expires) CHECK(std::string(*check.expires) == row.expires);
  }
}

TEST_CASE("links of the old kind") {
  struct Row {
    const char* target;
    const char* want;  // null: invalid
  };
  const Row rows[] = {
      {"/p/181a8c6df88b74bb87b14f72df0a86f9/test.html", "test.html"},
      {"/p/181A8C6DF88B74BB87B14F72DF0A86F9/test.html", "test.html"},
      {"/p/c8bc2db6dfa86571b26d4658b3ce1848/test.html?a=/b", "test.html?a=/b"},
      {"/p/d8e1fd016ad15eb2c3df25ab258042b8/a/b", "a/b"},
      {"/p/181a8c6df88b74bb87b14f72df0a86f9/test2.html", nullptr},
      {"/p/181a8c6df88b74bb87b14f72df0a86f8/test.html", nullptr},
      {"/p/181a8c6df88b74bb87b14f72df0a86f/test.html", nullptr},
      {"/p/181a8c6df88b74bb87b14f72df0a86fx/test.html", nullptr},
      {"/p/+81a8c6df88b74bb87b14f72df0a86f9/test.html", nullptr},
      {"/p/181a8c6df88b74bb87b14f72df0a86f9/", nullptr},
      {"/p/181a8c6df88b74bb87b14f72df0a86f9", nullptr},
      {"/p/", nullptr},
      {"/p", nullptr},
      {"/", nullptr},
      {"", nullptr},
      {"/181a8c6df88b74bb87b14f72df0a86f9/test.html", nullptr},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.target));
    const auto link = check_secret_link(row.target, "secret");
    CHECK(link.has_value() == (row.want != nullptr));
    if (link && row.want) CHECK(std::string(*link) == row.want);
  }
}
