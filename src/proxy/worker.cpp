#include "proxy/worker.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "http/date.h"
#include "proxy/acceptor.h"
#include "proxy/exchange.h"
#include "proxy/session.h"

namespace weir::proxy {
namespace {
constexpr std::size_t kMaxDynamicPools = 256;
constexpr std::size_t kMaxFreeExchanges = 1024;
constexpr Duration kFlushEvery{500};
}  // namespace

// ---- WorkerRuntime
// -----------------------------------------------------------------------------------

WorkerRuntime::WorkerRuntime(std::shared_ptr<const Runtime> runtime, net::Loop& loop)
    : runtime_(std::move(runtime)), loop_(loop) {
  for (const auto& node : runtime_->pools) {
    idle_.push_back(std::make_unique<IdleConnections>(loop, node.pool->peers().size(),
                                                      node.keepalive.connections));
  }
}

WorkerRuntime::Dynamic* WorkerRuntime::dynamic(std::string_view authority, std::uint32_t worker) {
  std::string key(authority);
  if (const auto found = dynamic_.find(key); found != dynamic_.end()) return found->second.get();
  if (dynamic_.size() >= kMaxDynamicPools) return nullptr;
  auto host = authority;
  std::uint16_t port = 80;
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    host = authority.substr(0, colon);
    const auto digits = authority.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size()) return nullptr;
  }
  const auto address = IpAddress::parse(host, port);
  if (!address) return nullptr;
  upstream::PeerSpec spec;
  spec.name = key;
  spec.endpoint.ip = *address;
  auto made = std::make_unique<Dynamic>();
  made->node.pool = std::make_shared<upstream::Pool>(
      key, config::Balance::round_robin,
      std::vector<std::shared_ptr<upstream::Peer>>{std::make_shared<upstream::Peer>(spec)});
  made->node.stats.push_back(std::make_shared<PerWorker<PeerStats>>(worker + 1));
  made->idle = std::make_unique<IdleConnections>(loop_, 1, made->node.keepalive.connections);
  return dynamic_.emplace(std::move(key), std::move(made)).first->second.get();
}

bool WorkerRuntime::drop_oldest_idle() {
  const auto fullest =
      std::max_element(idle_.begin(), idle_.end(),
                       [](const auto& a, const auto& b) { return a->size() < b->size(); });
  return fullest != idle_.end() && (*fullest)->drop_oldest();
}

void WorkerRuntime::drop_dead_peers() {
  for (std::size_t i = 0; i < idle_.size(); ++i) {
    const auto peers = runtime_->pools[i].pool->peers();
    for (std::uint32_t peer = 0; peer < peers.size(); ++peer) {
      if (peers[peer]->health.load(std::memory_order_relaxed) == upstream::Health::down) {
        idle_[i]->drop_peer(peer);
      }
    }
  }
}

// ---- Worker: control
// ---------------------------------------------------------------------------------

Worker::Worker(const Options& options, const Clock& clock, Log& log)
    : options_(options), log_(log), loop_(clock), access_logs_(log, stats_.log_lost) {
  std::random_device seed;
  random_.seed(static_cast<std::uint64_t>(seed()) << 32 | seed());
}

Worker::~Worker() {
  for (auto* exchange : exchanges_) delete exchange;
}

void Worker::start() {
  thread_ = std::thread([this] { loop_.run([this] { end_of_turn(); }); });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

const std::string& Worker::intern(const std::string& listen_text) {
  for (const auto& have : listen_texts_) {
    if (*have == listen_text) return *have;
  }
  return *listen_texts_.emplace_back(std::make_unique<std::string>(listen_text));
}

void Worker::use(std::shared_ptr<const Runtime> runtime,
                 std::vector<std::pair<std::string, int>> sockets) {
  loop_.post([this, runtime = std::move(runtime), sockets = std::move(sockets)] {
    runtime_ = std::make_shared<WorkerRuntime>(runtime, loop_);
    std::erase_if(acceptors_, [&](auto& acceptor) {
      if (runtime->listen_of(acceptor->listen_text()) != nullptr) return false;
      Acceptor::stop(std::move(acceptor));
      return true;
    });
    for (const auto& [text, fd] : sockets) {
      acceptors_.push_back(std::make_unique<Acceptor>(*this, intern(text), fd));
      Acceptor::start(*acceptors_.back());
    }
    for (Session *session = sessions_, *next = nullptr; session != nullptr; session = next) {
      next = session->next_;
      if (runtime->listen_of(session->listen_text()) == nullptr) session->drain();
    }
  });
}

void Worker::drain() {
  loop_.post([this] {
    draining_ = true;
    for (auto& acceptor : acceptors_) Acceptor::stop(std::move(acceptor));
    acceptors_.clear();
    for (Session *session = sessions_, *next = nullptr; session != nullptr; session = next) {
      next = session->next_;
      session->drain();
    }
  });
}

void Worker::stop() {
  loop_.post([this] {
    draining_ = true;
    for (auto& acceptor : acceptors_) Acceptor::stop(std::move(acceptor));
    acceptors_.clear();
    for (Session* session = sessions_; session != nullptr; session = session->next_) {
      session->cancel();
    }
    stopping_ = true;
  });
}

void Worker::reopen_logs() {
  loop_.post([this] { access_logs_.reopen(); });
}

void Worker::peers_changed() {
  loop_.post([this] {
    if (runtime_ != nullptr) runtime_->drop_dead_peers();
  });
}

// ---- Worker: its own thread
// ----------------------------------------------------------------------------

void Worker::end_of_turn() {
  access_logs_.flush(loop_.now(), stopping_ && sessions_ == nullptr);
  if (access_logs_.waiting() && !flush_timer_.armed()) {
    loop_.wheel().arm(flush_timer_, loop_.now() + kFlushEvery);
  }
  // The last sessions have gone in this turn or before it; cancelled ones end within one turn.
  if (stopping_ && sessions_ == nullptr) {
    runtime_.reset();
    loop_.stop();
  }
}

void Worker::on_flush_timer(TimerWheel::Timer& timer) {
  auto& worker = static_cast<FlushTimer&>(timer).worker;
  worker.access_logs_.flush(worker.loop_.now(), false);
}

std::string_view Worker::server_and_date() {
  const auto second =
      std::chrono::duration_cast<std::chrono::seconds>(loop_.wall().time_since_epoch()).count();
  if (second != date_second_) {
    date_second_ = second;
    char date[http::kDateSize];
    http::format_date(static_cast<std::time_t>(second), date);
    server_and_date_.assign("Server: weir\r\nDate: ").append(date, sizeof date).append("\r\n");
  }
  return server_and_date_;
}

Exchange* Worker::take_exchange() {
  if (exchanges_.empty()) return new Exchange(*this);
  Exchange* exchange = exchanges_.back();
  exchanges_.pop_back();
  return exchange;
}

void Worker::give_exchange(Exchange* exchange) {
  if (exchanges_.size() >= kMaxFreeExchanges) {
    delete exchange;
  } else {
    exchanges_.push_back(exchange);
  }
}

void Worker::accepted(int fd, const std::string& listen_text, const IpAddress& peer) {
  stats_.accepted.add();
  // An IPv6 socket that takes IPv4 as well must not change who a client is.
  const auto address = peer.unmapped();
  Session::start(
      std::make_unique<Session>(*this, listen_text, address, options_.next_connection_id()), fd);
}

void Worker::add(Session& session) {
  session.next_ = sessions_;
  if (sessions_ != nullptr) sessions_->prev_ = &session;
  sessions_ = &session;
  sessions_alive_.fetch_add(1, std::memory_order_relaxed);
}

void Worker::remove(Session& session) {
  (session.prev_ != nullptr ? session.prev_->next_ : sessions_) = session.next_;
  if (session.next_ != nullptr) session.next_->prev_ = session.prev_;
  stats_.closed.add();
  sessions_alive_.fetch_sub(1, std::memory_order_release);
}

void Worker::idle_begins(Session& session) {
  session.idle_prev_ = idle_last_;
  session.idle_next_ = nullptr;
  (idle_last_ != nullptr ? idle_last_->idle_next_ : idle_first_) = &session;
  idle_last_ = &session;
  stats_.idle_client.add();
}

void Worker::idle_ends(Session& session) {
  (session.idle_prev_ != nullptr ? session.idle_prev_->idle_next_ : idle_first_) =
      session.idle_next_;
  (session.idle_next_ != nullptr ? session.idle_next_->idle_prev_ : idle_last_) =
      session.idle_prev_;
  stats_.idle_client.sub();
}

bool Worker::shed() {
  if (runtime_ != nullptr && runtime_->drop_oldest_idle()) return true;
  for (Session* session = idle_first_; session != nullptr; session = session->idle_next_) {
    if (session->waiter().cancelled()) continue;
    session->client().close();
    session->cancel();
    return true;
  }
  return false;
}

}  // namespace weir::proxy
