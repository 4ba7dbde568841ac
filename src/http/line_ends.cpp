#include "http/line_ends.h"

#include <algorithm>

namespace weir::http {

LineEnds mend_line_ends(std::string& bytes, std::size_t most) {
  std::string mended;
  bool alone = false;
  bool in_head = false;  // empty lines before the request line do not end it
  std::size_t line = 0;
  for (auto end = bytes.find('\n'); end < std::min(most, bytes.size());
       end = bytes.find('\n', line)) {
    const bool has_cr = end > line && bytes[end - 1] == '\r';
    const auto size = end - line - (has_cr ? 1 : 0);
    alone = alone || !has_cr;
    mended.append(bytes, line, size).append("\r\n");
    line = end + 1;
    if (size == 0 && in_head) {
      if (!alone) return LineEnds::good;
      mended.append(bytes, line);
      bytes.swap(mended);
      return LineEnds::mended;
    }
    in_head = in_head || size > 0;
  }
  if (!alone) return LineEnds::good;
  mended.append(bytes, line);  // the head has not ended: its lines so far
  bytes.swap(mended);
  return LineEnds::mended;
}

}  // namespace weir::http
