// Keeps lines that say the same over and over from filling the error log: of those with one cause a
// number is written in a while, and how many were left out is said when the while is over.
//
// The cause is how the text begins, up to a quote, a digit or a parenthesis, with the error number
// at its end, if there is one: what names no client and no file. What the configuration names, an
// upstream and its peer, may be told apart as well. One thread; a worker has one of its own.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"

namespace weir {

class LogLimit {
 public:
  // `error_log_limit`.
  struct Setting {
    std::uint32_t lines = 100;  // of one cause in a window; 0: no limit
    Duration window{10'000};    // from the first of them on
    friend bool operator==(const Setting&, const Setting&) = default;
  };
  static constexpr std::size_t kCauses = 256;  // told apart; all others count as one

  // For the lines to come.
  void set(const Setting& setting) { setting_ = setting; }

  // Whether a line that begins with `text` may be written to `log`. One that is not is counted.
  // Lines of the level debug always may. `subject`: what else belongs to the
  // cause; not from clients, who could name more than are told apart.
  [[nodiscard]] bool admits(const std::shared_ptr<Log>& log, LogLevel level, std::string_view text,
                            TimePoint now, std::string_view subject = {});
  // Tells of what was left out in windows that are over, or in all. `main`: the log of those whose
  // own is null.
  void flush(Log& main, TimePoint now, bool all = false);
  // Something was left out that flush() is to tell of.
  [[nodiscard]] bool waiting() const { return waiting_ > 0; }
  // Lines left out since the start.
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

  [[nodiscard]] static std::string cause_of(std::string_view text);

 private:
  struct Cause {
    std::string text;
    std::shared_ptr<Log> log;
    LogLevel level = LogLevel::debug;
    TimePoint began;
    std::uint32_t lines = 0;  // in the window; 0: the entry is free
    std::uint64_t left_out = 0;
  };
  [[nodiscard]] bool over(const Cause& cause, TimePoint now) const {
    return cause.lines == 0 || now - cause.began >= setting_.window;
  }
  Cause& find(const std::shared_ptr<Log>& log, LogLevel level, std::string text, TimePoint now);
  void tell(Cause& cause, Log& main, TimePoint now);

  Setting setting_;
  std::array<Cause, kCauses + 1> causes_;
  std::size_t waiting_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace weir
