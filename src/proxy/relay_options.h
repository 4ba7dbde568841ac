// How the body of a peer's answer is passed on. See ResponseRelay.
#pragma once

#include <cstdint>

namespace weir::proxy {

class FilterChain;
class Sender;
class StoredFile;

struct RelayOptions {
  Sender* sender = nullptr;        // null: the body is read and dropped
  FilterChain* filters = nullptr;  // null: none
  StoredFile* store = nullptr;     // gets the body too, though the client may be gone; null: none
  bool raw = false;                // chunked by the peer, and passed on with its chunks
  bool ends = true;                // the body of the answer ends with the peer's
  bool keep_trailers = false;      // the peer's trailers pass
  bool buffering = true;           // read ahead of the client
  std::uint64_t rate = 0;          // bytes a second that are read; 0: no limit
};

}  // namespace weir::proxy
