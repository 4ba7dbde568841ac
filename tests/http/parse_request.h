// What the tests of the request parser share: requests as text, and what the parser says of them.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

#include "http/head.h"

namespace weir::http::test {

struct Outcome {
  ParseResult result;
  std::size_t bytes_seen = 0;  // how many were there when the answer came
  RequestHead head;
  std::string copy;  // what head.base points to
};

// Gives `bytes` to the parser as growing prefixes of the sizes `first`, `first + step`, ... Each
// prefix is a buffer of exactly its size, at another address.
inline void parse(const std::string& bytes, std::size_t first, std::size_t step,
                  const Limits& limits, Outcome& outcome) {
  ParseState state;
  for (std::size_t size = first;; size = std::min(size + step, bytes.size())) {
    outcome.copy = bytes.substr(0, size);
    outcome.copy.shrink_to_fit();
    outcome.result = parse_request(outcome.copy, limits, state, outcome.head);
    outcome.bytes_seen = size;
    if (outcome.result.status != ParseStatus::need_more || size == bytes.size()) return;
  }
}

inline Outcome parse_whole(const std::string& bytes, const Limits& limits = {}) {
  Outcome outcome;
  parse(bytes, bytes.size(), 1, limits, outcome);
  outcome.head.base = outcome.copy.data();
  return outcome;
}

// Everything the parser says about a head, as text.
inline std::string describe(const RequestHead& head) {
  std::string out = std::string(head.method_text()) + '|' + std::string(head.target_text()) + '|' +
                    std::string(head.path_text()) + '|' + std::string(head.query_text()) + '|' +
                    std::string(head.host_text()) + '|' + std::to_string(head.version) + '|' +
                    std::to_string(head.size) + '|' +
                    std::to_string(static_cast<int>(head.framing.kind)) + '|' +
                    std::to_string(head.framing.length) + '|' + std::to_string(head.keep_alive) +
                    std::to_string(head.expect_continue) + std::to_string(head.upgrade) +
                    std::to_string(head.connection_names_fields) + std::to_string(head.has_query);
  for (const Field& field : head.fields) {
    out += '\n' + std::string(head.name(field)) + '=' + std::string(head.value(field)) + '/' +
           std::to_string(static_cast<int>(field.id)) + std::to_string(field.invalid_name);
  }
  return out;
}

inline void check_all_splits(const std::string& bytes, const Limits& limits, const Outcome& whole) {
  const std::string want = whole.result.status == ParseStatus::complete ? describe(whole.head) : "";
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    // At `first` two pieces; for 0 single bytes.
    Outcome outcome;
    parse(bytes, first, first == 0 ? 1 : bytes.size(), limits, outcome);
    CAPTURE(first);
    if (whole.result.status == ParseStatus::error &&
        outcome.result.status == ParseStatus::need_more) {
      // An error in a head that has not ended is seen no later than at twice the size.
      parse(bytes + std::string(bytes.size(), 'x'), first, first == 0 ? 1 : bytes.size(), limits,
            outcome);
    }
    REQUIRE(outcome.result.status == whole.result.status);
    REQUIRE(outcome.result.http_status == whole.result.http_status);
    REQUIRE(std::string_view(outcome.result.reason) == whole.result.reason);
    if (outcome.result.status == ParseStatus::complete) {
      outcome.head.base = outcome.copy.data();
      REQUIRE(describe(outcome.head) == want);
    }
  }
}

constexpr int ok = 0, more = 1;

struct Row {
  std::string name;
  std::string bytes;
  int want;  // ok, more, or the status of the error
  bool ignore_invalid_headers = true;
  bool underscores_in_headers = false;
};

inline const std::string get = "GET / HTTP/1.1\r\n";
inline const std::string host = "Host: a\r\n";
inline std::string with(const std::string& fields) { return get + host + fields + "\r\n"; }
inline std::string line(const std::string& request_line) {
  return request_line + "\r\n" + host + "\r\n";
}

}  // namespace weir::http::test
