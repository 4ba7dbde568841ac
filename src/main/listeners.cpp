#include "main/listeners.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

namespace weir::main {
namespace {

constexpr Duration kTryEvery{100};

// Whether the kernel may take one for a claim to the other's connections.
bool collide(const config::Listen& x, const config::Listen& y) {
  const auto& a = x.endpoint;
  const auto& b = y.endpoint;
  if (x.udp != y.udp || a.is_unix() || b.is_unix() || a.ip.port() != b.ip.port()) return false;
  return a.ip.is_wildcard() || b.ip.is_wildcard();
}

// Whether `wide` listens for all connections that would come to `narrow`.
bool covers(const config::Listen& wide, const config::Listen& narrow) {
  if (!collide(wide, narrow) || wide.endpoint == narrow.endpoint) return false;
  if (!wide.endpoint.ip.is_wildcard()) return false;
  const bool both = wide.endpoint.ip.is_v6() && !wide.ipv6only.value_or(true);
  return both || wide.endpoint.ip.family() == narrow.endpoint.ip.family();
}

void remove_file(const ListenGroup& group) {
  const auto& endpoint = group.listen.endpoint;
  if (endpoint.is_unix() && !group.keep_file) ::unlink(endpoint.unix_path.c_str());
}

void add_with_covered(const std::vector<ListenGroup>& from, std::vector<const ListenGroup*>& to) {
  for (const auto& group : from) {
    to.push_back(&group);
    for (const auto& covered : group.covered) to.push_back(&covered);
  }
}

// Whether a socket that listens has to be told of it.
bool has_other_settings(const config::Listen& now, const config::Listen& before) {
  return now.backlog != before.backlog || now.so_keepalive != before.so_keepalive ||
         now.keepalive_idle != before.keepalive_idle ||
         now.keepalive_interval != before.keepalive_interval ||
         now.keepalive_count != before.keepalive_count;
}

bool has(const std::vector<ListenGroup>& groups, const std::string& text) {
  return std::any_of(groups.begin(), groups.end(),
                     [&](const auto& group) { return group.listen.text == text; });
}

}  // namespace

net::ListenOptions to_options(const config::Listen& listen) {
  net::ListenOptions options;
  options.endpoint = listen.endpoint;
  options.udp = listen.udp;
  options.backlog = listen.backlog;
  options.ipv6only = listen.ipv6only.value_or(true);
  options.rcvbuf = listen.rcvbuf;
  options.sndbuf = listen.sndbuf;
  options.so_keepalive = listen.so_keepalive;
  options.keepalive_idle = listen.keepalive_idle;
  options.keepalive_interval = listen.keepalive_interval;
  options.keepalive_count = listen.keepalive_count;
  options.deferred = listen.deferred;
  options.fastopen = listen.fastopen;
  options.mode = listen.mode;
  return options;
}

std::vector<Listeners::Wanted> wanted_listeners(const config::Model& model) {
  std::vector<Listeners::Wanted> wanted;
  const auto add = [&](const config::Listen& listen, std::uint32_t sockets) {
    for (const auto& have : wanted) {
      if (have.listen.text == listen.text) return;
    }
    wanted.push_back({listen, sockets});
  };
  for (const auto& server : model.servers) {
    for (const auto& listen : server->listens) add(listen, model.workers);
  }
  for (const auto& server : model.streams) {
    for (const auto& listen : server->listens) add(listen, model.workers);
  }
  if (model.admin) {
    for (const auto& listen : model.admin->listens) add(listen, 1);
  }
  return wanted;
}

void Listeners::inherit(std::vector<UniqueFd> fds, bool keep_files) {
  for (auto& fd : fds) {
    const auto endpoint = net::listening_on(fd.get());
    if (!endpoint) continue;
    const bool udp = net::is_datagram(fd.get());
    const auto text = (udp ? std::string(net::kUdpMark) : std::string()) + endpoint->text();
    auto found = std::find_if(inherited_.begin(), inherited_.end(),
                              [&](const auto& group) { return group.listen.text == text; });
    if (found == inherited_.end()) {
      ListenGroup group;
      group.listen.text = text;
      group.listen.endpoint = *endpoint;
      group.listen.udp = udp;
      group.inherited = true;
      group.keep_file = keep_files;
      found = inherited_.insert(inherited_.end(), std::move(group));
    }
    found->sockets.push_back(numbered(std::move(fd)));
  }
}

ListenGroup::Socket Listeners::numbered(UniqueFd fd) {
  return {++last_id_, std::make_shared<const UniqueFd>(std::move(fd))};
}

std::vector<const ListenGroup*> Listeners::all_groups() const {
  std::vector<const ListenGroup*> all;
  add_with_covered(groups_, all);
  return all;
}

std::vector<const ListenGroup*> Listeners::at_hand() const {
  auto all = all_groups();
  add_with_covered(inherited_, all);
  return all;
}

const ListenGroup* Listeners::find(const std::string& text) const {
  for (const auto* group : at_hand()) {
    if (group->listen.text == text) return group;
  }
  return nullptr;
}

std::vector<ListenGroup> Listeners::prepare(const std::vector<Wanted>& wanted, Duration patience,
                                            std::string& error, std::string* missing) {
  std::vector<ListenGroup> groups;
  for (const auto& want : wanted) {
    ListenGroup group;
    if (const auto* have = find(want.listen.text)) {
      group = *have;
      group.covered.clear();
      group.listen = want.listen;
      // Siblings are let in by a socket that says so itself.
      if (group.inherited) {
        net::set_listener(group.sockets.front().fd->get(), to_options(want.listen));
      }
    } else {
      group.listen = want.listen;
      if (!open(group, groups, want.optional ? Duration{0} : patience, error)) {
        if (!want.optional) {
          error = want.listen.position.text() + ": listen: " + error;
          return {};
        }
        const auto why = std::exchange(error, {});
        if (missing != nullptr) *missing = why;
        continue;
      }
    }
    if (!add_siblings(group, want.sockets, error)) return {};
    groups.push_back(std::move(group));
  }
  cover(groups);
  return groups;
}

void Listeners::cover(std::vector<ListenGroup>& groups) const {
  for (const auto* narrow : at_hand()) {
    if (has(groups, narrow->listen.text)) continue;
    for (auto& group : groups) {
      if (!covers(group.listen, narrow->listen)) continue;
      group.covered.push_back(*narrow);
      group.covered.back().covered.clear();
      break;
    }
  }
}

bool Listeners::collides_with_own(const config::Listen& listen,
                                  const std::vector<ListenGroup>& fresh) const {
  auto own = at_hand();
  add_with_covered(fresh, own);
  return std::any_of(own.begin(), own.end(),
                     [&](const auto* group) { return collide(group->listen, listen); });
}

bool Listeners::open(ListenGroup& group, const std::vector<ListenGroup>& fresh, Duration patience,
                     std::string& error) {
  const auto options = to_options(group.listen);
  const SystemClock clock;
  const auto deadline = clock.now() + patience;
  for (;;) {
    auto fd = net::open_listener(options, false, error);
    // A wider or narrower address of our own is in the way, maybe one that goes with this very
    // reload: the kernel gives each connection to the narrowest.
    if (!fd && errno == EADDRINUSE && collides_with_own(group.listen, fresh)) {
      fd = net::open_listener(options, true, error);
    }
    if (fd) {
      group.sockets.push_back(numbered(std::move(fd)));
      return true;
    }
    if (errno != EADDRINUSE || clock.now() >= deadline) break;
    std::this_thread::sleep_for(kTryEvery);
  }
  return false;
}

bool Listeners::add_siblings(ListenGroup& group, std::uint32_t sockets, std::string& error) {
  const auto options = to_options(group.listen);
  while (group.sockets.size() < sockets && !options.endpoint.is_unix()) {
    auto fd = net::open_listener(options, true, error);
    if (!fd) {
      if (errno == EADDRINUSE || errno == EACCES || errno == EPERM) break;  // not of this account
      error = group.listen.position.text() + ": listen: " + error;
      return false;
    }
    group.sockets.push_back(numbered(std::move(fd)));
  }
  error.clear();
  return true;
}

void Listeners::commit(std::vector<ListenGroup> groups) {
  for (const auto& before : groups_) {
    const auto now = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
      return group.listen.text == before.listen.text;
    });
    if (now == groups.end()) {
      remove_file(before);
    } else if (has_other_settings(now->listen, before.listen)) {
      for (const auto& socket : now->sockets) {
        net::set_listener(socket.fd->get(), to_options(now->listen));
      }
    }
  }
  groups_ = std::move(groups);
  const auto taken = all_groups();
  std::erase_if(inherited_, [&](const auto& unused) {
    return std::any_of(taken.begin(), taken.end(),
                       [&](const auto* group) { return group->listen.text == unused.listen.text; });
  });
}

std::vector<std::string> Listeners::drop_unused() {
  std::vector<std::string> texts;
  for (const auto& group : std::exchange(inherited_, {})) texts.push_back(group.listen.text);
  return texts;
}

void Listeners::close(bool keep_files) {
  for (const auto& group : std::exchange(groups_, {})) {
    if (!keep_files) remove_file(group);
  }
}

}  // namespace weir::main
