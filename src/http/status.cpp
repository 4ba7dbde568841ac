#include "http/status.h"

#include <algorithm>
#include <array>

namespace weir::http {
namespace {

struct Row {
  int status;
  std::string_view phrase;      // of the status line; empty: none
  std::string_view title = {};  // of a page; empty: the phrase
};

// Sorted by status.
constexpr std::array kRows = {
    Row{100, "Continue"},
    Row{101, "Switching Protocols"},
    Row{103, "Early Hints"},
    Row{200, "OK"},
    Row{201, "Created"},
    Row{202, "Accepted"},
    Row{203, "", "Non-Authoritative Information"},
    Row{204, "No Content"},
    Row{205, "", "Reset Content"},
    Row{206, "Partial Content"},
    Row{300, "", "Multiple Choices"},
    Row{301, "Moved Permanently"},
    Row{302, "Moved Temporarily", "Found"},
    Row{303, "See Other"},
    Row{304, "Not Modified"},
    Row{307, "Temporary Redirect"},
    Row{308, "Permanent Redirect"},
    Row{400, "Bad Request"},
    Row{401, "Unauthorized", "Authorization Required"},
    Row{402, "Payment Required"},
    Row{403, "Forbidden"},
    Row{404, "Not Found"},
    Row{405, "Not Allowed"},
    Row{406, "Not Acceptable"},
    Row{407, "Proxy Authentication Required"},
    Row{408, "Request Time-out"},
    Row{409, "Conflict"},
    Row{410, "Gone"},
    Row{411, "Length Required"},
    Row{412, "Precondition Failed"},
    Row{413, "Request Entity Too Large"},
    Row{414, "Request-URI Too Large"},
    Row{415, "Unsupported Media Type"},
    Row{416, "Requested Range Not Satisfiable"},
    Row{417, "", "Expectation Failed"},
    Row{421, "Misdirected Request"},
    Row{422, "", "Unprocessable Content"},
    Row{425, "", "Too Early"},
    Row{426, "", "Upgrade Required"},
    Row{429, "Too Many Requests"},
    Row{431, "", "Request Header Fields Too Large"},
    Row{500, "Internal Server Error"},
    Row{501, "Not Implemented"},
    Row{502, "Bad Gateway"},
    Row{503, "Service Temporarily Unavailable"},
    Row{504, "Gateway Time-out"},
    Row{505, "HTTP Version Not Supported"},
    Row{507, "Insufficient Storage"},
};

Row find(int status) {
  const auto* row = std::lower_bound(kRows.begin(), kRows.end(), status,
                                     [](const Row& have, int want) { return have.status < want; });
  return row != kRows.end() && row->status == status ? *row : Row{status, {}};
}

}  // namespace

std::string_view reason_phrase(int status) { return find(status).phrase; }

std::string_view status_title(int status) {
  const Row row = find(status);
  return row.title.empty() ? row.phrase : row.title;
}

}  // namespace weir::http
