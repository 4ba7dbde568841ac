#include "admin/query.h"

#include "http/chars.h"

namespace weir::admin {

std::string decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pair = text[i] == '%' && i + 2 < text.size();
    const int high = pair ? http::hex_value(text[i + 1]) : -1;
    const int low = pair ? http::hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

}  // namespace weir::admin
