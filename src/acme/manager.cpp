#include "acme/manager.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <map>
#include <random>
#include <utility>

#include "acme/client.h"
#include "acme/journal.h"
#include "acme/keys.h"
#include "acme/schedule.h"
#include "config/acme_names.h"
#include "tls/certificate_facts.h"
#include "tls/pem.h"

namespace weir::acme {
namespace {

namespace asio = boost::asio;

constexpr Duration kLongestSleep = std::chrono::hours{1};  // the wall clock may be set
constexpr Duration kLongestAsked = std::chrono::hours{24};
constexpr Duration kPause = std::chrono::seconds{1};  // after what nobody has foreseen

WallTime now() { return SystemClock().wall(); }

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

// A certificate that is wanted.
struct Job {
  std::shared_ptr<const config::AcmeCertificate> config;
  std::string fingerprint;   // of the one there is; empty: none
  std::string unkept;        // it, with its key, until it is found where it is kept
  bool keeps_again = false;  // that failed
  WallTime due{};
  std::uint32_t failures = 0;
  std::string error;
};

bool same_account(const config::AcmeIssuer& a, const config::AcmeIssuer& b) {
  const auto text = [](const config::TlsFile& file) { return file ? *file.text : std::string(); };
  return a.uri == b.uri && a.contacts == b.contacts && a.challenge == b.challenge &&
         a.accepts_terms == b.accepts_terms && a.verify == b.verify &&
         text(a.trusted) == text(b.trusted) && a.external_id == b.external_id &&
         a.keeps_account == b.keeps_account && a.state_path == b.state_path &&
         a.account.path == b.account.path && a.profile == b.profile;
}

// What decides whether a server would say the same again.
std::string account_of(const config::AcmeIssuer& issuer) {
  std::string out = issuer.uri + (issuer.accepts_terms ? " terms" : "") +
                    (issuer.challenge == config::AcmeIssuer::Challenge::http ? " http" : " tls");
  for (const auto& contact : issuer.contacts) out += " " + contact;
  if (!issuer.external_id.empty()) out += " of " + issuer.external_id;
  if (!issuer.profile.empty()) out += " as " + issuer.profile;
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return out;
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

// What is wanted of one issuer. The ACME thread.
struct Manager::Desk {
  Desk(asio::io_context& io, Manager& manager) : timer(io), owner(manager) {}

  void take(const std::shared_ptr<const config::Model>& model, const config::AcmeIssuer& issuer);
  void load(const std::string& text);
  void recall(const std::string& path, Job& job) const;
  void note(const Job& job);
  void note(const Job& job, Attempt attempt);
  void find_kept(Job& job, const std::string& text);
  asio::awaitable<void> run(std::shared_ptr<Desk> self);
  asio::awaitable<void> order(std::shared_ptr<Job> job);
  asio::awaitable<std::string> obtain(const Job& job);
  void keep(Job& job);
  void keep_account();
  void failed(Job& job, const std::string& why, Duration asked);
  [[nodiscard]] tls::KeyPtr account_key();
  [[nodiscard]] double share() { return std::uniform_real_distribution<>(0, 1)(random); }

  asio::steady_timer timer;
  Manager& owner;
  std::shared_ptr<const config::AcmeIssuer> issuer;
  std::shared_ptr<const config::AcmeIssuer> client_issuer;  // that client_ was made for
  std::unique_ptr<Client> client;
  std::string account;          // the key of the account, PEM
  bool account_unkept = false;  // to be written
  Journal journal;
  std::string journal_kept;                          // as it was last given away to be written
  std::map<std::string, std::shared_ptr<Job>> jobs;  // by the path of the file
  std::mt19937_64 random{std::random_device{}()};
  bool ended = false;
};

struct Manager::Loop {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard{io.get_executor()};
  std::map<std::string, std::shared_ptr<Desk>> desks;  // by the issuer's name
};

// ---- what is wanted

void Manager::Desk::find_kept(Job& job, const std::string& text) {
  const auto facts = tls::certificate_facts(text);
  if (!facts) return;
  if (facts->fingerprint != job.fingerprint) {
    if (!job.unkept.empty()) return;  // a newer one is on its way there
    // From before the start, or somebody else's work.
    job.fingerprint = facts->fingerprint;
    job.due = renewal_time(facts->not_before, facts->not_after, share());
    job.error.clear();
  }
  job.unkept.clear();
  if (job.error.empty()) job.failures = 0;
}

void Manager::Desk::take(const std::shared_ptr<const config::Model>& model,
                         const config::AcmeIssuer& wanted) {
  const bool other = issuer != nullptr && !same_account(*issuer, wanted);
  issuer = {model, &wanted};
  if (other) {
    account.clear();
    journal.attempts.clear();
  }
  journal.account = account_of(wanted);
  if (wanted.account) account = *wanted.account.text;
  std::map<std::string, std::shared_ptr<Job>> next;
  for (const auto& certificate : model->acme_certificates) {
    if (certificate.issuer != wanted.name) continue;
    const auto& path = certificate.stored.path;
    const bool fresh = !jobs.contains(path);
    auto job = fresh ? std::make_shared<Job>() : jobs[path];
    job->config = {model, &certificate};
    if (other && job->failures > 0) {  // what was wrong may be mended
      job->failures = 0;
      job->due = now();
    }
    if (certificate.stored) {
      find_kept(*job, *certificate.stored.text);
    } else if (!job->fingerprint.empty() && job->unkept.empty()) {  // somebody has removed it
      job->fingerprint.clear();
      job->due = now();
    }
    if (fresh) recall(path, *job);
    next.emplace(path, std::move(job));
  }
  jobs = std::move(next);
  timer.cancel();
}

// ---- what is kept of failures

void Manager::Desk::load(const std::string& text) {
  journal = journal_of(text);
  journal_kept = text;
  if (journal.account != account_of(*issuer)) journal.attempts.clear();
}

// An order that has failed before the start is not tried again at once. The clock may have been
// wrong: no wait is longer than one that begins now.
void Manager::Desk::recall(const std::string& path, Job& job) const {
  const auto found = journal.attempts.find(base_name(path));
  if (found == journal.attempts.end()) return;
  const auto& attempt = found->second;
  const auto due =
      std::min(attempt.next, now() + retry_wait(issuer->retry, attempt.failures, kLongestAsked, 1));
  if (due <= job.due) return;  // there is a certificate that is good for longer
  job.due = due;
  job.failures = attempt.failures;
  job.error = attempt.why;
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(due - now()).count();
  owner.log_.notice("acme: the last order for " + joined(job.config->names) + " from " +
                    issuer->name + " has failed: " + attempt.why + "; tried again in " +
                    std::to_string(std::max<std::int64_t>(left, 0)) + " s");
}

void Manager::Desk::note(const Job& job) { note(job, {job.failures, job.due, job.error}); }

// No failures: nothing is to be kept of it.
void Manager::Desk::note(const Job& job, Attempt attempt) {
  const auto name = base_name(job.config->stored.path);
  if (attempt.failures > 0) {
    journal.attempts[name] = std::move(attempt);
  } else {
    journal.attempts.erase(name);
  }
  auto text = to_text(journal);
  if (text == journal_kept) return;
  journal_kept = std::move(text);
  owner.store_(config::acme_journal(*issuer), journal_kept);
}

// ---- the thread

void Manager::use(const std::shared_ptr<const config::Model>& model, const Journals& journals) {
  if (loop_ == nullptr) {
    if (model->acme_certificates.empty()) return;
    loop_ = std::make_unique<Loop>();
    thread_ = std::thread([this] { run(); });
  }
  asio::post(loop_->io, [this, model, journals] { take(model, journals); });
}

// Whatever goes wrong here ends no process that serves.
void Manager::run() {
  for (;;) {
    try {
      loop_->io.run();
      return;
    } catch (const std::exception& error) {
      log_.write(LogLevel::alert, std::string("acme: ") + error.what());
    } catch (...) {
      log_.write(LogLevel::alert, "acme: something unknown went wrong");
    }
  }
}

// Orders end with what they themselves know of; the rest is tried again.
void Manager::begin(const std::shared_ptr<Desk>& desk) {
  asio::co_spawn(loop_->io, desk->run(desk), [this, desk](const std::exception_ptr& error) {
    if (error == nullptr) return;
    desk->client.reset();
    // What was due was not done, and must not be asked for again and again.
    for (const auto& [path, job] : desk->jobs) {
      job->due = std::max(job->due, now() + desk->issuer->retry);
    }
    desk->timer.expires_after(kPause);
    desk->timer.async_wait([this, desk](const boost::system::error_code&) {
      if (!desk->ended) begin(desk);
    });
    std::rethrow_exception(error);
  });
}

void Manager::take(const std::shared_ptr<const config::Model>& model, const Journals& journals) {
  auto& desks = loop_->desks;
  for (auto desk = desks.begin(); desk != desks.end();) {
    const bool stays = std::any_of(model->acme_issuers.begin(), model->acme_issuers.end(),
                                   [&](const auto& issuer) { return issuer.name == desk->first; });
    if (!stays) {
      desk->second->ended = true;
      desk->second->timer.cancel();
    }
    desk = stays ? std::next(desk) : desks.erase(desk);
  }
  for (const auto& issuer : model->acme_issuers) {
    auto& desk = desks[issuer.name];
    const bool fresh = desk == nullptr;
    if (fresh) {
      desk = std::make_shared<Desk>(loop_->io, *this);
      desk->issuer = {model, &issuer};
      if (const auto kept = journals.find(issuer.name); kept != journals.end()) {
        desk->load(kept->second);
      }
    }
    desk->take(model, issuer);
    if (fresh) begin(desk);
  }
  show();
}

// ---- orders

asio::awaitable<void> Manager::Desk::run(std::shared_ptr<Desk> self) {
  while (!self->ended) {
    std::shared_ptr<Job> next;
    for (const auto& [path, job] : jobs) {
      if (next == nullptr || job->due < next->due) next = job;
    }
    const auto left = next == nullptr ? kLongestSleep : next->due - now();
    if (left.count() > 0) {
      boost::system::error_code ignored;
      timer.expires_after(std::min(left, kLongestSleep));
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      continue;
    }
    co_await order(next);
    owner.show();
  }
}

tls::KeyPtr Manager::Desk::account_key() {
  std::string error;
  if (!account.empty()) {
    auto key = tls::read_key(account, {}, error);
    if (key != nullptr && !algorithm_of(*key).empty()) return key;
    throw Failure("\"" + issuer->account.path +
                  "\": " + (key != nullptr ? "accounts have no keys of this kind" : error));
  }
  auto key = make_key(issuer->account_key);
  if (key == nullptr) throw Failure("no key can be made");
  account = to_pem(*key);
  account_unkept = true;
  return key;
}

asio::awaitable<std::string> Manager::Desk::obtain(const Job& job) {
  if (client == nullptr || !same_account(*client_issuer, *issuer)) {
    client.reset();
    client_issuer = issuer;
    client = std::make_unique<Client>(*client_issuer, account_key(), *owner.challenges_,
                                      client_issuer->tls);
  }
  keep_account();
  // Whatever happens meanwhile, it has been tried.
  note(job, {job.failures + 1, now() + retry_wait(issuer->retry, job.failures + 1, Duration{0}, 0),
             "it has not come to an end"});
  const auto wanted = job.config;
  owner.log_.notice("acme: a certificate for " + joined(wanted->names) + " is ordered from " +
                    issuer->name);
  co_return co_await client->obtain(*wanted);
}

// By a clock that is wrong a certificate may be due again at once, by an authority that ends soon
// as well: what follows has to be slow then.
void Manager::Desk::keep(Job& job) {
  const auto facts = tls::certificate_facts(job.unkept);
  if (!facts) return failed(job, "what was issued is no certificate", Duration{0});
  job.fingerprint = facts->fingerprint;
  job.due = renewal_time(facts->not_before, facts->not_after, share());
  job.error.clear();
  owner.store_(job.config->stored.path, job.unkept);
  if (job.due - now() >= issuer->retry) return note(job, {});
  failed(job, "the certificate that was issued is soon due again; see whether the clock is right",
         Duration{0});
}

void Manager::Desk::keep_account() {
  if (std::exchange(account_unkept, false)) owner.store_(issuer->account.path, account);
}

asio::awaitable<void> Manager::Desk::order(std::shared_ptr<Job> job) {
  std::string why;
  Duration asked{0};
  try {
    if (!std::exchange(job->keeps_again, false)) {
      const auto text = co_await obtain(*job);
      owner.log_.notice("acme: " + issuer->name + " has issued a certificate for " +
                        joined(job->config->names));
      job->unkept = text;
    }
    keep_account();
    keep(*job);
    co_return;
  } catch (const Failure& failure) {
    why = failure.what();
    asked = failure.wait;
  } catch (const std::exception& error) {
    why = error.what();
  } catch (...) {
    why = "something unknown went wrong";
  }
  client.reset();  // the next one begins with the directory
  failed(*job, why, asked);
}

void Manager::Desk::failed(Job& job, const std::string& why, Duration asked) {
  const auto wait = retry_wait(issuer->retry, ++job.failures, asked, share());
  job.due = now() + wait;
  job.error = why;
  note(job);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait).count();
  owner.log_.error("acme: no certificate for " + joined(job.config->names) + " from " +
                   issuer->name + ": " + why + "; tried again in " + std::to_string(seconds) +
                   " s");
}

// ---- the manager

Manager::Manager(Log& log, std::shared_ptr<tls::Challenges> challenges, Store store)
    : log_(log), challenges_(std::move(challenges)), store_(std::move(store)) {}

Manager::~Manager() { stop(); }

void Manager::stop() {
  if (loop_ == nullptr) return;
  loop_->io.stop();
  if (thread_.joinable()) thread_.join();
}

void Manager::not_stored(const std::string& path, const std::string& why) {
  if (loop_ == nullptr) return;
  asio::post(loop_->io, [this, path, why] {
    for (auto& [name, desk] : loop_->desks) {
      if (desk->issuer->account.path == path) desk->account_unkept = true;
      if (config::acme_journal(*desk->issuer) == path) {
        desk->journal_kept.clear();
        log_.warn("acme: \"" + path + "\": " + why);
      }
      const auto found = desk->jobs.find(path);
      if (found == desk->jobs.end()) continue;
      found->second->keeps_again = !found->second->unkept.empty();
      desk->failed(*found->second, why, Duration{0});
      desk->timer.cancel();
    }
    show();
  });
}

void Manager::show() {
  std::vector<Status> all;
  for (const auto& [name, desk] : loop_->desks) {
    for (const auto& [path, job] : desk->jobs) {
      all.push_back({path, name, job->config->names, job->due, job->error});
    }
  }
  const std::lock_guard lock(mutex_);
  status_ = std::move(all);
}

std::vector<Manager::Status> Manager::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace weir::acme
