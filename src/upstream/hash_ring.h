// The ring of `hash KEY consistent` (ketama): each peer has points on it by its configured name,
// 160 for each unit of weight; a key belongs to the next point. Immutable once built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace weir::upstream {

class HashRing {
 public:
  // The points of a peer; `name` stands for `text`, the address as configured. Then finish().
  void add(std::string_view text, std::uint32_t name, std::uint32_t weight);
  void finish();
  [[nodiscard]] bool empty() const { return points_.empty(); }
  [[nodiscard]] std::size_t size() const { return points_.size(); }

  // The first point at or behind `hash`; size(): the ring begins anew.
  [[nodiscard]] std::size_t find(std::uint32_t hash) const;
  // The name of a point; any number, around the ring. The ring must not be empty.
  [[nodiscard]] std::uint32_t name_at(std::size_t point) const {
    return points_[point % points_.size()].name;
  }

 private:
  struct Point {
    std::uint32_t hash;
    std::uint32_t name;
  };
  std::vector<Point> points_;  // by hash
};

}  // namespace weir::upstream
