// How an answer goes out: its head, its body, its end. And the answers that weir gives by itself.
#include <algorithm>
#include <string>

#include "config/units.h"
#include "content/error_page.h"
#include "http/status.h"
#include "http/user_agent.h"
#include "proxy/exchange.h"
#include "proxy/filters.h"
#include "proxy/heads.h"
#include "proxy/http2_stream.h"
#include "proxy/text.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

// What is left of a body is read and dropped up to this size to keep the connection; beyond it,
// ending the connection is cheaper for both sides.
constexpr std::uint64_t kDiscard = 64 * 1024;

// The smallest transparent GIF there is.
constexpr unsigned char kGif[] = {0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 1,    0,    1,    0,    0x80,
                                  1,    0,    0,    0,    0,    0xff, 0xff, 0xff, 0x21, 0xf9, 4,
                                  1,    0,    0,    1,    0,    0x2c, 0,    0,    0,    0,    1,
                                  0,    1,    0,    0,    2,    2,    0x4c, 1,    0,    0x3b};

std::uint64_t rate_of(std::string_view text) { return config::parse_size(text).value_or(0); }

}  // namespace

// ---- to the client
// ---------------------------------------------------------------------------------

net::Task<Error> Exchange::send_to_client(std::string_view bytes) {
  auto& client = session_->client();
  std::string rest;  // `bytes` may be the worker's: they are gone after a suspension
  for (;;) {
    const auto sent = client.write(bytes);
    if (sent.status == net::IoResult::Status::error) {
      co_return Error{Errc::client_closed, sent.error};
    }
    bytes_sent_ += sent.size;
    if (sent.size == bytes.size()) co_return Error{};
    if (rest.empty()) {
      rest.assign(bytes.substr(sent.size));
    } else {
      rest.erase(0, sent.size);
    }
    bytes = rest;
    const net::Interest room(client.on_writable, waiter());
    const auto wake = co_await waiter().wait(worker_.loop().now() + config().send_timeout);
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
    if (wake == net::Wake::timeout) co_return Error{Errc::client_write_stalled, 0};
  }
}

net::Task<Error> Exchange::send_continue() {
  if (!request_.expect_continue || continue_sent_ || !body_.untouched()) {
    continue_sent_ = true;
    co_return Error{};
  }
  continue_sent_ = true;
  const auto before = bytes_sent_;
  const Error error = co_await send_to_client("HTTP/1.1 100 Continue\r\n\r\n");
  bytes_sent_ = before;  // not part of the answer
  co_return error;
}

// Until the client can be written to, at the latest when the rate allows it.
net::Task<Error> Exchange::wait_for_client() {
  auto& sender = *body_sender();
  if (client_gone()) co_return Error{Errc::client_closed, 0};
  const auto now = worker_.loop().now();
  const bool slowed = sender.paused_until() > now;
  const auto until = slowed ? sender.paused_until() : now + config().send_timeout;
  net::Waiter* none = nullptr;
  const net::Interest room(slowed ? none : client().on_writable, waiter());
  const net::Interest hang_up(client_slot(), waiter());
  const auto wake = co_await waiter().wait(until);
  if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
  if (wake == net::Wake::timeout && !slowed) co_return Error{Errc::client_write_stalled, 0};
  co_return Error{};
}

net::Task<Error> Exchange::drain_sender(std::size_t most) {
  auto& sender = *body_sender();
  for (;;) {
    if (const Error error = sender.flush(); !error.ok()) co_return error;
    if (sender.held() <= most) co_return Error{};
    if (sender.can_flush()) continue;
    if (const Error error = co_await wait_for_client(); !error.ok()) co_return error;
  }
}

net::Waiter*& Exchange::client_slot() {
  // One that runs beside its main exchange does not watch the client.
  static thread_local net::Waiter* nobody = nullptr;
  return waiter_ == &session_->waiter() ? session_->client().on_hang_up : nobody;
}

// A piece of the body, through the filters.
Error Exchange::feed(char* data, std::size_t size, std::size_t room) {
  Sender* sender = body_sender();
  if (sender == nullptr || !has_body_) return {};
  if (filters_.empty()) {
    if (room >= Sender::kFrameRoom) {
      sender->write(data, size, room, false);
    } else {
      sender->write({data, size}, false);
    }
    return sender->error();
  }
  std::string out;
  if (!filters_.write({data, size}, false, false, out)) return {Errc::local_resources, 0};
  if (!out.empty()) sender->write(out, false);
  return sender->error();
}

// ---- the head
// --------------------------------------------------------------------------------------

void Exchange::decide_keep_alive() {
  if (session_->stream() != nullptr) {
    // What ends a connection of HTTP/2 is the connection's business.
    keep_alive_ = false;
    return;
  }
  const auto& request = config();
  const auto now = worker_.loop().now();
  keep_alive_ = has_request_ && !must_close_ && request_.keep_alive && !session_->draining() &&
                !worker_.draining() && request.keepalive_timeout.idle.count() > 0 &&
                session_->requests() < request.keepalive_requests &&
                now - session_->opened() < request.keepalive_time;
  if (keep_alive_ && request.keepalive_disable != 0) check_browser();
  if (!body_.started() && !body_.drop(session_->pending()).ok()) {
    keep_alive_ = false;
    linger_ = true;
    return;
  }
  if (body_.complete()) return;
  // A client that waits for "100 Continue" may or may not send its body now: nobody could tell it
  // from the next request.
  const bool unsure = request_.expect_continue && !continue_sent_;
  if (unsure || !body_.counted() || body_.remaining() > kDiscard) {
    keep_alive_ = false;
    linger_ = true;
  }
}

// nginx's keepalive_disable: old browsers that go wrong on kept connections.
void Exchange::check_browser() {
  const auto* field =
      request_.has(http::FieldId::user_agent) ? request_.find(http::FieldId::user_agent) : nullptr;
  if (field == nullptr) return;
  const auto agent = http::parse_user_agent(request_.value(*field));
  const auto disabled = config().keepalive_disable;
  const bool msie = (disabled & config::no_keepalive_msie6) != 0 && agent.msie6 &&
                    request_.method == http::Method::post;
  const bool safari = (disabled & config::no_keepalive_safari) != 0 && agent.safari;
  if (msie || safari) keep_alive_ = false;
}

void Exchange::set_content_type() {
  if (!answer_.content_type.empty()) return;
  const auto* type = location_->tools().types->find(content::extension_of(path_));
  answer_.set_type(type != nullptr ? std::string_view(*type)
                                   : std::string_view(config().default_type));
}

Step Exchange::begin_answer(bool from_peer) {
  enter(Phase::answer);
  if (error_status_ != 0) {
    answer_.status = error_status_;
    answer_.reason.clear();
  }
  if (explanation_ != nullptr) return explain_answer();
  if (is_main() && session_->stream() != nullptr && means_tunnel(answer_.status)) {
    return Step::answer_with(502);
  }
  status_ = answer_.status;
  if (const Step step = filter_head(from_peer); !step.goes_on()) return step;
  status_ = answer_.status;
  if (!is_field_text(answer_.location)) {
    log(LogLevel::error, "the Location of the answer has line breaks");
    answer_.location.clear();
    return Step::answer_with(500);
  }
  for (std::size_t i = 0; i < answer_.size(); ++i) {
    if (is_field_text(answer_.field(i).value)) continue;
    const std::string name = answer_.field(i).name;
    log(LogLevel::error, "the field " + name + " of the answer has line breaks");
    answer_.remove(name);
    return Step::answer_with(500);
  }
  has_body_ = method_ != http::Method::head && status_ >= 200 && status_ != 204 && status_ != 304;
  answer_begun_ = true;
  if (!is_main()) {
    has_body_ = has_body_ && sink_ != nullptr;
    if (in_memory_) sink_->options().most = config().subrequest_output_buffer_size;
    raw_ = false;
    return {};
  }
  decide_keep_alive();
  begin_sending();
  return {};
}

// Decides how the body's end is told, and gives the head to the sender.
void Exchange::begin_sending() {
  const bool modern = request_.version >= 11;
  const auto& c = config();
  const bool own_trailers =
      std::any_of(c.add_trailer.begin(), c.add_trailer.end(),
                  [&](const auto& trailer) { return applies_to(trailer, status_); });
  raw_ = raw_ && filters_.empty() && compressor_ == nullptr && ranges_.empty() && !own_trailers &&
         !add_surroundings_;
  auto* stream = session_->stream();
  const bool trailers = modern && (c.chunked_transfer_encoding || stream != nullptr) &&
                        (own_trailers || (pass_trailers_ && !raw_));
  own_end_ = own_trailers || pass_trailers_ || add_surroundings_ || renders();
  compressed_ = compressor_ != nullptr;
  auto options = sender_options();
  bool chunked = false;
  if (!has_body_) {
    options.framing = Sender::Framing::none;
    compressor_.reset();
  } else if (stream != nullptr) {
    options.framing = Sender::Framing::stream;
    if (trailers) answer_.length = -1;
  } else if (answer_.length < 0 || trailers) {
    chunked = modern && c.chunked_transfer_encoding;
    if (chunked) {
      answer_.length = -1;
      options.framing = raw_ ? Sender::Framing::raw_chunked : Sender::Framing::chunked;
    } else if (answer_.length < 0) {
      keep_alive_ = false;
    }
  }
  if (options.framing != Sender::Framing::raw_chunked) raw_ = false;
  auto& out = worker_.out();
  out.clear();
  if (!answer_.location.empty()) {
    std::string location;
    append_absolute(location, answer_.location);
    answer_.location = location;
  }
  answer_.status = http::status_on_wire(answer_.status);
  // A file that serves as an error's page: its age says nothing of the answer.
  if (status_ != 200 && status_ != 206 && status_ != 304) answer_.last_modified.reset();
  answer_.write(worker_.server_and_date(server_product()), true, out);
  if (chunked) out.append("Transfer-Encoding: chunked\r\n");
  end_head(out);
  sender_.begin(client(), worker_.loop(), options, std::move(compressor_), out);
}

// The lines about the connection, and the empty one.
void Exchange::end_head(std::string& out) {
  if (session_->stream() != nullptr) {
    // There are none in HTTP/2.
  } else if (!keep_alive_) {
    out.append("Connection: close\r\n");
  } else {
    append_keep_alive(*this, out);
  }
  out.append("\r\n");
  answer_head_size_ = out.size();
  sent_head_.assign(out);
}

std::string_view Exchange::server_product() const {
  if (runtime().model->dialect == config::Dialect::yaml) return "weir";
  return content::nginx_product(static_cast<content::ServerTokens>(config().server_tokens));
}

Sender::Options Exchange::sender_options() {
  const auto& c = config();
  Sender::Options options;
  const bool buffered = buffering_.value_or(c.proxy_buffering);
  options.memory = c.proxy_buffers.count * c.proxy_buffers.size;
  options.flush = location_->config().proxy() != nullptr && !buffered;
  options.hold_head = renders();
  options.stream = session_->stream();
  if (options.stream != nullptr) options.stream->limit_frames(c.http2_chunk_size);
  if (location_->config().proxy() != nullptr && buffered) {
    options.file = c.proxy_max_temp_file_size;
    options.file_directory = c.proxy_temp_path;
  }
  std::string text;
  if (limit_rate_) {
    options.rate = rate_of(*limit_rate_);
  } else if (!c.limit_rate.empty()) {
    evaluate(c.limit_rate, *this, text);
    options.rate = rate_of(text);
  }
  if (options.rate > 0 && !c.limit_rate_after.empty()) {
    text.clear();
    evaluate(c.limit_rate_after, *this, text);
    options.rate_after = rate_of(text);
  }
  return options;
}

// ---- the end
// ---------------------------------------------------------------------------------------

void Exchange::append_trailers(std::string& out) {
  std::string value;
  for (const auto& trailer : config().add_trailer) {
    if (!applies_to(trailer, status_)) continue;
    value.clear();
    evaluate(trailer.value, *this, value);
    if (value.empty() || !is_field_text(value)) continue;
    out.append(trailer.name).append(": ").append(value).append("\r\n");
  }
  if (pass_trailers_) out.append(response_trailers_);
}

// What `add_before_body` and `add_after_body` name, as a part of this answer's body.
net::Task<Error> Exchange::surround(const std::string& uri) {
  if (!add_surroundings_ || uri.empty() || !has_body_) co_return Error{};
  Exchange& sub = *worker_.take_exchange();
  const std::string_view text = uri;
  const auto mark = text.find('?');
  Subrequest how;
  how.uri = text.substr(0, mark);
  if (mark != std::string_view::npos) how.args = text.substr(mark + 1);
  how.sink = body_sender();
  co_await sub.run_below(*this, how);
  const Error error = part_error(sub);
  sub.release();
  worker_.give_exchange(&sub);
  co_return error;
}

net::Task<Error> Exchange::end_body(bool filtered) {
  Error error;
  if (!filtered && has_body_ && !filters_.empty()) {
    std::string rest;
    if (!filters_.write({}, false, true, rest)) co_return Error{Errc::local_resources, 0};
    if (!rest.empty()) body_sender()->write(rest, false);
    error = body_sender()->error();
  }
  if (error.ok() && renders()) error = co_await render();
  if (error.ok()) error = co_await surround(config().add_after_body);
  if (error.ok()) error = co_await finish_answer();
  co_return error;
}

net::Task<Error> Exchange::finish_answer() {
  if (!is_main()) co_return Error{};
  if (has_body_) {
    append_trailers(sent_trailers_);
    sender_.finish(sent_trailers_);
  }
  co_return co_await drain_sender(0);
}

Step Exchange::end_of_answer(Error error) {
  if (is_main()) bytes_sent_ = sender_.sent();
  if (error.ok()) {
    completed_ = true;
    return Step::finished();
  }
  fail(error);
  return give_up(error);
}

// The answer to a request that ended in `error`, if anything can be said any more.
Step Exchange::give_up(Error error) {
  const int status = status_ != 0 && !answer_begun_ ? status_ : info(error.what).status;
  const bool unreachable = error.what == Errc::client_closed || status == 0 ||
                           (error.what == Errc::shutting_down && !has_request());
  if (is_main() && sender_.begun()) bytes_sent_ = sender_.sent();
  if (unreachable || bytes_sent_ > 0 || answer_begun_) {
    // As nginx logs them: 400 for half a head, 499 for a client that did not wait.
    if (status_ == 0) status_ = has_request() ? status : 400;
    keep_alive_ = false;
    // Cut short must look cut short: what has begun as an answer ends in a reset.
    const bool timed_out = error.what == Errc::client_write_stalled;
    reset_ = is_main() && bytes_sent_ > 0 && error.what != Errc::client_closed;
    if (timed_out && config().reset_timedout_connection) reset_ = true;
    return Step::finished();
  }
  if (error.side() == Side::client) must_close_ = linger_ = true;
  return Step::answer_with(status);
}

// ---- answers of weir's own
// -------------------------------------------------------------------------

net::Task<Error> Exchange::send_body(std::string_view text) {
  Error error = co_await surround(config().add_before_body);
  if (error.ok() && has_body_) {
    if (ranges_.empty()) {
      std::string copy(text);
      error = feed(copy.data(), copy.size(), 0);
    }
  }
  if (error.ok()) error = co_await end_body(false);
  co_return error;
}

net::Task<Step> Exchange::answer_text(int status, std::string_view body,
                                      std::string_view content_type) {
  answer_.status = status;
  answer_.reason.clear();
  answer_.length = static_cast<std::int64_t>(body.size());
  answer_.allow_ranges = false;
  answer_.clear_validators();
  const int shown = error_status_ != 0 ? error_status_ : status;
  if (shown == 204 || shown == 304) {
    answer_.length = -1;
  } else if (content_type.empty()) {
    set_content_type();
  } else if (answer_.content_type.empty()) {
    answer_.set_type(content_type);
  }
  const std::string text(body);
  const Step step = begin_answer(false);
  if (!step.goes_on()) co_return step;
  co_return end_of_answer(co_await send_body(text));
}

// The page of an error or a redirect.
net::Task<Step> Exchange::answer_page(int status) {
  const auto& c = config();
  const bool nginx = runtime().model->dialect == config::Dialect::nginx;
  http::UserAgent agent;
  if (has_request() && request().has(http::FieldId::user_agent)) {
    agent = http::parse_user_agent(request().value(*request().find(http::FieldId::user_agent)));
  }
  std::string page;
  bool has_page = true;
  if ((status == 301 || status == 302) && c.msie_refresh && agent.msie) {
    std::string location;
    append_absolute(location, answer_.location);
    content::append_refresh_page(location, page);
    answer_.location.clear();
    status = error_status_ = 200;
  } else if (nginx) {
    const bool padding = c.msie_padding && (agent.msie || agent.chrome);
    has_page = content::append_nginx_page(status, server_product(), padding, page);
  } else {
    page = content::error_page(status);
  }
  answer_.content_type.clear();
  answer_.charset.clear();
  answer_.remove("Accept-Ranges");
  answer_.remove("Content-Encoding");
  error_status_ = status;
  if (!has_page) {
    answer_.status = status;
    answer_.length = 0;
    answer_.clear_validators();
    const Step step = begin_answer(false);
    if (!step.goes_on()) co_return step;
    co_return end_of_answer(co_await finish_answer());
  }
  co_return co_await answer_text(status, page, "text/html");
}

net::Task<Step> Exchange::empty_gif() {
  if (method_ != http::Method::get && method_ != http::Method::head) {
    co_return Step::answer_with(405);
  }
  constexpr std::time_t kMade = 23349600;  // 28 Sep 1970, as nginx's
  answer_.last_modified = kMade;
  const std::string_view gif(reinterpret_cast<const char*>(kGif), sizeof kGif);
  answer_.content_type = "image/gif";
  answer_.status = 200;
  answer_.length = static_cast<std::int64_t>(gif.size());
  const Step step = begin_answer(false);
  if (!step.goes_on()) co_return step;
  co_return end_of_answer(co_await send_body(gif));
}

net::Task<Step> Exchange::stub_status() {
  if (method_ != http::Method::get && method_ != http::Method::head) {
    co_return Step::answer_with(405);
  }
  const auto counts = worker_.connection_counts();
  std::string text = "Active connections: " + std::to_string(counts.active) +
                     " \nserver accepts handled requests\n " + std::to_string(counts.accepted) +
                     " " + std::to_string(counts.accepted) + " " + std::to_string(counts.requests) +
                     " \nReading: " + std::to_string(counts.reading) +
                     " Writing: " + std::to_string(counts.writing) +
                     " Waiting: " + std::to_string(counts.waiting) + " \n";
  answer_.content_type = "text/plain";
  co_return co_await answer_text(200, text, "text/plain");
}

}  // namespace weir::proxy
