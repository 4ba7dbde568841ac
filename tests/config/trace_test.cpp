#include <doctest/doctest.h>

#include "mistakes.h"

using namespace weir::config;
using namespace weir::config::testing;

namespace {

const std::string kExporter = "otel_exporter { endpoint http://127.0.0.1:4318/v1/traces; }";

std::shared_ptr<const Model> made_of(const std::string& text) {
  return load_text("t", text, options()).model;
}

}  // namespace

TEST_CASE("a collector of traces and what is told to it") {
  const auto model = made_of(
      "otel_exporter { endpoint http://collector:4318/x; interval 2s; batch_size 10; "
      "batch_count 2; header X-Key k; } otel_service_name shop; otel_resource_attr env prod; "
      "server { location / { otel_trace on; otel_trace_context propagate; otel_span_attr a $uri; } "
      "}");
  REQUIRE(model != nullptr);
  const auto& trace = model->trace;
  CHECK(trace.host == "collector");
  CHECK(trace.port == 4318);
  CHECK(trace.authority == "collector:4318");
  CHECK(trace.path == "/x");
  CHECK(trace.interval == weir::Duration{2000});
  CHECK(trace.batch_size == 10);
  CHECK(trace.batch_count == 2);
  CHECK(trace.headers == TraceConfig::Pairs{{"X-Key", "k"}});
  CHECK(trace.service_name == "shop");
  CHECK(trace.resource == TraceConfig::Pairs{{"env", "prod"}});
  const auto& request = model->servers[0]->root->nested[0]->request;
  CHECK(request.otel_trace_context == trace_propagate);
  CHECK(request.otel_trace.constant() == "on");
  CHECK(request.otel_span_attr.size() == 1);
}

TEST_CASE("a collector without a path is asked at the usual one") {
  const auto model = made_of("otel_exporter { endpoint 127.0.0.1:4318; } server { }");
  REQUIRE(model != nullptr);
  CHECK(model->trace.path == "/v1/traces");
}

TEST_CASE("traces: mistakes") {
  check({
      {"otel_trace on; server { }",
       "t:1:1: error: otel_trace: otel_exporter is missing; write otel_exporter { endpoint "
       "http://127.0.0.1:4318/v1/traces; }"},
      {"otel_trace off; server { }", ""},
      {"otel_trace $otel_parent_sampled; " + kExporter + " server { }", ""},
      {"otel_exporter { interval 1s; } server { }",
       "t:1:1: error: otel_exporter: endpoint is missing; write endpoint "
       "http://127.0.0.1:4318/v1/traces"},
      {"otel_exporter { endpoint https://a; } server { }",
       "t:1:26: error: endpoint: a collector with TLS is not supported; use http://, to one beside "
       "weir"},
      {"otel_exporter { endpoint http://unix:/x; } server { }",
       "t:1:26: error: endpoint: a collector at a Unix socket is not supported; write "
       "http://HOST:PORT/v1/traces"},
      {"otel_exporter { endpoint http://a:b/x; } server { }",
       "t:1:26: error: endpoint: invalid endpoint \"http://a:b/x\": invalid port \"b\"; it must be "
       "from 1 to 65535; write http://HOST:PORT/v1/traces"},
      {"otel_exporter { endpoint http://a; trusted_certificate x; } server { }",
       "t:1:36: error: trusted_certificate: a collector with TLS is not supported; remove it, and "
       "use http://"},
      {"otel_exporter { endpoint http://a; interval 0; } server { }",
       "t:1:45: error: interval: must be more than 0"},
      {"otel_exporter { endpoint http://a; batch_size 0; } server { }",
       "t:1:47: error: batch_size: invalid number \"0\"; it must be from 1 to 65536"},
      {"otel_exporter { endpoint http://a; header 'a b' c; } server { }",
       "t:1:43: error: header: invalid field name \"a b\""},
      {"otel_trace_context both; server { }",
       "t:1:20: error: otel_trace_context: invalid value \"both\"; use ignore, extract, inject or "
       "propagate"},
      {kExporter + kExporter + " server { }",
       "t:1:60: error: otel_exporter: is duplicate; first at line 1"},
  });
}
