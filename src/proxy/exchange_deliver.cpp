// A peer's answer on its way to the client: as it is, through filters, as a tunnel, or not at all
// because the peer names another location.
#include <algorithm>
#include <cstring>

#include "config/units.h"
#include "http/date.h"
#include "proxy/attempt.h"
#include "proxy/exchange.h"
#include "proxy/filters.h"
#include "proxy/heads.h"
#include "proxy/http2_stream.h"
#include "proxy/internal_uri.h"
#include "proxy/response_relay.h"
#include "proxy/stored_file.h"
#include "proxy/text.h"
#include "proxy/tunnel.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {
// The tunnels of a peer that goes are ended within so many milliseconds.
constexpr std::uint64_t kLeaveWithin = 3000;
}  // namespace

net::Task<Exchange::Delivered> Exchange::deliver(Attempt& attempt) {
  if (response_.status == 101) co_return Delivered{co_await tunnel(attempt), Step::finished()};
  RelayOptions options;
  const Step turn = obey_peer();
  if (!turn.goes_on()) {
    // Another location answers: what the peer says besides is dropped. Nobody waits for more of it.
    const auto& framing = response_.framing;
    const bool all_there =
        framing.kind == http::Framing::Kind::none ||
        (framing.kind == http::Framing::Kind::counted && framing.length <= attempt.body().size());
    if (!all_there) co_return Delivered{{}, turn};
    ResponseRelay relay(*this, attempt, options);
    const Error error = co_await relay.run();
    if (error.ok()) attempt.give_back(relay.whole(), relay.excess());
    co_return Delivered{error.side() == Side::peer ? Error{} : error, turn};
  }
  Step step = begin_peer_answer(options);
  if (!step.goes_on()) co_return Delivered{{}, step};
  if (is_main() && !body_.complete()) {
    // An answer before the body's end: the rest is not waited for.
    keep_alive_ = false;
    linger_ = true;
  }
  Error error;
  if (add_surroundings_ && !config().add_before_body.empty()) {
    // What came with the head is the thread's only until the next suspension.
    const auto bytes = attempt.body();
    const std::string first(bytes.data(), bytes.size());
    error = co_await surround(config().add_before_body);
    attempt.put_back(first);
  }
  std::unique_ptr<StoredFile> stored;
  if (stores()) {
    stored = std::make_unique<StoredFile>(config().proxy_temp_path);
    options.store = stored.get();
  }
  ResponseRelay relay(*this, attempt, options);
  if (error.ok()) error = co_await relay.run();
  if (stored != nullptr && relay.whole()) store(*stored);
  if (error.ok()) {
    attempt.give_back(relay.whole(), relay.excess());
    if (options.sender == nullptr) {
      error = co_await finish_answer();
    } else if (!options.ends) {
      response_trailers_ = relay.trailers();
      // The includes of a page are made when its peer is done with.
      if (renders()) {
        ssi_->end();
        co_return Delivered{{}, Step::finished()};
      }
      error = co_await surround(config().add_after_body);
      if (error.ok()) error = co_await finish_answer();
    } else if (options.sender == nullptr) {
      error = co_await finish_answer();  // a head alone
    }
  }
  if (is_main()) bytes_sent_ = sender_.sent();
  if (!error.ok()) keep_alive_ = false;
  completed_ = error.ok();
  co_return Delivered{error, Step::finished()};
}

// What a peer may ask of the proxy: X-Accel-*, and the pages of errors it leaves to it.
Step Exchange::obey_peer() {
  const auto& c = config();
  if (is_main() && means_tunnel(response_.status)) return Step::answer_with(502);
  if (c.proxy_intercept_errors && response_.status >= 300 && has_error_page(response_.status)) {
    if (response_.status == 401) {
      for (const auto& field : response_.fields) {
        if (equal_ignoring_case(response_.name(field), "www-authenticate")) {
          answer_.add("WWW-Authenticate", response_.value(field));
        }
      }
    }
    return Step::answer_with(response_.status);
  }
  if ((response_.present & location_->plan().looks_at()) == 0) return {};
  const auto value = [&](http::FieldId id, config::IgnoreHeader ignored) {
    const auto* field =
        (c.proxy_ignore_headers & ignored) == 0 && response_.has(id) ? response_.find(id) : nullptr;
    return field != nullptr ? std::optional(response_.value(*field)) : std::nullopt;
  };
  using http::FieldId;
  if (const auto rate = value(FieldId::x_accel_limit_rate, config::ignore_accel_limit_rate)) {
    if (config::parse_number(*rate)) main_->limit_rate_.emplace(*rate);
  }
  if (const auto on = value(FieldId::x_accel_buffering, config::ignore_accel_buffering)) {
    if (equal_ignoring_case(*on, "yes")) buffering_ = true;
    if (equal_ignoring_case(*on, "no")) buffering_ = false;
  }
  if (const auto charset = value(FieldId::x_accel_charset, config::ignore_accel_charset)) {
    accel_charset_.emplace(*charset);
  }
  const auto to = value(FieldId::x_accel_redirect, config::ignore_accel_redirect);
  return to ? accelerate(*to) : Step{};
}

// X-Accel-Redirect: the peer names another location to answer; some of its fields stay.
Step Exchange::accelerate(std::string_view to) {
  static constexpr std::string_view kStay[] = {"set-cookie", "content-disposition", "cache-control",
                                               "expires", "accept-ranges"};
  for (const auto& field : response_.fields) {
    const auto name = response_.name(field);
    if (field.id == http::FieldId::content_type) {
      answer_.set_type(response_.value(field));
    } else if (std::any_of(std::begin(kStay), std::end(kStay), [&](std::string_view stays) {
                 return equal_ignoring_case(name, stays);
               })) {
      answer_.add(name, response_.value(field));
    }
  }
  const std::string target(to);
  if (target.starts_with('@')) return redirect_to_named(target);
  std::string path;
  std::string args;
  if (!parse_internal_uri(target, path, args)) {
    log(LogLevel::error, "unsafe URI \"" + target + "\" in X-Accel-Redirect");
    return Step::answer_with(404);
  }
  if (method_ != http::Method::head) {
    method_ = http::Method::get;
    method_text_ = "GET";
  }
  return redirect_to(path, args);
}

// Begins the client's answer with the peer's head, and says how the body is to be passed on. The
// head goes as it is, in runs of lines, where nothing has to look at it.
Step Exchange::begin_peer_answer(RelayOptions& options) {
  const auto& c = config();
  const auto& plan = location_->plan();
  using Kind = http::Framing::Kind;
  options.buffering = buffering_.value_or(c.proxy_buffering);
  if (!c.proxy_limit_rate.empty()) {
    std::string text;
    evaluate(c.proxy_limit_rate, *this, text);
    options.rate = config::parse_size(text).value_or(0);
  }
  const bool chunked = response_.framing.kind == Kind::chunked;
  // Chunks pass as they are, but HTTP/2 has none.
  const bool stream = session_->stream() != nullptr;
  const bool modern = request().version >= 11;
  pass_trailers_ = c.proxy_pass_trailers && chunked && modern;
  options.keep_trailers = pass_trailers_;
  const bool direct = is_main() && !location_->tools().filters && error_status_ == 0 &&
                      answer_.size() == 0 && !accel_charset_ &&
                      (response_.present & plan.looks_at()) == 0 &&
                      (response_.repeated & kSingleFields) == 0;
  if (direct) {
    options.sender = &sender_;
    options.raw = chunked && modern && !stream;
    options.ends = !stream || !pass_trailers_;
    return begin_direct(options);
  }
  raw_ = chunked && modern && !stream && !stores();  // unless something changes the body
  if (const auto taken = take_answer(*this, response_, answer_); taken != HeadResult::ok) {
    fail(to_error(taken));
    return give_up(to_error(taken));
  }
  if (!affinity_.cookie().empty()) answer_.add("Set-Cookie", affinity_.cookie());
  answer_.allow_ranges = answer_.single_range = c.proxy_force_ranges;
  const Step step = begin_answer(true);
  if (!step.goes_on()) return step;
  options.sender = has_body_ ? body_sender() : nullptr;
  if (!ranges_.empty()) filters_.add_front(make_range_filter(ranges_.front()));
  if (!filters_.empty()) options.filters = &filters_;
  options.raw = raw_;
  options.ends = is_main() && (raw_ || !own_end_);
  return {};
}

Step Exchange::begin_direct(RelayOptions& options) {
  enter(Phase::answer);
  decide_keep_alive();
  using Kind = http::Framing::Kind;
  auto sending = sender_options();
  const auto kind = response_.framing.kind;
  has_body_ = kind != Kind::none;
  auto framing = Sender::Framing::plain;
  if (!has_body_) {
    framing = Sender::Framing::none;
  } else if (session_->stream() != nullptr) {
    framing = Sender::Framing::stream;
  } else if (kind != Kind::counted) {
    const bool modern = request_.version >= 11;
    if (!modern) keep_alive_ = false;
    framing = !modern       ? Sender::Framing::plain
              : options.raw ? Sender::Framing::raw_chunked
                            : Sender::Framing::chunked;
  }
  sending.framing = framing;
  status_ = response_.status;  // $status in add_header
  auto& head = worker_.out();
  head.clear();
  const bool chunked =
      framing == Sender::Framing::chunked || framing == Sender::Framing::raw_chunked;
  const auto written = write_response_head(*this, chunked, keep_alive_, head);
  if (written != HeadResult::ok) {
    status_ = 0;
    fail(to_error(written));
    return give_up(to_error(written));
  }
  answer_begun_ = true;
  answer_head_size_ = head.size();
  sent_head_.assign(head);
  sender_.begin(client(), worker_.loop(), sending, nullptr, head);
  return {};
}

// ---- proxy_store
// -------------------------------------------------------------------------------------

bool Exchange::stores() const {
  return config().proxy_store.on && response_.status == 200 && method_ == http::Method::get;
}

void Exchange::store(StoredFile& file) {
  std::string path;
  std::size_t root_size = 0;
  const auto& configured = config().proxy_store.path;
  if (!configured.empty()) {
    evaluate(configured, *this, path);
    if (!path.starts_with('/')) path.insert(0, runtime().model->prefix);
  } else if (!map_path(*this, path_, path, root_size)) {
    return;
  }
  std::optional<std::time_t> modified;
  if (const auto* field = response_.find("last-modified")) {
    modified = http::parse_date(response_.value(*field));
  }
  const int error = file.keep(path, config().proxy_store_access, modified);
  if (error == 0) return;
  log(LogLevel::crit, "the answer could not be stored as \"" + path + "\" (" +
                          std::to_string(error) + ": " + std::strerror(error) + ")");
}

net::Task<Error> Exchange::tunnel(Attempt& attempt) {
  keep_alive_ = false;
  auto& head = worker_.out();
  head.clear();
  // HTTP/2 says it like this (RFC 8441 section 5).
  status_ = session_->stream() != nullptr ? 200 : 101;
  const auto written = write_upgrade_head(*this, head);
  if (written != HeadResult::ok) {
    status_ = 0;
    co_return to_error(written);
  }
  answer_begun_ = true;
  answer_head_size_ = head.size();
  sent_head_.assign(head);
  Tunnel::Options options;
  const auto* upgrade = response_.find("upgrade");
  options.websocket =
      upgrade != nullptr && equal_ignoring_case(response_.value(*upgrade), "websocket");
  options.watch = &attempt.watch();
  options.bound = affinity_.binds(*pool_);
  options.leave_after = Duration{static_cast<std::int64_t>(worker_.random() % kLeaveWithin)};
  Tunnel tunnel(session_->client(), attempt.connection(), worker_.loop(), worker_.scratch(),
                options);
  if (options.websocket) {
    tunnel.sent_to_client({attempt.body().data(), attempt.body().size()});
  }
  // In one piece with the head: what the peer said right after it.
  head.append(attempt.body().data(), attempt.body().size());
  const Error error = co_await send_to_client(head);
  if (!error.ok()) co_return error;
  tunnel.preload_peer(session_->pending());
  session_->pending().clear();
  enter(Phase::tunnel);
  auto& stats = worker_.mutable_stats();
  stats.tunnels.add();
  auto& tunnels = pool_->pool->peers()[attempts_.back().peer_index]->tunnels;
  tunnels.fetch_add(1, std::memory_order_relaxed);
  const Error ended = co_await tunnel.run(waiter(), location_->config().proxy()->tunnel_timeout);
  if (ended.ok()) co_await end_tunnel();
  tunnels.fetch_sub(1, std::memory_order_relaxed);
  stats.tunnels.sub();
  const auto counts = tunnel.counts();
  bytes_sent_ += counts.to_client;
  attempts_.back().received += counts.to_client;
  attempts_.back().sent += counts.to_peer;
  attempts_.back().body += counts.to_client;
  // However a tunnel ends, the answer to its request was given long ago.
  if (ended.what == Errc::shutting_down) fail(ended);
  completed_ = true;
  co_return Error{};
}

// The end of a stream is a frame, which may have to wait for the client's window as bytes do.
net::Task<void> Exchange::end_tunnel() {
  auto* stream = session_->stream();
  if (stream == nullptr || !stream->ending()) co_return;
  const auto deadline = worker_.loop().now() + config().send_timeout;
  while (!stream->finish({})) {
    const net::Interest room(client().on_writable, waiter());
    if (co_await waiter().wait(deadline) != net::Wake::ready) co_return;
  }
}

// What the client takes for the beginning of a tunnel; over HTTP/2 that is any success.
bool Exchange::means_tunnel(int status) const {
  const auto* stream = session_->stream();
  if (stream == nullptr) return status == 101;
  return stream->wants_tunnel() && status / 100 == 2;
}

}  // namespace weir::proxy
