// What a request carries of a trace: the W3C trace context (https://www.w3.org/TR/trace-context/)
// that came with it, and the one it goes on with. Values; worker thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::proxy {

struct TraceContext {
  std::array<std::uint8_t, 16> trace_id{};
  std::uint64_t span_id = 0;
  bool sampled = false;

  // Of a `traceparent` field; nullopt: it is not what the standard wants, and counts as none.
  [[nodiscard]] static std::optional<TraceContext> parse(std::string_view text);
  void append_trace_id(std::string& out) const;                         // 32 hex digits
  static void append_span_id(std::uint64_t span_id, std::string& out);  // 16
  // "00-TRACE-SPAN-01", the value of the field, with `span_id` for the span.
  void append_parent(std::uint64_t span_id, std::string& out) const;
};

struct RequestTrace {
  TraceContext parent;  // span_id 0: there was none
  TraceContext current;
  std::string state;     // `tracestate`, passed on with the parent's trace
  bool decided = false;  // whether it is sampled
  bool inject = false;   // peers get the context
};

}  // namespace weir::proxy
