#include <algorithm>
#include <array>

#include "config/handlers.h"

namespace weir::config {
namespace {

struct Head {
  LocationKind kind = LocationKind::prefix;
  bool caseless = false;
  std::string_view path;
};

// "= /a", "=/a", "^~ /a", "~ a", "~*a", "/a", "@a".
bool read_head(const Call& call, Head& head) {
  std::string_view text = call.arg(0).text;
  std::string_view modifier;
  if (call.count() == 2) {
    modifier = text;
    text = call.arg(1).text;
    if (modifier != "=" && modifier != "^~" && modifier != "~" && modifier != "~*") {
      call.error(call.arg(0), "invalid modifier " + quote(modifier) + "; use =, ^~, ~ or ~*");
      return false;
    }
  } else {
    for (const std::string_view known : {"=", "^~", "~*", "~"}) {
      if (text.starts_with(known)) {
        modifier = known;
        text.remove_prefix(known.size());
        break;
      }
    }
  }
  head.path = text;
  head.caseless = modifier == "~*";
  if (modifier == "=") head.kind = LocationKind::exact;
  if (modifier == "^~") head.kind = LocationKind::prefix_no_regex;
  if (modifier == "~" || modifier == "~*") head.kind = LocationKind::regex;
  if (modifier.empty() && text.starts_with('@')) head.kind = LocationKind::named;
  return true;
}

// nginx's rules for a location inside another one.
bool check_nesting(const Call& call, const Head& head, const LocationDraft& outer) {
  const std::string name = quote(head.path);
  const std::string around = quote(outer.path);
  if (head.kind == LocationKind::named && outer.outer != nullptr) {
    call.error("named location " + name + " can be on the server level only");
    return false;
  }
  if (outer.outer == nullptr) return true;
  if (outer.kind == LocationKind::exact || outer.kind == LocationKind::named) {
    call.error("location " + name + " cannot be inside the " +
               (outer.kind == LocationKind::exact ? "exact" : "named") + " location " + around);
    return false;
  }
  if (head.kind != LocationKind::regex && !head.path.starts_with(outer.path)) {
    call.error("location " + name + " is outside location " + around);
    return false;
  }
  return true;
}

bool same_place(const LocationDraft& a, const Head& head) {
  const auto group = [](LocationKind kind) {
    return kind == LocationKind::prefix_no_regex ? LocationKind::prefix : kind;
  };
  return a.kind != LocationKind::regex && group(a.kind) == group(head.kind) && a.path == head.path;
}

const LocationDraft* find_same(const LocationDraft& outer, const Head& head) {
  const auto found = std::find_if(outer.nested.begin(), outer.nested.end(),
                                  [&](const auto& other) { return same_place(*other, head); });
  return found == outer.nested.end() ? nullptr : found->get();
}

struct MethodName {
  std::string_view name;
  std::uint32_t bit;
};
constexpr std::array kMethods = {MethodName{"GET", method_get},
                                 MethodName{"HEAD", method_head},
                                 MethodName{"POST", method_post},
                                 MethodName{"PUT", method_put},
                                 MethodName{"DELETE", method_delete},
                                 MethodName{"OPTIONS", method_options},
                                 MethodName{"PATCH", method_patch},
                                 MethodName{"PROPFIND", method_propfind},
                                 MethodName{"PROPPATCH", method_proppatch},
                                 MethodName{"MKCOL", method_mkcol},
                                 MethodName{"COPY", method_copy},
                                 MethodName{"MOVE", method_move},
                                 MethodName{"LOCK", method_lock},
                                 MethodName{"UNLOCK", method_unlock}};

// The methods named, as bits; 0 after an error.
std::uint32_t allowed_methods(const Call& call) {
  std::uint32_t bits = 0;
  for (const auto& argument : call.directive.args) {
    const auto method = std::find_if(
        kMethods.begin(), kMethods.end(),
        [&](const MethodName& known) { return lower(known.name) == lower(argument.text); });
    if (method == kMethods.end()) {
      call.error(argument, "unknown method " + quote(argument.text) +
                               "; write GET, POST, PUT, DELETE and so on");
      return 0;
    }
    bits |= method->bit;
  }
  return (bits & method_get) != 0 ? bits | method_head : bits;
}

}  // namespace

void compile_location(const Call& call) {
  LocationDraft& outer = *call.scope.location;
  Head head;
  if (!read_head(call, head) || !check_nesting(call, head, outer)) return;
  if (const auto* same = find_same(outer, head)) {
    if (head.kind == LocationKind::named) {  // nginx takes the first one
      call.warning("duplicate location " + quote(head.path) + " is never used; first at line " +
                   std::to_string(same->position.line));
      return;
    }
    return call.error("duplicate location " + quote(head.path) + "; first at line " +
                      std::to_string(same->position.line));
  }
  auto location = std::make_unique<LocationDraft>();
  location->kind = head.kind;
  location->path = head.path;
  location->outer = &outer;
  location->position = call.directive.position;
  if (head.kind == LocationKind::regex) {
    location->pattern =
        call.compiler.pattern(call, call.arg(call.count() - 1), head.path, head.caseless);
    if (!location->pattern) return;
  }
  Scope scope;
  scope.contexts = in_location;
  scope.settings = &location->settings;
  scope.server = call.scope.server;
  scope.location = location.get();
  scope.rules = &location->rules;
  // Known before its block is read: a health_check in it refers to it later.
  outer.nested.push_back(std::move(location));
  call.compiler.walk(call.directive.block, scope);
}

void compile_limit_except(const Call& call) {
  auto& outer = *call.scope.location;
  outer.allowed_methods = allowed_methods(call);
  if (outer.allowed_methods == 0) return;
  auto location = std::make_unique<LocationDraft>();
  location->kind = LocationKind::unnamed;
  location->path = outer.path;
  location->outer = &outer;
  location->position = call.directive.position;
  Scope scope;
  scope.contexts = in_limit_except;
  scope.settings = &location->settings;
  scope.server = call.scope.server;
  scope.location = location.get();
  outer.except = std::move(location);
  call.compiler.walk(call.directive.block, scope);
}

void compile_internal(const Call& call) { call.scope.location->internal = true; }

}  // namespace weir::config
