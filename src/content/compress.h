// Compressing an answer while it passes. A compressor belongs to one answer and one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace weir::content {

class Compressor {
 public:
  enum class Flush : std::uint8_t {
    none,    // keep what is not worth writing yet
    sync,    // write everything: the client can read all that went in
    finish,  // the end; nothing may follow
  };

  Compressor() = default;
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  virtual ~Compressor() = default;

  // Takes all of `in` and appends what comes of it to `out`, hardly more than `in` is. False: out
  // of memory; the answer must be cut off.
  [[nodiscard]] bool write(std::string_view in, Flush flush, std::string& out) {
    const auto before = out.size();
    total_in_ += in.size();
    const bool ok = do_write(in, flush, out);
    total_out_ += out.size() - before;
    return ok;
  }

  [[nodiscard]] std::uint64_t total_in() const { return total_in_; }
  [[nodiscard]] std::uint64_t total_out() const { return total_out_; }

 private:
  virtual bool do_write(std::string_view in, Flush flush, std::string& out) = 0;

  std::uint64_t total_in_ = 0;
  std::uint64_t total_out_ = 0;
};

// $gzip_ratio: "3.14", rounded.
[[nodiscard]] std::string compression_ratio(std::uint64_t total_in, std::uint64_t total_out);

struct GzipSettings {
  int level = 1;         // `gzip_comp_level`, 1 to 9
  int window_bits = 15;  // `gzip_window`, 9 to 15
  int memory_level = 8;  // `gzip_hash`, 1 to 9
};
// Smaller answers take less memory: halves the window while the content fits into half of it, and
// the hash with it, as nginx does. Unknown or no length: as they are.
[[nodiscard]] GzipSettings fit_to_length(GzipSettings settings,
                                         std::optional<std::uint64_t> length);

struct BrotliSettings {
  int quality = 4;       // 0 to 11; above 5 is slow for content that is made for each request
  int window_bits = 19;  // 10 to 24: 512 KiB
};

struct ZstdSettings {
  int level = 3;         // 1 to 19
  int window_bits = 19;  // 10 to 23, the largest that browsers must take
};

// `length`: that of the content, if it is known; bounds the memory for small answers, nothing else.
// Null: out of memory, or settings outside their ranges.
[[nodiscard]] std::unique_ptr<Compressor> make_gzip(const GzipSettings& settings,
                                                    std::optional<std::uint64_t> length);
[[nodiscard]] std::unique_ptr<Compressor> make_brotli(const BrotliSettings& settings,
                                                      std::optional<std::uint64_t> length);
[[nodiscard]] std::unique_ptr<Compressor> make_zstd(const ZstdSettings& settings,
                                                    std::optional<std::uint64_t> length);

}  // namespace weir::content
