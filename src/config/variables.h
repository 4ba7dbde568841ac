// Variables and the values they occur in. The table of variables is variables.def; what each one
// evaluates to is proxy/variables.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

enum class Variable : std::uint8_t {
#define WEIR_VARIABLE(id, text, help) id,
#include "config/variables.def"
#include "config/variables_stream.def"
#undef WEIR_VARIABLE
  // Families, with an argument.
  http,                // $http_NAME           argument: field name, lower case, with dashes
  sent_http,           // $sent_http_NAME
  upstream_http,       // $upstream_http_NAME
  arg,                 // $arg_NAME            argument: name as written
  cookie,              // $cookie_NAME
  sent_trailer,        // $sent_trailer_NAME
  upstream_cookie,     // $upstream_cookie_NAME
  upstream_trailer,    // $upstream_trailer_NAME
  proxy_protocol_tlv,  // $proxy_protocol_tlv_NAME
  capture,             // $1 .. $9             index
  user,                // index into Model::variables
};

struct VariableRef {
  Variable id{};
  std::uint32_t index = 0;
  std::string argument;
  friend bool operator==(const VariableRef&, const VariableRef&) = default;
};

// The variable called `name` (without `$`) among the built-in ones and the families http_, arg_...
// nullopt: no such built-in. Maps and captures are looked up by the compiler.
[[nodiscard]] std::optional<VariableRef> find_variable(std::string_view name);

// The same among those of stream.
[[nodiscard]] std::optional<VariableRef> find_stream_variable(std::string_view name);

// Text with variables in it, split into parts: "http://$host/x" -> "http://", $host, "/x".
class Value {
 public:
  struct Part {
    std::string literal;  // used if !is_variable
    VariableRef variable;
    bool is_variable = false;
  };

  Value() = default;
  explicit Value(std::string literal) {
    if (!literal.empty()) parts_.push_back({std::move(literal), {}, false});
  }
  explicit Value(std::vector<Part> parts) : parts_(std::move(parts)) {}

  [[nodiscard]] bool is_constant() const {
    return parts_.empty() || (parts_.size() == 1 && !parts_[0].is_variable);
  }
  [[nodiscard]] bool empty() const { return parts_.empty(); }
  // The text of a constant value.
  [[nodiscard]] std::string_view constant() const {
    return parts_.empty() ? std::string_view{} : std::string_view{parts_[0].literal};
  }
  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }

 private:
  std::vector<Part> parts_;
};

}  // namespace weir::config
