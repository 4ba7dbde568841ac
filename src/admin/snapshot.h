// All that the dashboard shows of the present, as one JSON tree. Times are seconds since 1970, so
// that it changes only where something has. Control thread only.
#pragma once

#include <boost/json/fwd.hpp>

#include "admin/source.h"

namespace weir::admin {

[[nodiscard]] boost::json::object snapshot(const Source& source);

}  // namespace weir::admin
