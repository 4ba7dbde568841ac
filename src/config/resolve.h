// The last step of the compiler: drafts of servers and locations become those of the model, with
// what they inherit. Used by Compiler::finish alone.
#pragma once

#include "config/compiler.h"

namespace weir::config {

// Servers that listen on one address share its socket: one of them may set its options, one may be
// the default server. Afterwards all of them have the options.
void join_listens(Model& model, Diagnostics& diagnostics);

// nginx: "conflicting server name, ignored".
void warn_conflicts(const Model& model, Diagnostics& diagnostics);

// The settings with the defaults of the dialect for what is not set.
[[nodiscard]] RequestConfig request_config(const Settings& settings, Dialect dialect);

// Settings whose parts are inherited one by one, or that the outer level adds to: to be called
// before Settings::inherit.
void inherit_parts(Settings& own, const Settings& outer);

}  // namespace weir::config
