#include "discovery/names.h"

#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <future>

#include "config/load.h"

using namespace weir;
using namespace weir::discovery;

TEST_CASE("the host names of a model are those of its peers that are no addresses") {
  const auto loaded = config::load_text("t", R"(
    upstream a { server one:80; server 10.0.0.1; server unix:/x; server [::1]:80; server two; }
    server { listen 127.0.0.1:1; location / { proxy_pass http://three:81; } })",
                                        {});
  REQUIRE(loaded.model != nullptr);
  CHECK(host_names(*loaded.model) == std::set<std::string>{"one", "two", "three"});
}

TEST_CASE("a name that cannot be looked up keeps its addresses, and says why it has none") {
  boost::asio::io_context io;
  Addresses answer;
  int asked = 0;
  Names::Options options;
  options.resolver = [&](const std::string&) {
    ++asked;
    return answer;
  };
  Names names(io, options, [] {});
  answer = {{}, "no such name"};
  CHECK(names.look_up("app").error == "no such name");
  CHECK(names.look_up("app").found.empty());
  CHECK(asked == 1);  // once a load

  names.forget_all();
  answer = {{*IpAddress::parse("10.0.0.2"), *IpAddress::parse("10.0.0.1")}, ""};
  const auto found = names.look_up("app");
  CHECK(asked == 2);
  REQUIRE(found.found.size() == 2);
  CHECK(found.found[0].host_text() == "10.0.0.1");

  names.forget_all();
  answer = {{}, "the server fails"};
  const auto kept = names.look_up("app");
  CHECK(asked == 3);
  CHECK(kept.found.size() == 2);
  CHECK(kept.error.empty());

  names.watch({});
  CHECK(names.look_up("app").found.empty());  // nobody needs it any more: forgotten
}

TEST_CASE("watched names are asked for again, and a change is told once") {
  boost::asio::io_context io;
  Names::Options options;
  options.interval = Duration{1};
  const auto asked = std::make_shared<std::atomic<int>>(0);
  options.resolver = [asked](const std::string&) {
    if (++*asked < 3) return Addresses{{}, "not there yet"};
    return Addresses{{*IpAddress::parse("10.0.0.1")}, ""};
  };
  int changes = 0;
  auto busy = boost::asio::make_work_guard(io);  // a round on its way is none
  Names names(io, options, [&] {
    ++changes;
    names.stop();
    busy.reset();
  });
  CHECK(names.look_up("app").found.empty());
  names.watch({"app"});
  io.run_for(std::chrono::seconds{20});  // ends with stop()
  CHECK(changes == 1);
  CHECK(*asked == 3);
  CHECK(names.look_up("app").found.size() == 1);
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
    options.resolver = [wait, began, gone](const std::string&) {
      began->set_value();
      wait.wait();
      gone->set_value();
      return Addresses{{*IpAddress::parse("10.0.0.1")}, ""};
    };
    Names names(io, options, [] { FAIL("nobody is there any more"); });
    names.watch({"app"});
    io.run_one();
    began->get_future().wait();
  }
  go->set_value();
  gone->get_future().wait();
}
