// base64url without padding (RFC 4648 section 5, RFC 7515 appendix C). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::acme {

[[nodiscard]] std::string base64url(std::string_view bytes);
// nullopt: the text is none. Padding at its end does not matter.
[[nodiscard]] std::optional<std::string> read_base64url(std::string_view text);

}  // namespace weir::acme
