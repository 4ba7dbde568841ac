#include "proxy/trace_exporter.h"

#include <doctest/doctest.h>

using namespace weir;

TEST_CASE("spans that wait are bounded by their bytes, too") {
  config::TraceConfig config;
  config.host = "127.0.0.1";
  config.port = 1;  // nobody is there
  config.interval = std::chrono::hours{1};
  const auto counts = std::make_shared<proxy::TraceCounts>();
  proxy::TraceExporter exporter(config, counts);
  constexpr std::size_t kPiece = proxy::TraceExporter::kMostBytes / 4;
  for (int i = 0; i < 4; ++i) CHECK(exporter.add(std::string(kPiece, 'x')));
  CHECK_FALSE(exporter.add("x"));
  CHECK(counts->dropped == 1);
}
