#include "config/load.h"

#include <algorithm>
#include <string_view>

#include "config/compiler.h"
#include "config/lint.h"
#include "config/nginx_parser.h"
#include "config/sources.h"
#include "config/yaml_parser.h"

namespace weir::config {
namespace {

ParseResult parse_from(const std::string& name, const std::string& text, const LoadOptions& options,
                       Sources& sources) {
  Diagnostics diagnostics;
  ParseResult result;
  if (!options.global_directives.empty()) {
    // nginx takes the last `;` as given.
    std::string globals = options.global_directives;
    const auto last = globals.find_last_not_of(" \t\r\n");
    if (last != std::string::npos && globals[last] != ';' && globals[last] != '}') globals += ';';
    parse_nginx(std::make_shared<const std::string>("command line"), globals, sources, diagnostics,
                result.tree);
  }
  const auto file = std::make_shared<const std::string>(name);
  if (is_yaml(text)) {
    result.dialect = Dialect::yaml;
    parse_yaml(file, text, sources, diagnostics, result.tree);
  } else {
    parse_nginx(file, text, sources, diagnostics, result.tree);
  }
  result.directory = sources.directory();
  result.diagnostics = diagnostics.take();
  return result;
}

ParseResult unreadable(const std::string& name, std::string message) {
  ParseResult result;
  result.diagnostics.push_back({Diagnostic::Severity::error,
                                {std::make_shared<const std::string>(name), 0, 0},
                                std::move(message)});
  return result;
}

}  // namespace

bool ParseResult::failed() const {
  return std::any_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& diagnostic) {
    return diagnostic.severity == Diagnostic::Severity::error;
  });
}

ParseResult parse(const std::string& path, const LoadOptions& options) {
  Sources sources(options, path);
  std::string text;
  std::string error;
  if (sources.read(path, text, error)) return parse_from(path, text, options, sources);
  return unreadable(path, "cannot read the configuration: " + error);
}

ParseResult parse_text(const std::string& name, const std::string& text,
                       const LoadOptions& options) {
  Sources sources(options, name);
  if (text.size() <= Sources::kMaxFileSize) return parse_from(name, text, options, sources);
  return unreadable(name, "the configuration is too large");
}

LoadResult compile(const ParseResult& parsed, const LoadOptions& options) {
  LoadResult result;
  result.diagnostics = parsed.diagnostics;
  if (parsed.failed()) return result;
  Diagnostics diagnostics;
  Compiler compiler(options, parsed.dialect, parsed.directory, diagnostics);
  auto model = compiler.compile(parsed.tree);
  if (!diagnostics.failed()) {
    lint(parsed.tree, diagnostics);
    result.model = std::move(model);
    result.staples = compiler.take_staples();
  }
  for (auto& diagnostic : diagnostics.take()) result.diagnostics.push_back(std::move(diagnostic));
  return result;
}

LoadResult load(const std::string& path, const LoadOptions& options) {
  return compile(parse(path, options), options);
}

LoadResult load_text(const std::string& name, const std::string& text, const LoadOptions& options) {
  return compile(parse_text(name, text, options), options);
}

}  // namespace weir::config
