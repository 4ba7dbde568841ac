// The trace of a request: what it came with, whether it is sampled, and the spans of the request
// and of its attempts. Names of attributes as nginx's module has them, which are those of
// OpenTelemetry's conventions for HTTP 1.16.
#include <string>

#include "http/chars.h"
#include "proxy/escape_log.h"
#include "proxy/exchange.h"
#include "proxy/text.h"
#include "proxy/trace_exporter.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

constexpr int kServer = 2;  // span kinds of OTLP
constexpr int kClient = 3;
constexpr int kFailed = 2;  // status code of OTLP
// Bytes of a value; a client decides how long some are.
constexpr std::size_t kMostOfValue = 1024;

// One span as JSON.
class SpanText {
 public:
  SpanText(const RequestTrace& trace, std::uint64_t span, std::uint64_t parent) {
    out_.append(R"({"traceId":")");
    trace.current.append_trace_id(out_);
    out_.append(R"(","spanId":")");
    TraceContext::append_span_id(span, out_);
    if (parent != 0) {
      out_.append(R"(","parentSpanId":")");
      TraceContext::append_span_id(parent, out_);
    }
    out_.push_back('"');
  }

  void begin(std::string_view name, int kind, WallTime from, WallTime to) {
    out_.append(R"(,"name":")");
    text(name);
    out_.append(R"(","kind":)").append(std::to_string(kind));
    out_.append(R"(,"startTimeUnixNano":")").append(nanoseconds(from));
    out_.append(R"(","endTimeUnixNano":")").append(nanoseconds(to));
    out_.append(R"(","attributes":[)");
  }
  void add(std::string_view name, std::string_view value) {
    key(name);
    out_.append(R"({"stringValue":")");
    text(value.substr(0, kMostOfValue));
    out_.append(R"("}})");
  }
  // JSON has no 64 bits: OTLP writes such numbers as text.
  void add(std::string_view name, std::uint64_t value) {
    key(name);
    out_.append(R"({"intValue":")").append(std::to_string(value)).append(R"("}})");
  }
  // A list of one, as the conventions have it for fields.
  void add_list(std::string_view name, std::string_view value) {
    key(name);
    out_.append(R"({"arrayValue":{"values":[{"stringValue":")");
    text(value.substr(0, kMostOfValue));
    out_.append(R"("}]}}})");
  }
  std::string end(bool failed, std::string_view why = {}) {
    out_.append("]");
    if (failed) {
      out_.append(R"(,"status":{"code":)").append(std::to_string(kFailed));
      if (!why.empty()) {
        out_.append(R"(,"message":")");
        text(why);
        out_.push_back('"');
      }
      out_.push_back('}');
    }
    out_.push_back('}');
    return std::move(out_);
  }

 private:
  static std::string nanoseconds(WallTime time) {
    return std::to_string(time.time_since_epoch().count()) + "000000";
  }
  void text(std::string_view value) {
    append_log_value(out_, value, config::LogFormat::Escape::json);
  }
  void key(std::string_view name) {
    if (out_.back() != '[') out_.push_back(',');
    out_.append(R"({"key":")");
    text(name);
    out_.append(R"(","value":)");
  }

  std::string out_;
};

std::string value_of(Exchange& x, config::Variable id) {
  std::string out;
  evaluate({id, 0, {}}, x, out);
  return out;
}

std::string attempt_span(Exchange& x, const RequestTrace& trace, const AttemptRecord& record,
                         WallTime wall, TimePoint now) {
  SpanText span(trace, record.span, trace.current.span_id);
  const auto from = wall - (now - record.began);
  const auto to = record.response.count() >= 0 ? from + record.response : wall;
  const std::string_view peer = record.peer != nullptr ? record.peer->text : x.pool_name();
  span.begin("attempt", kClient, from, to);
  span.add("weir.upstream", x.pool_name());
  span.add("net.peer.name", peer);
  span.add("weir.reason", record.retry != nullptr ? "retry:" + std::string(record.retry)
                          : record.skipped != upstream::Closed::no
                              ? "skip:" + std::string(upstream::to_string(record.skipped))
                              : std::string(upstream::to_string(record.reason)));
  if (record.status != 0) span.add("http.status_code", record.status);
  if (record.connect.count() >= 0) {
    span.add("weir.connect_ms", static_cast<std::uint64_t>(record.connect.count()));
  }
  if (record.header.count() >= 0) {
    span.add("weir.header_ms", static_cast<std::uint64_t>(record.header.count()));
  }
  const auto error = record.error.ok() ? std::string_view() : info(record.error.what).name;
  return span.end(!record.error.ok() || record.status >= 500, error);
}

void add_request(Exchange& x, SpanText& span) {
  using config::Variable;
  const auto& request = x.request();
  span.add("http.method", x.method_text());
  span.add("http.target", request.target_text());
  if (!x.location().config().path.empty()) span.add("http.route", x.location().config().path);
  span.add("http.scheme", x.session().secure() ? "https" : "http");
  span.add("http.flavor", value_of(x, Variable::server_protocol).substr(5));
  if (const auto* agent = request.find("user-agent")) {
    span.add("http.user_agent", request.value(*agent));
  }
  span.add("http.request_content_length", x.body().received());
  span.add("http.response_content_length", x.body_bytes_sent());
  if (x.status() != 0) {
    span.add("http.status_code", static_cast<std::uint64_t>(x.status()));
  }
  const auto& name = x.server().config->primary_name;
  span.add("net.host.name", name.empty() ? x.host() : std::string_view(name));
  const std::string_view port = x.listen().port_text;
  if (!port.empty() && port != (x.session().secure() ? "443" : "80"))
    span.add("net.host.port", port);
  span.add("net.sock.peer.addr", x.client_text());
  span.add("net.sock.peer.port", value_of(x, Variable::remote_port));
  const auto end = x.end_code().letters();
  span.add("weir.end_code", {end.data(), end.size()});
}

void add_configured(Exchange& x, SpanText& span) {
  std::string value;
  for (const auto& attribute : x.config().otel_span_attr) {
    value.clear();
    evaluate(attribute.value, x, value);
    const std::string_view name = attribute.name;
    if (name.starts_with("http.request.header.") || name.starts_with("http.response.header.")) {
      span.add_list(name, value);
    } else {
      span.add(name, value);
    }
  }
}

// The values of all fields of that name as one list (RFC 9110 section 5.3): of two `traceparent`
// nothing is made that could be parsed, of `tracestate` what W3C's Trace Context, 3.3.1, asks for.
std::string joined(const http::RequestHead& request, std::string_view name) {
  std::string out;
  for (const auto& field : request.fields) {
    if (!http::equal_ignoring_case(request.name(field), name)) continue;
    const auto value = request.value(field);
    if (!out.empty() && !value.empty()) out.push_back(',');
    out.append(value);
  }
  return out;
}

}  // namespace

RequestTrace& Exchange::trace() {
  auto& main = *main_;
  if (main.trace_ != nullptr) return *main.trace_;
  main.trace_ = std::make_unique<RequestTrace>();
  auto& trace = *main.trace_;
  const auto& request = main.request_;
  if ((config().otel_trace_context & config::trace_extract) != 0 && main.has_request_) {
    const auto parent = TraceContext::parse(joined(request, "traceparent"));
    if (parent) {
      trace.parent = *parent;
      trace.state = joined(request, "tracestate");
    }
  }
  trace.current.trace_id = trace.parent.trace_id;
  if (trace.parent.span_id == 0) {
    for (std::size_t half = 0; half < 16; half += 8) {
      auto bits = worker_.random() | 1U;  // all zeros are no trace
      for (std::size_t i = 0; i < 8; ++i, bits >>= 8) {
        trace.current.trace_id[half + i] = static_cast<std::uint8_t>(bits & 0xff);
      }
    }
  }
  trace.current.span_id = worker_.random() | 1U;
  return trace;
}

// At the first location; where an internal redirect leads to changes nothing.
void Exchange::begin_trace() {
  const auto& c = config();
  auto& trace = this->trace();
  if (trace.decided) return;
  trace.decided = true;
  std::string sampled;
  evaluate(c.otel_trace, *this, sampled);
  trace.current.sampled = sampled == "on" || sampled == "1";
  trace.inject = (c.otel_trace_context & config::trace_inject) != 0;
}

// Of a subrequest the attempts alone: it is part of the request.
void Exchange::export_spans() {
  const auto* trace = main_->trace_.get();
  const auto& exporter = runtime().traces;
  if (trace == nullptr || !trace->current.sampled || exporter == nullptr) return;
  const auto now = worker_.loop().now();
  const auto wall = worker_.loop().wall();
  for (const auto& record : attempts_) {
    if (record.span != 0) exporter->add(attempt_span(*this, *trace, record, wall, now));
  }
  if (is_main()) {
    SpanText span(*trace, trace->current.span_id, trace->parent.span_id);
    std::string name;
    evaluate(config().otel_span_name, *this, name);
    if (config().otel_span_name.empty()) name = location_->config().path;
    span.begin(name.empty() ? "/" : name, kServer, wall - (now - began_), wall);
    add_request(*this, span);
    add_configured(*this, span);
    exporter->add(span.end(status_ >= 500 || end_code().cause != EndCause::none));
  }
  if (const auto error = exporter->take_error(); !error.empty()) {
    const std::string text = "traces are lost: the collector ";
    if (worker_.may_log(nullptr, LogLevel::warn, text)) {
      worker_.log().warn(text + exporter->config().authority + ": " + error);
    }
  }
}

}  // namespace weir::proxy
