// Asks name servers about host names without holding anybody up: many names at a time, each
// answered as soon as its own answer is there. A thread of its own, which begins with the first
// question and stays, runs the event loop (net/resolver.h); what only the C library knows is asked
// by another (discovery/system_lookups.h).
//
// Whatever the process lacks, descriptors, memory or threads, is answered by an error; the next
// question tries again. ask() and the end: one thread, the owner's.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "discovery/question.h"

namespace weir::discovery {

class NameAsker {
 public:
  // Called once for each question, with its index: by the asker's thread, or within ask().
  using Answered = std::function<void(std::size_t index, Addresses found)>;

  NameAsker();
  // Questions that are on their way get no answer any more.
  ~NameAsker();
  NameAsker(const NameAsker&) = delete;
  NameAsker& operator=(const NameAsker&) = delete;

  // Without a `resolver` of the question, names are found as the C library finds them: /etc/hosts
  // and the servers and search list of /etc/resolv.conf; one that is not there is asked of the C
  // library itself, which may have further sources (nsswitch.conf(5)). Nothing takes longer than
  // the time-out of the question.
  void ask(const std::vector<Question>& questions, const Answered& answered);

 private:
  class Running;
  std::unique_ptr<Running> running_;  // null: no question yet
};

}  // namespace weir::discovery
