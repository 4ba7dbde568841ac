#include "http/escape.h"

#include <doctest/doctest.h>

#include <vector>

using namespace weir::http;

TEST_CASE("each kind escapes its own printable characters, and all foreign bytes") {
  struct Row {
    Escape kind;
    const char* escaped;  // of 0x21 to 0x7e
    std::size_t others;   // of the other bytes
  };
  const Row rows[] = {
      {Escape::uri, "\"#%<>?\\^`{|}", 162},
      {Escape::args, "\"#%&+;<>?\\^`{|}", 162},
      {Escape::component, "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}", 162},
      {Escape::html, "\"#%'<>\\^`{|}", 162},
      {Escape::refresh, "\"'<>\\^`{|~", 162},
      {Escape::memcached, "%", 33},
  };
  for (const auto& row : rows) {
    CAPTURE(static_cast<int>(row.kind));
    std::string escaped;
    std::size_t others = 0;
    for (int c = 0; c < 256; ++c) {
      const char text = static_cast<char>(c);
      std::string out;
      escape({&text, 1}, row.kind, out);
      CHECK(out.size() == 1 + 2 * count_escapes({&text, 1}, row.kind));
      if (out.size() == 1) continue;
      const bool printable = c > 0x20 && c < 0x7f;
      if (printable) escaped.push_back(text);
      if (!printable) ++others;
    }
    CHECK(escaped == row.escaped);
    CHECK(others == row.others);
  }
}

TEST_CASE("escapes are written in capitals, behind what is there") {
  std::string out = "/x?";
  escape("a b\xc3\xa4", Escape::args, out);
  CHECK(out == "/x?a%20b%C3%A4");
}

TEST_CASE(
    "unescaping stops at a question mark, keeps what a redirect needs, drops what is broken") {
  struct Row {
    Unescape kind;
    const char* text;
    const char* want;
    std::size_t read;
  };
  const Row rows[] = {
      {Unescape::all, "/a%20b%3Fc?d%41", "/a b?c?dA", 15},
      {Unescape::all, "%zz1", "zz1", 4},
      {Unescape::all, "%4z1", "1", 4},
      {Unescape::all, "a%", "a", 2},
      {Unescape::all, "a%4", "a", 3},
      {Unescape::all, "%%41", "%41", 4},
      {Unescape::all, "%c3%A4", "\xc3\xa4", 6},
      {Unescape::uri, "/a%20b?c%20", "/a b?", 7},
      {Unescape::uri, "/a%3fb%20", "/a?", 5},
      {Unescape::redirect, "/a%20b%25c%41%7f%3A?d%41", "/a%20b%25cA%7f:?", 20},
      {Unescape::redirect, "/a%3Fb", "/a?", 5},
      {Unescape::redirect, "/%D0%b0", "/%D0%b0", 7},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    std::string out;
    CHECK(unescape(row.text, row.kind, out) == row.read);
    CHECK(out == row.want);
  }
}
