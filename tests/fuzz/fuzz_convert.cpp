// Any bytes as nginx.conf, written in YAML and read again: the same tree of directives and, if they
// compile, the same model. What YAML cannot say is told.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "../config/tree_form.h"
#include "config/load.h"
#include "config/print.h"
#include "config/yaml_text.h"
#include "config/yaml_writer.h"

namespace {

using namespace weir::config;

LoadOptions options() {
  LoadOptions made;
  made.read_file = [](const std::string&, std::string&, std::string& error) {
    error = "no such file";
    return false;
  };
  made.glob = [](const std::string&) { return std::vector<std::string>{}; };
  return made;
}

[[noreturn]] void fail(const std::string& what, const std::string& yaml) {
  std::fprintf(stderr, "%s\nin YAML:\n%s\n", what.c_str(), yaml.c_str());
  std::abort();
}

std::string errors_of(const std::vector<Diagnostic>& list) {
  std::string out;
  for (const auto& diagnostic : list) {
    if (diagnostic.severity == Diagnostic::Severity::error) out += diagnostic.text() + "\n";
  }
  return out;
}

// What the reader of YAML bounds may be too much for it.
bool too_much(const std::string& errors) {
  return errors.find("too many") != std::string::npos || errors.find("larger") != std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto how = options();
  // What the first line says can't make it YAML.
  const auto parsed = parse_text("/conf/weir.conf", "events {}\n" + text, how);
  if (parsed.failed()) return 0;
  const auto loaded = compile(parsed, how);
  Diagnostics diagnostics;
  const auto yaml = write_yaml(parsed.tree, parsed.dialect, diagnostics);
  if (diagnostics.failed()) {
    if (loaded.model && is_utf8(text)) fail(errors_of(diagnostics.take()), text);
    return 0;
  }
  const auto again = parse_text("/conf/weir.yaml", "---\n" + yaml, how);
  if (const auto errors = errors_of(again.diagnostics); !errors.empty()) {
    if (too_much(errors)) return 0;
    fail(errors, yaml);
  }
  const auto before = testing::TreeForm::of(parsed.tree);
  const auto after = testing::TreeForm::of(again.tree);
  if (before != after) fail("before:\n" + before + "after:\n" + after, yaml);
  if (!loaded.model) return 0;
  const auto second = compile(again, how);
  if (!second.model) fail(errors_of(second.diagnostics), yaml);
  if (print(*second.model) != print(*loaded.model)) {
    fail("before:\n" + print(*loaded.model) + "after:\n" + print(*second.model), yaml);
  }
  return 0;
}
