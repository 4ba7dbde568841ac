#include "stream/session.h"

#include <algorithm>
#include <charconv>

#include "net/tls_stream.h"
#include "proxy/escape_log.h"
#include "proxy/text.h"
#include "stream/variables.h"

namespace weir::stream {

Session::Session(proxy::Worker& worker, const Origin& origin)
    : Guest(worker),
      worker_(worker),
      pin_(worker.runtime()),
      origin_(origin),
      listen_(pin_->get().stream_listens.find(origin.listen_text)->second),
      stats_(listen_.stats->of(worker.index())),
      waiter_(worker.loop()),
      opened_(worker.loop().now()),
      client_address_(origin.peer) {
  stats_.begun.add();
}

bool Session::is_of(std::uint64_t generation) const { return pin_->get().generation <= generation; }

// ---- variables
// -----------------------------------------------------------------------------------

void Session::evaluate(const config::Value& value, std::string& out) {
  stream::evaluate(value, *this, out);
}

std::string Session::text_of(const config::Value& value) {
  std::string text;
  stream::evaluate(value, *this, text);
  return text;
}

std::uint64_t Session::rate_of(const config::Value& value) {
  if (value.empty()) return 0;
  const auto text = text_of(value);
  std::uint64_t rate = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  std::uint64_t unit = 1;
  if (end != text.data() + text.size()) {
    const char c = static_cast<char>(*end | 0x20);
    unit = c == 'k' ? 1024 : c == 'm' ? 1024 * 1024 : 0;
  }
  if (error == std::errc{} && unit != 0) return rate * unit;
  log(LogLevel::error, "invalid rate \"" + text + "\"; there is no limit");
  return 0;
}

bool Session::match(const config::Pattern& pattern, std::string_view subject) {
  config::Regex::Captures captures;
  if (!pattern.regex->match(subject, &captures)) return false;
  captured_.assign(subject);
  captures_.swap(captures);
  for (const auto& [group, variable] : pattern.variables) {
    variables_.assign(variable, capture(group));
  }
  return true;
}

std::string_view Session::capture(std::size_t group) const {
  if (group >= captures_.size() || captures_[group].first == std::string::npos) return {};
  const auto [from, to] = captures_[group];
  return std::string_view(captured_).substr(from, to - from);
}

void Session::used_before_set(const std::string& name) {
  log(LogLevel::warn, "using uninitialized \"" + name + "\" variable");
}

std::string_view Session::pool_name() const {
  return pool_ == nullptr ? std::string_view{} : std::string_view(pool_->pool->name());
}

// ---- who may
// -------------------------------------------------------------------------------------

int Session::admit() {
  apply_real_ip();
  for (const auto& rule : config().root->rules) {
    if (const auto* set = std::get_if<config::SetRule>(&rule)) {
      variables_.assign(set->variable.index, text_of(set->value));
    }
  }
  if (const int status = limit_connections(); status != kGoesOn) return status;
  const auto& acl = listen_.node->tools.acl;
  if (!acl.empty() && acl.check(client_address_) == access::Access::denied) {
    log(LogLevel::error, "access forbidden by rule");
    return kForbidden;
  }
  return kGoesOn;
}

// `set_real_ip_from`: what the PROXY protocol says is believed from those.
void Session::apply_real_ip() {
  const auto& from = request().set_real_ip_from;
  if (proxied_ == nullptr || from.empty()) return;
  if (!proxied_->client.is_v4() && !proxied_->client.is_v6()) return;
  const bool trusted = std::any_of(from.begin(), from.end(),
                                   [&](const Cidr& range) { return range.contains(origin_.peer); });
  if (trusted) client_address_ = proxied_->client.unmapped();
}

int Session::limit_connections() {
  const auto& r = request();
  const auto& limits = listen_.node->tools.connection_limits;
  if (limits.empty()) return kGoesOn;
  const auto& zones = runtime().model->limit_zones;
  std::vector<std::string> texts;
  for (const auto& limit : r.limit_conn) texts.push_back(text_of(zones[limit.zone].key));
  const std::vector<std::string_view> keys(texts.begin(), texts.end());
  const auto decision = access::limit_connections(limits, keys, leases_);
  limit_status_ = access::connection_status(decision.verdict, r.limit_conn_dry_run);
  if (decision.verdict != access::ConnectionVerdict::rejected) return kGoesOn;
  log(static_cast<LogLevel>(r.limit_conn_log_level),
      std::string("limiting connections") + (r.limit_conn_dry_run ? ", dry run," : "") +
          " by zone \"" + zones[r.limit_conn[decision.limit].zone].name + "\"");
  return r.limit_conn_dry_run ? kGoesOn : kUnavailable;
}

// ---- the end
// -------------------------------------------------------------------------------------

void Session::finish(int status) {
  status_ = status;
  leases_.clear();
  stats_.by_class[static_cast<std::size_t>(status / 100) % stats_.by_class.size()].add();
  write_access_logs();
}

void Session::write_access_logs() {
  std::string text;
  for (const auto& log : request().access_log) {
    if (log.condition && !proxy::is_true(text_of(*log.condition))) continue;
    const auto path = log.syslog ? std::string() : text_of(log.path);
    std::string line;
    const auto& format = runtime().model->log_formats[log.format];
    for (const auto& part : format.format.parts()) {
      if (!part.is_variable) {
        line.append(part.literal);
        continue;
      }
      text.clear();
      stream::evaluate(part.variable, *this, text);
      proxy::append_log_value(line, text, format.escape);
    }
    worker_.access_logs().line(log, path, worker_.loop().now()).append(line);
    worker_.access_logs().end_line();
  }
}

Log& Session::error_log() const {
  const auto& own = listen_.node->tools.log;
  return own != nullptr ? *own : worker_.log();
}

void Session::log(LogLevel level, std::string_view text) const {
  auto& log = error_log();
  if (!log.enabled(level)) return;
  // The failures of one peer hide no other's. Pools made for an address are as many as clients
  // like.
  std::string subject;
  if (pool_ != nullptr && pool_->config != nullptr) {
    subject.append(" of ").append(pool_->pool->name());
    if (!attempts_.empty() && attempts_.back().peer != nullptr) {
      subject.append(", ").append(attempts_.back().peer->text);
    }
  }
  if (!worker_.may_log(listen_.node->tools.log, level, text, subject)) return;
  std::string line(text);
  line.append(origin_.udp ? ", udp client: " : ", client: ").append(client_address_.host_text());
  const std::string_view server = origin_.listen_text;
  line.append(", server: ").append(server.substr(origin_.udp ? net::kUdpMark.size() : 0));
  std::uint64_t from_peer = 0;
  std::uint64_t to_peer = 0;
  if (!attempts_.empty()) {
    const auto& last = attempts_.back();
    if (last.peer != nullptr) line.append(", upstream: \"").append(last.peer->text).append("\"");
    from_peer = last.received;
    to_peer = last.sent;
  }
  line.append(", bytes from/to client:").append(std::to_string(received_));
  line.append("/").append(std::to_string(sent_));
  line.append(", bytes from/to upstream:").append(std::to_string(from_peer));
  line.append("/").append(std::to_string(to_peer));
  log.write(level, line, origin_.id);
}

}  // namespace weir::stream
