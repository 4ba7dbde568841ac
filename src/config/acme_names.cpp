#include "config/acme_names.h"

#include <algorithm>
#include <string_view>

#include "base/address.h"

namespace weir::config {

bool is_acme_identifier(const std::string& name) {
  if (IpAddress::parse(name)) return true;
  constexpr std::size_t kMost = 253;  // bytes (RFC 1035 section 2.3.4)
  constexpr std::size_t kMostOfLabel = 63;
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (name.empty() || name.size() > kMost) return false;
  for (std::size_t at = 0; at <= name.size();) {
    const auto end = std::min(name.find('.', at), name.size());
    const auto label = std::string_view(name).substr(at, end - at);
    if (label.empty() || label.size() > kMostOfLabel ||
        !std::all_of(label.begin(), label.end(), fine)) {
      return false;
    }
    at = end + 1;
  }
  return true;
}

std::string acme_file(const AcmeIssuer& issuer, const AcmeCertificate& wanted) {
  auto names = wanted.names;
  std::sort(names.begin(), names.end());
  std::string all = std::to_string(static_cast<int>(wanted.key));
  for (const auto& name : names) all += " " + name;
  // FNV-1a: it has to be the same at every start.
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : all) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  static constexpr char kDigits[] = "0123456789abcdef";
  // With what is put behind it the file's name is shorter than any file system's limit.
  constexpr std::size_t kMostOfName = 200;
  std::string out = wanted.names.front().substr(0, kMostOfName);
  std::replace(out.begin(), out.end(), ':', '_');
  out += '-';
  for (int shift = 28; shift >= 0; shift -= 4) out += kDigits[hash >> shift & 15];
  return issuer.state_path + "/" + out + ".pem";
}

std::string acme_journal(const AcmeIssuer& issuer) { return issuer.state_path + "/orders"; }

}  // namespace weir::config
