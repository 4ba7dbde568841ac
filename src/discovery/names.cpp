#include "discovery/names.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <mutex>
#include <thread>

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
};

Names::Names(boost::asio::io_context& io, const Options& options, std::function<void()> changed)
    : io_(io), timer_(io), options_(options), changed_(std::move(changed)) {
  if (options_.clock == nullptr) options_.clock = &system_clock_;
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

void Names::look_up_all(const std::vector<Question>& questions) {
  std::vector<Question> unknown;
  for (const auto& question : questions) {
    if (!entry(question).fresh) unknown.push_back(question);
  }
  if (unknown.empty()) return;
  auto found = options_.ask(unknown, kPatience);
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    auto& known = entry(unknown[i]);
    take(known, std::move(found[i]));
    known.fresh = true;
  }
}

Addresses Names::look_up(const Question& question) {
  look_up_all({question});
  return give(entry(question));
}

Addresses Names::known(const Question& question) const {
  const auto found = known_.find(question.text());
  return found == known_.end() ? Addresses{} : give(found->second);
}

void Names::forget_all() {
  for (auto& [text, known] : known_) known.fresh = false;
}

// True: the addresses are not what they were.
bool Names::take(Known& known, Addresses found) {
  const auto lifetime =
      found.lifetime ? std::clamp(*found.lifetime, kLeast, kMost) : options_.interval;
  known.error = std::move(found.error);
  if (found.found.empty()) {
    if (known.error.empty()) known.error = "it has no address";
    known.due = now() + options_.interval;
    return false;
  }
  known.error.clear();
  known.due = now() + lifetime;
  known.found_at = now();
  put_in_order(found.found);
  if (same(known.last_good, found)) return false;
  known.last_good = std::move(found);
  return true;
}

void Names::watch(const std::vector<Question>& questions) {
  for (auto& [text, known] : known_) known.watched = false;
  for (const auto& question : questions) entry(question).watched = true;
  std::erase_if(known_, [](const auto& each) { return !each.second.watched; });
  begin_round();
}

void Names::stop() {
  known_.clear();
  timer_.cancel();
  for (const auto& mailbox : rounds_) {
    const std::lock_guard lock(mailbox->mutex);
    mailbox->names = nullptr;
  }
  rounds_.clear();
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
    if (!error) begin_round();
  });
}

// Asks for all that is due. What another round is still asking for is left to it: a name server
// that does not answer holds up nobody but the names that it is asked about.
void Names::begin_round() {
  std::vector<Question> due;
  for (auto& [text, known] : known_) {
    if (!known.watched || known.asking || known.due > now() + kTogether) continue;
    known.asking = true;
    due.push_back(known.question);
  }
  wait();
  if (due.empty()) return;
  auto mailbox = std::make_shared<Mailbox>();
  mailbox->names = this;
  rounds_.insert(mailbox);
  std::thread([mailbox, ask = options_.ask, due] {
    auto answers = ask(due, Duration::max());
    Round found;
    for (std::size_t i = 0; i < due.size(); ++i) found[due[i].text()] = std::move(answers[i]);
    const std::lock_guard lock(mailbox->mutex);
    if (mailbox->names == nullptr) return;
    boost::asio::post(mailbox->names->io_, [mailbox, found = std::move(found)]() mutable {
      if (mailbox->names != nullptr) mailbox->names->end_round(mailbox, std::move(found));
    });
  }).detach();
}

void Names::end_round(const std::shared_ptr<Mailbox>& mailbox, Round found) {
  rounds_.erase(mailbox);
  bool changed = false;
  for (auto& [text, addresses] : found) {
    const auto known = known_.find(text);
    if (known == known_.end()) continue;
    known->second.asking = false;
    changed = take(known->second, std::move(addresses)) || changed;
  }
  wait();
  if (changed) changed_();
}

}  // namespace weir::discovery
