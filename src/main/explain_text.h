// What /api/explain says, for people. Pure.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

namespace weir::main {

[[nodiscard]] std::string explain_text(const boost::json::value& explanation);

}  // namespace weir::main
