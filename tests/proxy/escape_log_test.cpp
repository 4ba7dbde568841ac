#include "proxy/escape_log.h"

#include <doctest/doctest.h>

using weir::config::LogFormat;
using weir::proxy::append_log_value;

namespace {

std::string escaped(std::string_view text, LogFormat::Escape escape) {
  std::string out;
  append_log_value(out, text, escape);
  return out;
}

}  // namespace

TEST_CASE("values are escaped as the format wants it") {
  struct Row {
    std::string_view text;
    const char* standard;
    const char* json;
  };
  using namespace std::string_view_literals;
  const Row rows[] = {
      {"", "-", ""},
      {"plain", "plain", "plain"},
      {"a\"b\\c", "a\\x22b\\x5Cc", "a\\\"b\\\\c"},
      {"\n\r\t\b\f", "\\x0A\\x0D\\x09\\x08\\x0C", "\\n\\r\\t\\b\\f"},
      {"\0\x1f"sv, "\\x00\\x1F", "\\u0000\\u001F"},
      {"\x7f/", "\\x7F/", "\x7f/"},
      {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82", "\\xC3\\xA4\\xE2\\x82\\xAC\\xF0\\x9F\\x99\\x82",
       "\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82"},
      // What is no UTF-8 is taken for ISO 8859-1: JSON cannot hold it as it is.
      {"\xe4", "\\xE4", "\\u00E4"},
      {"a\xc3", "a\\xC3", "a\\u00C3"},
      {"\xed\xa0\x80", "\\xED\\xA0\\x80", "\\u00ED\\u00A0\\u0080"},
      {"\xc0\xaf", "\\xC0\\xAF", "\\u00C0\\u00AF"}};
  for (const auto& row : rows) {
    CHECK(escaped(row.text, LogFormat::Escape::standard) == row.standard);
    CHECK(escaped(row.text, LogFormat::Escape::json) == row.json);
    CHECK(escaped(row.text, LogFormat::Escape::none) == row.text);
  }
}
