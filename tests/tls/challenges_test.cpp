#include "tls/challenges.h"

#include <doctest/doctest.h>

#include "tls/context.h"

namespace weir::tls {
namespace {

TEST_CASE("answers are there while they are asked for") {
  Challenges challenges;
  const std::string path = std::string(Challenges::kPath) + "token";
  CHECK(challenges.answer(path).empty());
  challenges.set_answer("token", "token.thumb");
  CHECK(challenges.answer(path) == "token.thumb");
  CHECK(challenges.answer("/token").empty());
  CHECK(challenges.answer(path + "/x").empty());
  CHECK(challenges.answer(Challenges::kPath).empty());
  challenges.remove_answer("token");
  CHECK(challenges.answer(path).empty());
}

TEST_CASE("certificates are there for their names alone") {
  Challenges challenges;
  const auto context = std::make_shared<const Context>(Context::Side::server);
  CHECK(challenges.certificate("a.example") == nullptr);
  challenges.set_certificate("a.example", context);
  CHECK(challenges.certificate("a.example") == context);
  CHECK(challenges.certificate("b.example") == nullptr);
  challenges.remove_certificate("a.example");
  CHECK(challenges.certificate("a.example") == nullptr);
}

}  // namespace
}  // namespace weir::tls
