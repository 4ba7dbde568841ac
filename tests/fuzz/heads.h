// What the fuzz targets of both heads share.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/head.h"

namespace weir::fuzz {

inline void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// A buffer of exactly the size of `bytes`, so that AddressSanitizer sees a read past it.
class Exact {
 public:
  explicit Exact(std::string_view bytes) : data_(new char[bytes.size()]), size_(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), data_);
  }
  Exact(const Exact&) = delete;
  Exact& operator=(const Exact&) = delete;
  ~Exact() { delete[] data_; }
  [[nodiscard]] std::string_view view() const { return {data_, size_}; }

 private:
  char* data_;
  std::size_t size_;
};

// Offsets lie within the head, in order, and the lines say what they should.
inline void check_fields(const http::Head& head) {
  std::uint32_t at = 0;
  for (const http::Field& field : head.fields) {
    check(field.line >= at && field.line_size >= 3, "lines are in order");
    at = field.line + field.line_size;
    check(at + 2 <= head.size, "a line is before the empty line");
    check(field.name_size > 0 && field.line + field.name_size < field.value,
          "the name is before the value");
    check(field.value + field.value_size + 2 <= at, "the value is before the CRLF");
    check(head.text(at - 2, 2) == "\r\n", "a line ends with CRLF");
    check(head.base[field.line + field.name_size] == ':', "the colon follows the name");
    const std::string_view value = head.value(field);
    check(value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos, "a clean value");
    check(value.empty() || (value.front() != ' ' && value.back() != ' '), "a trimmed value");
    check(field.id == http::field_id(head.name(field)), "the id of the name");
    check(!field.invalid_name || field.id == http::FieldId::other, "no invalid name is known");
  }
  check(head.text(head.size - 2, 2) == "\r\n", "a head ends with CRLF");
}

// The names and values of all fields that would be forwarded.
inline std::string fields_of(const http::Head& head) {
  std::string out;
  for (const http::Field& field : head.fields) {
    if (field.invalid_name) continue;
    out.append(head.name(field)).append(": ").append(head.value(field)).append("\r\n");
  }
  return out;
}

// `parse(bytes, state)` over growing prefixes must end as `whole` did, given all bytes at once.
template <typename Parse>
void check_prefixes(std::string_view bytes, std::size_t first, std::size_t step,
                    const http::ParseResult& whole, Parse&& parse) {
  using http::ParseStatus;
  http::ParseState state;
  http::ParseResult result;
  for (std::size_t size = first;; size = std::min(size + step, bytes.size())) {
    const Exact prefix(bytes.substr(0, size));
    result = parse(prefix.view(), state);
    if (result.status != ParseStatus::need_more || size == bytes.size()) break;
  }
  if (result.status == ParseStatus::need_more && whole.status == ParseStatus::error) {
    // It is seen no later than at twice the size.
    const std::string more = std::string(bytes) + std::string(bytes.size(), 'x');
    result = parse(more, state);
  }
  check(result.status == whole.status, "pieces end as the whole does");
  check(result.http_status == whole.http_status, "pieces have the status of the whole");
  check(std::string_view(result.reason) == whole.reason, "pieces have the reason of the whole");
}

}  // namespace weir::fuzz
