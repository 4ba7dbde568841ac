// Bytes sent, and bytes that must come: `send` and `expect` of a match.
#pragma once

#include "probe/dialogue.h"

namespace weir::probe {

class TcpDialogue : public Dialogue {
 public:
  static constexpr std::size_t kLimit = 16 * 1024;  // more of what comes is not looked at

  // `match` must outlive it.
  explicit TcpDialogue(const config::MatchConfig& match) : match_(match) {}

  [[nodiscard]] std::string opening() override { return match_.send; }
  [[nodiscard]] std::optional<upstream::CheckResult> sent() override;
  [[nodiscard]] std::optional<upstream::CheckResult> take(std::string_view bytes,
                                                          std::string& reply) override;
  [[nodiscard]] upstream::CheckResult ended() override;
  [[nodiscard]] std::string waits_for() const override;

 private:
  const config::MatchConfig& match_;
  std::string received_;
};

}  // namespace weir::probe
