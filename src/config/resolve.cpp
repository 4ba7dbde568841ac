// Inheritance and defaults: drafts of servers and locations become those of the model.
#include <algorithm>
#include <set>

#include "config/resolve.h"
#include "config/resolve_acme.h"
#include "config/resolve_tls.h"
#include "config/suggest.h"
#include "config/text.h"

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

Value::Part variable(Variable id) { return {{}, VariableRef{id, 0, {}}, true}; }
Value value(Variable id) { return Value(std::vector<Value::Part>{variable(id)}); }

// Host and port as the client asked for them, whether in the request line or the Host field; for
// HTTP/1.0 without either, the name of the server.
Value asked_host() {
  return Value(std::vector<Value::Part>{variable(Variable::host),
                                        variable(Variable::is_request_port),
                                        variable(Variable::request_port)});
}

bool same_name(std::string_view a, std::string_view b) { return lower(a) == lower(b); }

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

std::vector<HeaderValue> set_headers(const RequestConfig& request, Dialect dialect, bool grpc) {
  auto fields = request.proxy_set_header;
  auto defaults = default_headers(dialect, !request.set_real_ip_from.empty());
  // Peers may refuse calls of those who would not have the status of the call, a trailer.
  if (grpc) defaults.push_back({"TE", Value("trailers"), false});
  for (auto& field : defaults) {
    const bool given = std::any_of(fields.begin(), fields.end(), [&](const HeaderValue& other) {
      return same_name(other.name, field.name);
    });
    if (!given) fields.push_back(std::move(field));
  }
  return fields;
}

std::vector<std::string> hidden_headers(const RequestConfig& request) {
  const auto& passed = request.proxy_pass_header;
  std::vector<std::string> hidden;
  for (const auto name : kHidden) {
    if (std::find(passed.begin(), passed.end(), name) == passed.end()) hidden.emplace_back(name);
  }
  for (const auto& name : request.proxy_hide_header) {
    if (std::find(hidden.begin(), hidden.end(), name) == hidden.end()) hidden.push_back(name);
  }
  return hidden;
}

// `proxy_redirect default`: the peer's own URL becomes the path of the location.
RedirectRule default_redirect(const ProxyConfig& proxy, const LocationDraft& location) {
  const bool replaces = proxy.has_uri && location.kind != LocationKind::regex;
  RedirectRule rule;
  rule.from = Value(replaces ? proxy.url : proxy.url + "/");
  rule.to = Value(replaces ? location.path : std::string("/"));
  return rule;
}

// grpc_pass has its own words in place of those of proxy_*, and what else proxy_* says is not for
// it.
void use_grpc_settings(RequestConfig& r) {
  r.proxy_http_version = PeerVersion::http2;
  r.proxy_pass_request_headers = r.proxy_pass_request_body = r.proxy_pass_trailers = true;
  r.proxy_request_buffering = r.proxy_buffering = false;
  r.proxy_method = r.proxy_set_body = r.proxy_limit_rate = Value();
  r.has_proxy_set_body = r.proxy_ignore_client_abort = r.proxy_force_ranges = false;
  r.proxy_redirect = ProxyRedirect{true, false, {}};
  r.proxy_cookie_domain.clear();
  r.proxy_cookie_path.clear();
  r.proxy_cookie_flags.clear();
  r.proxy_store = ProxyStore{};
  r.proxy_set_header = r.grpc_set_header;
  r.proxy_bind = r.grpc_bind;
  r.proxy_socket_keepalive = r.grpc_socket_keepalive;
  r.proxy_next_upstream = r.grpc_next_upstream;
  r.proxy_next_upstream_tries = r.grpc_next_upstream_tries;
  r.proxy_next_upstream_timeout = r.grpc_next_upstream_timeout;
  r.proxy_connect_timeout = r.grpc_connect_timeout;
  r.proxy_send_timeout = r.grpc_send_timeout;
  r.proxy_read_timeout = r.grpc_read_timeout;
  r.proxy_buffer_size = r.grpc_buffer_size;
  r.proxy_intercept_errors = r.grpc_intercept_errors;
  r.proxy_ignore_headers = r.grpc_ignore_headers;
  r.proxy_hide_header = r.grpc_hide_header;
  r.proxy_pass_header = r.grpc_pass_header;
  r.proxy_ssl_verify = r.grpc_ssl_verify;
  r.proxy_ssl_verify_depth = r.grpc_ssl_verify_depth;
  r.proxy_ssl_trusted_certificate = r.grpc_ssl_trusted_certificate;
  r.proxy_ssl_crl = r.grpc_ssl_crl;
  r.proxy_ssl_name = r.grpc_ssl_name;
  r.proxy_ssl_server_name = r.grpc_ssl_server_name;
  r.proxy_ssl_certificate = r.grpc_ssl_certificate;
  r.proxy_ssl_certificate_key = r.grpc_ssl_certificate_key;
  r.proxy_ssl_password_file = r.grpc_ssl_password_file;
  r.proxy_ssl_protocols = r.grpc_ssl_protocols;
  r.proxy_ssl_ciphers = r.grpc_ssl_ciphers;
  r.proxy_ssl_conf_command = r.grpc_ssl_conf_command;
  r.proxy_ssl_session_reuse = r.grpc_ssl_session_reuse;
}

void complete_proxy(const Location& location, Dialect dialect, ProxyConfig& proxy) {
  const auto& request = location.request;
  const bool careful = dialect == Dialect::yaml;
  proxy.set_headers = set_headers(request, dialect, proxy.grpc);
  proxy.hide_headers = hidden_headers(request);
  proxy.http2 = request.proxy_http_version == PeerVersion::http2;
  proxy.forward_upgrade = careful && !proxy.grpc;
  proxy.tunnel_timeout = request.proxy_tunnel_timeout.value_or(
      careful ? Duration{hours{1}} : request.proxy_read_timeout);
  if (!request.proxy_redirect.off) proxy.redirects = request.proxy_redirect.rules;
  constexpr std::uint64_t kLeastHead = 64 * 1024;
  constexpr std::uint64_t kLargestHead = 16u << 20;
  proxy.response_head_limit = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(request.proxy_buffer_size, kLeastHead, kLargestHead));
}

// Makes the locations of one server of their drafts.
class Resolver {
 public:
  Resolver(const Model& model, const ServerDraft& server, TlsContexts& tls,
           Diagnostics& diagnostics)
      : model_(model), server_(server), tls_(tls), diagnostics_(diagnostics) {}

  std::unique_ptr<Location> location(LocationDraft& draft, const Settings& outer,
                                     LocationDraft* around) {
    inherit(draft, outer, around);
    auto location = std::make_unique<Location>();
    location->kind = draft.kind;
    location->path = draft.path;
    location->pattern = draft.pattern;
    location->internal = draft.internal;
    location->position = draft.position;
    location->request = request_config(draft.settings, model_.dialect);
    location->try_files = std::move(draft.try_files);
    location->random_index = draft.random_index.value_or(false);
    location->allowed_methods = draft.allowed_methods;
    if (draft.except) location->except = this->location(*draft.except, draft.settings, &draft);
    for (auto& [rule, inner] : draft.ifs) {
      rule->location = this->location(*inner, draft.settings, &draft);
    }
    for (auto& nested : draft.nested) {
      location->nested.push_back(this->location(*nested, draft.settings, &draft));
    }
    location->rules = std::move(draft.rules);
    location->content = draft.content;
    if (auto* proxy = std::get_if<ProxyConfig>(&location->content)) {
      if (proxy->grpc) use_grpc_settings(location->request);
      complete_proxy(*location, model_.dialect, *proxy);
      if (proxy->tls || !proxy->upstream) {
        proxy->tls_context = tls_.client(location->request, location->position);
      }
    }
    check_charset(*location);
    check_referers(*location);
    return location;
  }

 private:
  void inherit(LocationDraft& draft, const Settings& outer, const LocationDraft* around) {
    auto& settings = draft.settings;
    const bool own_redirect = settings.proxy_redirect.has_value();
    inherit_parts(settings, outer);
    settings.inherit(outer);
    // A block without a path of its own keeps the handler that is around it.
    if (around != nullptr && draft.kind == LocationKind::unnamed && draft.content.index() == 0) {
      draft.content = around->content;
    }
    if (around != nullptr) {
      draft.internal = draft.internal || around->internal;
      if (!draft.random_index) draft.random_index = around->random_index;
    }
    redirects(draft, own_redirect);
  }

  // Puts in the texts of `default`, where it is written or nothing is said at all. Locations
  // inside inherit them as they are, as in nginx; with the careful defaults each has its own.
  void redirects(LocationDraft& draft, bool own) {
    auto& redirect = draft.settings.proxy_redirect;
    const auto* proxy = draft.proxy();
    const bool known = proxy != nullptr && proxy->upstream && !proxy->grpc;
    if (!redirect || redirect->default_) {
      if (!known) return;
      redirect =
          ProxyRedirect{false, model_.dialect == Dialect::yaml, {default_redirect(*proxy, draft)}};
      return;
    }
    if (!own) return;
    for (auto& rule : redirect->rules) {
      if (!rule.default_) continue;
      if (!known) {
        diagnostics_.error(draft.position,
                           proxy == nullptr
                               ? "proxy_redirect: default needs a proxy_pass in the same block; "
                                 "leave it out, it holds without being written"
                               : "proxy_redirect: default does not go with variables in "
                                 "proxy_pass; write FROM TO, or off");
        return;
      }
      rule = default_redirect(*proxy, draft);
    }
  }

  // Two charsets that are known beforehand need a map between them.
  void check_charset(const Location& location) {
    const auto& to = location.request.charset;
    const auto& from = location.request.source_charset;
    if (to.empty() || from.empty() || !to.is_constant() || !from.is_constant()) return;
    const std::string a = lower(from.constant());
    const std::string b = lower(to.constant());
    if (a == b) return;
    const bool mapped =
        std::any_of(model_.charset_maps.begin(), model_.charset_maps.end(), [&](const auto& map) {
          const std::string x = lower(map.from);
          const std::string y = lower(map.to);
          return (x == a && y == b) || (x == b && y == a);
        });
    if (mapped || !charsets_.emplace(a, b).second) return;
    diagnostics_.error(location.position, "charset: there is no charset_map between " + quote(a) +
                                              " and " + quote(b) + "; write one");
  }

  // `none` and `blocked` alone would let only requests without a Referer pass.
  void check_referers(const Location& location) {
    const auto& referers = location.request.valid_referers;
    if ((!referers.none && !referers.blocked) || !referers.names.empty()) return;
    const bool names =
        referers.server_names &&
        std::any_of(server_.names.begin(), server_.names.end(),
                    [](const ServerName& n) { return n.kind != ServerName::Kind::regex; });
    if (names || reported_referers_) return;
    reported_referers_ = true;
    diagnostics_.error(location.position,
                       "valid_referers: none and blocked need the name of a host beside them");
  }

  const Model& model_;
  const ServerDraft& server_;
  TlsContexts& tls_;
  Diagnostics& diagnostics_;
  std::set<std::pair<std::string, std::string>> charsets_;  // reported
  bool reported_referers_ = false;
};

std::unique_ptr<ServerConfig> make_server(const Model& model, ServerDraft& draft,
                                          const Settings& http, TlsContexts& tls,
                                          const TlsFile& acme, Diagnostics& diagnostics) {
  auto server = std::make_unique<ServerConfig>();
  server->position = draft.root.position;
  server->root = Resolver(model, draft, tls, diagnostics).location(draft.root, http, nullptr);
  server->names = std::move(draft.names);
  server->primary_name = std::move(draft.primary_name);
  server->listens = std::move(draft.listens);
  const auto& request = server->root->request;
  const auto& buffers = request.large_client_header_buffers;
  const auto line = std::max(buffers.size, request.client_header_buffer_size);
  const auto whole = std::max(buffers.count * buffers.size, line);
  constexpr std::uint64_t kLargest = 16u << 20;
  server->header_line_limit = static_cast<std::uint32_t>(std::min(line, kLargest));
  server->header_limit = static_cast<std::uint32_t>(std::min(whole, kLargest));
  tls.prepare(*server, acme);
  return server;
}

}  // namespace

TypeSet charset_default_types() {
  return {false,
          {"text/html", "text/xml", "text/plain", "text/vnd.wap.wml", "application/javascript",
           "application/rss+xml"}};
}

RequestConfig request_config(const Settings& s, Dialect dialect) {
  const bool careful = dialect == Dialect::yaml;
  RequestConfig r;
#define WEIR_SETTING(type, name, ...) \
  if (s.name) r.name = *s.name;
#define WEIR_SETTING_BY_DIALECT(type, name, nginx, careful_default) \
  r.name = s.name ? *s.name : careful ? type(careful_default) : type(nginx);
#include "config/settings.def"
#undef WEIR_SETTING
#undef WEIR_SETTING_BY_DIALECT
  // `off` wins over the words beside it.
  if ((r.gzip_proxied & gzip_off) != 0) r.gzip_proxied = 0;
  if ((r.proxy_next_upstream & next_off) != 0) r.proxy_next_upstream = next_off;
  if ((r.grpc_next_upstream & next_off) != 0) r.grpc_next_upstream = next_off;
  return r;
}

void Compiler::finish() {
  if (diagnostics_.failed()) return;  // drafts may be incomplete
  TlsContexts tls(options_.tls, diagnostics_);
  AcmeResolver acme(*this, *model_, diagnostics_);
  for (auto& draft : servers_) {
    if (draft->ssl.value_or(ssl_)) {
      for (auto& listen : draft->listens) listen.ssl = true;
    }
    const auto stored = acme.certificate(*draft);
    model_->servers.push_back(make_server(*model_, *draft, http_, tls, stored, diagnostics_));
  }
  finish_streams(tls);
  for (auto& upstream : model_->upstreams) {
    const auto& around = upstream.stream ? stream_ : http_;
    if (!upstream.resolver) upstream.resolver = around.resolver;
    if (!upstream.resolver_timeout) upstream.resolver_timeout = around.resolver_timeout;
  }
  join_listens(*model_, diagnostics_);
  tls.check_listeners(*model_);
  acme.check_listeners();
  TlsContexts::prepare_checks(*model_);
  model_->certificates = tls.take_certificates();
  model_->staples = tls.take_asks();
  staples_ = tls.take_staples();
  acme.mark_certificates();
  warn_conflicts(*model_, diagnostics_);
  if (model_->servers.empty() && model_->streams.empty()) {
    diagnostics_.warning({}, "there is no server; nothing will be served");
  }
}

}  // namespace weir::config
