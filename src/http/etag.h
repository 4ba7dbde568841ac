// Entity tags (RFC 9110 section 8.8.3) as nginx makes and compares them. Pure functions; any
// thread.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace weir::http {

// Appends `"5f3a-1c"`, quotes included: the time of the last change and the size, hexadecimal.
void append_etag(std::time_t mtime, std::uint64_t size, std::string& out);

[[nodiscard]] constexpr bool is_weak_etag(std::string_view etag) {
  return etag.size() > 2 && etag.starts_with("W/");
}

// What becomes of a tag when the content is changed on its way (compressed, substituted, ...):
// weak, if it is not already. False: it is no tag, and the field has to go.
bool weaken_etag(std::string& etag);

// Whether `list`, the value of If-Match or If-None-Match, names `etag`; nullopt: there is none, and
// only "*" matches. `weak`: the marks of weak tags are left out of the comparison (If-None-Match).
[[nodiscard]] bool etag_matches(std::string_view list, std::optional<std::string_view> etag,
                                bool weak);

}  // namespace weir::http
