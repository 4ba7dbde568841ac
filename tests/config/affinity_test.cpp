// sticky, queue, and weir's own rules of an upstream: what they mean, and what is wrong with them.
#include "support.h"

using namespace weir::config::testing;

namespace {

std::string in_upstream(const std::string& text) {
  return model_of("defaults nginx; worker_processes 1; upstream a { server b; " + text + " }");
}

std::string in_yaml(const std::string& text) {
  return model_of("defaults: nginx\nworker_processes: 1\nupstreams: {a: {servers: [b], " + text +
                  "}}");
}

}  // namespace

TEST_CASE("rules of an upstream in both syntaxes") {
  const struct {
    std::string nginx;
    std::string yaml;
    std::string line;
  } rows[] = {
      {"sticky cookie srv_id expires=1h domain=.example.com httponly secure samesite=lax path=/;",
       "sticky: {kind: cookie, name: srv_id, expires: 1h, domain: .example.com, httponly: true, "
       "secure: true, samesite: lax, path: /}",
       "sticky cookie lookup=${cookie:srv_id} expires=3600s name=srv_id domain=.example.com "
       "samesite=lax path=/ httponly secure zone=:0 timeout=600000ms"},
      {"sticky cookie s expires=max;", "sticky: {kind: cookie, name: s, expires: max}",
       "expires=max"},
      {"sticky route $cookie_r $arg_r;", "sticky: [route, $cookie_r, $arg_r]",
       "sticky route lookup=${cookie:r} lookup=${arg:r} "},
      {"sticky learn create=$upstream_cookie_x lookup=$cookie_x zone=z:1m timeout=5m header;",
       "sticky: [learn, create=$upstream_cookie_x, lookup=$cookie_x, 'zone=z:1m', timeout=5m, "
       "header]",
       "sticky learn lookup=${cookie:x} create=${upstream_cookie:x} name= domain= samesite= path= "
       "zone=z:1048576 timeout=300000ms header"},
      {"hash $arg_k consistent bounded=150%;", "hash: [$arg_k, consistent, bounded=150%]",
       " hash consistent by ${arg:k} bounded=150"},
      {"hash $arg_k bounded=100;", "balance: [hash, $arg_k, bounded=100]",
       " hash by ${arg:k} bounded=100"},
      {"forget 1m;", "forget: 1m", "forget 60000ms"},
      {"queue 10 timeout=3s;", "queue: {size: 10, timeout: 3s}", "queue 10 timeout=3000ms"},
      {"queue 10;", "queue: 10", "queue 10 timeout=60000ms"},
      {"eject;", "eject: true",
       "eject fails=5 rate=50 requests=20 window=10000ms time=5000ms max=300000ms min_available=1"},
      {"eject fails=3 rate=20% requests=50 window=1m time=1s max=2m min_available=2;",
       "eject: {fails: 3, rate: 20%, requests: 50, window: 1m, time: 1s, max: 2m, min_available: "
       "2}",
       "eject fails=3 rate=20 requests=50 window=60000ms time=1000ms max=120000ms min_available=2"},
      {"retry_budget 30% least=5;", "retry_budget: {percent: 30%, least: 5}",
       "retry_budget 30 least=5"},
      {"retry_idempotency_key on;", "retry_idempotency_key: true", "retry_idempotency_key"},
      {"retry_safe /api/a \"~ :(list|get)$\";", "retry_safe: [/api/a, '~ :(list|get)$']",
       "retry_safe ~ :(list|get)$"},
      {"unavailable status=503 retry_after=5s;", "unavailable: {status: 503, retry_after: 5s}",
       "unavailable status=503 retry_after=5s"},
      {"fail_open on;", "fail_open: true", "fail_open"},
      {"profile nocobase;", "profile: nocobase", "profile nocobase"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.nginx);
    const auto model = in_upstream(row.nginx);
    CAPTURE(model);
    CHECK(model.find(row.line) != std::string::npos);
    CHECK(in_yaml(row.yaml) == model);
  }
}

TEST_CASE("parameters of a server") {
  const auto model = model_of(
      "upstream a { server b route=r1 slow_start=30s; server c drain; sticky route $arg_r; }");
  CHECK(model.find("peer b at b:80 weight=1 max_fails=1 fail_timeout=10s max_conns=0 route=r1 "
                   "slow_start=30000ms") != std::string::npos);
  CHECK(model.find(" drain") != std::string::npos);
}

TEST_CASE("the careful dialect ejects and keeps a budget, and counts no max_fails unless told") {
  const auto model = model_of("upstreams: {a: {servers: [b, {address: c, max_fails: 2}]}}");
  CHECK(model.find("eject fails=5") != std::string::npos);
  CHECK(model.find("retry_budget 20 least=3") != std::string::npos);
  CHECK(model.find("peer b at b:80 weight=1 max_fails=0") != std::string::npos);
  CHECK(model.find("peer c at c:80 weight=1 max_fails=2") != std::string::npos);
  const auto off = model_of("upstreams: {a: {servers: [b], eject: false, retry_budget: false}}");
  CHECK(off.find("eject fails") == std::string::npos);
  CHECK(off.find("retry_budget") == std::string::npos);
}

TEST_CASE("profile nocobase brings its check, unless there is one") {
  CHECK(in_upstream("profile nocobase;").find("/api/__health_check") != std::string::npos);
  CHECK(in_upstream("health_check interval=3s; profile nocobase;")
            .find("uri=/api/__health_check host= port=0 status=200-200,") != std::string::npos);
  CHECK(in_upstream("profile nocobase; health_check uri=/h;").find("/api/__health_check") ==
        std::string::npos);
  CHECK(in_upstream("profile nocobase; health_check off;").find("/api/__health_check") ==
        std::string::npos);
}

TEST_CASE("mistakes in rules of an upstream") {
  const struct {
    std::string text;
    std::string problem;
  } rows[] = {
      {"sticky cookie \"a b\";", "sticky: invalid name of a cookie: \"a b\""},
      {"sticky cookie s samesite=no;", "sticky: invalid samesite \"no\"; use strict, lax or none"},
      {"sticky cookie s sync;", "sticky: unknown parameter \"sync\""},
      {"sticky cookie s path=;", "sticky: path is empty; leave it out"},
      {"sticky cookie s domain=;", "sticky: domain is empty; leave it out"},
      {"unavailable;", "unavailable: "},
      {"sticky route x;", "sticky: invalid variable \"x\"; write $NAME"},
      {"sticky learn create=$a;", "sticky: "},
      {"sticky learn create=$arg_a lookup=$arg_a;", "sticky: learn needs zone=NAME:SIZE"},
      {"sticky learn create=$arg_a lookup=$arg_a zone=z:1k;",
       "sticky: the zone is too small; give it 32k or more"},
      {"sticky learn create=$arg_a lookup=$arg_a zone=z:1m timeout=0;",
       "sticky: timeout must not be 0"},
      {"sticky learn create=$arg_a lookup=$arg_a zone=z:1m sync=1s;",
       "sticky: sessions are not shared between machines; remove sync"},
      {"sticky hash x;", "sticky: unknown kind \"hash\"; use cookie, route or learn"},
      {"sticky cookie a; sticky cookie b;", "sticky: is duplicate; first at line 1"},
      {"queue 0;", "queue: invalid number \"0\"; it must be from 1 to"},
      {"queue 1 timeout=0;", "queue: timeout must not be 0"},
      {"eject off fails=2;", "eject: \"off\" stands alone"},
      {"eject rate=0%;", "eject: invalid number \"0\"; it must be from 1 to 100"},
      {"eject window=1ms;", "eject: must be 1s or more"},
      {"eject time=10m;", "eject: time is greater than max"},
      {"retry_budget 200%;", "retry_budget: invalid number \"200\"; it must be from 1 to 100"},
      {"retry_safe api;", "retry_safe: invalid path \"api\"; write /PREFIX or \"~ REGEX\""},
      {"unavailable status=200;", "unavailable: invalid number \"200\"; it must be from 400"},
      {"profile other;", "profile: unknown profile \"other\"; use nocobase"},
      {"ip_hash; server c slow_start=5s;",
       "server: slow_start does not go with ip_hash; use round robin, least_conn or least_time"},
      {"server c route=123456789012345678901234567890123; sticky route $arg_r;",
       "server: route must have 1 to 32 characters"},
      {"server c drain;", "warning: server: route and drain have a meaning only with sticky"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto problems = problems_of("upstream a { server b; " + row.text + " }");
    CAPTURE(problems);
    CHECK(problems.find(row.problem) != std::string::npos);
  }
}

TEST_CASE("forget has no meaning where all peers come from a registry") {
  const std::string warning = "warning: forget: is for the addresses of host names";
  CHECK(problems_of("upstream a { registry redis://h app=a; forget 1m; }").find(warning) !=
        std::string::npos);
  CHECK(
      problems_of("upstream a { registry redis://h app=a; server b; forget 1m; }").find(warning) ==
      std::string::npos);
}

TEST_CASE("a registry that is wrong is not a missing server") {
  const auto problems = problems_of("upstream a { registry http://h app=a; }");
  CHECK(problems.find("invalid URL") != std::string::npos);
  CHECK(problems.find("no servers") == std::string::npos);
}
