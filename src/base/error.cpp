#include "base/error.h"

#include <array>
#include <cstddef>

namespace weir {
namespace {
constexpr std::array kTable = {
#define WEIR_ERROR(name, side, retry, status, text) \
  ErrorInfo{#name, Side::side, Retry::retry, status, text},
#include "base/errors.def"
#undef WEIR_ERROR
};
}  // namespace

const ErrorInfo& info(Errc code) { return kTable[static_cast<std::size_t>(code)]; }

}  // namespace weir
