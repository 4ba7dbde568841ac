// Percent-escaping for the places of a URI, byte for byte as nginx does it, and back. Pure
// functions; any thread.
//
// Where nginx uses which: a path that goes into a URI takes `uri` (a redirect to a path's slash,
// proxy_pass with a path, $uri in an index redirect); a capture in the arguments of `rewrite`, and
// anywhere in a redirect of `rewrite`, takes `args`, provided the request's path had escapes or a
// plus; names in a listing take `component`; msie_refresh takes `refresh`; a memcached key
// `memcached`. Other text of `rewrite` and all of `return` stands as configured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::http {

// What is escaped. All but `memcached`: controls, space, DEL, bytes above it and " < > \ ^ ` { |,
// and besides ...
enum class Escape : std::uint8_t {
  uri,        // } # % ?
  args,       // } # % & + ; ?
  component,  // everything but letters, digits and - . _ ~
  html,       // } # % '
  refresh,    // ' ~
  memcached,  // controls, space and % alone
};

// Appends `text` with what `kind` says as %HH, in capitals.
void escape(std::string_view text, Escape kind, std::string& out);
// How many bytes of `text` escape() would escape.
[[nodiscard]] std::size_t count_escapes(std::string_view text, Escape kind);

enum class Unescape : std::uint8_t {
  all,       // every %HH: the URI of X-Accel-Redirect, and of an included file
  uri,       // up to the first '?', written as such or as %3F, which is the last byte read
  redirect,  // the same, but only what is printable and above '%'; `rewrite` with a redirect
};

// Appends `text` without its escapes and returns how much of it was read. A '%' before something
// that is not hexadecimal is dropped; "%4z" is dropped whole.
std::size_t unescape(std::string_view text, Unescape kind, std::string& out);

}  // namespace weir::http
