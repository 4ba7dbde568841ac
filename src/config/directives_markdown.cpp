// The reference page of directives, from their table.
#include "config/directive_rows.h"
#include "config/directives.h"
#include "config/variable_names.h"

namespace weir::config {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string arguments(const DirectiveInfo& row) {
  if (row.has(kFlag)) return "on, off";
  std::string out = std::to_string(row.min_args);
  if (row.max_args == kMany) {
    out += " or more";
  } else if (row.max_args != row.min_args) {
    out += " to " + std::to_string(row.max_args);
  }
  if (row.has(kBlock)) out += ", block";
  if (row.has(kMayBlock)) out += ", may have a block";
  return out;
}

std::string name_of(const DirectiveInfo& row) {
  std::string out = "`" + std::string(row.name) + "`";
  if (row.has(kOwn)) out += " (weir's own)";
  if (!row.yaml_name.empty()) out += ", YAML `" + std::string(row.yaml_name) + "`";
  if (const auto* list = ordered_list_of(row)) {
    out += ", in YAML's `" + std::string(list->key) + "`";
  }
  return out;
}

std::string parameter_list(const DirectiveInfo& row) {
  std::string out;
  for (const auto word : split_words(row.parameters)) {
    if (word.front() != '!' || row.has(kOperator))
      out += (out.empty() ? " Parameters: `" : ", `") + std::string(word) + "`";
  }
  return out.empty() ? out : out + ".";
}

}  // namespace

std::string directives_markdown() {
  std::string out =
      "# Directives\n\n"
      "| directive | in | arguments | default | what it does |\n|---|---|---|---|---|\n";
  std::string accepted =
      "\n## Accepted, without effect\n\n| directive | in | why |\n|---|---|---|\n";
  for (const auto& row : directive_table()) {
    const std::string in = context_names(row.contexts);
    if (row.support == Support::accepted) {
      accepted +=
          "| " + name_of(row) + " | " + in + " | " +
          (row.default_text.empty() ? "" : "only `" + std::string(row.default_text) + "`: ") +
          escaped(row.help) + " |\n";
      continue;
    }
    out += "| " + name_of(row) + " | " + in + " | " + arguments(row) + " | " +
           escaped(row.default_text) + " | " + escaped(row.help) + "." +
           escaped(parameter_list(row)) + " |\n";
  }
  out += accepted + "\n## Refused\n\n| directives | instead |\n|---|---|\n";
  for (const auto& group : unsupported_directives()) {
    std::string names;
    for (const auto name : split_words(group.names)) {
      names += (names.empty() ? "`" : ", `") + std::string(name) + "`";
    }
    out += "| " + names + " | " + escaped(group.note) + " |\n";
  }
  out += "\n# Variables\n\n| variable | what it holds |\n|---|---|\n";
  for (const auto& row : variable_names()) {
    out += "| `$" + std::string(row.name) + "` | " + escaped(row.help) + " |\n";
  }
  out +=
      "| `$http_NAME`, `$sent_http_NAME`, `$upstream_http_NAME` | field of the request, of the "
      "answer, of the peer's answer |\n"
      "| `$arg_NAME`, `$cookie_NAME` | argument of the query, cookie |\n"
      "\n# Variables of stream\n\n| variable | what it holds |\n|---|---|\n";
  for (const auto& row : stream_variable_names()) {
    out += "| `$" + std::string(row.name) + "` | " + escaped(row.help) + " |\n";
  }
  return out;
}

}  // namespace weir::config
