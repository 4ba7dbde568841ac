// Pages with server side includes: an answer that is one is collected, and at its end made into the
// body that is sent. Includes are subrequests. All that a page asks for run beside each other,
// unless one is to be waited for: the first writes to the client itself, the bodies of the others
// are held, in memory and then in files, until what stands before them has been sent.
#include <algorithm>
#include <deque>
#include <limits>

#include "proxy/exchange.h"
#include "proxy/filters.h"

namespace weir::proxy {
namespace {

constexpr std::size_t kHeld = 64 * 1024;                     // that the client has not taken
constexpr std::size_t kBeside = 64;                          // includes of a page at once
constexpr std::uint64_t kMostHeld = std::uint64_t{1} << 30;  // of one include, mostly in a file
constexpr std::uint32_t kYieldEvery = 32;                    // includes that never wait

}  // namespace

// The includes of a page that have not been sent, in their order, each with the text behind it.
class Exchange::SsiParts {
 public:
  explicit SsiParts(Exchange& page) : x_(page) {}

  [[nodiscard]] bool empty() const { return parts_.empty(); }
  void add(SsiInclude include) {
    parts_.push_back(std::make_unique<Part>(x_.worker_.loop(), std::move(include)));
  }
  void append(std::string& text) {
    parts_.back()->after.append(text);
    text.clear();
  }
  // Until all have been sent. After an error none of them runs any more.
  net::Task<Error> flush();

 private:
  struct Part {
    Part(net::Loop& loop, SsiInclude what) : include(std::move(what)), waiter(loop) {}
    SsiInclude include;
    std::string after;
    Sender held;
    net::Waiter waiter;
    bool direct = false;  // `held` is not used
    bool done = false;
    int status = 0;
    Error error;
  };
  void start();
  net::Task<void> run(Part& part);
  net::Task<Error> wait_for(const Part& part);
  net::Task<Error> send(Part& part);
  void assign(Part& part);
  net::Task<void> stop();

  Exchange& x_;
  std::deque<std::unique_ptr<Part>> parts_;
  std::size_t started_ = 0;  // the first ones
  std::uint32_t sent_ = 0;
  net::Waiter* join_ = nullptr;  // who waits for all of them
};

net::Task<Error> Exchange::SsiParts::flush() {
  Error error;
  while (error.ok() && !parts_.empty()) {
    while (started_ < std::min(parts_.size(), kBeside)) start();
    Part& part = *parts_.front();
    error = co_await wait_for(part);
    if (error.ok()) error = co_await send(part);
    if (!error.ok()) break;
    parts_.pop_front();
    --started_;
    if (++sent_ % kYieldEvery == 0) co_await x_.waiter().yield();
  }
  if (!error.ok()) co_await stop();
  co_return error;
}

void Exchange::SsiParts::start() {
  Part& part = *parts_[started_];
  part.direct = started_ == 0 && !part.include.set;
  ++started_;
  Sender::Options options;
  options.memory = kHeld;
  options.file = options.most = kMostHeld;
  options.file_directory = x_.config().proxy_temp_path;
  if (part.include.set) {
    // As much as subrequest_output_buffer_size of its location allows.
    options.memory = std::numeric_limits<std::uint64_t>::max();
    options.file = 0;
  }
  part.held.begin_held(x_.worker_.loop(), options);
  x_.session_->add_waiter(part.waiter);
  net::spawn(run(part));
}

net::Task<void> Exchange::SsiParts::run(Part& part) {
  Exchange& sub = *x_.worker_.take_exchange();
  const auto& body = x_.main_->body_;
  Subrequest how;
  how.uri = part.include.path;
  how.args = part.include.args;
  how.sink = part.direct ? x_.body_sender() : &part.held;
  how.in_memory = part.include.set.has_value();
  if (part.include.stub) how.stub = &*part.include.stub;
  how.share_body = body.started() && body.complete() && body.replayable() &&
                   !x_.main_->dropped_body_ && body.outgoing().kind == http::Framing::Kind::counted;
  how.waiter = &part.waiter;
  co_await sub.run_below(x_, how);
  part.error = part_error(sub);
  part.status = sub.status_;
  sub.release();
  x_.worker_.give_exchange(&sub);
  x_.session_->remove_waiter(part.waiter);
  part.done = true;
  (join_ != nullptr ? *join_ : x_.waiter()).notify();
}

net::Task<Error> Exchange::SsiParts::wait_for(const Part& part) {
  while (!part.done) {
    if (x_.client_left()) co_return Error{Errc::client_closed, 0};
    const net::Interest hang_up(x_.client_slot(), x_.waiter());
    const auto wake = co_await x_.waiter().wait(TimePoint::max());
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
  }
  if (!part.held.error().ok()) {
    x_.log(LogLevel::error, part.include.set ? "the body of an include is larger than "
                                               "subrequest_output_buffer_size, for a variable"
                                             : "the body of an include could not be held");
  }
  co_return part.error;
}

net::Task<Error> Exchange::SsiParts::send(Part& part) {
  std::string piece;
  if (part.include.set) {
    assign(part);
  } else {
    while (part.held.take(piece)) {
      if (const Error error = co_await x_.send_part(piece); !error.ok()) co_return error;
    }
    if (!part.held.error().ok()) co_return part.held.error();
  }
  co_return co_await x_.send_part(part.after);
}

void Exchange::SsiParts::assign(Part& part) {
  std::string text;
  std::string piece;
  while (part.held.take(piece)) text.append(piece);
  if (part.status < 300) x_.ssi_shared().variables[*part.include.set] = std::move(text);
}

net::Task<void> Exchange::SsiParts::stop() {
  net::Waiter join(x_.worker_.loop());
  join_ = &join;
  const auto runs = [&] {
    return std::any_of(parts_.begin(), parts_.begin() + static_cast<std::ptrdiff_t>(started_),
                       [](const auto& part) { return !part->done; });
  };
  for (std::size_t i = 0; i < started_; ++i) {
    if (!parts_[i]->done) parts_[i]->waiter.cancel();
  }
  while (runs()) co_await join.wait(TimePoint::max());
  join_ = nullptr;
}

// ---- the exchange
// ----------------------------------------------------------------------------------

void Exchange::filter_ssi() {
  if (answer_.length == 0 || answer_.find("Content-Encoding") != nullptr ||
      !location_->tools().ssi_types.contains(answer_.content_type)) {
    return;
  }
  if (is_main()) answer_.body_changes(config().ssi_last_modified);
  if (main_->ssi_shared_ == nullptr) main_->ssi_shared_ = std::make_unique<SsiShared>();
  ssi_ = std::make_unique<SsiPage>(*this);
  filters_.add(make_ssi_filter(*ssi_));
}

std::string_view Exchange::time_format() const {
  return ssi_ != nullptr ? ssi_->time_format() : content::kSsiTimeFormat;
}

net::Task<Error> Exchange::render() {
  SsiPage& page = *ssi_;
  if (page.too_large()) co_return Error{Errc::local_resources, 0};
  SsiParts parts(*this);
  std::string out;
  Error error;
  auto stop = SsiPage::Stop::pause;
  while (error.ok() && stop != SsiPage::Stop::end) {
    stop = page.run(out);
    const bool asked = stop == SsiPage::Stop::include;
    const bool includes = asked && may_include(page.include());
    if (asked && !includes) page.append_error(out);
    if (parts.empty()) {
      error = co_await send_part(out);
    } else {
      parts.append(out);
    }
    if (!error.ok() || !includes) continue;
    const bool waits = page.include().wait;
    parts.add(std::move(page.include()));
    if (waits) error = co_await parts.flush();
  }
  if (error.ok()) error = co_await parts.flush();
  if (is_main()) sender_.options().hold_head = false;
  co_return error;
}

bool Exchange::may_include(const SsiInclude& include) {
  if (depth_ + 1 >= kMaxDepth) {
    log(LogLevel::error, "includes in includes, more than 50 deep, at \"" + include.path + "\"");
    return false;
  }
  if (++ssi_shared().includes > SsiShared::kMaxIncludes) {
    log(LogLevel::error, "more than " + std::to_string(SsiShared::kMaxIncludes) +
                             " includes for one request, at \"" + include.path + "\"");
    return false;
  }
  return true;
}

net::Task<Error> Exchange::send_part(std::string& text) {
  if (text.empty()) co_return Error{};
  body_sender()->write(text, false);
  text.clear();
  co_return co_await drain_sender(kHeld);
}

// In place of an error, or of a body that was empty, unless it was cut off.
net::Task<void> Exchange::answer_stub(const std::string& text) {
  if (answer_begun_ && !completed_) co_return;
  if (error_.side() == Side::client || error_.what == Errc::shutting_down) co_return;
  stub_ = nullptr;
  completed_ = false;
  error_status_ = 0;
  answer_.reset();
  answer_.content_type = parent_->answer_.content_type;
  static_cast<void>(co_await answer_text(200, text, answer_.content_type));
}

// One that has not been completed was cut off, and so is what it is a part of.
Error Exchange::part_error(const Exchange& sub) {
  if (sub.completed_) return {};
  return sub.error_.ok() ? Error{Errc::local_resources, 0} : sub.error_;
}

}  // namespace weir::proxy
