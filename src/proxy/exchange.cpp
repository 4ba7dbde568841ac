#include "proxy/exchange.h"

#include <algorithm>
#include <cstring>

#include "http/path.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

constexpr std::size_t kHeadRead = 16 * 1024;
constexpr std::size_t kKeptCapacity = 64 * 1024;

void reset(std::string& text) {
  if (text.capacity() > kKeptCapacity) {
    std::string().swap(text);
  } else {
    text.clear();
  }
}

void set_lower(std::string& out, std::string_view text) {
  out.assign(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
}

// Host without port and trailing dot.
std::string_view host_name(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

}  // namespace

// The life of a request, phase by phase.
net::Task<Session::Afterwards> Exchange::run(Session& session) {
  begin(session);

  enter(Phase::head);
  Error error = co_await read_head();
  if (error.ok()) {
    enter(Phase::route);
    apply_real_ip();
    error = match();
  }
  if (error.ok()) error = begin_body();

  if (head_bytes_.empty()) {
    // The connection ended, or was idle for too long, before the first byte of a request.
  } else if (!error.ok()) {
    fail(error);
    co_await respond_for(error);
  } else if (add_slash_) {
    co_await answer_slash();
  } else if (location_->config().return_) {
    enter(Phase::answer);
    co_await answer_return();
  } else if (location_->config().proxy) {
    co_await proxy();
  } else {
    enter(Phase::answer);
    co_await respond_error(404);
  }
  if (keep_alive_ && !body_.complete()) co_await finish_body();
  finish();

  const auto& request = config();
  Session::Afterwards after;
  after.keep = keep_alive_;
  after.gone = head_bytes_.empty() || error_.what == Errc::client_closed;
  after.linger = linger_;
  after.reset = reset_;
  after.idle_timeout = request.keepalive_timeout;
  after.lingering_time = request.lingering_time;
  after.lingering_timeout = request.lingering_timeout;
  pin_.reset();
  body_.clear();
  co_return after;
}

void Exchange::begin(Session& session) {
  session_ = &session;
  pin_ = worker_.runtime();
  listen_ = session.listen(pin_->get());
  server_ = &listen_->hosts.default_server();
  location_ = &server_->root;
  phase_ = Phase::head;
  failed_in_ = Phase::done;
  error_ = {};
  began_ = worker_.loop().now();
  reset(head_bytes_);
  reset(response_bytes_);
  has_request_ = has_request_id_ = has_response_ = continue_sent_ = false;
  body_waited_ = Duration{0};
  add_slash_ = must_close_ = buffer_body_ = reset_ = linger_ = false;
  request_.size = 0;
  client_address_ = session.peer();
  client_text_size_ = 0;
  path_.clear();
  host_.clear();
  match_count_ = 0;
  map_values_.clear();
  attempts_.clear();
  pool_ = nullptr;
  idle_ = nullptr;
  dynamic_host_.clear();
  dynamic_has_uri_ = false;
  sent_head_.clear();
  status_ = 0;
  bytes_sent_ = answer_head_size_ = 0;
  keep_alive_ = false;
  worker_.mutable_stats().active.add();
}

// ---- the request head
// ----------------------------------------------------------------------------

net::Task<Error> Exchange::read_head() {
  const auto& server = *server_->config;
  http::Limits limits;
  limits.head = server.header_limit;
  limits.line = server.header_line_limit;
  limits.underscores_in_headers = server.underscores_in_headers;
  limits.ignore_invalid_headers = server.ignore_invalid_headers;
  const auto deadline = began_ + server.client_header_timeout;
  auto& client = session_->client();
  char* scratch = worker_.scratch().data();
  http::ParseState state;

  pipelined_ = !session_->pending().empty();
  if (pipelined_) head_bytes_.swap(session_->pending());
  for (;;) {
    if (!head_bytes_.empty()) {
      const auto parsed = http::parse_request(head_bytes_, limits, state, request_);
      if (parsed.status == http::ParseStatus::complete) break;
      if (parsed.status == http::ParseStatus::error) {
        status_ = parsed.http_status;
        worker_.mutable_stats().bad_requests.add();
        if (worker_.log().enabled(LogLevel::info)) {
          worker_.log().write(LogLevel::info,
                              std::string("client sent an invalid request head: ") + parsed.reason +
                                  ", client: " + client_address_.host_text(),
                              session_->id());
        }
        co_return Error{Errc::client_bad_request, 0};
      }
    }
    const auto got = client.readable() ? client.read(scratch, kHeadRead)
                                       : net::IoResult{net::IoResult::Status::blocked, 0, 0};
    if (got.ok()) {
      head_bytes_.append(scratch, got.size);
      continue;
    }
    if (!got.blocked()) co_return Error{Errc::client_closed, got.error};
    const net::Interest readable(client.on_readable, session_->waiter());
    const auto wake = co_await session_->waiter().wait(deadline);
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
    if (wake == net::Wake::timeout) co_return Error{Errc::client_timed_out, 0};
  }
  has_request_ = true;
  co_return Error{};
}

void Exchange::apply_real_ip() {
  const auto& real_ip = server_->root.config().request.real_ip;
  if (real_ip.from.empty()) return;
  const auto trusted = [&](const IpAddress& address) {
    return std::any_of(real_ip.from.begin(), real_ip.from.end(),
                       [&](const Cidr& range) { return range.contains(address); });
  };
  if (!trusted(session_->peer())) return;
  // The last address is the one that the trusted proxy saw; recursively, the last one that is not
  // itself trusted. Several fields count as one list.
  for (auto field = request_.fields.rbegin(); field != request_.fields.rend(); ++field) {
    if (!equal_ignoring_case(request_.name(*field), real_ip.header)) continue;
    auto list = request_.value(*field);
    while (!list.empty()) {
      const auto comma = list.rfind(',');
      auto text = comma == std::string_view::npos ? list : list.substr(comma + 1);
      list = comma == std::string_view::npos ? std::string_view{} : list.substr(0, comma);
      while (text.starts_with(' ')) text.remove_prefix(1);
      while (text.ends_with(' ')) text.remove_suffix(1);
      if (text.empty()) continue;  // a comma too many
      if (text.find('.') != std::string_view::npos) text = text.substr(0, text.find(':'));
      if (text.starts_with('[')) text = text.substr(0, text.find(']') + 1);
      const auto address = IpAddress::parse(text);
      if (!address) return;
      client_address_ = *address;
      client_text_size_ = 0;
      if (!real_ip.recursive || !trusted(*address)) return;
    }
  }
}

Error Exchange::match() {
  set_lower(host_, host_name(request_.host_text()));
  if (!listen_->hosts.single()) {
    captures_.clear();
    server_ = &listen_->hosts.find(host_, captures_);
  }
  for (const auto& name : server_->config->names) {
    if (name.regex == nullptr) continue;
    if (!name.regex->match(host_, &captures_)) continue;
    remember_match(*name.regex, host_);
    break;
  }
  location_ = &server_->root;
  const auto raw = request_.path_size == 0 ? std::string_view("/") : request_.path_text();
  if (request_.target_text() == "*" ||
      !http::normalize_path(raw, server_->config->merge_slashes, path_)) {
    status_ = 400;
    return {Errc::client_bad_request, 0};
  }
  captures_.clear();
  const auto found = server_->root.find(path_, captures_);
  location_ = found.node;
  if (location_->config().regex != nullptr) {
    remember_match(*location_->config().regex, path_);
  }
  add_slash_ = found.add_slash;
  return {};
}

void Exchange::remember_match(const config::Regex& regex, std::string_view subject) {
  if (matches_.size() == match_count_) matches_.emplace_back();
  auto& match = matches_[match_count_++];
  match.regex = &regex;
  match.subject.assign(subject);
  match.captures.swap(captures_);
}

Error Exchange::begin_body() {
  const auto& request = config();
  RequestBody::Limits limits;
  limits.max_size = request.client_max_body_size;
  limits.memory = request.client_body_buffer_size;
  const auto& proxy = location_->config().proxy;
  // HTTP/1.0 knows no chunks: the body's length must be known before it is sent.
  const bool unchunk =
      proxy && proxy->http10 && request_.framing.kind == http::Framing::Kind::chunked;
  buffer_body_ = proxy && (proxy->request_buffering || unchunk);
  limits.buffered = buffer_body_;
  limits.keep = proxy ? proxy->retry_body_limit : 0;
  const auto after_head = std::string_view(head_bytes_).substr(request_.size);
  std::size_t taken = 0;
  const Error error = body_.begin(request_.framing, after_head, limits, taken);
  if (taken < after_head.size()) session_->pending().assign(after_head.substr(taken));
  return error;
}

// ---- what variables ask for
// ----------------------------------------------------------------------

std::string_view Exchange::origin_form() {
  if (request_.authority_size == 0) return request_.target_text();
  origin_form_.assign(request_.path_size == 0 ? std::string_view("/") : request_.path_text());
  if (request_.has_query) origin_form_.append("?").append(request_.query_text());
  return origin_form_;
}

std::string_view Exchange::capture(std::uint32_t index) const {
  if (match_count_ == 0) return {};
  const auto& match = matches_[match_count_ - 1];
  if (index >= match.captures.size()) return {};
  const auto [from, to] = match.captures[index];
  if (from == std::string::npos) return {};
  return std::string_view(match.subject).substr(from, to - from);
}

std::string_view Exchange::named_capture(std::string_view name) const {
  for (auto i = match_count_; i > 0; --i) {
    const auto& match = matches_[i - 1];
    for (const auto& [group_name, group] : match.regex->names()) {
      if (group_name != name || group >= match.captures.size()) continue;
      const auto [from, to] = match.captures[group];
      if (from == std::string::npos) return {};
      return std::string_view(match.subject).substr(from, to - from);
    }
  }
  return {};
}

const std::string& Exchange::map_value(std::uint32_t index) {
  constexpr int kMaxDepth = 16;  // of maps whose values refer to maps, themselves perhaps
  static const std::string nothing;
  if (map_depth_ >= kMaxDepth) return nothing;
  ++map_depth_;
  const auto& map = runtime().model->maps[index];
  if (map_values_.size() <= index) map_values_.resize(runtime().model->maps.size());
  if (map_values_[index] && !map.volatile_) {
    --map_depth_;
    return *map_values_[index];
  }
  map_values_[index].emplace();  // a map that refers to itself sees an empty value

  std::string source;
  evaluate(map.source, *this, source);
  std::string key;
  set_lower(key, map.hostnames ? host_name(source) : std::string_view(source));
  const auto find = [](const std::vector<config::MapConfig::Exact>& entries,
                       std::string_view want) -> const config::Value* {
    const auto at = std::lower_bound(
        entries.begin(), entries.end(), want,
        [](const config::MapConfig::Exact& entry, std::string_view k) { return entry.key < k; });
    return at != entries.end() && at->key == want ? &at->value : nullptr;
  };
  const config::Value* value = find(map.exact, key);
  if (map.hostnames && value == nullptr) {
    const std::string_view name = key;
    for (auto dot = name.find('.'); dot != name.npos && !value; dot = name.find('.', dot + 1)) {
      value = find(map.leading_wildcards, name.substr(dot));
    }
    for (auto dot = name.rfind('.'); dot != name.npos && dot > 0 && !value;
         dot = name.rfind('.', dot - 1)) {
      value = find(map.trailing_wildcards, name.substr(0, dot + 1));
    }
  }
  for (const auto& pattern : map.patterns) {
    if (value != nullptr) break;
    captures_.clear();
    if (!pattern.regex->match(source, &captures_)) continue;
    value = &pattern.value;
    remember_match(*pattern.regex, source);
  }
  std::string result;
  evaluate(value != nullptr ? *value : map.default_, *this, result);
  map_values_[index] = std::move(result);
  --map_depth_;
  return *map_values_[index];
}

std::string_view Exchange::pool_name() const {
  return pool_ != nullptr ? std::string_view(pool_->pool->name()) : std::string_view{};
}

std::string_view Exchange::client_text() {
  if (client_text_size_ == 0) {
    client_text_size_ = static_cast<std::uint8_t>(client_address_.write_host(client_text_));
  }
  return {client_text_, client_text_size_};
}

std::string_view Exchange::request_id() {
  if (!has_request_id_) {
    static constexpr char digits[] = "0123456789abcdef";
    for (int half = 0; half < 2; ++half) {
      auto bits = worker_.random();
      for (int i = 0; i < 16; ++i, bits >>= 4) request_id_[half * 16 + i] = digits[bits & 15];
    }
    has_request_id_ = true;
  }
  return {request_id_, sizeof request_id_};
}

std::array<char, 2> Exchange::end_code() const {
  if (error_.ok()) return {'-', '-'};
  static constexpr char sides[] = {'C', 'P', 'W'};
  static constexpr char phases[] = {'H', 'R', 'B', 'Q', 'C', 'S', 'A', 'T', '-'};
  return {sides[static_cast<int>(error_.side())], phases[static_cast<int>(failed_in_)]};
}

// A client that has finished sending (half-closed) still gets its answer: an end alone is no abort.
// One that is gone altogether resets the connection, at the latest when bytes reach it.
bool Exchange::client_gone() const { return session_->client().broken(); }

}  // namespace weir::proxy
