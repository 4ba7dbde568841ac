// Servers that share an address, and names that they share there.
#include <algorithm>
#include <map>

#include "config/resolve.h"
#include "config/suggest.h"

namespace weir::config {
namespace {

void copy_socket_options(const Listen& from, Listen& to) {
  to.backlog = from.backlog;
  to.reuseport = from.reuseport;
  to.ipv6only = from.ipv6only;
  to.rcvbuf = from.rcvbuf;
  to.sndbuf = from.sndbuf;
  to.so_keepalive = from.so_keepalive;
  to.keepalive_idle = from.keepalive_idle;
  to.keepalive_interval = from.keepalive_interval;
  to.keepalive_count = from.keepalive_count;
  to.deferred = from.deferred;
  to.fastopen = from.fastopen;
}

}  // namespace

void join_listens(Model& model, Diagnostics& diagnostics) {
  std::map<std::string, std::vector<Listen*>> sockets;
  for (const auto& server : model.servers) {
    for (auto& listen : server->listens) sockets[listen.text].push_back(&listen);
  }
  for (auto& [text, listens] : sockets) {
    const Listen* options = nullptr;
    const Listen* chosen = nullptr;
    const bool proxy_protocol = std::any_of(listens.begin(), listens.end(),
                                            [](const Listen* l) { return l->proxy_protocol; });
    const bool ssl =
        std::any_of(listens.begin(), listens.end(), [](const Listen* l) { return l->ssl; });
    const bool http2 =
        std::any_of(listens.begin(), listens.end(), [](const Listen* l) { return l->http2; });
    for (Listen* listen : listens) {
      listen->proxy_protocol = proxy_protocol;
      listen->ssl = ssl;
      listen->http2 = http2;
      if (listen->default_server) {
        if (chosen != nullptr) {
          diagnostics.error(listen->position, "listen: duplicate default server for " + text +
                                                  "; first at " + chosen->position.text());
        }
        chosen = listen;
      }
      if (listen->has_options) {
        if (options != nullptr) {
          diagnostics.error(listen->position, "listen: duplicate listen options for " + text +
                                                  "; first at " + options->position.text());
        }
        options = listen;
      }
    }
    if (options == nullptr) continue;
    for (Listen* listen : listens) {
      if (listen != options) copy_socket_options(*options, *listen);
    }
  }
}

// nginx: "conflicting server name, ignored".
void warn_conflicts(const Model& model, Diagnostics& diagnostics) {
  std::map<std::string, const ServerConfig*> taken;
  for (const auto& server : model.servers) {
    for (const auto& listen : server->listens) {
      for (const auto& name : server->names) {
        if (name.kind == ServerName::Kind::regex) continue;
        const std::string key =
            listen.text + ' ' + std::to_string(static_cast<int>(name.kind)) + name.text;
        const auto [other, fresh] = taken.emplace(key, server.get());
        if (!fresh) {
          diagnostics.warning(server->position, "server_name: conflicting name " +
                                                    quote(name.text) + " on " + listen.text +
                                                    " is ignored; first at " +
                                                    other->second->position.text());
        }
      }
    }
  }
}

}  // namespace weir::config
