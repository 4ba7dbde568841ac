#include "admin/sheet.h"

#include <algorithm>
#include <charconv>

namespace weir::admin {
namespace {

const MetricInfo& info(Metric metric) { return metric_table()[static_cast<std::size_t>(metric)]; }

template <class Number>
void append(std::string& out, Number value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, end);
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\' || (quotes && c == '"')) {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out.append("\\n");
    } else {
      out.push_back(c);
    }
  }
}

// `le="0.001"` and so on, the last one +Inf.
const std::vector<std::string>& bounds() {
  static const auto made = [] {
    std::vector<std::string> all;
    for (const auto ms : proxy::Histogram::kBounds) {
      std::string text = "le=\"";
      append(text, static_cast<double>(ms) / 1000);
      all.push_back(text + "\"");
    }
    all.emplace_back("le=\"+Inf\"");
    return all;
  }();
  return made;
}

}  // namespace

void Labels::add(std::string_view name, std::string_view value) {
  if (!text_.empty()) text_.push_back(',');
  text_.append(name).append("=\"");
  append_escaped(text_, value, true);
  text_.push_back('"');
}

Sheet::Sheet() : lines_(metric_table().size()) {}

bool Sheet::has_room(std::size_t series, Metric metric) {
  series_ += series;
  return series_ <= kMaxSeries || metric == Metric::series_left_out;
}

void Sheet::begin_line(Metric metric, std::string_view suffix, std::string_view labels) {
  auto& out = lines(metric);
  out.append(info(metric).name).append(suffix);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.push_back(' ');
}

void Sheet::end_line(Metric metric, std::uint64_t value) {
  append(lines(metric), value);
  lines(metric).push_back('\n');
}

void Sheet::end_line(Metric metric, double value) {
  append(lines(metric), value);
  lines(metric).push_back('\n');
}

void Sheet::add(Metric metric, const HistogramTotals& totals, const Labels& labels) {
  if (!has_room(totals.buckets.size() + 2, metric)) return;
  std::string with_bound = labels.text();
  if (!with_bound.empty()) with_bound.push_back(',');
  const auto size = with_bound.size();
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < totals.buckets.size(); ++i) {
    count += totals.buckets[i];
    with_bound.resize(size);
    with_bound.append(bounds()[i]);
    begin_line(metric, "_bucket", with_bound);
    end_line(metric, count);
  }
  begin_line(metric, "_sum", labels.text());
  end_line(metric, static_cast<double>(totals.sum_ms) / 1000);
  begin_line(metric, "_count", labels.text());
  end_line(metric, count);
}

void Sheet::add_classes(Metric metric, const LocationTotals& totals, const Labels& labels) {
  for (std::size_t i = 0; i < totals.by_class.size(); ++i) {
    add(metric, totals.by_class[i], labels.with("code", kClassNames[i]));
  }
}

std::string Sheet::text() {
  add(Metric::series_left_out, series_ - std::min(series_, kMaxSeries));
  std::size_t size = 0;
  for (const auto& lines : lines_) size += lines.size() + 300;
  std::string out;
  out.reserve(size);
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const auto& row = metric_table()[i];
    out.append("# HELP ").append(row.name).append(" ");
    append_escaped(out, row.help, false);
    out.append("\n# TYPE ").append(row.name).append(" ").append(to_string(row.kind)).append("\n");
    out.append(lines_[i]);
  }
  return out;
}

}  // namespace weir::admin
