#include "config/directive_rows.h"
#include "config/directives.h"
#include "config/suggest.h"

namespace weir::config {
namespace {

// Names as the syntax in hand writes them.
std::string_view written(const DirectiveInfo& row, bool yaml) {
  return yaml && !row.yaml_name.empty() ? row.yaml_name : row.name;
}

std::string hint(std::string_view name, std::uint32_t contexts, bool yaml) {
  std::vector<std::string_view> here;
  std::vector<std::string_view> anywhere;
  for (const auto& row : directive_table()) {
    anywhere.push_back(written(row, yaml));
    if ((row.contexts & contexts) != 0) here.push_back(written(row, yaml));
  }
  for (const auto& list : kOrderedLists) {
    if (yaml && find_ordered_list(list.key, contexts) != nullptr) here.push_back(list.key);
  }
  auto text = did_you_mean(name, here);
  if (!text.empty()) return text;
  for (const auto& group : unsupported_directives()) {
    for (const auto word : split_words(group.names)) anywhere.push_back(word);
  }
  return did_you_mean(name, anywhere);
}

// What holds in http and in stream: the places on the side where it stands.
std::uint32_t nearby(std::uint32_t places, std::uint32_t contexts) {
  constexpr std::uint32_t kStream = in_stream | in_stream_server | in_stream_upstream;
  const std::uint32_t side = (contexts & kStream) != 0 ? kStream : ~kStream;
  return (places & side) != 0 ? places & side : places;
}

}  // namespace

std::string unknown_directive(std::string_view name, std::uint32_t contexts, bool yaml) {
  if (const auto* group = find_unsupported(name)) {
    const char* what = group->absence == Absence::yet
                           ? ": nginx has this directive, weir does not support it yet; "
                       : group->absence == Absence::never
                           ? ": nginx has this directive, weir will not have it; "
                           : ": is a directive of a third-party module; ";
    return std::string(name) + what + std::string(group->note);
  }
  std::uint32_t places = contexts_of(name);
  for (const auto& row : directive_table()) {
    if (yaml && row.yaml_name == name) places |= row.contexts;
    if (yaml && row.name == name && !row.yaml_name.empty() && (row.contexts & contexts) != 0) {
      return std::string(name) + ": is written \"" + std::string(row.yaml_name) + "\" in YAML";
    }
  }
  for (const auto& row : directive_table()) {
    const auto* list = ordered_list_of(row);
    if (yaml && list != nullptr && list->key == name) places |= row.contexts;
  }
  places = nearby(places, contexts);
  if (places != 0) {
    return std::string(name) + ": is not allowed in " + context_names(contexts) +
           "; it belongs in " + context_names(places);
  }
  return std::string(yaml ? "unknown key " : "unknown directive ") + quote(name) +
         hint(name, contexts, yaml);
}

}  // namespace weir::config
