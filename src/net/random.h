// Random numbers that nobody can foresee, from the kernel: for ids that an attacker must not guess.
#pragma once

#include <cstdint>
#include <functional>

namespace weir::net {

// Tests inject a sequence. Called by one thread.
using Random = std::function<std::uint64_t()>;

// getrandom(2), a few hundred bytes at a time. Throws std::system_error where the kernel has none.
[[nodiscard]] Random system_random();

// A number below another one, or 0; for what need not be a secret. Called by one thread.
using RandomBelow = std::function<std::uint64_t(std::uint64_t below)>;

// Seeded by the system.
[[nodiscard]] RandomBelow pseudo_random();

}  // namespace weir::net
