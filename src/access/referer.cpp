#include "access/referer.h"

#include <strings.h>

#include <algorithm>
#include <array>

namespace weir::access {
namespace {

constexpr std::size_t kLongestHost = 256;

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), to_lower);
  return out;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (text.size() < prefix.size() || strncasecmp(text.data(), prefix.data(), prefix.size()) != 0) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

bool is_matched(const std::vector<std::shared_ptr<const config::Regex>>& patterns,
                std::string_view subject) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const auto& pattern) { return pattern->match(subject, nullptr); });
}

}  // namespace

Referers::Outcome Referers::add_name(std::string_view name) {
  const auto slash = std::min(name.find('/'), name.size());
  const std::string path(name.substr(slash));
  const auto host = lower(name.substr(0, slash));
  if (host.find("..") != std::string::npos) return Outcome::invalid;
  const auto star = host.find('*');
  const auto add = [&path](Names& names, std::string key) {
    return names.try_emplace(std::move(key), path).second ? Outcome::ok : Outcome::conflicting;
  };
  if (host.size() > 1 && host.front() == '.' && star == std::string::npos) {
    const auto outcome = add(exact_, host.substr(1));
    return outcome == Outcome::ok ? add(suffixes_, host) : outcome;
  }
  if (star == std::string::npos) return add(exact_, host);
  if (host.find('*', star + 1) != std::string::npos) return Outcome::invalid;
  if (host.size() > 2 && host.starts_with("*.")) return add(suffixes_, host.substr(1));
  if (host.size() > 2 && host.ends_with(".*")) {
    return add(prefixes_, host.substr(0, host.size() - 1));
  }
  return Outcome::invalid;
}

void Referers::add_pattern(std::shared_ptr<const config::Regex> pattern) {
  patterns_.push_back(std::move(pattern));
}

void Referers::add_server_pattern(std::shared_ptr<const config::Regex> pattern) {
  server_patterns_.push_back(std::move(pattern));
}

const std::string* Referers::find(std::string_view host) const {
  if (const auto row = exact_.find(host); row != exact_.end()) return &row->second;
  // The longest name with a wildcard at its begin, then the longest with one at its end.
  if (!suffixes_.empty()) {
    for (auto dot = host.find('.'); dot != std::string_view::npos; dot = host.find('.', dot + 1)) {
      const auto row = suffixes_.find(host.substr(dot));
      if (row != suffixes_.end()) return &row->second;
    }
  }
  if (!prefixes_.empty()) {
    for (auto dot = host.rfind('.'); dot != std::string_view::npos;
         dot = dot == 0 ? std::string_view::npos : host.rfind('.', dot - 1)) {
      const auto row = prefixes_.find(host.substr(0, dot + 1));
      if (row != prefixes_.end()) return &row->second;
    }
  }
  return nullptr;
}

bool Referers::valid(std::optional<std::string_view> referer) const {
  if (!has_names() && patterns_.empty() && server_patterns_.empty()) return true;
  if (!referer) return none_;
  constexpr std::string_view shortest = "http://i.ru";
  auto rest = *referer;
  if (rest.size() < shortest.size() ||
      !(take_prefix(rest, "http://") || take_prefix(rest, "https://"))) {
    return blocked_;
  }
  const auto host_size = std::min(rest.find_first_of("/:"), rest.size());
  if (host_size > kLongestHost) return false;
  std::array<char, kLongestHost> buffer;
  std::transform(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(host_size),
                 buffer.begin(), to_lower);
  const std::string_view host(buffer.data(), host_size);
  if (const auto* path = find(host)) {
    return path->empty() || rest.substr(std::min(rest.find('/'), rest.size())).starts_with(*path);
  }
  return is_matched(server_patterns_, host) || is_matched(patterns_, rest);
}

}  // namespace weir::access
