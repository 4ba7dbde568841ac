#include "http/http2_scanner.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using weir::http::Http2Scanner;

namespace {

std::string frame(char type, char flags, std::size_t size, char stream = 0) {
  std::string out{'\0', static_cast<char>(size >> 8), static_cast<char>(size & 0xff), type, flags};
  return out + std::string(3, '\0') + stream + std::string(size, 'x');
}

const std::string kPreface(Http2Scanner::kPrefaceSize, 'p');

}  // namespace

TEST_CASE("frames are found however the bytes are cut") {
  const std::string all =
      kPreface + frame(4, 0, 6) + frame(0, 0, 300) + frame(0x42, 0, 0) + frame(1, 4, 1);
  for (std::size_t piece = 1; piece < all.size(); ++piece) {
    Http2Scanner scanner;
    std::vector<int> types;
    for (std::size_t at = 0; at < all.size(); at += piece) {
      scanner.scan(std::string_view(all).substr(at, piece),
                   [&](int type) { types.push_back(type); });
    }
    CHECK(types == std::vector<int>{4, 0, 0x42, 1});
    CHECK_FALSE(scanner.in_block());
  }
}

TEST_CASE("a block of fields lasts from its first byte to its last") {
  const std::string all = kPreface + frame(1, 0, 2) + frame(9, 0, 2) + frame(9, 4, 2);
  Http2Scanner scanner;
  for (std::size_t at = 0; at < all.size(); ++at) {
    scanner.scan(std::string_view(all).substr(at, 1), [](int) {});
    CHECK(scanner.in_block() ==
          (at + 1 >= kPreface.size() + Http2Scanner::kHeadSize && at + 1 < all.size()));
  }
}

TEST_CASE("a stream that a later one has passed over is not opened any more") {
  struct Row {
    std::vector<char> streams;
    bool out_of_order;
  };
  const std::vector<Row> rows = {
      {{1, 3, 5}, false},    {{3, 5}, false},      {{1, 1, 3, 1}, false},  // trailers
      {{5, 3}, true},        {{1, 7, 3}, true},    {{1, 7, 5, 9}, true},
      {{1, 7, 7, 1}, false}, {{15, 17, 2}, false},  // an even one is wrong in another way
      {{5, 9, 3}, false},                           // the gap before the last one: taken for closed
  };
  for (const auto& row : rows) {
    std::string bytes = kPreface;
    for (const char stream : row.streams) bytes += frame(1, 4, 1, stream);
    CAPTURE(bytes);
    Http2Scanner scanner;
    scanner.scan(bytes, [](int) {});
    CHECK(scanner.out_of_order() == row.out_of_order);
  }
}
