// Servers of stream: inheritance, defaults, and what only all of them together tell.
#include <algorithm>
#include <map>
#include <set>

#include "config/resolve.h"
#include "config/resolve_tls.h"
#include "config/suggest.h"
#include "config/text.h"

namespace weir::config {
namespace {

std::unique_ptr<StreamServer> make_server(StreamDraft& draft, const Settings& outer,
                                          const StreamSettings& outer_own, Dialect dialect) {
  auto server = std::make_unique<StreamServer>();
  server->position = draft.root.position;
  server->names.push_back({ServerName::Kind::exact, "", {}});
  server->listens = std::move(draft.listens);
  draft.root.settings.inherit(outer);
  server->root = std::make_unique<Location>();
  server->root->path = draft.root.path;
  server->root->position = draft.root.position;
  server->root->request = request_config(draft.root.settings, dialect);
  server->root->rules = std::move(draft.root.rules);
  draft.own.inherit(outer_own);
  server->options = draft.own.options();
  server->upstream = draft.upstream;
  server->target = std::move(draft.target);
  server->answer = std::move(draft.answer);
  server->host = std::move(draft.host);
  return server;
}

// What comes to an address of the admin listener never reaches a server.
void check_admin_listens(const Model& model, Diagnostics& diagnostics) {
  if (!model.admin) return;
  const auto check = [&](const std::vector<Listen>& listens) {
    for (const auto& listen : listens) {
      for (const auto& own : model.admin->listens) {
        if (own.text != listen.text) continue;
        diagnostics.error(listen.position, "listen: the admin listener is on " + listen.text +
                                               ", at " + own.position.text() +
                                               "; give one of them another address");
      }
    }
  };
  for (const auto& server : model.servers) check(server->listens);
  for (const auto& server : model.streams) check(server->listens);
}

bool listens_by(const StreamServer& server, bool udp) {
  return std::any_of(server.listens.begin(), server.listens.end(),
                     [udp](const Listen& listen) { return listen.udp == udp; });
}

// Whether nobody has written it.
bool has_default_check(const UpstreamConfig& upstream) {
  if (upstream.health_checks.size() != 1) return false;
  const auto& position = upstream.health_checks.front().position;
  return position.line == upstream.position.line && position.column == upstream.position.column;
}

// Whether an application behind UDP is there, a connection by TCP does not tell. A target made of
// variables may be any upstream of stream; one that serves TCP as well keeps its check.
void drop_checks_of_datagrams(Model& model) {
  std::set<std::uint32_t> by_tcp;
  std::set<std::uint32_t> by_udp;
  bool any_by_udp = false;
  for (const auto& server : model.streams) {
    const bool udp = listens_by(*server, true);
    if (!server->upstream) {
      any_by_udp = any_by_udp || (udp && !server->target.empty());
      continue;
    }
    if (udp) by_udp.insert(*server->upstream);
    if (listens_by(*server, false)) by_tcp.insert(*server->upstream);
  }
  for (std::uint32_t i = 0; i < model.upstreams.size(); ++i) {
    auto& upstream = model.upstreams[i];
    const bool udp = upstream.stream && (any_by_udp || by_udp.contains(i));
    if (udp && !by_tcp.contains(i) && has_default_check(upstream)) upstream.health_checks.clear();
  }
}

}  // namespace

void Compiler::finish_streams(TlsContexts& tls) {
  for (auto& draft : streams_) {
    auto server = make_server(*draft, stream_, stream_own_, model_->dialect);
    tls.prepare(*server, {});
    if (server->options.proxy_ssl) {
      server->peer_tls = tls.client(server->root->request, server->position);
    }
    model_->streams.push_back(std::move(server));
  }
  name_stream_upstreams();
  check_stream_listens();
  for (const auto& server : model_->streams) {
    const auto* upstream = server->upstream ? &model_->upstreams[*server->upstream] : nullptr;
    const bool told = server->options.proxy_protocol ||
                      (upstream != nullptr && upstream->proxy_protocol != ProxyProtocol::off);
    if (listens_by(*server, true) && told) {
      diagnostics_.error(server->position,
                         "server: proxy_protocol is told over TCP only; remove it, or \"udp\"");
    }
  }
  drop_checks_of_datagrams(*model_);
}

// Names are unique, for metrics and for operators: a pool of stream that is called as one of http
// is "stream:NAME" there.
void Compiler::name_stream_upstreams() {
  std::set<std::string> taken;
  for (const auto& upstream : model_->upstreams) {
    if (!upstream.stream) taken.insert(lower(upstream.name));
  }
  for (auto& upstream : model_->upstreams) {
    if (upstream.stream && taken.contains(lower(upstream.name))) upstream.name.insert(0, "stream:");
  }
}

void Compiler::check_stream_listens() {
  std::map<std::string, const Listen*> taken;
  for (const auto& server : model_->servers) {
    for (const auto& listen : server->listens) taken.emplace(listen.text, &listen);
  }
  check_admin_listens(*model_, diagnostics_);
  for (const auto& server : model_->streams) {
    for (const auto& listen : server->listens) {
      const auto [other, fresh] = taken.emplace(listen.text, &listen);
      if (!fresh) {
        diagnostics_.error(listen.position,
                           "listen: a server listens on " + listen.text + " already, at " +
                               other->second->position.text() +
                               "; give each an address of its own, or tell what clients ask for "
                               "by ssl_preread and a map");
      }
      const bool certified = server->tls != nullptr && (server->tls->has_certificate() ||
                                                        server->root->request.ssl_reject_handshake);
      if (listen.ssl && !certified) {
        diagnostics_.error(listen.position, "listen: there is no ssl_certificate for \"listen " +
                                                listen.text + " ssl\"; name one in this server");
      }
    }
  }
}

}  // namespace weir::config
