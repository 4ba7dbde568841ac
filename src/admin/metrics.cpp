#include "admin/metrics.h"

#include <array>

#include "admin/peer_view.h"
#include "http/http2_guard.h"
#include "proxy/stats.h"

namespace weir::admin {
namespace {

constexpr std::array kTable = {
#define WEIR_METRIC(id, kind, name, labels, help) MetricInfo{name, MetricKind::kind, labels, help},
#include "admin/metrics.def"
#undef WEIR_METRIC
};

constexpr std::string_view kHandshakes = "weir_tls_handshakes_total";

std::string label_list(std::string_view labels) {
  std::string out;
  while (!labels.empty()) {
    const auto end = std::min(labels.find(' '), labels.size());
    out += (out.empty() ? "`" : ", `") + std::string(labels.substr(0, end)) + "`";
    labels.remove_prefix(std::min(end + 1, labels.size()));
  }
  return out;
}

// Series a server or a peer has, worked out from the table.
struct SeriesCount {
  std::size_t fixed = 0, server = 0, location = 0, upstream = 0, registry = 0, peer = 0,
              peer_histograms = 0, certificate = 0, stream = 0;
};

SeriesCount count_series() {
  constexpr std::size_t in_histogram = proxy::Histogram::kBounds.size() + 3;  // +Inf, sum, count
  constexpr std::size_t classes = std::tuple_size_v<decltype(proxy::TrafficStats::by_class)>;
  SeriesCount count;
  for (const auto& row : kTable) {
    const std::string_view labels = row.labels;
    std::size_t series = row.kind == MetricKind::histogram ? in_histogram : 1;
    if (labels.ends_with("code")) series = classes;
    if (labels == "state") series = 3;
    // As many as there were.
    if (labels == "upstream reason" || labels == "upstream error" || labels == "end_code") {
      series = 0;
    }
    if (labels == "reason") series = 2;
    if (labels == "result") series = row.name == kHandshakes ? 3 : 2;
    if (labels.ends_with("peer to")) series = 2;
    if (labels == "cause") series = http::kNuisances;
    if (labels.ends_with("peer state")) series = kPeerStates.size();
    if (labels.ends_with("peer layer")) series = upstream::kFailureLayers.size();
    if (labels.starts_with("upstream peer")) {
      count.peer += series;
      if (row.kind == MetricKind::histogram) count.peer_histograms += series;
    } else if (std::string_view(row.name).starts_with("weir_registry_")) {
      count.registry += series;
    } else if (labels == "certificate") {
      continue;  // what is asked about some of them
    } else if (labels.starts_with("certificate")) {
      count.certificate += series;
    } else if (labels.starts_with("upstream")) {
      count.upstream += series;
    } else if (labels.starts_with("listen")) {
      count.stream += series;
    } else if (labels.starts_with("server location")) {
      count.location += series;
    } else if (labels.starts_with("server")) {
      count.server += series;
    } else {
      count.fixed += series;
    }
  }
  return count;
}

}  // namespace

const char* to_string(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter:
      return "counter";
    case MetricKind::gauge:
      return "gauge";
    case MetricKind::histogram:
      return "histogram";
  }
  return "";
}

std::span<const MetricInfo> metric_table() { return kTable; }

std::string metrics_markdown() {
  std::string out =
      "# Metrics\n\nServed at `/metrics` of the admin listener in Prometheus's text format.\n\n"
      "| metric | type | labels | what it tells |\n|---|---|---|---|\n";
  for (const auto& row : kTable) {
    out += "| `" + std::string(row.name) + "` | " + to_string(row.kind) + " | " +
           label_list(row.labels) + " | " + row.help + " |\n";
  }
  const auto count = count_series();
  const auto text = [](std::size_t number) { return std::to_string(number); };
  out +=
      "\n## Labels\n\n* `server`: the first `server_name` of a server, `_` if it has none. "
      "Servers of one name are added up.\n"
      "* `upstream`: the name of the upstream, or the `host:port` of a `proxy_pass` that names "
      "none. `peer`: the peer's address. `listen`: an address that stream listens on, with `udp:` "
      "before that of datagrams.\n"
      "* `location`: as in the configuration; what is answered outside of all has none.\n"
      "* `end_code`: see `weir -h end_codes`. `error`: see `weir -h errors`.\n"
      "* `code`: `1xx` to `5xx`, or `none`.\n* `state` of a peer: ";
  for (std::size_t i = 0; i < kPeerStates.size(); ++i) {
    out += (i == 0 ? "`" : ", `") + std::string(to_string(kPeerStates[i])) + "`";
  }
  out += ".\n* `layer`: ";
  for (std::size_t i = 0; i < upstream::kFailureLayers.size(); ++i) {
    out += (i == 0 ? "`" : ", `") + std::string(upstream::to_string(upstream::kFailureLayers[i])) +
           "`";
  }
  out +=
      ".\n\n## Number of series\n\nNo label has values from requests, so the configuration "
      "alone decides: " +
      text(count.fixed) + " series, " + text(count.server) + " a server name, " +
      text(count.location) + " a location, " + text(count.stream) + " an address of stream, " +
      text(count.upstream) + " an upstream and " + text(count.peer) + " a peer. A registry has " +
      text(count.registry) + " more, a certificate that weir orders " + text(count.certificate) +
      ", any other one less, and one more whose responder of OCSP is asked. With more than " +
      text(kMaxPeersWithHistograms) +
      " peers in all, the histograms of peers are left out, and a peer has " +
      text(count.peer - count.peer_histograms) + ". With more than " + text(kMaxLocations) +
      " locations, those are left out. A page never "
      "has more than " +
      text(kMaxSeries) +
      " series; `weir_metrics_series_left_out` counts the "
      "rest.\n\n`reason` of a choice is a method of choice, `sticky`, `retry` or `skip`. Reasons, "
      "errors and end codes have a series once there was one.\n\nPeers of a `proxy_pass` with "
      "variables that are in no upstream are "
      "not counted.\n";
  return out;
}

}  // namespace weir::admin
