#include "proxy/end_code.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace weir;
using namespace weir::proxy;

namespace {

std::string letters(Errc what, Phase phase) {
  const auto code = EndCode{end_cause(what), phase}.letters();
  return {code.data(), code.size()};
}

}  // namespace

TEST_CASE("letters are told apart") {
  std::set<char> causes;
  for (const auto& row : kEndCauses) CHECK(causes.insert(row.letter).second);
  std::set<char> phases;
  for (const auto& row : kPhases) CHECK(phases.insert(row.letter).second);
}

TEST_CASE("the end code tells what ended a request, and in which phase") {
  struct Row {
    Errc what;
    Phase phase;
    const char* code;
  };
  const Row rows[] = {{Errc::ok, Phase::done, "--"},
                      {Errc::ok, Phase::answer, "--"},
                      {Errc::client_closed, Phase::answer, "CA"},
                      {Errc::client_timed_out, Phase::head, "cH"},
                      {Errc::client_write_stalled, Phase::answer, "cA"},
                      {Errc::connect_failed, Phase::connect, "PC"},
                      {Errc::connect_timed_out, Phase::connect, "pC"},
                      {Errc::peer_read_timed_out, Phase::send, "pS"},
                      {Errc::peer_truncated, Phase::answer, "PA"},
                      {Errc::no_live_peers, Phase::balance, "PQ"},
                      {Errc::shutting_down, Phase::tunnel, "WT"},
                      {Errc::maintenance, Phase::balance, "WQ"},
                      {Errc::local_resources, Phase::connect, "WC"}};
  for (const auto& row : rows) CHECK(letters(row.what, row.phase) == row.code);
}
