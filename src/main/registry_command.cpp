#include "main/registry_command.h"

#include <boost/asio/io_context.hpp>
#include <cstdio>

#include "main/registry_options.h"
#include "registry/layout.h"
#include "registry/scripts.h"

namespace weir::main {
namespace {

using registry::kSlots;
using What = RegistryCommand::What;

void show(std::size_t id, const registry::RespValue& answer, const registry::RespValue& lease) {
  std::string error;
  const auto node = registry::read_record(answer, error);
  if (!node) {
    if (!error.empty()) std::printf("%2zu  %s\n", id, error.c_str());
    return;
  }
  std::printf("%2zu  %-24s %-9s %5.1fs  %-8s %6u  %s%s%s\n", id, node->addr.c_str(),
              registry::to_string(node->state), static_cast<double>(lease.integer) / 1000,
              node->mode.empty() ? "(all)" : node->mode.c_str(), node->weight,
              node->instance.c_str(), node->version.empty() ? "" : "  ", node->version.c_str());
}

class Session {
 public:
  Session(boost::asio::io_context& io, RegistryCommand command, registry::LinkOptions options)
      : command_(std::move(command)),
        link_(io, std::move(options), [](std::uint64_t) { return 0; },
              {.on_up = [this] { ask(); },
               .on_down = [this](const std::string& error) { fail(error); }}) {}

  int run(boost::asio::io_context& io) {
    link_.start();
    io.run();
    return status_;
  }

 private:
  void ask() {
    std::string commands;
    std::size_t count = 1;
    if (command_.what == What::list) {
      for (std::size_t id = 0; id < kSlots; ++id) {
        commands += registry::read_command(command_.place.app, id);
        commands += registry::format_command({"PTTL", registry::node_key(command_.place.app, id)});
      }
      count = 2 * kSlots;
    } else if (command_.what == What::release) {
      commands = registry::force_release_command(command_.place.app, command_.id);
    } else {
      commands =
          registry::drain_command(command_.place.app, command_.id, command_.what == What::drain);
    }
    link_.send(std::move(commands), count, [this](const registry::Reply& reply) {
      if (reply.ok()) take(reply);
    });
  }

  void take(const registry::Reply& reply) {
    link_.stop();
    const auto& first = reply.values.front();
    if (first.is_error() && !first.is_error("WRONGTYPE")) return fail(first.text);
    status_ = 0;
    if (command_.what == What::list) {
      std::printf("ID  %-24s %-9s %6s  %-8s %6s  %s\n", "ADDRESS", "STATE", "LEASE", "MODE",
                  "WEIGHT", "INSTANCE");
      for (std::size_t id = 0; id < kSlots; ++id) {
        show(id, reply.values[2 * id], reply.values[2 * id + 1]);
      }
    } else if (first.integer != 1) {
      fail("nobody holds ID " + std::to_string(command_.id) + " of \"" + command_.place.app + "\"");
    }
  }

  void fail(const std::string& error) {
    link_.stop();
    std::fprintf(stderr, "weir registry: %s\n", error.c_str());
    status_ = 1;
  }

  RegistryCommand command_;
  registry::Link link_;
  int status_ = 1;
};

}  // namespace

int registry_command(int count, char** arguments) {
  RegistryCommand command;
  int status = 0;
  if (parse_registry(count, arguments, command, status)) return status;
  registry::LinkOptions options;
  if (const auto error = make_link_options(command.place, options); !error.empty()) {
    std::fprintf(stderr, "weir registry: %s\n", error.c_str());
    return 1;
  }
  boost::asio::io_context io;
  return Session(io, std::move(command), std::move(options)).run(io);
}

}  // namespace weir::main
