// otel_*: traces by OpenTelemetry, named as in nginx's module.
#include "config/directive_rows.h"
#include "config/handlers.h"
#include "config/words.h"

namespace weir::config {
namespace {

using namespace rows;
using Set = Settings;

constexpr DirectiveInfo kRows[] = {
    {.name = "otel_exporter",
     .contexts = H,
     .flags = kBlock,
     .handler = compile_otel_exporter,
     .default_text = "none",
     .help = "collector of traces, spoken to by OTLP over HTTP in JSON",
     .inner = in_otel},
    {"endpoint", in_otel, 1, 1, 0, compile_otel_endpoint, "",
     "URL of the collector: http://HOST:PORT/v1/traces; without a path it is that one"},
    {"interval", in_otel, 1, 1, 0, compile_otel_interval, "5s",
     "longest wait before the spans that have ended are sent"},
    {"batch_size", in_otel, 1, 1, 0, compile_otel_batch_size, "512", "spans that are sent at once"},
    {"batch_count", in_otel, 1, 1, 0, compile_otel_batch_count, "4",
     "batches that wait to be sent; spans beyond them are dropped"},
    {"header", in_otel, 2, 2, kRepeats | kPairs, compile_otel_header, "",
     "field of the requests to the collector"},
    {"trusted_certificate", in_otel, 1, 1, 0, compile_otel_trusted_certificate, "",
     "(nginx's) authorities of a collector with TLS: not supported"},
    {"otel_service_name", H, 1, 1, 0, compile_otel_service_name, "unknown_service:weir",
     "service.name of the traces"},
    {"otel_resource_attr", H, 2, 2, kRepeats | kPairs, compile_otel_resource_attr, "",
     "another attribute of the service"},
    {"otel_trace", HSL, 1, 1, 0, compile_otel_trace, "off",
     "whether the request is sampled: on, or a text with variables that comes to on or 1, such as "
     "$otel_parent_sampled, or a variable of split_clients for a ratio",
     "on off"},
    {"otel_trace_context", HSL, 1, 1, 0, set_word<&Set::otel_trace_context, words::kTraceContext>,
     "ignore",
     "traceparent and tracestate: extract takes the client's, inject gives the peer weir's own, "
     "propagate does both, ignore none",
     "ignore extract inject propagate"},
    {"otel_span_name", HSL, 1, 1, 0, set_value<&Set::otel_span_name>, "the location",
     "name of the request's span"},
    {"otel_span_attr", HSL, 2, 2, kRepeats | kPairs, compile_otel_span_attr, "",
     "another attribute of the request's span"},
};

}  // namespace

std::span<const DirectiveInfo> trace_rows() { return kRows; }

}  // namespace weir::config
