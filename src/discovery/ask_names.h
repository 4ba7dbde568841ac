// Blocking look-ups of host names, for whoever may wait (discovery/name_asker.h is for all others).
// Any thread.
#pragma once

#include <vector>

#include "discovery/question.h"
#include "discovery/system_lookups.h"

namespace weir::discovery {

// In the order of the questions; all are asked at the same time. `at_most` bounds every time-out.
[[nodiscard]] std::vector<Addresses> ask_names(const std::vector<Question>& questions,
                                               Duration at_most = std::chrono::seconds{30});

[[nodiscard]] Addresses ask_name(const Question& question);

}  // namespace weir::discovery
