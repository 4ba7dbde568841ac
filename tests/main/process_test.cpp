#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "main/account.h"
#include "main/pid_file.h"
#include "main/restart_pause.h"

using namespace weir;
using namespace weir::main;

TEST_CASE("what keeps ending soon after its start waits longer and longer, but never gives up") {
  RestartPause restart_pause;
  std::vector<Duration::rep> waits;
  for (int i = 0; i < 10; ++i) waits.push_back(restart_pause.ended(Duration{5}).count());
  CHECK(waits == std::vector<Duration::rep>{0, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000});
  CHECK(restart_pause.failures() == 10);
  CHECK(restart_pause.ended(RestartPause::kSound).count() == 0);
  CHECK(restart_pause.ended(Duration{5}).count() == 100);
}

TEST_CASE("the environment keeps TZ and what is named") {
  const std::vector<std::string> before = {"A=1", "TZ=UTC", "B=2", "AB=3"};
  config::ProcessConfig config;
  CHECK(kept_environment(before, config) == std::vector<std::string>{"TZ=UTC"});
  config.environment = {{"A", std::nullopt}, {"B", "x=y"}, {"NONE", std::nullopt}, {"TZ", "CET"}};
  CHECK(kept_environment(before, config) == std::vector<std::string>{"A=1", "B=x=y", "TZ=CET"});
}

TEST_CASE("the pid file appears whole, steps aside, comes back and goes") {
  char directory[] = "/tmp/weir-pid-XXXXXX";
  REQUIRE(::mkdtemp(directory) != nullptr);
  const std::string path = std::string(directory) + "/weir.pid";
  std::string error;
  const auto number = [&](const std::string& at) { return PidFile::read(at, error); };
  {
    PidFile file;
    CHECK(file.write(path).empty());
    CHECK(number(path) == ::getpid());
    CHECK(file.step_aside().empty());
    CHECK_FALSE(number(path));
    CHECK(number(path + ".oldbin") == ::getpid());
    CHECK(file.come_back().empty());
    CHECK(number(path) == ::getpid());
    CHECK(file.move_to(path + "2").empty());
    CHECK_FALSE(number(path));
    CHECK_FALSE(file.move_to("/no/such/directory/x").empty());
    CHECK(number(path + "2") == ::getpid());
  }
  CHECK_FALSE(number(path + "2"));
  CHECK(error.find("(2: No such file or directory)") != std::string::npos);
  for (const char* bad : {"", "x", "0", "-1", "99999999999"}) {
    std::ofstream(path) << bad << "\n";
    CHECK_FALSE(number(path));
    CHECK(error.find("invalid PID number") != std::string::npos);
  }
  ::unlink(path.c_str());
  CHECK(::rmdir(directory) == 0);
}
