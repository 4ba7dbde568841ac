#include "registry/resp.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using namespace weir::registry;
using Status = RespParser::Status;
using Type = RespValue::Type;

std::string shown(const RespValue& value) {
  switch (value.type) {
    case Type::nil:
      return "nil";
    case Type::simple:
      return "+" + value.text;
    case Type::error:
      return "-" + value.text;
    case Type::integer:
      return ":" + std::to_string(value.integer);
    case Type::bulk:
      return "$" + value.text;
    case Type::array:
      break;
  }
  std::string out = "[";
  for (const auto& item : value.items) out += (out.size() > 1 ? " " : "") + shown(item);
  return out + "]";
}

// All values of `bytes`, fed in pieces of `step`; then "?" if something is left, or "!REASON".
std::string read(std::string_view bytes, std::size_t step) {
  RespParser parser({.line = 64, .bulk = 100, .total = 300, .values = 12, .depth = 3});
  std::string out;
  while (!bytes.empty()) {
    const auto size = std::min(step, bytes.size());
    parser.feed(bytes.substr(0, size));
    bytes.remove_prefix(size);
    RespValue value;
    Status status;
    while ((status = parser.next(value)) == Status::value) out += shown(value) + " ";
    if (status == Status::error) return out + "!" + parser.error();
  }
  return out + (parser.pending() > 0 ? "?" : "");
}

std::string text_of(std::size_t size) {
  return "$" + std::to_string(size) + "\r\n" + std::string(size, 'x') + "\r\n";
}

TEST_CASE("answers are read the same in whatever pieces they come") {
  struct Row {
    std::string bytes;
    std::string values;
  };
  const Row rows[] = {
      {"+OK\r\n", "+OK "},
      {"-ERR no such thing\r\n", "-ERR no such thing "},
      {":42\r\n:-1\r\n:+7\r\n", ":42 :-1 :7 "},
      {"$5\r\nhello\r\n", "$hello "},
      {"$0\r\n\r\n", "$ "},
      {"$-1\r\n*-1\r\n", "nil nil "},
      {"$4\r\na\r\nb\r\n", "$a\r\nb "},
      {"*0\r\n", "[] "},
      {"*2\r\n$1\r\na\r\n*1\r\n:1\r\n+x\r\n", "[$a [:1]] +x "},
      {"*2\r\n*0\r\n$-1\r\n", "[[] nil] "},
      {"*1\r\n*1\r\n*1\r\n:1\r\n", "[[[:1]]] "},
      {"+\r\n", "+ "},
      {"$3\r\nab", "?"},
      {"*2\r\n:1\r\n", "?"},
      {"+OK\r", "?"},
      {text_of(90) + text_of(90) + text_of(90) + text_of(90) + text_of(90),
       "$" + std::string(90, 'x') + " $" + std::string(90, 'x') + " $" + std::string(90, 'x') +
           " $" + std::string(90, 'x') + " $" + std::string(90, 'x') + " "},
      {"HTTP/1.1 400 Bad Request\r\n", "!not an answer of Redis: it begins with \"H\""},
      {std::string("\0\r\n", 3), "!not an answer of Redis: it begins with 0x00"},
      {"%1\r\n+a\r\n+b\r\n", "!not an answer of Redis: it begins with \"%\""},
      {"\r\n", "!an empty line where a value begins"},
      {":\r\n", "!a number is no number"},
      {":1x\r\n", "!a number is no number"},
      {":+-1\r\n", "!a number is no number"},
      {":99999999999999999999\r\n", "!a number is no number"},
      {"$-2\r\n", "!a negative length"},
      {"*-7\r\n", "!a negative length"},
      {"$101\r\n", "!a text is too long"},
      {"$9223372036854775807\r\n", "!a text is too long"},
      {"*13\r\n", "!an array is too long"},
      {"*1\r\n*1\r\n*1\r\n*1\r\n", "!arrays are nested too deep"},
      {"*4\r\n*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
       "!an answer has too many values"},
      {"*4\r\n" + text_of(95) + text_of(95) + text_of(95) + text_of(95), "!an answer is too large"},
      {"$2\r\nabc\r\n", "!a text has no end"},
      {"+" + std::string(64, 'x') + "\r\n", "!a line is too long"},
      {"+" + std::string(80, 'x'), "!a line is too long"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.bytes);
    for (const std::size_t step : {1u, 2u, 3u, 7u, 1000u})
      CHECK(read(row.bytes, step) == row.values);
  }
}

TEST_CASE("after an error nothing is read any more") {
  RespParser parser;
  parser.feed("?\r\n");
  RespValue value;
  CHECK(parser.next(value) == Status::error);
  parser.feed("+OK\r\n");
  CHECK(parser.next(value) == Status::error);
}

TEST_CASE("errors are told apart by their first word") {
  RespValue value{
      .type = Type::error, .text = "LOADING Redis is loading", .integer = 0, .items = {}};
  CHECK(value.is_error("LOADING"));
  CHECK_FALSE(value.is_error("LOAD"));
  value.text = "ERR";
  CHECK(value.is_error("ERR"));
  value.type = Type::simple;
  CHECK_FALSE(value.is_error("ERR"));
}

TEST_CASE("commands are arrays of texts") {
  CHECK(format_command({"GET", "a b"}) == "*2\r\n$3\r\nGET\r\n$3\r\na b\r\n");
  const std::vector<std::string> words{"SET", "k", std::string("\r\n\0", 3)};
  CHECK(format_command(words) == std::string("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n\r\n\0\r\n", 29));
}

}  // namespace
