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
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "base/log_limit.h"
#include "config/acme_config.h"
#include "config/location.h"
#include "config/stream_config.h"
#include "config/upstream_config.h"

namespace weir::config {

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
  // so_keepalive=IDLE:INTERVAL:COUNT, seconds and probes; 0: the system's own.
  int keepalive_idle = 0, keepalive_interval = 0, keepalive_count = 0;
  bool deferred = false;
  int fastopen = 0;
  bool proxy_protocol = false;
  bool ssl = false;
  bool udp = false;           // of stream: datagrams; `text` begins with "udp:"
  bool http2 = false;         // for all servers of the address, whatever their `http2` says
  std::uint32_t mode = 0666;  // of the file of a Unix socket
  bool has_options = false;   // this line is the one that says what is asked of the socket
  Position position;
};

struct ServerName {
  enum class Kind : std::uint8_t { exact, leading_wildcard, trailing_wildcard, regex };
  Kind kind = Kind::exact;
  // Lower case. "example.org"; ".example.org" for *.example.org; "www." for www.*; a pattern.
  std::string text;
  Pattern pattern;
};

struct ServerConfig {
  std::vector<ServerName> names;
  std::string primary_name;  // $server_name: the first one as written
  std::vector<Listen> listens;
  std::uint32_t header_limit = 32 * 1024;  // bytes of a whole request head
  std::uint32_t header_line_limit = 16 * 1024;
  std::unique_ptr<Location> root;  // the server's own settings; its `nested` are the locations
  // Null: it has no certificate, and connections are served by what the default server has.
  std::shared_ptr<const tls::Context> tls;
  Position position;
};

// A server of `stream { }`: forwards TCP connections or UDP datagrams.
// `root` has the settings that it shares with http, and `set` among its rules.
struct StreamServer : ServerConfig {
  StreamOptions options;
  // What it does, one of: a peer of an upstream (index into Model::upstreams); the upstream or
  // address that `target` comes to; a text that is sent (`return`).
  std::optional<std::uint32_t> upstream;
  Value target;
  std::optional<Value> answer;
  std::string host;  // of proxy_pass, for proxy_ssl_name; empty with variables
  // How peers are spoken to with `proxy_ssl`.
  std::shared_ptr<const tls::Context> peer_tls;
};

struct LogFormat {
  enum class Escape : std::uint8_t { standard, json, none };
  std::string name;
  Value format;
  Escape escape = Escape::standard;
};

// `map $source $name { ... }`
struct MapConfig {
  Value source;
  bool hostnames = false;
  struct Exact {
    std::string key;  // lower case
    Value value;
  };
  struct Match {
    Pattern pattern;
    Value value;
  };
  std::vector<Exact> exact;               // sorted by key
  std::vector<Exact> leading_wildcards;   // ".example.org" for *.example.org and .example.org
  std::vector<Exact> trailing_wildcards;  // "www." for www.*
  std::vector<Match> patterns;            // in the order written
  Value default_;
  Position position;
};

// `geo [$address] $name { ... }`
struct GeoConfig {
  Value source;
  bool ranges = false;
  bool proxy_recursive = false;
  struct Network {
    Cidr network;
    std::string value;
  };
  struct Range {
    std::uint32_t from = 0, to = 0;  // IPv4 in host order, inclusive
    std::string value;
  };
  std::vector<Network> networks;      // in the order written; each network once
  std::vector<Range> address_ranges;  // ascending, without overlap
  std::vector<Cidr> proxies;          // `proxy`: X-Forwarded-For is believed from these
  std::string default_;
  Position position;
};

// `split_clients KEY $name { PERCENT VALUE; ... * VALUE; }`
struct SplitClientsConfig {
  Value source;
  struct Part {
    std::uint32_t hundredths = 0;  // of a percent; 0: `*`, the rest
    Value value;
  };
  std::vector<Part> parts;
  Position position;
};

// A variable that the configuration makes. What it holds before it is assigned comes from its
// source; `index` is into the list of that kind.
struct UserVariable {
  enum class Source : std::uint8_t { none, map, geo, split_clients };
  std::string name;
  Source source = Source::none;
  std::uint32_t index = 0;
  bool volatile_ = false;  // worked out anew each time
};

// `limit_req_zone` and `limit_conn_zone`
struct LimitZone {
  std::string name;
  bool requests = false;  // else connections
  Value key;
  std::uint64_t size = 0;  // bytes
  std::uint64_t rate = 0;  // requests a second, times 1000
  Position position;
};

// `charset_map FROM TO { ... }`: bytes in hexadecimal.
struct CharsetMap {
  std::string from;
  std::string to;
  struct Entry {
    std::uint8_t byte = 0;
    std::string text;  // one byte, or its UTF-8 form
  };
  std::vector<Entry> entries;
  Position position;
};

struct AdminConfig {
  std::vector<Listen> listens;
  std::string token;        // of those who may change things over `listens`; empty: nobody may
  std::string control;      // path of the Unix socket of operators; empty: as the pid file has it
  bool has_control = true;  // there is such a socket
  std::string state_file;   // what operators set at run time; empty: beside the pid file
  std::vector<std::string> hosts;  // names that the listener may be asked by, in small letters
  Position position;
};

// How the program runs: nginx's main context beyond what the engine needs.
struct ProcessConfig {
  std::optional<bool> daemon;  // unset: as the dialect has it
  bool master_process = true;
  std::string group;  // second argument of `user`; empty: the user's own
  Position user_position;
  struct EnvironmentEntry {
    std::string name;
    std::optional<std::string> value;  // unset: as it was at the start
    friend bool operator==(const EnvironmentEntry&, const EnvironmentEntry&) = default;
  };
  std::vector<EnvironmentEntry> environment;
  std::string working_directory;
  std::optional<std::uint64_t> rlimit_core;  // bytes
  int priority = 0;                          // nice value, -20 to 19
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
  std::string prefix;     // base of relative paths; ends with '/'
  std::string directory;  // of the main file; ends with '/', or empty
  ProcessConfig process;
  std::vector<ErrorLog> error_logs;
  LogLimit::Setting error_log_limit;
  std::vector<LogFormat> log_formats;   // [0] is `combined`
  std::vector<UserVariable> variables;  // VariableRef{Variable::user, index}
  std::vector<MapConfig> maps;
  std::vector<GeoConfig> geos;
  std::vector<SplitClientsConfig> split_clients;
  std::vector<LimitZone> limit_zones;
  std::vector<CharsetMap> charset_maps;
  std::vector<UpstreamConfig> upstreams;
  std::vector<std::unique_ptr<ServerConfig>> servers;
  std::vector<std::unique_ptr<StreamServer>> streams;  // of `stream { }`
  std::optional<AdminConfig> admin;
  TraceConfig trace;
  std::uint32_t response_buffer_limit = 256 * 1024;
  std::vector<AcmeIssuer> acme_issuers;
  std::vector<AcmeCertificate> acme_certificates;  // each once
  std::vector<TlsCertificate> certificates;        // in use, each file once
  std::vector<StapleAsk> staples;                  // each once
  Duration certificate_watch{1000};  // how often files of certificates are looked at; 0: never

  // Directives that are accepted and change nothing, for `-t`.
  struct Accepted {
    std::string directive;
    std::string note;
    Position position;
  };
  std::vector<Accepted> accepted;
  // Where the words stand that nobody is shown (kSecret), for `-T`.
  std::vector<Position> secrets;
};

}  // namespace weir::config
