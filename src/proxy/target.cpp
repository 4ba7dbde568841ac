#include "proxy/variables.h"

#include "http/chars.h"

namespace weir::proxy {

using http::equal_ignoring_case;

Target parse_target(std::string_view text) {
  constexpr std::string_view kHttp = "http://";
  constexpr std::string_view kHttps = "https://";
  Target target;
  target.tls = equal_ignoring_case(text.substr(0, kHttps.size()), kHttps);
  if (!target.tls && !equal_ignoring_case(text.substr(0, kHttp.size()), kHttp)) return {};
  text.remove_prefix(target.tls ? kHttps.size() : kHttp.size());
  if (text.starts_with("unix:")) {
    // The path of the socket ends at the next colon.
    const auto colon = text.find(':', 5);
    target.authority = text.substr(0, colon);
    if (colon != std::string_view::npos) target.uri = text.substr(colon + 1);
    target.has_uri = !target.uri.empty();
    target.valid = target.authority.size() > 5;
    return target;
  }
  const auto slash = text.find_first_of("/?");
  target.authority = text.substr(0, slash);
  target.has_uri = slash != std::string_view::npos;
  if (target.has_uri) target.uri = text.substr(slash);
  target.valid = !target.authority.empty();
  return target;
}

Target parse_grpc_target(std::string_view text) {
  constexpr std::string_view kGrpc = "grpc://";
  constexpr std::string_view kGrpcs = "grpcs://";
  Target target;
  target.tls = equal_ignoring_case(text.substr(0, kGrpcs.size()), kGrpcs);
  if (target.tls) {
    text.remove_prefix(kGrpcs.size());
  } else if (equal_ignoring_case(text.substr(0, kGrpc.size()), kGrpc)) {
    text.remove_prefix(kGrpc.size());
  }
  target.authority = text;
  const bool path = text.find('/') != std::string_view::npos && !text.starts_with("unix:");
  target.valid = !text.empty() && !path;
  return target;
}

}  // namespace weir::proxy
