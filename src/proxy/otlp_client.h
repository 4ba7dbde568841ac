// One request with a batch of spans to a collector. Blocks, within its deadline; the exporter's
// thread only.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "config/trace_config.h"

namespace weir::proxy {

// The body of a request with these spans, JSON objects with commas between.
[[nodiscard]] std::string otlp_body(const config::TraceConfig& config, const std::string& spans);

// Empty, or why the collector did not take it. `hurry` says that the end is near: it is asked now
// and then, and ends the attempt.
[[nodiscard]] std::string otlp_post(const config::TraceConfig& config, const std::string& body,
                                    Duration patience, const std::function<bool()>& hurry);

}  // namespace weir::proxy
