#include "content/gunzip.h"

#include <zlib.h>

namespace weir::content {

struct Gunzip::Stream {
  z_stream zlib{};
  bool started = false;
};

Gunzip::Gunzip() : stream_(std::make_unique<Stream>()) {
  constexpr int gzip_head = 16;
  stream_->started = inflateInit2(&stream_->zlib, MAX_WBITS + gzip_head) == Z_OK;
}

Gunzip::~Gunzip() {
  if (stream_->started) inflateEnd(&stream_->zlib);
}

Gunzip::Result Gunzip::read(std::string_view& in, std::size_t room, std::string& out) {
  if (!stream_->started) return Result::bad;
  z_stream& zlib = stream_->zlib;
  const auto before = out.size();
  out.resize(before + room);
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  zlib.avail_in = static_cast<uInt>(in.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data() + before);
  zlib.avail_out = static_cast<uInt>(room);
  int result = Z_OK;
  while (zlib.avail_out > 0) {
    if (complete_) {
      // What follows a member is the next one.
      if (zlib.avail_in == 0) break;
      inflateReset(&zlib);
      complete_ = false;
    }
    result = inflate(&zlib, Z_NO_FLUSH);
    complete_ = result == Z_STREAM_END;
    if (result != Z_OK && result != Z_STREAM_END) break;
  }
  in.remove_prefix(in.size() - zlib.avail_in);
  out.resize(out.size() - zlib.avail_out);
  // Z_BUF_ERROR: all input is taken and nothing waits.
  if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return Result::bad;
  return zlib.avail_out == 0 && !(complete_ && zlib.avail_in == 0) ? Result::full
                                                                   : Result::all_taken;
}

}  // namespace weir::content
