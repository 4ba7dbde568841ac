#include "proxy/worker.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "http/date.h"
#include "proxy/acceptor.h"
#include "proxy/exchange.h"
#include "proxy/explanation.h"
#include "proxy/http2_connection.h"
#include "proxy/session.h"

namespace weir::proxy {
namespace {
constexpr std::size_t kMaxFreeExchanges = 1024;
constexpr Duration kFlushEvery{500};
constexpr Duration kDescriptorPause{5};  // until it is tried once more
}  // namespace

// ---- WorkerRuntime
// -----------------------------------------------------------------------------------

WorkerRuntime::WorkerRuntime(std::shared_ptr<const Runtime> runtime, net::Loop& loop,
                             std::uint32_t worker)
    : runtime_(std::move(runtime)), dynamic_(loop, worker) {
  for (const auto& node : runtime_->pools) {
    idle_.push_back(std::make_unique<IdleConnections>(loop, node.pool->peers().size(),
                                                      node.keepalive.connections));
  }
}

bool WorkerRuntime::drop_oldest_idle() {
  const auto fullest =
      std::max_element(idle_.begin(), idle_.end(),
                       [](const auto& a, const auto& b) { return a->size() < b->size(); });
  if (fullest != idle_.end() && (*fullest)->drop_oldest()) return true;
  return dynamic_.drop_oldest_idle();
}

void WorkerRuntime::peers_changed() {
  for (const auto& pool : runtime_->pools) {
    if (pool.queue != nullptr) pool.queue->wake_all();
  }
  for (std::size_t i = 0; i < idle_.size(); ++i) {
    const auto peers = runtime_->pools[i].pool->peers();
    for (std::uint32_t peer = 0; peer < peers.size(); ++peer) {
      const auto& state = *peers[peer];
      if (state.health.load(std::memory_order_relaxed) == upstream::Health::down ||
          state.hold.load(std::memory_order_relaxed) == upstream::Hold::down) {
        idle_[i]->drop_peer(peer);
      }
    }
  }
}

// ---- Worker: control
// ---------------------------------------------------------------------------------

Worker::Worker(const Options& options, const Clock& clock, Log& log, const LogFiles& log_files)
    : options_(options),
      log_(log),
      loop_(clock),
      stats_(options.stats != nullptr ? options.stats : std::make_shared<WorkerStats>()),
      access_logs_(log, stats_->log_lost, log_files),
      names_(loop_, &log) {
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

void Worker::take(const std::shared_ptr<const Runtime>& runtime) {
  runtime_ = std::make_shared<WorkerRuntime>(runtime, loop_, options_.index);
  runtime_->peers_changed();
  log_limit_.set(runtime->model->error_log_limit);
  watches_.look();
}

void Worker::use(std::shared_ptr<const Runtime> runtime, Sockets sockets,
                 std::function<void()> done) {
  const auto taken = std::make_shared<Sockets>(std::move(sockets));
  loop_.post([this, runtime = std::move(runtime), taken, done = std::move(done)] {
    take(runtime);
    if (!draining_) {
      change_ports(*taken);
      change_acceptors(*taken);
    }
    for (Session *session = sessions_, *next = nullptr; session != nullptr; session = next) {
      next = session->next_;
      if (!session->fits(*runtime)) session->drain(false);
    }
    done();
  });
}

void Worker::use(std::shared_ptr<const Runtime> runtime, std::function<void()> done) {
  loop_.post([this, runtime = std::move(runtime), done = std::move(done)] {
    take(runtime);
    done();
  });
}

// A socket that goes on in another worker is left as it is; one that nobody accepts from any more
// is given up.
void Worker::change_acceptors(Sockets& sockets) {
  auto before = std::exchange(acceptors_, {});
  for (auto& socket : sockets.own) {
    const auto found = std::find_if(before.begin(), before.end(), [&](const auto& acceptor) {
      return acceptor != nullptr && acceptor->socket_id() == socket.id &&
             acceptor->listen_text() == socket.text;
    });
    if (found != before.end()) {
      acceptors_.push_back(std::move(*found));
    } else {
      const auto& text = intern(socket.text);
      acceptors_.push_back(std::make_unique<Acceptor>(*this, text, std::move(socket)));
      Acceptor::start(*acceptors_.back());
    }
  }
  for (auto& acceptor : before) {
    if (acceptor == nullptr) continue;
    const bool goes_on = std::find(sockets.all.begin(), sockets.all.end(), acceptor->socket_id()) !=
                         sockets.all.end();
    goes_on ? Acceptor::stop(std::move(acceptor)) : Acceptor::last_call(std::move(acceptor));
  }
}

// Takes the sockets of datagrams out of `sockets`.
void Worker::change_ports(Sockets& sockets) {
  const auto is_datagram = [](const net::ListenSocket& socket) {
    return socket.text.starts_with(net::kUdpMark);
  };
  auto before = std::exchange(ports_, {});
  for (auto& socket : sockets.own) {
    if (!is_datagram(socket) || !options_.guests.open_port) continue;
    const auto found = std::find_if(before.begin(), before.end(), [&](const Port* port) {
      return port != nullptr && port->socket_id() == socket.id &&
             port->listen_text() == socket.text;
    });
    if (found != before.end()) {
      ports_.push_back(std::exchange(*found, nullptr));
    } else {
      const auto& text = intern(socket.text);
      auto* port = options_.guests.open_port(*this, text, std::move(socket));
      if (port != nullptr) ports_.push_back(port);
    }
  }
  for (auto* port : before) {
    if (port != nullptr) port->close();
  }
  std::erase_if(sockets.own, [](const net::ListenSocket& socket) {
    return socket.text.empty() || socket.text.starts_with(net::kUdpMark);
  });
}

void Worker::close_ports() {
  for (auto* port : std::exchange(ports_, {})) port->close();
}

void Worker::cut(std::uint64_t generation) {
  loop_.post([this, generation] {
    for (Session* session = sessions_; session != nullptr; session = session->next_) {
      session->cut(generation);
    }
    for (Guest* guest = guests_; guest != nullptr; guest = guest->guest_next_) {
      if (guest->is_of(generation)) guest->cancel();
    }
  });
}

void Worker::drain(std::function<void()> begun) {
  loop_.post([this, begun = std::move(begun)] {
    draining_ = true;
    for (auto& acceptor : acceptors_) Acceptor::empty(std::move(acceptor));
    acceptors_.clear();
    close_ports();
    drain_sessions(true);
    loop_.wheel().arm(drain_timer_, loop_.now() + Session::kFresh);
    begun();
  });
}

void Worker::drain_sessions(bool spare_fresh) {
  for (Session *session = sessions_, *next = nullptr; session != nullptr; session = next) {
    next = session->next_;
    session->drain(spare_fresh);
  }
}

void Worker::stop() {
  loop_.post([this] {
    draining_ = true;
    for (auto& acceptor : acceptors_) Acceptor::stop(std::move(acceptor));
    acceptors_.clear();
    for (Session* session = sessions_; session != nullptr; session = session->next_) {
      session->cancel();
    }
    close_ports();
    for (Guest* guest = guests_; guest != nullptr; guest = guest->guest_next_) guest->cancel();
    stopping_ = true;
  });
}

void Worker::reopen_logs() {
  loop_.post([this] { access_logs_.reopen(); });
}

void Worker::peers_changed() {
  loop_.post([this] {
    if (runtime_ != nullptr) runtime_->peers_changed();
    watches_.look();
    start_waits_.wake();
  });
}

// ---- Worker: its own thread
// ----------------------------------------------------------------------------

void Worker::end_of_turn() {
  if (!unflushed_.empty()) {
    flushing_.swap(unflushed_);
    for (auto* connection : flushing_) connection->turn_ends();
    flushing_.clear();
  }
  const bool last = stopping_ && empty();
  access_logs_.flush(loop_.now(), last);
  if (last) log_limit_.flush(log_, loop_.now(), true);
  if ((access_logs_.waiting() || log_limit_.waiting()) && !flush_timer_.armed()) {
    loop_.wheel().arm(flush_timer_, loop_.now() + kFlushEvery);
  }
  // The last sessions have gone in this turn or before it; cancelled ones end within one turn.
  if (last) {
    runtime_.reset();
    loop_.stop();
  }
}

void Worker::on_flush_timer(TimerWheel::Timer& timer) {
  auto& worker = static_cast<FlushTimer&>(timer).worker;
  worker.access_logs_.flush(worker.loop_.now(), false);
  worker.log_limit_.flush(worker.log_, worker.loop_.now());
}

void Worker::on_drain_timer(TimerWheel::Timer& timer) {
  static_cast<DrainTimer&>(timer).worker.drain_sessions(false);
}

std::string_view Worker::server_and_date(std::string_view product) {
  const auto second =
      std::chrono::duration_cast<std::chrono::seconds>(loop_.wall().time_since_epoch()).count();
  if (second != date_second_ || product != product_) {
    date_second_ = second;
    product_ = product;
    char date[http::kDateSize];
    http::format_date(static_cast<std::time_t>(second), date);
    server_and_date_.assign("Server: ").append(product).append("\r\nDate: ");
    server_and_date_.append(date, sizeof date).append("\r\n");
  }
  return server_and_date_;
}

ConnectionCounts Worker::connection_counts() const {
  if (options_.connection_counts) return options_.connection_counts();
  ConnectionCounts counts;
  counts.add(*stats_);
  return counts;
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
  stats_->accepted.add();
  // An IPv6 socket that takes IPv4 as well must not change who a client is.
  const auto address = peer.unmapped();
  if (runtime_ != nullptr && options_.guests.connected &&
      runtime_->get().stream_listens.contains(listen_text)) {
    options_.guests.connected(*this, fd, listen_text, address, options_.next_connection_id());
    return;
  }
  Session::start(
      std::make_unique<Session>(*this, listen_text, address, options_.next_connection_id()), fd);
}

void Worker::add(Guest& guest) {
  guest.guest_next_ = guests_;
  if (guests_ != nullptr) guests_->guest_prev_ = &guest;
  guests_ = &guest;
  sessions_alive_.fetch_add(1, std::memory_order_relaxed);
}

void Worker::remove(Guest& guest) {
  (guest.guest_prev_ != nullptr ? guest.guest_prev_->guest_next_ : guests_) = guest.guest_next_;
  if (guest.guest_next_ != nullptr) guest.guest_next_->guest_prev_ = guest.guest_prev_;
  stats_->closed.add();
  sessions_alive_.fetch_sub(1, std::memory_order_release);
}

Guest::Guest(Worker& worker) : guests_worker_(worker) { worker.add(*this); }
Guest::~Guest() { guests_worker_.remove(*this); }

void Worker::forget(Http2Connection& connection) { std::erase(unflushed_, &connection); }

void Worker::add(Session& session) {
  session.next_ = sessions_;
  if (sessions_ != nullptr) sessions_->prev_ = &session;
  sessions_ = &session;
  sessions_alive_.fetch_add(1, std::memory_order_relaxed);
}

void Worker::remove(Session& session) {
  (session.prev_ != nullptr ? session.prev_->next_ : sessions_) = session.next_;
  if (session.next_ != nullptr) session.next_->prev_ = session.prev_;
  stats_->closed.add();
  sessions_alive_.fetch_sub(1, std::memory_order_release);
}

void Worker::idle_begins(Session& session) {
  session.idle_prev_ = idle_last_;
  session.idle_next_ = nullptr;
  (idle_last_ != nullptr ? idle_last_->idle_next_ : idle_first_) = &session;
  idle_last_ = &session;
  stats_->idle_client.add();
}

void Worker::idle_ends(Session& session) {
  (session.idle_prev_ != nullptr ? session.idle_prev_->idle_next_ : idle_first_) =
      session.idle_next_;
  (session.idle_next_ != nullptr ? session.idle_next_->idle_prev_ : idle_last_) =
      session.idle_prev_;
  stats_->idle_client.sub();
}

bool Worker::shed(Duration idle_for) {
  if (runtime_ != nullptr && runtime_->drop_oldest_idle()) return true;
  const auto latest = loop_.now() - idle_for;
  for (Session* session = idle_first_; session != nullptr; session = session->idle_next_) {
    if (session->idle_since_ > latest) return false;
    // A request that has come already is served.
    if (session->waiter().cancelled() || session->client().peek().ok()) continue;
    session->client().close();
    session->cancel();
    return true;
  }
  return false;
}

void Worker::log_ejection(const upstream::Pool& pool, const upstream::Peer& peer, Duration time) {
  log_.write(LogLevel::error, "upstream \"" + pool.name() + "\": peer " + peer.text +
                                  " is ejected for " + std::to_string(time.count()) +
                                  " ms: too many of its requests have failed");
}

net::Task<int> Worker::connect_when_free(const Endpoint& to, const net::ConnectOptions& options,
                                         net::Waiter& waiter, TimePoint deadline) {
  for (;;) {
    shed();
    const int fd = net::begin_connect(to, options);
    if (fd >= 0) co_return fd;
    const int why = errno;
    if ((why != EMFILE && why != ENFILE) || loop_.now() >= deadline) co_return -why;
    stats_->fd_exhausted.add();
    const auto wake = co_await waiter.wait(std::min(deadline, loop_.now() + kDescriptorPause));
    if (wake == net::Wake::cancelled) co_return -ECANCELED;
  }
}

// ---- explaining
// --------------------------------------------------------------------------------------

void Worker::explain(Question question, Explained done) {
  loop_.post([this, question = std::move(question), done = std::move(done)] {
    begin_explaining(question, done);
  });
}

void Worker::begin_explaining(const Question& question, const Explained& done) {
  auto out = std::make_shared<Explanation>();
  const auto fail = [&](const std::string& why) {
    out->problem = why;
    done(out);
  };
  if (draining_ || runtime_ == nullptr) return fail("weir is ending");
  if (runtime_->get().listen_of(question.listen) == nullptr) {
    return fail("nothing listens on " + question.listen + " any more");
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return fail("socketpair() failed " + net::errno_text(errno));
  }
  UniqueFd other(ends[1]);
  auto session =
      std::make_unique<Session>(*this, intern(question.listen), question.client.unmapped(), 0);
  if (!session->client_.open(loop_, ends[0])) return fail("no descriptor is free");
  session->pending_ = question.head;
  session->explains_secure_ = question.secure;
  session->explanation_ = out.get();
  auto end = [this, out, done] {
    stats_->closed.sub();  // it was no client's
    done(out);
  };
  net::spawn(session.release()->run_explained(std::move(other), std::move(end)));
}

}  // namespace weir::proxy
