// The listening sockets of the program, as the master keeps them: they outlive every engine, and
// may come from outside (a binary upgrade, socket activation). One thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "config/model.h"
#include "net/socket.h"

namespace weir::main {

// The sockets that listen on one address.
struct ListenGroup {
  struct Socket {
    std::uint64_t id = 0;
    std::shared_ptr<const UniqueFd> fd;
  };
  config::Listen listen;
  std::vector<Socket> sockets;  // several share the address, see Listeners
  bool inherited = false;       // another program may have them, too
  bool keep_file = false;       // the file of a Unix socket is that program's
  // Narrower addresses that were listened on before, and that the kernel gives connections to as
  // long as their sockets are open: closing them would lose some.
  std::vector<ListenGroup> covered;
};

class Listeners {
 public:
  // Sockets of another program: taken for the addresses that they listen on, as soon as a
  // configuration asks for these. Takes over the descriptors. `keep_files`: socket files stay when
  // weir ends.
  void inherit(std::vector<UniqueFd> fds, bool keep_files);

  struct Wanted {
    config::Listen listen;
    std::uint32_t sockets = 1;  // as many as there are workers: each accepts from its own
    bool optional = false;      // weir serves without it, too; `missing` says why there is none
  };
  // Sockets for all that is `wanted`: those at hand, the others are opened. Empty and `error` says
  // why not ("file:line:col: listen: bind() to ..."); nothing has changed then. An address that is
  // in use is tried again for `patience`.
  //
  // Where a socket cannot have siblings (a Unix path, one inherited from another account) workers
  // share what there is. There may be more than wanted: none is closed while its address, or a
  // wider one, stays, since the connections in its queue would be lost.
  [[nodiscard]] std::vector<ListenGroup> prepare(const std::vector<Wanted>& wanted,
                                                 Duration patience, std::string& error,
                                                 std::string* missing = nullptr);
  // `groups` of prepare() are what listens from now on; what is not among them is closed.
  void commit(std::vector<ListenGroup> groups);
  // Closes all. `keep_files`: socket files stay for the program that has the sockets, too.
  void close(bool keep_files);

  [[nodiscard]] const std::vector<ListenGroup>& groups() const { return groups_; }
  // All, with those that are covered.
  [[nodiscard]] std::vector<const ListenGroup*> all_groups() const;
  // What was inherited and nobody asked for: text forms of the addresses. They are closed.
  std::vector<std::string> drop_unused();

 private:
  // Those at hand: in force, covered, inherited.
  [[nodiscard]] std::vector<const ListenGroup*> at_hand() const;
  [[nodiscard]] const ListenGroup* find(const std::string& text) const;
  void cover(std::vector<ListenGroup>& groups) const;
  [[nodiscard]] ListenGroup::Socket numbered(UniqueFd fd);
  [[nodiscard]] bool collides_with_own(const config::Listen& listen,
                                       const std::vector<ListenGroup>& fresh) const;
  bool open(ListenGroup& group, const std::vector<ListenGroup>& fresh, Duration patience,
            std::string& error);
  bool add_siblings(ListenGroup& group, std::uint32_t sockets, std::string& error);

  std::uint64_t last_id_ = 0;
  std::vector<ListenGroup> groups_;
  std::vector<ListenGroup> inherited_;  // not asked for yet; listen.text and endpoint only
};

// What `model` listens on, each address once.
[[nodiscard]] std::vector<Listeners::Wanted> wanted_listeners(const config::Model& model);
[[nodiscard]] net::ListenOptions to_options(const config::Listen& listen);

}  // namespace weir::main
