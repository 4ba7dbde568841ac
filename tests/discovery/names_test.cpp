#include "discovery/names.h"

#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <future>
#include <mutex>

#include "config/load.h"

using namespace weir;
using namespace weir::discovery;

namespace {

const Question kApp{.host = "app"};

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

// Asks one name at a time of `each`.
Names::Ask one_by_one(std::function<Addresses(const Question&)> each) {
  return [each = std::move(each)](const std::vector<Question>& questions, Duration) {
    std::vector<Addresses> found;
    for (const auto& question : questions) found.push_back(each(question));
    return found;
  };
}

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
  Names names(io, options, [] {});
  answer = {.error = "no such name"};
  CHECK(names.look_up(kApp).error == "no such name");
  CHECK(names.look_up(kApp).found.empty());
  CHECK(asked == 1);  // once a load

  names.forget_all();
  answer = {.found = {ip("10.0.0.2"), ip("10.0.0.1"), ip("10.0.0.2")}};
  const auto found = names.look_up(kApp);
  CHECK(asked == 2);
  REQUIRE(found.found.size() == 2);
  CHECK(found.found[0].host_text() == "10.0.0.1");

  names.forget_all();
  answer = {.error = "the server fails"};
  const auto kept = names.look_up(kApp);
  CHECK(asked == 3);
  CHECK(kept.found.size() == 2);
  CHECK(kept.error.empty());
  CHECK(names.status().front().error == "the server fails");

  names.watch({});
  CHECK(names.look_up(kApp).found.empty());  // nobody needs it any more: forgotten
}

TEST_CASE("all that is not known is asked for in one go, and waited for no longer than patience") {
  boost::asio::io_context io;
  std::vector<std::size_t> sizes;
  Names::Options options;
  options.ask = [&](const std::vector<Question>& questions, Duration at_most) {
    CHECK(at_most == Names::kPatience);
    sizes.push_back(questions.size());
    return std::vector<Addresses>(questions.size(), Addresses{.found = {ip("10.0.0.1")}});
  };
  Names names(io, options, [] {});
  names.look_up_all({{.host = "a"}, {.host = "b"}, {.host = "c"}});
  names.look_up_all({{.host = "b"}, {.host = "d"}});
  CHECK(sizes == std::vector<std::size_t>{3, 1});
  CHECK(names.look_up({.host = "d"}).found.size() == 1);
  CHECK(sizes.size() == 2);
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
  Names names(io, options, [] {});
  const std::vector<Question> all = {
      {.host = "short"}, {.host = "middle"}, {.host = "long"}, {.host = "failing"}};
  names.look_up_all(all);
  const auto busy = boost::asio::make_work_guard(io);  // a round on its way is none
  // What is asked for this much later.
  const auto after = [&](Duration time) {
    asked->text.clear();
    clock.advance(time);
    names.watch(all);  // looks what is due
    io.restart();
    // The round posts its answers; the timer of the next one stands in real time.
    for (int i = 0; i < 200; ++i) {
      io.run_for(std::chrono::milliseconds{5});
      if (!names.busy()) break;
    }
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
  CHECK(names.look_up(kApp).found.empty());
  names.watch({kApp});
  CHECK(names.counts().unresolved == 1);
  io.run_for(std::chrono::seconds{20});  // ends with stop()
  CHECK(changes == 1);
  CHECK(*asked == 3);
}

TEST_CASE("a name whose server is silent holds up no other") {
  boost::asio::io_context io;
  const auto go = std::make_shared<std::promise<void>>();
  const std::shared_future<void> wait = go->get_future().share();
  const auto asked = std::make_shared<std::atomic<int>>(0);
  Names::Options options;
  options.interval = Duration{1};
  options.ask = one_by_one([wait, asked](const Question& question) {
    if (question.host == "silent") {
      wait.wait();
    } else {
      ++*asked;
    }
    return Addresses{.error = "none"};
  });
  auto busy = boost::asio::make_work_guard(io);
  Names names(io, options, [] {});
  names.watch({{.host = "silent"}});
  names.watch({{.host = "silent"}, {.host = "other"}});
  for (int i = 0; i < 2000 && *asked < 5; ++i) io.run_for(std::chrono::milliseconds{5});
  CHECK(*asked >= 5);
  go->set_value();
}

TEST_CASE("nobody waits for a look-up that takes its time") {
  const auto go = std::make_shared<std::promise<void>>();
  const auto gone = std::make_shared<std::promise<void>>();
  const auto began = std::make_shared<std::promise<void>>();
  {
    boost::asio::io_context io;
    Names::Options options;
    options.interval = Duration{1};
    const std::shared_future<void> wait = go->get_future().share();
    options.ask = one_by_one([wait, began, gone](const Question&) {
      began->set_value();
      wait.wait();
      gone->set_value();
      return Addresses{.found = {ip("10.0.0.1")}};
    });
    Names names(io, options, [] { FAIL("nobody is there any more"); });
    names.watch({kApp});
    began->get_future().wait();
  }
  go->set_value();
  gone->get_future().wait();
}
