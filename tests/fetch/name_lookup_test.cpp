#include "fetch/name_lookup.h"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <memory>
#include <optional>

namespace weir::fetch {
namespace {

namespace asio = boost::asio;

std::optional<Found> run(asio::io_context& io, Duration limit, Ask ask) {
  std::optional<Found> out;
  asio::co_spawn(io, look_up("localhost", "443", limit, std::move(ask)),
                 [&](const std::exception_ptr&, Found found) { out = std::move(found); });
  io.run();
  return out;
}

TEST_CASE("the system's resolver is asked") {
  asio::io_context io;
  const auto found = run(io, std::chrono::seconds{20}, ask_system);
  REQUIRE(found);
  CHECK(found->error.empty());
  REQUIRE(!found->endpoints.empty());
  CHECK(found->endpoints.front().address().is_loopback());
  CHECK(found->endpoints.front().port() == 443);
  CHECK(!ask_system("\xff", "443").error.empty());
}

TEST_CASE("a resolver that says nothing holds up neither a request nor the end") {
  std::promise<void> end;
  const auto ended = end.get_future().share();
  const auto silent = [ended](const std::string&, const std::string&) {
    ended.wait();
    return Found{{}, "too late"};
  };
  {
    asio::io_context io;
    const auto found = run(io, Duration{20}, silent);
    REQUIRE(found);
    CHECK(found->error == "no answer within the time that a request may take");
  }
  {
    // Its loop goes while it is asked.
    asio::io_context io;
    asio::co_spawn(io, look_up("localhost", "443", std::chrono::hours{1}, silent),
                   [](const std::exception_ptr&, const Found&) {});
    io.poll();
  }
  end.set_value();
}

}  // namespace
}  // namespace weir::fetch
