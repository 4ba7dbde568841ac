#include "proxy/http2_connection.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <utility>

#include "access/base64.h"
#include "proxy/http2_callbacks.h"
#include "proxy/http2_stream.h"
#include "proxy/worker.h"

namespace weir::proxy {
namespace {

// Frames that wait for the socket; with more, nothing is taken from streams or read.
constexpr std::size_t kMostOut = 128 * 1024;
// What all streams of a connection may send before it is read here (RFC 9113 section 6.9.2). What
// they may have on hand is their own windows' business.
constexpr std::int32_t kConnectionWindow = 1024 * 1024;
constexpr std::size_t kRead = 64 * 1024;
constexpr std::size_t kKeptCapacity = 16 * 1024;
// Between the announcement of an end and the end: requests on their way are still taken.
constexpr Duration kNotice{1000};
// For the last frames of a connection that ends in an error.
constexpr Duration kFarewell{1000};

}  // namespace

Http2Connection::Http2Connection(Session& session, Worker& worker, const ListenNode& node,
                                 TimePoint since)
    : session_(session),
      worker_(worker),
      guard_(node.hosts.default_server().root.config().request.http2_flood_limit,
             worker.loop().now()),
      last_sent_(worker.loop().now()),
      idle_since_(since) {
  const auto& server = node.hosts.default_server();
  const auto& request = server.root.config().request;
  limits_.head = server.config->header_limit;
  limits_.streams = request.http2_max_concurrent_streams;
  limits_.window = static_cast<std::uint32_t>(request.http2_body_preread_size);
  limits_.requests = request.keepalive_requests;
  limits_.age = request.keepalive_time;
  limits_.head_timeout = request.client_header_timeout;
  limits_.send_timeout = request.send_timeout;
  idle_timeout_ = request.client_header_timeout;  // for the first request
  worker_.mutable_stats().http2_connections.add();
}

Http2Connection::~Http2Connection() {
  finished_ = true;
  delete opening_;
  for (auto* stream : ready_) delete stream;
  if (flushes_) worker_.forget(*this);
  nghttp2_session_del(native_);
  worker_.mutable_stats().http2_closed.add();
}

TimePoint Http2Connection::now() const { return worker_.loop().now(); }

void Http2Connection::log(LogLevel level, std::string_view text) {
  if (!worker_.log().enabled(level)) return;
  std::string line(text);
  line.append(", client: ").append(session_.peer().host_text());
  line.append(", server: ").append(session_.listen_text());
  worker_.log().write(level, line, session_.id());
}

// ---- the course of it
// ------------------------------------------------------------------------------

bool Http2Connection::begin() {
  native_ = make_http2_session(*this);
  if (native_ == nullptr) return false;
  const std::array<nghttp2_settings_entry, 4> settings{{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits_.window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits_.head)},
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
  }};
  nghttp2_submit_settings(native_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(native_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
  return true;
}

net::Task<void> Http2Connection::run(bool draining) {
  if (!begin()) co_return;
  if (draining) drain();
  set_idle(true);
  const auto first = std::exchange(session_.pending(), {});
  if (!first.empty()) receive(first);
  start_streams();
  co_await serve();
  set_idle(false);
  finished_ = true;
  if (session_.waiter().cancelled()) {
    cancel_streams();
  } else {
    for (auto* stream : streams_) stream->close();
  }
  if (!streams_.empty()) {
    session_.client().shutdown_write();
    co_await join();
  }
}

net::Task<void> Http2Connection::serve() {
  auto& client = session_.client();
  auto& waiter = session_.waiter();
  while (!waiter.cancelled()) {
    flush();
    if (over()) break;
    if (client.readable() && held() < kMostOut && !failed_) {
      if (!read()) break;
      start_streams();
      if (!client.readable()) continue;
      flush();
      co_await waiter.yield();
      continue;
    }
    if (client.broken()) break;
    const net::Interest readable(client.on_readable, waiter);
    const net::Interest room(client.on_writable, waiter);
    co_await waiter.wait(deadline());
    check_time();
  }
  // What has been said last is said, if it can be.
  if (waiter.cancelled() && !failed_) nghttp2_session_terminate_session(native_, NGHTTP2_NO_ERROR);
  flush();
}

// The last streams end in their own time.
net::Task<void> Http2Connection::join() {
  net::Waiter join(worker_.loop());
  join_ = &join;
  while (!streams_.empty()) co_await join.wait(TimePoint::max());
  join_ = nullptr;
}

bool Http2Connection::over() const {
  if (dead_) return true;
  if (failed_) return held() == 0 || now() >= goaway_at_;
  if (held() > 0 || nghttp2_session_want_write(native_) != 0) return false;
  if (going_ && streams_.empty() && opening_ == nullptr) return true;
  return nghttp2_session_want_read(native_) == 0;
}

TimePoint Http2Connection::deadline() const {
  auto until = goaway_at_;
  if (block_began_ != TimePoint::max()) {
    until = std::min(until, block_began_ + limits_.head_timeout);
  }
  if (held() > 0) until = std::min(until, last_sent_ + limits_.send_timeout);
  if (!going_ && streams_.empty() && block_began_ == TimePoint::max()) {
    until = std::min(until, idle_since_ + idle_timeout_);
  }
  return until;
}

void Http2Connection::check_time() {
  if (failed_) return;
  const auto at = now();
  if (at >= goaway_at_) {
    goaway_at_ = TimePoint::max();
    go_away();
  }
  if (block_began_ != TimePoint::max() && at >= block_began_ + limits_.head_timeout) {
    return fail(NGHTTP2_NO_ERROR, "client timed out in the head of a request");
  }
  if (held() > 0 && at >= last_sent_ + limits_.send_timeout) {
    log(LogLevel::info, "client timed out: it takes no frames");
    dead_ = true;
    return;
  }
  if (streams_.empty() && block_began_ == TimePoint::max() && at >= idle_since_ + idle_timeout_) {
    go_away();
  }
}

// ---- what comes in
// ---------------------------------------------------------------------------------

bool Http2Connection::read() {
  auto& client = session_.client();
  char* to = worker_.scratch().data();
  const auto got = client.read(to, kRead);
  if (got.blocked()) return true;
  if (!got.ok()) return false;
  receive({to, got.size});
  return true;
}

void Http2Connection::receive(std::string_view bytes) {
  scanner_.scan(bytes, [this](std::uint8_t type) {
    if (type > NGHTTP2_CONTINUATION) note(http::Nuisance::other);
  });
  if (!scanner_.in_block()) {
    block_began_ = TimePoint::max();
  } else if (block_began_ == TimePoint::max()) {
    block_began_ = now();
  }
  feed(greet(bytes));
  if (scanner_.out_of_order()) {
    fail(NGHTTP2_PROTOCOL_ERROR, "client opened a stream below one before");
  }
}

// Feeds what comes before the second frame; what follows. A client that acknowledges settings
// without having sent any is served by nginx, but not by nghttp2: it gets empty ones to its
// account.
std::string_view Http2Connection::greet(std::string_view bytes) {
  using Scanner = http::Http2Scanner;
  if (first_head_.size() == Scanner::kHeadSize) return bytes;
  const auto preface = bytes.substr(0, preface_left_);
  feed(preface);
  preface_left_ -= preface.size();
  bytes.remove_prefix(preface.size());
  const auto head = bytes.substr(0, Scanner::kHeadSize - first_head_.size());
  first_head_.append(head);
  bytes.remove_prefix(head.size());
  if (first_head_.size() < Scanner::kHeadSize) return {};
  constexpr std::string_view kNoSettings("\0\0\0\4\0\0\0\0\0", Scanner::kHeadSize);
  constexpr std::string_view kAcknowledgement("\0\0\0\4\1\0\0\0\0", Scanner::kHeadSize);
  if (first_head_ == kAcknowledgement) feed(kNoSettings);
  feed(first_head_);
  return bytes;
}

void Http2Connection::feed(std::string_view bytes) {
  if (bytes.empty() || failed_) return;
  const auto taken = nghttp2_session_mem_recv(
      native_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (taken >= 0) return;
  const auto error = static_cast<int>(taken);
  if (error == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) {
    return note(http::Nuisance::continuation, 0x7fffffff);
  }
  if (error == NGHTTP2_ERR_FLOODED) return note(http::Nuisance::ping, 0x7fffffff);
  if (error == NGHTTP2_ERR_CALLBACK_FAILURE) {
    return fail(NGHTTP2_ENHANCE_YOUR_CALM, "client sent far too large a head");
  }
  fail(NGHTTP2_PROTOCOL_ERROR,
       std::string("client broke the protocol: ") + nghttp2_strerror(error));
}

Http2Stream* Http2Connection::open_stream(std::int32_t id) {
  drop_opening();
  // Those that have ended for the client, but run on, count as well.
  if (going_ || failed_ || streams_.size() + ready_.size() >= limits_.streams) return nullptr;
  request_.begin(limits_.head);
  opening_ = new Http2Stream(*this, id);
  return opening_;
}

// A request whose head was refused before it was complete.
void Http2Connection::drop_opening() {
  auto* stream = std::exchange(opening_, nullptr);
  if (stream == nullptr) return;
  nghttp2_session_set_stream_user_data(native_, stream->id(), nullptr);
  delete stream;
}

void Http2Connection::head_complete(Http2Stream& stream, bool ends) {
  if (&stream != opening_) return;
  opening_ = nullptr;
  using Body = Http2Stream::Body;
  auto body = request_.has_length() ? Body::counted : Body::chunked;
  std::string key;
  if (request_.websocket()) {
    body = Body::tunnel;
    const std::array<std::uint64_t, 2> random{worker_.random(), worker_.random()};
    key = access::encode_base64({reinterpret_cast<const char*>(random.data()), sizeof random});
  } else if (ends) {
    body = Body::none;
  }
  const auto follows = ends ? http::Http2Request::Body::none : http::Http2Request::Body::some;
  request_.write(follows, key, stream.session().pending());
  stream.expect(body);
  if (ends) stream.receive_end();
  ready_.push_back(&stream);
}

void Http2Connection::stream_closed(Http2Stream& stream) {
  if (&stream == opening_) return drop_opening();
  if (const auto at = std::find(ready_.begin(), ready_.end(), &stream); at != ready_.end()) {
    ready_.erase(at);
    delete &stream;
    return;
  }
  stream.close();
}

void Http2Connection::refuse(Http2Stream& stream, std::uint32_t code) {
  const auto id = stream.id();
  nghttp2_session_set_stream_user_data(native_, id, nullptr);
  nghttp2_submit_rst_stream(native_, NGHTTP2_FLAG_NONE, id, code);
  stream_closed(stream);
}

void Http2Connection::start_streams() {
  if (ready_.empty()) return;
  if (failed_ || session_.listen(worker_.runtime()->get()) == nullptr) {
    if (!failed_) go_away();  // a reload has removed the listener
    while (!ready_.empty()) refuse(*ready_.back(), NGHTTP2_REFUSED_STREAM);
    return;
  }
  set_idle(false);
  starting_.swap(ready_);
  streams_.insert(streams_.end(), starting_.begin(), starting_.end());
  for (auto* stream : starting_) {
    worker_.mutable_stats().http2_requests.add();
    const auto count = session_.count_request();
    stream->session().begin_stream(count);
    if (count >= limits_.requests || now() - session_.opened() >= limits_.age) go_away();
    Http2Stream::start(*stream);
  }
  starting_.clear();
}

void Http2Connection::ended(Http2Stream& stream, Duration idle_timeout) {
  streams_.erase(std::find(streams_.begin(), streams_.end(), &stream));
  idle_timeout_ = idle_timeout;
  if (!streams_.empty()) return;
  idle_since_ = now();
  if (join_ != nullptr) return join_->notify();
  if (finished_) return;
  if (ready_.empty()) set_idle(true);
  session_.waiter().notify();
}

void Http2Connection::set_idle(bool idle) {
  if (idle == idle_) return;
  idle_ = idle;
  idle ? session_.begin_idle() : session_.end_idle();
  if (idle && out_.empty() && out_.capacity() > kKeptCapacity) std::string().swap(out_);
}

// ---- what goes out
// ---------------------------------------------------------------------------------

void Http2Connection::push() {
  pump(kMostOut);
  flush_later();
}

void Http2Connection::push_all() {
  pump(std::numeric_limits<std::size_t>::max());
  flush_later();
}

void Http2Connection::pump(std::size_t most) {
  while (!finished_ && held() < most) {
    const std::uint8_t* bytes = nullptr;
    // Its time to be taken begins when something is there.
    if (out_.empty()) last_sent_ = now();
    const auto size = nghttp2_session_mem_send(native_, &bytes);
    if (size < 0) dead_ = true;
    if (size <= 0) return;
    out_.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }
}

void Http2Connection::flush_later() {
  if (!std::exchange(flushes_, true)) worker_.flush_later(*this);
}

void Http2Connection::turn_ends() {
  flushes_ = false;
  flush();
  // Who waits for the socket's room has to know that it waits.
  if (dead_ || held() > 0) session_.waiter().notify();
}

void Http2Connection::flush() {
  auto& client = session_.client();
  while (!dead_ && !finished_) {
    pump(kMostOut);
    if (held() == 0 || !client.writable()) break;
    const auto sent = client.write(std::string_view(out_).substr(sent_));
    if (sent.status == net::IoResult::Status::error) {
      dead_ = true;
      break;
    }
    if (sent.size > 0) last_sent_ = now();
    sent_ += sent.size;
    if (held() > 0) break;
    out_.clear();
    sent_ = 0;
  }
  if (sent_ > kMostOut) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
}

// ---- the end
// ---------------------------------------------------------------------------------------

void Http2Connection::drain() {
  if (going_ || noticed_ || failed_) return;
  noticed_ = true;
  // The client learns that the end is near; what it sends until it has answered is still taken.
  nghttp2_submit_shutdown_notice(native_);
  goaway_at_ = now() + kNotice;
  flush_later();
  session_.waiter().notify();
}

void Http2Connection::go_away() {
  if (std::exchange(going_, true)) return;
  lingers_ = true;
  nghttp2_submit_goaway(native_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(native_), NGHTTP2_NO_ERROR, nullptr,
                        0);
  flush_later();
}

void Http2Connection::cancel_streams() {
  for (auto* stream : streams_) stream->session().cancel();
}

void Http2Connection::cut(std::uint64_t generation) {
  for (auto* stream : streams_) {
    if (stream->session().is_of(generation)) stream->session().cancel();
  }
}

void Http2Connection::note(http::Nuisance what, std::uint32_t count) {
  if (failed_ || finished_ || guard_.note(what, now(), count)) return;
  const auto worst = static_cast<std::size_t>(guard_.worst());
  worker_.mutable_stats().http2_floods[worst].add();
  log(LogLevel::warn, "HTTP/2 flood (" + std::string(http::kNuisanceWords[worst]) +
                          "): the connection is ended, see http2_flood_limit");
  fail(NGHTTP2_ENHANCE_YOUR_CALM, {});
}

void Http2Connection::fail(std::uint32_t code, std::string_view why) {
  if (std::exchange(failed_, true)) return;
  if (!why.empty()) log(LogLevel::info, why);
  goaway_at_ = now() + kFarewell;
  nghttp2_session_terminate_session(native_, code);
  flush_later();
  session_.waiter().notify();
}

}  // namespace weir::proxy
