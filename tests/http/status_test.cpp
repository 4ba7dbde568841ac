#include "http/status.h"

#include <doctest/doctest.h>

#include <string>

#include "http/user_agent.h"

using namespace weir::http;

TEST_CASE("reason phrases and titles are nginx's") {
  struct Row {
    int status;
    const char* phrase;
    const char* title;
  };
  const Row rows[] = {
      {200, "OK", "OK"},
      {302, "Moved Temporarily", "Found"},
      {303, "See Other", "See Other"},
      {401, "Unauthorized", "Authorization Required"},
      {407, "Proxy Authentication Required", "Proxy Authentication Required"},
      {413, "Request Entity Too Large", "Request Entity Too Large"},
      {414, "Request-URI Too Large", "Request-URI Too Large"},
      {416, "Requested Range Not Satisfiable", "Requested Range Not Satisfiable"},
      {417, "", "Expectation Failed"},
      {431, "", "Request Header Fields Too Large"},
      {502, "Bad Gateway", "Bad Gateway"},
      {504, "Gateway Time-out", "Gateway Time-out"},
      {506, "", ""},
      {507, "Insufficient Storage", "Insufficient Storage"},
      {99, "", ""},
      {299, "", ""},
      {999, "", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.status);
    CHECK(std::string(reason_phrase(row.status)) == row.phrase);
    CHECK(std::string(status_title(row.status)) == row.title);
  }
}

TEST_CASE("statuses of the inside are 400 outside") {
  for (const int status : {494, 495, 496, 497}) CHECK(status_on_wire(status) == 400);
  for (const int status : {200, 400, 493, 498, 499, 500}) CHECK(status_on_wire(status) == status);
}

TEST_CASE("browsers are told apart by their names") {
  struct Row {
    const char* field;
    UserAgent want;
  };
  const Row rows[] = {
      {"", {}},
      {"curl/7.88.1", {}},
      {"MSIE foo", {.msie = true}},
      {"MSIE 6", {}},
      {"MSIE 6.", {}},
      {"MSIE 6.0", {.msie = true, .msie6 = true}},
      {"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)", {.msie = true, .msie6 = true}},
      {"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)", {.msie = true}},
      {"Mozilla/4.0 (compatible; MSIE 5.5; Windows NT 5.1; SV1)", {.msie = true, .msie6 = true}},
      {"Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 5.1)", {.msie = true}},
      {"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1) Opera 8", {.opera = true}},
      {"Mozilla/5.0 (X11; rv:1.9) Gecko/20080612 Firefox/3.0", {.gecko = true}},
      {"Mozilla/5.0 (KHTML, like Gecko) Chrome/120.0 Safari/537.36", {.chrome = true}},
      {"Mozilla/5.0 (Macintosh; Intel Mac OS X) Version/16 Safari/605", {.safari = true}},
      {"Mozilla/5.0 (Windows) Version/5 Safari/533", {}},
      {"Mozilla/5.0 (compatible; Konqueror/3.5)", {.konqueror = true}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.field);
    CHECK((parse_user_agent(row.field) == row.want));
  }
}
