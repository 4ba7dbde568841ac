#include "proxy/escape_log.h"

#include "base/utf8.h"

namespace weir::proxy {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

// RFC 8259. Bytes that are no UTF-8, which JSON cannot hold, are taken for ISO 8859-1: nothing is
// lost, and a reader does not refuse the line.
void append_json(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {
      const auto length = utf8_length(text.substr(i));
      if (length == 0) {
        out.append("\\u00").append({kHex[byte >> 4], kHex[byte & 15]});
        continue;
      }
      out.append(text, i, length);
      i += length - 1;
    } else if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte >= 0x20) {
      out.push_back(c);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (c == '\r') {
      out.append("\\r");
    } else if (c == '\t') {
      out.append("\\t");
    } else if (c == '\b') {
      out.append("\\b");
    } else if (c == '\f') {
      out.append("\\f");
    } else {
      out.append("\\u00").append({kHex[byte >> 4], kHex[byte & 15]});
    }
  }
}

void append_standard(std::string& out, std::string_view text) {
  if (text.empty()) out.push_back('-');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || byte < 0x20 || byte > 0x7e) {
      out.append("\\x").append({kHex[byte >> 4], kHex[byte & 15]});
    } else {
      out.push_back(c);
    }
  }
}

}  // namespace

void append_log_value(std::string& out, std::string_view value, config::LogFormat::Escape escape) {
  switch (escape) {
    case config::LogFormat::Escape::none:
      out.append(value);
      return;
    case config::LogFormat::Escape::json:
      return append_json(out, value);
    case config::LogFormat::Escape::standard:
      return append_standard(out, value);
  }
}

}  // namespace weir::proxy
