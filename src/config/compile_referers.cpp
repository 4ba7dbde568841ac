// valid_referers none | blocked | server_names | host[/path] | ~regex ...
#include <algorithm>

#include "config/handlers.h"

namespace weir::config {
namespace {

std::string_view host_of(std::string_view name) { return name.substr(0, name.find('/')); }

void add_name(const Call& call, const Argument& argument, std::vector<std::string>& names) {
  std::string_view text = argument.text;
  const std::string host = lower(host_of(text));
  if (host.empty() || !valid_name(host)) {
    return call.error(argument, "invalid host " + quote(text) +
                                    "; write example.org, *.example.org, www.* or ~regex");
  }
  const bool again = std::any_of(names.begin(), names.end(),
                                 [&](const std::string& other) { return host_of(other) == host; });
  if (again) return call.error(argument, "host " + quote(host) + " is named twice");
  names.push_back(host + std::string(text.substr(host.size())));
}

}  // namespace

void compile_valid_referers(const Call& call) {
  auto& setting = call.scope.settings->valid_referers;
  if (!setting) setting.emplace();
  for (const auto& argument : call.directive.args) {
    const auto& text = argument.text;
    if (text == "none") {
      setting->none = true;
    } else if (text == "blocked") {
      setting->blocked = true;
    } else if (text == "server_names") {
      setting->server_names = true;
    } else if (!text.starts_with('~')) {
      add_name(call, argument, setting->names);
    } else if (text.size() == 1) {
      call.error(argument, "the regular expression is empty");
    } else {
      auto pattern = call.compiler.pattern(call, argument, std::string_view(text).substr(1), true);
      if (pattern) setting->patterns.push_back(std::move(pattern));
    }
  }
}

}  // namespace weir::config
