#include "content/ranges.h"

#include <doctest/doctest.h>

using namespace weir::content;

namespace {
constexpr auto ignore = RangeVerdict::ignore;
constexpr auto partial = RangeVerdict::partial;
constexpr auto unsatisfiable = RangeVerdict::unsatisfiable;

std::string text(RangeVerdict verdict, const std::vector<ByteRange>& ranges) {
  if (verdict == ignore) return "ignore";
  if (verdict == unsatisfiable) return "unsatisfiable";
  std::string out;
  for (const auto& range : ranges) {
    if (!out.empty()) out += " ";
    out += std::to_string(range.begin) + "-" + std::to_string(range.end);
  }
  return out;
}
}  // namespace

TEST_CASE("ranges are read as nginx reads them") {
  struct Row {
    const char* field;
    std::int64_t length;
    const char* want;
    std::uint32_t max = kUnlimitedRanges;
  };
  const Row rows[] = {
      {"bytes=0-8", 1000, "0-9"},
      {"BYTES=0-8", 1000, "0-9"},
      {"bytes=-10", 1000, "990-1000"},
      {"bytes=-2000", 1000, "0-1000"},
      {"bytes=990-", 1000, "990-1000"},
      {"bytes=990-2000", 1000, "990-1000"},
      {"bytes=999-999", 1000, "999-1000"},
      {"bytes= 0 - 8 ", 1000, "0-9"},
      {"bytes=1000-", 1000, "unsatisfiable"},
      {"bytes=-0", 1000, "unsatisfiable"},
      {"bytes=9-8", 1000, "unsatisfiable"},
      {"bytes=", 1000, "ignore"},
      {"bytes", 1000, "ignore"},
      {"bytes 0-8", 1000, "ignore"},
      {"items=0-8", 1000, "ignore"},
      {"", 1000, "ignore"},
      {"bytes=x", 1000, "unsatisfiable"},
      {"bytes=-", 1000, "unsatisfiable"},
      {"bytes=--1", 1000, "unsatisfiable"},
      {"bytes=1", 1000, "unsatisfiable"},
      {"bytes=1-x", 1000, "unsatisfiable"},
      {"bytes=1-2x", 1000, "unsatisfiable"},
      {"bytes=1-2;", 1000, "unsatisfiable"},
      {"bytes=+1-2", 1000, "unsatisfiable"},
      {"bytes=1-\t2", 1000, "unsatisfiable"},
      {"bytes=0-8,", 1000, "unsatisfiable"},
      {"bytes=,0-8", 1000, "unsatisfiable"},
      {"bytes=9223372036854775807-", 1000, "unsatisfiable"},
      {"bytes=9223372036854775808-", 1000, "unsatisfiable"},
      {"bytes=0-9223372036854775808", 1000, "unsatisfiable"},
      {"bytes=0-9223372036854775807", 1000, "0-1000"},
      {"bytes=-9223372036854775807", 1000, "0-1000"},
      {"bytes=0-8", 0, "ignore"},
      {"bytes=-8", 0, "ignore"},
      {"bytes=1-8", 0, "unsatisfiable"},
      // several
      {"bytes=0-0,-1", 1000, "0-1 999-1000"},
      {"bytes=0-9, 5-14", 1000, "0-10 5-15"},
      {"bytes=5-14, 0-9", 1000, "5-15 0-10"},
      {"bytes=0-9,1000-,20-29", 1000, "0-10 20-30"},
      {"bytes=1000-,2000-", 1000, "unsatisfiable"},
      {"bytes=0-999,0-0", 1000, "ignore"},
      {"bytes=0-499,500-999", 1000, "0-500 500-1000"},
      {"bytes=0-9,x", 1000, "unsatisfiable"},
      {"bytes=0-,0-", 1000, "ignore"},
      {"bytes=-1,-1", 0, "ignore"},
      // limits
      {"bytes=0-8", 1000, "ignore", 0},
      {"bytes=0-8", 1000, "0-9", 1},
      {"bytes=0-8,9-9", 1000, "ignore", 1},
      {"bytes=0-8,9-9", 1000, "0-9 9-10", 2},
      {"bytes=0-8,1000-", 1000, "0-9", 1},
      {"bytes=0-8,9-9,x", 1000, "ignore", 1},
  };
  for (const auto& row : rows) {
    CAPTURE(row.field);
    CAPTURE(row.max);
    std::vector<ByteRange> ranges{{7, 8}};
    const auto verdict = parse_ranges(row.field, row.length, row.max, ranges);
    CHECK(text(verdict, ranges) == row.want);
  }
}

TEST_CASE("many small ranges are ignored unless a limit is configured") {
  const auto many = [](int count) {
    std::string field = "bytes=0-0";
    for (int i = 1; i < count; ++i) field += "," + std::to_string(i) + "-" + std::to_string(i);
    return field;
  };
  std::vector<ByteRange> ranges;
  // 19 bytes and 19 heads fit into 1000 bytes and the answer's own head, 20 do not.
  CHECK(parse_ranges(many(19), 1000, kUnlimitedRanges, ranges) == partial);
  CHECK(parse_ranges(many(20), 1000, kUnlimitedRanges, ranges) == ignore);
  CHECK(parse_ranges(many(20), 1000, 20, ranges) == partial);
}

TEST_CASE("the text of Content-Range") {
  std::string out;
  append_content_range({0, 100}, 1000, out);
  CHECK(out == "bytes 0-99/1000");
  out.clear();
  append_unsatisfied_range(1000, out);
  CHECK(out == "bytes */1000");
}

TEST_CASE("an answer of several parts is as long as it says") {
  const std::string content = "0123456789abcdefghij";
  const std::vector<ByteRange> ranges{{0, 2}, {9, 11}, {18, 20}};
  for (const char* type : {"text/html; charset=utf-8", ""}) {
    const Multipart multipart(17, type, 20);
    std::string out;
    for (const auto& range : ranges) {
      multipart.append_part_head(range, out);
      out.append(content, static_cast<std::size_t>(range.begin),
                 static_cast<std::size_t>(range.size()));
    }
    multipart.append_end(out);
    CHECK(out.size() == static_cast<std::size_t>(multipart.size(ranges)));
    const std::string line = *type ? "Content-Type: " + std::string(type) + "\r\n" : "";
    const std::string head = "\r\n--00000000000000000017\r\n" + line + "Content-Range: bytes ";
    CHECK(out == head + "0-1/20\r\n\r\n01" + head + "9-10/20\r\n\r\n9a" + head +
                     "18-19/20\r\n\r\nij\r\n--00000000000000000017--\r\n");
    CHECK(multipart.content_type() == "multipart/byteranges; boundary=00000000000000000017");
  }
  CHECK(Multipart(18446744073709551615ULL, "", 1).content_type() ==
        "multipart/byteranges; boundary=18446744073709551615");
}
