#include "discovery/places.h"

#include <doctest/doctest.h>

#include <string>

namespace weir::discovery {
namespace {

using std::chrono::minutes;

std::vector<IpAddress> addresses(const std::string& digits) {
  std::vector<IpAddress> out;
  for (const char c : digits) out.push_back(*IpAddress::parse(std::string("10.0.0.") + c));
  return out;
}

TimePoint at(int minute) { return TimePoint{minutes{100 + minute}}; }

}  // namespace

TEST_CASE("places of addresses that come and go") {
  struct Step {
    int minute;
    const char* found;
    const char* want;  // last digits in their places; a vanished one is in brackets
  };
  struct Row {
    const char* name;
    std::vector<Step> steps;
  };
  const Row rows[] = {
      {"nothing changes", {{0, "123", "123"}, {5, "123", "123"}}},
      {"one vanishes, and comes back", {{0, "123", "123"}, {1, "13", "1(2)3"}, {2, "123", "123"}}},
      {"one vanishes for good",
       {{0, "123", "123"}, {1, "13", "1(2)3"}, {10, "13", "1(2)3"}, {11, "13", "13"}}},
      {"a new one takes the place of the old", {{0, "123", "123"}, {1, "134", "143"}}},
      {"a new one beside all the others", {{0, "24", "24"}, {1, "1234", "2413"}}},
      {"two go, one comes",
       {{0, "123", "123"}, {1, "3", "(1)(2)3"}, {2, "34", "4(2)3"}, {12, "34", "43"}}},
      {"away once more: the time begins anew",
       {{0, "12", "12"},
        {1, "1", "1(2)"},
        {8, "12", "12"},
        {9, "1", "1(2)"},
        {18, "1", "1(2)"},
        {19, "1", "1"}}},
      {"a container that was restarted", {{0, "1", "1"}, {1, "2", "2"}, {2, "3", "3"}}},
  };
  for (const Row& row : rows) {
    Places places;
    CAPTURE(row.name);
    for (const Step& step : row.steps) {
      std::string got;
      for (const auto& place :
           places.arrange("line", addresses(step.found), minutes{10}, at(step.minute))) {
        const std::string digit(1, place.address.host_text().back());
        got += place.vanished ? "(" + digit + ")" : digit;
      }
      CAPTURE(step.minute);
      CHECK(got == step.want);
    }
  }
}

TEST_CASE("when the next one is forgotten") {
  Places places;
  CHECK(places.next_forgotten() == TimePoint::max());
  static_cast<void>(places.arrange("a", addresses("12"), minutes{10}, at(0)));
  CHECK(places.next_forgotten() == TimePoint::max());
  static_cast<void>(places.arrange("a", addresses("1"), minutes{10}, at(1)));
  static_cast<void>(places.arrange("b", addresses("12"), minutes{3}, at(1)));
  CHECK(places.next_forgotten() == at(11));
  static_cast<void>(places.arrange("b", addresses("1"), minutes{3}, at(2)));
  CHECK(places.next_forgotten() == at(5));
}

TEST_CASE("lines do not share places") {
  Places places;
  static_cast<void>(places.arrange("a", addresses("12"), minutes{10}, at(0)));
  CHECK(places.arrange("b", addresses("2"), minutes{10}, at(0)).size() == 1);
}

}  // namespace weir::discovery
