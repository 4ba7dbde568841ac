// What a worker needs to know of stream: proxy::Worker::Options::guests.
#pragma once

#include "proxy/guest.h"

namespace weir::stream {

// Of one worker: they hold what its ports share.
[[nodiscard]] proxy::GuestHooks hooks();

}  // namespace weir::stream
