// What variables of stream stand for. Worker thread.
#pragma once

#include <string>

#include "config/variables.h"

namespace weir::stream {

class Session;

// Appends the value to `out`.
void evaluate(const config::Value& value, Session& session, std::string& out);
void evaluate(const config::VariableRef& variable, Session& session, std::string& out);

}  // namespace weir::stream
