// nginx's `valid_referers`: whether a request comes from a page that may link here. Filled while a
// configuration is compiled, read by all workers after.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/string_map.h"
#include "config/regex.h"

namespace weir::access {

class Referers {
 public:
  enum class Outcome : std::uint8_t {
    ok,
    invalid,      // no name, nor one with a wildcard at its begin or end
    conflicting,  // it is there already
  };

  // `none`: no Referer at all.
  void allow_none() { none_ = true; }
  // `blocked`: one without "http://" or "https://", as firewalls leave it.
  void allow_blocked() { blocked_ = true; }
  // "www.example.org", "*.example.org", ".example.org" (both), "www.example.*"; with a path behind
  // it that the referer's must begin with. For `server_names` add each name of the server.
  Outcome add_name(std::string_view name);
  // "~...": matched, in any case, with what follows the scheme.
  void add_pattern(std::shared_ptr<const config::Regex> pattern);
  // A regular expression of `server_name`, for `server_names`: matched with the host alone.
  void add_server_pattern(std::shared_ptr<const config::Regex> pattern);

  // `none` or `blocked` alone are an error.
  [[nodiscard]] bool has_names() const {
    return !exact_.empty() || !suffixes_.empty() || !prefixes_.empty();
  }
  // What $invalid_referer is the contrary of. Without names and patterns everything is valid.
  [[nodiscard]] bool valid(std::optional<std::string_view> referer) const;

 private:
  // The path that is asked for; empty: any.
  using Names = StringMap<std::string>;
  [[nodiscard]] const std::string* find(std::string_view host) const;

  bool none_ = false;
  bool blocked_ = false;
  Names exact_;
  Names suffixes_;  // ".example.org"
  Names prefixes_;  // "www.example."
  std::vector<std::shared_ptr<const config::Regex>> patterns_;
  std::vector<std::shared_ptr<const config::Regex>> server_patterns_;
};

}  // namespace weir::access
