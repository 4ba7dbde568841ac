#include "ocsp/question.h"

#include <openssl/evp.h>

namespace weir::ocsp {
namespace {

constexpr std::size_t kLongestGet = 255;  // bytes of a URL

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

void append_escaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (c == '+')
      out += "%2B";
    else if (c == '/')
      out += "%2F";
    else if (c == '=')
      out += "%3D";
    else
      out += c;
  }
}

}  // namespace

fetch::Request question(const std::string& url, std::string_view der) {
  fetch::Request out;
  out.url = url;
  if (url.find_first_of("?#") == std::string::npos) {
    if (!out.url.ends_with('/')) out.url += '/';
    append_escaped(base64(der), out.url);
    if (out.url.size() <= kLongestGet) return out;
  }
  out.url = url;
  out.body = der;
  out.content_type = "application/ocsp-request";
  return out;
}

}  // namespace weir::ocsp
