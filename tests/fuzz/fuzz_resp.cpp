// Any bytes as what a Redis server says: reading ends, keeps to its limits, gives the same values
// in whatever pieces the bytes come, and a command that is written can be read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "heads.h"
#include "registry/resp.h"

namespace {

using namespace weir::registry;
using weir::fuzz::check;
using Status = RespParser::Status;

constexpr RespLimits kLimits{.line = 64, .bulk = 256, .total = 1024, .values = 32, .depth = 4};

struct Outcome {
  std::vector<RespValue> values;
  std::string error;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::size_t count_of(const RespValue& value, std::size_t depth) {
  check(depth <= kLimits.depth, "arrays are not nested deeper than they may be");
  check(value.text.size() <= kLimits.bulk, "a text is no longer than it may be");
  std::size_t count = 1;
  for (const auto& item : value.items) count += count_of(item, depth + 1);
  return count;
}

Outcome read(std::string_view bytes, std::size_t step) {
  RespParser parser(kLimits);
  Outcome outcome;
  while (!bytes.empty()) {
    const auto size = std::min(step, bytes.size());
    parser.feed(bytes.substr(0, size));
    bytes.remove_prefix(size);
    RespValue value;
    Status status;
    while ((status = parser.next(value)) == Status::value) {
      check(count_of(value, 0) <= kLimits.values, "no more values than there may be");
      outcome.values.push_back(value);
    }
    if (status == Status::error) {
      outcome.error = parser.error();
      check(!outcome.error.empty(), "an error has a reason");
      break;
    }
    check(parser.pending() <= kLimits.total, "no more is kept than there may be");
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 8192) return 0;
  const weir::fuzz::Exact text({reinterpret_cast<const char*>(data), size});
  const auto bytes = text.view();
  const auto whole = read(bytes, 4096);
  check(whole == read(bytes, 1) && whole == read(bytes, 7), "pieces make no difference");

  const std::size_t half = std::min<std::size_t>(size / 2, 200);
  const std::vector<std::string> words{std::string(bytes.substr(0, half)),
                                       std::string(bytes.substr(half, 200))};
  const auto command = read(format_command(words), 5);
  check(command.values.size() == 1 && command.values[0].items.size() == 2, "a command is an array");
  check(command.values[0].items[0].text == words[0] && command.values[0].items[1].text == words[1],
        "of its words");
  return 0;
}
