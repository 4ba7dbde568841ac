// The verb `explain`: a request made of its options, and what the way of it through weir looks
// like. Control thread only.
#pragma once

#include "admin/api.h"
#include "admin/verbs.h"

namespace weir::admin {

void explain(const Source& source, const Command& command, const Answer& answer);

// Made of the options client, uri, host, header, method and listen. `error`: what is wrong with
// them.
[[nodiscard]] proxy::Question make_question(const proxy::Runtime& runtime, const Command& command,
                                            std::string& error);

}  // namespace weir::admin
