// error_page CODE... [=[CODE]] URI
#include <algorithm>

#include "config/handlers.h"

namespace weir::config {
namespace {

// Errors of nginx's own making that clients see as 400 even where a page is given.
bool is_bad_request(std::uint16_t code) { return code >= 494 && code <= 497; }

std::optional<std::uint16_t> error_code(const Call& call, const Argument& argument) {
  const auto code = parse_number(argument.text);
  if (!code || *code < 300 || *code > 599 || *code == 499) {
    call.error(argument, "invalid code " + quote(argument.text) +
                             "; it must be from 300 to 599, and not 499 (the client has gone)");
    return std::nullopt;
  }
  return static_cast<std::uint16_t>(*code);
}

// "=" or "=CODE"; nullopt after an error.
std::optional<std::uint16_t> answer_code(const Call& call, const Argument& argument) {
  const auto digits = std::string_view(argument.text).substr(1);
  if (digits.empty()) return std::uint16_t{0};
  const auto code = parse_number(digits);
  if (!code || *code > 999) {
    call.error(argument, "invalid code " + quote(argument.text) + "; write =200, or = alone");
    return std::nullopt;
  }
  return static_cast<std::uint16_t>(*code);
}

}  // namespace

void compile_error_page(const Call& call) {
  const std::size_t last = call.count() - 1;
  ErrorPage page;
  std::size_t codes = last;
  if (call.arg(last - 1).text.starts_with('=')) {
    codes = last - 1;
    if (codes == 0) return call.error(call.arg(0), "no code is given; write 404 before it");
    page.status = answer_code(call, call.arg(codes));
    if (!page.status) return;
  }
  auto uri = call.compiler.value(call, call.arg(last));
  if (!uri) return;
  page.uri = std::move(*uri);
  ErrorPage bad_request = page;
  for (std::size_t i = 0; i < codes; ++i) {
    const auto code = error_code(call, call.arg(i));
    if (!code) return;
    (is_bad_request(*code) && !page.status ? bad_request : page).codes.push_back(*code);
  }
  auto& list = call.scope.settings->error_page;
  if (!list) list.emplace();
  if (!bad_request.codes.empty()) {
    bad_request.status = 400;
    list->push_back(std::move(bad_request));
  }
  if (!page.codes.empty()) list->push_back(std::move(page));
}

}  // namespace weir::config
