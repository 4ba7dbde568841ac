#include "admin/sheet.h"

#include <doctest/doctest.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>

using namespace weir;
using namespace weir::admin;

namespace {

// The lines of a family, with its HELP and TYPE, as the page has them.
std::string family(const std::string& page, const std::string& name) {
  const auto begin = page.find("# HELP " + name + " ");
  REQUIRE(begin != std::string::npos);
  return page.substr(begin, page.find("# HELP ", begin + 1) - begin);
}

std::string serialized(prometheus::MetricFamily made) {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, {std::move(made)});
  return std::move(out).str();
}

const MetricInfo& row(Metric metric) { return metric_table()[static_cast<std::size_t>(metric)]; }

prometheus::MetricFamily begin(Metric metric, prometheus::MetricType type) {
  return {.name = row(metric).name, .help = row(metric).help, .type = type, .metric = {}};
}

}  // namespace

TEST_CASE("numbers and labels are written as prometheus-cpp writes them") {
  struct Row {
    double value;
    std::string label;
  };
  const Row rows[] = {{0, "plain"},
                      {1, "say \"hi\""},
                      {0.25, "back\\slash"},
                      {12345678901, "two\nlines"},
                      {1700000000.25, "caf\xc3\xa9"}};
  Sheet sheet;
  auto want = begin(Metric::config_info, prometheus::MetricType::Gauge);
  for (const auto& one : rows) {
    sheet.add(Metric::config_info, one.value, {{"defaults", one.label}});
    prometheus::ClientMetric sample;
    sample.label = {{"defaults", one.label}};
    sample.gauge.value = one.value;
    want.metric.push_back(sample);
  }
  CHECK(family(sheet.text(), "weir_config_info") == serialized(want));
}

TEST_CASE("a histogram is written as prometheus-cpp writes it") {
  proxy::Histogram histogram;
  for (const int ms : {0, 3, 3, 40, 700, 20000}) histogram.observe(Duration{ms});
  HistogramTotals totals;
  totals.add(histogram);
  Sheet sheet;
  sheet.add(Metric::request_duration, totals, {{"server", "a"}});

  auto want = begin(Metric::request_duration, prometheus::MetricType::Histogram);
  prometheus::ClientMetric sample;
  sample.label = {{"server", "a"}};
  for (std::size_t i = 0; i < totals.buckets.size(); ++i) {
    sample.histogram.sample_count += totals.buckets[i];
    sample.histogram.bucket.push_back(
        {sample.histogram.sample_count,
         i < proxy::Histogram::kBounds.size()
             ? static_cast<double>(proxy::Histogram::kBounds[i]) / 1000
             : std::numeric_limits<double>::infinity()});
  }
  sample.histogram.sample_sum = static_cast<double>(totals.sum_ms) / 1000;
  want.metric.push_back(sample);

  // The order of bucket, sum and count within a family is free.
  const auto sorted = [](const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    return lines;
  };
  CHECK(sorted(family(sheet.text(), "weir_request_duration_seconds")) == sorted(serialized(want)));
}
