// The pages of the admin listener as text. Pure but for what /proc says of the process; control
// thread only.
#pragma once

#include <string>
#include <string_view>

#include "admin/metrics.h"
#include "admin/source.h"

namespace weir::admin {

// Who asks for it is told of changes as they come (events.h).
inline constexpr std::string_view kEventsPath = "/events";

// Prometheus text format 0.0.4.
[[nodiscard]] std::string metrics_text(const Source& source);

// Every pool and peer of the present runtime, as JSON; or one pool, by its name.
[[nodiscard]] std::string upstreams_json(const Source& source, std::string_view pool = {});

// Every certificate of the present runtime, as JSON: whose, until when, whether its file has
// changed to something that cannot be used.
[[nodiscard]] std::string certificates_json(const Source& source);

// Whether a request sent here would be served: a line for each reason why not.
struct Ready {
  bool ready = false;
  std::string text;
};
[[nodiscard]] Ready readiness(const Source& source);

struct Page {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  std::string allow{};       // the Allow field; empty: none
  std::string etag{};        // with its quotes; empty: nobody may keep the page
  unsigned retry_after = 0;  // seconds; 0: no such field
};
// The answer to a request. `target` as it stands in the request line. May throw std::bad_alloc.
[[nodiscard]] Page page_for(const Source& source, std::string_view method, std::string_view target);
// Whether there is such a page, the dashboard's own files aside.
[[nodiscard]] bool has_page(std::string_view path);
// An answer without a page behind it: "431 Request Header Fields Too Large".
[[nodiscard]] Page error_page(unsigned status);

}  // namespace weir::admin
