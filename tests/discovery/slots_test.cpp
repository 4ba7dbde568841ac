#include "discovery/slots.h"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace weir;
using namespace weir::discovery;
using registry::NodeState;

constexpr std::size_t kSlots = registry::kSlots;

struct Fixture {
  ManualClock clock;
  Slots slots{std::chrono::minutes{10}};
  Reading reading;

  void set(std::size_t id, const std::string& addr, NodeState state = NodeState::ready,
           const std::string& mode = "", std::uint64_t since = 0) {
    auto& slot = reading[id];
    slot = {};
    slot.kind = SlotReading::Kind::node;
    slot.node.addr = addr;
    slot.node.state = state;
    slot.node.mode = mode;
    slot.node.since = since;
    slot.where.host = addr.substr(0, addr.find(':'));
  }
  void clear(std::size_t id) { reading[id] = {}; }
  bool take() { return slots.take(reading, clock.now()); }
  std::string shown() const {
    std::string out;
    for (std::size_t i = 0; i < kSlots; ++i) {
      const auto& slot = slots.list()[i];
      if (!slot) continue;
      out += (out.empty() ? "" : ", ") + std::to_string(i) + " " + slot->node.addr + " " +
             to_string(slot->presence) + (slot->newcomer ? " new" : "");
    }
    return out;
  }
};

TEST_CASE_FIXTURE(Fixture, "nodes are in the slots of their numbers") {
  set(3, "a:1");
  set(0, "b:1");
  CHECK(take());
  CHECK(shown() == "0 b:1 serving, 3 a:1 serving");
  CHECK(slots.serving() == 2);
  CHECK_FALSE(take());
}

TEST_CASE_FIXTURE(Fixture, "who comes after the first list is a newcomer, and stays one") {
  set(0, "a:1");
  CHECK(take());
  set(1, "b:1");
  CHECK(take());
  CHECK(shown() == "0 a:1 serving, 1 b:1 serving new");
  CHECK_FALSE(take());
}

TEST_CASE_FIXTURE(Fixture, "an empty first list is a list") {
  CHECK_FALSE(take());
  CHECK(slots.known());
  set(1, "b:1");
  CHECK(take());
  CHECK(shown() == "1 b:1 serving new");
}

TEST_CASE_FIXTURE(Fixture, "states and modes") {
  set(0, "a:1", NodeState::ready, "!");
  set(1, "b:1", NodeState::starting);
  set(2, "c:1", NodeState::draining);
  set(3, "d:1", NodeState::ready, "*");
  CHECK(take());
  CHECK(shown() ==
        "0 a:1 serving, 1 b:1 starting, 2 c:1 draining, 3 d:1 its mode serves no requests");
  set(1, "b:1", NodeState::ready);
  CHECK(take());
  CHECK(slots.list()[1]->newcomer);
}

TEST_CASE_FIXTURE(Fixture, "who is gone is remembered for a time") {
  set(0, "a:1");
  set(1, "b:1");
  CHECK(take());
  clear(1);
  CHECK(take());
  CHECK(shown() == "0 a:1 serving, 1 b:1 vanished");
  clock.advance(std::chrono::minutes{9});
  CHECK_FALSE(take());
  clock.advance(std::chrono::minutes{1});
  CHECK(take());
  CHECK(shown() == "0 a:1 serving");
}

TEST_CASE_FIXTURE(Fixture, "who comes back serves again, after a check") {
  set(0, "a:1");
  set(1, "b:1");
  CHECK(take());
  clear(1);
  CHECK(take());
  set(1, "b:1");
  CHECK(take());
  CHECK(shown() == "0 a:1 serving, 1 b:1 serving new");
}

TEST_CASE_FIXTURE(Fixture, "another node in the slot is another peer") {
  set(0, "a:1");
  CHECK(take());
  set(0, "b:1");
  CHECK(take());
  CHECK(shown() == "0 b:1 serving new");
}

TEST_CASE_FIXTURE(Fixture, "a slot that cannot be read stays as it is") {
  set(0, "a:1");
  CHECK(take());
  clear(0);
  reading[0].kind = SlotReading::Kind::unreadable;
  reading[1].kind = SlotReading::Kind::unreadable;
  CHECK_FALSE(take());
  CHECK(shown() == "0 a:1 serving");
}

TEST_CASE_FIXTURE(Fixture, "that all are gone at once is believed when it lasts") {
  set(0, "a:1");
  set(1, "b:1");
  CHECK(take());
  clear(0);
  clear(1);
  CHECK_FALSE(take());
  CHECK(slots.doubted_since());
  CHECK(shown() == "0 a:1 serving, 1 b:1 serving");
  clock.advance(Slots::kConfirm - Duration{1});
  CHECK_FALSE(take());
  clock.advance(Duration{1});
  CHECK(take());
  CHECK_FALSE(slots.doubted_since());
  CHECK(shown() == "0 a:1 vanished, 1 b:1 vanished");
}

TEST_CASE_FIXTURE(Fixture, "nodes that are held come back one by one, as they were") {
  set(0, "a:1");
  set(1, "b:1");
  CHECK(take());
  const auto full = reading;
  clear(0);
  clear(1);
  CHECK_FALSE(take());
  clock.advance(Slots::kConfirm - Duration{1});
  reading[0] = full[0];
  CHECK_FALSE(take());
  CHECK(slots.doubted_since());
  CHECK(shown() == "0 a:1 serving, 1 b:1 serving");
  SUBCASE("all of them") {
    reading[1] = full[1];
    CHECK_FALSE(take());
    CHECK_FALSE(slots.doubted_since());
    CHECK(shown() == "0 a:1 serving, 1 b:1 serving");
  }
  SUBCASE("but one, who is gone in the end") {
    clock.advance(Duration{1});
    CHECK(take());
    CHECK_FALSE(slots.doubted_since());
    CHECK(shown() == "0 a:1 serving, 1 b:1 vanished");
  }
}

TEST_CASE_FIXTURE(Fixture, "that most are gone at once is believed when it lasts, whoever comes") {
  struct Row {
    const char* before;  // by slot: r(eady), s(tarting), d(raining), - nobody
    const char* after;
    bool doubted;
  };
  const Row rows[] = {
      {"r---", "-s--", true},  {"r---", "-r--", true},  {"rr--", "--r-", true},
      {"rr--", "r---", false}, {"rrr-", "r---", true},  {"rrr-", "rr--", false},
      {"rrr-", "r--r", true},  {"rrrr", "rr--", false}, {"rrrr", "rd--", true},
      {"rr--", "dd--", false}, {"ss--", "----", false}, {"----", "r---", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.before);
    CAPTURE(row.after);
    Fixture each;
    for (const auto* states : {row.before, row.after}) {
      for (std::size_t i = 0; i < 4; ++i) {
        each.clear(i);
        const auto state = states[i] == 'r'   ? NodeState::ready
                           : states[i] == 's' ? NodeState::starting
                                              : NodeState::draining;
        if (states[i] != '-') each.set(i, std::string(1, static_cast<char>('a' + i)) + ":1", state);
      }
      each.take();
    }
    CHECK(each.slots.doubted_since().has_value() == row.doubted);
  }
}

TEST_CASE_FIXTURE(Fixture, "nodes that say goodbye are believed at once, the last one, too") {
  set(0, "a:1");
  CHECK(take());
  set(0, "a:1", NodeState::draining);
  CHECK(take());
  CHECK(slots.serving() == 0);
  clear(0);
  CHECK(take());
  CHECK(shown() == "0 a:1 vanished");
}

TEST_CASE_FIXTURE(Fixture, "an address that comes back under another number counts once") {
  set(0, "a:1", NodeState::ready, "", 100);
  set(1, "b:1", NodeState::ready, "", 100);
  CHECK(take());
  set(2, "a:1", NodeState::ready, "", 200);
  CHECK(take());
  CHECK(shown() == "0 a:1 another slot has its address, 1 b:1 serving, 2 a:1 serving new");
  CHECK_FALSE(take());
  clear(0);
  CHECK(take());
  CHECK(shown() == "0 a:1 vanished, 1 b:1 serving, 2 a:1 serving new");
}

TEST_CASE_FIXTURE(Fixture, "nothing is kept where nothing is to be remembered") {
  slots.set_forget(Duration{0});
  set(0, "a:1");
  set(1, "b:1");
  CHECK(take());
  clear(1);
  CHECK(take());
  CHECK(shown() == "0 a:1 serving");
}

}  // namespace
