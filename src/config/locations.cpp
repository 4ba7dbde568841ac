#include "config/locations.h"

namespace weir::config {
namespace {

void walk(const Location& location, const std::function<void(const Location&)>& visit) {
  visit(location);
  for (const auto& rule : location.rules) {
    const auto* inner = std::get_if<std::unique_ptr<IfRule>>(&rule);
    if (inner != nullptr && (*inner)->location != nullptr) walk(*(*inner)->location, visit);
  }
  if (location.except != nullptr) walk(*location.except, visit);
  for (const auto& nested : location.nested) walk(*nested, visit);
}

}  // namespace

void for_each_location(const Model& model, const std::function<void(const Location&)>& visit) {
  for (const auto& server : model.servers) {
    if (server->root != nullptr) walk(*server->root, visit);
  }
  for (const auto& server : model.streams) walk(*server->root, visit);
}

std::string location_text(const Location& location) {
  switch (location.kind) {
    case LocationKind::exact:
      return "= " + location.path;
    case LocationKind::prefix_no_regex:
      return "^~ " + location.path;
    case LocationKind::regex: {
      const auto& regex = location.pattern.regex;
      return (regex != nullptr && regex->caseless() ? "~* " : "~ ") + location.path;
    }
    default:
      return location.path;
  }
}

}  // namespace weir::config
