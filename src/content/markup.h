// Text put into HTML, XML and JSON, escaped as nginx does it. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace weir::content {

// < > & " as entities.
void escape_markup(std::string_view text, std::string& out);

// " \ and controls with a backslash: the inside of a string.
void escape_json(std::string_view text, std::string& out);

}  // namespace weir::content
