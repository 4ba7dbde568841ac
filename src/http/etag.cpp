#include "http/etag.h"

#include <charconv>

#include "http/chars.h"

namespace weir::http {
namespace {

void append_hex(std::uint64_t number, std::string& out) {
  char digits[16];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number, 16).ptr);
}

std::string_view skip_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}

}  // namespace

void append_etag(std::time_t mtime, std::uint64_t size, std::string& out) {
  out.push_back('"');
  append_hex(static_cast<std::uint64_t>(mtime), out);
  out.push_back('-');
  append_hex(size, out);
  out.push_back('"');
}

bool weaken_etag(std::string& etag) {
  if (is_weak_etag(etag)) return true;
  if (!etag.starts_with('"')) return false;
  etag.insert(0, "W/");
  return true;
}

bool etag_matches(std::string_view list, std::optional<std::string_view> etag, bool weak) {
  if (list == "*") return true;
  if (!etag) return false;
  const std::string_view want = weak && is_weak_etag(*etag) ? etag->substr(2) : *etag;
  while (!list.empty()) {
    if (weak && is_weak_etag(list)) list.remove_prefix(2);
    if (list.size() < want.size()) return false;
    if (list.starts_with(want)) {
      list = skip_blanks(list.substr(want.size()));
      if (list.empty() || list.front() == ',') return true;
    }
    // A comma inside a tag splits it, as in nginx: neither its tags nor weir's have one.
    const auto comma = list.find(',');
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma);
    while (!list.empty() && (is_blank(list.front()) || list.front() == ',')) list.remove_prefix(1);
  }
  return false;
}

}  // namespace weir::http
