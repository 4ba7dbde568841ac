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

}  // namespace

void Compiler::finish_streams(TlsContexts& tls) {
  for (auto& draft : streams_) {
    auto server = make_server(*draft, stream_, stream_own_, model_->dialect);
    tls.prepare(*server);
    if (server->options.proxy_ssl) {
      server->peer_tls = tls.client(server->root->request, server->position);
    }
    model_->streams.push_back(std::move(server));
  }
  name_stream_upstreams();
  check_stream_listens();
  // Whether an application behind UDP is there, a connection by TCP does not tell.
  for (const auto& server : model_->streams) {
    const bool udp = std::any_of(server->listens.begin(), server->listens.end(),
                                 [](const Listen& listen) { return listen.udp; });
    if (udp && server->options.proxy_protocol) {
      diagnostics_.error(server->position,
                         "server: proxy_protocol is told over TCP only; remove it, or \"udp\"");
    }
    if (!udp || !server->upstream) continue;
    auto& upstream = model_->upstreams[*server->upstream];
    const bool by_default = upstream.health_check &&
                            upstream.health_check->position.line == upstream.position.line &&
                            upstream.health_check->position.column == upstream.position.column;
    if (by_default) upstream.health_check.reset();
  }
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
