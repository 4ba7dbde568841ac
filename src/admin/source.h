// What the admin listener tells of. Filled in by the engine, read on the control thread only; all
// it points to must outlive the Server.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "discovery/names.h"
#include "discovery/registry_reader.h"
#include "probe/prober.h"
#include "proxy/explanation.h"
#include "proxy/runtime.h"
#include "proxy/stats.h"
#include "upstream/operator_state.h"

namespace weir::admin {

class History;

// What a change by an operator asks for.
enum class Effect : std::uint8_t {
  none,
  holds,  // which peers get requests
  pools,  // pools are to be made anew: weights, maintenance
};

struct Source {
  std::function<std::shared_ptr<const proxy::Runtime>()> runtime;  // the present one, or null
  std::function<std::vector<const proxy::WorkerStats*>()> workers;
  const probe::Prober* prober = nullptr;
  const Clock* clock = nullptr;
  Log* log = nullptr;
  std::function<bool()> draining;  // shutting down
  // Of an upstream; nullopt: it has no registry.
  std::function<std::optional<discovery::RegistryStatus>(const std::string& upstream)> registry;

  std::function<discovery::Names::Counts()> name_counts;  // host names of peers

  struct Reloads {
    std::uint64_t generation = 0;
    bool last_ok = false;
    WallTime last_at{};
    std::string last_error{};
    std::uint64_t failed = 0;
  };
  std::function<Reloads()> reloads;
  // Certificates that have changed on disk and are not good: by path, what is wrong.
  std::function<std::map<std::string, std::string>()> certificate_problems;
  // A certificate that is ordered from an ACME server.
  struct Order {
    std::string path;  // where it is kept
    std::string issuer;
    std::vector<std::string> names;
    WallTime next{};    // when it is ordered next
    std::string error;  // why the last order came to nothing; empty: it did not
  };
  std::function<std::vector<Order>()> orders;
  // What operators have set; null: nothing can be set.
  upstream::OperatorState* operators = nullptr;
  // Puts a change of it into force and has it kept. `done`, now or later: with nothing, or with why
  // it is not kept.
  std::function<void(Effect, std::function<void(const std::string&)> done)> changed;
  // Follows a request; `done` is called later, on the control thread.
  std::function<void(proxy::Question,
                     std::function<void(std::shared_ptr<const proxy::Explanation>)> done)>
      explain;
  std::function<std::string()> token;  // of those who may change things from afar; empty: nobody
  std::function<std::vector<std::string>()> hosts;               // names that browsers may ask by
  std::function<std::vector<discovery::Names::Status>()> names;  // of peers
  const History* history = nullptr;                              // the Server's
  WallTime started{};
  std::string version{};

  // Why the file of a certificate is not in force as it is now; empty: it is.
  [[nodiscard]] std::string certificate_problem(const config::TlsCertificate& certificate) const;

  // The functions above, with an answer where there is none (yet).
  [[nodiscard]] std::shared_ptr<const proxy::Runtime> present() const {
    return runtime ? runtime() : nullptr;
  }
  [[nodiscard]] std::optional<discovery::RegistryStatus> registry_of(
      const std::string& upstream) const {
    return registry ? registry(upstream) : std::nullopt;
  }
  [[nodiscard]] bool is_draining() const { return draining && draining(); }
};

// What is asked of a responder of OCSP about the certificate of that path; null: nothing.
[[nodiscard]] const tls::AskedStaple* staple_of(const config::Model& model,
                                                const std::string& path);

}  // namespace weir::admin
