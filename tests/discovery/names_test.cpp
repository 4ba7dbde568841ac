#include "discovery/names.h"

#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <mutex>
#include <thread>

#include "config/load.h"

using namespace weir;
using namespace weir::discovery;

namespace {

const Question kApp{.host = "app"};

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

// Answers at once.
Names::Ask one_by_one(std::function<Addresses(const Question&)> each) {
  return [each = std::move(each)](const std::vector<Question>& questions, const auto& answered) {
    for (std::size_t i = 0; i < questions.size(); ++i) answered(i, each(questions[i]));
  };
}

// Keeps the questions until the test answers them.
struct Held {
  Names::Ask ask() {
    return [this](const std::vector<Question>& questions, const auto& answered) {
      sizes.push_back(questions.size());
      for (std::size_t i = 0; i < questions.size(); ++i) {
        waiting[questions[i].host] = [answered, i](Addresses found) { answered(i, found); };
      }
    };
  }
  void answer(const std::string& host, const char* address) {
    auto waits = waiting.extract(host);
    REQUIRE(!waits.empty());
    waits.mapped()({.found = {ip(address)}, .lifetime = std::chrono::hours{1}});
  }
  std::map<std::string, std::function<void(Addresses)>> waiting;
  std::vector<std::size_t> sizes;
};

// Runs what is ready.
void settle(boost::asio::io_context& io) {
  io.restart();
  io.poll();
}

void nothing() {}

}  // namespace

TEST_CASE("what is asked about the names of a model") {
  const auto loaded = config::load_text("t", R"(
    resolver 10.0.0.53;
    upstream a { server one:80; server 10.0.0.1; server unix:/x; server [::1]:80; server two; }
    upstream b { server one:81; server one:82 resolve; server two resolve service=http; }
    upstream c { resolver 10.0.0.54 valid=3s; resolver_timeout 2s; server two resolve service=http; }
    server { listen 127.0.0.1:1; location / { proxy_pass http://three:81; } })",
                                        {});
  REQUIRE(loaded.model != nullptr);
  std::string all;
  for (const auto& question : questions(*loaded.model)) {
    all += question.text() + ", " + std::to_string(question.timeout.count()) + "\n";
  }
  CHECK(all ==
        "http two by 10.0.0.53:53, 30000\n"
        "http two by 10.0.0.54:53 valid=3000ms, 2000\n"
        "one, 30000\n"
        "one by 10.0.0.53:53, 30000\n"
        "three, 30000\n"
        "two, 30000\n");
}

TEST_CASE("a name that cannot be looked up keeps its addresses, and says why it has none") {
  boost::asio::io_context io;
  Addresses answer;
  int asked = 0;
  Names::Options options;
  options.ask = one_by_one([&](const Question&) {
    ++asked;
    return answer;
  });
  Names names(io, options, nothing);
  // A reload.
  const auto again = [&](bool all = true) {
    names.prepare({kApp}, all, nothing);
    settle(io);
    names.watch({kApp});
    settle(io);
  };
  answer = {.error = "no such name"};
  again();
  CHECK(names.known(kApp).error == "no such name");
  CHECK(names.known(kApp).found.empty());
  CHECK(asked == 1);  // once a load

  answer = {.found = {ip("10.0.0.2"), ip("10.0.0.1"), ip("10.0.0.2")}};
  again(false);
  CHECK(asked == 1);
  again();
  const auto found = names.known(kApp);
  CHECK(asked == 2);
  REQUIRE(found.found.size() == 2);
  CHECK(found.found[0].host_text() == "10.0.0.1");

  answer = {.error = "the server fails"};
  again();
  const auto kept = names.known(kApp);
  CHECK(asked == 3);
  CHECK(kept.found.size() == 2);
  CHECK(kept.error.empty());
  CHECK(names.status().front().error == "the server fails");

  names.prepare({}, true, nothing);
  names.watch({});
  CHECK(names.known(kApp).found.empty());  // nobody needs it any more: forgotten
}

TEST_CASE("what is not known is asked for in one go, and waited for; the rest is not") {
  boost::asio::io_context io;
  Held held;
  Names::Options options;
  options.ask = held.ask();
  int changes = 0;
  Names names(io, options, [&] { ++changes; });
  int ready = 0;
  const auto count = [&] { ++ready; };
  const std::vector<Question> first = {{.host = "a"}, {.host = "b"}};
  names.prepare(first, true, count);
  held.answer("a", "10.0.0.1");
  settle(io);
  CHECK(ready == 0);
  CHECK(names.known({.host = "a"}).found.size() == 1);
  held.answer("b", "10.0.0.2");
  settle(io);
  CHECK(ready == 1);
  names.watch(first);
  CHECK(held.sizes == std::vector<std::size_t>{2});

  // A reload: those that are known stand, and are asked for aside.
  names.prepare(first, true, count);
  CHECK(ready == 2);
  CHECK(held.sizes.size() == 1);
  names.watch(first);
  CHECK(held.sizes == std::vector<std::size_t>{2, 2});
  held.answer("b", "10.0.0.9");
  CHECK(changes == 0);
  settle(io);
  CHECK(changes == 1);  // though nobody has answered for "a"
  CHECK(names.known({.host = "b"}).found.front().host_text() == "10.0.0.9");
  CHECK(names.busy());

  // One that is new is waited for, and outlives that others are watched meanwhile.
  names.prepare({{.host = "a"}, {.host = "c"}}, false, count);
  CHECK(ready == 2);
  CHECK(held.sizes == std::vector<std::size_t>{2, 2, 1});
  names.watch(first);
  held.answer("c", "10.0.0.3");
  settle(io);
  CHECK(ready == 3);
  CHECK(names.known({.host = "c"}).found.size() == 1);
  CHECK(changes == 1);
}

TEST_CASE("names that nobody answers for are waited for no longer than patience") {
  boost::asio::io_context io;
  Held held;
  Names::Options options;
  options.ask = held.ask();
  options.patience = Duration{1};
  int changes = 0;
  Names names(io, options, [&] { ++changes; });
  bool ready = false;
  names.prepare({kApp}, true, [&] { ready = true; });
  for (int i = 0; i < 2000 && !ready; ++i) io.run_for(std::chrono::milliseconds{5});
  CHECK(ready);
  CHECK(names.known(kApp).error == "there is no answer yet");
  names.watch({kApp});
  CHECK(held.sizes.size() == 1);  // the question stands
  held.answer("app", "10.0.0.1");
  settle(io);
  CHECK(changes == 1);
  CHECK(names.known(kApp).found.size() == 1);
}

TEST_CASE("a service that could be told about in part is asked for again soon, by what it had") {
  boost::asio::io_context io;
  ManualClock clock;
  Names::Options options;
  options.clock = &clock;
  Targets last;
  options.ask = one_by_one([&](const Question& question) {
    last = question.last_targets;
    return Addresses{.found = {*IpAddress::parse("10.0.0.1", 80)},
                     .error = "n2: Operation timed out",
                     .lifetime = std::chrono::hours{1},
                     .targets = {{"n1", {ip("10.0.0.1")}}}};
  });
  Names names(io, options, nothing);
  names.watch({kApp});
  settle(io);
  CHECK(last.empty());
  CHECK(names.known(kApp).found.size() == 1);
  CHECK(names.known(kApp).error.empty());
  CHECK(names.counts().failing == 1);
  CHECK(names.status().front().error == "n2: Operation timed out");
  clock.advance(options.interval);
  names.watch({kApp});
  CHECK(last.size() == 1);
}

TEST_CASE("each name is asked for again when its answer ends") {
  boost::asio::io_context io;
  ManualClock clock;
  struct Asked {
    std::mutex mutex;
    std::string text;
  };
  const auto asked = std::make_shared<Asked>();
  Names::Options options;
  options.clock = &clock;
  options.ask = one_by_one([asked](const Question& question) {
    const std::lock_guard lock(asked->mutex);
    asked->text += question.host + " ";
    if (question.host == "failing") return Addresses{.error = "it is"};
    const std::map<std::string, Duration> lifetimes = {{"short", Duration{0}},
                                                       {"middle", std::chrono::seconds{60}},
                                                       {"long", std::chrono::hours{48}}};
    Addresses found{.found = {ip("10.0.0.1")}};
    found.lifetime = lifetimes.at(question.host);
    return found;
  });
  Names names(io, options, nothing);
  const std::vector<Question> all = {
      {.host = "short"}, {.host = "middle"}, {.host = "long"}, {.host = "failing"}};
  names.watch(all);
  settle(io);
  // What is asked for this much later.
  const auto after = [&](Duration time) {
    asked->text.clear();
    clock.advance(time);
    names.watch(all);  // looks what is due
    settle(io);        // the timer of what comes next stands in real time
    return asked->text;
  };
  CHECK(after(Duration{500}) == "");
  CHECK(after(Duration{500}) == "short ");
  CHECK(after(std::chrono::seconds{4}) == "failing short ");
  CHECK(after(std::chrono::seconds{55}) == "failing middle short ");
  CHECK(after(std::chrono::hours{1}) == "failing long middle short ");
}

TEST_CASE("watched names are asked for again, and a change is told once") {
  boost::asio::io_context io;
  Names::Options options;
  options.interval = Duration{1};
  const auto asked = std::make_shared<std::atomic<int>>(0);
  options.ask = one_by_one([asked](const Question&) {
    if (++*asked < 3) return Addresses{.error = "not there yet"};
    return Addresses{.found = {ip("10.0.0.1")}};
  });
  int changes = 0;
  auto busy = boost::asio::make_work_guard(io);  // a round on its way is none
  Names names(io, options, [&] {
    ++changes;
    CHECK(names.known(kApp).found.size() == 1);
    names.stop();
    busy.reset();
  });
  names.prepare({kApp}, true, nothing);
  settle(io);
  names.watch({kApp});
  CHECK(names.counts().unresolved == 1);
  io.restart();
  io.run_for(std::chrono::seconds{20});  // ends with stop()
  CHECK(changes == 1);
  CHECK(*asked == 3);
}

TEST_CASE("a name whose server is silent holds up no other, though they are asked for together") {
  boost::asio::io_context io;
  int asked = 0;
  Names::Options options;
  options.interval = Duration{1};
  options.ask = [&](const std::vector<Question>& questions, const auto& answered) {
    for (std::size_t i = 0; i < questions.size(); ++i) {
      if (questions[i].host == "silent") continue;
      ++asked;
      answered(i, {.error = "none"});
    }
  };
  auto busy = boost::asio::make_work_guard(io);
  Names names(io, options, nothing);
  names.watch({{.host = "silent"}, {.host = "other"}});
  for (int i = 0; i < 2000 && asked < 5; ++i) io.run_for(std::chrono::milliseconds{5});
  CHECK(asked >= 5);
}

TEST_CASE("nobody waits for a look-up that takes its time") {
  std::function<void()> late;
  {
    boost::asio::io_context io;
    Names::Options options;
    options.ask = [&](const std::vector<Question>&, const auto& answered) {
      late = [answered] { answered(0, {.found = {ip("10.0.0.1")}}); };
    };
    Names names(io, options, [] { FAIL("nobody is there any more"); });
    names.watch({kApp});
  }
  REQUIRE(late);
  std::thread(late).join();
}
