#include "discovery/names.h"

#include <algorithm>
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

Names::Names(boost::asio::io_context& io, Options options, std::function<void()> changed)
    : timer_(io), system_(io), options_(std::move(options)), changed_(std::move(changed)) {}

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

void Names::forget_all() {
  for (auto& [host, known] : known_) known.fresh = false;
}

// True: they are not what they were.
bool Names::take(const std::string& host, std::vector<IpAddress> found) {
  std::sort(found.begin(), found.end(), comes_before);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  auto& known = known_[host];
  if (known.last_good == found) return false;
  known.last_good = std::move(found);
  return true;
}

void Names::watch(std::set<std::string> hosts) {
  std::erase_if(known_, [&](const auto& entry) { return hosts.count(entry.first) == 0; });
  watched_ = std::move(hosts);
  if (!running_ && !watched_.empty()) wait();
}

void Names::stop() {
  watched_.clear();
  timer_.cancel();
  system_.cancel();
}

void Names::wait() {
  running_ = true;
  timer_.expires_after(options_.interval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || watched_.empty()) {
      running_ = false;
      return;
    }
    left_.assign(watched_.begin(), watched_.end());
    round_changed_ = false;
    ask_next();
  });
}

// One after the other: a slow server gets no crowd of questions.
void Names::ask_next() {
  if (left_.empty()) {
    if (round_changed_) changed_();
    return wait();
  }
  const auto host = left_.back();
  left_.pop_back();
  const auto flags = boost::asio::ip::resolver_base::address_configured;
  system_.async_resolve(
      host, "", flags,
      [this, host](const boost::system::error_code& error,
                   const boost::asio::ip::tcp::resolver::results_type& results) {
        if (error == boost::asio::error::operation_aborted) {
          running_ = false;
          return;
        }
        std::vector<IpAddress> found;
        if (!error) {
          for (const auto& entry : results) found.emplace_back(entry.endpoint().data());
        }
        for (auto& address : found) address.set_port(0);
        if (watched_.count(host) > 0 && !found.empty() && take(host, std::move(found))) {
          round_changed_ = true;
        }
        ask_next();
      });
}

}  // namespace weir::discovery
