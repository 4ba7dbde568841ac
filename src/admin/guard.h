// Who may ask the admin listener: not the pages of other sites, nor those of a site whose name was
// made to lead here (DNS rebinding). Control thread only.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "admin/api.h"

namespace weir::admin {

// Empty, or why the request is refused. Scrapers and orchestrators ask /healthz, and from other
// machines /metrics and /readyz, by whatever name; what comes over the operators' socket is
// trusted.
[[nodiscard]] std::string why_refused(const Source& source, const Request& request);

// Whether a Host field is one that no other site can have: an address, a name without a dot,
// *.localhost, or one of `own`.
[[nodiscard]] bool is_own_host(std::string_view host, std::span<const std::string> own);

}  // namespace weir::admin
