// The media types that a filter works on: nginx's gzip_types, sub_filter_types, charset_types, ...
// Filled while a configuration is compiled, read by all workers after.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace weir::content {

class TypeSet {
 public:
  TypeSet() = default;
  TypeSet(std::initializer_list<std::string_view> types) {
    for (const auto type : types) add(type);
  }

  // "*" stands for every type, and for answers without one. False: it was there already.
  bool add(std::string_view type);

  // Whether `type` is one of them, in any case: the matched part of a Content-Type, see below.
  [[nodiscard]] bool contains(std::string_view type) const;

  // What holds where nothing is configured. A list that is configured has text/html besides.
  [[nodiscard]] static TypeSet html() { return {"text/html"}; }
  [[nodiscard]] static TypeSet charset_defaults() {
    return {"text/html",
            "text/xml",
            "text/plain",
            "text/vnd.wap.wml",
            "application/javascript",
            "application/rss+xml"};
  }

 private:
  bool any_ = false;
  std::vector<std::string> types_;  // lower-case
};

// A Content-Type taken apart as nginx does with those of upstream answers.
struct ContentType {
  // What type lists are compared with: the value up to the ';' before its charset, or the whole
  // value if it names no charset. So "text/html; level=1" is in no list.
  std::string_view matched;
  std::string_view charset;  // without quotes; empty: none
};
[[nodiscard]] ContentType parse_content_type(std::string_view value);

}  // namespace weir::content
