#include "proxy/filters.h"

#include <algorithm>

#include "content/compress.h"
#include "content/gunzip.h"
#include "content/substitute.h"
#include "proxy/exchange.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

constexpr std::size_t kGunzipRoom = 64 * 1024;

class GunzipFilter final : public BodyFilter {
 public:
  bool write(std::string_view in, bool, bool last, std::string& out) override {
    for (;;) {
      switch (gunzip_.read(in, kGunzipRoom, out)) {
        case content::Gunzip::Result::full:
          continue;
        case content::Gunzip::Result::bad:
          return false;
        case content::Gunzip::Result::all_taken:
          return !last || gunzip_.complete();
      }
    }
  }

 private:
  content::Gunzip gunzip_;
};

class CompressionFilter final : public BodyFilter {
 public:
  explicit CompressionFilter(std::unique_ptr<content::Compressor> compressor)
      : compressor_(std::move(compressor)) {}

  bool write(std::string_view in, bool flush, bool last, std::string& out) override {
    using Flush = content::Compressor::Flush;
    const auto mode = last ? Flush::finish : flush ? Flush::sync : Flush::none;
    return compressor_->write(in, mode, out);
  }

 private:
  std::unique_ptr<content::Compressor> compressor_;
};

class RangeFilter final : public BodyFilter {
 public:
  explicit RangeFilter(content::ByteRange range) : range_(range) {}

  bool write(std::string_view in, bool, bool, std::string& out) override {
    const auto size = static_cast<std::int64_t>(in.size());
    const auto from = std::clamp<std::int64_t>(range_.begin - at_, 0, size);
    const auto to = std::clamp<std::int64_t>(range_.end - at_, 0, size);
    at_ += size;
    out.append(in.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from)));
    return true;
  }

 private:
  content::ByteRange range_;
  std::int64_t at_ = 0;
};

class CharsetFilter final : public BodyFilter {
 public:
  explicit CharsetFilter(content::Recoding recoding) : recoder_(std::move(recoding)) {}

  bool write(std::string_view in, bool, bool, std::string& out) override {
    recoder_.write(in, out);
    return true;
  }

 private:
  content::Recoder recoder_;
};

class SubstitutionFilter final : public BodyFilter {
 public:
  SubstitutionFilter(std::shared_ptr<const content::SubstitutePatterns> patterns, bool once,
                     content::Substituter::Replacement replacement)
      : substituter_(std::move(patterns), once, std::move(replacement)) {}

  bool write(std::string_view in, bool, bool last, std::string& out) override {
    substituter_.write(in, last, out);
    return true;
  }

 private:
  content::Substituter substituter_;
};

class SsiFilter final : public BodyFilter {
 public:
  explicit SsiFilter(SsiPage& page) : page_(page) {}

  bool write(std::string_view in, bool, bool, std::string&) override {
    page_.take(in);
    return true;
  }

 private:
  SsiPage& page_;
};

// log2 of a power of two.
int bits_of(std::uint64_t size) {
  int bits = 0;
  while (size > 1) {
    size >>= 1;
    ++bits;
  }
  return bits;
}

}  // namespace

std::unique_ptr<BodyFilter> make_gunzip_filter() { return std::make_unique<GunzipFilter>(); }

std::unique_ptr<BodyFilter> make_substitution_filter(Exchange& x) {
  const auto& filters = x.config().sub_filter;
  auto patterns = x.location().tools().substitutions;
  if (patterns == nullptr) {
    std::vector<std::string> texts;
    for (const auto& filter : filters) evaluate(filter.from, x, texts.emplace_back());
    patterns = std::make_shared<const content::SubstitutePatterns>(texts);
  }
  return std::make_unique<SubstitutionFilter>(
      std::move(patterns), x.config().sub_filter_once,
      [&x, &filters](std::size_t index, std::string& out) { evaluate(filters[index].to, x, out); });
}

std::unique_ptr<BodyFilter> make_charset_filter(content::Recoding recoding) {
  return std::make_unique<CharsetFilter>(std::move(recoding));
}

std::unique_ptr<BodyFilter> make_ssi_filter(SsiPage& page) {
  return std::make_unique<SsiFilter>(page);
}

std::unique_ptr<BodyFilter> make_range_filter(content::ByteRange range) {
  return std::make_unique<RangeFilter>(range);
}

std::unique_ptr<BodyFilter> make_compression_filter(const config::RequestConfig& config,
                                                    content::Coding coding, std::int64_t length) {
  std::optional<std::uint64_t> known;
  if (length >= 0) known = static_cast<std::uint64_t>(length);
  std::unique_ptr<content::Compressor> compressor;
  switch (coding) {
    case content::Coding::gzip: {
      content::GzipSettings settings;
      settings.level = static_cast<int>(config.gzip_comp_level);
      settings.window_bits = bits_of(config.gzip_window);
      settings.memory_level = bits_of(config.gzip_hash) - 9;
      compressor = content::make_gzip(content::fit_to_length(settings, known), known);
      break;
    }
    case content::Coding::brotli: {
      content::BrotliSettings settings;
      settings.quality = static_cast<int>(config.brotli_comp_level);
      compressor = content::make_brotli(settings, known);
      break;
    }
    case content::Coding::zstd: {
      content::ZstdSettings settings;
      settings.level = static_cast<int>(config.zstd_comp_level);
      compressor = content::make_zstd(settings, known);
      break;
    }
  }
  if (compressor == nullptr) return nullptr;
  return std::make_unique<CompressionFilter>(std::move(compressor));
}

}  // namespace weir::proxy
