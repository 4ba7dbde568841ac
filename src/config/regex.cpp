#include "config/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>

namespace weir::config {
namespace {

// Backtracking steps, and KiB of heap, that one match may take: far above what sensible patterns
// need, reached in a few milliseconds by hostile subjects.
constexpr std::uint32_t kMatchLimit = 100000;
constexpr std::uint32_t kHeapLimit = 1024;
constexpr std::size_t kMaxPattern = 16384;

struct ThreadState {
  pcre2_match_data* data = nullptr;
  std::uint32_t pairs = 0;
  pcre2_match_context* context = nullptr;

  ThreadState() = default;
  ThreadState(const ThreadState&) = delete;
  ThreadState& operator=(const ThreadState&) = delete;
  ~ThreadState() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
  }

  bool prepare(std::uint32_t groups) {
    if (context == nullptr) {
      context = pcre2_match_context_create(nullptr);
      if (context == nullptr) return false;
      pcre2_set_match_limit(context, kMatchLimit);
      pcre2_set_heap_limit(context, kHeapLimit);
    }
    if (pairs <= groups) {
      pcre2_match_data_free(data);
      pairs = std::max<std::uint32_t>(groups + 1, 16);
      data = pcre2_match_data_create(pairs, nullptr);
    }
    return data != nullptr;
  }
};
thread_local ThreadState t_state;

std::string error_text(int code) {
  PCRE2_UCHAR buffer[256];
  pcre2_get_error_message(code, buffer, sizeof buffer);
  return reinterpret_cast<const char*>(buffer);
}

std::vector<std::pair<std::string, std::uint32_t>> group_names(const pcre2_code* code) {
  std::vector<std::pair<std::string, std::uint32_t>> names;
  std::uint32_t count = 0;
  std::uint32_t entry_size = 0;
  PCRE2_SPTR table = nullptr;
  pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &count);
  pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &entry_size);
  pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &table);
  for (std::uint32_t i = 0; i < count; ++i, table += entry_size) {
    // Each entry: the group's number in two bytes, then its name.
    const auto number = static_cast<std::uint32_t>(table[0] << 8 | table[1]);
    names.emplace_back(reinterpret_cast<const char*>(table + 2), number);
  }
  return names;
}

}  // namespace

std::shared_ptr<const Regex> Regex::compile(std::string_view pattern, bool caseless,
                                            std::string& error) {
  if (pattern.size() > kMaxPattern) {
    error = "the pattern is longer than " + std::to_string(kMaxPattern) + " bytes";
    return nullptr;
  }
  int code = 0;
  PCRE2_SIZE offset = 0;
  auto* compiled = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                 caseless ? PCRE2_CASELESS : 0, &code, &offset, nullptr);
  if (compiled == nullptr) {
    error = error_text(code) + " at offset " + std::to_string(offset);
    return nullptr;
  }
  // Without JIT (no memory, or forbidden by the system) matching is interpreted: slower, the same.
  pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
  std::shared_ptr<Regex> regex(new Regex);
  regex->code_ = compiled;
  regex->text_ = pattern;
  regex->caseless_ = caseless;
  pcre2_pattern_info(compiled, PCRE2_INFO_CAPTURECOUNT, &regex->groups_);
  regex->names_ = group_names(compiled);
  return regex;
}

Regex::~Regex() { pcre2_code_free(static_cast<pcre2_code*>(code_)); }

bool Regex::match(std::string_view subject, Captures* captures) const {
  if (!t_state.prepare(groups_)) return false;
  const auto* text = reinterpret_cast<PCRE2_SPTR>(subject.empty() ? "" : subject.data());
  const int count = pcre2_match(static_cast<const pcre2_code*>(code_), text, subject.size(), 0, 0,
                                t_state.data, t_state.context);
  if (count < 0) return false;
  if (captures != nullptr) {
    const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(t_state.data);
    captures->clear();
    for (std::uint32_t i = 0; i <= groups_; ++i) {
      // Groups beyond the last one that took part are not written by PCRE2.
      const bool set = i < static_cast<std::uint32_t>(count);
      captures->emplace_back(set ? offsets[2 * i] : std::string_view::npos,
                             set ? offsets[2 * i + 1] : std::string_view::npos);
    }
  }
  return true;
}

}  // namespace weir::config
