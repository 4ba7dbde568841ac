#include "content/error_page.h"

#include <doctest/doctest.h>

using namespace weir::content;

TEST_CASE("weir's own page names the status") {
  CHECK(error_page(502).find("<h1>502 Bad Gateway</h1>") != std::string::npos);
  CHECK(error_page(302).find("<h1>302 Found</h1>") != std::string::npos);
  CHECK(error_page(499).find("<h1>499</h1>") != std::string::npos);
}

TEST_CASE("the foot of nginx's pages") {
  CHECK(nginx_product(ServerTokens::on) == "nginx/1.31.5");
  CHECK(nginx_product(ServerTokens::build) == "nginx/1.31.5");
  CHECK(nginx_product(ServerTokens::off) == "nginx");
}

TEST_CASE("nginx's page, to the byte") {
  std::string out;
  CHECK(append_nginx_page(404, "nginx", false, out));
  CHECK(out ==
        "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n"
        "<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n"
        "</body>\r\n</html>\r\n");
  out.clear();
  CHECK(append_nginx_page(497, "nginx/1.31.5", false, out));
  CHECK(out ==
        "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>"
        "\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n"
        "<center>The plain HTTP request was sent to HTTPS port</center>\r\n"
        "<hr><center>nginx/1.31.5</center>\r\n</body>\r\n</html>\r\n");
}

TEST_CASE("which statuses have a page, and what heads it") {
  struct Row {
    int status;
    const char* title;  // null: no page
  };
  const Row rows[] = {
      {200, nullptr},
      {201, nullptr},
      {204, nullptr},
      {300, nullptr},
      {301, "301 Moved Permanently"},
      {302, "302 Found"},
      {303, "303 See Other"},
      {304, nullptr},
      {305, nullptr},
      {307, "307 Temporary Redirect"},
      {308, "308 Permanent Redirect"},
      {400, "400 Bad Request"},
      {401, "401 Authorization Required"},
      {407, "407 Proxy Authentication Required"},
      {408, "408 Request Time-out"},
      {413, "413 Request Entity Too Large"},
      {414, "414 Request-URI Too Large"},
      {416, "416 Requested Range Not Satisfiable"},
      {417, nullptr},
      {418, nullptr},
      {421, "421 Misdirected Request"},
      {426, nullptr},
      {429, "429 Too Many Requests"},
      {431, nullptr},
      {444, nullptr},
      {494, "400 Request Header Or Cookie Too Large"},
      {495, "400 The SSL certificate error"},
      {496, "400 No required SSL certificate was sent"},
      {497, "400 The plain HTTP request was sent to HTTPS port"},
      {498, "404 Not Found"},
      {499, nullptr},
      {500, "500 Internal Server Error"},
      {505, "505 HTTP Version Not Supported"},
      {506, nullptr},
      {507, "507 Insufficient Storage"},
      {508, nullptr},
      {600, nullptr},
  };
  for (const auto& row : rows) {
    CAPTURE(row.status);
    std::string out;
    CHECK(append_nginx_page(row.status, "nginx", false, out) == (row.title != nullptr));
    if (row.title == nullptr) {
      CHECK(out.empty());
    } else {
      CHECK(out.find("<title>" + std::string(row.title) + "</title>") != std::string::npos);
    }
  }
}

TEST_CASE("padding makes an error's page longer than browsers take for unfriendly") {
  std::string plain, padded, redirect, same;
  append_nginx_page(404, "nginx", false, plain);
  append_nginx_page(404, "nginx", true, padded);
  CHECK(padded.starts_with(plain));
  CHECK(padded.size() == plain.size() + 6 * 67);
  append_nginx_page(302, "nginx", false, redirect);
  append_nginx_page(302, "nginx", true, same);
  CHECK(redirect == same);
}

TEST_CASE("the refreshing page") {
  std::string out;
  append_refresh_page("/a \"b'<~}", out);
  CHECK(out ==
        "<html><head><meta http-equiv=\"Refresh\" content=\"0; URL=/a%20%22b%27%3C%7E}\">"
        "</head><body></body></html>\r\n");
}
