// Any bytes as a request head: the index stays within the bytes, cutting changes nothing, and a
// request written again from its fields is the same request.
#include <cstddef>
#include <cstdint>

#include "heads.h"
#include "http/head.h"

namespace {

using namespace weir::http;
using weir::fuzz::check;

void check_part(const RequestHead& head, std::uint32_t at, std::uint32_t size) {
  check(std::uint64_t{at} + size <= head.size, "a part lies within the head");
}

void check_head(const RequestHead& head, const Limits& limits, std::size_t available) {
  check(head.size <= available && head.size <= limits.head, "the size of the head");
  check(head.fields.size() <= limits.fields, "the number of fields");
  check(head.line_size <= limits.line, "the size of the request line");
  check_part(head, head.start, head.line_size);
  check_part(head, head.target, head.target_size);
  check_part(head, head.authority, head.authority_size);
  check_part(head, head.path, head.path_size);
  check_part(head, head.query, head.query_size);
  check_part(head, head.host, head.host_size);
  check(head.version == 10 || head.version == 11, "the version");
  check(head.method_size > 0 && head.method_size <= 32, "the size of the method");
  weir::fuzz::check_fields(head);
  const bool coded = head.find(FieldId::transfer_encoding) != nullptr;
  const bool counted = head.find(FieldId::content_length) != nullptr;
  check(coded == (head.framing.kind == Framing::Kind::chunked), "chunked by its field only");
  check(counted == (head.framing.kind == Framing::Kind::counted), "counted by its field only");
  check(head.version == 10 || head.find(FieldId::host) != nullptr, "a Host");
  check(head.target_text().find_first_of(" \t\r\n#") == std::string_view::npos, "a clean target");
}

// What must be the same in a request and in its copy.
std::string meaning(const RequestHead& head) {
  std::string out;
  for (const auto part : {head.method_text(), head.target_text(), head.path_text(),
                          head.query_text(), head.host_text()}) {
    out.append(part).push_back('\n');
  }
  out += std::to_string(head.version) + ' ' + std::to_string(static_cast<int>(head.framing.kind)) +
         ' ' + std::to_string(head.framing.length) + ' ' + std::to_string(head.keep_alive) +
         std::to_string(head.expect_continue) + std::to_string(head.upgrade) +
         std::to_string(head.connection_names_fields) + std::to_string(head.has_query) + '\n';
  return out + weir::fuzz::fields_of(head);
}

void check_copy(const RequestHead& head, const Limits& limits) {
  std::string copy;
  copy.append(head.method_text()).append(" ").append(head.target_text());
  copy.append(head.version == 10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  copy += weir::fuzz::fields_of(head) + "\r\n";
  Limits wider = limits;  // "a:b" is longer as "a: b"
  wider.head = wider.line = 1 << 20;
  wider.ignore_invalid_headers = false;
  ParseState state;
  RequestHead again;
  const auto result = parse_request(copy, wider, state, again);
  check(result.status == ParseStatus::complete, "a copy is a request");
  check(again.size == copy.size(), "a copy ends where it was ended");
  check(meaning(again) == meaning(head), "a copy means the same");
}

void run(std::string_view bytes, const Limits& limits) {
  const weir::fuzz::Exact exact(bytes);
  ParseState state;
  RequestHead head;
  const ParseResult whole = parse_request(exact.view(), limits, state, head);
  check(whole.status != ParseStatus::need_more || bytes.size() < limits.head,
        "no more is asked for at the limit");
  if (whole.status == ParseStatus::complete) {
    check_head(head, limits, bytes.size());
    check_copy(head, limits);
  }
  const std::string want = whole.status == ParseStatus::complete ? meaning(head) : "";
  const auto parse = [&](std::string_view prefix, ParseState& piece) {
    RequestHead other;
    const auto result = parse_request(prefix, limits, piece, other);
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
  run(bytes, limits);
  limits.underscores_in_headers = true;
  limits.ignore_invalid_headers = false;
  limits.head = 200;
  limits.line = 60;
  limits.fields = 6;
  run(bytes, limits);
  return 0;
}
