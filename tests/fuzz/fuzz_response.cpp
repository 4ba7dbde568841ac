// Any bytes as a response head: the index stays within the bytes, cutting changes nothing, and a
// response written again from its fields is the same response.
#include <cstddef>
#include <cstdint>

#include "heads.h"
#include "http/head.h"

namespace {

using namespace weir::http;
using weir::fuzz::check;

void check_head(const ResponseHead& head, Method method, const Limits& limits,
                std::size_t available) {
  check(head.size <= available && head.size <= limits.head, "the size of the head");
  check(head.fields.size() <= limits.fields, "the number of fields");
  check(std::uint64_t{head.reason} + head.reason_size < head.size, "the reason is in the head");
  check(head.status >= 100 && head.status <= 999, "the status");
  weir::fuzz::check_fields(head);
  for (const Field& field : head.fields) check(!field.invalid_name, "no invalid names");
  const bool bodiless =
      method == Method::head || head.status < 200 || head.status == 204 || head.status == 304;
  const auto kind = head.framing.kind;
  check(bodiless == (kind == Framing::Kind::none), "no body with these only");
  if (bodiless) return;
  check((head.find(FieldId::transfer_encoding) != nullptr) == (kind == Framing::Kind::chunked),
        "chunked by its field only");
  check((head.find(FieldId::content_length) != nullptr) == (kind == Framing::Kind::counted),
        "counted by its field only");
  check(kind != Framing::Kind::until_close || !head.keep_alive, "closed at the end");
}

std::string meaning(const ResponseHead& head) {
  return std::to_string(head.status) + ' ' + std::string(head.reason_text()) + ' ' +
         std::to_string(head.version) + ' ' + std::to_string(static_cast<int>(head.framing.kind)) +
         ' ' + std::to_string(head.framing.length) + ' ' + std::to_string(head.keep_alive) +
         std::to_string(head.connection_names_fields) + ' ' +
         std::to_string(head.keep_alive_timeout) + '\n' + weir::fuzz::fields_of(head);
}

void check_copy(const ResponseHead& head, Method method) {
  std::string copy = head.version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  copy += std::to_string(head.status) + ' ' + std::string(head.reason_text()) + "\r\n" +
          weir::fuzz::fields_of(head) + "\r\n";
  ParseState state;
  ResponseHead again;
  const auto result = parse_response(copy, {}, state, method, again);
  check(result.status == ParseStatus::complete, "a copy is a response");
  check(again.size == copy.size(), "a copy ends where it was ended");
  check(meaning(again) == meaning(head), "a copy means the same");
}

void run(std::string_view bytes, Method method, const Limits& limits) {
  const weir::fuzz::Exact exact(bytes);
  ParseState state;
  ResponseHead head;
  const ParseResult whole = parse_response(exact.view(), limits, state, method, head);
  check(whole.status != ParseStatus::need_more || bytes.size() < limits.head,
        "no more is asked for at the limit");
  if (whole.status == ParseStatus::complete) {
    check_head(head, method, limits, bytes.size());
    check_copy(head, method);
  }
  const std::string want = whole.status == ParseStatus::complete ? meaning(head) : "";
  const auto parse = [&](std::string_view prefix, ParseState& piece) {
    ResponseHead other;
    const auto result = parse_response(prefix, limits, piece, method, other);
    if (result.status == ParseStatus::complete && whole.status == ParseStatus::complete) {
      check(meaning(other) == want && other.size == head.size, "pieces mean what the whole does");
    }
    return result;
  };
  weir::fuzz::check_prefixes(bytes, 1, 1, whole, parse);
  weir::fuzz::check_prefixes(bytes, bytes.size() / 2, bytes.size(), whole, parse);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.empty() || size > 4096) return 0;
  Limits limits;
  run(bytes, Method::get, limits);
  run(bytes, Method::head, limits);
  limits.head = 200;
  limits.line = 60;
  limits.fields = 6;
  run(bytes, Method::get, limits);
  return 0;
}
