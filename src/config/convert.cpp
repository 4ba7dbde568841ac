#include "config/convert.h"

#include <iterator>

#include "config/print.h"
#include "config/suggest.h"
#include "config/yaml_text.h"
#include "config/yaml_writer.h"

namespace weir::config {
namespace {

// The first line names the file; nothing of its name ends the comment.
std::string comment(const std::string& name) {
  const bool utf8 = is_utf8(name);
  std::string out = "# made from ";
  for (const char c : name) {
    const bool plain = c >= 0x20 && c < 0x7f;
    out += plain || (static_cast<unsigned char>(c) >= 0x80 && utf8) ? c : '?';
  }
  return out + " by weir convert\n";
}

// What goes wrong when the text is read again; nothing, if it means the same as `model`.
std::vector<Diagnostic> differences(const std::string& name, const std::string& yaml,
                                    const Model& model, const LoadOptions& options) {
  auto again = load_text(name, yaml, options);
  if (again.model && print(*again.model) == print(model)) return {};
  std::vector<Diagnostic> list;
  for (auto& diagnostic : again.diagnostics) {
    if (diagnostic.severity == Diagnostic::Severity::error) list.push_back(std::move(diagnostic));
  }
  if (list.empty()) {
    list.push_back({Diagnostic::Severity::error,
                    {std::make_shared<const std::string>(name), 0, 0},
                    "the configuration in YAML would mean something else"});
  }
  return list;
}

// Files that are looked for beside the configuration: what is written has to stay there too.
void warn_of_neighbours(const Block& block, Diagnostics& out) {
  for (const auto& directive : block) {
    warn_of_neighbours(directive.block, out);
    if (directive.name != "auth_basic_user_file" || directive.args.empty()) continue;
    const auto& file = directive.args[0].text;
    if (file.starts_with('/') || file.starts_with('$')) continue;
    out.warning(directive.position,
                directive.name + ": " + quote(file) +
                    " is looked for beside the configuration; keep the YAML in the same folder");
  }
}

ConvertResult convert_parsed(const std::string& name, ParseResult parsed,
                             const LoadOptions& options) {
  ConvertResult result;
  auto loaded = compile(parsed, options);
  result.diagnostics = std::move(loaded.diagnostics);
  if (!loaded.model) return result;
  Diagnostics unsaid;
  result.yaml = comment(name) + write_yaml(parsed.tree, parsed.dialect, unsaid);
  result.ok = !unsaid.failed();
  if (result.ok) warn_of_neighbours(parsed.tree, unsaid);
  auto problems = unsaid.take();
  if (result.ok) {
    auto differ = differences(name + " in YAML", result.yaml, *loaded.model, options);
    result.ok = differ.empty();
    std::move(differ.begin(), differ.end(), std::back_inserter(problems));
  }
  std::move(problems.begin(), problems.end(), std::back_inserter(result.diagnostics));
  return result;
}

}  // namespace

ConvertResult convert(const std::string& path, const LoadOptions& options) {
  return convert_parsed(path, parse(path, options), options);
}

ConvertResult convert_text(const std::string& name, const std::string& text,
                           const LoadOptions& options) {
  return convert_parsed(name, parse_text(name, text, options), options);
}

}  // namespace weir::config
