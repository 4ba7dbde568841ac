// Arguments of directives as numbers, sizes, times, words and bits, and handlers made of them for
// settings that need no more. Used by the compiler's own thread while it loads.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "config/compiler.h"
#include "config/suggest.h"
#include "config/text.h"
#include "config/units.h"

namespace weir::config {

// All of them report what is wrong, and then return nullopt.
[[nodiscard]] std::optional<Duration> time_argument(const Call& call, const Argument& argument);
// Whole seconds.
[[nodiscard]] std::optional<std::chrono::seconds> seconds_argument(const Call& call,
                                                                   const Argument& argument);
// Bytes.
[[nodiscard]] std::optional<std::uint64_t> size_argument(const Call& call,
                                                         const Argument& argument);
[[nodiscard]] std::optional<std::uint32_t> number_argument(const Call& call,
                                                           const Argument& argument,
                                                           std::uint32_t least,
                                                           std::uint32_t greatest);
// "10.0.0.0/8", "::1", "unix:"; bits behind the prefix are warned of.
[[nodiscard]] std::optional<Cidr> network_argument(const Call& call, const Argument& argument);
// A size, or a text with variables in it; a constant becomes its number of bytes.
[[nodiscard]] std::optional<Value> size_value_argument(const Call& call, const Argument& argument);
// A path with variables; what does not begin with one is made absolute, below the prefix.
[[nodiscard]] std::optional<Value> path_argument(const Call& call, const Argument& argument);
// NAME=VALUE's value as an argument of its own.
[[nodiscard]] Argument value_of(const Parameter& parameter);
// `on` or `off` as the value of a parameter.
[[nodiscard]] std::optional<bool> on_off(const Call& call, const Parameter& parameter);

// A word of a directive and what it stands for. Words have no case, as in nginx.
template <class T>
struct Word {
  std::string_view text;
  T value;
};

namespace detail {
[[nodiscard]] bool same_word(std::string_view a, std::string_view b);
// "; use a, b or c".
[[nodiscard]] std::string choice(const std::vector<std::string_view>& words);
}  // namespace detail

template <class T, std::size_t N>
[[nodiscard]] std::optional<T> word_argument(const Call& call, const Argument& argument,
                                             const std::array<Word<T>, N>& words) {
  std::vector<std::string_view> known;
  for (const auto& word : words) {
    if (detail::same_word(word.text, argument.text)) return word.value;
    known.push_back(word.text);
  }
  call.error(argument, "invalid value " + quote(argument.text) + detail::choice(known));
  return std::nullopt;
}

// Bits of all the arguments, on top of `bits`.
template <std::size_t N>
[[nodiscard]] std::uint32_t bit_arguments(const Call& call,
                                          const std::array<Word<std::uint32_t>, N>& words,
                                          std::uint32_t bits) {
  std::vector<std::string_view> known;
  for (const auto& word : words) known.push_back(word.text);
  std::uint32_t given = 0;
  for (const auto& argument : call.directive.args) {
    const Word<std::uint32_t>* found = nullptr;
    for (const auto& word : words) {
      if (detail::same_word(word.text, argument.text)) found = &word;
    }
    if (found == nullptr) {
      const auto near = did_you_mean(argument.text, known);
      call.error(argument, "unknown word " + quote(argument.text) +
                               (near.empty() ? detail::choice(known) : near));
      continue;
    }
    if ((given & found->value) != 0) call.warning(quote(argument.text) + " is given twice");
    given |= found->value;
  }
  return bits | given;
}

// ---- handlers ------------------------------------------------------------------------------

// By a function that takes the setting.
template <auto Member, auto Set>
void set_with(const Call& call) {
  Set(call, call.scope.settings->*Member);
}
template <auto Member>
void set_time(const Call& call) {
  if (const auto time = time_argument(call, call.arg(0))) call.scope.settings->*Member = *time;
}
template <auto Member>
void set_size(const Call& call) {
  if (const auto size = size_argument(call, call.arg(0))) call.scope.settings->*Member = *size;
}
template <auto Member, std::uint32_t Least = 0, std::uint32_t Greatest = 0x7fffffff>
void set_number(const Call& call) {
  const auto number = number_argument(call, call.arg(0), Least, Greatest);
  if (number) call.scope.settings->*Member = *number;
}
template <auto Member>
void set_text(const Call& call) {
  call.scope.settings->*Member = call.arg(0).text;
}
// Text with variables.
template <auto Member>
void set_value(const Call& call) {
  if (auto value = call.compiler.value(call, call.arg(0))) {
    call.scope.settings->*Member = std::move(*value);
  }
}
// The same; the word `off` alone is no text.
template <auto Member>
void set_value_or_off(const Call& call) {
  if (call.arg(0).text == "off") {
    (call.scope.settings->*Member).emplace();
  } else {
    set_value<Member>(call);
  }
}
// Bytes, or a text with variables that gives them.
template <auto Member>
void set_size_value(const Call& call) {
  if (auto value = size_value_argument(call, call.arg(0))) {
    call.scope.settings->*Member = std::move(*value);
  }
}
// The argument was checked to be `on` or `off`.
template <auto Member>
void set_flag(const Call& call) {
  call.scope.settings->*Member = lower(call.arg(0).text) == "on";
}
template <auto Member, const auto& Words>
void set_word(const Call& call) {
  if (const auto value = word_argument(call, call.arg(0), Words)) {
    call.scope.settings->*Member = *value;
  }
}
// Several of these directives in a block add up, as in nginx.
template <auto Member, const auto& Words>
void set_bits(const Call& call) {
  auto& setting = call.scope.settings->*Member;
  setting = bit_arguments(call, Words, setting.value_or(0));
}
// A list of texts with variables; several directives add up.
template <auto Member>
void add_values(const Call& call) {
  auto& list = call.scope.settings->*Member;
  if (!list) list.emplace();
  for (const auto& argument : call.directive.args) {
    if (auto value = call.compiler.value(call, argument)) list->push_back(std::move(*value));
  }
}
// Media types besides text/html; several directives add up.
void add_types(const Call& call, std::optional<TypeSet>& setting);
template <auto Member>
void set_types(const Call& call) {
  add_types(call, call.scope.settings->*Member);
}
// PATH [LEVEL [LEVEL [LEVEL]]]: the levels of folders mean nothing to weir.
void set_folder(const Call& call, std::optional<std::string>& setting);
template <auto Member>
void set_temp_path(const Call& call) {
  set_folder(call, call.scope.settings->*Member);
}

}  // namespace weir::config
