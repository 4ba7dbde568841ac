#include "http/line_ends.h"

#include <doctest/doctest.h>

using namespace weir::http;

TEST_CASE("heads whose lines end in LF are put right, and what follows them stays") {
  struct Row {
    const char* bytes;
    LineEnds ends;
    const char* after;  // null: as before
  };
  const Row rows[] = {
      {"", LineEnds::good, nullptr},
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", LineEnds::good, nullptr},
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\na\nb\n\n", LineEnds::good, nullptr},
      {"GET / HTTP/1.1\n", LineEnds::mended, "GET / HTTP/1.1\r\n"},
      {"GET / HTTP/1.1\nHost: ", LineEnds::mended, "GET / HTTP/1.1\r\nHost: "},
      {"GET / HTTP/1.1\nHost: a\n", LineEnds::mended, "GET / HTTP/1.1\r\nHost: a\r\n"},
      {"GET / HTTP/1.1\n\n", LineEnds::mended, "GET / HTTP/1.1\r\n\r\n"},
      {"GET / HTTP/1.1\nHost: a\n\nb\nc", LineEnds::mended,
       "GET / HTTP/1.1\r\nHost: a\r\n\r\nb\nc"},
      {"GET / HTTP/1.1\r\nHost: a\n\r\nb", LineEnds::mended, "GET / HTTP/1.1\r\nHost: a\r\n\r\nb"},
      {"\n\r\nGET / HTTP/1.1\n\n", LineEnds::mended, "\r\n\r\nGET / HTTP/1.1\r\n\r\n"},
      {"GET / HTTP/1.1\n a\rb\n\n", LineEnds::mended, "GET / HTTP/1.1\r\n a\rb\r\n\r\n"}};
  for (const auto& row : rows) {
    CAPTURE(row.bytes);
    std::string bytes = row.bytes;
    CHECK(mend_line_ends(bytes, 1000) == row.ends);
    CHECK(bytes == (row.after != nullptr ? row.after : row.bytes));
    if (row.after == nullptr) continue;
    std::string again = bytes;
    CHECK(mend_line_ends(again, 1000) == LineEnds::good);  // nothing is left to mend
  }
}

TEST_CASE("no more is looked at than a head may have") {
  std::string bytes = "GET / HTTP/1.1\nHost: a\n\n";
  CHECK(mend_line_ends(bytes, 10) == LineEnds::good);
  CHECK(mend_line_ends(bytes, 16) == LineEnds::mended);
  CHECK(bytes == "GET / HTTP/1.1\r\nHost: a\n\n");
}
