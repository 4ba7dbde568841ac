#include "registry/url.h"

#include <charconv>
#include <utility>

namespace weir::registry {
namespace {

constexpr std::uint16_t kRedisPort = 6379;
constexpr std::uint16_t kSentinelPort = 26379;
constexpr std::size_t kMostNodes = 32;

struct Scheme {
  std::string_view text;
  bool tls, unix_socket, sentinel;
};
constexpr Scheme kSchemes[] = {
    {"redis://", false, false, false},         {"rediss://", true, false, false},
    {"unix://", false, true, false},           {"redis+unix://", false, true, false},
    {"redis+sentinel://", false, false, true}, {"rediss+sentinel://", true, false, true}};

template <class Number>
bool parse_number(std::string_view text, Number least, Number& out) {
  const auto* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, out);
  return result.ec == std::errc{} && result.ptr == end && out >= least;
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    std::uint8_t byte = 0;
    const auto* end = text.data() + i + 3;
    if (std::from_chars(text.data() + i + 1, end, byte, 16).ptr != end) return std::nullopt;
    out.push_back(static_cast<char>(byte));
    i += 2;
  }
  return out;
}

std::string encode(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    if (plain) {
      out.push_back(c);
    } else {
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return out;
}

class Reader {
 public:
  Reader(std::string_view rest, std::string& error) : rest_(rest), error_(error) {}

  std::optional<Url> read(const Scheme& scheme) {
    url_.tls = scheme.tls;
    const bool good =
        credentials() && (scheme.unix_socket ? unix_socket() : network(scheme.sentinel));
    if (!good) return std::nullopt;
    return std::move(url_);
  }

 private:
  bool fail(std::string text) {
    error_ = std::move(text);
    return false;
  }

  bool credentials() {
    const auto at = rest_.rfind('@');
    if (at == std::string_view::npos) return true;
    const auto both = rest_.substr(0, at);
    rest_.remove_prefix(at + 1);
    const auto colon = both.find(':');
    if (both.find('/') != std::string_view::npos) {
      return fail("a / or @ in the password; write %2F or %40");
    }
    if (colon == std::string_view::npos) {
      return fail("a user without a password; write USER:PASSWORD@ or :PASSWORD@");
    }
    const auto user = decode(both.substr(0, colon));
    const auto password = decode(both.substr(colon + 1));
    if (!user || !password) return fail("a % in user or password is not followed by two digits");
    url_.user = *user;
    url_.password = *password;
    if (url_.password.empty()) return fail("the password is empty; leave USER: and @ out");
    return true;
  }

  bool unix_socket() {
    const auto question = rest_.find('?');
    url_.unix_path = rest_.substr(0, question);
    if (!url_.unix_path.starts_with('/')) {
      return fail("the path of a Unix socket begins with /; write unix:///run/redis.sock");
    }
    if (question == std::string_view::npos) return true;
    const auto query = rest_.substr(question + 1);
    if (!query.starts_with("db=")) return fail("only ?db=NUMBER may follow the path");
    return database(query.substr(3));
  }

  bool network(bool sentinel) {
    if (rest_.find_first_of("?#") != std::string_view::npos) {
      return fail("a ? or # has no meaning here");
    }
    const auto slash = rest_.find('/');
    if (!nodes(rest_.substr(0, slash), sentinel)) return false;
    auto path = slash == std::string_view::npos ? std::string_view() : rest_.substr(slash + 1);
    if (sentinel) {
      const auto end = path.find('/');
      url_.master = path.substr(0, end);
      if (url_.master.empty()) return fail("the name of the master is missing; write …/mymaster/0");
      path = end == std::string_view::npos ? std::string_view() : path.substr(end + 1);
    }
    return path.empty() || database(path);
  }

  bool nodes(std::string_view list, bool sentinel) {
    while (true) {
      const auto comma = list.find(',');
      if (!node(list.substr(0, comma), sentinel ? kSentinelPort : kRedisPort)) return false;
      if (comma == std::string_view::npos) break;
      list.remove_prefix(comma + 1);
    }
    if (!sentinel && url_.nodes.size() > 1) {
      return fail("several hosts; they are for redis+sentinel://");
    }
    return url_.nodes.size() <= kMostNodes || fail("more than 32 hosts");
  }

  bool node(std::string_view text, std::uint16_t default_port) {
    Url::Node node{.host = {}, .port = default_port};
    auto colon = text.rfind(':');
    if (text.starts_with('[')) {
      const auto end = text.find(']');
      if (end == std::string_view::npos) return fail("a [ without ]");
      node.host = text.substr(1, end - 1);
      text.remove_prefix(end + 1);
      colon = text.find(':');
      if (!text.empty() && colon != 0) return fail("after ] only :PORT may follow");
    } else {
      node.host = text.substr(0, colon);
    }
    if (node.host.empty()) return fail("the host is missing");
    if (node.host.find_first_of(" \t\r\n") != std::string::npos) return fail("a blank in the host");
    if (colon != std::string_view::npos &&
        !parse_number(text.substr(colon + 1), std::uint16_t{1}, node.port)) {
      return fail("invalid port \"" + std::string(text.substr(colon + 1)) + "\"");
    }
    url_.nodes.push_back(std::move(node));
    return true;
  }

  bool database(std::string_view text) {
    return (parse_number(text, std::uint32_t{0}, url_.database) && url_.database <= 65535) ||
           fail("invalid database \"" + std::string(text) + "\"; write a number such as 0");
  }

  std::string_view rest_;
  std::string& error_;
  Url url_;
};

}  // namespace

std::optional<Url> Url::parse(std::string_view text, std::string& error) {
  for (const auto& scheme : kSchemes) {
    if (text.starts_with(scheme.text)) {
      return Reader(text.substr(scheme.text.size()), error).read(scheme);
    }
  }
  error =
      "it must begin with redis://, rediss://, unix://, redis+sentinel:// or "
      "rediss+sentinel://";
  return std::nullopt;
}

std::string Url::masked() const {
  std::string out = unix_path.empty() ? (tls ? "rediss" : "redis") : "unix";
  if (!master.empty()) out += "+sentinel";
  out += "://";
  if (!password.empty()) out += encode(user) + ":***@";
  if (!unix_path.empty()) {
    return out + unix_path + (database == 0 ? "" : "?db=" + std::to_string(database));
  }
  bool first = true;
  for (const auto& node : nodes) {
    out += (first ? "" : ",") + node.text();
    first = false;
  }
  if (!master.empty()) out += "/" + master;
  return out + "/" + std::to_string(database);
}

std::string Url::Node::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace weir::registry
