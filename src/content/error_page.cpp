#include "content/error_page.h"

#include "http/status.h"

namespace weir::content {

std::string error_page(int status) {
  std::string title = std::to_string(status);
  if (const auto reason = http::reason_phrase(status); !reason.empty()) {
    title.append(" ").append(reason);
  }
  return "<!doctype html>\r\n<html>\r\n<head><title>" + title +
         "</title></head>\r\n<body>\r\n<h1>" + title +
         "</h1>\r\n<hr><p>weir</p>\r\n</body>\r\n</html>\r\n";
}

}  // namespace weir::content
