#include "upstream/peer.h"

namespace weir::upstream {

const char* to_string(Health health) {
  switch (health) {
    case Health::unchecked:
      return "unchecked";
    case Health::checking:
      return "checking";
    case Health::up:
      return "up";
    case Health::down:
      return "down";
  }
  return "";
}

}  // namespace weir::upstream
