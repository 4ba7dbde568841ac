// The table of metrics (metrics.def) and its reference page. Constant; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace weir::admin {

enum class Metric : std::uint8_t {
#define WEIR_METRIC(id, kind, name, labels, help) id,
#include "admin/metrics.def"
#undef WEIR_METRIC
};

enum class MetricKind : std::uint8_t { counter, gauge, histogram };
[[nodiscard]] const char* to_string(MetricKind kind);

struct MetricInfo {
  const char* name;
  MetricKind kind;
  const char* labels;  // separated by spaces
  const char* help;
};

// By Metric.
[[nodiscard]] std::span<const MetricInfo> metric_table();
// The reference page.
[[nodiscard]] std::string metrics_markdown();

// With more peers than this in all pools the histograms of peers are left out: they are more than
// half of a peer's series.
inline constexpr std::size_t kMaxPeersWithHistograms = 2000;

// With more locations than this none of them is told of.
inline constexpr std::size_t kMaxLocations = 500;
// The most series of a page, whatever the configuration: what is beyond them is left out, and
// weir_metrics_series_left_out counts it.
inline constexpr std::size_t kMaxSeries = 500'000;

}  // namespace weir::admin
