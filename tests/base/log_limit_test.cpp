#include "base/log_limit.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace weir;

namespace {

// A log in a file of its own.
struct LogFile {
  LogFile() {
    char name[] = "/tmp/log_limit_XXXXXX";
    const int fd = ::mkstemp(name);
    REQUIRE(fd >= 0);
    ::close(fd);
    path = name;
    log = std::make_shared<Log>();
    REQUIRE(log->configure({{path, LogLevel::info, {}}}).empty());
  }
  ~LogFile() { ::unlink(path.c_str()); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // The texts of its lines, without time and process.
  std::vector<std::string> lines() const {
    std::ifstream in(path);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) {
      out.push_back(line.substr(line.find("#0: ") + 4));
    }
    return out;
  }

  std::string path;
  std::shared_ptr<Log> log;
};

constexpr TimePoint at(std::int64_t ms) { return TimePoint{Duration{ms}}; }

// How many of `count` such lines may be written.
std::uint32_t admitted(LogLimit& limit, const std::string& text, std::uint32_t count, TimePoint now,
                       LogLevel level = LogLevel::error) {
  std::uint32_t written = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    written += limit.admits(nullptr, level, text + std::to_string(i), now) ? 1 : 0;
  }
  return written;
}

constexpr auto kMost = LogLimit::Setting{}.lines;
constexpr auto kWindow = LogLimit::Setting{}.window.count();

}  // namespace

TEST_CASE("the cause is what names no client and no file") {
  struct Row {
    const char* text;
    const char* cause;
  };
  const Row rows[] = {
      {"connect to the peer failed (111: Connection refused)",
       "connect to the peer failed (111: Connection refused)"},
      {"open() \"/srv/a\" failed", "open"},
      {"open() \"/srv/a (1: b)\" failed (13: Permission denied)", "open (13: Permission denied)"},
      {"open() \"/srv/a\" failed (2: No such file or directory)",
       "open (2: No such file or directory)"},
      {"\"/srv/a\" is not found", " is not found"},
      {"\"", ""},
      {"ends so ()", "ends so "},
      {"ends so (a 1)", "ends so "},
      {"peer answered 503 while", "peer answered "},
      {"client timed out", "client timed out"},
      {"", ""}};
  for (const auto& row : rows) CHECK(LogLimit::cause_of(row.text) == row.cause);
}

TEST_CASE(
    "of lines that are alike a number is written, and the rest is told when the window ends") {
  LogFile file;
  LogLimit limit;
  CHECK(admitted(limit, "it failed ", kMost + 7, at(0)) == kMost);
  CHECK(admitted(limit, "other ", 3, at(1)) == 3);
  CHECK(limit.waiting());
  CHECK(limit.left_out() == 7);
  limit.flush(*file.log, at(kWindow - 1));
  CHECK(file.lines().empty());
  CHECK(admitted(limit, "it failed ", 2, at(kWindow - 1)) == 0);
  limit.flush(*file.log, at(kWindow));
  CHECK(file.lines() == std::vector<std::string>{"9 more like this in the last 10 s: it failed"});
  CHECK(!limit.waiting());
  CHECK(admitted(limit, "it failed ", 1, at(kWindow)) == 1);
}

TEST_CASE("a window without more than may be written begins anew by itself") {
  LogLimit limit;
  for (std::int64_t window = 0; window < 3; ++window) {
    CHECK(admitted(limit, "x ", kMost, at(window * kWindow)) == kMost);
  }
  CHECK(limit.left_out() == 0);
}

TEST_CASE("how many, and in what time, can be set, also to no limit") {
  LogFile file;
  LogLimit limit;
  limit.set({3, std::chrono::seconds{60}});
  CHECK(admitted(limit, "x ", 10, at(0)) == 3);
  CHECK(admitted(limit, "x ", 10, at(59'999)) == 0);
  limit.flush(*file.log, at(60'000));
  CHECK(file.lines() == std::vector<std::string>{"17 more like this in the last 60 s: x"});
  limit.set({5, std::chrono::seconds{60}});
  CHECK(admitted(limit, "x ", 10, at(60'000)) == 5);
  limit.set({0, {}});
  CHECK(admitted(limit, "x ", 1000, at(60'000)) == 1000);
  // What was left out before is told of nevertheless.
  limit.flush(*file.log, at(120'000));
  CHECK(file.lines().back() == "5 more like this in the last 60 s: x");
}

TEST_CASE("subjects are told apart") {
  LogFile file;
  LogLimit limit;
  for (const auto* subject : {" of a", " of b"}) {
    std::uint32_t written = 0;
    for (std::uint32_t i = 0; i < kMost + 3; ++i) {
      written += limit.admits(nullptr, LogLevel::error, "it failed", at(0), subject) ? 1 : 0;
    }
    CHECK(written == kMost);
  }
  limit.flush(*file.log, at(kWindow));
  CHECK(file.lines() ==
        std::vector<std::string>{"3 more like this in the last 10 s: it failed of a",
                                 "3 more like this in the last 10 s: it failed of b"});
}

TEST_CASE("levels and logs are told apart, debug is never left out") {
  LogFile file;
  LogLimit limit;
  CHECK(admitted(limit, "x ", kMost + 1, at(0)) == kMost);
  CHECK(admitted(limit, "x ", kMost, at(0), LogLevel::warn) == kMost);
  CHECK(admitted(limit, "x ", 5 * kMost, at(0), LogLevel::debug) == 5 * kMost);
  CHECK(admitted(limit, "x ", 5 * kMost, at(0), LogLevel::crit) == kMost);
  CHECK(limit.admits(file.log, LogLevel::error, "x 1", at(0)));
}

TEST_CASE("what a location's log has left out is told there, at the end as well") {
  LogFile own;
  LogFile main;
  LogLimit limit;
  for (std::uint32_t i = 0; i < kMost + 2; ++i) {
    static_cast<void>(limit.admits(own.log, LogLevel::error, "x 1", at(0)));
  }
  limit.flush(*main.log, at(1500), true);
  CHECK(main.lines().empty());
  CHECK(own.lines() == std::vector<std::string>{"2 more like this in the last 1 s: x"});
}

TEST_CASE("more causes than are told apart share one limit") {
  LogFile file;
  LogLimit limit;
  std::string name;
  for (std::size_t i = 0; i < LogLimit::kCauses; ++i) {
    CHECK(limit.admits(nullptr, LogLevel::error, "a", at(0), std::to_string(i)));
  }
  std::uint32_t written = 0;
  for (std::uint32_t i = 0; i < 3 * kMost; ++i) {
    name = std::string(1 + i % 50, 'b') + " ";
    written += limit.admits(nullptr, LogLevel::error, name, at(1)) ? 1 : 0;
  }
  CHECK(written == kMost);
  limit.flush(*file.log, at(kWindow + 1));
  CHECK(file.lines() == std::vector<std::string>{
                            "200 more like this in the last 10 s: of other causes, such as: b"});
}
