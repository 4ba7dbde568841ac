// Any bytes as nginx.conf: no crash, and a model or an error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/load.h"
#include "config/print.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::config;
  LoadOptions options;
  // Files that are included are those of the fuzzer: the input itself, once.
  const std::string text(reinterpret_cast<const char*>(data), size);
  options.read_file = [&](const std::string& path, std::string& content, std::string& error) {
    error = "no such file";
    if (path != "/conf/self") return false;
    content = text;
    return true;
  };
  // No questions to a name server.
  options.resolve = [](const std::string& host,
                       std::string& error) -> std::vector<weir::IpAddress> {
    if (host == "localhost") return {*weir::IpAddress::parse("192.0.2.1")};
    error = "no such host";
    return {};
  };
  options.glob = [](const std::string&) { return std::vector<std::string>{"/conf/self"}; };
  // What the first line says can't make it YAML.
  const auto result = load_text("/conf/weir.conf", "events {}\n" + text, options);
  bool failed = false;
  for (const auto& diagnostic : result.diagnostics) {
    failed = failed || diagnostic.severity == Diagnostic::Severity::error;
    if (diagnostic.text().empty()) std::abort();
  }
  if (failed == (result.model != nullptr)) std::abort();
  if (result.model && print(*result.model).empty()) std::abort();
  return 0;
}
