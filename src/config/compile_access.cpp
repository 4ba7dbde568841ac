// allow, deny, auth_basic, auth_request, secure_link.
#include "config/handlers.h"

namespace weir::config {

void compile_access_rule(const Call& call) {
  AccessRule rule;
  rule.allow = call.directive.name == "allow";
  if (call.arg(0).text != "all") {
    rule.network = network_argument(call, call.arg(0));
    if (!rule.network) return;
  }
  auto& list = call.scope.settings->access;
  if (!list) list.emplace();
  list->push_back(rule);
}

void compile_auth_basic_user_file(const Call& call) {
  Argument path = call.arg(0);
  if (path.text.empty()) return call.error(path, "the path is empty; name a file");
  // What begins with a variable may be absolute by it, as in nginx.
  if (!path.text.starts_with('$')) path.text = call.compiler.beside(path.text);
  if (auto value = call.compiler.value(call, path)) {
    call.scope.settings->auth_basic_user_file = std::move(*value);
  }
}

void compile_auth_request(const Call& call) {
  const auto& uri = call.arg(0).text;
  call.scope.settings->auth_request = uri == "off" ? std::string() : uri;
}

void compile_auth_request_set(const Call& call) {
  AuthRequestSet set;
  const auto variable = assignable(call, call.arg(0));
  auto value = call.compiler.value(call, call.arg(1));
  if (!variable || !value) return;
  set.variable = *variable;
  set.value = std::move(*value);
  auto& list = call.scope.settings->auth_request_set;
  if (!list) list.emplace();
  list->push_back(std::move(set));
}

// The three of them make one setting; what an outer level adds is worked out in resolve.cpp.
void compile_secure_link(const Call& call) {
  auto& setting = call.scope.settings->secure_link;
  if (!setting) setting.emplace();
  const auto& name = call.directive.name;
  if (name == "secure_link_secret") {
    setting->secret = call.arg(0).text;
    if (setting->secret.empty()) call.error(call.arg(0), "the word is empty; write one");
  } else if (auto value = call.compiler.value(call, call.arg(0))) {
    (name == "secure_link" ? setting->link : setting->md5) = std::move(*value);
  }
  if (!setting->secret.empty() && (!setting->link.empty() || !setting->md5.empty())) {
    call.error(
        "secure_link_secret does not go with secure_link and secure_link_md5; keep one kind");
  }
}

}  // namespace weir::config
