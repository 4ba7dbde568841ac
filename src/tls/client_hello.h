// What a client of TLS asks for, read from the first bytes of its connection without ending its
// TLS (RFC 8446 section 4.1.2, RFC 6066 section 3, RFC 7301). Pure; any bytes may come.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::tls {

struct ClientHello {
  std::string server_name;  // lower case, without a dot at its end; empty: none is named
  std::string protocols;    // of ALPN, separated by commas
  // The newest version: TLSv1.3 if it is offered at all, "SSLv2" for a hello of that form.
  std::string_view version;
};

enum class HelloStatus : std::uint8_t {
  more,      // the hello is not complete
  complete,  // `hello` is filled in
  other,     // it is no hello of TLS, or a broken one
};

// `bytes`: all that came so far. Costs no more than to look at each byte once; the caller bounds
// their number.
[[nodiscard]] HelloStatus read_client_hello(std::string_view bytes, ClientHello& hello);

}  // namespace weir::tls
