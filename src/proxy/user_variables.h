// The variables that a configuration makes: by set, named captures, auth_request_set, map, geo and
// split_clients. The values of one request and its subrequests, part of the main exchange; or those
// of a session of stream. Worker thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "config/model.h"

namespace weir::proxy {

class Exchange;
struct Runtime;

class UserVariables {
 public:
  // What variables are worked out for.
  class Owner {
   public:
    virtual ~Owner() = default;
    [[nodiscard]] virtual const Runtime& runtime() const = 0;
    virtual void evaluate(const config::Value& value, std::string& out) = 0;
    // Remembers the captures.
    virtual bool match(const config::Pattern& pattern, std::string_view subject) = 0;
    [[nodiscard]] virtual IpAddress client_address() const = 0;
    // Fields of X-Forwarded-For.
    [[nodiscard]] virtual std::vector<std::string_view> forwarded() const = 0;
    virtual void used_before_set(const std::string& name) = 0;
  };
  // A new request: nothing is known of any.
  void reset();
  // Of the variable `index` of the model; worked out when it is first asked for.
  const std::string& value(std::uint32_t index, Owner& owner);
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
  static void work_out(std::uint32_t index, Owner& owner, std::string& out);

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> used_;  // slots that are known
};

}  // namespace weir::proxy
