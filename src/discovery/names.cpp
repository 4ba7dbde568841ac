#include "discovery/names.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <mutex>

namespace weir::discovery {
namespace {

// What will be due so soon is asked for now.
constexpr Duration kTogether{100};

void put_in_order(std::vector<IpAddress>& addresses) {
  std::sort(addresses.begin(), addresses.end(), comes_before);
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
}

bool same(const Addresses& a, const Addresses& b) {
  return a.found == b.found && std::all_of(a.found.begin(), a.found.end(), [&](const auto& each) {
           return a.rank_of(each) == b.rank_of(each);
         });
}

}  // namespace

std::vector<Question> questions(const config::Model& model) {
  std::map<std::string, Question> all;
  for (const auto& upstream : model.upstreams) {
    for (const auto& peer : upstream.peers) {
      if (!peer.where.unix_path.empty() || IpAddress::parse(peer.where.host)) continue;
      auto question = question_of(upstream, peer);
      auto text = question.text();
      all.emplace(std::move(text), std::move(question));
    }
  }
  std::vector<Question> list;
  for (auto& [text, question] : all) list.push_back(std::move(question));
  return list;
}

struct Names::Mailbox {
  std::mutex mutex;
  Names* names;  // null: nobody wants it any more
  std::vector<std::pair<std::string, Addresses>> arrived;

  void put(const std::string& text, Addresses found, const std::shared_ptr<Mailbox>& self) {
    const std::lock_guard lock(mutex);
    if (names == nullptr) return;
    arrived.emplace_back(text, std::move(found));
    if (arrived.size() > 1) return;
    boost::asio::post(names->io_, [self] {
      if (self->names != nullptr) self->names->collect();
    });
  }
};

Names::Names(boost::asio::io_context& io, const Options& options, std::function<void()> changed)
    : io_(io),
      timer_(io),
      options_(options),
      changed_(std::move(changed)),
      patience_timer_(io),
      mailbox_(std::make_shared<Mailbox>()) {
  mailbox_->names = this;
  if (options_.clock == nullptr) options_.clock = &system_clock_;
  if (options_.ask) return;
  options_.ask = [this](const auto& questions, const auto& answered) {
    asker_.ask(questions, answered);
  };
}

Names::Known& Names::entry(const Question& question) {
  auto& known = known_[question.text()];
  known.question = question;
  return known;
}

Addresses Names::give(const Known& known) {
  Addresses result = known.last_good;
  result.error = result.found.empty() ? known.error : std::string();
  return result;
}

void Names::prepare(const std::vector<Question>& questions, bool again,
                    std::function<void()> ready) {
  patience_timer_.cancel();
  ready_ = nullptr;
  expected_.clear();
  missing_.clear();
  std::vector<Question> unknown;
  for (const auto& question : questions) {
    auto& known = entry(question);
    expected_.insert(question.text());
    if (known.watched && known.answered) {
      if (again) known.due = now();
      continue;
    }
    missing_.insert(question.text());
    if (!known.asking) unknown.push_back(question);
  }
  if (missing_.empty()) return ready();
  ready_ = std::move(ready);
  patience_timer_.expires_after(options_.patience);
  patience_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) give_up();
  });
  ask(unknown);
}

// Who waits goes on without what is still missing; it is taken when it comes.
void Names::give_up() {
  for (const auto& text : std::exchange(missing_, {})) {
    auto& known = known_[text];
    if (!known.answered) known.error = "there is no answer yet";
  }
  if (ready_ != nullptr) std::exchange(ready_, nullptr)();
}

Addresses Names::known(const Question& question) const {
  const auto found = known_.find(question.text());
  return found == known_.end() ? Addresses{} : give(found->second);
}

// True: the addresses are not what they were. Some may come with an error: of what others it is
// told by that.
bool Names::take(Known& known, Addresses found) {
  auto lifetime = found.lifetime ? std::clamp(*found.lifetime, kLeast, kMost) : options_.interval;
  known.answered = true;
  known.error = std::exchange(found.error, {});
  if (found.found.empty() && known.error.empty()) known.error = "it has no address";
  if (known.error.empty()) {
    known.found_at = now();
  } else {
    lifetime = found.found.empty() ? options_.interval : std::min(lifetime, options_.interval);
  }
  known.due = now() + lifetime;
  if (found.found.empty()) return false;
  put_in_order(found.found);
  const bool changed = !same(known.last_good, found);
  known.last_good = std::move(found);
  return changed;
}

void Names::watch(const std::vector<Question>& questions) {
  for (auto& [text, known] : known_) known.watched = false;
  for (const auto& question : questions) entry(question).watched = true;
  std::erase_if(known_, [this](const auto& each) {
    return !each.second.watched && !expected_.contains(each.first);
  });
  ask_due();
}

void Names::stop() {
  known_.clear();
  timer_.cancel();
  patience_timer_.cancel();
  ready_ = nullptr;
  missing_.clear();
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->names = nullptr;
}

bool Names::busy() const {
  return std::any_of(known_.begin(), known_.end(),
                     [](const auto& each) { return each.second.asking; });
}

Names::Counts Names::counts() const {
  Counts counts;
  for (const auto& [text, known] : known_) {
    if (!known.watched) continue;
    ++counts.watched;
    if (!known.error.empty()) ++counts.failing;
    if (known.last_good.found.empty()) ++counts.unresolved;
  }
  return counts;
}

std::vector<Names::Status> Names::status() const {
  std::vector<Status> all;
  for (const auto& [text, known] : known_) {
    if (!known.watched) continue;
    all.push_back({text, known.last_good.found, known.error, known.found_at});
  }
  return all;
}

// Waits until the next one is due.
void Names::wait() {
  timer_.cancel();
  auto next = TimePoint::max();
  for (const auto& [text, known] : known_) {
    if (known.watched && !known.asking) next = std::min(next, known.due);
  }
  if (next == TimePoint::max()) return;
  timer_.expires_after(std::max(next - now(), Duration{0}));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) ask_due();
  });
}

// Asks for all that is due. A name server that does not answer holds up nobody but the names that
// it is asked about.
void Names::ask_due() {
  std::vector<Question> due;
  for (const auto& [text, known] : known_) {
    if (!known.watched || known.asking || known.due > now() + kTogether) continue;
    due.push_back(known.question);
  }
  ask(due);
  wait();
}

void Names::ask(const std::vector<Question>& questions) {
  if (questions.empty()) return;
  auto asked = questions;
  std::vector<std::string> texts;
  for (auto& question : asked) {
    texts.push_back(question.text());
    auto& known = entry(question);
    known.asking = true;
    question.last_targets = known.last_good.targets;
  }
  options_.ask(asked, [mailbox = mailbox_, texts](std::size_t index, Addresses found) {
    mailbox->put(texts[index], std::move(found), mailbox);
  });
}

void Names::collect() {
  std::vector<std::pair<std::string, Addresses>> arrived;
  {
    const std::lock_guard lock(mailbox_->mutex);
    arrived.swap(mailbox_->arrived);
  }
  bool changed = false;
  for (auto& [text, addresses] : arrived) {
    const auto known = known_.find(text);
    if (known == known_.end()) continue;
    missing_.erase(text);
    known->second.asking = false;
    const bool other = take(known->second, std::move(addresses));
    changed = changed || (other && known->second.watched);
  }
  if (ready_ != nullptr && missing_.empty()) {
    patience_timer_.cancel();
    boost::asio::post(io_, std::exchange(ready_, nullptr));
  }
  wait();
  if (changed) changed_();
}

}  // namespace weir::discovery
