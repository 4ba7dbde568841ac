#include "content/compress.h"

#include <brotli/decode.h>
#include <doctest/doctest.h>
#include <zstd.h>

#include <algorithm>
#include <array>

#include "content/gunzip.h"

using namespace weir::content;
using Flush = Compressor::Flush;

namespace {

// Text that compresses well, and bytes that do not.
std::string sample(std::size_t size, bool random) {
  std::string out;
  std::uint64_t state = 88172645463325252ULL;
  while (out.size() < size) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    if (random) {
      out.push_back(static_cast<char>(state));
    } else {
      out.append("line ").append(std::to_string(state % 1000)).append(" of a text\n");
    }
  }
  out.resize(size);
  return out;
}

// Everything that can be read of `bytes` so far; "error" if they are damaged.
std::string decode_gzip(std::string_view bytes) {
  Gunzip gunzip;
  std::string out;
  while (true) {
    const auto result = gunzip.read(bytes, 1000, out);
    if (result == Gunzip::Result::bad) return "error";
    if (result == Gunzip::Result::all_taken) return out;
  }
}

std::string decode_brotli(std::string_view bytes) {
  auto* decoder = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
  std::string out;
  auto left = bytes.size();
  const auto* from = reinterpret_cast<const std::uint8_t*>(bytes.data());
  auto result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
  while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT ||
         BrotliDecoderHasMoreOutput(decoder) == BROTLI_TRUE) {
    std::array<std::uint8_t, 1000> piece;
    auto* to = piece.data();
    auto room = piece.size();
    result = BrotliDecoderDecompressStream(decoder, &left, &from, &room, &to, nullptr);
    out.append(reinterpret_cast<const char*>(piece.data()), piece.size() - room);
  }
  BrotliDecoderDestroyInstance(decoder);
  return result == BROTLI_DECODER_RESULT_ERROR ? "error" : out;
}

std::string decode_zstd(std::string_view bytes) {
  auto* context = ZSTD_createDCtx();
  std::string out;
  ZSTD_inBuffer from{bytes.data(), bytes.size(), 0};
  std::array<char, 1000> piece;
  std::size_t produced = piece.size();
  std::size_t result = 0;
  while (ZSTD_isError(result) == 0 && (from.pos < from.size || produced == piece.size())) {
    ZSTD_outBuffer into{piece.data(), piece.size(), 0};
    result = ZSTD_decompressStream(context, &into, &from);
    produced = into.pos;
    out.append(piece.data(), produced);
  }
  ZSTD_freeDCtx(context);
  return ZSTD_isError(result) != 0 ? "error" : out;
}

struct Method {
  const char* name;
  std::unique_ptr<Compressor> (*make)(std::optional<std::uint64_t> length);
  std::string (*decode)(std::string_view bytes);
};
const Method kMethods[] = {
    {"gzip", [](std::optional<std::uint64_t> length) { return make_gzip({}, length); },
     decode_gzip},
    {"gzip 9",
     [](std::optional<std::uint64_t> length) {
       return make_gzip({.level = 9, .window_bits = 9, .memory_level = 1}, length);
     },
     decode_gzip},
    {"br", [](std::optional<std::uint64_t> length) { return make_brotli({}, length); },
     decode_brotli},
    {"br 9",
     [](std::optional<std::uint64_t> length) {
       return make_brotli({.quality = 9, .window_bits = 10}, length);
     },
     decode_brotli},
    {"zstd", [](std::optional<std::uint64_t> length) { return make_zstd({}, length); },
     decode_zstd},
    {"zstd 1",
     [](std::optional<std::uint64_t> length) {
       return make_zstd({.level = 1, .window_bits = 10}, length);
     },
     decode_zstd},
};

}  // namespace

TEST_CASE("what is compressed comes back, whatever the pieces") {
  for (const auto& method : kMethods) {
    for (const std::size_t size : {0, 1, 5000, 300000}) {
      for (const std::size_t piece : {7, 4096, 1000000}) {
        if (size / piece > 50000) continue;
        for (const bool random : {false, true}) {
          CAPTURE(std::string(method.name));
          CAPTURE(size);
          CAPTURE(piece);
          const auto content = sample(size, random);
          const auto compressor = method.make(piece == 7 ? std::nullopt : std::optional(size));
          REQUIRE(compressor);
          std::string out;
          for (std::size_t at = 0; at < size; at += piece) {
            REQUIRE(
                compressor->write(std::string_view(content).substr(at, piece), Flush::none, out));
          }
          REQUIRE(compressor->write({}, Flush::finish, out));
          CHECK((method.decode(out) == content));
          CHECK(compressor->total_in() == size);
          CHECK(compressor->total_out() == out.size());
          if (!random && size > 1000) CHECK(out.size() < size / 2);
        }
      }
    }
  }
}

TEST_CASE("what is flushed can be read at once") {
  for (const auto& method : kMethods) {
    CAPTURE(std::string(method.name));
    const auto compressor = method.make(std::nullopt);
    std::string out, sent;
    for (int i = 0; i < 20; ++i) {
      // Small and large events by turns.
      const auto event = sample(i % 2 == 0 ? 10 : 100000, false) + std::to_string(i);
      REQUIRE(compressor->write(event, Flush::sync, out));
      sent += event;
      REQUIRE((method.decode(out) == sent));
    }
    // Nothing new to flush: a few bytes at most.
    const auto before = out.size();
    REQUIRE(compressor->write({}, Flush::sync, out));
    CHECK(out.size() - before <= 10);
    REQUIRE(compressor->write("end", Flush::finish, out));
    CHECK((method.decode(out) == sent + "end"));
  }
}

TEST_CASE("settings that there are not give no compressor") {
  CHECK_FALSE(make_gzip({.level = 10}, std::nullopt));
  CHECK_FALSE(make_gzip({.window_bits = 16}, std::nullopt));
  CHECK_FALSE(make_brotli({.quality = 12}, std::nullopt));
  CHECK_FALSE(make_brotli({.window_bits = 25}, std::nullopt));
  CHECK_FALSE(make_zstd({.level = 0}, std::nullopt));
  CHECK_FALSE(make_zstd({.window_bits = 24}, std::nullopt));
}

TEST_CASE("the head of gzip has neither name nor time") {
  const auto gzip = make_gzip({}, std::nullopt);
  std::string out;
  REQUIRE(gzip->write("x", Flush::finish, out));
  CHECK(out.substr(0, 10) == std::string("\x1f\x8b\x08\0\0\0\0\0\x04\x03", 10));
}

TEST_CASE("gzip takes less memory for small answers") {
  struct Row {
    std::optional<std::uint64_t> length;
    int window_bits;
    int memory_level;
  };
  const Row rows[] = {
      {std::nullopt, 15, 8}, {0, 15, 8},     {1, 9, 2},        {100, 9, 2},
      {249, 9, 2},           {250, 10, 3},   {761, 10, 3},     {762, 11, 4},
      {16121, 14, 7},        {16122, 15, 8}, {1000000, 15, 8}, {1ULL << 40, 15, 8},
  };
  for (const auto& row : rows) {
    CAPTURE(row.length.value_or(0));
    const auto fitted = fit_to_length({}, row.length);
    CHECK(fitted.window_bits == row.window_bits);
    CHECK(fitted.memory_level == row.memory_level);
  }
  CHECK(fit_to_length({.memory_level = 1}, 100).memory_level == 1);
}

TEST_CASE("the ratio is rounded") {
  CHECK(compression_ratio(1000, 0).empty());
  CHECK(compression_ratio(1000, 1000) == "1.00");
  CHECK(compression_ratio(2125, 1000) == "2.13");
  CHECK(compression_ratio(2124, 1000) == "2.12");
  CHECK(compression_ratio(1999, 1000) == "2.00");
  CHECK(compression_ratio(10, 30) == "0.33");
  CHECK(compression_ratio(31415, 10000) == "3.14");
  CHECK(compression_ratio(105, 100) == "1.05");
}

TEST_CASE("gzip is read in bounded pieces, whatever comes out of it") {
  const std::string content(10000000, 'x');
  const auto gzip = make_gzip({.level = 9}, std::nullopt);
  std::string bomb;
  REQUIRE(gzip->write(content, Flush::finish, bomb));
  CHECK(bomb.size() < 20000);
  Gunzip gunzip;
  std::string_view in = bomb;
  std::size_t total = 0;
  while (true) {
    std::string out = "before";
    const auto result = gunzip.read(in, 4096, out);
    REQUIRE(result != Gunzip::Result::bad);
    REQUIRE(out.size() <= 6 + 4096);
    REQUIRE(out.starts_with("before"));
    total += out.size() - 6;
    if (result == Gunzip::Result::all_taken) break;
  }
  CHECK(total == content.size());
  CHECK(gunzip.complete());
}

TEST_CASE("members of gzip behind each other, cut, damaged and followed by something else") {
  const auto member = [](std::string_view content) {
    std::string out;
    const auto gzip = make_gzip({}, std::nullopt);
    REQUIRE(gzip->write(content, Flush::finish, out));
    return out;
  };
  const auto one = member("one");
  auto damaged = one;
  damaged[damaged.size() - 8] ^= 1;  // its check sum
  struct Row {
    const char* what;
    std::string bytes;
    const char* want;  // null: bad
    bool complete;
  };
  const Row rows[] = {
      {"one", one, "one", true},
      {"two", one + member("two"), "onetwo", true},
      {"an empty one", member("") + one + member(""), "one", true},
      {"nothing", "", "", false},
      {"cut behind the second's content", one + member("two").substr(0, 15), "onetwo", false},
      {"without its end", one.substr(0, one.size() - 1), "one", false},
      {"cut in its head", one.substr(0, 5), "", false},
      {"junk behind", one + "junk", nullptr, false},
      {"no gzip", "plain text that is no gzip", nullptr, false},
      {"zlib's format", std::string("\x78\x9c\x4b\x04\x00\x00\x62\x00\x62", 9), nullptr, false},
      {"damaged", damaged, nullptr, false},
  };
  for (const auto& row : rows) {
    for (const std::size_t piece : {1, 3, 1000}) {
      CAPTURE(std::string(row.what));
      CAPTURE(piece);
      Gunzip gunzip;
      std::string out;
      bool bad = false;
      for (std::size_t at = 0; at < row.bytes.size() && !bad; at += piece) {
        auto in = std::string_view(row.bytes).substr(at, piece);
        while (true) {
          const auto result = gunzip.read(in, 2, out);
          bad = result == Gunzip::Result::bad;
          if (result != Gunzip::Result::full) break;
        }
      }
      CHECK(bad == (row.want == nullptr));
      if (bad || !row.want) continue;
      CHECK(out == row.want);
      CHECK(gunzip.complete() == row.complete);
    }
  }
}
