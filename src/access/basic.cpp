#include "access/basic.h"

#include <strings.h>

#include "access/base64.h"

namespace weir::access {

std::optional<Credentials> parse_basic(std::string_view field) {
  constexpr std::string_view scheme = "Basic ";
  if (field.size() < scheme.size() ||
      strncasecmp(field.data(), scheme.data(), scheme.size()) != 0) {
    return std::nullopt;
  }
  field.remove_prefix(scheme.size());
  while (field.starts_with(' ')) field.remove_prefix(1);
  std::string text;
  if (!decode_base64(field, Alphabet::standard, text)) return std::nullopt;
  const auto colon = text.find(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  return Credentials{text.substr(0, colon), text.substr(colon + 1)};
}

std::string basic_challenge(std::string_view realm) {
  std::string out = "Basic realm=\"";
  out.append(realm).append("\"");
  return out;
}

}  // namespace weir::access
