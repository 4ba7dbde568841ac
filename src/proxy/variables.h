// What variables stand for: evaluates config::Value for an exchange. Worker thread.
#pragma once

#include <string>
#include <string_view>

#include "config/variables.h"

namespace weir::proxy {

class Exchange;

// Appends the value to `out`.
void evaluate(const config::Value& value, Exchange& exchange, std::string& out);
void evaluate(const config::VariableRef& variable, Exchange& exchange, std::string& out);

// What a target with variables is made from in proxy_pass: "http://host:port/uri", or https; in
// grpc_pass: "grpc://host:port", grpcs, or the host alone.
struct Target {
  std::string_view authority;
  std::string_view uri;
  bool has_uri = false;
  bool valid = false;
  bool tls = false;  // https, grpcs
};
[[nodiscard]] Target parse_target(std::string_view text);
[[nodiscard]] Target parse_grpc_target(std::string_view text);

}  // namespace weir::proxy
