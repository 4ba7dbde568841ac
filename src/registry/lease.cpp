#include "registry/lease.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace weir::registry {
namespace {

// Beyond the end of a lease: clocks of Redis and of this process run a little apart.
constexpr Duration kSlack{100};

bool says(const RespValue& answer, std::string_view word, std::size_t items) {
  return answer.items.size() >= items && !answer.items.empty() && answer.items[0].text == word;
}

std::optional<std::uint64_t> uptime_of(const RespValue& info) {
  constexpr std::string_view key = "uptime_in_seconds:";
  const auto at = info.text.find(key);
  if (at == std::string::npos) return std::nullopt;
  std::uint64_t seconds = 0;
  const auto* begin = info.text.data() + at + key.size();
  const auto* end = info.text.data() + info.text.size();
  if (std::from_chars(begin, end, seconds).ec != std::errc{}) return std::nullopt;
  return seconds;
}

}  // namespace

Lease::Lease(boost::asio::io_context& io, const Clock& clock, Random random, LeaseOptions options,
             Hooks hooks)
    : clock_(clock),
      random_(random),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      link_(io, options_.link, std::move(random),
            {.on_up = [this] { step(); },
             .on_down =
                 [this](const std::string& error) {
                   busy_ = false;
                   failed(error);
                 }}),
      timer_(io),
      since_(std::to_string(clock.wall().time_since_epoch().count())) {}

void Lease::start() {
  running_ = std::make_shared<bool>(true);
  link_.start();
}

void Lease::stop() {
  running_ = nullptr;
  timer_.cancel();
  link_.stop();
}

Fields Lease::fields() const {
  return {"addr",    options_.addr,    "state",  to_string(state_),
          "mode",    options_.mode,    "weight", std::to_string(options_.weight),
          "version", options_.version, "since",  since_};
}

void Lease::later(Duration wait) {
  timer_.expires_after(wait);
  timer_.async_wait([this, running = std::weak_ptr(running_)](const auto& error) {
    if (!error && !running.expired()) step();
  });
}

// What is to be done next, one thing at a time.
void Lease::step() {
  if (running_ == nullptr || releasing_) return;
  if (busy_) {
    again_ = true;
    return;
  }
  again_ = false;
  if (!link_.up()) {
    if (!error_.empty()) failed(error_);  // the lease may be over by now
    return later(options_.renew);         // or as soon as it is up
  }
  if (id_) return keep();
  settled_ ? take() : ask_uptime();
}

void Lease::failed(const std::string& error) {
  if (error_ != error && hooks_.on_note) hooks_.on_note(error);
  error_ = error;
  if (!id_) return;
  const bool over = clock_.now() - renewed_ >= options_.lease;
  if (over && !unsure_) {
    unsure_ = true;
    if (hooks_.on_unsure) hooks_.on_unsure(error);
  }
}

// ---- taking one ----

void Lease::ask_uptime() {
  if (options_.settle == Duration{0}) {
    settled_ = true;
    return take();
  }
  busy_ = true;
  link_.send(format_command({"INFO", "server"}), 1, [this](const Reply& reply) {
    busy_ = false;
    if (reply.ok()) on_uptime(reply);
  });
}

void Lease::on_uptime(const Reply& reply) {
  const auto uptime = uptime_of(reply.values.front());
  const Duration ran = uptime
                           ? Duration{std::chrono::seconds{std::min<std::uint64_t>(*uptime, 3600)}}
                           : options_.settle;  // it may not be asked: nobody knows
  settled_ = true;
  if (ran >= options_.settle) return take();
  if (hooks_.on_note) {
    hooks_.on_note("Redis has only just started; nodes that were there write themselves in first");
  }
  later(options_.settle - ran);
}

void Lease::take() {
  busy_ = true;
  const auto sent = clock_.now();
  const bool patient = !waits_until_ || sent < *waits_until_;
  link_.send(take_command(options_.app, options_.instance, options_.addr, options_.lease, patient,
                          fields()),
             1, [this, sent](const Reply& reply) {
               busy_ = false;
               if (reply.ok()) on_take(reply, sent);
             });
}

void Lease::on_take(const Reply& reply, TimePoint sent) {
  const auto& answer = reply.values.front();
  if (says(answer, "taken", 2) && answer.items[1].integer >= 0 &&
      answer.items[1].integer < static_cast<std::int64_t>(kSlots)) {
    id_ = static_cast<std::size_t>(answer.items[1].integer);
    published_ = state_;
    held(sent);
    if (hooks_.on_taken) hooks_.on_taken(*id_);
    return;
  }
  if (says(answer, "wait", 3)) {
    const auto rest = std::clamp(Duration{answer.items[2].integer}, Duration{0}, options_.lease);
    if (!waits_until_) {
      waits_until_ = clock_.now() + rest;
      if (hooks_.on_note) {
        hooks_.on_note("worker ID " + std::to_string(answer.items[1].integer) +
                       " was this address's, and its lease has " + std::to_string(rest.count()) +
                       " ms left; waiting for it");
      }
    }
    return later(rest + kSlack);
  }
  if (says(answer, "full", 1)) return on_full(answer);
  if (answer.is_error("READONLY")) return link_.renew(answer.text);
  failed(answer.is_error() ? answer.text : "the answer to the allocation makes no sense");
  later(backoff_.next(random_));
}

void Lease::on_full(const RespValue& answer) {
  std::string why = "all " + std::to_string(kSlots) + " worker IDs of \"" + options_.app +
                    "\" are taken; stop a node first. Holders:";
  for (std::size_t i = 1; i < answer.items.size(); ++i) {
    const auto& holder = answer.items[i].items;
    if (holder.size() != 4) continue;
    why += (i == 1 ? " " : ", ") + std::to_string(holder[0].integer) + " " +
           (holder[1].text.empty() ? "(no node)" : holder[1].text) + " " + holder[2].text;
  }
  if (hooks_.on_refused) hooks_.on_refused(why);
}

// ---- keeping it ----

void Lease::set_state(NodeState state) {
  state_ = state;
  if (id_) step();
}

void Lease::keep() {
  busy_ = true;
  const auto sent = clock_.now();
  const bool changed = state_ != published_;
  link_.send(keep_command(options_.app, *id_, options_.instance, options_.lease, changed, fields()),
             1, [this, sent, state = state_](const Reply& reply) {
               busy_ = false;
               if (reply.ok()) on_keep(reply, sent, state);
               if (again_) step();
             });
}

void Lease::on_keep(const Reply& reply, TimePoint sent, NodeState state) {
  const auto& answer = reply.values.front();
  if (says(answer, "held", 3)) {
    const auto holder = answer.items[2].text + " (" + answer.items[1].text + ")";
    stop();
    if (hooks_.on_lost) hooks_.on_lost(holder);
    return;
  }
  const bool retaken = says(answer, "retaken", 2);
  if (!retaken && !says(answer, "kept", 2)) {
    // A master that has become a replica: the master is elsewhere now.
    if (answer.is_error("READONLY")) return link_.renew(answer.text);
    failed(answer.is_error() ? answer.text : "the answer to the renewal makes no sense");
    return later(backoff_.next(random_));
  }
  const bool news = std::exchange(published_, state) != state;
  const bool drained = !answer.items[1].text.empty();
  if (hooks_.on_note) {
    if (retaken) hooks_.on_note("the lease had run out; nobody had taken the ID, it is held again");
    if (!error_.empty()) hooks_.on_note("the registry is reached again");
    if (drained != drained_) {
      hooks_.on_note(drained ? "drained by an operator" : "no longer drained by an operator");
    }
  }
  drained_ = drained;
  held(sent);
  if (news && hooks_.on_published) hooks_.on_published(state);
}

void Lease::held(TimePoint sent) {
  renewed_ = sent;
  unsure_ = false;
  error_.clear();
  backoff_.reset();
  later(options_.renew);
}

void Lease::release(std::function<void()> done) {
  releasing_ = true;
  timer_.cancel();
  if (!id_ || !link_.up()) {
    stop();
    return done();
  }
  link_.send(release_command(options_.app, *id_, options_.instance), 1,
             [this, done = std::move(done)](const Reply&) {
               const auto then = done;  // stop() lets go of what this is kept by
               stop();
               then();
             });
}

}  // namespace weir::registry
