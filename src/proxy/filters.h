// The filters of bodies that there are, made for one answer each. Worker thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "config/request_config.h"
#include "content/accept_encoding.h"
#include "content/charset.h"
#include "content/ranges.h"
#include "proxy/body_filter.h"

namespace weir::proxy {

class Exchange;
class SsiPage;

[[nodiscard]] std::unique_ptr<BodyFilter> make_gunzip_filter();
// nginx's `sub_filter`s of the exchange's location.
[[nodiscard]] std::unique_ptr<BodyFilter> make_substitution_filter(Exchange& x);
[[nodiscard]] std::unique_ptr<BodyFilter> make_charset_filter(content::Recoding recoding);
// Null: out of memory.
[[nodiscard]] std::unique_ptr<BodyFilter> make_compression_filter(
    const config::RequestConfig& config, content::Coding coding, std::int64_t length);
// Keeps a page with server side includes back: nothing comes out of it.
[[nodiscard]] std::unique_ptr<BodyFilter> make_ssi_filter(SsiPage& page);
// Cuts one range out of a body that passes.
[[nodiscard]] std::unique_ptr<BodyFilter> make_range_filter(content::ByteRange range);

// Whether an add_header or add_trailer holds for an answer of `status`.
[[nodiscard]] bool applies_to(const config::HeaderValue& header, int status);

}  // namespace weir::proxy
