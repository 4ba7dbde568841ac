// The page of metrics while it is being written: the families of the table, each with the lines of
// its series. Text at once: for a thousand peers, prometheus-cpp's families and serializer need
// many times as long. Control thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "admin/metrics.h"
#include "admin/totals.h"

namespace weir::admin {

// Labels of a series, escaped: `upstream="app",peer="10.0.0.1:80"`. Values are UTF-8.
class Labels {
 public:
  Labels() = default;
  Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
    for (const auto& [name, value] : pairs) add(name, value);
  }
  [[nodiscard]] Labels with(std::string_view name, std::string_view value) const {
    Labels more = *this;
    more.add(name, value);
    return more;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void add(std::string_view name, std::string_view value);
  std::string text_;
};

class Sheet {
 public:
  Sheet();

  template <class Number>
  void add(Metric metric, Number number, const Labels& labels = {}) {
    if (!has_room(1, metric)) return;
    begin_line(metric, {}, labels.text());
    if constexpr (std::is_integral_v<Number>) {
      end_line(metric, static_cast<std::uint64_t>(number));
    } else {
      end_line(metric, static_cast<double>(number));
    }
  }
  void add(Metric metric, const HistogramTotals& totals, const Labels& labels);
  // A series for each class of statuses.
  void add_classes(Metric metric, const LocationTotals& totals, const Labels& labels);

  // The whole page, in Prometheus's text format 0.0.4.
  [[nodiscard]] std::string text();

 private:
  [[nodiscard]] bool has_room(std::size_t series, Metric metric);
  void begin_line(Metric metric, std::string_view suffix, std::string_view labels);
  void end_line(Metric metric, std::uint64_t value);
  void end_line(Metric metric, double value);
  [[nodiscard]] std::string& lines(Metric metric) {
    return lines_[static_cast<std::size_t>(metric)];
  }

  std::vector<std::string> lines_;  // by Metric
  std::size_t series_ = 0;          // asked for, those without room included
};

}  // namespace weir::admin
