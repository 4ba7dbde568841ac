// The functions that compile directives of stream, as handlers.h has those of http.
#pragma once

#include "config/arguments.h"

namespace weir::config {

void compile_stream(const Call& call);
void compile_stream_server(const Call& call);
void compile_stream_proxy_pass(const Call& call);
void compile_stream_return(const Call& call);
void compile_proxy_responses(const Call& call);

template <auto Member>
void set_stream_flag(const Call& call) {
  call.scope.stream->*Member = lower(call.arg(0).text) == "on";
}
template <auto Member>
void set_stream_time(const Call& call) {
  if (const auto time = time_argument(call, call.arg(0))) call.scope.stream->*Member = *time;
}
template <auto Member, std::uint32_t Least = 0, std::uint32_t Greatest = 0x7fffffff>
void set_stream_number(const Call& call) {
  const auto number = number_argument(call, call.arg(0), Least, Greatest);
  if (number) call.scope.stream->*Member = *number;
}
template <auto Member, std::uint64_t Least = 0>
void set_stream_size(const Call& call) {
  constexpr std::uint64_t kMost = 16u << 20;
  const auto size = size_argument(call, call.arg(0));
  if (!size) return;
  if (*size < Least || *size > kMost) {
    return call.error(call.arg(0), "the size must have " + std::to_string(Least) +
                                       (Least == 1 ? " byte" : " bytes") + " to 16 MiB");
  }
  call.scope.stream->*Member = *size;
}
// Bytes, or a text with variables that gives them.
template <auto Member>
void set_stream_size_value(const Call& call) {
  if (auto value = size_value_argument(call, call.arg(0))) {
    call.scope.stream->*Member = std::move(*value);
  }
}

}  // namespace weir::config
