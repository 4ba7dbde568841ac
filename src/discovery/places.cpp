#include "discovery/places.h"

#include <algorithm>

namespace weir::discovery {

const std::vector<Places::Place>& Places::arrange(const std::string& key,
                                                  const std::vector<IpAddress>& found,
                                                  Duration forget, TimePoint now) {
  auto& line = lines_[key];
  line.forget = forget;
  auto& places = line.places;
  for (Place& place : places) {
    const bool there = std::find(found.begin(), found.end(), place.address) != found.end();
    if (!there && !place.vanished) place.since = now;
    place.vanished = !there;
  }
  for (const IpAddress& address : found) {
    const auto at = [&](const Place& place) { return place.address == address; };
    if (std::any_of(places.begin(), places.end(), at)) continue;
    const auto free = std::find_if(places.begin(), places.end(),
                                   [](const Place& place) { return place.vanished; });
    if (free != places.end()) {
      *free = {.address = address};
    } else {
      places.push_back({.address = address});
    }
  }
  std::erase_if(places,
                [&](const Place& place) { return place.vanished && now - place.since >= forget; });
  return places;
}

TimePoint Places::next_forgotten() const {
  auto next = TimePoint::max();
  for (const auto& [key, line] : lines_) {
    for (const Place& place : line.places) {
      if (place.vanished) next = std::min(next, place.since + line.forget);
    }
  }
  return next;
}

}  // namespace weir::discovery
