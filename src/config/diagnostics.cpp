#include "config/diagnostics.h"

#include "base/mask.h"

namespace weir::config {

std::string Position::text() const {
  std::string out = file ? *file : std::string("configuration");
  if (line == 0) return out;
  return out + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string Diagnostic::text() const {
  const char* word = severity == Severity::error     ? "error"
                     : severity == Severity::warning ? "warning"
                                                     : "note";
  return position.text() + ": " + word + ": " + mask_passwords(message);
}

void Diagnostics::error(const Position& position, std::string message) {
  if (full()) return;
  ++errors_;
  list_.push_back({Diagnostic::Severity::error, position, std::move(message)});
}

void Diagnostics::warning(const Position& position, std::string message) {
  if (warned_enough()) return;
  list_.push_back({Diagnostic::Severity::warning, position, std::move(message)});
}

}  // namespace weir::config
