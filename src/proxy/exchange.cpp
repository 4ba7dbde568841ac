#include "proxy/exchange.h"

#include <algorithm>
#include <cstring>

#include "http/line_ends.h"
#include "proxy/http2_stream.h"
#include "proxy/rewrite.h"
#include "proxy/text.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

constexpr std::size_t kHeadRead = 16 * 1024;
constexpr std::size_t kKeptCapacity = 64 * 1024;
constexpr int kMaxRedirects = 10;  // nginx's number of rewrites and internal redirects

void reset(std::string& text) {
  if (text.capacity() > kKeptCapacity) {
    std::string().swap(text);
  } else {
    text.clear();
  }
}

}  // namespace

// The life of a request, phase by phase.
net::Task<Session::Afterwards> Exchange::run(Session& session) {
  begin(session);

  enter(Phase::head);
  worker_.mutable_stats().reading.add();
  Error error = co_await read_head();
  worker_.mutable_stats().reading.sub();
  if (error.ok()) error = choose_server();

  if (head_bytes_.empty()) {
    // The connection ended, or was idle for too long, before the first byte of a request.
  } else if (!error.ok()) {
    fail(error);
    co_await process(give_up(error));
  } else if (const int status = check_tls(); status != 0) {
    co_await process(Step::answer_with(status));
  } else {
    co_await process({Step::Kind::restart, 0});
  }
  if (background_ > 0) co_await join_background();
  if (keep_alive_ && !body_.complete()) co_await finish_body();
  finish();

  const auto& request = config();
  Session::Afterwards after;
  after.keep = keep_alive_;
  after.gone = head_bytes_.empty() || error_.what == Errc::client_closed;
  after.linger = request.lingering_close == config::LingeringClose::always ||
                 (linger_ && request.lingering_close == config::LingeringClose::on);
  after.never_linger = request.lingering_close == config::LingeringClose::off;
  after.reset = reset_;
  after.stalled = error_.what == Errc::client_write_stalled;
  after.idle_timeout = request.keepalive_timeout.idle;
  after.min_timeout = request.keepalive_min_timeout;
  after.lingering_time = request.lingering_time;
  after.lingering_timeout = request.lingering_timeout;
  release();
  co_return after;
}

// From the server's rules to an answer. A phase may lead back: to another path, a named location,
// or the page of an error.
net::Task<void> Exchange::process(Step step) {
  while (step.kind != Step::Kind::done) {
    switch (step.kind) {
      case Step::Kind::answer:
        if (stub_ != nullptr) co_return;  // which is the answer then
        step = co_await answer_status(step.status);
        break;
      case Step::Kind::text:
        step = co_await answer_text(step.status, return_text_, {});
        break;
      default:
        step = co_await serve(step);
    }
  }
}

// The phases of a request whose server is known, in nginx's order.
net::Task<Step> Exchange::serve(Step step) {
  enter(Phase::route);
  if (step.kind == Step::Kind::restart) {
    location_ = &server_->root;
    if (const auto text = challenge_answer(); !text.empty()) {
      co_return co_await answer_text(200, text, "text/plain");
    }
    step = Rewriter(*this).run(server_->config->root->rules);
    if (step.goes_on()) step.kind = Step::Kind::locate;
  }
  if (step.kind == Step::Kind::locate) step = locate();
  if (step.kind == Step::Kind::relocate) step = {};
  if (step.goes_on()) step = enter_location();
  if (step.goes_on() && location_->tools().admits) step = co_await admit();
  if (step.goes_on() && location_->config().try_files) step = try_files();
  if (step.goes_on()) step = co_await content();
  if (step.kind == Step::Kind::locate && --redirects_left_ <= 0) {
    log(LogLevel::error,
        "rewrite or internal redirection cycle while processing \"" + path_ + "\"");
    step = Step::answer_with(500);
  }
  co_return step;
}

// What an ACME server asks for (RFC 8555 section 8.3), ahead of all that is configured.
std::string Exchange::challenge_answer() const {
  const auto* challenges = worker_.challenges();
  const bool reads = method_ == http::Method::get || method_ == http::Method::head;
  return challenges != nullptr && is_main() && reads ? challenges->answer(path_) : std::string();
}

net::Task<Step> Exchange::content() {
  const auto& content = location_->config().content;
  if (std::holds_alternative<config::ProxyConfig>(content)) {
    const Step step = co_await proxy();
    if (ssi_ == nullptr || !ssi_->complete()) co_return step;
    co_return end_of_answer(co_await end_body(true));
  }
  if (std::holds_alternative<config::StubStatus>(content)) co_return co_await stub_status();
  if (std::holds_alternative<config::EmptyGif>(content)) co_return co_await empty_gif();
  co_return co_await serve_files();
}

void Exchange::begin(Session& session) {
  session_ = &session;
  waiter_ = &session.waiter();
  main_ = this;
  parent_ = nullptr;
  depth_ = 0;
  sink_ = &sender_;
  in_memory_ = false;
  stub_ = nullptr;
  explanation_ = session.explanation();
  ssi_shared_.reset();
  trace_.reset();
  pin_ = worker_.runtime();
  listen_ = session.listen(pin_->get());
  server_ = &listen_->hosts.default_server();
  location_ = &server_->root;
  began_ = worker_.loop().now();
  reset(head_bytes_);
  has_request_ = has_request_id_ = continue_sent_ = false;
  body_waited_ = Duration{0};
  request_.size = 0;
  mended_ = 0;
  client_address_ = session.peer();
  client_text_size_ = 0;
  host_.clear();
  limit_req_status_ = limit_conn_status_ = {};
  variables_.reset();
  answer_.reset();
  limited_rate_ = limited_connections_ = real_ip_applied_ = false;
  must_close_ = reset_ = linger_ = keep_alive_ = quoted_path_ = false;
  redirects_left_ = kMaxRedirects + 1;
  background_ = 0;
  sender_.reset();
  sent_head_.clear();
  sent_trailers_.clear();
  reset_request();
  worker_.mutable_stats().active.add();
}

// What every exchange begins with, a subrequest too.
void Exchange::reset_request() {
  phase_ = Phase::head;
  failed_in_ = Phase::done;
  error_ = {};
  path_.clear();
  args_.clear();
  untouched_path_ = valid_location_ = true;
  internal_ = in_error_page_ = dropped_body_ = false;
  error_status_ = 0;
  captures_.clear();
  attempts_.clear();
  pool_ = nullptr;
  idle_ = nullptr;
  affinity_.reset();
  queued_.reset();
  dynamic_.clear();
  later_pins_.clear();
  dynamic_host_.clear();
  dynamic_has_uri_ = false;
  reset(response_bytes_);
  has_response_ = false;
  response_trailers_.clear();
  filters_.clear();
  ssi_.reset();
  limit_rate_.reset();
  buffering_.reset();
  accel_charset_.reset();
  status_ = 0;
  bytes_sent_ = answer_head_size_ = 0;
  answer_begun_ = completed_ = buffer_body_ = compressed_ = has_body_ = raw_ = false;
  pass_trailers_ = own_end_ = add_surroundings_ = vary_on_encoding_ = add_path_to_alias_ = false;
  mirrored_ = false;
  ranges_.clear();
  multipart_.reset();
  compressor_.reset();
}

void Exchange::release() {
  filters_.clear();
  ssi_.reset();
  ssi_shared_.reset();
  sender_.reset();
  connection_leases_.clear();
  dynamic_.clear();
  later_pins_.clear();
  pin_.reset();
  body_.clear();
}

// ---- subrequests
// -----------------------------------------------------------------------------------

net::Task<void> Exchange::run_below(Exchange& parent, const Subrequest& subrequest) {
  session_ = parent.session_;
  waiter_ = subrequest.waiter != nullptr ? subrequest.waiter : parent.waiter_;
  main_ = parent.main_;
  parent_ = &parent;
  depth_ = parent.depth_ + 1;
  sink_ = subrequest.sink;
  in_memory_ = subrequest.in_memory;
  stub_ = subrequest.stub;
  pin_ = parent.pin_;
  listen_ = parent.listen_;
  server_ = parent.server_;
  location_ = &server_->root;
  began_ = worker_.loop().now();
  reset_request();
  answer_.reset();
  redirects_left_ = kMaxRedirects + 1;
  internal_ = true;
  untouched_path_ = false;
  path_.assign(subrequest.uri);
  args_.assign(subrequest.args);
  method_ = sink_ != nullptr ? http::Method::get : main_->method_;
  method_text_ = sink_ != nullptr ? "GET" : main_->method_text_;
  background_ = 0;
  keep_alive_ = must_close_ = reset_ = linger_ = false;
  bool ready = depth_ < kMaxDepth;
  if (!ready) log(LogLevel::error, "subrequests in subrequests: more than 50 deep");
  if (ready && subrequest.share_body) ready = main_->body_.share(body_);
  if (ready) {
    const auto before = sink_ != nullptr ? sink_->plain_size() : 0;
    co_await process({Step::Kind::restart, 0});
    if (stub_ != nullptr && sink_->plain_size() == before) co_await answer_stub(*stub_);
  } else {
    status_ = 500;
  }
  if (config().log_subrequest) write_access_logs();
  export_spans();
}

// `mirror`: copies of the request that run beside it; what they answer is dropped.
net::Task<Step> Exchange::start_mirrors() {
  mirrored_ = true;
  if (config().mirror_request_body && !(body_.started() && body_.complete())) {
    buffer_body_ = true;
    Error error = start_body(true);
    if (error.ok()) error = co_await read_body_ahead();
    if (!error.ok()) {
      fail(error);
      co_return give_up(error);
    }
  }
  for (const auto& uri : config().mirror) {
    ++background_;
    net::spawn(run_mirror(uri));
  }
  co_return Step{};
}

net::Task<void> Exchange::run_mirror(const std::string& uri) {
  net::Waiter own(worker_.loop());
  session_->add_waiter(own);
  Exchange& sub = *worker_.take_exchange();
  Subrequest how;
  how.uri = std::string_view(uri).substr(0, uri.find('?'));
  how.args = args_;
  how.share_body = config().mirror_request_body && body_.complete() && body_.replayable() &&
                   body_.outgoing().kind != http::Framing::Kind::chunked;
  how.waiter = &own;
  co_await sub.run_below(*this, how);
  sub.release();
  worker_.give_exchange(&sub);
  session_->remove_waiter(own);
  if (--background_ == 0 && join_ != nullptr) join_->notify();
}

// The next request of the connection waits for what still runs beside this one.
net::Task<void> Exchange::join_background() {
  net::Waiter join(worker_.loop());
  join_ = &join;
  while (background_ > 0) co_await join.wait(TimePoint::max());
  join_ = nullptr;
}

// ---- the request head
// ----------------------------------------------------------------------------

net::Task<Error> Exchange::read_head() {
  const auto& server = *server_->config;
  const auto& request = server.root->request;
  http::Limits limits;
  limits.head = server.header_limit;
  limits.line = server.header_line_limit;
  limits.fields = request.max_headers;
  limits.underscores_in_headers = request.underscores_in_headers;
  limits.ignore_invalid_headers = request.ignore_invalid_headers;
  const bool nginx = runtime().model->dialect == config::Dialect::nginx;
  limits.cut_fragment = nginx;
  if (const auto* stream = session_->stream()) {
    limits.http2 = true;
    limits.fields += stream->written_fields();
  }
  const auto deadline = std::min(began_ + request.client_header_timeout, session_->head_until());
  auto& client = session_->client();
  char* scratch = worker_.scratch().data();
  http::ParseState state;

  const bool at_hand = !session_->pending().empty();
  pipelined_ = at_hand && session_->stream() == nullptr;
  if (at_hand) head_bytes_.swap(session_->pending());
  for (;;) {
    if (!head_bytes_.empty()) {
      const auto parsed = http::parse_request(head_bytes_, limits, state, request_);
      if (parsed.status == http::ParseStatus::complete) break;
      auto ends = http::LineEnds::good;
      if (parsed.status == http::ParseStatus::error && parsed.http_status == 400 &&
          request.bare_line_feeds) {
        const auto before = head_bytes_.size();
        ends = http::mend_line_ends(head_bytes_, limits.head);
        mended_ += head_bytes_.size() - before;
        state = {};
        if (ends == http::LineEnds::mended) continue;
      }
      if (parsed.status == http::ParseStatus::error && ends == http::LineEnds::good) {
        // nginx has a status of its own for a head that is too large, and says 400.
        status_ = nginx && parsed.http_status == 431 ? 494 : parsed.http_status;
        worker_.mutable_stats().bad_requests.add();
        log(LogLevel::info, std::string("client sent an invalid request head: ") + parsed.reason);
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
    const net::Interest readable(client.on_readable, waiter());
    const auto wake = co_await waiter().wait(deadline);
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
    if (wake == net::Wake::timeout) co_return Error{Errc::client_timed_out, 0};
  }
  has_request_ = true;
  method_ = request_.method;
  method_text_ = request_.method_text();
  args_.assign(request_.query_text());
  body_.arrive(request_.framing, std::string_view(head_bytes_).substr(request_.size),
               session_->pending());
  co_return Error{};
}

// ---- after the answer
// --------------------------------------------------------------------------------

net::Task<void> Exchange::finish_body() {
  if (!body_.drop(session_->pending()).ok()) keep_alive_ = false;
  const auto deadline = worker_.loop().now() + config().lingering_time;
  while (keep_alive_ && !body_.complete()) {
    const auto read = body_.read(session_->client(), worker_.scratch().data(), session_->pending());
    if (!read.error.ok()) {
      keep_alive_ = false;
      co_return;
    }
    if (!read.blocked) continue;
    const net::Interest readable(session_->client().on_readable, waiter());
    if (co_await waiter().wait(deadline) != net::Wake::ready) keep_alive_ = false;
  }
}

void Exchange::finish() {
  enter(Phase::done);
  worker_.mutable_stats().active.sub();
  if (explanation_ != nullptr) return end_explanation();
  if (head_bytes_.empty()) return;
  count();
  write_access_logs();
  export_spans();
}

void Exchange::count() {
  worker_.mutable_stats().requests.add();
  auto& stats = runtime().server_stats[server_->index]->of(worker_.index());
  const auto status_class = static_cast<std::size_t>(status_ / 100);
  stats.by_class[status_class < stats.by_class.size() ? status_class : 0].add();
  stats.bytes_in.add(request_length());
  stats.bytes_out.add(bytes_sent_);
  // A tunnel lasts as long as its ends like: next to its hours all answers would look alike.
  const bool answer = !means_tunnel(status_);
  const auto duration = worker_.loop().now() - began_;
  if (answer) stats.duration.observe(duration);
  if (error_.what == Errc::client_closed) worker_.mutable_stats().client_aborts.add();
  if (const auto end = end_code(); end.cause != EndCause::none) {
    worker_.mutable_stats().broken(end).add();
  }
  if (const auto& counters = location_->tools().stats; counters != nullptr) {
    auto& location = counters->of(worker_.index());
    location.by_class[status_class < location.by_class.size() ? status_class : 0].add();
    if (answer) location.duration.observe(duration);
  }
}

// One that is gone altogether resets the connection, at the latest when bytes reach it.
bool Exchange::client_gone() const {
  return session_->client().broken() && waiter_ == &session_->waiter() &&
         !config().proxy_ignore_client_abort;
}

bool Exchange::client_left() const {
  if (client_gone()) return true;
  const auto& c = config();
  return session_->client().hung_up() && main_->body_.complete() &&
         waiter_ == &session_->waiter() && !c.serve_half_closed && !c.proxy_ignore_client_abort;
}

}  // namespace weir::proxy
