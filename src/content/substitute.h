// nginx's `sub_filter`: texts replaced in an answer while it passes, in any case of ASCII letters.
// The patterns are immutable and shared; a Substituter belongs to one answer and one thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::content {

class SubstitutePatterns {
 public:
  // In the order of the directives; empty ones, which variables may come to, are left out.
  explicit SubstitutePatterns(const std::vector<std::string>& patterns);

  [[nodiscard]] bool empty() const { return patterns_.empty(); }

 private:
  friend class Substituter;
  struct Pattern {
    std::string text;   // lower-case
    std::size_t index;  // among those given
  };

  std::vector<Pattern> patterns_;
  std::size_t shortest_ = 0;
  std::size_t longest_ = 0;
  // By the byte in the last place that all patterns have: how far on the next match can begin; and
  // if that is 0, which patterns have this byte there.
  std::array<std::uint32_t, 256> shift_{};
  std::array<std::vector<std::uint32_t>, 256> candidates_;
};

class Substituter {
 public:
  // Appends what replaces the pattern with the index given; called once at most for each.
  using Replacement = std::function<void(std::size_t index, std::string& out)>;

  // `once`: each pattern is replaced where it comes first, and then no more.
  Substituter(std::shared_ptr<const SubstitutePatterns> patterns, bool once,
              Replacement replacement);

  // Appends what comes of `in`, but for a text at its end that could be the begin of a pattern:
  // less than the longest pattern. What begins first is replaced first, and of those that begin at
  // the same place the pattern that was given first. `last`: nothing follows.
  void write(std::string_view in, bool last, std::string& out);

 private:
  using Pattern = SubstitutePatterns::Pattern;
  enum class Fit : std::uint8_t { none, begins, full };

  // Looks for matches that begin before `stop`, writes all text up to there, and returns how far it
  // came: less than `stop` if a match may begin there of which `text` has not the end.
  std::size_t scan(std::string_view text, std::size_t stop, bool last, std::string& out);
  std::size_t scan_short_end(std::string_view text, std::size_t at, bool last) const;
  [[nodiscard]] Fit fit(std::string_view text, const Pattern& pattern) const;
  [[nodiscard]] bool is_spent(std::size_t pattern) const {
    return once_ && replaced_[pattern].has_value();
  }
  void append_replacement(std::size_t pattern, std::string& out);

  std::shared_ptr<const SubstitutePatterns> patterns_;
  bool once_;
  Replacement replacement_;
  std::vector<std::optional<std::string>> replaced_;  // by pattern
  std::size_t spent_ = 0;
  std::string held_;  // of the input before
};

}  // namespace weir::content
