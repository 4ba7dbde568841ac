// Random numbers that nobody can foresee, from the kernel: for ids that an attacker must not guess.
#pragma once

#include <cstdint>
#include <functional>

namespace weir::net {

// Tests inject a sequence. Called by one thread.
using Random = std::function<std::uint64_t()>;

// getrandom(2), a few hundred bytes at a time. Throws std::system_error where the kernel has none.
[[nodiscard]] Random system_random();

}  // namespace weir::net
