// Any bytes as YAML: no crash, and a model or an error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/load.h"
#include "config/print.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::config;
  LoadOptions options;
  // What may be included: a part of an nginx.conf, and one in YAML.
  options.read_file = [](const std::string& path, std::string& content, std::string& error) {
    if (path == "/conf/part.conf") {
      content = "types { text/html html; } default x; 10.0.0.0/8 y; 10% z;";
    } else if (path == "/conf/part.yaml") {
      content = "{default: x, 10.0.0.0/8: [y], 10%: z}";
    } else {
      error = "no such file";
      return false;
    }
    return true;
  };
  // No questions to a name server.
  options.resolve = [](const std::string& host,
                       std::string& error) -> std::vector<weir::IpAddress> {
    if (host == "localhost") return {*weir::IpAddress::parse("192.0.2.1")};
    error = "no such host";
    return {};
  };
  options.glob = [](const std::string&) { return std::vector<std::string>{}; };
  // The marker makes it YAML whatever follows.
  const std::string text = "---\n" + std::string(reinterpret_cast<const char*>(data), size);
  const auto result = load_text("/conf/weir.yaml", text, options);
  bool failed = false;
  for (const auto& diagnostic : result.diagnostics) {
    failed = failed || diagnostic.severity == Diagnostic::Severity::error;
    if (diagnostic.text().empty()) std::abort();
  }
  if (failed == (result.model != nullptr)) std::abort();
  if (result.model && print(*result.model).empty()) std::abort();
  return 0;
}
