// Where a Redis is, as an operator writes it. A value; any thread.
//
//   redis://[USER:PASSWORD@]HOST[:6379][/DATABASE]          rediss:// is the same over TLS
//   unix://[USER:PASSWORD@]/PATH[?db=DATABASE]              redis+unix:// is the same
//   redis+sentinel://[USER:PASSWORD@]HOST[:26379],…/MASTER[/DATABASE]   rediss+sentinel://
//
// User and password may be percent-encoded; a lone password is written ":PASSWORD@". As redis-cli
// and the clients of Node and Python have it, besides `?db=`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::registry {

struct Url {
  struct Node {
    std::string host;  // name or address; brackets removed
    std::uint16_t port = 0;
    // "redis.local:6379", "[::1]:6379".
    [[nodiscard]] std::string text() const;
    friend bool operator==(const Node&, const Node&) = default;
  };
  bool tls = false;
  std::string user;            // empty: Redis's `default`
  std::string password;        // empty: none is sent
  std::string unix_path;       // not empty: there are no nodes
  std::vector<Node> nodes;     // one; of Sentinels, one or more
  std::string master;          // not empty: the nodes are Sentinels, which are asked for it
  std::uint32_t database = 0;  // 0 .. 65535

  // On failure `error` says what is wrong, without the password.
  [[nodiscard]] static std::optional<Url> parse(std::string_view text, std::string& error);
  // The same URL for logs: "redis://user:***@host:6379/4".
  [[nodiscard]] std::string masked() const;
  friend bool operator==(const Url&, const Url&) = default;
};

}  // namespace weir::registry
