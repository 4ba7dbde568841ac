// Inheritance and defaults: drafts of servers and locations become those of the model.
#include <algorithm>

#include "config/handlers.h"

namespace weir::config {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

// Fields of answers that nginx keeps from the client unless proxy_pass_header names them.
constexpr std::string_view kHidden[] = {"date",
                                        "server",
                                        "x-pad",
                                        "x-accel-expires",
                                        "x-accel-redirect",
                                        "x-accel-limit-rate",
                                        "x-accel-buffering",
                                        "x-accel-charset"};

constexpr std::uint64_t kHeaderBuffer = 16 * 1024;  // bytes; see large_client_header_buffers
constexpr std::uint64_t kHeaderBufferCount = 2;

Value::Part variable(Variable id) { return {{}, VariableRef{id, 0, {}}, true}; }
Value value(Variable id) { return Value(std::vector<Value::Part>{variable(id)}); }

// Host and port as the client asked for them, whether in the request line or the Host field; for
// HTTP/1.0 without either, the name of the server.
Value asked_host() {
  return Value(std::vector<Value::Part>{variable(Variable::host),
                                        variable(Variable::is_request_port),
                                        variable(Variable::request_port)});
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; };
    return low(x) == low(y);
  });
}

std::vector<HeaderValue> default_headers(Dialect dialect, bool client_states_address) {
  if (dialect == Dialect::nginx) {
    return {{"Host", value(Variable::proxy_host), false}, {"Connection", Value(), false}};
  }
  return {
      {"Host", asked_host(), false},
      {"Connection", Value(), false},
      {"X-Real-IP", value(Variable::remote_addr), false},
      {"X-Forwarded-For",
       value(client_states_address ? Variable::proxy_add_x_forwarded_for : Variable::remote_addr),
       false},
      {"X-Forwarded-Proto", value(Variable::scheme), false},
      {"X-Forwarded-Host", asked_host(), false}};
}

std::vector<HeaderValue> set_headers(const Settings& settings, Dialect dialect) {
  auto fields = settings.proxy_set_header.value_or(std::vector<HeaderValue>{});
  const bool trusted = settings.set_real_ip_from && !settings.set_real_ip_from->empty();
  for (auto& field : default_headers(dialect, trusted)) {
    const bool given = std::any_of(fields.begin(), fields.end(), [&](const HeaderValue& other) {
      return same_name(other.name, field.name);
    });
    if (!given) fields.push_back(std::move(field));
  }
  return fields;
}

std::vector<std::string> hidden_headers(const Settings& settings) {
  const auto passed = settings.proxy_pass_header.value_or(std::vector<std::string>{});
  std::vector<std::string> hidden;
  for (const auto name : kHidden) {
    if (std::find(passed.begin(), passed.end(), name) == passed.end()) hidden.emplace_back(name);
  }
  for (const auto& name : settings.proxy_hide_header.value_or(std::vector<std::string>{})) {
    if (std::find(hidden.begin(), hidden.end(), name) == hidden.end()) hidden.push_back(name);
  }
  return hidden;
}

void apply_proxy(const Settings& s, Dialect dialect, ProxyConfig& proxy) {
  const bool careful = dialect == Dialect::yaml;
  proxy.set_headers = set_headers(s, dialect);
  proxy.http10 = s.proxy_http10.value_or(false);
  proxy.forward_upgrade = careful;
  proxy.next_upstream = s.proxy_next_upstream.value_or(next_error | next_timeout);
  proxy.next_upstream_tries = s.proxy_next_upstream_tries.value_or(0);
  proxy.next_upstream_timeout = s.proxy_next_upstream_timeout.value_or(Duration{0});
  proxy.connect_timeout = s.proxy_connect_timeout.value_or(seconds{careful ? 2 : 60});
  proxy.send_timeout = s.proxy_send_timeout.value_or(seconds{60});
  proxy.read_timeout = s.proxy_read_timeout.value_or(seconds{60});
  proxy.tunnel_timeout =
      s.proxy_tunnel_timeout.value_or(careful ? Duration{hours{1}} : proxy.read_timeout);
  proxy.buffering = s.proxy_buffering.value_or(!careful);
  proxy.request_buffering = s.proxy_request_buffering.value_or(!careful);
  proxy.retry_body_limit = s.proxy_retry_body_size.value_or(proxy.retry_body_limit);
  proxy.default_redirect = s.proxy_redirect.value_or(true);
  proxy.hide_headers = hidden_headers(s);
  constexpr std::uint64_t kLargestHead = 16u << 20;  // bytes
  const std::uint64_t head = s.proxy_buffer_size.value_or(proxy.response_head_limit);
  proxy.response_head_limit = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(head, proxy.response_head_limit, kLargestHead));
}

RequestConfig request_config(const Settings& s, Dialect dialect) {
  const bool careful = dialect == Dialect::yaml;
  RequestConfig r;
  r.client_max_body_size =
      s.client_max_body_size.value_or(careful ? std::uint64_t{1} << 30 : std::uint64_t{1} << 20);
  r.client_body_buffer_size = s.client_body_buffer_size.value_or(r.client_body_buffer_size);
  r.client_body_timeout = s.client_body_timeout.value_or(r.client_body_timeout);
  r.send_timeout = s.send_timeout.value_or(r.send_timeout);
  if (s.keepalive_timeout) {
    r.keepalive_timeout = s.keepalive_timeout->idle;
    r.keepalive_header = s.keepalive_timeout->header;
  }
  r.keepalive_requests = s.keepalive_requests.value_or(r.keepalive_requests);
  r.keepalive_time = s.keepalive_time.value_or(r.keepalive_time);
  r.lingering_time = s.lingering_time.value_or(r.lingering_time);
  r.lingering_timeout = s.lingering_timeout.value_or(r.lingering_timeout);
  r.min_body_rate = s.client_body_min_rate.value_or(r.min_body_rate);
  r.real_ip.from = s.set_real_ip_from.value_or(std::vector<Cidr>{});
  r.real_ip.header = s.real_ip_header.value_or(r.real_ip.header);
  r.real_ip.recursive = s.real_ip_recursive.value_or(false);
  r.add_headers = s.add_header.value_or(std::vector<HeaderValue>{});
  r.access_logs = s.access_log.value_or(std::vector<AccessLog>{});
  r.default_type = s.default_type.value_or(r.default_type);
  r.server_tokens = s.server_tokens.value_or(true);
  r.log_not_found = s.log_not_found.value_or(true);
  return r;
}

std::unique_ptr<Location> make_location(LocationDraft& draft, const Settings& outer,
                                        Dialect dialect) {
  draft.settings.inherit(outer);
  auto location = std::make_unique<Location>();
  location->kind = draft.kind;
  location->path = std::move(draft.path);
  location->regex = std::move(draft.regex);
  location->position = draft.position;
  location->request = request_config(draft.settings, dialect);
  location->return_ = std::move(draft.return_);
  location->proxy = std::move(draft.proxy);
  if (location->proxy) apply_proxy(draft.settings, dialect, *location->proxy);
  for (auto& nested : draft.nested) {
    location->nested.push_back(make_location(*nested, draft.settings, dialect));
  }
  return location;
}

std::unique_ptr<ServerConfig> make_server(ServerDraft& draft, const Settings& http,
                                          Dialect dialect) {
  auto server = std::make_unique<ServerConfig>();
  server->position = draft.root.position;
  server->root = make_location(draft.root, http, dialect);
  const Settings& s = draft.root.settings;  // with what it inherited
  server->names = std::move(draft.names);
  server->primary_name = std::move(draft.primary_name);
  server->listens = std::move(draft.listens);
  server->client_header_timeout =
      s.client_header_timeout.value_or(seconds{dialect == Dialect::yaml ? 10 : 60});
  const auto buffers =
      s.large_client_header_buffers.value_or(HeaderBuffers{kHeaderBufferCount, kHeaderBuffer});
  const auto line = std::max(buffers.size, s.client_header_buffer_size.value_or(0));
  const auto whole = std::max(buffers.count * buffers.size, line);
  constexpr std::uint64_t kLargest = 16u << 20;
  server->header_line_limit = static_cast<std::uint32_t>(std::min(line, kLargest));
  server->header_limit = static_cast<std::uint32_t>(std::min(whole, kLargest));
  server->ignore_invalid_headers = s.ignore_invalid_headers.value_or(true);
  server->underscores_in_headers = s.underscores_in_headers.value_or(false);
  server->merge_slashes = s.merge_slashes.value_or(true);
  return server;
}

bool has_socket_options(const Listen& listen) {
  const Listen plain;
  return listen.backlog != plain.backlog || listen.reuseport || listen.ipv6only ||
         listen.rcvbuf != 0 || listen.sndbuf != 0 || listen.so_keepalive || listen.deferred ||
         listen.fastopen != 0;
}

void copy_socket_options(const Listen& from, Listen& to) {
  to.backlog = from.backlog;
  to.reuseport = from.reuseport;
  to.ipv6only = from.ipv6only;
  to.rcvbuf = from.rcvbuf;
  to.sndbuf = from.sndbuf;
  to.so_keepalive = from.so_keepalive;
  to.deferred = from.deferred;
  to.fastopen = from.fastopen;
}

// Servers that listen on one address share its socket: one of them may set its options, one may be
// the default server. Afterwards all of them have the options.
void join_listens(Model& model, Diagnostics& diagnostics) {
  std::map<std::string, std::vector<Listen*>> sockets;
  for (const auto& server : model.servers) {
    for (auto& listen : server->listens) sockets[listen.text].push_back(&listen);
  }
  for (auto& [text, listens] : sockets) {
    const Listen* options = nullptr;
    const Listen* chosen = nullptr;
    for (const Listen* listen : listens) {
      if (listen->default_server) {
        if (chosen != nullptr) {
          diagnostics.error(listen->position, "listen: duplicate default server for " + text +
                                                  "; first at " + chosen->position.text());
        }
        chosen = listen;
      }
      if (has_socket_options(*listen)) {
        if (options != nullptr) {
          diagnostics.error(listen->position, "listen: duplicate listen options for " + text +
                                                  "; first at " + options->position.text());
        }
        options = listen;
      }
    }
    if (options == nullptr) continue;
    for (Listen* listen : listens) {
      if (listen != options) copy_socket_options(*options, *listen);
    }
  }
}

// nginx: "conflicting server name, ignored".
void warn_conflicts(const Model& model, Diagnostics& diagnostics) {
  std::map<std::string, const ServerConfig*> taken;
  for (const auto& server : model.servers) {
    for (const auto& listen : server->listens) {
      for (const auto& name : server->names) {
        if (name.kind == ServerName::Kind::regex) continue;
        const std::string key =
            listen.text + ' ' + std::to_string(static_cast<int>(name.kind)) + name.text;
        const auto [other, fresh] = taken.emplace(key, server.get());
        if (!fresh) {
          diagnostics.warning(server->position, "server_name: conflicting name " +
                                                    quote(name.text) + " on " + listen.text +
                                                    " is ignored; first at " +
                                                    other->second->position.text());
        }
      }
    }
  }
}

}  // namespace

void Compiler::finish() {
  if (diagnostics_.failed()) return;  // drafts may be incomplete
  for (auto& draft : servers_) {
    model_->servers.push_back(make_server(*draft, http_, model_->dialect));
  }
  join_listens(*model_, diagnostics_);
  warn_conflicts(*model_, diagnostics_);
  if (model_->servers.empty()) {
    diagnostics_.warning({}, "there is no server; nothing will be served");
  }
}

}  // namespace weir::config
