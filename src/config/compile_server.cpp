#include <unistd.h>

#include <algorithm>

#include "config/handlers.h"

namespace weir::config {

bool valid_name(std::string_view name) {
  if (name == ".") return false;
  const auto stars = std::count(name.begin(), name.end(), '*');
  if (name.find("..") != std::string_view::npos || name.find('\0') != std::string_view::npos) {
    return false;
  }
  if (stars == 0) return true;
  const bool leading = name.starts_with("*.") && name.size() > 2;
  const bool trailing = name.ends_with(".*") && name.size() > 2;
  return stars == 1 && leading != trailing;
}

namespace {

std::string host_name() {
  char buffer[256] = {};
  if (gethostname(buffer, sizeof buffer - 1) != 0) return {};
  return lower(buffer);
}

void add_regex(const Call& call, const Argument& argument, std::vector<ServerName>& names) {
  const std::string_view pattern = std::string_view(argument.text).substr(1);
  if (pattern.empty()) return call.error(argument, "the regular expression is empty");
  // Hosts are compared in lower case, so nginx ignores case if the pattern has capitals.
  const bool capitals = lower(pattern) != pattern;
  auto compiled = call.compiler.pattern(call, argument, pattern, capitals);
  if (compiled)
    names.push_back({ServerName::Kind::regex, std::string(pattern), std::move(compiled)});
}

}  // namespace

void compile_server_name(const Call& call) {
  auto& server = *call.scope.server;
  for (const auto& argument : call.directive.args) {
    const bool first = server.names.empty();
    if (argument.text.starts_with('~')) {
      add_regex(call, argument, server.names);
      if (first) server.primary_name = argument.text;
      continue;
    }
    std::string name = lower(argument.text);
    if (name == "$hostname") name = host_name();
    if (!valid_name(name)) {
      call.error(argument, "invalid name or wildcard " + quote(argument.text) +
                               "; write example.org, *.example.org or www.*");
      continue;
    }
    if (name.find('/') != std::string::npos) {
      call.warning("name " + quote(argument.text) + " has suspicious symbols");
    }
    if (name.starts_with("*.")) {
      server.names.push_back({ServerName::Kind::leading_wildcard, name.substr(1), {}});
    } else if (name.starts_with('.') && name.size() > 1) {
      // ".example.org" is "example.org" and "*.example.org".
      server.names.push_back({ServerName::Kind::exact, name.substr(1), {}});
      server.names.push_back({ServerName::Kind::leading_wildcard, name, {}});
      name.erase(0, 1);
    } else if (name.ends_with(".*")) {
      server.names.push_back(
          {ServerName::Kind::trailing_wildcard, name.substr(0, name.size() - 1), {}});
    } else {
      server.names.push_back({ServerName::Kind::exact, name, {}});
    }
    if (first) server.primary_name = name;
  }
}

void compile_server(const Call& call) {
  auto server = std::make_unique<ServerDraft>();
  server->root.position = call.directive.position;
  server->root.path = "/";
  Scope scope;
  scope.contexts = in_server;
  scope.settings = &server->root.settings;
  scope.server = server.get();
  scope.location = &server->root;
  scope.rules = &server->root.rules;
  call.compiler.walk(call.directive.block, scope);
  if (server->names.empty()) server->names.push_back({ServerName::Kind::exact, "", {}});
  if (server->listens.empty()) {
    // nginx: port 80 for root, 8000 for others.
    Listen listen;
    listen.endpoint.ip = *IpAddress::parse("0.0.0.0", getuid() == 0 ? 80 : 8000);
    listen.text = listen.endpoint.text();
    listen.position = call.directive.position;
    server->listens.push_back(std::move(listen));
  }
  call.compiler.add_server(std::move(server));
}

}  // namespace weir::config
