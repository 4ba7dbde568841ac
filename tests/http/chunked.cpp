#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "http/chunked.h"

using namespace weir::http;
using namespace std::string_literals;

namespace {

using Status = ChunkedDecoder::Status;

struct Outcome {
  Status status = Status::more;
  std::size_t consumed = 0;
  std::string data;  // of next() only
  std::uint64_t decoded = 0;
  std::string reason;
  bool operator==(const Outcome&) const = default;
};

// Feeds `bytes` in two pieces cut at `cut`; with cut 0 byte by byte.
template <typename Feed>
void feed(const std::string& bytes, std::size_t cut, Feed&& give) {
  if (cut != 0) {
    if (give(std::string_view(bytes).substr(0, cut))) give(std::string_view(bytes).substr(cut));
    return;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::string one = bytes.substr(i, 1);  // a buffer of its own
    if (!give(one)) return;
  }
}

Outcome by_next(const std::string& bytes, std::size_t cut, const ChunkedDecoder::Limits& limits) {
  ChunkedDecoder decoder(limits);
  Outcome out;
  feed(bytes, cut, [&](std::string_view in) {
    for (;;) {
      const auto step = decoder.next(in);
      REQUIRE(step.consumed <= in.size());
      out.consumed += step.consumed;
      out.data += step.data;
      out.status = step.status;
      out.reason = step.reason;
      in.remove_prefix(step.consumed);
      if (step.status != Status::data) return step.status == Status::more;
      REQUIRE_FALSE(step.data.empty());
    }
  });
  out.decoded = decoder.decoded();
  return out;
}

Outcome by_skim(const std::string& bytes, std::size_t cut, const ChunkedDecoder::Limits& limits) {
  ChunkedDecoder decoder(limits);
  Outcome out;
  feed(bytes, cut, [&](std::string_view in) {
    const auto step = decoder.skim(in);
    REQUIRE(step.consumed <= in.size());
    REQUIRE(step.status != Status::data);
    out.consumed += step.consumed;
    out.status = step.status;
    out.reason = step.reason;
    return step.status == Status::more;
  });
  out.decoded = decoder.decoded();
  return out;
}

// The answer, which must be the same for both functions and all cuts.
Outcome decode(const std::string& bytes, const ChunkedDecoder::Limits& limits = {}) {
  const Outcome whole = by_next(bytes, bytes.size(), limits);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    CAPTURE(cut);
    const Outcome next = by_next(bytes, cut, limits);
    REQUIRE(next == whole);
    Outcome skimmed = by_skim(bytes, cut, limits);
    skimmed.data = whole.data;
    REQUIRE(skimmed == whole);
  }
  return whole;
}

struct Row {
  std::string name;
  std::string bytes;
  Status status;
  std::string data = "";
  std::string rest = "";  // what is left after the end
};

constexpr auto done = Status::done, more = Status::more, error = Status::error;

std::string trailer(const std::string& line) { return "0\r\n" + line + "\r\n\r\n"; }

const Row rows[] = {
    {"empty body", "0\r\n\r\n", done},
    {"one chunk", "3\r\nabc\r\n0\r\n\r\n", done, "abc"},
    {"two chunks", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", done, "abcde"},
    {"what follows is left", "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n", done, "a",
     "GET / HTTP/1.1\r\n"},
    {"hexadecimal of both cases", "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n", done,
     "01234567890123456789a"},
    {"zeros before the size", "0003\r\nabc\r\n0000\r\n\r\n", done, "abc"},
    {"CRLF and NUL in data", "4\r\n\r\n\0x\r\n0\r\n\r\n"s, done, "\r\n\0x"s},
    {"data not all there", "5\r\nab", more, "ab"},
    {"last chunk missing", "1\r\na\r\n", more, "a"},
    {"end missing", "1\r\na\r\n0\r\n", more, "a"},
    {"LF of the end missing", "0\r\n\r", more},

    {"bare LF after the size", "3\nabc\r\n0\r\n\r\n", error},
    {"bare LF after data", "3\r\nabc\n0\r\n\r\n", error, "abc"},
    {"bare LF after the last size", "0\n\r\n", error},
    {"bare LF at the end", "0\r\n\n", error},
    {"bare CR after the size", "3\rabc\r\n0\r\n\r\n", error},
    {"bare CR after data", "3\r\nabc\r0\r\n\r\n", error, "abc"},
    {"bare CR at the end", "0\r\n\rx", error},
    {"data longer than the size", "3\r\nabcd\r\n0\r\n\r\n", error, "abc"},
    {"data shorter than the size", "3\r\nab\r\n0\r\n\r\n", error, "ab\r"},
    {"no size", "\r\n\r\n", error},
    {"size missing before an extension", ";a\r\n\r\n", error},
    {"size g", "g\r\n", error},
    {"size 0x3", "0x3\r\nabc\r\n0\r\n\r\n", error},
    {"size -3", "-3\r\nabc\r\n0\r\n\r\n", error},
    {"size +3", "+3\r\nabc\r\n0\r\n\r\n", error},
    {"size with blank before", " 3\r\nabc\r\n0\r\n\r\n", error},
    {"size with blank after", "3 \r\nabc\r\n0\r\n\r\n", error},
    {"size with blank inside", "1 0\r\nabc\r\n0\r\n\r\n", error},
    {"size with underscore", "1_0\r\nabc\r\n0\r\n\r\n", error},
    {"largest size", "4000000000000000\r\n", more},
    {"size too big", "4000000000000001\r\n", error},
    {"size too big, 16 digits", "ffffffffffffffff\r\n", error},
    {"17 digits", "10000000000000000\r\n", error},
    {"17 digits, zeros", "00000000000000003\r\nabc\r\n0\r\n\r\n", error},
    {"empty line between chunks", "1\r\na\r\n\r\n0\r\n\r\n", error, "a"},

    {"extension", "1;a\r\nx\r\n0\r\n\r\n", done, "x"},
    {"extension with value", "1;a=b\r\nx\r\n0;c=d\r\n\r\n", done, "x"},
    {"extensions with blanks", "1 ; a = b ;\tc\r\nx\r\n0\r\n\r\n", done, "x"},
    {"quoted value", "1;a=\"b; \\\"c\\\\ \xff\"\r\nx\r\n0\r\n\r\n", done, "x"},
    {"quoted value, then another", "1;a=\"b\";c=d\r\nx\r\n0\r\n\r\n", done, "x"},
    {"empty extension", "1;\r\nx\r\n0\r\n\r\n", error},
    {"extension without name", "1;=b\r\nx\r\n0\r\n\r\n", error},
    {"extension without value", "1;a=\r\nx\r\n0\r\n\r\n", error},
    {"blank after an extension", "1;a \r\nx\r\n0\r\n\r\n", error},
    {"bare LF after an extension", "1;a\nx\r\n0\r\n\r\n", error},
    {"bare CR in an extension", "1;a\rb\r\nx\r\n0\r\n\r\n", error},
    {"NUL in an extension", "1;a\0\r\nx\r\n0\r\n\r\n"s, error},
    {"CRLF in a quoted value", "1;a=\"\r\n\"\r\nx\r\n0\r\n\r\n", error},
    {"LF in a quoted value", "1;a=\"\n\"\r\nx\r\n0\r\n\r\n", error},
    {"LF after a backslash", "1;a=\"\\\n\"\r\nx\r\n0\r\n\r\n", error},
    {"text after a quoted value", "1;a=\"b\"c\r\nx\r\n0\r\n\r\n", error},

    {"trailer", trailer("X-Sum: 1"), done},
    {"trailers", "0\r\nX-Sum: 1\r\nGrpc-Status:0\r\nEmpty:\r\n\r\nrest", done, "", "rest"},
    {"trailer with a long name", trailer(std::string(300, 'x') + ": 1"), done},
    {"trailer Content-Length", trailer("Content-Length: 3"), error},
    {"trailer content-length", trailer("content-length:3"), error},
    {"trailer Content_Length", trailer("Content_Length: 3"), error},
    {"trailer Transfer-Encoding", trailer("Transfer-Encoding: chunked"), error},
    {"second trailer Transfer-Encoding", trailer("A: b\r\nTransfer-Encoding: chunked"), error},
    {"trailer Host", trailer("Host: a"), error},
    {"trailer Connection", trailer("Connection: close"), error},
    {"trailer Trailer", trailer("Trailer: a"), error},
    {"trailer TE", trailer("TE: trailers"), error},
    {"trailer Authorization", trailer("Authorization: x"), error},
    {"trailer Cookie", trailer("Cookie: x"), error},
    {"trailer Set-Cookie", trailer("Set-Cookie: x"), error},
    {"trailer X-Forwarded-For", trailer("X-Forwarded-For: x"), error},
    {"trailer Content-Range", trailer("Content-Range: x"), error},
    {"trailer If-Match", trailer("If-Match: x"), error},
    {"trailer with space before the colon", trailer("A : b"), error},
    {"trailer folded", trailer("A: b\r\n c"), error},
    {"trailer starts with a blank", trailer(" A: b"), error},
    {"trailer without colon", trailer("A"), error},
    {"trailer without name", trailer(": b"), error},
    {"trailer with (", trailer("A(: b"), error},
    {"trailer with NUL", trailer("A: \0b"s), error},
    {"trailer with bare LF", "0\r\nA: b\n\r\n", error},
    {"trailer with bare CR", "0\r\nA: b\rc\r\n\r\n", error},
};

}  // namespace

TEST_CASE("chunked bodies, at all cuts, by next and by skim") {
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Outcome outcome = decode(row.bytes);
    CAPTURE(outcome.reason);
    CHECK(outcome.status == row.status);
    CHECK(outcome.data == row.data);
    CHECK(outcome.decoded == row.data.size());
    if (row.status == done) CHECK(row.bytes.substr(outcome.consumed) == row.rest);
    if (row.status == more) CHECK(outcome.consumed == row.bytes.size());
  }
}

TEST_CASE("limits of the chunked coding") {
  ChunkedDecoder::Limits limits;
  limits.line = 20;
  limits.trailers = 30;
  limits.extensions = 38;
  // With ";a=", a value of 16 makes a line of 1 + 3 + 16 + the CR.
  const auto chunk = [](std::size_t value) {
    return "1;a=" + std::string(value, 'v') + "\r\nx\r\n";
  };
  const std::string end = "0\r\n\r\n";
  const Row table[] = {
      {"line at the limit", chunk(15) + end, done},
      {"line over the limit", chunk(16) + end, error},
      {"line without end", "1;a=" + std::string(30, 'v'), error},
      {"extensions at the limit", chunk(15) + chunk(15) + "1;a\r\nx\r\n" + end, done},
      {"extensions over the limit", chunk(15) + chunk(15) + "1;ab\r\nx\r\n1;a\r\nx\r\n" + end,
       error},
      {"extensions of blanks", chunk(15) + chunk(15) + "1    ;a\r\nx\r\n" + end, error},
      {"trailers at the limit", "0\r\nAbcdef: 12345\r\nAbcdef: 12345\r\n\r\n", done},
      {"trailers over the limit", "0\r\nAbcdef: 12345\r\nAbcdef: 123456\r\n\r\n", error},
      {"trailer without end", "0\r\nA: " + std::string(40, 'x'), error},
      {"many trailers", "0\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\n\r\n", error},
  };
  for (const Row& row : table) {
    CAPTURE(row.name);
    const Outcome outcome = decode(row.bytes, limits);
    CAPTURE(outcome.reason);
    CHECK(outcome.status == row.status);
  }
}

TEST_CASE("after the end and after an error nothing more is taken") {
  ChunkedDecoder decoder;
  CHECK(decoder.skim("0\r\n\r\n").status == done);
  CHECK(decoder.skim("1\r\n").status == done);
  CHECK(decoder.next("1\r\n").consumed == 0);
  ChunkedDecoder failed;
  CHECK(failed.skim("x").status == error);
  const auto step = failed.next("0\r\n\r\n");
  CHECK(step.status == error);
  CHECK(step.consumed == 0);
  CHECK(std::string(step.reason) == "chunk without size");
}

TEST_CASE("big and many chunks") {
  std::string big = "100000\r\n" + std::string(0x100000, 'x') + "\r\n0\r\n\r\n";
  ChunkedDecoder decoder;
  CHECK(decoder.skim(big).status == done);
  CHECK(decoder.decoded() == 0x100000);

  std::string small;
  for (int i = 0; i < 10000; ++i) small += "1\r\nx\r\n";
  small += "0\r\n\r\n";
  ChunkedDecoder many;
  CHECK(many.skim(small).status == done);
  CHECK(many.decoded() == 10000);
}
