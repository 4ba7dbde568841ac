#include "proxy/routes.h"

#include <algorithm>

namespace weir::proxy {

LocationNode::LocationNode(const config::Location& location, RouteParts& parts)
    : location_(&location), plan_(location), tools_(location, parts) {
  if (location.except != nullptr) except_ = std::make_unique<LocationNode>(*location.except, parts);
  add_inner(location.rules, parts);
  for (const auto& child : location.nested) {
    owned_.push_back(std::make_unique<LocationNode>(*child, parts));
    const LocationNode* node = owned_.back().get();
    switch (child->kind) {
      case config::LocationKind::exact:
        exact_.emplace(child->path, node);
        break;
      case config::LocationKind::prefix:
      case config::LocationKind::prefix_no_regex:
        prefixes_.emplace(child->path, node);
        prefix_lengths_.push_back(child->path.size());
        if (child->proxy() != nullptr && child->path.ends_with('/')) {
          slashless_.emplace(std::string_view(child->path).substr(0, child->path.size() - 1), node);
        }
        break;
      case config::LocationKind::regex:
        regexes_.push_back(node);
        break;
      case config::LocationKind::named:
        named_.push_back(node);
        break;
      case config::LocationKind::unnamed:
        break;  // never nested: reached by its rule or its method
    }
  }
  std::sort(prefix_lengths_.rbegin(), prefix_lengths_.rend());
  prefix_lengths_.erase(std::unique(prefix_lengths_.begin(), prefix_lengths_.end()),
                        prefix_lengths_.end());
}

void LocationNode::add_inner(const std::vector<config::Rule>& rules, RouteParts& parts) {
  for (const auto& rule : rules) {
    const auto* inner = std::get_if<std::unique_ptr<config::IfRule>>(&rule);
    if (inner == nullptr || (*inner)->location == nullptr) continue;
    inner_.push_back(std::make_unique<LocationNode>(*(*inner)->location, parts));
  }
}

const LocationNode* LocationNode::inner(const config::Location& location) const {
  for (const auto& node : inner_) {
    if (node->location_ == &location) return node.get();
  }
  return nullptr;
}

LocationNode::Match LocationNode::find(std::string_view path, config::Regex::Captures& captures,
                                       Trail* trail) const {
  Match match{this, false, nullptr, trail};
  search(path, captures, match);
  return match;
}

const LocationNode* LocationNode::find_named(std::string_view name) const {
  for (const auto* node : named_) {
    if (node->location_->path == name) return node;
  }
  return nullptr;
}

const LocationNode* LocationNode::longest_prefix(std::string_view path) const {
  for (const auto length : prefix_lengths_) {
    if (length > path.size()) continue;
    const auto found = prefixes_.find(path.substr(0, length));
    if (found != prefixes_.end()) return found->second;
  }
  return nullptr;
}

// In nginx's order: an exact location ends the search; the longest prefix is kept, and searched
// for nested ones; then, unless it is `^~`, the regular expressions of this level, in file order.
LocationNode::Found LocationNode::search(std::string_view path, config::Regex::Captures& captures,
                                         Match& match) const {
  if (!exact_.empty()) {
    if (const auto exact = exact_.find(path); exact != exact_.end()) {
      match.looked(*exact->second, Looked::exact);
      match.node = exact->second;
      return Found::final;
    }
  }
  const LocationNode* prefix = longest_prefix(path);
  const bool whole = prefix != nullptr && prefix->location_->path.size() == path.size();
  if (!whole && !slashless_.empty()) {
    if (const auto slashed = slashless_.find(path); slashed != slashless_.end()) {
      match.looked(*slashed->second, Looked::prefix);
      match.node = slashed->second;
      match.add_slash = true;
      return Found::final;
    }
  }
  bool try_regexes = true;
  if (prefix != nullptr) {
    match.looked(*prefix, Looked::prefix);
    match.node = prefix;
    try_regexes = prefix->location_->kind != config::LocationKind::prefix_no_regex;
    if (prefix->search(path, captures, match) == Found::final) return Found::final;
  }
  if (try_regexes) {
    for (const auto* node : regexes_) {
      const bool matches = node->location_->pattern.regex->match(path, &captures);
      match.looked(*node, matches ? Looked::regex : Looked::no_match);
      if (!matches) continue;
      match.node = node;
      match.pattern = &node->location_->pattern;
      node->search(path, captures, match);
      return Found::final;
    }
  }
  return prefix != nullptr ? Found::prefix : Found::nothing;
}

void VirtualHosts::add(const ServerNode& server, bool is_default) {
  ++servers_;
  if (default_ == nullptr || is_default) default_ = &server;
  for (const auto& name : server.config->names) {
    switch (name.kind) {
      case config::ServerName::Kind::exact:
        exact_.emplace(name.text, &server);
        break;
      case config::ServerName::Kind::leading_wildcard:
        leading_.emplace(name.text, &server);
        break;
      case config::ServerName::Kind::trailing_wildcard:
        trailing_.emplace(name.text, &server);
        break;
      case config::ServerName::Kind::regex:
        regexes_.emplace_back(&name.pattern, &server);
        break;
    }
  }
}

const ServerNode& VirtualHosts::find(std::string_view host, config::Regex::Captures& captures,
                                     const config::Pattern*& pattern) const {
  if (const auto found = exact_.find(host); found != exact_.end()) return *found->second;
  if (!leading_.empty()) {
    // The longest name first: a.b.c, then .b.c, then .c.
    for (auto dot = host.find('.'); dot != std::string_view::npos; dot = host.find('.', dot + 1)) {
      const auto found = leading_.find(host.substr(dot));
      if (found != leading_.end()) return *found->second;
    }
  }
  if (!trailing_.empty()) {
    for (auto dot = host.rfind('.'); dot != std::string_view::npos && dot > 0;
         dot = host.rfind('.', dot - 1)) {
      const auto found = trailing_.find(host.substr(0, dot + 1));
      if (found != trailing_.end()) return *found->second;
    }
  }
  for (const auto& [name, server] : regexes_) {
    if (!name->regex->match(host, &captures)) continue;
    pattern = name;
    return *server;
  }
  return *default_;
}

}  // namespace weir::proxy
