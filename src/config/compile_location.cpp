#include <algorithm>

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
    location->regex =
        call.compiler.regex(call, call.arg(call.count() - 1), head.path, head.caseless);
    if (!location->regex) return;
  }
  Scope scope;
  scope.contexts = in_location;
  scope.settings = &location->settings;
  scope.server = call.scope.server;
  scope.location = location.get();
  // Known before its block is read: a health_check in it refers to it later.
  outer.nested.push_back(std::move(location));
  call.compiler.walk(call.directive.block, scope);
}

void compile_return(const Call& call) {
  auto& target = call.scope.location->return_;
  const auto& first = call.arg(0);
  const auto code = parse_number(first.text);
  const bool url = first.text.starts_with("http://") || first.text.starts_with("https://") ||
                   first.text.starts_with("$scheme");
  ReturnConfig result;
  if (call.count() == 1 && !code && url) {
    const auto text = call.compiler.value(call, first);
    if (!text) return;
    result = {302, *text, true};
  } else {
    if (!code || *code > 999) {
      return call.error(first, "invalid status " + quote(first.text) +
                                   "; write CODE, CODE TEXT, CODE URL or a URL with http://");
    }
    result.status = static_cast<std::uint16_t>(*code);
    if (call.count() == 2) {
      const auto text = call.compiler.value(call, call.arg(1));
      if (!text) return;
      result.text = *text;
      result.redirect =
          *code == 301 || *code == 302 || *code == 303 || *code == 307 || *code == 308;
    }
  }
  // As in nginx the first `return` of a block ends the request; later ones are never reached.
  if (target) return call.warning("is never reached; another return stands before it");
  target = std::move(result);
}

}  // namespace weir::config
