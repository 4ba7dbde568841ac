// Where a request would go, and why: what an exchange that only explains leaves behind. Filled in
// on a worker's thread, then handed to the control thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "proxy/routes.h"
#include "proxy/runtime.h"
#include "upstream/pool.h"

namespace weir::proxy {

// The request that is asked about.
struct Question {
  IpAddress client;
  std::string listen;  // text of the listener it comes to
  std::string head;    // the request head, complete, without a body
  bool secure = false;
};

struct Explanation {
  std::string problem;                     // not empty: the request could not be followed, and why
  std::shared_ptr<const Runtime> runtime;  // what is pointed to below is its
  const ServerNode* server = nullptr;
  bool only_server = false;  // of its listener
  std::string client;        // as the configuration sees it, after real_ip
  std::string host;
  std::string path;  // as rewritten
  std::string args;
  LocationNode::Trail tried;
  const config::Location* location = nullptr;
  std::vector<std::string> notes;        // what would be logged
  int status = 0;                        // weir answers by itself; 0: a peer does
  std::string redirect;                  // the Location of that answer
  std::string key;                       // of `hash`
  std::shared_ptr<upstream::Pool> pool;  // null: it does not come to one
  bool maintenance = false;              // and it is out of service
  upstream::Pool::Explained pick;        // not in maintenance
  int none_left = 502;                   // the status where no peer may
};

}  // namespace weir::proxy
