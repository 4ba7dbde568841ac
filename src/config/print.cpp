#include "config/print.h"

#include <array>

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
    case Variable::map:
      return "map:" + model.maps[reference.index].variable;
    case Variable::capture:
      return std::to_string(reference.index);
    case Variable::named_capture:
      return "capture:" + model.captures[reference.index];
    default:
      break;
  }
  for (const auto& row : variable_names()) {
    if (row.id == reference.id) return std::string(row.name);
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
    for (const auto& log : model_.error_logs) {
      line("error_log", log.path + " " + std::to_string(static_cast<int>(log.level)));
    }
    for (const auto& format : model_.log_formats) {
      line("log_format " + format.name +
               " escape=" + std::to_string(static_cast<int>(format.escape)),
           format.format);
    }
    for (const auto& map : model_.maps) print_map(map);
    for (const auto& upstream : model_.upstreams) print_upstream(upstream);
    for (const auto& server : model_.servers) print_server(*server);
    if (model_.admin) {
      open("admin");
      for (const auto& listen : model_.admin->listens) print_listen(listen);
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

  void print_map(const MapConfig& map) {
    open("map " + text(map.source) + " $" + map.variable + (map.hostnames ? " hostnames" : "") +
         (map.volatile_ ? " volatile" : ""));
    for (const auto& entry : map.exact) line("exact " + entry.key, entry.value);
    for (const auto& entry : map.leading_wildcards) line("leading " + entry.key, entry.value);
    for (const auto& entry : map.trailing_wildcards) line("trailing " + entry.key, entry.value);
    for (const auto& entry : map.patterns) line("pattern", entry.value);
    line("default", map.default_);
    close();
  }

  void print_upstream(const UpstreamConfig& upstream) {
    open("upstream " + upstream.name + (upstream.implicit ? " implicit" : "") +
         (upstream.balance == Balance::ip_hash ? " ip_hash" : ""));
    for (const auto& peer : upstream.peers) {
      raw("peer " + peer.name + " at " +
          (peer.where.unix_path.empty() ? peer.where.host + ":" + std::to_string(peer.where.port)
                                        : "unix:" + peer.where.unix_path) +
          " weight=" + std::to_string(peer.weight) +
          " max_fails=" + std::to_string(peer.max_fails) +
          " fail_timeout=" + std::to_string(peer.fail_timeout.count()) +
          "s max_conns=" + std::to_string(peer.max_conns) + (peer.backup ? " backup" : "") +
          (peer.down ? " down" : ""));
    }
    const auto& keep = upstream.keepalive;
    raw("keepalive " + std::to_string(keep.connections) +
        " requests=" + std::to_string(keep.requests) + " time=" + print(keep.time) +
        " timeout=" + print(keep.timeout));
    if (upstream.health_check) print_check(*upstream.health_check);
    close();
  }

  void print_check(const HealthCheckConfig& check) {
    std::string status = check.status_negated ? "!" : "";
    for (const auto& range : check.status) {
      status += std::to_string(range.from) + "-" + std::to_string(range.to) + ",";
    }
    raw("health_check " + std::string(check.tcp_only ? "tcp" : "http") +
        " interval=" + print(check.interval) + " jitter=" + print(check.jitter) +
        " timeout=" + print(check.timeout) + " fast=" + print(check.fast_interval) +
        " fails=" + std::to_string(check.fails) + " passes=" + std::to_string(check.passes) +
        " uri=" + check.uri + " host=" + check.host + " port=" + std::to_string(check.port) +
        " status=" + status + (check.mandatory ? " mandatory" : ""));
  }

  void print_listen(const Listen& listen) {
    raw("listen " + listen.text + (listen.default_server ? " default_server" : "") +
        " backlog=" + std::to_string(listen.backlog) + (listen.reuseport ? " reuseport" : "") +
        (listen.ipv6only ? (*listen.ipv6only ? " ipv6only=on" : " ipv6only=off") : "") +
        " rcvbuf=" + std::to_string(listen.rcvbuf) + " sndbuf=" + std::to_string(listen.sndbuf) +
        (listen.so_keepalive ? " so_keepalive" : "") + (listen.deferred ? " deferred" : "") +
        " fastopen=" + std::to_string(listen.fastopen));
  }

  void print_server(const ServerConfig& server) {
    open("server " + server.primary_name);
    static constexpr std::array<const char*, 4> kKinds = {"exact", "leading", "trailing", "regex"};
    for (const auto& name : server.names) {
      line(std::string("name ") + kKinds[static_cast<std::size_t>(name.kind)], name.text);
    }
    for (const auto& listen : server.listens) print_listen(listen);
    line("client_header_timeout", server.client_header_timeout);
    line("header_limit", server.header_limit);
    line("header_line_limit", server.header_line_limit);
    line("ignore_invalid_headers", server.ignore_invalid_headers);
    line("underscores_in_headers", server.underscores_in_headers);
    line("merge_slashes", server.merge_slashes);
    print_location(*server.root);
    close();
  }

  void print_location(const Location& location) {
    static constexpr std::array<const char*, 5> kKinds = {"prefix", "prefix_no_regex", "exact",
                                                          "regex", "named"};
    open(std::string("location ") + kKinds[static_cast<std::size_t>(location.kind)] + " " +
         location.path);
    print_request(location.request);
    if (location.return_) {
      line("return " + std::to_string(location.return_->status) +
               (location.return_->redirect ? " redirect" : ""),
           location.return_->text);
    }
    if (location.proxy) print_proxy(*location.proxy);
    for (const auto& nested : location.nested) print_location(*nested);
    close();
  }

  void print_request(const RequestConfig& request) {
    line("client_max_body_size", request.client_max_body_size);
    line("client_body_buffer_size", request.client_body_buffer_size);
    line("client_body_timeout", request.client_body_timeout);
    line("send_timeout", request.send_timeout);
    line("keepalive_timeout", request.keepalive_timeout);
    if (request.keepalive_header) line("keepalive_header", *request.keepalive_header);
    line("keepalive_requests", request.keepalive_requests);
    line("keepalive_time", request.keepalive_time);
    line("lingering_time", request.lingering_time);
    line("lingering_timeout", request.lingering_timeout);
    line("min_body_rate", request.min_body_rate);
    line("real_ip from=" + std::to_string(request.real_ip.from.size()) +
             " header=" + request.real_ip.header + " recursive",
         request.real_ip.recursive);
    for (const auto& field : request.add_headers) {
      line("add_header " + field.name + (field.always ? " always" : ""), field.value);
    }
    for (const auto& log : request.access_logs) {
      raw("access_log " + log.path + " " + model_.log_formats[log.format].name +
          " buffer=" + std::to_string(log.buffer) + " flush=" + print(log.flush) +
          (log.condition ? " if=" + text(*log.condition) : ""));
    }
    line("default_type", request.default_type);
    line("server_tokens", request.server_tokens);
    line("log_not_found", request.log_not_found);
  }

  void print_proxy(const ProxyConfig& proxy) {
    open("proxy " + (proxy.upstream ? model_.upstreams[*proxy.upstream].name : text(proxy.target)) +
         (proxy.has_uri ? " uri=" + proxy.uri : "") + " host=" + proxy.host +
         " port=" + proxy.port_text);
    for (const auto& field : proxy.set_headers) line("set " + field.name, field.value);
    for (const auto& name : proxy.hide_headers) line("hide", name);
    line("http10", proxy.http10);
    line("forward_upgrade", proxy.forward_upgrade);
    line("next_upstream", proxy.next_upstream);
    line("next_upstream_tries", proxy.next_upstream_tries);
    line("next_upstream_timeout", proxy.next_upstream_timeout);
    line("connect_timeout", proxy.connect_timeout);
    line("send_timeout", proxy.send_timeout);
    line("read_timeout", proxy.read_timeout);
    line("tunnel_timeout", proxy.tunnel_timeout);
    line("default_redirect", proxy.default_redirect);
    line("buffering", proxy.buffering);
    line("request_buffering", proxy.request_buffering);
    line("retry_body_limit", proxy.retry_body_limit);
    line("pass_early_hints", proxy.pass_early_hints);
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

std::string print(const Model& model) { return Printer(model).run(); }

}  // namespace weir::config
