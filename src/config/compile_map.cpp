#include <algorithm>
#include <set>

#include "config/handlers.h"
#include "config/variable_names.h"

namespace weir::config {
namespace {

// The block of one map being read.
class MapReader {
 public:
  MapReader(const Call& call, MapConfig& map) : call_(call), map_(map) {}

  void entry(const Directive& entry) {
    const Call here{call_.compiler, call_.scope, entry, call_.info};
    const std::size_t words = entry.args.size() + 1;
    if (entry.has_block) return here.error("takes no block; end it with \";\"");
    if (words == 1 && (entry.name == "hostnames" || entry.name == "volatile")) {
      (entry.name == "hostnames" ? map_.hostnames : map_.volatile_) = true;
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
    auto regex = call_.compiler.regex(here, at, pattern, caseless);
    if (regex) map_.patterns.push_back({std::move(regex), std::move(value)});
  }

  const Call& call_;
  MapConfig& map_;
  bool has_default_ = false;
  std::set<std::pair<const void*, std::string>> seen_;
};

bool is_built_in(const std::string& name) {
  const auto names = variable_names();
  return std::any_of(names.begin(), names.end(),
                     [&](const VariableName& row) { return row.name == name; });
}

}  // namespace

void compile_map(const Call& call) {
  auto& compiler = call.compiler;
  const auto& variable = call.arg(1).text;
  if (!variable.starts_with('$') || variable.size() < 2) {
    return call.error(call.arg(1),
                      "invalid variable name " + quote(variable) + "; it must begin with $");
  }
  const std::string name = variable.substr(1);
  if (is_built_in(lower(name))) {
    return call.error(call.arg(1), "$" + name + " is a variable of weir; choose another name");
  }
  const auto index = compiler.find_map(name);
  if (!index) return;
  if (const auto& known = compiler.model().maps[*index].position; known.line != 0) {
    call.warning("$" + name + " has a map already, at " + known.text() + "; this one holds");
  }
  MapConfig map;
  map.position = call.directive.position;
  map.variable = name;
  if (auto source = compiler.value(call, call.arg(0))) map.source = std::move(*source);
  MapReader reader(call, map);
  // `hostnames` changes what the keys mean, so it is looked for first.
  for (const auto& entry : call.directive.block) {
    if (entry.name == "hostnames" && entry.args.empty()) map.hostnames = true;
  }
  for (const auto& entry : call.directive.block) {
    if (compiler.diagnostics().full()) return;
    reader.entry(entry);
  }
  reader.finish();
  compiler.model().maps[*index] = std::move(map);
}

}  // namespace weir::config
