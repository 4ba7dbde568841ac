// Which codings a client takes, and whether an answer may be compressed for it: nginx's rules for
// gzip, and a choice by quality among those that weir has besides. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <ctime>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace weir::content {

// Whether the value of Accept-Encoding names gzip, with no quality of 0 and none that is malformed.
// "*" does not.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

// From the one that is preferred where a client likes several equally well.
enum class Coding : std::uint8_t { zstd, brotli, gzip };
// "zstd", "br", "gzip": for Content-Encoding.
[[nodiscard]] std::string_view coding_name(Coding coding);

struct CodingSet {
  bool zstd = false;
  bool brotli = false;
  bool gzip = false;
};
// The best coding of `offered` for the client; nullopt: none. For gzip accepts_gzip counts; the
// others need to be named, or "*", with a quality above 0, and no less than that of identity if it
// is named.
[[nodiscard]] std::optional<Coding> choose_coding(std::string_view accept_encoding,
                                                  CodingSet offered);

// nginx's `gzip_proxied`: which answers may be compressed for clients behind a proxy (those with a
// Via field).
struct Proxied {
  bool off = true;  // none
  bool expired = false;
  bool no_cache = false;
  bool no_store = false;
  bool private_ = false;
  bool no_last_modified = false;
  bool no_etag = false;
  bool auth = false;
  bool any = false;
};

struct CompressionPolicy {
  int http_version = 11;  // `gzip_http_version`: 10 or 11
  Proxied proxied;
  // `gzip_disable`: "msie6", and patterns for User-Agent.
  bool disable_msie6 = false;
  std::vector<std::function<bool(std::string_view)>> disable;
};

struct ClientFacts {
  int http_version = 11;
  bool via = false;
  bool authorization = false;
  std::optional<std::string_view> user_agent = {};
};

struct AnswerFacts {
  std::optional<std::string_view> expires = {};
  std::optional<std::string_view> date = {};
  std::span<const std::string_view> cache_control = {};  // the values of all its fields
  bool last_modified = false;
  bool etag = false;
};

// Whether an answer may be compressed for this client, provided it takes the coding. That it may
// depend on that is told by `Vary: Accept-Encoding` with `gzip_vary`.
[[nodiscard]] bool may_compress(const CompressionPolicy& policy, const ClientFacts& client,
                                const AnswerFacts& answer, std::time_t now);

}  // namespace weir::content
