// stream { }: its servers, and what they do with a connection.
#include <algorithm>

#include "config/address_text.h"
#include "config/handlers.h"
#include "config/stream_handlers.h"

namespace weir::config {
namespace {

// What the text names: an upstream of stream, or a peer of its own.
void find_peers(const Call& call, StreamDraft& server) {
  auto& compiler = call.compiler;
  const auto& text = call.arg(0).text;
  if (const auto named = compiler.find_upstream(text)) {
    server.upstream = *named;
    server.host = text;
    return;
  }
  AddressRules rules;
  rules.default_port = 0;
  std::string error;
  const auto address = parse_address(text, rules, error);
  if (!address) return call.error(call.arg(0), "invalid address " + quote(text) + ": " + error);
  const auto& where = address->where;
  if (where.port == 0 && where.unix_path.empty()) {
    return call.error(call.arg(0), "there is no upstream " + quote(text) +
                                       " in stream, and no port for a host; write HOST:PORT");
  }
  server.host = where.unix_path.empty() ? address->host_text : "localhost";
  server.upstream = compiler.implicit_upstream(where, text, call.directive.position);
}

bool has(const Block& block, std::string_view name) {
  return std::any_of(block.begin(), block.end(),
                     [&](const Directive& directive) { return directive.name == name; });
}

bool has_handler(const Call& call) {
  const auto& server = *call.scope.stream_server;
  if (!server.upstream && server.target.empty() && !server.answer) return false;
  call.error("proxy_pass and return do not go together in a server; keep one of them");
  return true;
}

}  // namespace

void compile_stream(const Call& call) {
  auto& compiler = call.compiler;
  Scope scope;
  scope.contexts = in_stream;
  scope.settings = &compiler.stream_settings();
  scope.stream = &compiler.stream_own_settings();
  compiler.enter_stream();
  compiler.walk(call.directive.block, scope);
  compiler.leave_stream();
}

void compile_stream_server(const Call& call) {
  auto server = std::make_unique<StreamDraft>();
  server->root.position = call.directive.position;
  server->root.path = "/";
  Scope scope;
  scope.contexts = in_stream_server;
  scope.settings = &server->root.settings;
  scope.server = server.get();
  scope.location = &server->root;
  scope.rules = &server->root.rules;
  scope.stream = &server->own;
  scope.stream_server = server.get();
  call.compiler.walk(call.directive.block, scope);
  // One that is there and wrong was told of already.
  const auto& block = call.directive.block;
  if (!has(block, "listen")) {
    call.error("no address to listen on; write listen ADDRESS:PORT");
  } else if (!has(block, "proxy_pass") && !has(block, "return")) {
    call.error("it does nothing with its connections; write proxy_pass, or return");
  }
  call.compiler.add_stream(std::move(server));
}

void compile_stream_proxy_pass(const Call& call) {
  if (has_handler(call)) return;
  auto& server = *call.scope.stream_server;
  if (call.arg(0).text.find('$') == std::string::npos) return find_peers(call, server);
  if (auto target = call.compiler.value(call, call.arg(0))) server.target = std::move(*target);
}

void compile_stream_return(const Call& call) {
  if (has_handler(call)) return;
  if (auto text = call.compiler.value(call, call.arg(0))) {
    call.scope.stream_server->answer = std::move(*text);
  }
}

void compile_proxy_responses(const Call& call) {
  const auto number = number_argument(call, call.arg(0), 0, 0x7fffffff);
  if (number) call.scope.stream->proxy_responses = std::optional<std::uint32_t>(*number);
}

}  // namespace weir::config
