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
  options.read_file = [](const std::string&, std::string&, std::string& error) {
    error = "no such file";
    return false;
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
