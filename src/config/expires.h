// The text of `expires`: read when a configuration is loaded, and for each answer when it has
// variables. A pure function.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/request_config.h"

namespace weir::config {

// "24h", "-1", "@15h30m", "epoch", "max", "off"; `modified`: the time counts from Last-Modified.
// On failure `error` says what is wrong.
[[nodiscard]] std::optional<ExpiresConfig> parse_expires(std::string_view text, bool modified,
                                                         std::string& error);

}  // namespace weir::config
