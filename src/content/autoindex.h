// nginx's `autoindex`: a directory as a page, to the byte. Pure functions; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::content {

struct DirectoryEntry {
  enum class Kind : std::uint8_t { directory, file, other };
  std::string name;  // those that begin with a dot are not listed
  Kind kind = Kind::file;
  std::int64_t size = 0;
  std::time_t mtime = 0;
};

// Directories first, then by the bytes of their names.
void sort_entries(std::vector<DirectoryEntry>& entries);

// `path`: of the request, decoded, ends in a slash.
struct HtmlListing {
  bool exact_size = true;              // `autoindex_exact_size`
  std::chrono::seconds utc_offset{0};  // of the zone that times are shown in: `autoindex_localtime`
  bool utf8 = false;                   // the page is declared as UTF-8: names are cut by characters
};
void append_html_listing(std::string_view path, std::span<const DirectoryEntry> entries,
                         const HtmlListing& listing, std::string& out);

// text/xml; charset=utf-8
void append_xml_listing(std::span<const DirectoryEntry> entries, std::string& out);

// application/json
void append_json_listing(std::span<const DirectoryEntry> entries, std::string& out);

// application/javascript; `callback`: the argument of that name, checked by is_callback_name. If it
// is empty the listing is JSON.
void append_jsonp_listing(std::string_view callback, std::span<const DirectoryEntry> entries,
                          std::string& out);
// Letters, digits, _ and ., 128 at most; anything else is a 400.
[[nodiscard]] bool is_callback_name(std::string_view callback);

}  // namespace weir::content
