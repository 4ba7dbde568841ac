#include <algorithm>
#include <set>

#include "config/handlers.h"
#include "config/variable_names.h"

namespace weir::config {
namespace {

// The block of one map being read.
class MapReader {
 public:
  MapReader(const Call& call, MapConfig& map, bool& is_volatile)
      : call_(call), map_(map), volatile_(is_volatile) {}

  void entry(const Directive& entry) {
    const Call here{call_.compiler, call_.scope, entry, call_.info};
    const std::size_t words = entry.args.size() + 1;
    if (entry.has_block) return here.error("takes no block; end it with \";\"");
    if (words == 1 && (entry.name == "hostnames" || entry.name == "volatile")) {
      (entry.name == "hostnames" ? map_.hostnames : volatile_) = true;
      return;
    }
    if (words != 2) return here.error("an entry of a map is KEY VALUE;");
    auto value = call_.compiler.value(here, entry.args[0]);
    if (!value) return;
    if (entry.name == "default") {
      if (has_default_) return here.error("is duplicate in this map");
      has_default_ = true;
      map_.default_ = std::move(*value);
    } else {
      add(here, entry.name, std::move(*value));
    }
  }

  void finish() {
    for (auto* list : {&map_.exact, &map_.leading_wildcards, &map_.trailing_wildcards}) {
      std::sort(list->begin(), list->end(),
                [](const auto& a, const auto& b) { return a.key < b.key; });
    }
  }

 private:
  void add(const Call& here, const std::string& name, Value value) {
    if (name.starts_with('~')) return add_pattern(here, name, std::move(value));
    // A backslash takes their meaning from `default`, `hostnames`, ... and "~".
    const bool escaped = name.starts_with('\\');
    const std::string key = lower(escaped ? name.substr(1) : name);
    const bool host = map_.hostnames && !escaped;
    if (host && !valid_name(key)) {
      return here.error("invalid name or wildcard; write example.org, *.example.org or www.*");
    }
    if (host && key.starts_with("*.")) {
      put(here, map_.leading_wildcards, key.substr(1), std::move(value));
    } else if (host && key.starts_with('.') && key.size() > 1) {
      if (put(here, map_.exact, key.substr(1), value)) {
        put(here, map_.leading_wildcards, key, std::move(value));
      }
    } else if (host && key.ends_with(".*")) {
      put(here, map_.trailing_wildcards, key.substr(0, key.size() - 1), std::move(value));
    } else {
      put(here, map_.exact, key, std::move(value));
    }
  }

  bool put(const Call& here, std::vector<MapConfig::Exact>& list, const std::string& key,
           Value value) {
    if (!seen_.insert({&list, key}).second) {
      here.error("is duplicate in this map");
      return false;
    }
    list.push_back({key, std::move(value)});
    return true;
  }

  void add_pattern(const Call& here, const std::string& name, Value value) {
    std::string_view pattern = std::string_view(name).substr(1);
    const bool caseless = pattern.starts_with('*');
    if (caseless) pattern.remove_prefix(1);
    const Argument at{name, here.directive.position, false};
    auto compiled = call_.compiler.pattern(here, at, pattern, caseless);
    if (compiled) map_.patterns.push_back({std::move(compiled), std::move(value)});
  }

  const Call& call_;
  MapConfig& map_;
  bool& volatile_;
  bool has_default_ = false;
  std::set<std::pair<const void*, std::string>> seen_;
};

}  // namespace

std::optional<std::uint32_t> made_variable(const Call& call, const Argument& argument) {
  if (!argument.text.starts_with('$') || argument.text.size() < 2) {
    call.error(argument,
               "invalid variable name " + quote(argument.text) + "; it must begin with $");
    return std::nullopt;
  }
  const std::string name = argument.text.substr(1);
  if (is_built_in(lower(name), call.compiler.in_stream())) {
    call.error(argument, "$" + name + " is a variable of weir; choose another name");
    return std::nullopt;
  }
  const auto index = call.compiler.find_user_variable(lower(name));
  if (!index) return std::nullopt;
  const auto& model = call.compiler.model();
  const auto& variable = model.variables[*index];
  const auto warn = [&](const char* what, const Position& at) {
    call.warning("$" + name + " has a " + what + " already, at " + at.text() + "; this one holds");
  };
  switch (variable.source) {
    case UserVariable::Source::none:
      break;
    case UserVariable::Source::map:
      warn("map", model.maps[variable.index].position);
      break;
    case UserVariable::Source::geo:
      warn("geo", model.geos[variable.index].position);
      break;
    case UserVariable::Source::split_clients:
      warn("split_clients", model.split_clients[variable.index].position);
      break;
  }
  return index;
}

void compile_map(const Call& call) {
  auto& compiler = call.compiler;
  const auto index = made_variable(call, call.arg(1));
  if (!index) return;
  auto& model = compiler.model();
  auto& user = model.variables[*index];
  MapConfig map;
  map.position = call.directive.position;
  if (auto source = compiler.value(call, call.arg(0))) map.source = std::move(*source);
  bool is_volatile = false;
  MapReader reader(call, map, is_volatile);
  // `hostnames` changes what the keys mean, so it is looked for first.
  for (const auto& entry : call.directive.block) {
    if (entry.name == "hostnames" && entry.args.empty()) map.hostnames = true;
  }
  for (const auto& entry : call.directive.block) {
    if (compiler.diagnostics().full()) return;
    reader.entry(entry);
  }
  reader.finish();
  user.source = UserVariable::Source::map;
  user.index = static_cast<std::uint32_t>(model.maps.size());
  user.volatile_ = is_volatile;
  model.maps.push_back(std::move(map));
}

}  // namespace weir::config
