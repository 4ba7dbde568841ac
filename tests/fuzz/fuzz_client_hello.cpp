// Any bytes as the beginning of a connection of TLS: reading ends, stays within the bytes, and what
// it finds may stand in a map and in a log. What was decided does not change by more bytes.
#include <cstddef>
#include <cstdint>

#include "heads.h"
#include "tls/client_hello.h"

using weir::fuzz::check;
using weir::tls::ClientHello;
using weir::tls::HelloStatus;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 16384) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ClientHello whole;
  const auto end = weir::tls::read_client_hello(bytes, whole);
  if (end == HelloStatus::complete) {
    check(whole.server_name.size() <= 255, "the length of a name");
    for (const char c : whole.server_name) {
      check(c > ' ' && c < 0x7f && (c < 'A' || c > 'Z') && c != '/', "letters of a name");
    }
    check(whole.protocols.size() <= size, "no more than what came");
  }
  for (const std::size_t part : {size / 2, size - size / 8}) {
    const weir::fuzz::Exact exact(bytes.substr(0, part));
    ClientHello hello;
    const auto status = weir::tls::read_client_hello(exact.view(), hello);
    if (status == HelloStatus::more) continue;
    check(status == end, "a decision stands");
    check(hello.server_name == whole.server_name, "and so does the name");
  }
  return 0;
}
