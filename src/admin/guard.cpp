#include "admin/guard.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "admin/dashboard.h"
#include "base/address.h"
#include "config/suggest.h"

namespace weir::admin {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string machine_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

// A page of another site asks, in a browser of somebody who may.
bool is_cross_site(const Request& request) {
  const auto& site = request.fetch_site;
  if (!site.empty() && site != "same-origin" && site != "none") return true;
  if (request.origin.empty()) return false;
  const auto scheme = request.origin.find("://");
  return scheme == std::string_view::npos || request.origin.substr(scheme + 3) != request.host;
}

}  // namespace

bool is_own_host(std::string_view host, std::span<const std::string> own) {
  if (host.starts_with('[')) return true;  // of IPv6 addresses alone
  host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.find('.') == std::string_view::npos || IpAddress::parse(host)) return true;
  constexpr std::string_view local = ".localhost";
  if (host.size() > local.size() && is_same(host.substr(host.size() - local.size()), local)) {
    return true;
  }
  return is_same(host, machine_name()) ||
         std::any_of(own.begin(), own.end(), [&](const auto& name) { return is_same(host, name); });
}

std::string why_refused(const Source& source, const Request& request) {
  if (request.trusted) return {};
  const auto path = request.target.substr(0, request.target.find('?'));
  if (path == "/healthz") return {};
  // From afar they are asked by whatever name; over loopback another name is that of another site
  // in a browser of this machine.
  const bool open = path == "/metrics" || path == "/readyz";
  if (open && !request.loopback) return {};
  const auto own = source.hosts ? source.hosts() : std::vector<std::string>();
  if (!is_own_host(request.host, own)) {
    return "the admin listener is not asked by the name " + config::quote(request.host) +
           "; use its address, or add the name to `host` in admin { }";
  }
  if (open) return {};
  // A link on another page may lead to the dashboard, which nothing can frame.
  const bool page = find_asset(path) != nullptr;
  if (is_cross_site(request) && !page) return "requests of other sites are refused";
  return {};
}

}  // namespace weir::admin
