// A compiled regular expression (PCRE2, as nginx's). Immutable after construction: shared between
// threads; match data belongs to the calling thread. Match and depth limits bound the cost of
// hostile subjects.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::config {

class Regex {
 public:
  // On a bad pattern returns null and says in `error` what is wrong and at which offset.
  static std::shared_ptr<const Regex> compile(std::string_view pattern, bool caseless,
                                              std::string& error);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  // Offsets of the whole match and its groups into the subject; {npos, npos}: not set.
  using Captures = std::vector<std::pair<std::size_t, std::size_t>>;

  // Whether `subject` matches. `captures` may be null. A subject that exceeds the match limit
  // does not match.
  [[nodiscard]] bool match(std::string_view subject, Captures* captures) const;
  // Named groups: name and group number.
  [[nodiscard]] const std::vector<std::pair<std::string, std::uint32_t>>& names() const {
    return names_;
  }
  [[nodiscard]] std::uint32_t groups() const { return groups_; }
  // As written.
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool caseless() const { return caseless_; }

 private:
  Regex() = default;
  void* code_ = nullptr;
  std::string text_;
  bool caseless_ = false;
  std::uint32_t groups_ = 0;
  std::vector<std::pair<std::string, std::uint32_t>> names_;
};

}  // namespace weir::config
