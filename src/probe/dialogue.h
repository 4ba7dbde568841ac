// What a check says over a connection to a peer, and what it makes of the answer: bytes in,
// a verdict out. No I/O, no clock; used by one check, on its thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/model.h"
#include "upstream/health.h"

namespace weir::probe {

class Dialogue {
 public:
  Dialogue() = default;
  virtual ~Dialogue() = default;
  Dialogue(const Dialogue&) = delete;
  Dialogue& operator=(const Dialogue&) = delete;

  // What to send first; may be empty.
  [[nodiscard]] virtual std::string opening() = 0;
  // It has been sent. Here as below: a verdict, once there is one, ends the dialogue.
  [[nodiscard]] virtual std::optional<upstream::CheckResult> sent() { return std::nullopt; }
  // Takes bytes received. What is to be sent now is appended to `reply`.
  [[nodiscard]] virtual std::optional<upstream::CheckResult> take(std::string_view bytes,
                                                                  std::string& reply) = 0;
  // The peer has ended the connection.
  [[nodiscard]] virtual upstream::CheckResult ended() = 0;
  // What it waits for, as it stands in reasons: "the answer".
  [[nodiscard]] virtual std::string waits_for() const { return "the answer"; }
  // After the verdict: the answer was taken to its end, and the peer waits for another request.
  [[nodiscard]] virtual bool reusable() const { return false; }
};

// The dialogue that the check asks for; null: a connection is enough.
[[nodiscard]] std::unique_ptr<Dialogue> make_dialogue(const config::HealthCheckConfig& check,
                                                      const upstream::PeerSpec& peer);

}  // namespace weir::probe
