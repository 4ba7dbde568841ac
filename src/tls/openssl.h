// OpenSSL's objects as C++ values: owners, and its errors as text. Private to tls/ and to what
// moves bytes for it (net/tls_stream.cpp).
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

namespace weir::tls {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using BioPtr = std::unique_ptr<BIO, Freer<BIO_free>>;
using X509Ptr = std::unique_ptr<X509, Freer<X509_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, Freer<X509_CRL_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using SslPtr = std::unique_ptr<SSL, Freer<SSL_free>>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, Freer<SSL_SESSION_free>>;

// A reader of bytes in memory, which must outlive it.
[[nodiscard]] BioPtr memory_bio(std::string_view bytes);

// The first reason in the thread's queue of errors, which is emptied: "no start line". Without one:
// `otherwise`.
[[nodiscard]] std::string take_error(std::string_view otherwise);

}  // namespace weir::tls
