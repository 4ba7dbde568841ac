// What /api/status says, as a table for people. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

namespace weir::main {

// "45s", "3m20s", "2h5m", "3d4h".
[[nodiscard]] std::string short_time(double seconds);

// Rows in columns as wide as they need be.
class TextTable {
 public:
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // Each line begins with `indent` blanks.
  [[nodiscard]] std::string text(std::size_t indent) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// A line for the pool: its method, who of it serves, what is set for all of it.
[[nodiscard]] std::string pool_line(const boost::json::object& pool);
[[nodiscard]] std::string status_text(const boost::json::value& status);
// POOL and POOL/PEER, one a line, as the verbs take them.
[[nodiscard]] std::string status_names(const boost::json::value& status);

}  // namespace weir::main
