// The variables that a configuration makes: by set, named captures, auth_request_set, map, geo and
// split_clients. The values of one request and its subrequests; part of the main exchange. Worker
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {
struct MapConfig;
}

namespace weir::proxy {

class Exchange;

class UserVariables {
 public:
  // A new request: nothing is known of any.
  void reset();
  // Of the variable `index` of the model; worked out when it is first asked for.
  const std::string& value(std::uint32_t index, Exchange& x);
  void assign(std::uint32_t index, std::string_view text);
  // It has been assigned, or worked out.
  [[nodiscard]] bool known(std::uint32_t index) const {
    return index < slots_.size() && slots_[index].known;
  }

 private:
  struct Slot {
    std::string text;
    bool known = false;
    bool busy = false;  // being worked out: a variable that refers to itself is empty
  };
  Slot& slot(std::uint32_t index);
  void work_out(std::uint32_t index, Exchange& x, std::string& out);

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> used_;  // slots that are known
};

}  // namespace weir::proxy
