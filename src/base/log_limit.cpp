#include "base/log_limit.h"

#include <algorithm>
#include <utility>

namespace weir {

std::string LogLimit::cause_of(std::string_view text) {
  constexpr std::size_t kMost = 100;
  // Of `"NAME" is not found` the rest is the cause.
  if (text.starts_with('"')) text.remove_prefix(text.rfind('"') + 1);
  std::string cause(text.substr(0, std::min(text.find_first_of("\"(0123456789"), kMost)));
  const auto open = text.ends_with(')') ? text.rfind(" (") : std::string_view::npos;
  if (open == std::string_view::npos) return cause;
  const auto error = text.substr(open + 1, kMost);
  if (std::string_view("0123456789").find(error[1]) == std::string_view::npos) return cause;
  if (!cause.ends_with(' ')) cause.push_back(' ');
  return cause.append(error);
}

// An entry that has the cause, else a free one; the last one is for all that found none. What was
// left out of an entry stays there until it has been told.
LogLimit::Cause& LogLimit::find(const std::shared_ptr<Log>& log, LogLevel level, std::string text,
                                TimePoint now) {
  Cause* free = nullptr;
  for (std::size_t i = 0; i < kCauses; ++i) {
    auto& cause = causes_[i];
    if (cause.lines > 0 && cause.level == level && cause.log == log && cause.text == text) {
      return cause;
    }
    if (free == nullptr && over(cause, now) && cause.left_out == 0) free = &cause;
  }
  if (free == nullptr) {
    auto& rest = causes_[kCauses];
    if (over(rest, now) && rest.left_out == 0) rest.text = "of other causes, such as: " + text;
    return rest;
  }
  *free = {std::move(text), log, level, now, 0, 0};
  return *free;
}

bool LogLimit::admits(const std::shared_ptr<Log>& log, LogLevel level, std::string_view text,
                      TimePoint now, std::string_view subject) {
  if (level == LogLevel::debug || setting_.lines == 0) return true;
  auto& cause = find(log, level, cause_of(text).append(subject), now);
  if (over(cause, now) && cause.left_out == 0) {
    cause.began = now;
    cause.lines = 0;
  }
  cause.level = level;
  if (cause.lines < setting_.lines) {
    ++cause.lines;
    return true;
  }
  if (cause.left_out++ == 0) ++waiting_;
  ++left_out_;
  return false;
}

void LogLimit::tell(Cause& cause, Log& main, TimePoint now) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - cause.began).count();
  auto text = cause.text;
  while (text.ends_with(' ') || text.ends_with(',') || text.ends_with(':')) text.pop_back();
  const std::string line = std::to_string(cause.left_out) + " more like this in the last " +
                           std::to_string(std::max<std::int64_t>(seconds, 1)) + " s: " + text;
  (cause.log != nullptr ? *cause.log : main).write(cause.level, line);
  cause.left_out = 0;
  cause.lines = 0;
  cause.log.reset();
  --waiting_;
}

void LogLimit::flush(Log& main, TimePoint now, bool all) {
  if (waiting_ == 0) return;
  for (auto& cause : causes_) {
    if (cause.left_out > 0 && (all || over(cause, now))) tell(cause, main, now);
  }
}

}  // namespace weir
