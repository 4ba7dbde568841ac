#include "main/expiry_warnings.h"

#include <utility>

namespace weir::main {
namespace {

constexpr std::chrono::hours kDay{24};

enum Stage : int { none, two_weeks, three_days, expired };

Stage stage_of(Duration left) {
  if (left.count() <= 0) return expired;
  if (left <= 3 * kDay) return three_days;
  if (left <= 14 * kDay) return two_weeks;
  return none;
}

// One that weir renews itself, a third of its life before, is late only when a quarter is left:
// that of a short life is never told of otherwise.
bool is_late(const config::TlsCertificate& certificate, Duration left) {
  const auto& facts = certificate.facts;
  const std::chrono::seconds life{facts.not_after - facts.not_before};
  return !certificate.ordered || left < life / 4;
}

std::string span(Duration left) {
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(left).count();
  if (hours >= 48) return std::to_string(hours / 24) + " days";
  return std::to_string(hours) + (hours == 1 ? " hour" : " hours");
}

}  // namespace

std::vector<ExpiryWarnings::Warning> ExpiryWarnings::at(
    const std::vector<config::TlsCertificate>& certificates, WallTime now) {
  std::vector<Warning> out;
  std::map<std::string, Told> told;
  for (const auto& certificate : certificates) {
    const auto& facts = certificate.facts;
    const auto left = WallTime{std::chrono::seconds{facts.not_after}} - now;
    const auto stage = is_late(certificate, left) ? stage_of(left) : none;
    auto last = told_[facts.fingerprint];
    if (stage != none && (stage != last.stage || now - last.when >= kDay)) {
      last = {stage, now};
      const auto name = facts.names.empty() ? facts.subject : facts.names.front();
      const auto what = "certificates: \"" + certificate.path + "\" for " + name;
      out.push_back({stage == two_weeks ? LogLevel::warn : LogLevel::error,
                     stage == expired ? what + " has expired " + span(-left) + " ago"
                                      : what + " expires in " + span(left)});
    }
    told[facts.fingerprint] = last;
  }
  told_ = std::move(told);
  return out;
}

}  // namespace weir::main
