#include "content/compress.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>

namespace weir::content {
namespace {

constexpr std::size_t kPiece = 16384;  // of output at a time

// Makes room for a piece behind `out`, lets `fill` write into it, and keeps what was written.
// `fill` takes where to write and how much, and returns how much it wrote.
template <typename Fill>
void append_piece(std::string& out, Fill&& fill) {
  const auto before = out.size();
  out.resize(before + kPiece);
  out.resize(before + fill(out.data() + before, kPiece));
}

class Gzip final : public Compressor {
 public:
  ~Gzip() override {
    if (started_) deflateEnd(&stream_);
  }
  bool start(const GzipSettings& settings) {
    constexpr int gzip_head = 16;
    started_ = deflateInit2(&stream_, settings.level, Z_DEFLATED, settings.window_bits + gzip_head,
                            settings.memory_level, Z_DEFAULT_STRATEGY) == Z_OK;
    return started_;
  }

 private:
  bool do_write(std::string_view in, Flush flush, std::string& out) override {
    if (in.empty() && flush == Flush::none) return true;
    const int mode = flush == Flush::finish ? Z_FINISH
                     : flush == Flush::sync ? Z_SYNC_FLUSH
                                            : Z_NO_FLUSH;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    int result = Z_OK;
    do {
      append_piece(out, [&](char* to, std::size_t size) {
        stream_.next_out = reinterpret_cast<Bytef*>(to);
        stream_.avail_out = static_cast<uInt>(size);
        result = deflate(&stream_, mode);
        return size - stream_.avail_out;
      });
      // Z_BUF_ERROR: there was nothing left to do.
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return false;
    } while (stream_.avail_out == 0 && result != Z_STREAM_END);
    return flush != Flush::finish || result == Z_STREAM_END;
  }

  z_stream stream_{};
  bool started_ = false;
};

class Brotli final : public Compressor {
 public:
  bool start(const BrotliSettings& settings, std::optional<std::uint64_t> length) {
    encoder_.reset(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr));
    if (!encoder_) return false;
    const auto set = [this](BrotliEncoderParameter parameter, std::uint64_t value) {
      return BrotliEncoderSetParameter(encoder_.get(), parameter,
                                       static_cast<std::uint32_t>(value)) == BROTLI_TRUE;
    };
    // A hint of 1 GiB says as much as a larger one.
    const auto hint = std::min<std::uint64_t>(length.value_or(0), 1U << 30);
    return set(BROTLI_PARAM_QUALITY, static_cast<std::uint64_t>(settings.quality)) &&
           set(BROTLI_PARAM_LGWIN, static_cast<std::uint64_t>(settings.window_bits)) &&
           set(BROTLI_PARAM_SIZE_HINT, hint);
  }

 private:
  struct Destroy {
    void operator()(BrotliEncoderState* state) const { BrotliEncoderDestroyInstance(state); }
  };

  bool do_write(std::string_view in, Flush flush, std::string& out) override {
    const auto operation = flush == Flush::finish ? BROTLI_OPERATION_FINISH
                           : flush == Flush::sync ? BROTLI_OPERATION_FLUSH
                                                  : BROTLI_OPERATION_PROCESS;
    auto left = in.size();
    const auto* from = reinterpret_cast<const std::uint8_t*>(in.data());
    bool more = true;
    while (more) {
      std::size_t room = 0;
      if (BrotliEncoderCompressStream(encoder_.get(), operation, &left, &from, &room, nullptr,
                                      nullptr) == BROTLI_FALSE) {
        return false;
      }
      // What it has to say before it goes on; it has nothing more to say when it is silent.
      more = left > 0;
      while (BrotliEncoderHasMoreOutput(encoder_.get()) == BROTLI_TRUE) {
        std::size_t size = 0;
        const auto* bytes = BrotliEncoderTakeOutput(encoder_.get(), &size);
        out.append(reinterpret_cast<const char*>(bytes), size);
        more = true;
      }
    }
    return flush != Flush::finish || BrotliEncoderIsFinished(encoder_.get()) == BROTLI_TRUE;
  }

  std::unique_ptr<BrotliEncoderState, Destroy> encoder_;
};

class Zstd final : public Compressor {
 public:
  bool start(const ZstdSettings& settings) {
    context_.reset(ZSTD_createCCtx());
    if (!context_) return false;
    const auto set = [this](ZSTD_cParameter parameter, int value) {
      return ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), parameter, value)) == 0;
    };
    return set(ZSTD_c_compressionLevel, settings.level) &&
           set(ZSTD_c_windowLog, settings.window_bits);
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };

  bool do_write(std::string_view in, Flush flush, std::string& out) override {
    const auto mode = flush == Flush::finish ? ZSTD_e_end
                      : flush == Flush::sync ? ZSTD_e_flush
                                             : ZSTD_e_continue;
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    std::size_t left = 0;  // what it still holds back, or an error
    do {
      append_piece(out, [&](char* to, std::size_t size) {
        ZSTD_outBuffer into{to, size, 0};
        left = ZSTD_compressStream2(context_.get(), &into, &from, mode);
        return into.pos;
      });
      if (ZSTD_isError(left) != 0) return false;
    } while (from.pos < from.size || (flush != Flush::none && left > 0));
    return true;
  }

  std::unique_ptr<ZSTD_CCtx, Free> context_;
};

// The window that holds `length` bytes, within the range of a format.
int window_for(std::optional<std::uint64_t> length, int configured, int least) {
  if (!length || *length == 0 || *length > (std::uint64_t{1} << configured)) return configured;
  return std::clamp(static_cast<int>(std::bit_width(*length)), least, configured);
}

bool in_range(int value, int least, int most) { return value >= least && value <= most; }

}  // namespace

std::string compression_ratio(std::uint64_t total_in, std::uint64_t total_out) {
  if (total_out == 0) return {};
  // In hundredths; the digit behind them decides the rounding.
  auto hundredths = total_in * 100 / total_out;
  if (total_in * 1000 / total_out % 10 > 4) ++hundredths;
  const auto rest = std::to_string(hundredths % 100);
  return std::to_string(hundredths / 100) + (rest.size() == 1 ? ".0" : ".") + rest;
}

GzipSettings fit_to_length(GzipSettings settings, std::optional<std::uint64_t> length) {
  if (!length || *length == 0) return settings;
  // zlib keeps so many bytes of the window for itself.
  constexpr std::int64_t kept = 262;
  const auto size = static_cast<std::int64_t>(std::min<std::uint64_t>(*length, 1U << 16));
  while (size < (std::int64_t{1} << (settings.window_bits - 1)) - kept) {
    --settings.window_bits;
    --settings.memory_level;
  }
  settings.memory_level = std::max(settings.memory_level, 1);
  return settings;
}

std::unique_ptr<Compressor> make_gzip(const GzipSettings& settings,
                                      std::optional<std::uint64_t> length) {
  auto gzip = std::make_unique<Gzip>();
  if (!gzip->start(fit_to_length(settings, length))) return nullptr;
  return gzip;
}

std::unique_ptr<Compressor> make_brotli(const BrotliSettings& settings,
                                        std::optional<std::uint64_t> length) {
  if (!in_range(settings.quality, BROTLI_MIN_QUALITY, BROTLI_MAX_QUALITY) ||
      !in_range(settings.window_bits, BROTLI_MIN_WINDOW_BITS, BROTLI_MAX_WINDOW_BITS)) {
    return nullptr;
  }
  BrotliSettings fitted = settings;
  // Its window is 16 bytes less than the power of two.
  const auto needed = length ? std::optional(*length + 16) : std::nullopt;
  fitted.window_bits = window_for(needed, settings.window_bits, BROTLI_MIN_WINDOW_BITS);
  auto brotli = std::make_unique<Brotli>();
  if (!brotli->start(fitted, length)) return nullptr;
  return brotli;
}

std::unique_ptr<Compressor> make_zstd(const ZstdSettings& settings,
                                      std::optional<std::uint64_t> length) {
  constexpr int least = 10;
  if (!in_range(settings.level, 1, ZSTD_maxCLevel()) ||
      !in_range(settings.window_bits, least, 23)) {
    return nullptr;
  }
  ZstdSettings fitted = settings;
  fitted.window_bits = window_for(length, settings.window_bits, least);
  auto zstd = std::make_unique<Zstd>();
  if (!zstd->start(fitted)) return nullptr;
  return zstd;
}

}  // namespace weir::content
