// Compression, replaced texts, and requests made beside one.
#include "config/handlers.h"

namespace weir::config {
namespace {

constexpr std::size_t kMaxSubstitutions = 255;

// A power of 2 from 512 to `greatest`.
std::optional<std::uint64_t> power_argument(const Call& call, std::uint64_t greatest) {
  const auto size = size_argument(call, call.arg(0));
  if (!size) return std::nullopt;
  for (std::uint64_t power = 512; power <= greatest; power *= 2) {
    if (*size == power) return size;
  }
  call.error(call.arg(0), "must be 512, 1k, 2k and so on up to " + std::to_string(greatest / 1024) +
                              "k, a power of 2");
  return std::nullopt;
}

}  // namespace

void compile_gzip_disable(const Call& call) {
  auto& setting = call.scope.settings->gzip_disable;
  if (!setting) setting.emplace();
  for (const auto& argument : call.directive.args) {
    if (argument.text == "msie6") {
      setting->msie6 = true;
    } else if (auto regex = call.compiler.regex(call, argument, argument.text, true)) {
      setting->agents.push_back(std::move(regex));
    }
  }
}

void compile_gzip_window(const Call& call) {
  call.scope.settings->gzip_window = power_argument(call, 32 * 1024);
}

void compile_gzip_hash(const Call& call) {
  call.scope.settings->gzip_hash = power_argument(call, 128 * 1024);
}

void compile_sub_filter(const Call& call) {
  Argument text = call.arg(0);
  if (text.text.empty()) return call.error(text, "the text to look for is empty");
  text.text = lower(text.text);  // case does not matter
  auto from = call.compiler.value(call, text);
  auto to = call.compiler.value(call, call.arg(1));
  if (!from || !to) return;
  auto& list = call.scope.settings->sub_filter;
  if (!list) list.emplace();
  if (list->size() == kMaxSubstitutions) {
    return call.error("more than " + std::to_string(kMaxSubstitutions) + " texts");
  }
  list->push_back({std::move(*from), std::move(*to)});
}

void compile_mirror(const Call& call) {
  auto& list = call.scope.settings->mirror;
  const bool off = call.arg(0).text == "off";
  if (list && (off || list->empty())) {
    return call.error("\"off\" stands alone in a block; keep one kind");
  }
  if (!list) list.emplace();
  if (!off) list->push_back(call.arg(0).text);
}

}  // namespace weir::config
