#include "fetch/name_lookup.h"

#include <netdb.h>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace weir::fetch {
namespace {

namespace asio = boost::asio;

// What the thread that asks and the coroutine that waits have in common.
struct Mailbox {
  std::mutex mutex;                      // guards all
  asio::steady_timer* waiter = nullptr;  // null: nobody wants it any more
  bool done = false;
  Found found;
};

void deliver(const std::shared_ptr<Mailbox>& mailbox, Found found) {
  const std::lock_guard lock(mailbox->mutex);
  if (mailbox->waiter == nullptr) return;
  mailbox->found = std::move(found);
  mailbox->done = true;
  // The timer is the asking thread's. As long as there is a waiter its loop is there.
  asio::post(mailbox->waiter->get_executor(), [mailbox] {
    const std::lock_guard inner(mailbox->mutex);
    if (mailbox->waiter != nullptr) mailbox->waiter->cancel();
  });
}

// Ends with the coroutine, however that ends.
class Waiting {
 public:
  Waiting(std::shared_ptr<Mailbox> mailbox, asio::steady_timer& timer)
      : mailbox_(std::move(mailbox)) {
    mailbox_->waiter = &timer;
  }
  ~Waiting() {
    const std::lock_guard lock(mailbox_->mutex);
    mailbox_->waiter = nullptr;
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  [[nodiscard]] bool done() const {
    const std::lock_guard lock(mailbox_->mutex);
    return mailbox_->done;
  }
  [[nodiscard]] Found take() const {
    const std::lock_guard lock(mailbox_->mutex);
    return std::move(mailbox_->found);
  }

 private:
  std::shared_ptr<Mailbox> mailbox_;
};

}  // namespace

Found ask_system(const std::string& host, const std::string& port) {
  Found out;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  if (code != 0) {
    out.error = code == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(code);
    return out;
  }
  for (const auto* one = list; one != nullptr; one = one->ai_next) {
    asio::ip::tcp::endpoint endpoint;
    if (one->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), one->ai_addr, one->ai_addrlen);
    endpoint.resize(one->ai_addrlen);
    out.endpoints.push_back(endpoint);
  }
  ::freeaddrinfo(list);
  if (out.endpoints.empty()) out.error = "it has no address";
  return out;
}

asio::awaitable<Found> look_up(std::string host, std::string port, Duration limit, Ask ask) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, limit);
  const auto mailbox = std::make_shared<Mailbox>();
  const Waiting waiting(mailbox, timer);
  std::thread([mailbox, host = std::move(host), port = std::move(port), ask = std::move(ask)] {
    deliver(mailbox, ask(host, port));
  }).detach();
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (!waiting.done()) co_return Found{{}, "no answer within the time that a request may take"};
  co_return waiting.take();
}

}  // namespace weir::fetch
