// HPACK (RFC 7541) as far as one call needs it: fields written as literals, and blocks read from a
// peer that was told to keep no dynamic table. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::probe {

struct HpackField {
  std::string name;  // empty for names of the static table other than :status
  std::string value;
};

// Appends a field, never to be indexed, not compressed.
void hpack_add(std::string& out, std::string_view name, std::string_view value);

// Reads a whole block; false: it is not valid, or refers to a table that must not be there.
[[nodiscard]] bool hpack_read(std::string_view block, std::vector<HpackField>& out);

// Section 5.2; false: not valid.
[[nodiscard]] bool huffman_read(std::string_view bytes, std::string& out);

}  // namespace weir::probe
