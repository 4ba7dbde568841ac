// How this machine resolves names: /etc/resolv.conf (resolv.conf(5)) and /etc/hosts (hosts(5)).
// Parsers are plain functions; a SystemNames belongs to one thread and reads the files itself.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/clock.h"

namespace weir::net {

struct ResolvConf {
  std::vector<IpAddress> servers;             // never empty: without any it is this machine
  std::vector<std::string> search;            // domains without dots at their ends, in lower case
  int ndots = 1;                              // with fewer dots the search list comes first
  Duration timeout{std::chrono::seconds{5}};  // for one server
  int attempts = 2;                           // rounds over all servers
  bool rotate = false;
};

// Lines that make no sense are skipped, as the C library does. `host_name`: without search or
// domain, its domain is the search list. `port`: of the servers.
[[nodiscard]] ResolvConf parse_resolv_conf(std::string_view text, std::string_view host_name = {},
                                           std::uint16_t port = 53);

// Names in lower case to all their addresses, in the file's order.
using Hosts = std::unordered_map<std::string, std::vector<IpAddress>>;
[[nodiscard]] Hosts parse_hosts(std::string_view text);

// Which families this machine has addresses of, loopback aside; both if it has neither: a name's
// addresses of the other one are of no use (getaddrinfo's AI_ADDRCONFIG).
struct Families {
  bool ipv4 = true;
  bool ipv6 = true;
};
[[nodiscard]] Families configured_families();

// Both files, read again when they change.
class SystemNames {
 public:
  struct Files {
    std::string resolv_conf = "/etc/resolv.conf";
    std::string hosts = "/etc/hosts";
    std::uint16_t port = 53;  // of the name servers
    Families (*families)() = configured_families;
  };
  // How often it is looked whether a file has changed, and which families there are: that takes
  // longer the more interfaces a machine has.
  static constexpr Duration kLookAgain = std::chrono::seconds{5};
  static constexpr Duration kFamiliesAgain = std::chrono::seconds{60};

  SystemNames(Files files, TimePoint now);
  // True: something has changed.
  bool refresh(TimePoint now);

  [[nodiscard]] const ResolvConf& resolv_conf() const { return resolv_conf_; }
  [[nodiscard]] Families families() const { return families_; }
  // The addresses of a name in the hosts file; null: it is not there. Lower case, no final dot.
  [[nodiscard]] const std::vector<IpAddress>* find(const std::string& name) const;
  // The names to ask about for `name`, in order: itself and with the domains of the search list;
  // only itself if it ends with a dot. Without those that cannot be asked about.
  [[nodiscard]] std::vector<std::string> candidates(std::string_view name) const;

 private:
  // What tells one version of a file from another.
  struct Version {
    ino_t inode = 0;
    off_t size = -1;
    std::int64_t modified_s = 0;
    std::int64_t modified_ns = 0;
    friend bool operator==(const Version&, const Version&) = default;
  };
  static Version version_of(const std::string& path);
  bool reread_files();
  bool look_at_families(TimePoint now);

  Files files_;
  TimePoint look_again_{};
  TimePoint families_again_{};
  Version resolv_conf_version_, hosts_version_;
  ResolvConf resolv_conf_;
  Hosts hosts_;
  Families families_;
};

}  // namespace weir::net
