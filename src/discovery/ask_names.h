// Blocking look-ups by weir's own resolver (net/resolver.h): many names at a time, each for as long
// as its own time-out. Any thread; the calling one runs an event loop of its own meanwhile.
#pragma once

#include <vector>

#include "discovery/question.h"

namespace weir::discovery {

// In the order of the questions. Without a `resolver` of the question, names are found as the C
// library finds them: /etc/hosts and the servers and search list of /etc/resolv.conf; one that is
// not there is asked of the C library itself, which may have further sources (nsswitch.conf(5)).
// `at_most` bounds every time-out.
[[nodiscard]] std::vector<Addresses> ask_names(const std::vector<Question>& questions,
                                               Duration at_most = std::chrono::seconds{30});

[[nodiscard]] Addresses ask_name(const Question& question);

// getaddrinfo.
[[nodiscard]] Addresses resolve_with_system(const std::string& host);

}  // namespace weir::discovery
