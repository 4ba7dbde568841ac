#include "acme/journal.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace weir::acme {
namespace {

constexpr std::string_view kHead =
    "# Orders that have failed. Without this file they are tried again at the next start.\n";
constexpr std::string_view kAccount = "account ";
constexpr std::string_view kOrder = "order ";

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

// The next word, or the rest of the line if there is no blank.
std::string_view take_word(std::string_view& line) {
  const auto end = std::min(line.find(' '), line.size());
  const auto word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

template <class Number>
std::optional<Number> number_of(std::string_view word) {
  Number value{};
  const auto* last = word.data() + word.size();
  const auto [end, error] = std::from_chars(word.data(), last, value);
  if (error != std::errc{} || end != last) return std::nullopt;
  return value;
}

void take_order(std::string_view line, Journal& journal) {
  const auto failures = number_of<std::uint32_t>(take_word(line));
  const auto next = number_of<std::int64_t>(take_word(line));
  const std::string name(take_word(line));
  constexpr std::int64_t kMost = std::int64_t{1} << 40;  // seconds: what a WallTime can hold
  if (!failures || *failures == 0 || !next || *next < 0 || *next > kMost || name.empty()) return;
  journal.attempts[name] = {*failures, WallTime{std::chrono::seconds{*next}}, std::string(line)};
}

}  // namespace

std::string to_text(const Journal& journal) {
  std::string out(kHead);
  out.append(kAccount).append(one_line(journal.account)).append("\n");
  for (const auto& [name, attempt] : journal.attempts) {
    const auto next = std::chrono::ceil<std::chrono::seconds>(attempt.next.time_since_epoch());
    out.append(kOrder).append(std::to_string(attempt.failures)).append(" ");
    out.append(std::to_string(next.count())).append(" ").append(name).append(" ");
    out.append(one_line(attempt.why)).append("\n");
  }
  return out;
}

Journal journal_of(std::string_view text) {
  Journal journal;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with(kAccount)) journal.account = line.substr(kAccount.size());
    if (line.starts_with(kOrder)) take_order(line.substr(kOrder.size()), journal);
  }
  return journal;
}

}  // namespace weir::acme
