#include "config/load.h"

#include <string_view>

#include "config/compiler.h"
#include "config/nginx_parser.h"
#include "config/sources.h"
#include "config/yaml_parser.h"

namespace weir::config {
namespace {

// The first word of the text that is not a comment tells: YAML has "key:" there (or "---", "%", a
// quote or a flow mapping), nginx.conf a directive.
bool is_yaml(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  while (true) {
    const auto start = text.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos) return false;
    text.remove_prefix(start);
    if (text.front() != '#') break;
    text.remove_prefix(std::min(text.find('\n'), text.size()));
  }
  if (text.starts_with("---") || text.starts_with("- ") || text.starts_with("? ")) return true;
  if (text.front() == '{' || text.front() == '[' || text.front() == '%') return true;
  const auto line = text.substr(0, text.find('\n'));
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const bool blank_after = colon + 1 == line.size() || line[colon + 1] == ' ' ||
                           line[colon + 1] == '\t' || line[colon + 1] == '\r';
  return blank_after && line.substr(0, colon).find_first_of(";{}") == std::string_view::npos;
}

LoadResult compile_tree(const Block& tree, Dialect dialect, const LoadOptions& options,
                        Diagnostics& diagnostics) {
  LoadResult result;
  if (!diagnostics.failed()) {
    auto model = Compiler(options, dialect, diagnostics).compile(tree);
    if (!diagnostics.failed()) result.model = std::move(model);
  }
  result.diagnostics = diagnostics.take();
  return result;
}

LoadResult load_from(const std::string& name, const std::string& text, const LoadOptions& options,
                     Sources& sources) {
  Diagnostics diagnostics;
  Block tree;
  if (!options.global_directives.empty()) {
    // nginx takes the last `;` as given.
    std::string globals = options.global_directives;
    const auto last = globals.find_last_not_of(" \t\r\n");
    if (last != std::string::npos && globals[last] != ';' && globals[last] != '}') globals += ';';
    parse_nginx(std::make_shared<const std::string>("command line"), globals, sources, diagnostics,
                tree);
  }
  const auto file = std::make_shared<const std::string>(name);
  const bool yaml = is_yaml(text);
  if (yaml) {
    parse_yaml(file, text, sources, diagnostics, tree);
  } else {
    parse_nginx(file, text, sources, diagnostics, tree);
  }
  return compile_tree(tree, yaml ? Dialect::yaml : Dialect::nginx, options, diagnostics);
}

}  // namespace

LoadResult load(const std::string& path, const LoadOptions& options) {
  Sources sources(options, path);
  std::string text;
  std::string error;
  if (!sources.read(path, text, error)) {
    LoadResult result;
    result.diagnostics.push_back({Diagnostic::Severity::error,
                                  {std::make_shared<const std::string>(path), 0, 0},
                                  "cannot read the configuration: " + error});
    return result;
  }
  return load_from(path, text, options, sources);
}

LoadResult load_text(const std::string& name, const std::string& text, const LoadOptions& options) {
  Sources sources(options, name);
  if (text.size() <= Sources::kMaxFileSize) return load_from(name, text, options, sources);
  LoadResult result;
  result.diagnostics.push_back({Diagnostic::Severity::error,
                                {std::make_shared<const std::string>(name), 0, 0},
                                "the configuration is too large"});
  return result;
}

}  // namespace weir::config
