#include "proxy/trace.h"

#include <algorithm>

namespace weir::proxy {
namespace {

// Lower case alone, as the standard has it.
int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool read_hex(std::string_view text, std::uint8_t* out) {
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    *out++ = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

constexpr char kDigits[] = "0123456789abcdef";

}  // namespace

// VERSION-TRACE-SPAN-FLAGS. A version above 0 may have more behind a further dash.
std::optional<TraceContext> TraceContext::parse(std::string_view text) {
  constexpr std::size_t kSize = 55;
  if (text.size() < kSize || text[2] != '-' || text[35] != '-' || text[52] != '-') {
    return std::nullopt;
  }
  std::uint8_t version = 0;
  std::uint8_t flags = 0;
  std::array<std::uint8_t, 8> span{};
  TraceContext made;
  const bool hex =
      read_hex(text.substr(0, 2), &version) && read_hex(text.substr(3, 32), made.trace_id.data()) &&
      read_hex(text.substr(36, 16), span.data()) && read_hex(text.substr(53, 2), &flags);
  if (!hex || version == 0xff) return std::nullopt;
  if (text.size() > kSize && (version == 0 || text[kSize] != '-')) return std::nullopt;
  for (const auto byte : span) made.span_id = made.span_id << 8 | byte;
  const bool no_trace = std::all_of(made.trace_id.begin(), made.trace_id.end(),
                                    [](std::uint8_t byte) { return byte == 0; });
  if (no_trace || made.span_id == 0) return std::nullopt;
  made.sampled = (flags & 1) != 0;
  return made;
}

void TraceContext::append_trace_id(std::string& out) const {
  for (const auto byte : trace_id) out.append({kDigits[byte >> 4], kDigits[byte & 15]});
}

void TraceContext::append_span_id(std::uint64_t span_id, std::string& out) {
  for (int shift = 60; shift >= 0; shift -= 4) out.push_back(kDigits[span_id >> shift & 15]);
}

void TraceContext::append_parent(std::uint64_t span, std::string& out) const {
  out.append("00-");
  append_trace_id(out);
  out.push_back('-');
  append_span_id(span, out);
  out.append(sampled ? "-01" : "-00");
}

}  // namespace weir::proxy
