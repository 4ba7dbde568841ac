// A location in the model: which paths it is for, its settings (inheritance already resolved), and
// what answers its requests. Plain values; built by one thread, then shared as `const` by all.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/request_config.h"
#include "config/rules.h"

namespace weir::config {

// `proxy_pass` or `grpc_pass`, and what is worked out of the location's settings for it.
struct ProxyConfig {
  // Exactly one of: an upstream known at load time (index into Model::upstreams), or a target
  // with variables, worked out for each request.
  std::optional<std::uint32_t> upstream;
  Value target;  // "http://$backend/x" when it has variables; else empty
  bool has_uri = false;
  std::string uri;        // replaces the matched prefix of the location, if has_uri
  std::string host;       // $proxy_host: "myapp", "10.0.0.1:8080"
  std::string port_text;  // $proxy_port
  std::string url;        // as written; empty when it has variables
  bool grpc = false;      // grpc_pass: its settings stand in the place of proxy_*
  bool tls = false;       // https://, grpcs://; with variables: told by what they come to
  // How peers are spoken to in TLS; null where that cannot be.
  std::shared_ptr<const tls::Context> tls_context;
  // Derived by the compiler:
  std::vector<HeaderValue> set_headers;   // complete: defaults for Host and Connection included
  std::vector<RedirectRule> redirects;    // complete: what `default` stands for included
  std::vector<std::string> hide_headers;  // lower case; nginx's Date, Server, X-Pad included
  bool http2 = false;  // what peers are spoken to in, but for requests that switch protocols
  Duration tunnel_timeout{};
  std::uint32_t response_head_limit = 64 * 1024;  // bytes
  bool forward_upgrade = false;                   // careful: pass the client's Upgrade on by itself
};

// `try_files PATH... LAST`
struct TryFiles {
  struct Entry {
    Value path;
    bool directory = false;  // written with a slash at its end, which `path` has not
  };
  std::vector<Entry> entries;
  std::uint16_t status = 0;  // `=404`; 0: `last` is a path or @name
  Value last;
};

struct StubStatus {};
struct EmptyGif {};
// What answers: nothing here means files below `root`.
using Content = std::variant<std::monostate, ProxyConfig, StubStatus, EmptyGif>;

enum class LocationKind : std::uint8_t {
  prefix,           // location /a
  prefix_no_regex,  // location ^~ /a
  exact,            // location = /a
  regex,            // location ~ a   and   ~* a
  named,            // location @a
  unnamed,          // the block of an `if` or a limit_except
};

// Methods of limit_except as bits; each is at the place it has in http::Method.
enum MethodBit : std::uint32_t {
  method_get = 1u << 0,
  method_head = 1u << 1,
  method_post = 1u << 2,
  method_put = 1u << 3,
  method_delete = 1u << 4,
  method_options = 1u << 5,
  method_patch = 1u << 6,
  method_propfind = 1u << 9,
  method_proppatch = 1u << 10,
  method_mkcol = 1u << 11,
  method_copy = 1u << 12,
  method_move = 1u << 13,
  method_lock = 1u << 14,
  method_unlock = 1u << 15,
};

struct Location {
  LocationKind kind = LocationKind::prefix;
  std::string path;  // the prefix, exact path, pattern or @name; of an `if`: of what is around it
  Pattern pattern;   // regex
  bool internal = false;
  RequestConfig request;
  std::vector<Rule> rules;
  std::optional<TryFiles> try_files;
  Content content;
  bool random_index = false;
  // `limit_except`: the settings of all methods but those of `allowed_methods` (MethodBits).
  std::uint32_t allowed_methods = 0;
  std::unique_ptr<Location> except;
  std::vector<std::unique_ptr<Location>> nested;  // in the order written
  Position position;

  [[nodiscard]] const ProxyConfig* proxy() const { return std::get_if<ProxyConfig>(&content); }
};

}  // namespace weir::config
