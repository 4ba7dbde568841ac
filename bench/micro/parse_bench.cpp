// Nanoseconds a head, of the parsers in src/http. Build by hand:
//   g++ -std=c++20 -O2 -Isrc bench/micro/parse_bench.cpp src/http/*.cpp -o parse_bench
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "http/chunked.h"
#include "http/head.h"

namespace {

using namespace weir::http;

// What a browser sends to an application behind a balancer: 20 fields, 1.2 KB.
std::string browser_request() {
  return "GET /api/users:list?pageSize=20&page=1&sort%5B%5D=-createdAt HTTP/1.1\r\n"
         "Host: app.example.com\r\n"
         "Connection: keep-alive\r\n"
         "sec-ch-ua: \"Chromium\";v=\"124\", \"Google Chrome\";v=\"124\", "
         "\"Not-A.Brand\";v=\"99\"\r\n"
         "sec-ch-ua-mobile: ?0\r\n"
         "sec-ch-ua-platform: \"Linux\"\r\n"
         "Authorization: Bearer " +
         std::string(255, 'x') +
         "\r\n"
         "X-Role: admin\r\n"
         "X-Locale: en-US\r\n"
         "X-Authenticator: basic\r\n"
         "X-Timezone: +00:00\r\n"
         "X-Hostname: app.example.com\r\n"
         "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/124.0.0.0 Safari/537.36\r\n"
         "Accept: application/json, text/plain, */*\r\n"
         "Sec-Fetch-Site: same-origin\r\n"
         "Sec-Fetch-Mode: cors\r\n"
         "Sec-Fetch-Dest: empty\r\n"
         "Referer: https://app.example.com/admin/settings/users-permissions\r\n"
         "Accept-Encoding: gzip, deflate, br, zstd\r\n"
         "Accept-Language: en-US,en;q=0.9\r\n"
         "Cookie: session=" +
         std::string(200, 'c') + "; theme=dark\r\n\r\n";
}

// Runs `once` for a while, five times, and prints the least time a call.
template <typename Once>
void measure(const char* name, std::size_t bytes, Once&& once) {
  using Clock = std::chrono::steady_clock;
  constexpr auto time = std::chrono::milliseconds(200);
  double best = 1e18;
  for (int round = 0; round < 5; ++round) {
    long calls = 0;
    const auto start = Clock::now();
    auto now = start;
    for (; now - start < time; now = Clock::now()) {
      for (int i = 0; i < 1000; ++i) once();
      calls += 1000;
    }
    const std::chrono::duration<double, std::nano> spent = now - start;
    best = std::min(best, spent.count() / static_cast<double>(calls));
  }
  std::printf("%-28s %6zu B %10.1f ns  %6.2f B/ns\n", name, bytes, best,
              static_cast<double>(bytes) / best);
}

void must(bool good) {
  if (!good) std::abort();
}

void measure_request(const char* name, const std::string& bytes) {
  RequestHead head;
  const Limits limits;
  measure(name, bytes.size(), [&] {
    ParseState state;
    must(parse_request(bytes, limits, state, head).status == ParseStatus::complete);
  });
}

void measure_chunked(const char* name, const std::string& bytes) {
  measure(name, bytes.size(), [&] {
    ChunkedDecoder decoder;
    must(decoder.skim(bytes).status == ChunkedDecoder::Status::done);
  });
}

}  // namespace

int main() {
  measure_request("browser GET, 20 fields", browser_request());
  measure_request("small GET",
                  "GET /index.html HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n");
  const std::string answer =
      "HTTP/1.1 200 OK\r\nServer: app\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
      "Content-Type: application/json; charset=utf-8\r\nContent-Length: 1024\r\n"
      "Vary: Origin\r\nX-Request-Id: 0b3c8f52-2a0f-4f0e-9c3e-0d6a4a1f2b7c\r\n"
      "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n";
  ResponseHead head;
  measure("response, 8 fields", answer.size(), [&] {
    ParseState state;
    must(parse_response(answer, {}, state, Method::get, head).status == ParseStatus::complete);
  });
  // As bytes come one by one from a slow sender.
  const std::string browser = browser_request();
  RequestHead slow;
  measure("browser GET byte by byte", browser.size(), [&] {
    ParseState state;
    for (std::size_t size = 1; size <= browser.size(); ++size) {
      const auto result = parse_request({browser.data(), size}, {}, state, slow);
      must(result.status != ParseStatus::error);
    }
  });
  std::string tiny, big;
  for (int i = 0; i < 10000; ++i) tiny += "1\r\nx\r\n";
  for (int i = 0; i < 4; ++i) big += "4000\r\n" + std::string(0x4000, 'x') + "\r\n";
  measure_chunked("chunked, 10000 of 1 byte", tiny + "0\r\n\r\n");
  measure_chunked("chunked, 4 of 16 KiB", big + "0\r\n\r\n");
}
