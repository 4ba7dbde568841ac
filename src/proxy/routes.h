// Which server and location a request belongs to: nginx's server_name and location matching.
// Built once from a model, then shared as const by all workers.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/model.h"
#include "proxy/location_tools.h"
#include "proxy/plan.h"

namespace weir::proxy {

// A location with what is prepared for its requests, and those nested in it.
class LocationNode {
 public:
  LocationNode(const config::Location& location, RouteParts& parts);

  [[nodiscard]] const config::Location& config() const { return *location_; }
  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] const LocationTools& tools() const { return tools_; }
  // The settings of one of its `if`s.
  [[nodiscard]] const LocationNode* inner(const config::Location& location) const;
  // The settings for methods that `limit_except` does not name; null: there is none.
  [[nodiscard]] const LocationNode* except() const { return except_.get(); }

  // What was looked at on the way to a location, for who asks why.
  enum class Looked : std::uint8_t { exact, prefix, regex, no_match };
  using Trail = std::vector<std::pair<const config::Location*, Looked>>;

  struct Match {
    const LocationNode* node = nullptr;
    bool add_slash = false;  // "/a" asked for, where only `location /a/` with proxy_pass is
    // The last regular expression that matched on the way; null: none.
    const config::Pattern* pattern = nullptr;
    Trail* trail = nullptr;
    void looked(const LocationNode& at, Looked how) {
      if (trail != nullptr) trail->emplace_back(&at.config(), how);
    }
  };
  // The location for `path` at or below this node, as ngx_http_core_find_location finds it.
  // `captures` are those of the regular expression that matched. `trail` may be null.
  [[nodiscard]] Match find(std::string_view path, config::Regex::Captures& captures,
                           Trail* trail = nullptr) const;
  [[nodiscard]] const LocationNode* find_named(std::string_view name) const;

 private:
  enum class Found : std::uint8_t { nothing, prefix, final };
  Found search(std::string_view path, config::Regex::Captures& captures, Match& match) const;
  const LocationNode* longest_prefix(std::string_view path) const;

  void add_inner(const std::vector<config::Rule>& rules, RouteParts& parts);

  const config::Location* location_;
  Plan plan_;
  LocationTools tools_;
  std::unique_ptr<LocationNode> except_;
  std::vector<std::unique_ptr<LocationNode>> inner_;
  std::vector<std::unique_ptr<LocationNode>> owned_;
  std::unordered_map<std::string_view, const LocationNode*> exact_;
  std::unordered_map<std::string_view, const LocationNode*> prefixes_;
  std::unordered_map<std::string_view, const LocationNode*> slashless_;  // "/a" of a proxied /a/
  std::vector<std::size_t> prefix_lengths_;                              // descending, each once
  std::vector<const LocationNode*> regexes_;
  std::vector<const LocationNode*> named_;
};

// A server with its locations.
struct ServerNode {
  ServerNode(const config::ServerConfig& config_, std::uint32_t index_, RouteParts& parts)
      : config(&config_), root(*config_.root, parts), index(index_) {}
  const config::ServerConfig* config;
  LocationNode root;
  std::uint32_t index;  // in the model
};

// The servers of one listening address.
class VirtualHosts {
 public:
  void add(const ServerNode& server, bool is_default);
  // `host`: lower case, without port and trailing dot. The default server if nothing matches.
  // `captures` and `pattern` are those of the regular expression that matched, if one did.
  [[nodiscard]] const ServerNode& find(std::string_view host, config::Regex::Captures& captures,
                                       const config::Pattern*& pattern) const;
  [[nodiscard]] const ServerNode& default_server() const { return *default_; }
  // One server, whose names say nothing: find() is not needed.
  [[nodiscard]] bool trivial() const { return servers_ == 1 && regexes_.empty(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  using Names = std::unordered_map<std::string, const ServerNode*, Hash, std::equal_to<>>;
  Names exact_;
  Names leading_;   // ".example.org"
  Names trailing_;  // "www."
  std::vector<std::pair<const config::Pattern*, const ServerNode*>> regexes_;
  const ServerNode* default_ = nullptr;
  std::size_t servers_ = 0;
};

}  // namespace weir::proxy
