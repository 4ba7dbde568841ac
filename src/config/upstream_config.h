// Upstreams in the model: groups of peers, how they are balanced, checked and kept connected.
// Plain values; built by one thread, then shared as `const` by all.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/proxy_header.h"
#include "config/position.h"
#include "config/regex.h"
#include "config/resolver_config.h"
#include "config/variables.h"
#include "registry/url.h"

namespace weir::tls {
class Context;
}

namespace weir::config {

class Regex;

// Where a server is, before name resolution: host and port, or the path of a Unix socket.
struct HostPort {
  std::string host;  // name or address; brackets removed
  std::uint16_t port = 80;
  std::string unix_path;  // not empty: a Unix socket
};

// A `server` line of an upstream.
struct PeerConfig {
  std::string name;  // as written: "10.0.0.1:8080", "app", "unix:/run/app.sock"
  HostPort where;
  std::uint32_t weight = 1;               // 1 .. 65535
  std::uint32_t max_fails = 1;            // 0: failures are not counted
  std::chrono::seconds fail_timeout{10};  // >= 0
  std::uint32_t max_conns = 0;            // 0: no limit
  Duration slow_start{0};                 // 0: none
  std::string route;                      // of `sticky`; empty: made of the address
  bool backup = false;
  bool down = false;
  bool drain = false;    // only for clients that are bound to it by `sticky`
  bool resolve = false;  // by the upstream's `resolver`
  std::string service;   // not empty: SRV records give ports, weights and backups
  Position position;
};

// How a pool chooses among its peers; each is a line of nginx.conf.
enum class Balance : std::uint8_t {
  round_robin,
  ip_hash,
  ip_hash_full,  // weir's own: by all bytes of an IPv4 address
  hash,
  hash_consistent,
  least_conn,
  random,
  random_two,
  random_two_header,     // of two that of least_time header
  random_two_last_byte,  // the same, least_time last_byte
  least_time_header,
  least_time_header_inflight,
  least_time_last_byte,
  least_time_last_byte_inflight,
};
// The words of the line, without the key of `hash`: "hash consistent".
[[nodiscard]] const char* to_string(Balance balance);

// Idle connections kept to the peers of an upstream (nginx's keepalive*).
struct KeepaliveConfig {
  std::uint32_t connections = 32;  // per worker; 0: none are kept
  std::uint32_t requests = 1000;
  Duration time = std::chrono::hours{1};
  Duration timeout = std::chrono::seconds{60};
};

// Status codes as ranges: `match { status 200-399; }`.
struct StatusRange {
  std::uint16_t from = 200;
  std::uint16_t to = 200;  // inclusive
  friend bool operator==(const StatusRange&, const StatusRange&) = default;
};

// What the answer to a check must be, all of it: nginx's (Plus) `match`.
struct MatchConfig {
  struct Test {
    enum class Kind : std::uint8_t { present, equals, contains, regex };
    Kind kind = Kind::present;
    bool negated = false;
    std::string name{};  // of a header field
    std::string text{};  // bytes, or the pattern as written
    std::shared_ptr<const Regex> regex{};
    friend bool operator==(const Test& a, const Test& b) {
      return a.kind == b.kind && a.negated == b.negated && a.name == b.name && a.text == b.text;
    }
  };
  std::vector<StatusRange> status;  // empty: any
  bool status_negated = false;      // `status ! 500`
  std::vector<Test> headers;
  std::vector<VariableRef> require;  // neither empty nor "0"; of those that an answer has
  std::vector<Test> body;            // of its first 256 KiB
  // Of type=tcp: the bytes sent first, and what the bytes received must hold.
  std::string send;
  std::optional<Test> expect;

  friend bool operator==(const MatchConfig&, const MatchConfig&) = default;
  [[nodiscard]] bool for_http() const {
    return !status.empty() || !headers.empty() || !require.empty() || !body.empty();
  }
  [[nodiscard]] bool for_tcp() const { return !send.empty() || expect.has_value(); }
};

enum class CheckType : std::uint8_t { http, tcp, grpc };
[[nodiscard]] const char* to_string(CheckType type);

// nginx's (Plus) health_check.
struct HealthCheckConfig {
  Duration interval = std::chrono::seconds{5};
  Duration jitter{0};                          // each wait is interval + [0, jitter)
  Duration timeout = std::chrono::seconds{2};  // of one check in all
  // Waits while the state is changing (some but not all of fails/passes seen), or unknown.
  Duration fast_interval = std::chrono::seconds{1};
  std::uint32_t fails = 1;
  std::uint32_t passes = 1;
  std::string uri = "/";
  std::string host;                  // Host header; empty: the peer's own host:port
  std::uint16_t port = 0;            // 0: the peer's own
  CheckType type = CheckType::http;  // tcp: a connection is enough, unless `match` says more
  bool mandatory = false;            // unchecked peers get no traffic until they pass
  MatchConfig match;
  Duration keepalive_time{0};  // how long checks go over one connection; 0: each has its own
  // How long requests wait, after a start, for a first word of any peer; 0: they do not.
  Duration grace{0};
  // type=grpc: the service asked about (empty: the server as a whole), and the gRPC status that is
  // good besides SERVING with status 0.
  std::string grpc_service;
  std::uint32_t grpc_status = 0;
  // Not null: over TLS. The name that the peer's certificate must be for, and whether it is told.
  std::shared_ptr<const tls::Context> tls;
  std::string tls_name;
  bool tls_announce = false;
  ProxyProtocol proxy_protocol = ProxyProtocol::off;  // of the upstream: it speaks for itself
  Position position;
};

// nginx's `sticky`: a client comes back to the peer that it had.
struct StickyConfig {
  enum class Kind : std::uint8_t {
    cookie,  // weir sets it
    route,   // variables tell the route of a server
    learn,   // a table of sessions remembers
  };
  Kind kind = Kind::cookie;
  std::vector<Value> lookup;  // the first that is not empty binds
  // cookie
  std::string cookie;
  std::optional<std::chrono::seconds> expires;  // with max-age; none: for the browser's session
  bool expires_max = false;                     // the end of 2037
  Value domain;
  Value samesite;
  std::string path;
  bool httponly = false;
  bool secure = false;
  // learn
  std::vector<Value> create;  // the first that is not empty begins a session
  std::string zone;
  std::uint64_t zone_size = 0;
  Duration timeout = std::chrono::minutes{10};
  bool at_header = false;  // it is learned when the head of an answer has come
  Position position;
};
// "cookie", "route", "learn".
[[nodiscard]] const char* to_string(StickyConfig::Kind kind);

// Requests that wait while no peer may take one (nginx's `queue`, Plus).
struct QueueConfig {
  std::uint32_t size = 0;  // 0: none waits
  Duration timeout = std::chrono::seconds{60};
};

// Weir's own: peers whose requests fail are taken out for a while.
struct EjectConfig {
  bool on = false;
  std::uint32_t in_row = 5;     // failures one after the other
  std::uint32_t percent = 50;   // of the requests in `window`, or:
  std::uint32_t requests = 20;  // at least so many of them
  Duration window = std::chrono::seconds{10};
  Duration base = std::chrono::seconds{5};  // the first time; it doubles
  Duration most = std::chrono::minutes{5};
  std::uint32_t min_available = 1;  // so many are never taken out
};

// A path, and all below it; or those that match.
struct SafePath {
  std::string prefix;
  std::shared_ptr<const Regex> regex;  // not null: instead
  std::string text;                    // as written
};

// Weir's own: what may go to another peer besides proxy_next_upstream, and how much of it.
struct RetryConfig {
  bool idempotency_key = false;    // requests with an Idempotency-Key are safe to repeat
  std::vector<SafePath> safe;      // so are those for these paths
  std::uint32_t budget = 0;        // percent of the requests in progress; 0: no limit
  std::uint32_t budget_least = 3;  // retries that are always allowed at once
};

// Weir's own: what is answered when no peer is left.
struct UnavailableConfig {
  std::uint16_t status = 502;
  std::chrono::seconds retry_after{0};  // 0: no such field
  bool fail_open = false;               // peers that are known to be bad are tried all the same
};

// `registry`: nodes that announce themselves in Redis, in up to 32 slots.
struct RegistryConfig {
  // How a node is written there: in weir's own layout, or the address alone, in what a key holds.
  enum class Form : std::uint8_t { weir, text, field, pointer, address };
  registry::Url url;
  std::shared_ptr<const tls::Context> tls;  // of rediss://
  std::string tls_identity;                 // what it was made of
  std::string tls_name;                     // that the certificate must be for; empty: the host
  std::string app;                          // of weir's own layout
  Form form = Form::weir;
  std::string key;      // of other forms: with {id} for the number of the slot
  std::string detail;   // field: its name; pointer: a JSON pointer; address: with {id}
  std::string channel;  // of other forms: what is published there makes weir look again
  Duration forget = std::chrono::minutes{10};
  Duration poll = std::chrono::seconds{1};
  // Of each node: max_fails, fail_timeout, max_conns, slow_start. The weight is written there.
  PeerConfig node;
  bool counts_fails = false;  // max_fails was given
  Position position;
  // Which nodes are meant: "app=main", "key=node:{id} addr".
  [[nodiscard]] std::string nodes_text() const;
  // Whether the same nodes are meant.
  [[nodiscard]] bool same_nodes(const RegistryConfig& other) const {
    return app == other.app && form == other.form && key == other.key && detail == other.detail;
  }
  [[nodiscard]] bool same_settings(const RegistryConfig& other) const {
    return same_nodes(other) && url == other.url && tls_identity == other.tls_identity &&
           tls_name == other.tls_name && channel == other.channel && forget == other.forget &&
           poll == other.poll;
  }
};

struct UpstreamConfig {
  std::string name;  // of the block, or "host:port" of a proxy_pass that names no block
  bool implicit = false;
  bool stream = false;  // of `stream { }`: `name` begins with "stream:" if http has the same
  Balance balance = Balance::round_robin;
  Value balance_key;                // of `hash`
  bool time_to_connect = false;     // of stream's `least_time connect`: as by the header
  std::uint32_t balance_bound = 0;  // of `hash`: percent of its share that a peer takes; 0: any
  Duration forget = std::chrono::minutes{10};  // how long a vanished peer keeps its place
  std::vector<PeerConfig> peers;               // in the order written, backups among them
  KeepaliveConfig keepalive;
  ProxyProtocol proxy_protocol = ProxyProtocol::off;  // peers are told whose connection it is
  std::vector<HealthCheckConfig> health_checks;       // a peer is well if all of them find so
  std::optional<StickyConfig> sticky;
  QueueConfig queue;
  EjectConfig eject;
  RetryConfig retry;
  UnavailableConfig unavailable;
  bool nocobase = false;  // `profile nocobase`: its refusals are known for such
  std::optional<RegistryConfig> registry;
  // For the names of lines with `resolve`: of the upstream, or what is around it. None: the
  // system's.
  std::optional<ResolverConfig> resolver;
  std::optional<Duration> resolver_timeout;  // set in all that `resolve`
  Position position;
};

}  // namespace weir::config
