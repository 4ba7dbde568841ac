#include "proxy/trace.h"

#include <doctest/doctest.h>

using weir::proxy::TraceContext;

TEST_CASE("a traceparent is taken as the standard has it, and written again") {
  const std::string text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const auto context = TraceContext::parse(text);
  REQUIRE(context.has_value());
  CHECK(context->sampled);
  CHECK(context->span_id == 0xb7ad6b7169203331U);
  std::string trace_id;
  context->append_trace_id(trace_id);
  CHECK(trace_id == "0af7651916cd43dd8448eb211c80319c");
  std::string out;
  context->append_parent(context->span_id, out);
  CHECK(out == text);
  std::string other;
  context->append_parent(0x1f, other);
  CHECK(other == "00-0af7651916cd43dd8448eb211c80319c-000000000000001f-01");
}

TEST_CASE("what is no traceparent is none") {
  struct Row {
    const char* what;
    const char* text;
    bool good;
  };
  const Row rows[] = {
      {"as it should be", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true},
      {"unknown flags", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe", true},
      {"a later version", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true},
      {"a later version with more", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
       true},
      {"a later version with more in the flags",
       "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x", false},
      {"version 0 with more", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", false},
      {"version ff", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
      {"no trace", "00-00000000000000000000000000000000-b7ad6b7169203331-01", false},
      {"no span", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false},
      {"upper case", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false},
      {"too short", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", false},
      {"no dash", "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
      {"no hexadecimal", "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01", false},
      {"nothing", "", false}};
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(TraceContext::parse(row.text).has_value() == row.good);
  }
}
