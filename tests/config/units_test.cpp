#include "config/units.h"

#include <doctest/doctest.h>

#include <string>

#include "config/suggest.h"

using namespace weir;
using namespace weir::config;

TEST_CASE("times") {
  const struct {
    const char* text;
    long want;  // ms; -1: refused
  } cases[] = {
      {"0", 0},
      {"30", 30000},
      {"30s", 30000},
      {"500ms", 500},
      {"1m", 60000},
      {"1h30m", 5400000},
      {"1h 30m", 5400000},
      {"1d", 86400000},
      {"1w", 604800000},
      {"1M", 2592000000},
      {"1y", 31536000000},
      {"1m30", 90000},
      {"1s500ms", 1500},
      {"", -1},
      {"s", -1},
      {"-1", -1},
      {"1x", -1},
      {"30m1h", -1},
      {"1s1s", -1},
      {"1 30s", -1},
      {"1.5s", -1},
      {" 1s", -1},
      {"1ss", -1},
      {"99999999999", -1},
      {"100y", -1},
      {"18446744073709551616", -1},
      {"1ms5", 5001},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    const auto time = parse_time(c.text);
    CHECK((time ? time->count() : -1) == c.want);
  }
}

TEST_CASE("sizes") {
  const struct {
    const char* text;
    long want;  // -1: refused
  } cases[] = {{"0", 0},
               {"512", 512},
               {"16k", 16384},
               {"16K", 16384},
               {"1m", 1 << 20},
               {"1M", 1 << 20},
               {"2g", 2L << 30},
               {"2G", 2L << 30},
               {"", -1},
               {"k", -1},
               {"-1k", -1},
               {"1kb", -1},
               {"1.5m", -1},
               {"0x10", -1},
               {"9223372036854775807", INT64_MAX},
               {"9223372036854775808", -1},
               {"9223372036854775807k", -1}};
  for (const auto& c : cases) {
    CAPTURE(c.text);
    const auto size = parse_size(c.text);
    CHECK((size ? static_cast<long>(*size) : -1) == c.want);
  }
}

TEST_CASE("did you mean") {
  const std::string_view words[] = {"proxy_pass", "listen", "root", "ip_hash", "server"};
  const struct {
    const char* word;
    const char* want;
  } cases[] = {{"proxy_pas", "proxy_pass"},
               {"lisetn", "listen"},
               {"lsiten", "listen"},
               {"sever", "server"},
               {"iphash", "ip_hash"},
               {"xyz", ""},
               {"rt", ""},
               {"proxy-pass", "proxy_pass"},
               {"completely_else", ""}};
  for (const auto& c : cases) {
    CAPTURE(c.word);
    CHECK(nearest(c.word, words) == c.want);
  }
  CHECK(edit_distance("ab", "ba", 3) == 1);
  CHECK(edit_distance("kitten", "sitting", 5) == 3);
  CHECK(edit_distance("a", "abcdefg", 2) == 3);
}
