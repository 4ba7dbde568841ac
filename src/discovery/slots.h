// The 32 slots of a node registry as weir remembers them: who is there, who was, and what is to be
// believed of a reading. Decisions take `now` and do no I/O. One thread.
//
// * A node that is gone keeps its slot, as "vanished", for `forget`.
// * A slot that cannot be read stays as it is.
// * A reading in which most of the serving nodes are gone at once, although nobody said goodbye, is
//   not believed at once: a flushed or newly promoted Redis is empty, too. Who is missed then is
//   held until he is there again, or until kConfirm is over, in which living nodes write themselves
//   in.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/upstream_config.h"
#include "registry/layout.h"

namespace weir::discovery {

// What was read of one slot.
struct SlotReading {
  enum class Kind : std::uint8_t { absent, node, unreadable };
  Kind kind = Kind::absent;
  registry::NodeRecord node;
  config::HostPort where;  // of node.addr
  std::string error;       // of an unreadable one
};
using Reading = std::array<SlotReading, registry::kSlots>;

enum class Presence : std::uint8_t {
  serving,
  starting,    // is there, and not ready
  draining,    // is about to go
  other_mode,  // serves no requests
  superseded,  // a younger node has the same address
  vanished,    // was there
};
[[nodiscard]] const char* to_string(Presence presence);

struct Slot {
  registry::NodeRecord node;
  config::HostPort where;
  Presence presence = Presence::serving;
  // It came, or began to serve, when weir knew others already: it shall pass a check first.
  bool newcomer = false;
  TimePoint since{};  // of the presence
};

class Slots {
 public:
  static constexpr Duration kConfirm{30'000};  // two leases

  explicit Slots(Duration forget) : forget_(forget) {}
  // True: peers are others than before.
  bool take(const Reading& reading, TimePoint now);
  void set_forget(Duration forget) { forget_ = forget; }

  // By number; nullopt: nobody is known there.
  using List = std::array<std::optional<Slot>, registry::kSlots>;
  [[nodiscard]] const List& list() const { return list_; }
  [[nodiscard]] std::size_t serving() const;
  // Something was read, be it nothing.
  [[nodiscard]] bool known() const { return known_; }
  // Since when nodes are held that went all at once; nullopt: none is.
  [[nodiscard]] std::optional<TimePoint> doubted_since() const { return doubted_since_; }

 private:
  [[nodiscard]] List apply(const Reading& reading, TimePoint now) const;
  void compare(const std::optional<Slot>& before, Slot& slot, TimePoint now) const;
  static void supersede(List& list);
  [[nodiscard]] bool is_doubtful(const List& next) const;
  [[nodiscard]] bool hold(List& next);

  Duration forget_;
  List list_;
  bool known_ = false;
  std::optional<TimePoint> doubted_since_;
  std::array<bool, registry::kSlots> held_{};
};

}  // namespace weir::discovery
