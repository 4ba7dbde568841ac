// nginx's charset filter: which charset an answer is declared in, and recoding between the two
// charsets of a `charset_map`. The maps are filled while a configuration is compiled and read by
// all workers after; a Recoder belongs to one answer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "content/type_set.h"

namespace weir::content {

// One `charset_map`, both ways. The second charset may be UTF-8, the first may not.
class CharsetMap {
 public:
  CharsetMap(std::string_view first, std::string_view second);

  // A line of the block, as written: hexadecimal, "80" and "D0B0" for UTF-8 or "80" and "E1".
  // False: not hexadecimal, too large, or no UTF-8 of two or three bytes.
  [[nodiscard]] bool add(std::string_view first, std::string_view second);

  [[nodiscard]] const std::string& first() const { return first_; }
  [[nodiscard]] const std::string& second() const { return second_; }
  [[nodiscard]] bool has_utf8() const { return has_utf8_; }

 private:
  friend class Recoder;
  struct Bytes {
    std::uint8_t size = 1;
    std::array<char, 3> text{'?'};
  };

  std::string first_;
  std::string second_;
  bool has_utf8_;
  std::array<Bytes, 256> to_second_;
  std::array<char, 256> to_first_{};  // without UTF-8
  // With UTF-8, for characters below 0x10000: a page of 256 by the upper byte; '\0': none.
  std::array<std::unique_ptr<std::array<char, 256>>, 256> pages_;
};

// The way between two charsets; null: there is none.
struct Recoding {
  std::shared_ptr<const CharsetMap> map;
  bool to_second = true;
  [[nodiscard]] explicit operator bool() const { return map != nullptr; }
};

// All charsets of a configuration. Names are the same in any case.
class Charsets {
 public:
  enum class Outcome : std::uint8_t {
    ok,
    same,        // an error: a map between a charset and itself
    utf8_first,  // an error: UTF-8 belongs into the second place
    duplicate,   // an error: there is a map between the two
  };
  [[nodiscard]] Outcome add(std::shared_ptr<const CharsetMap> map);
  // A charset that `charset`, `source_charset` or a map names.
  void declare(std::string_view name);

  [[nodiscard]] bool knows(std::string_view name) const;
  [[nodiscard]] Recoding find(std::string_view from, std::string_view to) const;

 private:
  std::vector<std::shared_ptr<const CharsetMap>> maps_;
  std::vector<std::string> names_;
};

// Recodes an answer while it passes. What the other charset does not have becomes '?', or
// "&#1092;" coming from UTF-8, where only what is no UTF-8 becomes '?'.
class Recoder {
 public:
  explicit Recoder(Recoding recoding) : recoding_(std::move(recoding)) {}

  // Appends what comes of `in`, but for half a character at its end. One that is never completed is
  // dropped.
  void write(std::string_view in, std::string& out);
  // Whether the length may change: then Content-Length has to go.
  [[nodiscard]] bool changes_length() const { return recoding_.map->has_utf8(); }

 private:
  void from_utf8(std::string_view in, std::string& out);

  Recoding recoding_;
  std::array<char, 4> half_{};
  std::size_t half_size_ = 0;
};

// What is decided about an answer.
struct CharsetQuestion {
  const Charsets* charsets = nullptr;
  const TypeSet* types = nullptr;                // `charset_types`
  std::optional<std::string_view> charset = {};  // `charset`, evaluated; nullopt: off
  std::optional<std::string_view> source = {};   // `source_charset`, evaluated; nullopt: off
  bool override_charset = false;                 // `override_charset`
  int status = 200;
  ContentType type = {};                       // of the answer
  bool encoded = false;                        // it has a Content-Encoding
  std::optional<std::string_view> accel = {};  // X-Accel-Charset of an upstream
};

struct CharsetDecision {
  enum class Action : std::uint8_t {
    leave,    // Content-Type as it is
    declare,  // Content-Type becomes `type.matched` and, if it is not empty, `charset`
    recode,   // the same, and the content is recoded
  };
  Action action = Action::leave;
  std::string_view charset = {};  // empty for redirects, which are not declared in any
  Recoding recoding = {};
  // For the log: there is no map between the charsets, or X-Accel-Charset is unknown.
  bool unmapped = false;
  bool unknown_accel = false;
};
[[nodiscard]] CharsetDecision decide_charset(const CharsetQuestion& question);

}  // namespace weir::content
