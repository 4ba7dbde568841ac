#include "config/variables.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "config/text.h"
#include "config/variable_names.h"

namespace weir::config {
namespace {

constexpr std::array kNames = {
#define WEIR_VARIABLE(id, text, help) VariableName{Variable::id, text, help},
#include "config/variables.def"
#undef WEIR_VARIABLE
};

struct Family {
  std::string_view prefix;
  Variable id;
  bool is_field;  // the argument is a field name: lower case, dashes
};
constexpr std::array<Family, 9> kFamilies = {
    {{"http_", Variable::http, true},
     {"sent_http_", Variable::sent_http, true},
     {"sent_trailer_", Variable::sent_trailer, true},
     {"upstream_http_", Variable::upstream_http, true},
     {"upstream_trailer_", Variable::upstream_trailer, true},
     {"upstream_cookie_", Variable::upstream_cookie, false},
     {"proxy_protocol_tlv_", Variable::proxy_protocol_tlv, false},
     {"arg_", Variable::arg, false},
     {"cookie_", Variable::cookie, false}}};

std::string field_name(std::string_view text) {
  std::string name(text);
  for (char& c : name) {
    if (c == '_') c = '-';
  }
  return name;
}

}  // namespace

std::span<const VariableName> variable_names() { return kNames; }

bool is_built_in(std::string_view name, bool stream) {
  const auto names = stream ? stream_variable_names() : variable_names();
  return std::any_of(names.begin(), names.end(),
                     [&](const VariableName& row) { return row.name == name; });
}

std::optional<VariableRef> find_variable(std::string_view name) {
  static const auto index = [] {
    std::unordered_map<std::string_view, Variable> map;
    for (const auto& row : kNames) map.emplace(row.name, row.id);
    return map;
  }();
  const std::string lowered = lower(name);  // names of variables have no case, as in nginx
  const auto found = index.find(lowered);
  if (found != index.end()) return VariableRef{found->second, 0, {}};
  for (const auto& family : kFamilies) {
    if (name.size() >= family.prefix.size() && lowered.starts_with(family.prefix)) {
      const std::size_t at = family.prefix.size();
      return VariableRef{
          family.id, 0,
          family.is_field ? field_name(lowered.substr(at)) : std::string(name.substr(at))};
    }
  }
  return std::nullopt;
}

}  // namespace weir::config
