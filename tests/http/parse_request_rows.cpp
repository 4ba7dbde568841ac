#include "http/parse_request.h"

using namespace weir::http;
using namespace weir::http::test;
using namespace std::string_literals;

namespace {

const Row rows[] = {
    {"plain", with(""), ok},
    {"nothing", "", more},
    {"no end yet", get + host, more},
    {"half of the last CRLF", get + host + "\r", more},
    {"only an empty line", "\r\n", more},

    // Transfer-Encoding
    {"chunked", with("Transfer-Encoding: chunked\r\n"), ok},
    {"chunked in capitals", with("Transfer-Encoding: CHUNKED\r\n"), ok},
    {"chunked with blanks around", with("Transfer-Encoding: \t chunked \t\r\n"), ok},
    {"xchunked", with("Transfer-Encoding: xchunked\r\n"), 501},
    {"chunked, identity", with("Transfer-Encoding: chunked, identity\r\n"), 501},
    {"identity", with("Transfer-Encoding: identity\r\n"), 501},
    {"gzip, chunked", with("Transfer-Encoding: gzip, chunked\r\n"), 501},
    {"chunked, chunked", with("Transfer-Encoding: chunked, chunked\r\n"), 501},
    {"chunked with a comma", with("Transfer-Encoding: chunked,\r\n"), 501},
    {"chunked with a parameter", with("Transfer-Encoding: chunked;q=1\r\n"), 501},
    {"chunked in quotes", with("Transfer-Encoding: \"chunked\"\r\n"), 501},
    {"empty Transfer-Encoding", with("Transfer-Encoding:\r\n"), 501},
    {"two Transfer-Encoding", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
     400},
    {"gzip and chunked in two", with("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"),
     400},
    {"chunked before vertical tab", with("Transfer-Encoding: chunked\x0b\r\n"), 400},
    {"vertical tab before chunked",
     with("Transfer-Encoding: \x0b"
          "chunked\r\n"),
     400},
    {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"CL and TE", with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"TE and CL", with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400},
    {"TE and CL 0", with("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), 400},
    {"strange TE and CL", with("Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n"), 400},

    // Content-Length
    {"Content-Length", with("Content-Length: 3\r\n"), ok},
    {"Content-Length 0", with("Content-Length: 0\r\n"), ok},
    {"Content-Length with zeros", with("Content-Length: 003\r\n"), ok},
    {"two equal Content-Length", with("Content-Length: 3\r\nContent-Length: 3\r\n"), 400},
    {"two different Content-Length", with("Content-Length: 3\r\nContent-Length: 4\r\n"), 400},
    {"list of equal Content-Length", with("Content-Length: 3, 3\r\n"), 400},
    {"Content-Length +3", with("Content-Length: +3\r\n"), 400},
    {"Content-Length -3", with("Content-Length: -3\r\n"), 400},
    {"Content-Length 0x3", with("Content-Length: 0x3\r\n"), 400},
    {"Content-Length 3 4", with("Content-Length: 3 4\r\n"), 400},
    {"Content-Length 3.0", with("Content-Length: 3.0\r\n"), 400},
    {"empty Content-Length", with("Content-Length:\r\n"), 400},
    {"largest Content-Length", with("Content-Length: 9223372036854775807\r\n"), ok},
    {"Content-Length 2^63", with("Content-Length: 9223372036854775808\r\n"), 400},
    {"Content-Length 2^64 + 3", with("Content-Length: 18446744073709551619\r\n"), 400},
    {"Content-Length of 30 digits", with("Content-Length: 100000000000000000000000000003\r\n"),
     400},

    // Host
    {"no Host in HTTP/1.1", get + "\r\n", 400},
    {"no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", ok},
    {"two Host", with("Host: a\r\n"), 400},
    {"two Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", 400},
    {"empty Host", get + "Host:\r\n\r\n", 400},
    {"empty Host with port", get + "Host: :80\r\n\r\n", 400},
    {"Host with port", get + "Host: a.example:8080\r\n\r\n", ok},
    {"Host with empty port", get + "Host: a:\r\n\r\n", ok},
    {"Host with port 65536", get + "Host: a:65536\r\n\r\n", 400},
    {"Host with port x", get + "Host: a:x\r\n\r\n", 400},
    {"Host with two ports", get + "Host: a:1:2\r\n\r\n", 400},
    {"Host with IPv6", get + "Host: [::1]:80\r\n\r\n", ok},
    {"Host with IPv6, not closed", get + "Host: [::1\r\n\r\n", 400},
    {"Host with IPv6, followed by text", get + "Host: [::1]a\r\n\r\n", 400},
    {"Host with empty brackets", get + "Host: []\r\n\r\n", 400},
    {"Host with slash", get + "Host: a/b\r\n\r\n", 400},
    {"Host with user", get + "Host: u@a\r\n\r\n", 400},
    {"Host with space", get + "Host: a b\r\n\r\n", 400},
    {"Host with backslash", get + "Host: a\\b\r\n\r\n", 400},
    {"Host with quotes", get + "Host: \"a\"\r\n\r\n", 400},
    {"Host with question mark", get + "Host: a?b\r\n\r\n", 400},
    {"Host with fragment", get + "Host: a#b\r\n\r\n", 400},
    {"Host not in ASCII", get + "Host: \xc3\xa4\r\n\r\n", 400},
    {"Host with escape", get + "Host: a%20b\r\n\r\n", ok},
    {"Host with half an escape", get + "Host: a%2\r\n\r\n", 400},
    {"Host with NUL", get + "Host: a\0b\r\n\r\n"s, 400},

    // Lines and blanks
    {"obs-fold", with("X: a\r\n b\r\n"), 400},
    {"obs-fold with tab", with("X: a\r\n\tb\r\n"), 400},
    {"obs-fold of Transfer-Encoding", with("Transfer-Encoding:\r\n chunked\r\n"), 400},
    {"blank before the first header", get + " " + host + "\r\n", 400},
    {"tab before the first header", get + "\t" + host + "\r\n", 400},
    {"line of blanks", get + host + " \r\n\r\n", 400},
    {"bare LF after the request line", "GET / HTTP/1.1\n" + host + "\r\n", 400},
    {"bare LF after a header", get + "Host: a\n\r\n", 400},
    {"bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n", 400},
    {"bare LF as the empty line", get + host + "\n", 400},
    {"bare LF before the request line", "\n" + with(""), 400},
    {"bare CR in a value", with("X: a\rb\r\n"), 400},
    {"bare CR as the empty line", get + host + "\r" + "X: a\r\n\r\n", 400},
    {"CR CR LF after a value", with("X: a\r\r\n"), 400},
    {"bare CR in the request line", "GET / HTTP/1.1\rX\r\n" + host + "\r\n", 400},
    {"NUL in a value", with("X: a\0b\r\n"s), 400},
    {"NUL in a name", with("X\0: a\r\n"s), 400},
    {"control character in a value", with("X: a\x01\r\n"), 400},
    {"escape character in a long value", with("X: 0123456789abcdef0123456789abcdef\x1b\r\n"), 400},
    {"DEL in a value", with("X: a\x7f\r\n"), 400},
    {"tab in a value", with("X: a\tb\r\n"), ok},
    {"non-ASCII in a value", with("X: \xc3\xa4\xff\x80\r\n"), ok},
    {"space before the colon", with("X : a\r\n"), 400},
    {"tab before the colon", with("X\t: a\r\n"), 400},
    {"space before the colon of TE", with("Transfer-Encoding : chunked\r\n"), 400},
    {"line without colon", with("X\r\n"), 400},
    {"empty name", with(": a\r\n"), 400},
    {"empty value", with("X:\r\n"), ok},
    {"one empty line first", "\r\n" + with(""), ok},
    {"four empty lines first", "\r\n\r\n\r\n\r\n" + with(""), ok},
    {"five empty lines first", "\r\n\r\n\r\n\r\n\r\n" + with(""), 400},
    {"CR without LF first", "\r" + with(""), 400},

    // The request line
    {"two spaces after the method", line("GET  / HTTP/1.1"), 400},
    {"two spaces before the version", line("GET /  HTTP/1.1"), 400},
    {"space before the method", line(" GET / HTTP/1.1"), 400},
    {"space after the version", line("GET / HTTP/1.1 "), 400},
    {"tab between the parts", line("GET\t/ HTTP/1.1"), 400},
    {"HTTP/1.2", line("GET / HTTP/1.2"), ok},
    {"HTTP/1.9 without Host", "GET / HTTP/1.9\r\n\r\n", 400},
    {"HTTP/0.9", line("GET / HTTP/0.9"), 400},
    {"no version", "GET /\r\n\r\n", 400},
    {"no version, a space", "GET / \r\n\r\n", 400},
    {"short version", "GET / HTTP/1\r\n\r\n", 400},
    {"HTTP/1.10", line("GET / HTTP/1.10"), 400},
    {"HTTP/01.1", line("GET / HTTP/01.1"), 400},
    {"http/1.1", line("GET / http/1.1"), 400},
    {"HTTP/2.0", line("GET / HTTP/2.0"), 505},
    {"HTTP/3.1", line("GET / HTTP/3.1"), 505},
    {"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"SIP", line("GET / SIP/2.0"), 400},
    {"CONNECT", line("CONNECT a:443 HTTP/1.1"), 405},
    {"CONNECT to an IPv6 address", line("CONNECT [::1]:443 HTTP/1.1"), 405},
    {"CONNECT without port", line("CONNECT a HTTP/1.1"), 400},
    {"CONNECT with an empty port", line("CONNECT a: HTTP/1.1"), 400},
    {"CONNECT without port, IPv6", line("CONNECT [::1] HTTP/1.1"), 400},
    {"CONNECT with a path", line("CONNECT / HTTP/1.1"), 400},
    {"TRACE", line("TRACE / HTTP/1.1"), 405},
    {"unknown method", line("FROB / HTTP/1.1"), ok},
    {"lower-case method", line("get / HTTP/1.1"), ok},
    {"method with a colon", line("GE:T / HTTP/1.1"), 400},
    {"method of 32 bytes", line(std::string(32, 'A') + " / HTTP/1.1"), ok},
    {"method of 33 bytes", line(std::string(33, 'A') + " / HTTP/1.1"), 400},
    {"no method", line("/ HTTP/1.1"), 400},
    {"start of TLS", "\x16\x03\x01\x02", 400},
    {"junk line", "hello\r\n", 400},
    {"status line", "HTTP/1.1 200 OK\r\n\r\n", 400},

    // The target
    {"absolute form", line("GET http://b/x HTTP/1.1"), ok},
    {"absolute form, https, capitals", line("GET HTTPS://b/x HTTP/1.1"), ok},
    {"absolute form without Host", "GET http://b/ HTTP/1.1\r\n\r\n", 400},
    {"absolute form with bad Host", "GET http://b/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"absolute form without path", line("GET http://b HTTP/1.1"), ok},
    {"absolute form, query only", line("GET http://b?q HTTP/1.1"), ok},
    {"absolute form without host", line("GET http:///x HTTP/1.1"), 400},
    {"absolute form with user", line("GET http://u:p@b/ HTTP/1.1"), 400},
    {"absolute form, other scheme", line("GET ftp://b/ HTTP/1.1"), 400},
    {"absolute form, bad port", line("GET http://b:99999/ HTTP/1.1"), 400},
    {"authority form", line("GET b:80 HTTP/1.1"), 400},
    {"relative path", line("GET x HTTP/1.1"), 400},
    {"OPTIONS *", line("OPTIONS * HTTP/1.1"), ok},
    {"GET *", line("GET * HTTP/1.1"), 400},
    {"OPTIONS *x", line("OPTIONS *x HTTP/1.1"), 400},
    {"fragment", line("GET /a#b HTTP/1.1"), 400},
    {"fragment after query", line("GET /a?b#c HTTP/1.1"), 400},
    {"non-ASCII in the target", line("GET /\xc3\xa4 HTTP/1.1"), ok},
    {"DEL in the target", line("GET /\x7f HTTP/1.1"), 400},
    {"control character in the target", line("GET /\x01 HTTP/1.1"), 400},
    {"NUL in the target", line("GET /\0 HTTP/1.1"s), 400},
    {"quotes and braces in the target", line("GET /\"{}|\\^` HTTP/1.1"), ok},

    // Names
    {"name with (", with("X(y: a\r\n"), ok},
    {"name with (, not ignored", with("X(y: a\r\n"), ok, false},
    {"non-ASCII in a name", with("X\xc3\xa4: a\r\n"), ok},
    {"name with _", with("X_y: a\r\n"), ok},
    {"name with _, not ignored", with("X_y: a\r\n"), ok, false},
    {"name with _, allowed", with("X_y: a\r\n"), ok, false, true},
    {"Content_Length", with("Content_Length: 3\r\n"), 400},
    {"Content_Length, allowed", with("Content_Length: 3\r\n"), 400, true, true},
    {"Transfer_Encoding", with("Transfer_Encoding: chunked\r\n"), 400},
    {"Transfer-Encoding with (", with("Transfer-Encoding(: chunked\r\n"), 400},
    {"Transfer-Encoding with a byte over 127", with("Transfer-Encoding\xa0: chunked\r\n"), 400},
    {"Transfer-Encoding with vertical tab", with("Transfer-Encoding\x0b: chunked\r\n"), 400},
    {"Transfer-Encoding after form feed", with("\x0cTransfer-Encoding: chunked\r\n"), 400},
    {"\"Host\"", with("\"Host\": b\r\n"), 400},
    {"control character in a name", with("X\x01y: a\r\n"), 400},
    {"space in a name", with("X y: a\r\n"), 400},

    // Expect
    {"100-continue", with("Expect: 100-continue\r\n"), ok},
    {"100-Continue", with("Expect: 100-Continue\r\n"), ok},
    {"other Expect", with("Expect: 200-ok\r\n"), 417},
    {"empty Expect", with("Expect:\r\n"), 417},
    {"second Expect is another", with("Expect: 100-continue\r\nExpect: x\r\n"), 400},
    {"Authorization twice", with("Authorization: a\r\nAuthorization: a\r\n"), 400},
    {"If-Match twice", with("If-Match: a\r\nif-match: b\r\n"), 400},
    {"If-None-Match twice", with("If-None-Match: a\r\nIf-None-Match: b\r\n"), 400},
    {"If-Modified-Since twice", with("If-Modified-Since: a\r\nIf-Modified-Since: b\r\n"), 400},
    {"If-Unmodified-Since twice", with("If-Unmodified-Since: a\r\nIf-Unmodified-Since: b\r\n"),
     400},
    {"If-Range twice", with("If-Range: a\r\nIf-Range: b\r\n"), 400},
    {"Content-Range twice", with("Content-Range: a\r\nContent-Range: b\r\n"), 400},
    {"Accept twice", with("Accept: a\r\nAccept: b\r\n"), ok},
    {"User-Agent twice", with("User-Agent: a\r\nUser-Agent: b\r\n"), ok},
};

}  // namespace

TEST_CASE("requests are taken or refused, however they are cut") {
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Limits limits;
    limits.ignore_invalid_headers = row.ignore_invalid_headers;
    limits.underscores_in_headers = row.underscores_in_headers;
    const Outcome whole = parse_whole(row.bytes, limits);
    CAPTURE(std::string(whole.result.reason));
    const int got = whole.result.status == ParseStatus::complete    ? ok
                    : whole.result.status == ParseStatus::need_more ? more
                                                                    : whole.result.http_status;
    CHECK(got == row.want);
    if (got == ok) CHECK(whole.head.size == row.bytes.size());
    check_all_splits(row.bytes, limits, whole);
    // What follows the head is none of it.
    if (got == ok) {
      const Outcome followed = parse_whole(row.bytes + "GET /next HTTP/1.1\n\n", limits);
      CHECK(followed.result.status == ParseStatus::complete);
      CHECK(describe(followed.head) == describe(whole.head));
    }
  }
}
