// What holds for the requests of a location: every setting that http, server and location blocks
// inherit (settings.def), and the types of their values. Plain values of the model.
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
#include "config/position.h"
#include "config/resolver_config.h"
#include "config/rules.h"
#include "config/tls_config.h"
#include "config/trace_config.h"
#include "config/variables.h"
#include "tls/context.h"

namespace weir::config {

// Which defaults are in force: nginx's own, or those a careful operator would choose today.
enum class Dialect : std::uint8_t { nginx, yaml };

// ---- clients and their connections

enum class BodyFile : std::uint8_t { off, clean, on };  // client_body_in_file_only

// `large_client_header_buffers COUNT SIZE`.
struct HeaderBuffers {
  std::uint64_t count = 2;
  std::uint64_t size = 16 * 1024;  // bytes
};

struct KeepaliveTimeout {
  Duration idle = std::chrono::seconds{75};  // 0: connections are closed
  std::optional<Duration> header;            // Keep-Alive: timeout=N to the client
};

// keepalive_disable, as bits.
enum KeepaliveDisable : std::uint32_t {
  no_keepalive_msie6 = 1u << 0,
  no_keepalive_safari = 1u << 1
};

enum class LingeringClose : std::uint8_t { off, on, always };

// ---- routing and answers of weir's own

// `root` or `alias`; empty: PREFIX/html.
struct RootConfig {
  Value path;
  bool alias = false;
  // alias: bytes of the path that it stands for; whole: the alias (of a location with a regular
  // expression) is the file itself.
  std::size_t prefix = 0;
  bool whole = false;
};

// Extension (lower case) to type.
using TypeMap = std::shared_ptr<const std::map<std::string, std::string, std::less<>>>;

// `error_page CODE... [=[CODE]] URI`
struct ErrorPage {
  std::vector<std::uint16_t> codes;
  // The status of the answer: none: the error's; 0 (`=`): whatever the page's answer has; else it.
  std::optional<std::uint16_t> status;
  Value uri;  // path, "@name" or a URL
};

enum class ServerTokens : std::uint8_t { on, off, build };

enum class LogLevel : std::uint8_t { debug, info, notice, warn, error, crit, alert, emerg };

// `syslog:server=ADDRESS[,facility=F][,severity=S][,tag=T][,nohostname]`
struct SyslogConfig {
  Endpoint server;
  std::uint8_t facility = 23;  // local7
  std::uint8_t severity = 6;   // info; access logs only
  std::string tag = "nginx";
  bool hostname = true;
};

struct ErrorLog {
  std::string path = "stderr";  // without meaning if `syslog`
  LogLevel level = LogLevel::error;
  std::optional<SyslogConfig> syslog;
  Position position;
};

struct AccessLog {
  Value path;                      // absolute once evaluated
  std::uint32_t format = 0;        // index into Model::log_formats
  std::uint64_t buffer = 0;        // bytes; 0: written at the end of each loop turn
  Duration flush{0};               // 0: none
  int gzip = 0;                    // level 1 to 9; 0: plain
  std::optional<Value> condition;  // if=
  std::optional<SyslogConfig> syslog;
  Position position;
};

// ---- access

// `allow` and `deny`: the first that fits decides.
struct AccessRule {
  bool allow = false;
  std::optional<Cidr> network;  // none: all
};

enum class Satisfy : std::uint8_t { all, any };

// `auth_request_set $name value`
struct AuthRequestSet {
  VariableRef variable;
  Value value;
};

// `limit_req zone=NAME [burst=N] [delay=N|nodelay]`; requests times 1000.
struct LimitReq {
  std::uint32_t zone = 0;  // index into Model::limit_zones
  std::uint64_t burst = 0;
  std::uint64_t delay = 0;  // excess that is not delayed; nodelay: the greatest number
};

struct LimitConn {
  std::uint32_t zone = 0;
  std::uint32_t connections = 0;
};

// `secure_link` with `secure_link_md5`, or `secure_link_secret`.
struct SecureLink {
  Value link;
  Value md5;
  std::string secret;
};

// `valid_referers`; empty: not set.
struct ValidReferers {
  bool none = false;
  bool blocked = false;
  bool server_names = false;
  // host[/path], the host in lower case; "*.", ".*" and a first "." as in server_name.
  std::vector<std::string> names;
  std::vector<Pattern> patterns;
  [[nodiscard]] bool empty() const {
    return !none && !blocked && !server_names && names.empty() && patterns.empty();
  }
};

// ---- files

enum class IfModifiedSince : std::uint8_t { off, exact, before };
enum class AutoindexFormat : std::uint8_t { html, json, jsonp, xml };
enum class StaticCoding : std::uint8_t { off, on, always };

// `disable_symlinks off | on | if_not_owner [from=part]`
struct Symlinks {
  enum class Deny : std::uint8_t { off, on, if_not_owner } deny = Deny::off;
  Value from;
};

// ---- filters

// A header to send: an empty value drops the field.
struct HeaderValue {
  std::string name;  // as written
  Value value;
  bool always = false;  // add_header ... always
};

// Whether the outer level's fields hold besides a level's own: only without own ones (on, nginx's
// way), never (off), always (merge).
enum class HeaderInherit : std::uint8_t { on, off, merge };

struct ExpiresConfig {
  enum class Kind : std::uint8_t {
    off,
    epoch,
    max,
    access,
    modified,
    daily,
    value
  } kind = Kind::off;
  std::chrono::seconds time{0};  // may be negative; daily: since midnight
  Value value;                   // value: worked out for each answer, then see parse_expires
  bool modified = false;         // value: `expires modified $x`
};

// Media types that a filter works on.
struct TypeSet {
  bool all = false;
  std::vector<std::string> types{"text/html"};  // lower case
};
[[nodiscard]] TypeSet charset_default_types();

// gzip_proxied, as bits; 0: off.
enum GzipProxied : std::uint32_t {
  gzip_expired = 1u << 0,
  gzip_no_cache = 1u << 1,
  gzip_no_store = 1u << 2,
  gzip_private = 1u << 3,
  gzip_no_last_modified = 1u << 4,
  gzip_no_etag = 1u << 5,
  gzip_auth = 1u << 6,
  gzip_any = 1u << 7,
  gzip_off = 1u << 8,  // has no others beside it in the model: 0
};

// `gzip_disable regex... | msie6`: of User-Agent.
struct GzipDisable {
  bool msie6 = false;
  std::vector<std::shared_ptr<const Regex>> agents;
};

struct SubFilter {
  Value from;
  Value to;
};

// ---- proxying

// proxy_http_version.
enum class PeerVersion : std::uint8_t { http10 = 10, http11 = 11, http2 = 20 };

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

// proxy_ignore_headers, as bits. (Those of a cache have no meaning.)
enum IgnoreHeader : std::uint32_t {
  ignore_accel_redirect = 1u << 0,
  ignore_accel_expires = 1u << 1,
  ignore_accel_limit_rate = 1u << 2,
  ignore_accel_buffering = 1u << 3,
  ignore_accel_charset = 1u << 4,
};

// `proxy_bind ADDRESS [transparent] | off`
struct ProxyBind {
  Value address;  // empty: off
  bool transparent = false;
};

// `proxy_buffers COUNT SIZE`: what is read ahead of a client before a temporary file is used.
struct ProxyBuffers {
  std::uint64_t count = 8;
  std::uint64_t size = 32 * 1024;  // bytes
};

// One `proxy_redirect FROM TO`.
struct RedirectRule {
  Value from;  // plain prefix, if no pattern
  Pattern pattern;
  Value to;
  bool default_ = false;  // stands where `default` was written; has its texts in the model
};
struct ProxyRedirect {
  bool off = false;
  bool default_ = true;  // `default` among them, or nothing set
  std::vector<RedirectRule> rules;
};

// `proxy_cookie_domain` and `proxy_cookie_path`.
struct CookieRule {
  Value from;
  Pattern pattern;
  Value to;
};

// `proxy_cookie_flags COOKIE FLAG...`
struct CookieFlags {
  Value cookie;
  Pattern pattern;
  std::vector<Value> flags;  // secure, httponly, samesite=strict ... and their no-forms
};

// `proxy_store on | off | PATH`
struct ProxyStore {
  bool on = false;
  Value path;  // empty: root and path of the request
};

// ---- all of them

struct RequestConfig {
#define WEIR_SETTING(type, name, ...) type name{__VA_ARGS__};
#define WEIR_SETTING_BY_DIALECT(type, name, nginx, careful) type name{nginx};
  using seconds = std::chrono::seconds;
#include "config/settings.def"
#undef WEIR_SETTING
#undef WEIR_SETTING_BY_DIALECT
};

}  // namespace weir::config
