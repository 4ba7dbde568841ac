// The registries of a configuration, one reader for each upstream that has one. A reader outlives
// reloads as long as its settings are the same; where only the way to the same nodes is another,
// the new one begins with the old one's list. Control thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/model.h"
#include "discovery/registry_reader.h"
#include "discovery/static.h"
#include "upstream/peer.h"

namespace weir::discovery {

class Registries {
 public:
  Registries(boost::asio::io_context& io, const Clock& clock, Log& log, registry::Random random,
             std::function<void()> changed);
  ~Registries() { stop(); }

  // Starts what `model` has and is not read yet, beside what is in force, and calls `ready` when
  // each has been read or could not be, or after kPatience. From within, where nothing is new.
  static constexpr Duration kPatience{1000};
  void prepare(const config::Model& model, std::function<void()> ready);
  // `model` is in force: what was prepared for it replaces what was before. Without one, prepare()
  // was in vain.
  void commit();
  void discard();
  void stop();

  // The peers of an upstream, of what is in force or of what is prepared, that come from its
  // registry, by slot. Host names are looked up; one without an address gives no peer.
  [[nodiscard]] std::vector<upstream::PeerSpec> peers(const config::UpstreamConfig& upstream,
                                                      const Resolver& resolver) const;
  // The host names among the nodes.
  [[nodiscard]] std::set<std::string> host_names() const;
  // Of an upstream in force; nullopt: it has no registry.
  [[nodiscard]] std::optional<RegistryStatus> status(const std::string& upstream) const;

 private:
  using Readers = std::map<std::string, std::shared_ptr<RegistryReader>>;
  [[nodiscard]] std::shared_ptr<RegistryReader> reader_for(const config::UpstreamConfig& upstream);
  [[nodiscard]] const RegistryReader* reader_of(const config::UpstreamConfig& upstream) const;
  void check_ready();
  void on_change();

  boost::asio::io_context& io_;
  const Clock& clock_;
  Log& log_;
  registry::Random random_;
  std::function<void()> changed_;
  Readers present_;
  std::optional<Readers> pending_;
  std::function<void()> ready_;
  bool missed_ = false;  // something changed while pending_
  boost::asio::steady_timer patience_;
};

}  // namespace weir::discovery
