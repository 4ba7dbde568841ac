// The file of what operators set, the arguments of sub-commands, and what they write.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "main/operate.h"
#include "main/state_file.h"
#include "main/status_text.h"
#include "main/top.h"

namespace weir::main {
namespace {

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/weir-state-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

std::string read(const std::string& path) {
  std::string error;
  auto text = read_state_file(path, error);
  CHECK(error == "");
  return text;
}

VerbCall parse(std::vector<std::string> arguments, std::string& error,
               std::vector<std::string>* rest = nullptr) {
  std::vector<const char*> argv;
  for (const auto& argument : arguments) argv.push_back(argument.c_str());
  const int at = find_verb_argument(static_cast<int>(argv.size()), argv.data());
  REQUIRE(at > 0);
  VerbCall call;
  error = parse_verb(arguments, static_cast<std::size_t>(at), call);
  if (rest != nullptr) *rest = arguments;
  return call;
}

}  // namespace

TEST_CASE("the state file is replaced at once, is its owner's alone, and goes when it is empty") {
  const Folder folder;
  const auto path = folder.path + "/weir.state";
  CHECK(read(path) == "");
  CHECK(write_state_file(path, "one") == "");
  CHECK(read(path) == "one");
  struct stat info {};
  CHECK(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  // What a crash left does not matter.
  std::ofstream(path + ".new") << "half";
  CHECK(write_state_file(path, std::string(100000, 'x')) == "");
  CHECK(read(path).size() == 100000);
  CHECK(!std::filesystem::exists(path + ".new"));
  CHECK(write_state_file(path, "") == "");
  CHECK(!std::filesystem::exists(path));
  CHECK(write_state_file(path, "") == "");
}

TEST_CASE("what is no state file is told") {
  const Folder folder;
  std::string error;
  CHECK(read_state_file(folder.path, error) == "");
  CHECK(error == "state_file: \"" + folder.path + "\" is no file of weir's");
  error.clear();
  CHECK(read_state_file(folder.path + "/none/weir.state", error) == "");
  CHECK(error == "");
  CHECK(write_state_file(folder.path + "/none/weir.state", "x").find("open() \"") !=
        std::string::npos);
  CHECK(write_state_file(folder.path, "x").find("rename() \"") != std::string::npos);
  CHECK(write_state_file(folder.path + "/s", std::string(5u << 20, 'x')).find("too much") !=
        std::string::npos);
}

TEST_CASE("where the verb stands") {
  const auto at = [](std::vector<const char*> argv) {
    return find_verb_argument(static_cast<int>(argv.size()), argv.data());
  };
  CHECK(at({"weir", "status"}) == 1);
  CHECK(at({"weir", "-c", "status", "drain"}) == 3);
  CHECK(at({"weir", "-cstatus", "drain"}) == 2);
  CHECK(at({"weir", "-q", "-p", "x", "top"}) == 4);
  CHECK(at({"weir", "-t"}) == 0);
  CHECK(at({"weir"}) == 0);
  CHECK(at({"weir", "-c", "status"}) == 0);
  CHECK(at({"weir", "statuses"}) == 0);
}

TEST_CASE("the arguments of a verb") {
  std::string error;
  std::vector<std::string> rest;
  const auto call = parse(
      {"weir", "-c", "a", "drain", "app/x", "--wait", "--timeout=5", "-p", "b", "--socket", "s"},
      error, &rest);
  CHECK(error == "");
  CHECK(call.verb == "drain");
  CHECK(call.words == std::vector<std::string>{"app/x"});
  CHECK(call.option("wait") != nullptr);
  CHECK(*call.option("timeout") == "5");
  CHECK(*call.option("socket") == "s");
  CHECK(call.option("json") == nullptr);
  CHECK(rest == std::vector<std::string>{"weir", "-c", "a", "-p", "b"});
  parse({"weir", "drain", "--wait=1"}, error);
  CHECK(error == "option \"--wait\" takes no value");
  parse({"weir", "drain", "--timeout"}, error);
  CHECK(error == "option \"--timeout\" requires a value");
  parse({"weir", "status", "--wait"}, error);
  CHECK(error == "unknown option \"--wait\"; see weir status --help");
}

TEST_CASE("times in short") {
  CHECK(short_time(0.4) == "0s");
  CHECK(short_time(59.9) == "59s");
  CHECK(short_time(60) == "1m");
  CHECK(short_time(200) == "3m20s");
  CHECK(short_time(7500) == "2h5m");
  CHECK(short_time(276000) == "3d4h");
}

TEST_CASE("the table of a state, and rates between two") {
  const auto state = [](int requests) {
    return boost::json::parse(R"({"generation":3,"upstreams":[{"name":"app","balance":"ip_hash",
      "live":1,"set":{"only":"10.0.0.1:80","maintenance":{"allow":["10.0.0.0/8"]},
      "absent":["10.0.0.9:80"]},"peers":[
      {"name":"one","address":"10.0.0.1:80","state":"up","since":200.5,"in_flight":3,"fails":0,
       "failures":0,"requests":{"2xx":)" +
                              std::to_string(requests) +
                              R"(},"weight":5,"set":{"weight":5},"backup":false,"reason":""},
      {"name":"10.0.0.2:80","address":"10.0.0.2:80","state":"aside","since":null,"in_flight":0,
       "fails":0,"failures":0,"requests":{},"weight":1,"set":null,"backup":true,
       "reason":"only one is to serve\u001b"}]}]})");
  };
  CHECK(status_text(state(10)) ==
        "app (ip_hash): 1 of 2 get requests; only* 10.0.0.1:80; in maintenance*: clients get 503, "
        "but for 10.0.0.0/8; set* for peers that are not there: 10.0.0.9:80\n"
        "  PEER                STATE   FOR    CONNS  FAILS  WEIGHT  REASON\n"
        "  one (10.0.0.1:80)   up      3m20s  3      0      5*\n"
        "  10.0.0.2:80 backup  aside*  -      0      0      1       only one is to serve?\n"
        "* set at run time\n");
  const auto text = top_text(state(110), state(10), Duration{500});
  CHECK(text.find("10.0.0.1:80  up     3      200    0       110") != std::string::npos);
  CHECK(top_text(state(110), nullptr, Duration{500}).find("up     3      -") != std::string::npos);
}

TEST_CASE("what a pool's list of peers lacks") {
  const auto line = [](const std::string& registry, const std::string& unresolved = "") {
    return pool_line(boost::json::parse(R"({"name":"app","balance":"ip_hash","live":1,"set":null,
      "peers":[],"registry":)" + registry +
                                        R"(,"unresolved":[)" + unresolved + "]}")
                         .as_object());
  };
  const auto registry = [&](bool fresh, bool waiting, bool doubted, const std::string& error,
                            const std::string& events) {
    const auto text = [](bool value) { return std::string(value ? "true" : "false"); };
    return line(R"({"fresh":)" + text(fresh) + R"(,"stale_for":)" + (fresh ? "null" : "200.0") +
                R"(,"waiting_for_first_list":)" + text(waiting) + R"(,"emptying_unconfirmed":)" +
                text(doubted) + R"(,"error":")" + error + R"(","events_error":)" + events + "}");
  };
  const std::string good = "app (ip_hash): 1 of 0 get requests";
  CHECK(line("null") == good);
  CHECK(registry(true, false, false, "", "null") == good);
  CHECK(registry(false, true, false, "refused", "null") ==
        good + "; waits for the first list of its registry: refused");
  CHECK(registry(false, false, false, "refused", R"("refused")") ==
        good +
            "; the list of its registry is stale for 3m20s: refused; its registry does not tell "
            "of changes: refused");
  CHECK(registry(true, false, true, "", "null") ==
        good + "; its registry says that most nodes are gone: not believed yet");
  CHECK(line("null", R"({"name":"a.test","error":"not found"},{"name":"b.test","error":"late"})") ==
        good + "; unresolved: a.test (not found); unresolved: b.test (late)");
}

TEST_CASE("a picture of top fits the terminal") {
  struct Row {
    const char* text;
    Screen screen;
    const char* fitted;
  };
  const Row rows[] = {
      {"", {24, 80}, ""},
      {"a\nb\n", {24, 80}, "a\nb\n"},
      {"a\nb\n\n\n", {3, 80}, "a\nb\n"},
      {"a\nb\nc\n", {4, 80}, "a\nb\nc\n"},
      {"a\nb\nc\nd\n", {4, 80}, "a\nb\n... and 2 lines more\n"},
      {"abcdef\nb\n", {24, 4}, "abc\nb\n"},
      {"\xc3\xa4\xc3\xb6\xc3\xbcx\n", {24, 4}, "\xc3\xa4\xc3\xb6\xc3\xbc\n"},
      {"a\nb\nc\n", {1, 5}, "a\n... \n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(fitted(row.text, row.screen) == row.fitted);
  }
}

}  // namespace weir::main
