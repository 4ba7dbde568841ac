// What has changed between two JSON trees, for those who have the first one. Pure; any thread.
#pragma once

#include <boost/json/fwd.hpp>

namespace weir::admin {

// Of objects: those members that are not what they were, those that are gone as null. Where both
// have an array of the same length, an object whose keys are indexes; any other value is given
// anew. Null: nothing has changed.
[[nodiscard]] boost::json::value delta(const boost::json::value& before,
                                       const boost::json::value& now);

}  // namespace weir::admin
