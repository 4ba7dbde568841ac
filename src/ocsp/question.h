// How a responder of OCSP is asked over HTTP (RFC 6960 appendix A.1). Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "fetch/http_client.h"

namespace weir::ocsp {

// `der`: the question. By GET, which caches in front of responders understand, as long as it is
// short and the URL has no query; else by POST.
[[nodiscard]] fetch::Request question(const std::string& url, std::string_view der);

}  // namespace weir::ocsp
