#include "net/resolv_conf.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "net/dns_message.h"

namespace weir::net {
namespace {

// The C library's limits.
constexpr std::size_t kMaxServers = 3;
constexpr std::size_t kMaxSearch = 32;
constexpr int kMaxNdots = 15;
constexpr int kMaxTimeout = 30;
constexpr int kMaxAttempts = 5;

constexpr std::string_view kBlank = " \t\r";

// Takes the next line off `text`.
std::string_view next_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

// The words of a line, up to a comment.
std::vector<std::string_view> words_of(std::string_view line, std::string_view comments) {
  line = line.substr(0, line.find_first_of(comments));
  std::vector<std::string_view> words;
  for (;;) {
    const auto begin = line.find_first_not_of(kBlank);
    if (begin == line.npos) return words;
    line.remove_prefix(begin);
    words.push_back(line.substr(0, line.find_first_of(kBlank)));
    line.remove_prefix(words.back().size());
  }
}

// An address, which for link-local ones may name its interface: fe80::1%eth0.
std::optional<IpAddress> parse_scoped(std::string_view text, std::uint16_t port) {
  const auto percent = text.find('%');
  const auto address = IpAddress::parse(text.substr(0, percent), port);
  if (!address || percent == text.npos) return address;
  if (!address->is_v6()) return std::nullopt;
  sockaddr_in6 scoped;
  std::memcpy(&scoped, address->data(), sizeof scoped);
  scoped.sin6_scope_id = ::if_nametoindex(std::string(text.substr(percent + 1)).c_str());
  if (scoped.sin6_scope_id == 0) return std::nullopt;
  return IpAddress(reinterpret_cast<const sockaddr*>(&scoped));
}

// "ndots:5": true if `word` is the option `name`; the value is brought into its range.
bool read_option(std::string_view word, std::string_view name, int least, int most, int& out) {
  if (!word.starts_with(name)) return false;
  word.remove_prefix(name.size());
  int value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error == std::errc{} && end == word.data() + word.size()) {
    out = std::clamp(value, least, most);
  }
  return true;
}

void read_options(const std::vector<std::string_view>& words, ResolvConf& conf) {
  for (const auto word : words) {
    int seconds = 0;
    if (word == "rotate") conf.rotate = true;
    read_option(word, "ndots:", 0, kMaxNdots, conf.ndots);
    read_option(word, "attempts:", 1, kMaxAttempts, conf.attempts);
    if (read_option(word, "timeout:", 1, kMaxTimeout, seconds) && seconds > 0) {
      conf.timeout = std::chrono::seconds{seconds};
    }
  }
}

void set_search(const std::vector<std::string_view>& domains, ResolvConf& conf) {
  conf.search.clear();
  for (const auto domain : domains) {
    auto name = dns::normalise(domain);
    if (name && conf.search.size() < kMaxSearch) conf.search.push_back(std::move(*name));
  }
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

bool is_loopback(const IpAddress& address) {
  const auto bytes = address.bytes();
  if (address.is_v4()) return bytes[0] == 127;
  return std::all_of(bytes.begin(), bytes.end() - 1, [](auto byte) { return byte == 0; }) &&
         bytes.back() == 1;
}

}  // namespace

ResolvConf parse_resolv_conf(std::string_view text, std::string_view host_name,
                             std::uint16_t port) {
  ResolvConf conf;
  if (const auto dot = host_name.find('.'); dot != host_name.npos) {
    set_search({host_name.substr(dot + 1)}, conf);
  }
  while (!text.empty()) {
    auto words = words_of(next_line(text), "#;");
    if (words.size() < 2) continue;
    const auto keyword = words.front();
    words.erase(words.begin());
    if (keyword == "nameserver") {
      const auto server = parse_scoped(words.front(), port);
      if (server && conf.servers.size() < kMaxServers) conf.servers.push_back(*server);
    } else if (keyword == "search") {
      set_search(words, conf);
    } else if (keyword == "domain") {
      set_search({words.front()}, conf);
    } else if (keyword == "options") {
      read_options(words, conf);
    }
  }
  if (conf.servers.empty()) conf.servers.push_back(*IpAddress::parse("127.0.0.1", port));
  return conf;
}

Hosts parse_hosts(std::string_view text) {
  Hosts hosts;
  while (!text.empty()) {
    const auto words = words_of(next_line(text), "#");
    if (words.size() < 2) continue;
    const auto address = parse_scoped(words.front(), 0);
    if (!address) continue;
    for (std::size_t i = 1; i < words.size(); ++i) {
      auto name = dns::normalise(words[i]);
      if (!name) continue;
      auto& addresses = hosts[std::move(*name)];
      const bool known = std::find(addresses.begin(), addresses.end(), *address) != addresses.end();
      if (!known) addresses.push_back(*address);
    }
  }
  return hosts;
}

Families configured_families() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, ::freeifaddrs);
  Families seen{false, false};
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    const IpAddress address(each->ifa_addr);
    if ((!address.is_v4() && !address.is_v6()) || is_loopback(address)) continue;
    (address.is_v4() ? seen.ipv4 : seen.ipv6) = true;
  }
  return seen.ipv4 || seen.ipv6 ? seen : Families{};
}

SystemNames::SystemNames(Files files, TimePoint now) : files_(std::move(files)) {
  // Missing files look as if they had been read already.
  resolv_conf_ = parse_resolv_conf({}, host_name(), files_.port);
  refresh(now);
}

bool SystemNames::refresh(TimePoint now) {
  if (now < look_again_) return false;
  look_again_ = now + kLookAgain;
  const bool files = reread_files();
  const bool families = look_at_families(now);
  return files || families;
}

bool SystemNames::look_at_families(TimePoint now) {
  if (now < families_again_) return false;
  families_again_ = now + kFamiliesAgain;
  const auto before = std::exchange(families_, files_.families());
  return families_.ipv4 != before.ipv4 || families_.ipv6 != before.ipv6;
}

SystemNames::Version SystemNames::version_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

bool SystemNames::reread_files() {
  const auto resolv_conf = version_of(files_.resolv_conf);
  const auto hosts = version_of(files_.hosts);
  if (resolv_conf == resolv_conf_version_ && hosts == hosts_version_) return false;
  resolv_conf_version_ = resolv_conf;
  hosts_version_ = hosts;
  resolv_conf_ = parse_resolv_conf(read_file(files_.resolv_conf), host_name(), files_.port);
  hosts_ = parse_hosts(read_file(files_.hosts));
  return true;
}

const std::vector<IpAddress>* SystemNames::find(const std::string& name) const {
  const auto found = hosts_.find(name);
  return found != hosts_.end() ? &found->second : nullptr;
}

std::vector<std::string> SystemNames::candidates(std::string_view name) const {
  std::vector<std::string> names;
  const auto add = [&](std::string_view each) {
    if (auto normal = dns::normalise(each)) names.push_back(std::move(*normal));
  };
  const bool absolute = name.ends_with('.');
  const bool itself_first =
      absolute || std::count(name.begin(), name.end(), '.') >= resolv_conf_.ndots;
  if (itself_first) add(name);
  if (absolute) return names;
  for (const auto& domain : resolv_conf_.search) {
    add(std::string(name).append(1, '.').append(domain));
  }
  if (!itself_first) add(name);
  return names;
}

}  // namespace weir::net
