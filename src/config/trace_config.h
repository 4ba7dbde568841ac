// Where traces go: `otel_exporter { }` and what is said of them all. Plain values of the model.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "config/position.h"

namespace weir::config {

struct TraceConfig {
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  std::string host;  // of the collector, http:// alone; empty: there is none
  std::uint16_t port = 80;
  std::string authority;  // as written
  std::string path = "/v1/traces";
  Duration interval{5000};         // spans are sent at the latest so long after they ended
  std::uint32_t batch_size = 512;  // or as soon as there are so many
  std::uint32_t batch_count = 4;   // batches that wait at most; what is beyond them is dropped
  Pairs headers;                   // of requests to the collector
  std::string service_name = "unknown_service:weir";
  Pairs resource;     // attributes of the service
  Position position;  // of otel_exporter, or of an otel_trace that wants one
  friend bool operator==(const TraceConfig& a, const TraceConfig& b) {
    return a.host == b.host && a.port == b.port && a.authority == b.authority && a.path == b.path &&
           a.interval == b.interval && a.batch_size == b.batch_size &&
           a.batch_count == b.batch_count && a.headers == b.headers &&
           a.service_name == b.service_name && a.resource == b.resource;
  }
};

// otel_trace_context, as bits.
enum TraceContextUse : std::uint32_t {
  trace_ignore = 0,
  trace_extract = 1u << 0,
  trace_inject = 1u << 1,
  trace_propagate = trace_extract | trace_inject,
};

}  // namespace weir::config
