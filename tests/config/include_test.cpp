#include "support.h"

using namespace weir::config::testing;

namespace {

std::string load_problems(const std::string& path, const Files& files) {
  return problems(weir::config::load(path, options(files)));
}

}  // namespace

TEST_CASE("names are relative to the main file") {
  const Files files = {{"/etc/weir/main.conf", "include conf.d/*; include /abs.conf;"},
                       {"/etc/weir/conf.d/a", "include up.conf;"},
                       {"/etc/weir/conf.d/b", "server { location / { proxy_pass http://app; } }"},
                       {"/etc/weir/up.conf", "upstream app { include /peers; }"},
                       {"/peers", "server x; server y;"},
                       {"/abs.conf", "map $host $n { include /entries; }"},
                       {"/entries", "a 1; b 2;"}};
  const auto result = weir::config::load("/etc/weir/main.conf", options(files));
  CHECK(problems(result) == "");
  REQUIRE(result.model);
  REQUIRE(result.model->upstreams.size() == 1);
  CHECK(result.model->upstreams[0].peers.size() == 2);
  CHECK(result.model->upstreams[0].peers[1].position.text() == "/peers:1:11");
  CHECK(result.model->maps[0].exact.size() == 2);
  CHECK(result.model->servers[0]->position.text() == "/etc/weir/conf.d/b:1:1");
}

TEST_CASE("files of the file system") {
  const auto result =
      weir::config::load(std::string(WEIR_TEST_DATA) + "/config/include/main.conf", {});
  CHECK(problems(result) == "");
  REQUIRE(result.model);
  REQUIRE(result.model->upstreams.size() == 2);
  CHECK(result.model->upstreams[0].name == "a");
  CHECK(result.model->upstreams[1].name == "b");
  CHECK(problems(weir::config::load(WEIR_TEST_DATA, {})).find("it is a directory") !=
        std::string::npos);
}

TEST_CASE("mistakes") {
  const struct {
    Files files;
    std::string want;
  } cases[] = {
      {{{"/m", "user x;\n  include none.conf;\n server { }"}},
       "/m:2:3: error: include: cannot read \"/none.conf\": No such file or directory"},
      {{{"/m", "include *.none; server { }"}}, ""},
      {{{"/m", "include /a;"}, {"/a", "include /m;"}},
       "/a:1:1: error: include: \"/m\" includes itself; remove one of the two"},
      {{{"/m", "include /m;"}},
       "/m:1:1: error: include: \"/m\" includes itself; remove one of the two"},
      {{{"/m", "include /a; user x;"}, {"/a", "\n lisen 80;"}},
       "/a:2:2: error: unknown directive \"lisen\"; did you mean \"listen\"?"},
      {{{"/m", "server { include /a; }"}, {"/a", "}"}},
       "/a:1:1: error: unexpected \"}\"; no block is open here"},
      {{{"/m", "include a b;"}}, "/m:1:1: error: unknown directive \"include\""},
      {{{"/m", "include: [a]"}},
       "/m:1:10: error: include: one name of a file or pattern is wanted"},
      {{{"/m", "include: /none"}},
       "/m:1:10: error: include: cannot read \"/none\": No such file or directory"},
      {{{"/m", "include: /m"}},
       "/m:1:10: error: include: \"/m\" includes itself; remove one of the two"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.files.begin()->second);
    CHECK(load_problems("/m", c.files) == c.want);
  }
}

TEST_CASE("files that include each other are bounded") {
  Files chain;
  for (int i = 0; i < 40; ++i) {
    chain["/" + std::to_string(i)] = "include /" + std::to_string(i + 1) + ";";
  }
  CHECK(load_problems("/0", chain) ==
        "/20:1:1: error: include: files include each other more than 20 deep");
  Files tree;
  for (int i = 0; i < 19; ++i) {
    const std::string next = "include /" + std::to_string(i + 1) + ";";
    tree["/" + std::to_string(i)] = next + next + next;
  }
  tree["/19"] = "";
  CHECK(load_problems("/0", tree).find("more than 2000 files") != std::string::npos);
}

TEST_CASE("YAML") {
  const Files files = {
      {"/e/m", "include: d/*.yaml\nservers:\n  - include: s.yaml\n    listen: 81\n"},
      {"/e/d/a.yaml", "upstreams: {app: {servers: [x]}}"},
      {"/e/s.yaml", "server_name: a.org\n"}};
  const auto result = weir::config::load("/e/m", options(files));
  CHECK(problems(result) == "");
  REQUIRE(result.model);
  CHECK(result.model->upstreams.size() == 1);
  CHECK(result.model->servers[0]->primary_name == "a.org");
}

TEST_CASE("the samples load") {
  for (const char* name : {"weir.conf", "weir.yaml"}) {
    CAPTURE(name);
    const auto result = weir::config::load(std::string(WEIR_TEST_DATA) + "/../config/" + name, {});
    CHECK(problems(result) == "");
    CHECK(result.model);
  }
}
