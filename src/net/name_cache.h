// What is known of names: a bounded number of them, the one not used for longest leaves first.
//
// An entry that is no longer valid stays, as what was last good, until it is replaced or must make
// room. Failures are not kept. One thread; a Resolver owns one for each kind of question.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "net/dns_answer.h"

namespace weir::net {

class NameCache {
 public:
  explicit NameCache(std::size_t capacity) : capacity_(capacity) {}

  // What is valid at `now`; null: nothing is. Counts as use.
  [[nodiscard]] AnswerPtr fresh(std::string_view name, TimePoint now);
  void put(std::string_view name, AnswerPtr answer);
  // The last complete answer for `name`, valid or not, however many aliases led to it: put() keeps
  // it for a name that is no alias, set_good() for one that is. Null: there was none.
  [[nodiscard]] AnswerPtr good(std::string_view name);
  void set_good(std::string_view name, AnswerPtr answer);

  [[nodiscard]] std::size_t size() const { return index_.size(); }

 private:
  struct Entry {
    std::string name;
    AnswerPtr answer;
    AnswerPtr good;
  };
  Entry* find(std::string_view name);

  std::size_t capacity_;
  std::list<Entry> entries_;  // the one used last is first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;
};

}  // namespace weir::net
