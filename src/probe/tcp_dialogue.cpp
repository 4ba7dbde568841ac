#include "probe/tcp_dialogue.h"

#include "probe/verdict.h"

namespace weir::probe {

using upstream::CheckLayer;
using upstream::CheckResult;

std::optional<CheckResult> TcpDialogue::sent() {
  if (match_.expect) return std::nullopt;
  return CheckResult{.layer = CheckLayer::ok, .detail = "sent"};
}

std::optional<CheckResult> TcpDialogue::take(std::string_view bytes, std::string&) {
  received_.append(bytes.substr(0, kLimit - received_.size()));
  if (holds(*match_.expect, received_)) {
    return CheckResult{.layer = CheckLayer::ok, .detail = "got " + excerpt(received_)};
  }
  if (received_.size() < kLimit) return std::nullopt;
  return CheckResult{.layer = CheckLayer::response, .detail = "got too much, " + waits_for()};
}

CheckResult TcpDialogue::ended() {
  return {.layer = CheckLayer::response, .detail = "connection closed, " + waits_for()};
}

std::string TcpDialogue::waits_for() const {
  return "want " + test_text(*match_.expect) + ", got " +
         (received_.empty() ? "nothing" : excerpt(received_));
}

}  // namespace weir::probe
