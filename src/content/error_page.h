// Pages that weir answers with by itself when the configuration has none: its own, and those of
// nginx to the byte. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::content {

// A small HTML page for a status: "<h1>502 Bad Gateway</h1>".
[[nodiscard]] std::string error_page(int status);

// nginx's `server_tokens`.
enum class ServerTokens : std::uint8_t { on, off, build };

// What stands at the foot of nginx's pages and in its Server field: "nginx/1.31.5", "nginx".
[[nodiscard]] std::string_view nginx_product(ServerTokens tokens);

// Appends nginx's page for `status`, `product` at its foot. `padding`: the comments that make it
// longer than what MSIE and Chrome take for unfriendly (`msie_padding`; no effect below 400).
// Statuses of nginx's own: 494 (head too large), 495, 496 (client certificate), 497 (plain HTTP on
// a TLS port), whose status outside is http::status_on_wire's, and 498.
// False: nginx sends this status with an empty body, and without Content-Type.
bool append_nginx_page(int status, std::string_view product, bool padding, std::string& out);

// Appends the page that `msie_refresh` has instead of a 301 or 302: status 200, no Location.
void append_refresh_page(std::string_view location, std::string& out);

}  // namespace weir::content
