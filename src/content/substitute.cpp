#include "content/substitute.h"

#include <algorithm>
#include <utility>

#include "http/chars.h"

namespace weir::content {
namespace {

unsigned char lower_byte(char c) { return static_cast<unsigned char>(http::to_lower(c)); }

}  // namespace

SubstitutePatterns::SubstitutePatterns(const std::vector<std::string>& patterns) {
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    if (patterns[i].empty()) continue;
    Pattern pattern{patterns[i], i};
    std::transform(pattern.text.begin(), pattern.text.end(), pattern.text.begin(), http::to_lower);
    const auto size = pattern.text.size();
    shortest_ = patterns_.empty() ? size : std::min(shortest_, size);
    longest_ = std::max(longest_, size);
    patterns_.push_back(std::move(pattern));
  }
  shift_.fill(static_cast<std::uint32_t>(shortest_));
  for (std::uint32_t i = 0; i < patterns_.size(); ++i) {
    const auto& text = patterns_[i].text;
    for (std::size_t from_end = 0; from_end < shortest_; ++from_end) {
      auto& shift = shift_[static_cast<unsigned char>(text[shortest_ - 1 - from_end])];
      shift = std::min(shift, static_cast<std::uint32_t>(from_end));
    }
    candidates_[static_cast<unsigned char>(text[shortest_ - 1])].push_back(i);
  }
}

Substituter::Substituter(std::shared_ptr<const SubstitutePatterns> patterns, bool once,
                         Replacement replacement)
    : patterns_(std::move(patterns)),
      once_(once),
      replacement_(std::move(replacement)),
      replaced_(patterns_->patterns_.size()) {}

void Substituter::write(std::string_view in, bool last, std::string& out) {
  if (!held_.empty()) {
    // What was held, with as much behind it as a match that begins there can need.
    const auto before = held_.size();
    const auto more = std::min(in.size(), patterns_->longest_ - 1);
    const bool all = more == in.size();
    held_.append(in.substr(0, more));
    const auto done = scan(held_, last && all ? held_.size() : before, last && all, out);
    if (done < before) {
      held_.erase(0, done);
      return;
    }
    in.remove_prefix(done - before);
    held_.clear();
  }
  const auto done = scan(in, in.size(), last, out);
  held_.assign(in.substr(done));
}

std::size_t Substituter::scan(std::string_view text, std::size_t stop, bool last,
                              std::string& out) {
  const auto& patterns = *patterns_;
  std::size_t written = 0;
  std::size_t at = 0;
  const auto finish = [&](std::size_t end) {
    out.append(text.substr(written, end - written));
    return end;
  };
  while (at < stop) {
    if (spent_ == patterns.patterns_.size()) return finish(text.size());
    if (at + patterns.shortest_ > text.size()) return finish(scan_short_end(text, at, last));
    const auto byte = lower_byte(text[at + patterns.shortest_ - 1]);
    if (patterns.shift_[byte] > 0) {
      at += patterns.shift_[byte];
      continue;
    }
    std::size_t matched = 0;
    for (const auto i : patterns.candidates_[byte]) {
      if (is_spent(i)) continue;
      const auto fits = fit(text.substr(at), patterns.patterns_[i]);
      // Whether it is this one must be known before a later one is looked at.
      if (fits == Fit::begins && !last) return finish(at);
      if (fits != Fit::full) continue;
      out.append(text.substr(written, at - written));
      append_replacement(i, out);
      matched = patterns.patterns_[i].text.size();
      written = at + matched;
      break;
    }
    at += std::max<std::size_t>(matched, 1);
  }
  return finish(at);
}

// Where less is left than the shortest pattern needs: the first place where one may begin.
std::size_t Substituter::scan_short_end(std::string_view text, std::size_t at, bool last) const {
  if (last) return text.size();
  for (; at < text.size(); ++at) {
    for (std::size_t i = 0; i < replaced_.size(); ++i) {
      if (!is_spent(i) && fit(text.substr(at), patterns_->patterns_[i]) != Fit::none) return at;
    }
  }
  return at;
}

Substituter::Fit Substituter::fit(std::string_view text, const Pattern& pattern) const {
  const auto size = std::min(text.size(), pattern.text.size());
  for (std::size_t i = 0; i < size; ++i) {
    if (http::to_lower(text[i]) != pattern.text[i]) return Fit::none;
  }
  return size == pattern.text.size() ? Fit::full : Fit::begins;
}

void Substituter::append_replacement(std::size_t pattern, std::string& out) {
  auto& text = replaced_[pattern];
  if (!text) {
    text.emplace();
    replacement_(patterns_->patterns_[pattern].index, *text);
    if (once_) ++spent_;
  }
  out.append(*text);
}

}  // namespace weir::content
