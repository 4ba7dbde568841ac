#include "content/autoindex.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "content/markup.h"
#include "content/utf8.h"
#include "http/chars.h"
#include "http/date.h"
#include "http/escape.h"

namespace weir::content {
namespace {

using Kind = DirectoryEntry::Kind;

// Columns that a name takes; a longer one is cut to leave room for dots.
constexpr std::size_t kNameWidth = 50;
constexpr std::size_t kCutWidth = kNameWidth - 3;

std::tm utc(std::time_t time) {
  std::tm parts{};
  gmtime_r(&time, &parts);
  return parts;
}

template <typename... Values>
void append_formatted(std::string& out, const char* format, Values... values) {
  char text[96];
  const int size = std::snprintf(text, sizeof text, format, values...);
  out.append(text,
             static_cast<std::size_t>(std::clamp(size, 0, static_cast<int>(sizeof text) - 1)));
}

void append_name_column(const DirectoryEntry& entry, bool utf8, std::string& out) {
  const std::string_view name = entry.name;
  const auto characters = utf8 ? count_characters(name) : std::nullopt;
  auto width = characters.value_or(name.size());
  if (width > kNameWidth) {
    escape_markup(characters ? first_characters(name, kCutWidth) : name.substr(0, kCutWidth), out);
    out.append("..&gt;</a>");
    return;
  }
  escape_markup(name, out);
  if (entry.kind == Kind::directory && width < kNameWidth) {
    out.push_back('/');
    ++width;
  }
  out.append("</a>").append(kNameWidth - width, ' ');
}

// A size in at most six digits and a letter.
void append_short_size(std::int64_t size, std::string& out) {
  struct Unit {
    std::int64_t above;
    std::int64_t bytes;
    char letter;
  };
  constexpr std::int64_t kib = 1024;
  constexpr Unit units[] = {{kib * kib * kib - 1, kib * kib * kib, 'G'},
                            {kib * kib - 1, kib * kib, 'M'},
                            {9999, kib, 'K'}};
  for (const auto& unit : units) {
    if (size <= unit.above) continue;
    const auto rounded = size / unit.bytes + (size % unit.bytes > unit.bytes / 2 - 1 ? 1 : 0);
    append_formatted(out, "%6" PRId64 "%c", rounded, unit.letter);
    return;
  }
  append_formatted(out, " %6" PRId64, size);
}

void append_html_entry(const DirectoryEntry& entry, const HtmlListing& listing, std::string& out) {
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const bool directory = entry.kind == Kind::directory;
  out.append("<a href=\"");
  http::escape(entry.name, http::Escape::component, out);
  out.append(directory ? "/\">" : "\">");
  append_name_column(entry, listing.utf8, out);
  const auto time = utc(entry.mtime + listing.utc_offset.count());
  append_formatted(out, " %02d-%s-%d %02d:%02d ", time.tm_mday, months[time.tm_mon],
                   time.tm_year + 1900, time.tm_hour, time.tm_min);
  if (directory) {
    out.append(listing.exact_size ? "                  -" : "      -");
  } else if (listing.exact_size) {
    append_formatted(out, "%19" PRId64, entry.size);
  } else {
    append_short_size(entry.size, out);
  }
  out.append("\r\n");
}

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::directory:
      return "directory";
    case Kind::file:
      return "file";
    case Kind::other:
      break;
  }
  return "other";
}

}  // namespace

void sort_entries(std::vector<DirectoryEntry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    const bool a_first = a.kind == Kind::directory;
    const bool b_first = b.kind == Kind::directory;
    return a_first != b_first ? a_first : a.name < b.name;
  });
}

void append_html_listing(std::string_view path, std::span<const DirectoryEntry> entries,
                         const HtmlListing& listing, std::string& out) {
  out.append("<html>\r\n<head><title>Index of ");
  escape_markup(path, out);
  out.append("</title></head>\r\n<body>\r\n<h1>Index of ");
  escape_markup(path, out);
  out.append("</h1><hr><pre><a href=\"../\">../</a>\r\n");
  for (const auto& entry : entries) append_html_entry(entry, listing, out);
  out.append("</pre><hr></body>\r\n</html>\r\n");
}

void append_xml_listing(std::span<const DirectoryEntry> entries, std::string& out) {
  out.append("<?xml version=\"1.0\"?>\r\n<list>\r\n");
  for (const auto& entry : entries) {
    const auto kind = kind_name(entry.kind);
    const auto time = utc(entry.mtime);
    out.append("<").append(kind);
    append_formatted(out, " mtime=\"%4d-%02d-%02dT%02d:%02d:%02dZ", time.tm_year + 1900,
                     time.tm_mon + 1, time.tm_mday, time.tm_hour, time.tm_min, time.tm_sec);
    if (entry.kind == Kind::file) append_formatted(out, "\" size=\"%" PRId64, entry.size);
    out.append("\">");
    escape_markup(entry.name, out);
    out.append("</").append(kind).append(">\r\n");
  }
  out.append("</list>\r\n");
}

void append_json_listing(std::span<const DirectoryEntry> entries, std::string& out) {
  out.push_back('[');
  std::string_view separator = "\r\n{ \"name\":\"";
  for (const auto& entry : entries) {
    out.append(separator);
    separator = ",\r\n{ \"name\":\"";
    escape_json(entry.name, out);
    out.append("\", \"type\":\"").append(kind_name(entry.kind)).append("\", \"mtime\":\"");
    char date[http::kDateSize];
    http::format_date(entry.mtime, date);
    out.append(date, sizeof date).append("\"");
    if (entry.kind == Kind::file) append_formatted(out, ", \"size\":%" PRId64, entry.size);
    out.append(" }");
  }
  out.append("\r\n]");
}

void append_jsonp_listing(std::string_view callback, std::span<const DirectoryEntry> entries,
                          std::string& out) {
  out.append("/* callback */\r\n").append(callback).append("(");
  append_json_listing(entries, out);
  out.append(");");
}

bool is_callback_name(std::string_view callback) {
  constexpr std::size_t longest = 128;
  return callback.size() <= longest && std::all_of(callback.begin(), callback.end(), [](char c) {
           return http::is_alpha(c) || http::is_digit(c) || c == '_' || c == '.';
         });
}

}  // namespace weir::content
