#include "discovery/names.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <mutex>
#include <thread>
#include <utility>

namespace weir::discovery {

std::set<std::string> host_names(const config::Model& model) {
  std::set<std::string> names;
  for (const auto& upstream : model.upstreams) {
    for (const auto& peer : upstream.peers) {
      const auto& host = peer.where.host;
      if (peer.where.unix_path.empty() && !IpAddress::parse(host)) names.insert(host);
    }
  }
  return names;
}

struct Names::Mailbox {
  std::mutex mutex;
  Names* names;  // null: nobody wants it any more
};

Names::Names(boost::asio::io_context& io, Options options, std::function<void()> changed)
    : io_(io), timer_(io), options_(std::move(options)), changed_(std::move(changed)) {}

Addresses Names::look_up(const std::string& host) {
  auto& known = known_[host];
  if (!known.fresh) {
    auto result = options_.resolver(host);
    known.error = result.error;
    known.fresh = true;
    if (!result.found.empty()) take(host, std::move(result.found));
  }
  return {known.last_good, known.last_good.empty() ? known.error : std::string()};
}

Addresses Names::known(const std::string& host) const {
  const auto found = known_.find(host);
  if (found == known_.end()) return {};
  return {.found = found->second.last_good, .error = found->second.error};
}

bool Names::has_unasked() const {
  return std::any_of(watched_.begin(), watched_.end(),
                     [&](const auto& host) { return known_.count(host) == 0; });
}

void Names::forget_all() {
  for (auto& [host, known] : known_) known.fresh = false;
}

// True: they are not what they were.
bool Names::take(const std::string& host, std::vector<IpAddress> found) {
  std::sort(found.begin(), found.end(), comes_before);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  auto& known = known_[host];
  known.error.clear();
  if (options_.clock != nullptr) known.found_at = options_.clock->now();
  if (known.last_good == found) return false;
  known.last_good = std::move(found);
  return true;
}

void Names::watch(std::set<std::string> hosts) {
  std::erase_if(known_, [&](const auto& entry) { return hosts.count(entry.first) == 0; });
  watched_ = std::move(hosts);
  if (mailbox_ != nullptr || watched_.empty()) return;  // the round's end sees to it
  if (has_unasked()) {
    timer_.cancel();
    waiting_ = false;
    begin_round();
  } else if (!waiting_) {
    wait();
  }
}

void Names::stop() {
  watched_.clear();
  timer_.cancel();
  if (mailbox_ == nullptr) return;
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->names = nullptr;
}

std::vector<Names::Status> Names::status() const {
  std::vector<Status> all;
  for (const auto& [host, known] : known_) {
    all.push_back({host, known.last_good, known.error, known.found_at});
  }
  return all;
}

void Names::wait() {
  waiting_ = true;
  timer_.expires_after(options_.interval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    waiting_ = false;
    if (!watched_.empty()) begin_round();
  });
}

void Names::begin_round() {
  mailbox_ = std::make_shared<Mailbox>();
  mailbox_->names = this;
  std::thread([mailbox = mailbox_, resolver = options_.resolver, hosts = watched_] {
    Round found;
    for (const auto& host : hosts) found[host] = resolver(host);
    const std::lock_guard lock(mailbox->mutex);
    if (mailbox->names == nullptr) return;
    boost::asio::post(mailbox->names->io_, [mailbox, found = std::move(found)]() mutable {
      if (mailbox->names != nullptr) mailbox->names->end_round(std::move(found));
    });
  }).detach();
}

void Names::end_round(Round found) {
  mailbox_ = nullptr;
  bool changed = false;
  for (auto& [host, addresses] : found) {
    if (watched_.count(host) == 0) continue;
    if (addresses.found.empty()) {
      known_[host].error = addresses.error;
      continue;
    }
    changed = take(host, std::move(addresses.found)) || changed;
  }
  if (!watched_.empty()) has_unasked() ? begin_round() : wait();
  if (changed) changed_();
}

}  // namespace weir::discovery
