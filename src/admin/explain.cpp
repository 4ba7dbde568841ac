#include "admin/explain.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "admin/peer_view.h"
#include "admin/utf8.h"
#include "config/locations.h"
#include "config/suggest.h"
#include "config/units.h"

namespace weir::admin {
namespace {

namespace json = boost::json;
using Looked = proxy::LocationNode::Looked;
using proxy::Explanation;
using upstream::Reason;

// ---- the request
// ---------------------------------------------------------------------------------------

// Would end its line, or the head.
bool breaks_line(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// "https://a.example:8443/x?y" taken apart; a path alone has no host.
struct Uri {
  std::string host;  // with its port
  std::string path = "/";
  bool absolute = false;
  bool secure = false;
  std::uint16_t port = 0;
};

Uri take_apart(std::string_view text) {
  Uri uri;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    uri.absolute = true;
    uri.secure = scheme.size() == 8;
    uri.port = uri.secure ? 443 : 80;
    text.remove_prefix(scheme.size());
    const auto end = std::min(text.find_first_of("/?"), text.size());
    uri.host = text.substr(0, end);
    text.remove_prefix(end);
    const auto colon = uri.host.rfind(':');
    if (colon == std::string::npos || uri.host.ends_with(']')) break;
    const auto number = config::parse_number(std::string_view(uri.host).substr(colon + 1));
    if (number && *number <= 0xffff) uri.port = static_cast<std::uint16_t>(*number);
    break;
  }
  if (!text.empty()) uri.path = text.starts_with('/') ? std::string(text) : "/" + std::string(text);
  return uri;
}

// The listener that the request would come to: the one that is named, that of the URI's port, the
// first one.
const proxy::ListenNode* find_listener(const proxy::Runtime& runtime, const Uri& uri,
                                       const std::string& wanted) {
  const auto port_of = [](const proxy::ListenNode& node) {
    return node.listen.endpoint.is_unix() ? 0 : node.listen.endpoint.ip.port();
  };
  for (const auto& node : runtime.listens) {
    const auto& text = node->listen.text;
    if (!wanted.empty() && (text == wanted || text.ends_with(":" + wanted))) return node.get();
    if (wanted.empty() && uri.absolute && port_of(*node) == uri.port) return node.get();
  }
  if (!wanted.empty() || runtime.listens.empty()) return nullptr;
  for (const auto& node : runtime.listens) {
    if (uri.absolute && node->listen.ssl == uri.secure) return node.get();
  }
  return runtime.listens.front().get();
}

bool is_method(std::string_view text) {
  return !text.empty() && text.size() < 32 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
}

}  // namespace

proxy::Question make_question(const proxy::Runtime& runtime, const Command& command,
                              std::string& error) {
  proxy::Question question;
  const auto client = command.option("client");
  const auto address = IpAddress::parse(client.empty() ? "127.0.0.1" : client);
  if (!address) error = "invalid address " + config::quote(client) + " in client";
  question.client = address.value_or(IpAddress{});
  const auto text = command.option("uri");
  const auto uri = take_apart(text);
  if (breaks_line(text) || text.find(' ') != std::string::npos) {
    error = "invalid uri " + config::quote(text) + "; write blanks as %20";
  }
  const auto method = command.option("method").empty() ? "GET" : command.option("method");
  if (!is_method(method)) error = "invalid method " + config::quote(method);
  const auto wanted = command.option("listen");
  const auto* listen = find_listener(runtime, uri, wanted);
  if (listen == nullptr) {
    error = wanted.empty() ? "weir listens nowhere" : "nothing listens on " + config::quote(wanted);
    return question;
  }
  question.listen = listen->listen.text;
  question.secure = listen->listen.ssl;
  auto host = command.option("host").empty() ? uri.host : command.option("host");
  if (host.empty()) host = listen->hosts.default_server().config->primary_name;
  if (host.empty()) host = "localhost";
  if (breaks_line(host)) error = "invalid host " + config::quote(host);
  question.head = method + " " + uri.path + " HTTP/1.1\r\nHost: " + host + "\r\n";
  const auto [begin, end] = command.options.equal_range("header");
  for (auto it = begin; it != end; ++it) {
    const auto colon = it->second.find(':');
    if (colon == std::string::npos || colon == 0 || breaks_line(it->second)) {
      error = "invalid header " + config::quote(it->second) + "; write \"Name: value\"";
    }
    question.head += it->second + "\r\n";
  }
  question.head += "\r\n";
  return question;
}

namespace {

// ---- what came of it
// -----------------------------------------------------------------------------------

std::string shown(const config::Location& location) {
  if (location.kind == config::LocationKind::unnamed) return location.path + " (a block inside)";
  const auto text = config::location_text(location);
  return text.empty() ? "(the server itself)" : text;
}

const char* to_string(Looked looked) {
  switch (looked) {
    case Looked::exact:
      return "exactly this path";
    case Looked::prefix:
      return "the longest prefix";
    case Looked::regex:
      return "the first expression that matches";
    case Looked::no_match:
      return "does not match";
  }
  return "";
}

// Which of its names the server was found by.
std::string found_by(const Explanation& out) {
  if (out.only_server) return "the only server of this address";
  using Kind = config::ServerName::Kind;
  for (const auto& name : out.server->config->names) {
    const std::string_view host = out.host;
    const bool match = name.kind == Kind::exact               ? host == name.text
                       : name.kind == Kind::trailing_wildcard ? host.starts_with(name.text)
                       : name.kind == Kind::leading_wildcard
                           ? host.ends_with(name.text) || "." + out.host == name.text
                           : name.pattern.regex->match(host, nullptr);
    if (match)
      return "its name " + name.text + (name.kind == Kind::regex ? name.pattern.regex->text() : "");
  }
  return "the default server of this address";
}

json::array trail_json(const Explanation& out) {
  json::array trail;
  for (const auto& [location, looked] : out.tried) {
    trail.push_back(json::object{{"location", to_utf8(shown(*location))},
                                 {"at", to_utf8(location->position.text())},
                                 {"result", to_string(looked)}});
  }
  return trail;
}

json::array named_json(const Explanation& out) {
  json::array list;
  for (const auto& named : out.pick.named) {
    list.push_back(
        json::object{{"value", named.value},
                     {"point", named.point},
                     {"peer", to_utf8(out.pool->peers()[named.slot]->text)},
                     {"taken", named.taken},
                     {"why_not", named.taken ? "" : to_utf8(out.pick.peers[named.slot].why_not)}});
  }
  return list;
}

json::array peers_json(const Source& source, const Explanation& out) {
  json::array list;
  const auto peers = out.pool->peers();
  for (std::size_t i = 0; i < out.pick.peers.size(); ++i) {
    const auto& seen = out.pick.peers[i];
    const auto view = view_peer(source, *out.pool, i, source.clock->now());
    list.push_back(json::object{{"name", to_utf8(peers[i]->spec.name)},
                                {"address", to_utf8(peers[i]->text)},
                                {"chosen", out.pick.has_peer && out.pick.index == i},
                                {"why_not", to_utf8(seen.why_not)},
                                {"state", to_string(view.state)},
                                {"reason", to_utf8(view.reason)},
                                {"backup", seen.numbers.backup},
                                {"weight", seen.numbers.weight},
                                {"first_point", seen.first_point},
                                {"effective_weight", seen.effective_weight},
                                {"current_weight", seen.current_weight},
                                {"conns", seen.conns},
                                {"score", seen.score},
                                {"header_time_ms", seen.header_time},
                                {"response_time_ms", seen.response_time}});
  }
  return list;
}

json::object pool_json(const Source& source, const Explanation& out) {
  json::object pool = {{"name", to_utf8(out.pool->name())},
                       {"balance", config::to_string(out.pool->balance())},
                       {"maintenance", out.maintenance}};
  if (out.maintenance) return pool;
  pool["reason"] = upstream::to_string(out.pick.reason);
  pool["skipped"] = upstream::to_string(out.pick.skipped);
  pool["by_slots"] = out.pick.by_slots;
  if (!out.key.empty()) pool["key"] = to_utf8(out.key);
  pool["total_weight"] = out.pick.total_weight;
  pool["ring_points"] = out.pick.ring_points;
  pool["named"] = named_json(out);
  pool["peers"] = peers_json(source, out);
  return pool;
}

json::object to_json(const Source& source, const Explanation& out, const std::string& listen) {
  json::array notes;
  for (const auto& note : out.notes) notes.emplace_back(to_utf8(note));
  const auto& server = *out.server->config;
  const auto& name = server.primary_name;
  json::object all = {{"listen", to_utf8(listen)},
                      {"client", to_utf8(out.client)},
                      {"server", json::object{{"name", to_utf8(name.empty() ? "_" : name)},
                                              {"at", to_utf8(server.position.text())},
                                              {"by", to_utf8(found_by(out))}}},
                      {"path", to_utf8(out.path)},
                      {"args", to_utf8(out.args)},
                      {"tried", trail_json(out)},
                      {"location", json::object{{"location", to_utf8(shown(*out.location))},
                                                {"at", to_utf8(out.location->position.text())}}},
                      {"notes", std::move(notes)},
                      {"status", nullptr},
                      {"pool", nullptr},
                      {"peer", nullptr}};
  if (out.status != 0) all["status"] = out.status;
  if (!out.redirect.empty()) all["redirect"] = to_utf8(out.redirect);
  if (out.pool == nullptr) return all;
  all["pool"] = pool_json(source, out);
  if (out.maintenance) return all;
  if (out.pick.has_peer) {
    all["peer"] = to_utf8(out.pool->peers()[out.pick.index]->text);
  } else {
    all["status"] = out.none_left;
  }
  return all;
}

}  // namespace

void explain(const Source& source, const Command& command, const Answer& answer) {
  const auto runtime = source.present();
  if (runtime == nullptr || !source.explain) return answer(refusal(503, "weir does not serve yet"));
  std::string error;
  auto question = make_question(*runtime, command, error);
  if (!error.empty()) return answer(refusal(400, error));
  const auto listen = question.listen;
  source.explain(std::move(question), [&source, listen, answer](const auto& out) {
    if (!out->problem.empty()) return answer(refusal(409, out->problem));
    answer(json_page(200, to_json(source, *out, listen)));
  });
}

}  // namespace weir::admin
