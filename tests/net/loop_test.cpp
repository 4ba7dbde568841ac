#include "net/loop.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>

#include "net/task.h"

using namespace weir;
using namespace weir::net;
using std::chrono::milliseconds;

namespace {

// A loop on real time that ends when the test's coroutine says so.
struct Fixture {
  SystemClock clock;
  Loop loop{clock};
  void run() {
    loop.run([] {});
  }
};

std::array<int, 2> pair() {
  std::array<int, 2> fds{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) == 0);
  return fds;
}

Task<int> add(int a, int b) { co_return a + b; }
Task<int> deep(int n) {
  if (n == 0) co_return 0;
  co_return 1 + co_await deep(n - 1);
}

}  // namespace

TEST_CASE("tasks nest and give values back") {
  int result = 0;
  auto run = [&]() -> Task<void> {
    result = co_await add(20, 22);
    result += co_await deep(100);
  };
  spawn(run());
  CHECK(result == 142);
}

TEST_CASE("a task that always completes at once does not grow the stack") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr long count =
      1'000;  // sanitizers keep the compiler from tail calls: here the stack does grow
#else
  constexpr long count = 1'000'000;
#endif
  long sum = 0;
  auto run = [&]() -> Task<void> {
    for (int i = 0; i < count; ++i) sum += co_await add(i, 0);
  };
  spawn(run());
  CHECK(sum == count * (count - 1) / 2);
}

TEST_CASE("a wait ends by readiness, by its deadline, or by a cancel that sticks") {
  Fixture f;
  const auto fds = pair();
  Descriptor a;
  REQUIRE(a.open(f.loop, fds[0]));
  std::string log;
  Waiter waiter(f.loop);
  auto run = [&]() -> Task<void> {
    {
      const Interest readable(a.on_readable, waiter);
      log += co_await waiter.wait(TimePoint::max()) == Wake::ready ? "ready " : "? ";
    }
    char buffer[16];
    const auto got = a.read(buffer, sizeof buffer);
    log += std::string(buffer, got.size) + " ";
    CHECK_FALSE(a.readable());  // a short read means drained
    CHECK(co_await waiter.wait(f.loop.now() + milliseconds(30)) == Wake::timeout);
    f.loop.post([&] { waiter.cancel(); });
    CHECK(co_await waiter.wait(TimePoint::max()) == Wake::cancelled);
    CHECK(co_await waiter.wait(TimePoint::max()) == Wake::cancelled);
    CHECK(co_await waiter.yield() == Wake::cancelled);
    f.loop.stop();
  };
  spawn(run());
  REQUIRE(::write(fds[1], "hello", 5) == 5);
  f.run();
  CHECK(log == "ready hello ");
  ::close(fds[1]);
}

TEST_CASE("the end of a stream is seen after its last bytes") {
  Fixture f;
  const auto fds = pair();
  Descriptor a;
  REQUIRE(a.open(f.loop, fds[0]));
  Waiter waiter(f.loop);
  std::string seen;
  auto run = [&]() -> Task<void> {
    for (;;) {
      while (!a.readable()) {
        const Interest readable(a.on_readable, waiter);
        co_await waiter.wait(TimePoint::max());
      }
      char buffer[4];
      const auto got = a.read(buffer, sizeof buffer);
      if (got.ok()) {
        seen.append(buffer, got.size);
      } else if (!got.blocked()) {
        seen += got.status == IoResult::Status::eof ? "." : "!";
        break;
      }
    }
    f.loop.stop();
  };
  spawn(run());
  REQUIRE(::write(fds[1], "last words", 10) == 10);
  ::close(fds[1]);
  f.run();
  CHECK(seen == "last words.");
}

TEST_CASE("what an event of the same turn has destroyed is not resumed") {
  Fixture f;
  const auto fds = pair();
  const auto gds = pair();
  Descriptor a, b;
  REQUIRE(a.open(f.loop, fds[0]));
  REQUIRE(b.open(f.loop, gds[0]));
  auto second = std::make_unique<Waiter>(f.loop);
  Waiter first(f.loop);
  int resumed = 0;
  auto run_first = [&]() -> Task<void> {
    const Interest readable(a.on_readable, first);
    co_await first.wait(TimePoint::max());
    b.on_readable = nullptr;
    second.reset();  // both were woken in this turn
    co_await first.yield();
    f.loop.stop();
  };
  auto run_second = [&]() -> Task<void> {
    b.on_readable = second.get();
    co_await second->wait(TimePoint::max());
    ++resumed;
  };
  spawn(run_first());
  // Its frame is given up with its waiter: the test wants just that.
  auto task = run_second();
  task.await_suspend(std::noop_coroutine()).resume();
  REQUIRE(::write(fds[1], "x", 1) == 1);
  REQUIRE(::write(gds[1], "x", 1) == 1);
  f.run();
  CHECK(resumed == 0);
  ::close(fds[1]);
  ::close(gds[1]);
}

TEST_CASE("work posted from elsewhere runs in order, on the loop's thread") {
  Fixture f;
  std::string log;
  f.loop.post([&] { log += "a"; });
  f.loop.post([&] {
    log += "b";
    f.loop.post([&] {
      log += "c";
      f.loop.stop();
    });
  });
  f.run();
  CHECK(log == "abc");
}
