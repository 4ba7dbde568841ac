#include "ocsp/asker.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <exception>
#include <utility>

#include "ocsp/question.h"
#include "ocsp/schedule.h"
#include "tls/staple.h"

// g++ 12 takes the frames of Asio's coroutines, which are given back as they were taken, for a
// mistake.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace weir::ocsp {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMostAtOnce = 16;

std::string seconds_text(Duration wait) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(wait).count()) + " s";
}

}  // namespace

// Who asks, and who waits for that.
struct Asker::Turns {
  std::size_t asking = 0;
  std::deque<std::shared_ptr<Job>> waiting;
};

// An answer that is wanted.
struct Asker::Job {
  Job(asio::io_context& io, const config::StapleAsk& wanted, std::shared_ptr<Turns> all)
      : path(wanted.path), asked(wanted.asked), turns(std::move(all)), timer(io) {}

  // Until its turn has come, or it has ended.
  static asio::awaitable<void> take_turn(std::shared_ptr<Job> self);
  void end_turn() const;

  std::string path;
  std::shared_ptr<tls::AskedStaple> asked;
  std::shared_ptr<Turns> turns;
  asio::steady_timer timer;
  bool ended = false;  // nobody wants it any more; whoever asked it must not look at the Asker
};

asio::awaitable<void> Asker::Job::take_turn(std::shared_ptr<Job> self) {
  auto& turns = *self->turns;
  if (turns.asking >= kMostAtOnce) {
    turns.waiting.push_back(self);
    boost::system::error_code ignored;
    self->timer.expires_at(asio::steady_timer::time_point::max());
    co_await self->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (std::erase(turns.waiting, self) == 0) co_return;  // whoever had the turn has passed it on
  }
  ++turns.asking;
}

void Asker::Job::end_turn() const {
  if (turns->waiting.empty()) {
    --turns->asking;
    return;
  }
  const auto next = turns->waiting.front();
  turns->waiting.pop_front();
  next->timer.cancel();
}

Asker::Asker(asio::io_context& io, Log& log)
    : io_(io), log_(log), turns_(std::make_shared<Turns>()) {}

Asker::~Asker() { stop(); }

void Asker::use(const config::Model& model) {
  std::map<const tls::AskedStaple*, std::shared_ptr<Job>> next;
  for (const auto& wanted : model.staples) {
    auto& job = next[wanted.asked.get()];
    const auto known = jobs_.extract(wanted.asked.get());
    if (!known.empty()) {
      job = known.mapped();
      job->path = wanted.path;
      continue;
    }
    job = std::make_shared<Job>(io_, wanted, turns_);
    asio::co_spawn(io_, run(job), [this, job](const std::exception_ptr& error) {
      if (error != nullptr && !job->ended) log_.write(LogLevel::alert, "ocsp: asking has ended");
    });
  }
  stop();
  jobs_ = std::move(next);
}

void Asker::stop() {
  for (const auto& [key, job] : jobs_) {
    job->ended = true;
    job->timer.cancel();
  }
  jobs_.clear();
}

asio::awaitable<void> Asker::run(std::shared_ptr<Job> job) {
  while (!job->ended) {
    co_await Job::take_turn(job);
    std::string error;
    if (!job->ended) error = co_await ask(job);
    job->end_turn();
    if (job->ended) co_return;
    note(*job, error);
    boost::system::error_code ignored;
    job->timer.expires_after(job->asked->progress.next - clock_.wall());
    co_await job->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

// Empty, or what is wrong.
asio::awaitable<std::string> Asker::ask(std::shared_ptr<Job> job) {
  std::string error;
  try {
    fetch::HttpClient client;
    const auto reply = co_await client.send(question(job->asked->url(), job->asked->request()));
    error = reply.status == 200 ? job->asked->take(reply.body)
                                : "it answers with status " + std::to_string(reply.status);
    if (!error.empty()) error.insert(0, job->asked->url() + ": ");
  } catch (const std::exception& failure) {
    error = failure.what();
  }
  co_return error;
}

void Asker::note(Job& job, const std::string& error) {
  auto& progress = job.asked->progress;
  const auto now = clock_.wall();
  const auto name = "ocsp: \"" + job.path + "\": ";
  const auto staple = job.asked->present();
  if (error.empty()) {
    if (progress.failures > 0 || progress.next == WallTime{}) {
      log_.notice(name + job.asked->url() + " has answered; it is sent with the certificate");
    }
    progress = {now + answer_wait(now, staple->next_update(), share()), {}, 0};
    return;
  }
  const auto wait = failure_wait(++progress.failures, share());
  progress.next = now + wait;
  if (progress.error == error) return;
  progress.error = error;
  const bool sent =
      staple != nullptr &&
      (staple->next_update() == 0 || now < WallTime{std::chrono::seconds{staple->next_update()}});
  log_.error(name + error + "; " +
             (sent ? "the answer before is sent until it is too old" : "nothing is sent with it") +
             "; asked again in " + seconds_text(wait));
}

}  // namespace weir::ocsp
