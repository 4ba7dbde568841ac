// The places of a host name's addresses among the peers of its line. One that vanishes keeps its
// place, as a peer that is down, so that the clients of the others stay where a hash put them; a
// new address takes over the first such place, or comes behind. Control thread.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/clock.h"

namespace weir::discovery {

class Places {
 public:
  struct Place {
    IpAddress address;
    bool vanished = false;
    TimePoint since{};  // vanished: when it was missed first
  };
  // The addresses behind the line `key`, in their places. `found`: sorted, as they are now.
  // Vanished ones are kept for `forget`.
  [[nodiscard]] const std::vector<Place>& arrange(const std::string& key,
                                                  const std::vector<IpAddress>& found,
                                                  Duration forget, TimePoint now);
  // What another process had: arrange() goes on from there.
  void seed(const std::string& key, std::vector<Place> places) {
    lines_[key].places = std::move(places);
  }
  // When the next vanished one is to be forgotten; TimePoint::max(): there is none. Asked for again
  // after each arrange().
  [[nodiscard]] TimePoint next_forgotten() const;

 private:
  struct Line {
    std::vector<Place> places;
    Duration forget{0};
  };
  std::map<std::string, Line> lines_;
};

}  // namespace weir::discovery
