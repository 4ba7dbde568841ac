// Any bytes as a page with server side includes: the pieces come in the order of the text and
// within it, names and values keep to their limits, and a command that was read is the same when it
// is written and read again.
#include <cstddef>
#include <cstdint>

#include "content/ssi.h"
#include "heads.h"

namespace {

using namespace weir::content;
using weir::fuzz::check;

constexpr std::size_t kMaxValue = 24;

void check_command(const SsiPiece& piece) {
  check(!piece.name.empty() && piece.name.size() <= SsiReader::kMaxName, "the command's name");
  check(piece.parameters.size() <= SsiReader::kMaxParameters + 1, "the number of parameters");
  for (const auto& parameter : piece.parameters) {
    check(!parameter.name.empty() && parameter.name.size() <= SsiReader::kMaxName, "a name");
    check(parameter.value.size() <= kMaxValue, "a value is no longer than it may be");
    std::string out;
    std::string problem;
    const auto look_up = [](std::string_view name, std::string& to) { to.append(name); };
    const bool good = expand_ssi(parameter.value, look_up, out, problem);
    check(good == problem.empty(), "a bad value has a problem");
    check(out.size() <= parameter.value.size(), "nothing is added");
    if (const auto condition = parse_ssi_condition(parameter.value)) {
      check(condition->compares || !condition->regex,
            "what is compared with a pattern is compared");
    }
  }
  std::string written;
  append_ssi_command(piece, written);
  SsiReader reader(written, kMaxValue);
  SsiPiece again;
  check(reader.next(again) && again.kind == SsiPiece::Kind::command, "it can be read again");
  check(again.name == piece.name, "with the same name");
  check(again.parameters.size() == piece.parameters.size(), "and as many parameters");
  for (std::size_t i = 0; i < again.parameters.size(); ++i) {
    check(again.parameters[i].name == piece.parameters[i].name, "of the same names");
    check(again.parameters[i].value == piece.parameters[i].value, "and values");
  }
  check(!reader.next(again), "and nothing behind it");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  const weir::fuzz::Exact text({reinterpret_cast<const char*>(data), size});
  SsiReader reader(text.view(), kMaxValue);
  SsiPiece piece;
  const char* at = text.view().data();
  while (reader.next(piece)) {
    if (piece.kind == SsiPiece::Kind::text) {
      check(!piece.text.empty(), "a text is not empty");
      check(piece.text.data() >= at, "texts are in order");
      check(piece.text.find("<!--#") == std::string_view::npos, "no command is passed as text");
      at = piece.text.data() + piece.text.size();
    } else {
      check(piece.problem.empty() == (piece.kind == SsiPiece::Kind::command),
            "what is broken says so");
      if (piece.kind == SsiPiece::Kind::command &&
          piece.parameters.size() <= SsiReader::kMaxParameters) {
        check_command(piece);
      }
      SsiArguments arguments;
      std::string problem;
      const auto command = find_ssi_command(piece.name);
      if (command && piece.kind == SsiPiece::Kind::command) {
        const bool good = match_ssi_parameters(*command, piece, arguments, problem);
        check(good == problem.empty(), "bad parameters have a problem");
      }
    }
  }
  check(at <= text.view().data() + size, "texts are within");
  return 0;
}
