// The operators' API: /api/VERB. Who may, what is asked, and the answer. Control thread only.
#pragma once

#include <boost/json/fwd.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "admin/pages.h"
#include "admin/source.h"

namespace weir::admin {

// A request to the admin listener, as far as it matters here.
struct Request {
  std::string_view method;
  std::string_view target;  // as it stands in the request line
  std::string_view host{};
  std::string_view authorization{};
  std::string_view origin{};      // what browsers say of the page that asks
  std::string_view fetch_site{};  // the same: Sec-Fetch-Site
  std::string_view if_none_match{};
  bool trusted = false;   // came over the operators' Unix socket
  bool loopback = false;  // to an address that only this machine reaches
};

// Takes the answer, now or later.
using Answer = std::function<void(Page)>;

[[nodiscard]] Page json_page(unsigned status, const boost::json::object& object);
// {"error": why}
[[nodiscard]] Page refusal(unsigned status, const std::string& why);

// Any page of the admin listener. May throw std::bad_alloc.
void answer(const Source& source, const Request& request, const Answer& answer);

}  // namespace weir::admin
