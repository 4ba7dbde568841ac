#include "config/lint.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <string_view>

#include "config/suggest.h"
#include "config/text.h"

namespace weir::config {
namespace {

using Found = std::vector<const Directive*>;

// Directives that add a field, and that say whether those of outer blocks hold, too.
struct FieldKind {
  std::string_view name;
  std::string_view inherit;
};
constexpr std::array<FieldKind, 4> kFields = {{{"add_header", "add_header_inherit"},
                                               {"add_trailer", "add_trailer_inherit"},
                                               {"proxy_set_header", ""},
                                               {"grpc_set_header", ""}}};

// A block and what is around it. The outermost one has what stands at the top and in http.
struct Level {
  const Level* outer = nullptr;
  const Directive* block = nullptr;  // null: the outermost
  Found directives;
  // Of each kind: the fields in force here, each name once; shared with the outer level if equal.
  std::array<std::shared_ptr<const Found>, kFields.size()> fields{};

  [[nodiscard]] Found own(std::string_view name) const {
    Found found;
    for (const auto* directive : directives) {
      if (directive->name == name) found.push_back(directive);
    }
    return found;
  }
  // Here or around.
  [[nodiscard]] const Directive* nearest(std::string_view name) const {
    for (const Level* level = this; level != nullptr; level = level->outer) {
      const auto found = level->own(name);
      if (!found.empty()) return found.back();
    }
    return nullptr;
  }
};

bool has_first(const Directive& directive) { return !directive.args.empty(); }

// Whether `name` stands anywhere in the block.
bool contains(const Block& block, std::string_view name) {
  return std::any_of(block.begin(), block.end(), [&](const Directive& directive) {
    return directive.name == name || contains(directive.block, name);
  });
}

bool contains(const Level& level, std::string_view name) {
  return std::any_of(level.directives.begin(), level.directives.end(), [&](const auto* directive) {
    return directive->name == name || contains(directive->block, name);
  });
}

// The path of a location whose prefix is replaced: no pattern, no exact path, no name.
std::string_view prefix_of(const Directive* block) {
  if (block == nullptr || block->name != "location" || block->args.empty()) return {};
  const std::string_view first = block->args.front().text;
  if (block->args.size() == 2) {
    return first == "^~" ? std::string_view(block->args[1].text) : std::string_view{};
  }
  return first.starts_with('/') ? first : std::string_view{};
}

bool is_plain(std::string_view text) { return text.find('$') == std::string_view::npos; }

// "http://host:80/uri" -> "host", "/uri"; empty if there are variables or it is a socket.
struct Target {
  std::string_view host;
  std::string_view uri;
};
Target target_of(std::string_view url) {
  const auto scheme = url.starts_with("https://") ? std::string_view("https://") : "http://";
  if (!is_plain(url) || !url.starts_with(scheme)) return {};
  url.remove_prefix(scheme.size());
  if (url.starts_with("unix:")) return {};
  const auto end = std::min(url.find_first_of(":/?"), url.size());
  const auto uri = std::min(url.find_first_of("/?"), url.size());
  return {url.substr(0, end), url.substr(uri)};
}

class Linter {
 public:
  explicit Linter(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void run(const Block& tree) {
    Level top;
    for (const auto& directive : tree) {
      top.directives.push_back(&directive);
      if (directive.name != "http") continue;
      for (const auto& inner : directive.block) top.directives.push_back(&inner);
    }
    for (const auto* upstream : top.own("upstream")) note_upstream(*upstream);
    visit(top);
  }

 private:
  void warn(const Position& at, const std::string& message) { diagnostics_.warning(at, message); }

  void note_upstream(const Directive& upstream) {
    if (!has_first(upstream)) return;
    for (const auto& inner : upstream.block) {
      const bool balance =
          inner.name == "balance" && has_first(inner) && inner.args.front().text == "ip_hash";
      if (inner.name == "ip_hash" || balance) {
        hashed_.emplace(lower(upstream.args.front().text), &inner);
      }
    }
  }

  void visit(Level& level) {
    if (diagnostics_.warned_enough()) return;
    for (std::size_t kind = 0; kind < kFields.size(); ++kind) fields(level, kind);
    unheard_real_ip(level);
    if (level.block != nullptr && level.block->name == "server") server(level);
    if (level.block != nullptr && level.block->name == "location") location(level);
    for (const auto* directive : level.directives) {
      if (directive->name != "server" && directive->name != "location" && directive->name != "if") {
        continue;
      }
      Level inner{&level, directive, {}};
      for (const auto& each : directive->block) inner.directives.push_back(&each);
      visit(inner);
    }
  }

  // ---- fields that a block loses by having one of its own ----

  // Works out which fields are in force, and tells of those that are lost.
  void fields(Level& level, std::size_t kind) {
    const auto [name, inherit] = kFields[kind];
    const Found own = level.own(name);
    const auto none = std::make_shared<const Found>();
    const auto outer = level.outer == nullptr ? none : level.outer->fields[kind];
    const auto* rule = inherit.empty() ? nullptr : level.nearest(inherit);
    const std::string word = rule != nullptr && has_first(*rule) ? rule->args.front().text : "on";
    if (own.empty()) {
      level.fields[kind] = word == "off" ? none : outer;
      return;
    }
    auto here = std::make_shared<Found>();
    Found lost;
    std::set<std::string> names;
    for (const auto* field : own) {
      if (has_first(*field) && names.insert(lower(field->args.front().text)).second) {
        here->push_back(field);
      }
    }
    for (const auto* field : *outer) {
      if (names.insert(lower(field->args.front().text)).second) {
        (word == "merge" ? *here : lost).push_back(field);
      }
    }
    level.fields[kind] = std::move(here);
    // Fields of requests matter only where there are peers.
    if (lost.empty() || word == "off") return;
    const bool grpc = own.front()->name == "grpc_set_header";
    if (inherit.empty() && !contains(level, grpc ? "grpc_pass" : "proxy_pass")) return;
    tell_lost(*own.front(), lost, inherit);
  }

  void tell_lost(const Directive& own, const Found& lost, std::string_view inherit) {
    constexpr std::size_t kShown = 5;
    std::string names;
    for (std::size_t i = 0; i < std::min(lost.size(), kShown); ++i) {
      names += (i > 0 ? ", " : "") + lost[i]->args.front().text;
    }
    if (lost.size() > kShown) names += " and " + std::to_string(lost.size() - kShown) + " more";
    warn(own.position,
         own.name + ": not sent from here: " + names + " (set at " + lost.front()->position.text() +
             "); a block with a field of its own has none of the outer ones; repeat "
             "them here" +
             (inherit.empty() ? "" : ", or write " + std::string(inherit) + " merge"));
  }

  // ---- addresses of clients ----

  void unheard_real_ip(const Level& level) {
    for (const auto* field : level.own("real_ip_header")) {
      if (level.nearest("set_real_ip_from") != nullptr || contains(level, "set_real_ip_from")) {
        continue;
      }
      warn(field->position,
           "real_ip_header: has no effect: nobody is believed without set_real_ip_from; name the "
           "addresses of the proxies in front");
    }
  }

  // Who comes by the PROXY protocol has the address of the proxy in front.
  void hashed_proxies(const Level& level) {
    const Directive* listen = nullptr;
    for (const auto* directive : level.own("listen")) {
      for (const auto& word : directive->args) {
        if (word.text == "proxy_protocol") listen = directive;
      }
    }
    if (listen == nullptr || level.nearest("set_real_ip_from") != nullptr ||
        contains(level, "set_real_ip_from")) {
      return;
    }
    for (const auto* directive : level.directives) hashed_targets(*directive, *listen);
  }

  void hashed_targets(const Directive& directive, const Directive& listen) {
    if (directive.name == "proxy_pass" && has_first(directive)) {
      const auto found = hashed_.find(lower(target_of(directive.args.front().text).host));
      if (found == hashed_.end() || !told_.insert(found->first).second) return;
      warn(found->second->position,
           found->second->name + ": all clients of " + listen.position.text() +
               " have the address of the proxy in front and go to one peer; write real_ip_header "
               "proxy_protocol and set_real_ip_from with its address");
    }
    for (const auto& inner : directive.block) hashed_targets(inner, listen);
  }

  // ---- servers ----

  void server(const Level& level) {
    hashed_proxies(level);
    for (const auto* directive : level.own("server_name")) {
      for (const auto& name : directive->args) {
        if (name.text.starts_with('~')) continue;
        const auto colon = name.text.rfind(':');
        if (colon == std::string::npos || colon == 0 || !is_plain(name.text)) continue;
        warn(name.position, "server_name: " + quote(name.text) +
                                " never fits: the name of a host is compared without its port; "
                                "leave out " +
                                quote(name.text.substr(colon)));
      }
    }
  }

  // ---- locations ----

  void location(const Level& level) {
    const auto path = prefix_of(level.block);
    if (!path.empty()) {
      for (const auto* directive : level.own("alias")) alias(*directive, path);
      for (const auto* directive : level.own("root")) root(*directive, path);
      for (const auto* directive : level.own("proxy_pass")) proxy_pass(*directive, path);
    }
    const auto files = level.own("try_files");
    if (files.empty()) return;
    for (const auto* condition : level.own("if")) {
      if (goes_on(condition->block)) {
        warn(condition->position,
             "if: the try_files at " + files.front()->position.text() +
                 " does not hold for requests that meet the condition; use a `map`, or end the "
                 "block with return or rewrite ... last");
      }
    }
  }

  // Whether a request that has come to the end of the block stays in it.
  static bool goes_on(const Block& block) {
    return std::none_of(block.begin(), block.end(), [](const Directive& rule) {
      if (rule.name == "return") return true;
      if (rule.name != "rewrite" || rule.args.size() < 2) return false;
      return rule.args.back().text != "break" &&
             (rule.args.size() == 3 || rule.args[1].text.find("://") != std::string::npos);
    });
  }

  void alias(const Directive& directive, std::string_view path) {
    if (!has_first(directive)) return;
    const auto& to = directive.args.front().text;
    if (to.empty() || (to.back() != '/' && !is_plain(to))) return;
    const bool slash = path.ends_with('/');
    if (slash == to.ends_with('/')) return;
    warn(directive.position,
         slash ? "alias: " + std::string(path) + "x is looked for as " + to + "x; write alias " +
                     to + "/"
               : "alias: " + std::string(path) +
                     "../x leads out of the folder, since the location does not end with a slash; "
                     "write location " +
                     std::string(path) + "/");
  }

  // `location /static/ { root /srv/static; }`: the path is appended to the root.
  void root(const Directive& directive, std::string_view path) {
    if (!has_first(directive) || !is_plain(directive.args.front().text)) return;
    std::string_view folder = directive.args.front().text;
    std::string_view trimmed = path;
    while (folder.ends_with('/')) folder.remove_suffix(1);
    while (trimmed.ends_with('/')) trimmed.remove_suffix(1);
    if (trimmed.size() < 2 || !folder.ends_with(trimmed)) return;
    warn(directive.position, "root: files of " + std::string(path) + " are looked for in " +
                                 std::string(folder) + std::string(trimmed) + "/; if they are in " +
                                 std::string(folder) + "/, write root " +
                                 outer_folder(folder, trimmed));
  }

  static std::string outer_folder(std::string_view folder, std::string_view path) {
    folder.remove_suffix(path.size());
    return folder.empty() ? "/" : std::string(folder);
  }

  // The URI replaces the path of the location, slash or not.
  void proxy_pass(const Directive& directive, std::string_view path) {
    if (!has_first(directive)) return;
    const auto uri = target_of(directive.args.front().text).uri;
    if (!uri.starts_with('/') || uri.find('?') != std::string_view::npos) return;
    const bool slash = path.ends_with('/');
    if (slash == uri.ends_with('/')) return;
    const std::string asked = std::string(path) + (slash ? "x" : "/x");
    const std::string sent = std::string(uri) + (slash ? "x" : "/x");
    warn(directive.position, "proxy_pass: " + asked + " is asked of the peer as " + sent + "; " +
                                 (slash ? "end the URL with a slash"
                                        : "end both the location and the URL with a slash, or none "
                                          "of them"));
  }

  Diagnostics& diagnostics_;
  std::map<std::string, const Directive*> hashed_;  // upstreams with ip_hash
  std::set<std::string> told_;
};

}  // namespace

void lint(const Block& tree, Diagnostics& diagnostics) { Linter(diagnostics).run(tree); }

}  // namespace weir::config
