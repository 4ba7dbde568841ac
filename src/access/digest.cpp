#include "access/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>

namespace weir::access {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreeDigest {
  void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
};
using Digest = std::unique_ptr<EVP_MD, FreeDigest>;

// A context a thread: making one costs as much as the digest of a short text.
EVP_MD_CTX* context() {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> kept(EVP_MD_CTX_new());
  return kept.get();
}

bool digest(const EVP_MD* method, std::initializer_list<std::string_view> parts, char* out) {
  EVP_MD_CTX* const run = context();
  if (method == nullptr || run == nullptr || EVP_DigestInit_ex(run, method, nullptr) != 1) {
    return false;
  }
  for (const auto part : parts) {
    if (EVP_DigestUpdate(run, part.data(), part.size()) != 1) return false;
  }
  return EVP_DigestFinal_ex(run, reinterpret_cast<unsigned char*>(out), nullptr) == 1;
}

}  // namespace

bool md5(std::initializer_list<std::string_view> parts, char* out) {
  static const Digest method(EVP_MD_fetch(nullptr, "MD5", nullptr));
  return digest(method.get(), parts, out);
}

bool sha1(std::initializer_list<std::string_view> parts, char* out) {
  static const Digest method(EVP_MD_fetch(nullptr, "SHA1", nullptr));
  return digest(method.get(), parts, out);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace weir::access
