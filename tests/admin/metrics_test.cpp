#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "admin/exposition.h"
#include "admin/fixture.h"
#include "admin/utf8.h"

namespace weir::admin {
using test::Exposition;
using test::Fixture;

namespace {

Exposition scrape(const Fixture& fixture) {
  const auto text = metrics_text(fixture.source);
  auto result = test::ExpositionReader::read(text);
  CHECK(result.errors == std::vector<std::string>{});
  return result;
}

double value(const Exposition& exposition, const std::string& name,
             const Exposition::Labels& labels = {}) {
  const auto found = exposition.find(name, labels);
  CAPTURE(name);
  REQUIRE(found.has_value());
  return *found;
}

std::set<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

// The family a sample is of: a histogram's series have names of their own.
const MetricInfo* family_of(const std::string& sample) {
  for (const auto& row : metric_table()) {
    const std::string name = row.name;
    if (sample == name) return &row;
    if (row.kind != MetricKind::histogram) continue;
    for (const char* suffix : {"_bucket", "_sum", "_count"}) {
      if (sample == name + suffix) return &row;
    }
  }
  return nullptr;
}

void check_shape(const Exposition& exposition) {
  std::set<std::pair<std::string, Exposition::Labels>> seen;
  for (const auto& sample : exposition.samples) {
    CAPTURE(sample.name);
    CHECK(seen.emplace(sample.name, sample.labels).second);
    const auto* row = family_of(sample.name);
    REQUIRE(row != nullptr);
    auto want = words(row->labels);
    if (sample.name.ends_with("_bucket")) want.insert("le");
    std::set<std::string> have;
    for (const auto& [name, text] : sample.labels) have.insert(name);
    CHECK(have == want);
  }
}

void fill(Fixture& fixture) {
  auto& app =
      fixture.add_pool("app", {test::make_peer("10.0.0.1:80"), test::make_peer("10.0.0.2:80")});
  app.queue = std::make_shared<proxy::PoolQueue>();
  app.stats[0]->of(0).choices[static_cast<std::size_t>(upstream::Reason::round_robin)].add();
  app.stats[1]->of(1).choices[proxy::kChoiceRetry].add();
  app.stats[1]->of(1).errors[static_cast<std::size_t>(Errc::connect_failed)].add();
  app.stats[1]->of(1).retry_causes[static_cast<std::size_t>(proxy::RetryCause::refused)].add();
  fixture.workers[0].broken({proxy::EndCause::client, proxy::Phase::answer}).add();
  fixture.add_pool("other", {test::make_peer("10.0.0.1:80")});
  fixture.add_server("a.example");
  fixture.count_location("/");
  fixture.add_server("");
  fixture.source.registry = [&fixture](const std::string& upstream) {
    std::optional<discovery::RegistryStatus> status;
    if (upstream == "app") {
      status.emplace();
      status->stale_since = fixture.clock.wall() - std::chrono::seconds{7};
      status->reads = 5;
      status->failures = 2;
      status->serving = 3;
    }
    return status;
  };
  auto streams = std::make_shared<proxy::PerWorker<proxy::StreamStats>>(fixture.kWorkers);
  streams->of(0).begun.add(3);
  streams->of(1).by_class[5].add();
  fixture.runtime->stream_listens["udp:127.0.0.1:53"].stats = streams;
  config::TlsCertificate certificate;
  certificate.path = certificate.key_path = "/a.pem";
  certificate.facts.names = {"a.example"};
  certificate.facts.not_after = 1'800'000'000;
  fixture.model->certificates.push_back(certificate);
  fixture.model->staples.push_back({"/a.pem", std::make_shared<tls::AskedStaple>()});
  fixture.model->staples.back().asked->progress.error = "silent";
  fixture.source.certificate_problems = [] {
    return std::map<std::string, std::string>{{"/a.pem", "broken"}};
  };
  fixture.source.orders = [] {
    return std::vector<Source::Order>{{"/a.pem", "ca", {"a.example"}, {}, "refused"}};
  };
}

}  // namespace

TEST_CASE("the table follows Prometheus's naming rules") {
  std::set<std::string> names;
  for (const auto& row : metric_table()) {
    const std::string name = row.name;
    CAPTURE(name);
    CHECK(names.insert(name).second);
    CHECK((name.starts_with("weir_") || name.starts_with("process_")));
    CHECK(name.ends_with("_total") == (row.kind == MetricKind::counter));
    CHECK((row.kind != MetricKind::histogram || name.ends_with("_seconds")));
    CHECK(std::string(row.help).ends_with("."));
  }
}

TEST_CASE("each family of the table is there once, with samples of its labels") {
  Fixture fixture;
  SUBCASE("nothing is configured yet") { fixture.runtime = nullptr; }
  SUBCASE("an empty configuration") {}
  SUBCASE("servers and upstreams") { fill(fixture); }
  const auto exposition = scrape(fixture);
  CHECK(exposition.help.size() == metric_table().size());
  for (const auto& row : metric_table()) {
    CAPTURE(row.name);
    REQUIRE(exposition.type.contains(row.name));
    const char* types[] = {"counter", "gauge", "histogram"};
    CHECK(exposition.type.at(row.name) == types[static_cast<int>(row.kind)]);
    CHECK(exposition.help.at(row.name) == row.help);
  }
  check_shape(exposition);
}

TEST_CASE("every family has samples when all is configured") {
  Fixture fixture;
  fill(fixture);
  std::set<std::string> have;
  for (const auto& sample : scrape(fixture).samples) have.insert(family_of(sample.name)->name);
  CHECK(have.size() == metric_table().size());
}

TEST_CASE("a registry that cannot be read says for how long") {
  Fixture fixture;
  fill(fixture);
  std::map<std::string, double> values;
  for (const auto& sample : scrape(fixture).samples) {
    if (sample.name.starts_with("weir_registry_")) values[sample.name] = sample.value;
  }
  CHECK(values == std::map<std::string, double>{{"weir_registry_fresh", 0},
                                                {"weir_registry_stale_seconds", 7},
                                                {"weir_registry_serving_nodes", 3},
                                                {"weir_registry_emptying_unconfirmed", 0},
                                                {"weir_registry_events_up", 1},
                                                {"weir_registry_reads_total", 5},
                                                {"weir_registry_failures_total", 2}});
}

TEST_CASE("a certificate says when it expires, and what about it is bad") {
  Fixture fixture;
  fill(fixture);
  std::map<std::string, double> values;
  for (const auto& sample : scrape(fixture).samples) {
    if (sample.labels.contains("certificate")) values[sample.name] = sample.value;
  }
  CHECK(values ==
        std::map<std::string, double>{{"weir_acme_failing", 1},
                                      {"weir_certificate_expiry_timestamp_seconds", 1.8e9},
                                      {"weir_certificate_stale", 1},
                                      {"weir_ocsp_failing", 1}});
}

TEST_CASE("sessions of stream are in progress until they have ended") {
  Fixture fixture;
  fill(fixture);
  std::map<std::string, double> values;
  for (const auto& sample : scrape(fixture).samples) {
    if (!sample.labels.contains("listen")) continue;
    CHECK(sample.labels.at("listen") == "udp:127.0.0.1:53");
    values[sample.name] += sample.value;
  }
  CHECK(values == std::map<std::string, double>{{"weir_stream_sessions", 2},
                                                {"weir_stream_sessions_total", 1},
                                                {"weir_stream_received_bytes_total", 0},
                                                {"weir_stream_sent_bytes_total", 0}});
}

TEST_CASE("counters of workers are added up") {
  Fixture fixture;
  for (auto& worker : fixture.workers) {
    worker.accepted.add(10);
    worker.active.add(3);
    worker.tunnels.add(1);
    worker.idle_client.add(4);
    worker.bad_requests.add(5);
    worker.client_aborts.add(6);
    worker.log_lost.add(7);
    worker.fd_exhausted.add(8);
    worker.log_left_out.add(9);
    worker.tls_full.add(1);
    worker.tls_resumed.add(2);
    worker.tls_failed.add(3);
    worker.requests_delayed.add(4);
    worker.requests_refused.add(5);
    worker.connections_refused.add(6);
    worker.broken({proxy::EndCause::peer_late, proxy::Phase::send}).add(7);
  }
  auto& server = fixture.add_server("a.example");
  auto& location = fixture.count_location("~* \\.php$");
  auto& app = fixture.add_pool("app", {test::make_peer("10.0.0.1:80")});
  app.queue_stats = std::make_shared<proxy::PerWorker<proxy::QueueStats>>(Fixture::kWorkers);
  auto& peer = *app.stats[0];
  for (std::size_t worker = 0; worker < Fixture::kWorkers; ++worker) {
    server.of(worker).by_class[2].add(100 + worker);
    server.of(worker).by_class[0].add(1);
    server.of(worker).bytes_in.add(1000);
    server.of(worker).bytes_out.add(2000);
    peer.of(worker).by_class[5].add(9);
    peer.of(worker).bytes_in.add(11);
    peer.of(worker).bytes_out.add(12);
    peer.of(worker).connects.add(13);
    peer.of(worker).connect_failures.add(14);
    peer.of(worker).reused.add(15);
    peer.of(worker).stale.add(16);
    peer.of(worker).failures.add(17);
    peer.of(worker).retries.add(18);
    peer.of(worker).errors[static_cast<std::size_t>(Errc::peer_reset)].add(19);
    peer.of(worker).retry_causes[static_cast<std::size_t>(proxy::RetryCause::http_503)].add(20);
    peer.of(worker).connect.observe(Duration{3});
    app.queue_stats->of(worker).full.add(21);
    app.queue_stats->of(worker).unserved.add(22);
    app.queue_stats->of(worker).waited.observe(Duration{40});
    location.of(worker).by_class[3].add(23);
  }
  const auto got = scrape(fixture);
  const Exposition::Labels of_peer = {{"upstream", "app"}, {"peer", "10.0.0.1:80"}};
  const auto with = [](Exposition::Labels labels, const char* name, const char* text) {
    labels.emplace(name, text);
    return labels;
  };
  const Exposition::Labels of_server = {{"server", "a.example"}};
  const Exposition::Labels of_app = {{"upstream", "app"}};
  struct Row {
    const char* name;
    Exposition::Labels labels;
    double want;
  };
  const Row rows[] = {
      {"weir_build_info", {{"version", "1.2.3"}}, 1},
      {"weir_start_time_seconds", {}, 1700000000.25},
      {"weir_config_generation", {}, 7},
      {"weir_config_last_reload_successful", {}, 1},
      {"weir_config_last_reload_timestamp_seconds", {}, 1700000000},
      {"weir_config_reload_failures_total", {}, 0},
      {"weir_connections_accepted_total", {}, 20},
      {"weir_connections", {{"state", "active"}}, 4},
      {"weir_connections", {{"state", "idle"}}, 8},
      {"weir_connections", {{"state", "tunnel"}}, 2},
      {"weir_bad_requests_total", {}, 10},
      {"weir_client_aborts_total", {}, 12},
      {"weir_access_log_lost_lines_total", {}, 14},
      {"weir_error_log_lost_lines_total", {}, 0},
      {"weir_descriptor_exhaustion_total", {}, 16},
      {"weir_error_log_left_out_lines_total", {}, 18},
      {"weir_workers", {}, 2},
      {"weir_config_info", {{"defaults", "nginx"}}, 1},
      {"weir_config_servers", {}, 1},
      {"weir_tls_handshakes_total", {{"result", "full"}}, 2},
      {"weir_tls_handshakes_total", {{"result", "resumed"}}, 4},
      {"weir_tls_handshakes_total", {{"result", "failed"}}, 6},
      {"weir_limited_requests_total", {{"result", "delayed"}}, 8},
      {"weir_limited_requests_total", {{"result", "refused"}}, 10},
      {"weir_limited_connections_total", {}, 12},
      {"weir_requests_broken_total", {{"end_code", "pS"}}, 14},
      {"weir_location_requests_total",
       {{"server", "a.example"}, {"location", "~* \\.php$"}, {"code", "3xx"}},
       46},
      {"weir_upstream_errors_total", with(of_app, "error", "peer_reset"), 38},
      {"weir_upstream_retry_reasons_total", with(of_app, "reason", "503"), 40},
      {"weir_upstream_connect_seconds_count", of_peer, 2},
      {"weir_upstream_queue_full_total", of_app, 42},
      {"weir_upstream_queue_unserved_total", of_app, 44},
      {"weir_upstream_queue_seconds_count", of_app, 2},
      {"weir_upstream_peers", of_app, 1},
      {"weir_upstream_health_transitions_total", with(of_peer, "to", "down"), 0},
      {"weir_trace_spans_sent_total", {}, 0},
      {"weir_metrics_series_left_out", {}, 0},
      {"weir_requests_total", with(of_server, "code", "2xx"), 201},
      {"weir_requests_total", with(of_server, "code", "none"), 2},
      {"weir_requests_total", with(of_server, "code", "4xx"), 0},
      {"weir_request_bytes_total", of_server, 2000},
      {"weir_response_bytes_total", of_server, 4000},
      {"weir_upstream_requests_total", with(of_peer, "code", "5xx"), 18},
      {"weir_upstream_bytes_received_total", of_peer, 22},
      {"weir_upstream_bytes_sent_total", of_peer, 24},
      {"weir_upstream_connects_total", of_peer, 26},
      {"weir_upstream_connect_failures_total", of_peer, 28},
      {"weir_upstream_reused_total", of_peer, 30},
      {"weir_upstream_stale_total", of_peer, 32},
      {"weir_upstream_failures_total", of_peer, 34},
      {"weir_upstream_retries_total", of_peer, 36},
      {"weir_upstream_peer_up", of_peer, 1},
      {"weir_upstream_peer_state", with(of_peer, "state", "unchecked"), 1},
      {"weir_upstream_peer_state", with(of_peer, "state", "up"), 0},
      {"weir_upstream_peer_in_flight", of_peer, 0},
      {"weir_upstream_live_peers", {{"upstream", "app"}}, 1},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(value(got, row.name, row.labels) == row.want);
  }
  CHECK(value(got, "process_open_fds") > 2);
  CHECK(value(got, "process_max_fds") > 2);
  CHECK(value(got, "process_resident_memory_bytes") > 100'000);
}

TEST_CASE("a reload that failed") {
  Fixture fixture;
  fixture.reloads.last_ok = false;
  fixture.reloads.failed = 3;
  const auto got = scrape(fixture);
  CHECK(value(got, "weir_config_last_reload_successful") == 0);
  CHECK(value(got, "weir_config_reload_failures_total") == 3);
}

TEST_CASE("histograms are cumulative and agree with their count") {
  Fixture fixture;
  auto& server = fixture.add_server("a.example");
  for (const int ms : {0, 1, 2, 70, 70, 10000, 10001}) {
    server.of(static_cast<std::size_t>(ms) % Fixture::kWorkers).duration.observe(Duration{ms});
  }
  const auto got = scrape(fixture);
  const std::string name = "weir_request_duration_seconds";
  struct Row {
    const char* bound;
    double want;
  };
  const Row rows[] = {{"0.001", 2}, {"0.005", 3}, {"0.05", 3}, {"0.1", 5},
                      {"5", 5},     {"10", 6},    {"+Inf", 7}};
  for (const auto& row : rows) {
    CAPTURE(row.bound);
    CHECK(value(got, name + "_bucket", {{"server", "a.example"}, {"le", row.bound}}) == row.want);
  }
  CHECK(value(got, name + "_count", {{"server", "a.example"}}) == 7);
  CHECK(value(got, name + "_sum", {{"server", "a.example"}}) == doctest::Approx(20.144));
  double before = 0;
  int buckets = 0;
  for (const auto& sample : got.samples) {
    if (sample.name != name + "_bucket") continue;
    ++buckets;
    CHECK(sample.value >= before);
    before = sample.value;
  }
  CHECK(buckets == 13);
}

TEST_CASE("servers of one name make one series") {
  Fixture fixture;
  const auto shared = std::make_shared<proxy::PerWorker<proxy::TrafficStats>>(2);
  // Two that share their counters, and two that have a label but no counters in common.
  fixture.add_server("a.example", shared).of(0).by_class[2].add(5);
  fixture.add_server("a.example", shared);
  fixture.add_server("").of(0).by_class[2].add(3);
  fixture.add_server("_").of(1).by_class[2].add(4);
  const auto got = scrape(fixture);
  check_shape(got);
  CHECK(value(got, "weir_requests_total", {{"server", "a.example"}, {"code", "2xx"}}) == 5);
  CHECK(value(got, "weir_requests_total", {{"server", "_"}, {"code", "2xx"}}) == 7);
}

TEST_CASE("an address written twice in an upstream makes one series") {
  Fixture fixture;
  auto& node =
      fixture.add_pool("app", {test::make_peer("10.0.0.1:80"), test::make_peer("10.0.0.1:80")});
  node.stats[1] = node.stats[0];
  node.stats[0]->of(0).connects.add(5);
  node.pool->peers()[0]->health = upstream::Health::down;
  node.pool->peers()[0]->conns = 1;
  node.pool->peers()[1]->conns = 2;
  const auto got = scrape(fixture);
  check_shape(got);
  const Exposition::Labels labels = {{"upstream", "app"}, {"peer", "10.0.0.1:80"}};
  CHECK(value(got, "weir_upstream_connects_total", labels) == 5);
  CHECK(value(got, "weir_upstream_peer_in_flight", labels) == 3);
  CHECK(value(got, "weir_upstream_peer_up", labels) == 1);
  CHECK(value(got, "weir_upstream_live_peers", {{"upstream", "app"}}) == 1);
}

TEST_CASE("labels are escaped") {
  struct Row {
    const char* name;
    std::string label;
  };
  const Row rows[] = {{"~^(?<a>\\w+)\\.example$", "~^(?<a>\\w+)\\.example$"},
                      {"say \"hi\"", "say \"hi\""},
                      {"two\nlines", "two\nlines"},
                      {"comma,equals=brace}", "comma,equals=brace}"},
                      {"caf\xc3\xa9", "caf\xc3\xa9"},
                      {"caf\xe9", "caf?"}};
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Fixture fixture;
    fixture.add_server(row.name);
    const auto got = scrape(fixture);
    check_shape(got);
    CHECK(got.find("weir_request_bytes_total", {{"server", row.label}}).has_value());
  }
}

TEST_CASE("with very many peers their histograms are left out, and nothing else") {
  struct Row {
    std::size_t peers;
    bool histograms;
  };
  for (const auto& row :
       {Row{kMaxPeersWithHistograms, true}, Row{kMaxPeersWithHistograms + 1, false}}) {
    CAPTURE(row.peers);
    Fixture fixture;
    fixture.add_server("a.example");
    std::vector<std::shared_ptr<upstream::Peer>> peers;
    for (std::size_t i = 0; i < row.peers; ++i) {
      peers.push_back(test::make_peer("10.1." + std::to_string(i / 250) + "." +
                                      std::to_string(i % 250) + ":80"));
    }
    fixture.add_pool("app", std::move(peers));
    const auto text = metrics_text(fixture.source);
    const auto has = [&text](const char* part) { return text.find(part) != std::string::npos; };
    CHECK(has("weir_upstream_first_byte_seconds_bucket") == row.histograms);
    CHECK(has("weir_upstream_request_duration_seconds_sum") == row.histograms);
    CHECK(has("weir_request_duration_seconds_bucket"));
    CHECK(has("weir_upstream_connects_total{upstream=\"app\",peer=\"10.1.8.0:80\"}") ==
          !row.histograms);
    CHECK(has("weir_upstream_connects_total{upstream=\"app\",peer=\"10.1.0.0:80\"}"));
  }
}

TEST_CASE("with very many locations none of them is told of") {
  for (const bool many : {false, true}) {
    Fixture fixture;
    fixture.add_server("a.example");
    for (std::size_t i = 0; i < kMaxLocations + (many ? 1 : 0); ++i) {
      fixture.count_location("/" + std::to_string(i));
    }
    const auto text = metrics_text(fixture.source);
    CHECK((text.find("weir_location_requests_total{") != std::string::npos) != many);
  }
}

TEST_CASE("a page has no more series than it may have, and counts the rest") {
  Fixture fixture;
  const std::size_t of_an_upstream = 20;
  for (std::size_t i = 0; i < kMaxSeries / of_an_upstream + 100; ++i) {
    fixture.add_pool("p" + std::to_string(i), {});
  }
  const auto text = metrics_text(fixture.source);
  std::size_t series = 0;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    if (text[at] != '#') ++series;
  }
  CHECK(series <= kMaxSeries + 1);
  CHECK(series > kMaxSeries - 100);
  const std::string name = "\nweir_metrics_series_left_out ";
  const auto at = text.find(name);
  REQUIRE(at != std::string::npos);
  CHECK(std::stod(text.substr(at + name.size())) > 0);
}

TEST_CASE("the reference page has every metric, and the true number of series") {
  const auto page = metrics_markdown();
  for (const auto& row : metric_table()) {
    CAPTURE(row.name);
    CHECK(page.find("| `" + std::string(row.name) + "` |") != std::string::npos);
  }
  // What the page says must be what a scrape has.
  const auto size = [](int servers, int pools, int peers, int locations = 0, int streams = 0) {
    Fixture fixture;
    for (int i = 0; i < streams; ++i) {
      fixture.runtime->stream_listens[std::to_string(i)].stats =
          std::make_shared<proxy::PerWorker<proxy::StreamStats>>(fixture.kWorkers);
    }
    for (int i = 0; i < servers; ++i) fixture.add_server("s" + std::to_string(i));
    for (int i = 0; i < locations; ++i) fixture.count_location("/" + std::to_string(i));
    for (int i = 0; i < pools; ++i) {
      std::vector<std::shared_ptr<upstream::Peer>> all;
      for (int j = 0; j < peers; ++j)
        all.push_back(test::make_peer("10.0.0.1:" + std::to_string(80 + j)));
      fixture.add_pool("p" + std::to_string(i), all);
    }
    return scrape(fixture).samples.size();
  };
  const auto fixed = size(0, 0, 0);
  const auto server = size(1, 0, 0) - fixed;
  const auto location = size(1, 0, 0, 1) - fixed - server;
  const auto stream = size(0, 0, 0, 0, 1) - fixed;
  const auto upstream = size(0, 1, 0) - fixed;
  const auto peer = size(0, 1, 1) - fixed - upstream;
  const auto want = std::to_string(fixed) + " series, " + std::to_string(server) +
                    " a server name, " + std::to_string(location) + " a location, " +
                    std::to_string(stream) + " an address of stream, " + std::to_string(upstream) +
                    " an upstream and " + std::to_string(peer) + " a peer.";
  CAPTURE(want);
  CHECK(page.find(want) != std::string::npos);
}

TEST_CASE("bytes that are not UTF-8") {
  struct Row {
    const char* name;
    std::string input;
    std::string want;
  };
  const Row rows[] = {{"empty", "", ""},
                      {"ASCII", "abc", "abc"},
                      {"two, three, four bytes", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
                       "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
                      {"Latin-1", "\xe9t\xe9", "?t?"},
                      {"cut short", "a\xe2\x82", "a??"},
                      {"overlong", "\xc0\xaf\xe0\x80\xaf", "?????"},
                      {"surrogate", "\xed\xa0\x80", "???"},
                      {"beyond Unicode", "\xf4\x90\x80\x80", "????"},
                      {"stray continuation", "\x80z", "?z"}};
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(to_utf8(row.input) == row.want);
  }
}

// For a check by eye or by `promtool check metrics`.
TEST_CASE("write a scrape to a file" * doctest::skip(std::getenv("WEIR_SCRAPE") == nullptr)) {
  Fixture fixture;
  fill(fixture);
  fixture.add_server("say \"hi\"\n\\");
  std::ofstream(std::getenv("WEIR_SCRAPE")) << metrics_text(fixture.source);
}

}  // namespace weir::admin
