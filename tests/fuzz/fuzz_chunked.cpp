// Any bytes as a chunked body: next() and skim() agree, and cutting changes nothing; a body that
// was decoded gives the same data when it is coded again.
#include <cstddef>
#include <cstdint>

#include "heads.h"
#include "http/chunked.h"

namespace {

using weir::fuzz::check;
using weir::http::ChunkedDecoder;
using Status = ChunkedDecoder::Status;

struct Outcome {
  Status status = Status::more;
  std::size_t consumed = 0;
  std::uint64_t decoded = 0;
  std::string reason;
  std::string data;
};

// Gives `bytes` in pieces of `size`, each at an address of its own.
template <typename Take>
void feed(std::string_view bytes, std::size_t size, Take&& take) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size()))) {
    const weir::fuzz::Exact piece(bytes.substr(0, size));
    if (!take(piece.view())) return;
  }
}

void note(const ChunkedDecoder::Step& step, std::size_t available, Outcome& out) {
  check(step.consumed <= available, "no more is consumed than was given");
  check(step.status != Status::more || step.consumed == available, "more: all was consumed");
  check((step.status == Status::error) == (*step.reason != '\0'), "errors have reasons");
  out.consumed += step.consumed;
  out.status = step.status;
  out.reason = step.reason;
  out.data += step.data;
}

Outcome by_next(std::string_view bytes, std::size_t size, const ChunkedDecoder::Limits& limits) {
  ChunkedDecoder decoder(limits);
  Outcome out;
  feed(bytes, size, [&](std::string_view in) {
    do {
      const auto step = decoder.next(in);
      note(step, in.size(), out);
      check((step.status == Status::data) != step.data.empty(), "data comes with its status");
      in.remove_prefix(step.consumed);
    } while (out.status == Status::data);
    return out.status == Status::more;
  });
  out.decoded = decoder.decoded();
  check(out.decoded == out.data.size(), "the count of data");
  return out;
}

Outcome by_skim(std::string_view bytes, std::size_t size, const ChunkedDecoder::Limits& limits) {
  ChunkedDecoder decoder(limits);
  Outcome out;
  feed(bytes, size, [&](std::string_view in) {
    const auto step = decoder.skim(in);
    check(step.status != Status::data && step.data.empty(), "skim has no data");
    note(step, in.size(), out);
    return out.status == Status::more;
  });
  out.decoded = decoder.decoded();
  return out;
}

void run(std::string_view bytes, const ChunkedDecoder::Limits& limits) {
  const Outcome want = by_next(bytes, bytes.size(), limits);
  for (const std::size_t size : {std::size_t{1}, std::size_t{3}, bytes.size()}) {
    const Outcome next = by_next(bytes, size, limits), skim = by_skim(bytes, size, limits);
    check(next.data == want.data, "the same data in pieces");
    for (const Outcome* got : {&next, &skim}) {
      check(got->status == want.status && got->reason == want.reason, "the same end");
      check(got->consumed == want.consumed && got->decoded == want.decoded, "the same counts");
    }
  }
  if (want.status != Status::done) return;
  check(bytes.substr(want.consumed - 2, 2) == "\r\n", "a body ends with CRLF");
  char chunk[32];
  std::snprintf(chunk, sizeof chunk, "%zx\r\n", want.data.size());
  const std::string again = want.data.empty() ? "0\r\n\r\n" : chunk + want.data + "\r\n0\r\n\r\n";
  const Outcome copy = by_next(again, again.size(), {});
  check(copy.status == Status::done && copy.data == want.data, "coded again, the same data");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  run(bytes, {});
  ChunkedDecoder::Limits small;
  small.line = 20;
  small.trailers = 30;
  small.extensions = 25;
  run(bytes, small);
  return 0;
}
