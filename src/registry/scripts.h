// The rules of the registry as scripts that Redis runs whole: no two processes ever see the same ID
// free. A key that is no hash is a foreign one, and its ID counts as held. Constant texts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "registry/resp.h"

namespace weir::registry {

// Fields of a node's record with their values, one after the other.
using Fields = std::vector<std::string>;

// Takes an ID: one that `instance` has already, else the one that `addr` had last, else the lowest
// free one. `patient`: while the earlier one is held by another instance at the same address, the
// answer is to wait. Answers: taken ID | wait ID MS | full (ID ADDR STATE INSTANCE)...
[[nodiscard]] std::string take_command(std::string_view app, const std::string& instance,
                                       const std::string& addr, Duration lease, bool patient,
                                       const Fields& fields);
// Renews the lease; with `changed` writes the fields, too; takes the ID back where the lease ran
// out and nobody has taken it. Answers: kept DRAINED | retaken DRAINED | held INSTANCE ADDR
[[nodiscard]] std::string keep_command(std::string_view app, std::size_t id,
                                       const std::string& instance, Duration lease, bool changed,
                                       const Fields& fields);
// Gives the ID back: 1, or 0 if another has it.
[[nodiscard]] std::string release_command(std::string_view app, std::size_t id,
                                          const std::string& instance);
// For operators, whoever holds the ID: 1, or 0 if nobody does.
[[nodiscard]] std::string drain_command(std::string_view app, std::size_t id, bool drain);
[[nodiscard]] std::string force_release_command(std::string_view app, std::size_t id);

}  // namespace weir::registry
