#include "acme/journal.h"

#include <doctest/doctest.h>

namespace weir::acme {
namespace {

TEST_CASE("what is kept of failed orders is read as it was written") {
  Journal journal;
  journal.account = "https://ca.example/dir http mailto:a@a.example";
  journal.attempts["a.example-00000000.pem"] = {3, WallTime{std::chrono::seconds{1'800'000'000}},
                                                "the challenge failed:\nno answer"};
  journal.attempts["b.pem"] = {1, WallTime{std::chrono::seconds{5}}, ""};
  auto read = journal_of(to_text(journal));
  CHECK(read.attempts["a.example-00000000.pem"].why == "the challenge failed: no answer");
  read.attempts["a.example-00000000.pem"].why = "the challenge failed:\nno answer";
  CHECK(read == journal);
}

TEST_CASE("what is no journal is none") {
  for (const char* text :
       {"", "order", "order 1", "order 1 2", "order x 2 a", "order 0 2 a b", "order 1 -2 a b",
        "order 1 99999999999999999999 a b", "\n\n", "order 1 9000000000000000000 a b"}) {
    CAPTURE(text);
    CHECK(journal_of(text) == Journal{});
  }
  CHECK(journal_of("junk\norder 1 2 a why so\naccount x").attempts.at("a").why == "why so");
}

}  // namespace
}  // namespace weir::acme
