#include "net/dns_answer.h"

namespace weir::net {

std::string_view to_text(ResolveError error) {
  switch (error) {
    case ResolveError::none:
      return "Success";
    case ResolveError::format:
      return "Format error";
    case ResolveError::server_failure:
      return "Server failure";
    case ResolveError::not_found:
      return "Host not found";
    case ResolveError::unimplemented:
      return "Unimplemented";
    case ResolveError::refused:
      return "Operation refused";
    case ResolveError::too_many:
      return "Too many names are being resolved";
    case ResolveError::timed_out:
      return "Operation timed out";
    case ResolveError::cancelled:
      return "Operation canceled";
    case ResolveError::interrupted:
      return "Still in progress";
  }
  return "Unknown error";
}

std::string describe(std::string_view name, ResolveError error) {
  std::string text(name);
  text.append(" could not be resolved (").append(std::to_string(static_cast<int>(error)));
  text.append(": ").append(to_text(error)).append(")");
  return text;
}

}  // namespace weir::net
