// otel_*: the collector of traces, and what is told to it.
#include <algorithm>

#include "config/address_text.h"
#include "config/handlers.h"

namespace weir::config {
namespace {

constexpr std::uint32_t kMostSpans = 65536;  // in a batch
constexpr std::uint32_t kMostBatches = 1024;

// No control characters: it goes into the head of a request.
bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

}  // namespace

void compile_otel_exporter(const Call& call) {
  auto& trace = call.compiler.model().trace;
  if (!trace.host.empty()) return call.error("is given twice; remove one of the two");
  Scope scope;
  scope.contexts = in_otel;
  scope.trace = &trace;
  trace.position = call.directive.position;
  call.compiler.walk(call.directive.block, scope);
  if (trace.host.empty() && !call.compiler.diagnostics().failed()) {
    call.error("endpoint is missing; write endpoint http://127.0.0.1:4318/v1/traces");
  }
}

void compile_otel_endpoint(const Call& call) {
  auto& trace = *call.scope.trace;
  const auto& at = call.arg(0);
  std::string_view text = at.text;
  if (lower(text.substr(0, 8)) == "https://") {
    return call.error(at, "a collector with TLS is not supported; use http://, to one beside weir");
  }
  if (lower(text.substr(0, 7)) == "http://") text.remove_prefix(7);
  if (lower(text.substr(0, 5)) == "unix:") {
    return call.error(at,
                      "a collector at a Unix socket is not supported; write "
                      "http://HOST:PORT/v1/traces");
  }
  const auto slash = std::min(text.find('/'), text.size());
  AddressRules rules;
  rules.default_port = 80;
  std::string error;
  const auto address = parse_address(std::string(text.substr(0, slash)), rules, error);
  if (!address) {
    return call.error(at, "invalid endpoint " + quote(at.text) + ": " + error +
                              "; write http://HOST:PORT/v1/traces");
  }
  trace.host = address->where.host;
  trace.port = address->where.port;
  trace.authority = text.substr(0, slash);
  if (slash + 1 < text.size()) trace.path = text.substr(slash);
  if (!is_field_value(trace.path) || trace.path.find(' ') != std::string::npos) {
    call.error(at, "invalid path " + quote(trace.path));
  }
}

void compile_otel_interval(const Call& call) {
  const auto time = time_argument(call, call.arg(0));
  if (time && *time < Duration{1}) return call.error(call.arg(0), "must be more than 0");
  if (time) call.scope.trace->interval = *time;
}

void compile_otel_batch_size(const Call& call) {
  if (const auto number = number_argument(call, call.arg(0), 1, kMostSpans)) {
    call.scope.trace->batch_size = *number;
  }
}

void compile_otel_batch_count(const Call& call) {
  if (const auto number = number_argument(call, call.arg(0), 1, kMostBatches)) {
    call.scope.trace->batch_count = *number;
  }
}

void compile_otel_header(const Call& call) {
  const auto& name = call.arg(0);
  if (!valid_field_name(name.text)) {
    return call.error(name, "invalid field name " + quote(name.text));
  }
  if (!is_field_value(call.arg(1).text)) {
    return call.error(call.arg(1), "the value has control characters");
  }
  call.scope.trace->headers.emplace_back(name.text, call.arg(1).text);
}

void compile_otel_trusted_certificate(const Call& call) {
  call.error("a collector with TLS is not supported; remove it, and use http://");
}

void compile_otel_service_name(const Call& call) {
  call.compiler.model().trace.service_name = call.arg(0).text;
}

void compile_otel_resource_attr(const Call& call) {
  call.compiler.model().trace.resource.emplace_back(call.arg(0).text, call.arg(1).text);
}

void compile_otel_trace(const Call& call) {
  auto value = call.compiler.value(call, call.arg(0));
  if (!value) return;
  const bool off = value->is_constant() && value->constant() != "on" && value->constant() != "1";
  call.scope.settings->otel_trace = std::move(*value);
  // That there is an exporter is checked when all has been read.
  auto& trace = call.compiler.model().trace;
  if (!off && trace.position.line == 0) trace.position = call.directive.position;
}

void compile_otel_span_attr(const Call& call) {
  auto value = call.compiler.value(call, call.arg(1));
  if (!value) return;
  auto& list = call.scope.settings->otel_span_attr;
  if (!list) list.emplace();
  list->push_back({call.arg(0).text, std::move(*value), false});
}

}  // namespace weir::config
