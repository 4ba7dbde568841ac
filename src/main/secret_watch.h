// Looks whether files that a configuration was loaded with have other contents now: certificates,
// keys and what goes with them. By looking from time to time, so that symbolic links that lead
// elsewhere (certbot, Kubernetes) and network file systems are all the same. One thread.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "main/bundle.h"

namespace weir::main {

class SecretWatch {
 public:
  // The secret files of `bundle` are what is compared with from now on.
  void watch(std::shared_ptr<const Bundle> bundle);
  // The same with a bundle of the same files: what has other contents in it was written by us.
  void adopt(std::shared_ptr<const Bundle> bundle);
  // What differs is told of once more, as soon as all of it has settled.
  void again() { again_ = true; }

  struct Look {
    bool news = false;                  // since the last look something was written; see again()
    bool settled = true;                // nothing is being written; all have been read
    std::vector<Bundle::File> changed;  // all that differ from the bundle, as they are now
  };
  // A file is read when it was the same at two looks: one that is being written is left alone.
  [[nodiscard]] Look look();

 private:
  struct Watched {
    const Bundle::File* file = nullptr;  // of bundle_
    struct stat seen {};                 // all zero: it could not be looked at
    bool settled = false;
    Bundle::File now;  // as it was when it settled
  };

  std::shared_ptr<const Bundle> bundle_;
  std::vector<Watched> files_;
  bool again_ = false;
};

}  // namespace weir::main
