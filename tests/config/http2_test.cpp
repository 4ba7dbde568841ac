// HTTP/2 in both syntaxes: what is set, what is warned of, what is refused.
#include "mistakes.h"

using namespace weir::config;
using namespace weir::config::testing;

namespace {

const ServerConfig& server_of(const LoadResult& result) {
  REQUIRE(result.model);
  return *result.model->servers.at(0);
}

}  // namespace

TEST_CASE("HTTP/2 is set alike in both syntaxes") {
  for (const auto* text :
       {"server { listen 80; http2 on; http2_max_concurrent_streams 5; http2_chunk_size 4k; "
        "http2_body_preread_size 1m; http2_flood_limit 70; }",
        "servers:\n"
        "  - {listen: 80, http2: true, http2_max_concurrent_streams: 5, http2_chunk_size: 4k,\n"
        "     http2_body_preread_size: 1m, http2_flood_limit: 70}\n"}) {
    CAPTURE(std::string(text));
    const auto result = load_text("t", text, options());
    CHECK(problems(result).empty());
    const auto& request = server_of(result).root->request;
    CHECK(request.http2);
    CHECK(request.http2_max_concurrent_streams == 5);
    CHECK(request.http2_chunk_size == 4096);
    CHECK(request.http2_body_preread_size == 1 << 20);
    CHECK(request.http2_flood_limit == 70);
  }
}

TEST_CASE("HTTP/2 is off unless it is asked for") {
  const auto result = load_text("t", "server { listen 80; }", options());
  CHECK_FALSE(server_of(result).root->request.http2);
  CHECK_FALSE(server_of(result).listens.at(0).http2);
}

TEST_CASE("listen http2 is for all servers of the address, and deprecated") {
  const auto result =
      load_text("t", "server { listen 80; } server { listen 80 http2; server_name b; }", options());
  CHECK(problems(result) ==
        "t:1:32: warning: listen: \"listen ... http2\" is deprecated; use \"http2 on\" instead");
  CHECK(server_of(result).listens.at(0).http2);
}

TEST_CASE("mistakes about HTTP/2 are told") {
  check({
      {"server { listen 80; http2 maybe; }",
       "t:1:27: error: http2: invalid value \"maybe\"; use on or off"},
      {"server { listen 80; http2_chunk_size 0; }",
       "t:1:38: error: http2_chunk_size: a frame must have a byte at least"},
      {"server { listen 80; http2_chunk_size 1m; }",
       "t:1:21: warning: http2_chunk_size: frames are no greater than 16k"},
      {"server { listen 80; http2_body_preread_size 4g; }",
       "t:1:45: error: http2_body_preread_size: the window must be below 2g"},
      {"server { listen 80; http2_idle_timeout 3m; }",
       "t:1:21: warning: http2_idle_timeout: it is obsolete; use keepalive_timeout instead"},
      {"server { listen 80; http2_push_preload on; }",
       "t:1:21: warning: http2_push_preload: it is obsolete: nothing is pushed to clients; "
       "remove it"},
  });
}
