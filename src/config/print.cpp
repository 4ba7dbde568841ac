#include "config/print.h"

#include <algorithm>
#include <array>

#include "config/print_settings.h"
#include "config/variable_names.h"

namespace weir::config {
namespace {

std::string name_of(const VariableRef& reference, const Model& model) {
  switch (reference.id) {
    case Variable::http:
      return "http:" + reference.argument;
    case Variable::sent_http:
      return "sent_http:" + reference.argument;
    case Variable::upstream_http:
      return "upstream_http:" + reference.argument;
    case Variable::arg:
      return "arg:" + reference.argument;
    case Variable::cookie:
      return "cookie:" + reference.argument;
    case Variable::sent_trailer:
      return "sent_trailer:" + reference.argument;
    case Variable::upstream_cookie:
      return "upstream_cookie:" + reference.argument;
    case Variable::upstream_trailer:
      return "upstream_trailer:" + reference.argument;
    case Variable::proxy_protocol_tlv:
      return "proxy_protocol_tlv:" + reference.argument;
    case Variable::capture:
      return std::to_string(reference.index);
    case Variable::user:
      return "user:" + model.variables[reference.index].name;
    default:
      break;
  }
  for (const auto& names : {variable_names(), stream_variable_names()}) {
    for (const auto& row : names) {
      if (row.id == reference.id) return std::string(row.name);
    }
  }
  return "?";
}

// Writes indented lines.
class Printer {
 public:
  explicit Printer(const Model& model) : model_(model) {}

  std::string run() {
    line("dialect", model_.dialect == Dialect::yaml ? "careful" : "nginx");
    line("workers", model_.workers);
    line("worker_connections", model_.worker_connections);
    line("rlimit_nofile", model_.rlimit_nofile);
    line("shutdown_timeout", model_.shutdown_timeout);
    line("user", model_.user);
    line("pid", model_.pid_path);
    print_process(model_.process);
    for (const auto& log : model_.error_logs) line("error_log", print(log));
    const auto& limit = model_.error_log_limit;
    line("error_log_limit", limit.lines == 0
                                ? std::string("off")
                                : std::to_string(limit.lines) + " " + print(limit.window));
    for (const auto& format : model_.log_formats) {
      line("log_format " + format.name +
               " escape=" + std::to_string(static_cast<int>(format.escape)),
           format.format);
    }
    for (const auto& variable : model_.variables) print_variable(variable);
    for (const auto& zone : model_.limit_zones) print_zone(zone);
    for (const auto& map : model_.charset_maps) {
      open("charset_map " + map.from + " " + map.to);
      for (const auto& entry : map.entries) raw(std::to_string(entry.byte) + " " + entry.text);
      close();
    }
    print_trace(model_.trace);
    for (const auto& issuer : model_.acme_issuers) print_issuer(issuer);
    for (const auto& wanted : model_.acme_certificates) {
      std::string names;
      for (const auto& name : wanted.names) names += " " + name;
      raw("acme_certificate " + wanted.issuer + names +
          " key=" + std::to_string(static_cast<int>(wanted.key)));
    }
    for (const auto& upstream : model_.upstreams) print_upstream(upstream);
    for (const auto& server : model_.servers) print_server(*server);
    for (const auto& server : model_.streams) print_stream(*server);
    if (model_.admin) {
      open("admin");
      const auto& admin = *model_.admin;
      for (const auto& listen : admin.listens) print_listen(listen);
      if (!admin.token.empty()) line("token", admin.token);
      if (!admin.control.empty()) line("control", admin.control);
      if (!admin.has_control) line("control", "off");
      if (!admin.state_file.empty()) line("state_file", admin.state_file);
      for (const auto& host : admin.hosts) line("host", host);
      close();
    }
    return std::move(out_);
  }

  std::string text(const Value& value) const {
    std::string out;
    for (const auto& part : value.parts()) {
      out += part.is_variable ? "${" + name_of(part.variable, model_) + "}" : part.literal;
    }
    return out;
  }

 private:
  void raw(const std::string& content) { out_ += std::string(2 * depth_, ' ') + content + "\n"; }
  void open(const std::string& content) {
    raw(content);
    ++depth_;
  }
  void close() { --depth_; }

  void line(const std::string& name, const std::string& value) { raw(name + " " + value); }
  void line(const std::string& name, const char* value) { raw(name + " " + value); }
  void line(const std::string& name, bool value) { raw(name + (value ? " on" : " off")); }
  void line(const std::string& name, std::uint64_t value) {
    raw(name + " " + std::to_string(value));
  }
  void line(const std::string& name, std::uint32_t value) {
    raw(name + " " + std::to_string(value));
  }
  void line(const std::string& name, Duration value) { raw(name + " " + print(value)); }
  void line(const std::string& name, const Value& value) { raw(name + " " + text(value)); }

  void print_variable(const UserVariable& variable) {
    const std::string name = "$" + variable.name + (variable.volatile_ ? " volatile" : "");
    switch (variable.source) {
      case UserVariable::Source::none:
        return raw("variable " + name);
      case UserVariable::Source::map:
        return print_map(name, model_.maps[variable.index]);
      case UserVariable::Source::geo:
        return print_geo(name, model_.geos[variable.index]);
      case UserVariable::Source::split_clients:
        return print_split(name, model_.split_clients[variable.index]);
    }
  }

  void print_map(const std::string& name, const MapConfig& map) {
    open("map " + text(map.source) + " " + name + (map.hostnames ? " hostnames" : ""));
    for (const auto& entry : map.exact) line("exact " + entry.key, entry.value);
    for (const auto& entry : map.leading_wildcards) line("leading " + entry.key, entry.value);
    for (const auto& entry : map.trailing_wildcards) line("trailing " + entry.key, entry.value);
    for (const auto& entry : map.patterns) line("pattern " + print(entry.pattern), entry.value);
    line("default", map.default_);
    close();
  }

  void print_geo(const std::string& name, const GeoConfig& geo) {
    open("geo " + text(geo.source) + " " + name + (geo.ranges ? " ranges" : "") +
         (geo.proxy_recursive ? " proxy_recursive" : ""));
    for (const auto& entry : geo.networks) line(entry.network.text(), entry.value);
    for (const auto& range : geo.address_ranges) {
      line(std::to_string(range.from) + "-" + std::to_string(range.to), range.value);
    }
    for (const auto& proxy : geo.proxies) line("proxy", proxy.text());
    line("default", geo.default_);
    close();
  }

  void print_trace(const TraceConfig& trace) {
    if (trace.host.empty()) return;
    open("otel_exporter " + trace.authority + trace.path + " " + trace.service_name);
    line("interval", trace.interval);
    line("batches", std::to_string(trace.batch_count) + " x " + std::to_string(trace.batch_size));
    for (const auto& [name, value] : trace.headers) line("header " + name, value);
    for (const auto& [name, value] : trace.resource) line("resource " + name, value);
    close();
  }

  void print_split(const std::string& name, const SplitClientsConfig& split) {
    open("split_clients " + text(split.source) + " " + name);
    for (const auto& part : split.parts) line(std::to_string(part.hundredths), part.value);
    close();
  }

  void print_zone(const LimitZone& zone) {
    line(std::string(zone.requests ? "limit_req_zone " : "limit_conn_zone ") + zone.name +
             " size=" + std::to_string(zone.size) + " rate=" + std::to_string(zone.rate),
         zone.key);
  }

  std::string method_of(const UpstreamConfig& upstream) const {
    if (upstream.balance == Balance::round_robin) return "";
    const std::string key = text(upstream.balance_key);
    const std::string bound =
        upstream.balance_bound == 0 ? "" : " bounded=" + std::to_string(upstream.balance_bound);
    return std::string(" ") + to_string(upstream.balance) + (key.empty() ? "" : " by " + key) +
           bound;
  }

  void print_sticky(const StickyConfig& sticky) {
    static constexpr const char* kinds[] = {"cookie", "route", "learn"};
    std::string out = std::string("sticky ") + kinds[static_cast<std::size_t>(sticky.kind)];
    for (const auto& value : sticky.lookup) out += " lookup=" + text(value);
    for (const auto& value : sticky.create) out += " create=" + text(value);
    if (sticky.expires) out += " expires=" + std::to_string(sticky.expires->count()) + "s";
    raw(out + (sticky.expires_max ? " expires=max" : "") + " name=" + sticky.cookie +
        " domain=" + text(sticky.domain) + " samesite=" + text(sticky.samesite) +
        " path=" + sticky.path + (sticky.httponly ? " httponly" : "") +
        (sticky.secure ? " secure" : "") + " zone=" + sticky.zone + ":" +
        std::to_string(sticky.zone_size) + " timeout=" + std::to_string(sticky.timeout.count()) +
        "ms" + (sticky.at_header ? " header" : ""));
  }

  void print_upstream_rules(const UpstreamConfig& upstream) {
    if (upstream.sticky) print_sticky(*upstream.sticky);
    const auto number = [](auto value) { return std::to_string(value); };
    if (upstream.queue.size > 0) {
      raw("queue " + number(upstream.queue.size) +
          " timeout=" + number(upstream.queue.timeout.count()) + "ms");
    }
    const auto& eject = upstream.eject;
    if (eject.on) {
      raw("eject fails=" + number(eject.in_row) + " rate=" + number(eject.percent) +
          " requests=" + number(eject.requests) + " window=" + number(eject.window.count()) +
          "ms time=" + number(eject.base.count()) + "ms max=" + number(eject.most.count()) +
          "ms min_available=" + number(eject.min_available));
    }
    const auto& retry = upstream.retry;
    if (retry.budget > 0) {
      raw("retry_budget " + number(retry.budget) + " least=" + number(retry.budget_least));
    }
    if (retry.idempotency_key) raw("retry_idempotency_key");
    for (const auto& path : retry.safe) raw("retry_safe " + path.text);
    const auto& unavailable = upstream.unavailable;
    if (unavailable.status != 502 || unavailable.retry_after.count() > 0) {
      raw("unavailable status=" + number(unavailable.status) +
          " retry_after=" + number(unavailable.retry_after.count()) + "s");
    }
    if (unavailable.fail_open) raw("fail_open");
    if (upstream.nocobase) raw("profile nocobase");
    if (upstream.forget != std::chrono::minutes{10}) {
      raw("forget " + number(upstream.forget.count()) + "ms");
    }
  }

  void print_upstream(const UpstreamConfig& upstream) {
    open("upstream " + upstream.name + (upstream.implicit ? " implicit" : "") +
         method_of(upstream));
    for (const auto& peer : upstream.peers) {
      raw("peer " + peer.name + " at " +
          (peer.where.unix_path.empty() ? peer.where.host + ":" + std::to_string(peer.where.port)
                                        : "unix:" + peer.where.unix_path) +
          " weight=" + std::to_string(peer.weight) +
          " max_fails=" + std::to_string(peer.max_fails) +
          " fail_timeout=" + std::to_string(peer.fail_timeout.count()) +
          "s max_conns=" + std::to_string(peer.max_conns) + (peer.backup ? " backup" : "") +
          (peer.down ? " down" : "") + (peer.drain ? " drain" : "") +
          (peer.route.empty() ? "" : " route=" + peer.route) + (peer.resolve ? " resolve" : "") +
          (peer.service.empty() ? "" : " service=" + peer.service) +
          (peer.slow_start == Duration{0}
               ? ""
               : " slow_start=" + std::to_string(peer.slow_start.count()) + "ms"));
    }
    const auto& keep = upstream.keepalive;
    raw("keepalive " + std::to_string(keep.connections) +
        " requests=" + std::to_string(keep.requests) + " time=" + print(keep.time) +
        " timeout=" + print(keep.timeout));
    if (upstream.proxy_protocol != ProxyProtocol::off) {
      raw(std::string("proxy_protocol ") +
          (upstream.proxy_protocol == ProxyProtocol::v1 ? "v1" : "v2"));
    }
    for (const auto& check : upstream.health_checks) print_check(check);
    print_upstream_rules(upstream);
    if (upstream.registry) print_registry(*upstream.registry);
    close();
  }

  void print_issuer(const AcmeIssuer& issuer) {
    open("acme_issuer " + issuer.name);
    line("uri", issuer.uri);
    for (const auto& contact : issuer.contacts) line("contact", contact);
    raw("challenge " + std::to_string(static_cast<int>(issuer.challenge)) +
        " account_key=" + std::to_string(static_cast<int>(issuer.account_key)) +
        (issuer.accepts_terms ? " terms" : "") + (issuer.verify ? " verify" : "") +
        " retry=" + print(issuer.retry));
    line("account", issuer.account.path);
    line("trusted", issuer.trusted.path);
    line("external " + issuer.external_id, issuer.external_key.path);
    line("profile", issuer.profile);
    close();
  }

  void print_registry(const RegistryConfig& registry) {
    static constexpr std::array<const char*, 5> kForms = {"weir", "text", "field", "pointer",
                                                          "address"};
    raw("registry " + registry.url.masked() + " app=" + registry.app +
        " form=" + kForms[static_cast<std::size_t>(registry.form)] + " key=" + registry.key +
        " detail=" + registry.detail + " channel=" + registry.channel + " name=" +
        registry.tls_name + " forget=" + print(registry.forget) + " poll=" + print(registry.poll) +
        (registry.counts_fails ? " max_fails=" + std::to_string(registry.node.max_fails) : "") +
        " fail_timeout=" + std::to_string(registry.node.fail_timeout.count()) + "s max_conns=" +
        std::to_string(registry.node.max_conns) + " slow_start=" + print(registry.node.slow_start));
  }

  void print_check(const HealthCheckConfig& check) {
    const auto& match = check.match;
    std::string status = match.status_negated ? "!" : "";
    for (const auto& range : match.status) {
      status += std::to_string(range.from) + "-" + std::to_string(range.to) + ",";
    }
    raw("health_check " + std::string(to_string(check.type)) +
        " interval=" + print(check.interval) + " jitter=" + print(check.jitter) +
        " timeout=" + print(check.timeout) + " fast=" + print(check.fast_interval) +
        " fails=" + std::to_string(check.fails) + " passes=" + std::to_string(check.passes) +
        " uri=" + check.uri + " host=" + check.host + " port=" + std::to_string(check.port) +
        " status=" + status + (check.mandatory ? " mandatory" : "") +
        (check.keepalive_time > Duration{0} ? " keepalive=" + print(check.keepalive_time) : "") +
        (check.grace > Duration{0} ? " grace=" + print(check.grace) : ""));
    if (check.type == CheckType::grpc) {
      line("grpc " + std::to_string(check.grpc_status), check.grpc_service);
    }
    for (const auto& test : match.headers) print_test("header " + test.name, test);
    for (const auto& variable : match.require) line("check_require", name_of(variable, model_));
    for (const auto& test : match.body) print_test("body", test);
    if (!match.send.empty()) line("check_send", match.send);
    if (match.expect) print_test("expect", *match.expect);
  }

  void print_test(const std::string& what, const MatchConfig::Test& test) {
    static constexpr std::array<const char*, 4> kKinds = {"present", "equals", "contains", "regex"};
    const bool caseless = test.regex != nullptr && test.regex->caseless();
    raw("check_" + what + (test.negated ? " not " : " ") +
        kKinds[static_cast<std::size_t>(test.kind)] + (caseless ? " caseless" : "") +
        (test.text.empty() ? "" : " " + test.text));
  }

  static std::string keepalive_times(const Listen& listen) {
    if (listen.keepalive_idle + listen.keepalive_interval + listen.keepalive_count == 0) return "";
    return "=" + std::to_string(listen.keepalive_idle) + ":" +
           std::to_string(listen.keepalive_interval) + ":" + std::to_string(listen.keepalive_count);
  }

  void print_listen(const Listen& listen) {
    raw("listen " + listen.text + (listen.default_server ? " default_server" : "") +
        " backlog=" + std::to_string(listen.backlog) + (listen.reuseport ? " reuseport" : "") +
        (listen.ipv6only ? (*listen.ipv6only ? " ipv6only=on" : " ipv6only=off") : "") +
        " rcvbuf=" + std::to_string(listen.rcvbuf) + " sndbuf=" + std::to_string(listen.sndbuf) +
        (listen.so_keepalive ? " so_keepalive" : "") + keepalive_times(listen) +
        (listen.deferred ? " deferred" : "") + " fastopen=" + std::to_string(listen.fastopen) +
        (listen.proxy_protocol ? " proxy_protocol" : "") + (listen.ssl ? " ssl" : ""));
  }

  void print_server(const ServerConfig& server) {
    open("server " + server.primary_name);
    static constexpr std::array<const char*, 4> kKinds = {"exact", "leading", "trailing", "regex"};
    for (const auto& name : server.names) {
      line(std::string("name ") + kKinds[static_cast<std::size_t>(name.kind)], name.text);
    }
    for (const auto& listen : server.listens) print_listen(listen);
    line("header_limit", server.header_limit);
    line("header_line_limit", server.header_line_limit);
    print_location(*server.root);
    close();
  }

  void print_stream(const StreamServer& server) {
    const auto& o = server.options;
    open("stream");
    print_server(server);
    if (server.upstream) line("pass", model_.upstreams[*server.upstream].name);
    if (!server.target.empty()) line("pass", server.target);
    if (server.answer) line("return", *server.answer);
    line("preread", o.ssl_preread);
    line("preread_timeout", o.preread_timeout);
    line("preread_buffer_size", o.preread_buffer_size);
    line("proxy_protocol_timeout", o.proxy_protocol_timeout);
    line("timeout", o.proxy_timeout);
    line("next_upstream", o.proxy_next_upstream);
    line("buffer_size", o.proxy_buffer_size);
    line("upload_rate", o.proxy_upload_rate);
    line("download_rate", o.proxy_download_rate);
    line("half_close", o.proxy_half_close);
    line("proxy_protocol", o.proxy_protocol);
    line("proxy_protocol_version", o.proxy_protocol_version);
    line("tls", o.proxy_ssl);
    if (o.proxy_responses) line("responses", *o.proxy_responses);
    line("requests", o.proxy_requests);
    line("udp_sessions", o.udp_sessions);
    close();
  }

  void print_location(const Location& location) {
    static constexpr std::array<const char*, 6> kKinds = {"prefix", "prefix_no_regex", "exact",
                                                          "regex",  "named",           "unnamed"};
    open(std::string("location ") + kKinds[static_cast<std::size_t>(location.kind)] + " " +
         location.path +
         (location.pattern && location.pattern.regex->caseless() ? " caseless" : ""));
    if (location.internal) raw("internal");
    for (const auto& setting : print_settings(location.request, model_)) raw(setting);
    for (const auto& rule : print_rules(location.rules, model_)) raw(rule);
    if (location.try_files) print_try_files(*location.try_files);
    if (location.random_index) raw("random_index");
    std::visit([this](const auto& content) { print_content(content); }, location.content);
    if (location.except) {
      raw("limit_except " + std::to_string(location.allowed_methods));
      print_location(*location.except);
    }
    for (const auto& nested : location.nested) print_location(*nested);
    close();
  }

  void print_process(const ProcessConfig& process) {
    if (process.daemon) line("daemon", *process.daemon);
    line("master_process", process.master_process);
    line("group", process.group);
    for (const auto& entry : process.environment) {
      line("env", entry.name + (entry.value ? "=" + *entry.value : ""));
    }
    line("working_directory", process.working_directory);
    if (process.rlimit_core) line("rlimit_core", *process.rlimit_core);
    line("priority", std::to_string(process.priority));
  }

  void print_try_files(const TryFiles& files) {
    open("try_files");
    for (const auto& entry : files.entries) {
      line(entry.directory ? "directory" : "file", entry.path);
    }
    line("last " + std::to_string(files.status), files.last);
    close();
  }

  void print_content(const std::monostate&) {}
  void print_content(const StubStatus&) { raw("stub_status"); }
  void print_content(const EmptyGif&) { raw("empty_gif"); }
  void print_content(const ProxyConfig& proxy) {
    open("proxy " + (proxy.upstream ? model_.upstreams[*proxy.upstream].name : text(proxy.target)) +
         (proxy.has_uri ? " uri=" + proxy.uri : "") + " host=" + proxy.host +
         " port=" + proxy.port_text + (proxy.tls ? " tls" : "") +
         (proxy.grpc    ? " grpc"
          : proxy.http2 ? " http2"
                        : ""));
    for (const auto& field : proxy.set_headers) line("set " + field.name, field.value);
    for (const auto& name : proxy.hide_headers) line("hide", name);
    for (const auto& rule : proxy.redirects) line("redirect", print(rule, model_));
    line("forward_upgrade", proxy.forward_upgrade);
    line("tunnel_timeout", proxy.tunnel_timeout);
    line("response_head_limit", proxy.response_head_limit);
    close();
  }

  const Model& model_;
  std::string out_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string print(Duration duration) {
  const auto count = duration.count();
  return count % 1000 == 0 ? std::to_string(count / 1000) + "s" : std::to_string(count) + "ms";
}

std::string print(const Value& value, const Model& model) { return Printer(model).text(value); }

std::string print_plainly(const Value& value, const Model& model) {
  std::string out;
  const auto& parts = value.parts();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].is_variable) {
      out += parts[i].literal;
      continue;
    }
    auto name = name_of(parts[i].variable, model);
    if (parts[i].variable.id == Variable::user) name.erase(0, name.find(':') + 1);
    std::replace(name.begin(), name.end(), ':', '_');
    std::replace(name.begin(), name.end(), '-', '_');
    const char next =
        i + 1 < parts.size() && !parts[i + 1].is_variable && !parts[i + 1].literal.empty()
            ? parts[i + 1].literal.front()
            : ' ';
    const bool goes_on = next == '_' || (next >= '0' && next <= '9') ||
                         (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
    out += goes_on ? "${" + name + "}" : "$" + name;
  }
  return out;
}

std::string print_plainly(const StickyConfig& sticky, const Model& model) {
  std::string out = to_string(sticky.kind);
  if (sticky.kind == StickyConfig::Kind::cookie) return out + " " + sticky.cookie;
  for (const auto& value : sticky.lookup) out += " " + print_plainly(value, model);
  return out;
}

std::string print(const Model& model) { return Printer(model).run(); }

}  // namespace weir::config
