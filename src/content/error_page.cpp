#include "content/error_page.h"

#include "http/escape.h"
#include "http/status.h"

namespace weir::content {
namespace {

// The second line of the pages for statuses that are a 400 outside; empty for others.
std::string_view detail_of(int status) {
  switch (status) {
    case 494:
      return "Request Header Or Cookie Too Large";
    case 495:
      return "The SSL certificate error";
    case 496:
      return "No required SSL certificate was sent";
    case 497:
      return "The plain HTTP request was sent to HTTPS port";
    default:
      return {};
  }
}

// Pages begin with 301; what has no reason phrase has no page.
bool has_page(int status) {
  return status >= 301 && status != 304 && !http::reason_phrase(status).empty();
}

std::string title_of(int status) {
  std::string title = std::to_string(status);
  if (const auto text = http::status_title(status); !text.empty()) {
    title.append(" ").append(text);
  }
  return title;
}

constexpr int kPaddingLines = 6;

}  // namespace

std::string error_page(int status) {
  const std::string title = title_of(status);
  return "<!doctype html>\r\n<html>\r\n<head><title>" + title +
         "</title></head>\r\n<body>\r\n<h1>" + title +
         "</h1>\r\n<hr><p>weir</p>\r\n</body>\r\n</html>\r\n";
}

std::string_view nginx_product(ServerTokens tokens) {
  return tokens == ServerTokens::off ? "nginx" : "nginx/1.31.5";
}

bool append_nginx_page(int status, std::string_view product, bool padding, std::string& out) {
  const auto detail = detail_of(status);
  const int shown = status == 498 ? 404 : http::status_on_wire(status);
  if (!has_page(shown)) return false;
  const std::string heading = title_of(shown);
  out.append("<html>\r\n<head><title>");
  if (detail.empty()) {
    out.append(heading);
  } else {
    out.append("400 ").append(detail);
  }
  out.append("</title></head>\r\n<body>\r\n<center><h1>").append(heading);
  out.append("</h1></center>\r\n");
  if (!detail.empty()) out.append("<center>").append(detail).append("</center>\r\n");
  out.append("<hr><center>").append(product).append("</center>\r\n</body>\r\n</html>\r\n");
  if (padding && shown >= 400) {
    for (int i = 0; i < kPaddingLines; ++i) {
      out.append("<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n");
    }
  }
  return true;
}

void append_refresh_page(std::string_view location, std::string& out) {
  out.append("<html><head><meta http-equiv=\"Refresh\" content=\"0; URL=");
  http::escape(location, http::Escape::refresh, out);
  out.append("\"></head><body></body></html>\r\n");
}

}  // namespace weir::content
