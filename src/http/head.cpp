#include "http/head.h"

#include <array>
#include <cstring>

#include "http/chars.h"
#include "http/field_lines.h"

namespace weir::http {
namespace {

struct Known {
  std::string_view name;  // lower case
  FieldId id;
};

constexpr std::array<Known, 48> known_fields{{
    {"host", FieldId::host},
    {"connection", FieldId::connection},
    {"content-length", FieldId::content_length},
    {"transfer-encoding", FieldId::transfer_encoding},
    {"expect", FieldId::expect},
    {"upgrade", FieldId::upgrade},
    {"keep-alive", FieldId::keep_alive},
    {"te", FieldId::te},
    {"trailer", FieldId::trailer},
    {"proxy", FieldId::proxy},
    {"proxy-connection", FieldId::proxy_connection},
    {"proxy-authorization", FieldId::proxy_authorization},
    {"authorization", FieldId::authorization},
    {"cookie", FieldId::cookie},
    {"user-agent", FieldId::user_agent},
    {"referer", FieldId::referer},
    {"x-forwarded-for", FieldId::x_forwarded_for},
    {"x-forwarded-host", FieldId::x_forwarded_host},
    {"x-forwarded-proto", FieldId::x_forwarded_proto},
    {"x-forwarded-port", FieldId::x_forwarded_port},
    {"x-real-ip", FieldId::x_real_ip},
    {"forwarded", FieldId::forwarded},
    {"content-type", FieldId::content_type},
    {"date", FieldId::date},
    {"server", FieldId::server},
    {"location", FieldId::location},
    {"refresh", FieldId::refresh},
    {"set-cookie", FieldId::set_cookie},
    {"etag", FieldId::etag},
    {"last-modified", FieldId::last_modified},
    {"cache-control", FieldId::cache_control},
    {"content-encoding", FieldId::content_encoding},
    {"accept-encoding", FieldId::accept_encoding},
    {"range", FieldId::range},
    {"if-range", FieldId::if_range},
    {"if-none-match", FieldId::if_none_match},
    {"if-modified-since", FieldId::if_modified_since},
    {"if-match", FieldId::if_match},
    {"if-unmodified-since", FieldId::if_unmodified_since},
    {"content-range", FieldId::content_range},
    {"expires", FieldId::expires},
    {"vary", FieldId::vary},
    {"x-accel-redirect", FieldId::x_accel_redirect},
    {"x-accel-expires", FieldId::x_accel_expires},
    {"x-accel-limit-rate", FieldId::x_accel_limit_rate},
    {"x-accel-buffering", FieldId::x_accel_buffering},
    {"x-accel-charset", FieldId::x_accel_charset},
    {"x-pad", FieldId::x_pad},
}};
static_assert(known_fields.size() == static_cast<std::size_t>(FieldId::x_pad));

// Bit 0x20 folds the case of letters. A hash without collisions among the known names: found by
// trying factors; adding a name may need others, which make_slots() below then says.
constexpr std::uint8_t hash_name(const char* name, std::size_t size) {
  const auto folded = [name](std::size_t i) { return static_cast<unsigned char>(name[i]) | 0x20U; };
  return static_cast<std::uint8_t>(size + folded(0) * 2 + folded(size - 2) * 27 +
                                   folded(size - 1) * 16);
}

constexpr std::size_t name_min = 2, name_max = 19;  // sizes of the known names

consteval std::array<std::uint8_t, 256> make_slots() {
  std::array<std::uint8_t, 256> slots{};  // index in known_fields + 1; 0: free
  for (std::size_t i = 0; i < known_fields.size(); ++i) {
    const auto name = known_fields[i].name;
    if (name.size() < name_min || name.size() > name_max) throw "sizes of the known names";
    if (known_fields[i].id != static_cast<FieldId>(i + 1)) throw "order of the known names";
    auto& slot = slots[hash_name(name.data(), name.size())];
    if (slot != 0) throw "two names with one hash: choose other factors";
    slot = static_cast<std::uint8_t>(i + 1);
  }
  return slots;
}
constexpr std::array<std::uint8_t, 256> slots = make_slots();

std::uint64_t load(const char* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// `token` has only token characters, `known` only lower-case letters and '-': among these,
// setting bit 0x20 makes no two different characters equal but the two cases of a letter.
bool equals_known(const char* token, const char* known, std::size_t size) {
  constexpr std::uint64_t fold = 0x2020202020202020;
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    if ((load(token + i) | fold) != load(known + i)) return false;
  }
  if (i == size) return true;
  if (size >= 8) return (load(token + size - 8) | fold) == load(known + size - 8);
  for (; i < size; ++i) {
    if ((static_cast<unsigned char>(token[i]) | 0x20) != known[i]) return false;
  }
  return true;
}

}  // namespace

bool is_safe(Method method) {
  return method == Method::get || method == Method::head || method == Method::options ||
         method == Method::trace || method == Method::propfind;
}

bool may_repeat(Method method) {
  return method != Method::post && method != Method::lock && method != Method::patch;
}

FieldId field_id_of_token(const char* name, std::size_t size) {
  if (size < name_min || size > name_max) return FieldId::other;
  const std::uint8_t slot = slots[hash_name(name, size)];
  if (slot == 0) return FieldId::other;
  const Known& known = known_fields[slot - 1U];
  if (known.name.size() != size || !equals_known(name, known.name.data(), size)) {
    return FieldId::other;
  }
  return known.id;
}

FieldId field_id(std::string_view name) {
  for (const char c : name) {
    if (!is_token_char(c)) return FieldId::other;
  }
  return field_id_of_token(name.data(), name.size());
}

const Field* Head::find(FieldId id) const {
  for (const Field& field : fields) {
    if (field.id == id) return &field;
  }
  return nullptr;
}

const Field* Head::find(std::string_view wanted) const {
  for (const Field& field : fields) {
    if (equal_ignoring_case(name(field), wanted)) return &field;
  }
  return nullptr;
}

bool list_has_token(std::string_view list, std::string_view token) {
  bool found = false;
  for_each_item(list, [&](std::string_view item) { found |= equal_ignoring_case(item, token); });
  return found;
}

}  // namespace weir::http
