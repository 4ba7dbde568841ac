// The checked configuration: what both syntaxes compile to, and all that the rest of weir sees of
// a configuration. Plain values; built by one thread, then shared as `const` by all.
//
// Inheritance (http -> server -> location) is already resolved: each Location is complete.
// Names of hosts are still text here: discovery turns them into addresses.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "config/regex.h"
#include "config/variables.h"

namespace weir::config {

// Where something stands in the configuration: "file:line:col".
struct Position {
  std::shared_ptr<const std::string> file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  [[nodiscard]] std::string text() const;
};

// Which defaults are in force: nginx's own, or those a careful operator would choose today.
enum class Dialect : std::uint8_t { nginx, yaml };

// ---- upstreams ---------------------------------------------------------------------------------

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
  bool backup = false;
  bool down = false;
  Position position;
};

enum class Balance : std::uint8_t { round_robin, ip_hash };

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
};

// nginx's (Plus) health_check and `match`.
struct HealthCheckConfig {
  Duration interval = std::chrono::seconds{5};
  Duration jitter{0};                          // each wait is interval + [0, jitter)
  Duration timeout = std::chrono::seconds{2};  // of one check in all
  // Waits while the state is changing (some but not all of fails/passes seen), or unknown.
  Duration fast_interval = std::chrono::seconds{1};
  std::uint32_t fails = 1;
  std::uint32_t passes = 1;
  std::string uri = "/";
  std::string host;                 // Host header; empty: the peer's own host:port
  std::uint16_t port = 0;           // 0: the peer's own
  bool tcp_only = false;            // type=tcp: a connection is enough
  bool mandatory = false;           // unchecked peers get no traffic until they pass
  std::vector<StatusRange> status;  // empty: 200-399
  bool status_negated = false;      // `status ! 500`
  Position position;
};

struct UpstreamConfig {
  std::string name;  // of the block, or "host:port" of a proxy_pass that names no block
  bool implicit = false;
  Balance balance = Balance::round_robin;
  std::vector<PeerConfig> peers;  // in the order written, backups among them
  KeepaliveConfig keepalive;
  std::optional<HealthCheckConfig> health_check;
  Position position;
};

// ---- requests
// ------------------------------------------------------------------------------------

// A header to send: an empty value drops the field.
struct HeaderValue {
  std::string name;  // as written
  Value value;
  bool always = false;  // add_header ... always
};

// proxy_next_upstream, as bits.
enum NextUpstream : std::uint32_t {
  next_error = 1u << 0,
  next_timeout = 1u << 1,
  next_invalid_header = 1u << 2,
  next_http_500 = 1u << 3,
  next_http_502 = 1u << 4,
  next_http_503 = 1u << 5,
  next_http_504 = 1u << 6,
  next_http_403 = 1u << 7,
  next_http_404 = 1u << 8,
  next_http_429 = 1u << 9,
  next_non_idempotent = 1u << 10,
  next_off = 1u << 11,
};

struct ProxyConfig {
  // Exactly one of: an upstream known at load time (index into Model::upstreams), or a target
  // with variables, worked out for each request.
  std::optional<std::uint32_t> upstream;
  Value target;  // "http://$backend/x" when it has variables; else empty
  bool has_uri = false;
  std::string uri;                       // replaces the matched prefix of the location, if has_uri
  std::string host;                      // $proxy_host: "myapp", "10.0.0.1:8080"
  std::string port_text;                 // $proxy_port
  std::vector<HeaderValue> set_headers;  // complete: defaults for Host and Connection included
  bool http10 = false;                   // proxy_http_version 1.0
  bool forward_upgrade = false;          // yaml: pass the client's Upgrade on by itself
  std::uint32_t next_upstream = next_error | next_timeout;
  std::uint32_t next_upstream_tries = 0;  // 0: no cap
  Duration next_upstream_timeout{0};      // 0: none
  Duration connect_timeout = std::chrono::seconds{60};
  Duration send_timeout = std::chrono::seconds{60};
  Duration read_timeout = std::chrono::seconds{60};
  Duration tunnel_timeout = std::chrono::seconds{60};  // nginx: read_timeout; yaml: 1 h
  bool default_redirect = true;                        // proxy_redirect default
  bool buffering = true;
  bool request_buffering = true;
  std::uint64_t retry_body_limit = 64 * 1024;  // bytes of a streamed body kept for a retry
  std::vector<std::string> hide_headers;       // lower case; nginx's Date, Server, X-Pad included
  bool pass_early_hints = false;
  std::uint32_t response_head_limit = 64 * 1024;  // bytes
};

// `return CODE [TEXT];` `return CODE URL;` `return URL;`
struct ReturnConfig {
  std::uint16_t status = 200;
  Value text;  // body, or the Location when redirect
  bool redirect = false;
};

struct LogFormat {
  enum class Escape : std::uint8_t { standard, json, none };
  std::string name;
  Value format;
  Escape escape = Escape::standard;
};

struct AccessLog {
  std::string path;
  std::uint32_t format = 0;        // index into Model::log_formats
  std::uint64_t buffer = 0;        // bytes; 0: written at the end of each loop turn
  Duration flush{0};               // 0: none
  std::optional<Value> condition;  // if=
  Position position;
};

struct RealIpConfig {
  std::vector<Cidr> from;
  std::string header = "x-real-ip";  // lower case; "proxy_protocol" is refused for now
  bool recursive = false;
};

// What holds for requests of a location, fully inherited.
struct RequestConfig {
  std::uint64_t client_max_body_size = 1u << 20;  // bytes; 0: no limit
  std::uint64_t client_body_buffer_size = 16 * 1024;
  Duration client_body_timeout = std::chrono::seconds{60};
  Duration send_timeout = std::chrono::seconds{60};
  Duration keepalive_timeout = std::chrono::seconds{75};  // 0: connections are closed
  std::optional<Duration> keepalive_header;               // Keep-Alive: timeout=N to the client
  std::uint32_t keepalive_requests = 1000;
  Duration keepalive_time = std::chrono::hours{1};
  Duration lingering_time = std::chrono::seconds{30};
  Duration lingering_timeout = std::chrono::seconds{5};
  std::uint32_t min_body_rate = 240;  // bytes a second after the first 10 s of a body; 0: off
  RealIpConfig real_ip;
  std::vector<HeaderValue> add_headers;
  std::vector<AccessLog> access_logs;  // empty: off
  std::string default_type = "text/plain";
  bool server_tokens = true;
  bool log_not_found = true;
};

enum class LocationKind : std::uint8_t {
  prefix,           // location /a
  prefix_no_regex,  // location ^~ /a
  exact,            // location = /a
  regex,            // location ~ a   and   ~* a
  named,            // location @a
};

struct Location {
  LocationKind kind = LocationKind::prefix;
  std::string path;  // the prefix, exact path, pattern or @name
  std::shared_ptr<const Regex> regex;
  RequestConfig request;
  std::optional<ReturnConfig> return_;
  std::optional<ProxyConfig> proxy;
  std::vector<std::unique_ptr<Location>> nested;  // in the order written
  Position position;
};

// An address to accept connections on, and what is asked of its socket.
struct Listen {
  std::string text;  // normal form: "0.0.0.0:80", "[::]:80", "unix:/path"
  Endpoint endpoint;
  bool default_server = false;
  int backlog = 511;
  bool reuseport = false;
  std::optional<bool> ipv6only;  // nullopt: on
  int rcvbuf = 0, sndbuf = 0;    // 0: the system's own
  bool so_keepalive = false;
  bool deferred = false;
  int fastopen = 0;
  Position position;
};

struct ServerName {
  enum class Kind : std::uint8_t { exact, leading_wildcard, trailing_wildcard, regex };
  Kind kind = Kind::exact;
  // Lower case. "example.org"; ".example.org" for *.example.org; "www." for www.*; a pattern.
  std::string text;
  std::shared_ptr<const Regex> regex;
};

struct ServerConfig {
  std::vector<ServerName> names;
  std::string primary_name;  // $server_name: the first one as written
  std::vector<Listen> listens;
  // client_header_timeout, large_client_header_buffers etc. are the server's.
  Duration client_header_timeout = std::chrono::seconds{60};
  std::uint32_t header_limit = 32 * 1024;  // bytes of a whole request head
  std::uint32_t header_line_limit = 16 * 1024;
  bool ignore_invalid_headers = true;
  bool underscores_in_headers = false;
  bool merge_slashes = true;
  std::unique_ptr<Location> root;  // the server's own settings; its `nested` are the locations
  Position position;
};

// `map $source $name { ... }`
struct MapConfig {
  Value source;
  std::string variable;
  bool hostnames = false;
  bool volatile_ = false;
  struct Exact {
    std::string key;  // lower case
    Value value;
  };
  struct Pattern {
    std::shared_ptr<const Regex> regex;
    Value value;
  };
  std::vector<Exact> exact;               // sorted by key
  std::vector<Exact> leading_wildcards;   // ".example.org" for *.example.org and .example.org
  std::vector<Exact> trailing_wildcards;  // "www." for www.*
  std::vector<Pattern> patterns;          // in the order written
  Value default_;
  Position position;
};

enum class LogLevel : std::uint8_t { debug, info, notice, warn, error, crit, alert, emerg };

struct ErrorLog {
  std::string path = "stderr";
  LogLevel level = LogLevel::error;
  Position position;
};

struct AdminConfig {
  std::vector<Listen> listens;
  Position position;
};

// The whole configuration.
struct Model {
  Dialect dialect = Dialect::nginx;
  std::uint32_t workers = 1;             // worker_processes; auto: the number of cores
  std::uint32_t worker_connections = 0;  // 0: as many as there are descriptors
  std::uint32_t rlimit_nofile = 0;       // 0: leave as it is
  Duration shutdown_timeout{0};          // 0: no end
  std::string user;
  std::string pid_path;
  std::vector<ErrorLog> error_logs;
  std::vector<LogFormat> log_formats;  // [0] is `combined`
  std::vector<MapConfig> maps;         // VariableRef{Variable::map, index}
  std::vector<std::string> captures;   // names of named captures: Variable::named_capture
  std::vector<UpstreamConfig> upstreams;
  std::vector<std::unique_ptr<ServerConfig>> servers;
  std::optional<AdminConfig> admin;
  std::uint32_t response_buffer_limit = 256 * 1024;

  // Directives that are accepted and change nothing, for `-t`.
  struct Accepted {
    std::string directive;
    std::string note;
    Position position;
  };
  std::vector<Accepted> accepted;
};

}  // namespace weir::config
