// `registry`: what is accepted, what it means, and what the operator is told of mistakes.
#include "support.h"

using namespace weir::config;
using namespace weir::config::testing;

namespace {

std::string printed(const std::string& line) {
  const auto text = model_of("upstream a { registry " + line + "; } server { }");
  const auto at = text.find("registry ");
  return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

}  // namespace

TEST_CASE("a registry alone is enough for an upstream, and its password is not shown") {
  CHECK(printed("redis://:secret@127.0.0.1/4 app=main") ==
        "registry redis://:***@127.0.0.1:6379/4 app=main form=weir key= detail= "
        "channel=weir:{main}:events name= forget=600s poll=1s fail_timeout=10s max_conns=0 "
        "slow_start=0s");
  CHECK(printed("unix:///run/r.sock app=main forget=5s poll=200ms max_fails=3 fail_timeout=20s "
                "max_conns=7 slow_start=1m")
            .ends_with("forget=5s poll=200ms max_fails=3 fail_timeout=20s max_conns=7 "
                       "slow_start=60s"));
}

TEST_CASE("foreign layouts") {
  CHECK(printed("redis://h \"key=n:{id}\"").find("form=text key=n:{id} detail= ") !=
        std::string::npos);
  CHECK(printed("redis://h \"key=n:{id}\" field=addr channel=c")
            .find("form=field key=n:{id} detail=addr channel=c") != std::string::npos);
  CHECK(printed("redis://h \"key=n:{id}\" pointer=/a/b")
            .find("form=pointer key=n:{id} detail=/a/b") != std::string::npos);
  CHECK(printed("redis://h \"key=n:{id}\" \"address=n-{id}.x:80\"")
            .find("form=address key=n:{id} detail=n-{id}.x:80") != std::string::npos);
}

TEST_CASE("mistakes in a registry are told of, without the password") {
  struct Case {
    const char* line;
    const char* want;
  };
  const Case cases[] = {
      {"redis://h",
       "error: registry: app=NAME is missing; or give key=PATTERN for a foreign "
       "layout"},
      {"http://:hunter2@h app=a",
       "error: registry: invalid URL: it must begin with redis://, rediss://, unix://, "
       "redis+sentinel:// or rediss+sentinel://"},
      {"redis://h app=a \"key=b:{id}\"",
       "error: registry: app is for weir's own layout, key for a foreign one; leave one out"},
      {"redis://h \"app={a}\"",
       "error: registry: invalid name \"{a}\"; use up to 64 letters, "
       "digits, - . and _"},
      {"redis://h key=b",
       "error: registry: there is no {id} in \"b\"; write it where the number of the slot "
       "stands"},
      {"redis://h app=a field=x", "error: registry: goes with key=PATTERN only"},
      {"redis://h app=a channel=x", "error: registry: channel goes with key=PATTERN only"},
      {"redis://h \"key=b:{id}\" field=x pointer=/y",
       "error: registry: only one of field, pointer and address can be given"},
      {"redis://h \"key=b:{id}\" pointer=y",
       "error: registry: a JSON pointer begins with /, such as /addr"},
      {"redis://h app=a poll=10ms", "error: registry: poll must be 100ms or more"},
      {"redis://h app=a name=x", "error: registry: ca, name and verify are for rediss://"},
      {"redis://h app=a ap=x", "error: registry: unknown parameter \"ap=x\""},
  };
  for (const auto& c : cases) {
    const auto problems = problems_of("upstream a { registry " + std::string(c.line) + "; }");
    CAPTURE(problems);
    CHECK(problems.find(c.want) != std::string::npos);
    CHECK(problems.find("hunter2") == std::string::npos);
  }
}
