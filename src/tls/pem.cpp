#include "tls/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cstring>

namespace weir::tls {
namespace {

// Whether the queue holds nothing but the end of the text.
bool only_ended() {
  const auto code = ERR_peek_last_error();
  return code == 0 ||
         (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE);
}

struct Password {
  const std::string* text = nullptr;
  bool asked = false;
};

int give_password(char* to, int size, int, void* data) {
  auto& password = *static_cast<Password*>(data);
  password.asked = true;
  if (password.text == nullptr) return -1;
  const auto length = std::min(password.text->size(), static_cast<std::size_t>(size));
  std::memcpy(to, password.text->data(), length);
  return static_cast<int>(length);
}

std::string from_memory(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace

std::vector<X509Ptr> read_certificates(std::string_view pem, std::string& error) {
  ERR_clear_error();
  const auto bio = memory_bio(pem);
  std::vector<X509Ptr> found;
  // The first one may be in the form that holds what it is trusted for.
  X509* next = PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr);
  while (next != nullptr) {
    found.emplace_back(next);
    next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr);
  }
  if (found.empty() && only_ended()) {
    ERR_clear_error();
    error = "there is no certificate in it";
  } else if (!only_ended()) {
    found.clear();
    error = "a certificate in it cannot be read: " + take_error("it is damaged");
  }
  ERR_clear_error();
  return found;
}

std::vector<CrlPtr> read_crls(std::string_view pem, std::string& error) {
  ERR_clear_error();
  const auto bio = memory_bio(pem);
  std::vector<CrlPtr> found;
  while (X509_CRL* next = PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr)) {
    found.emplace_back(next);
  }
  if (!only_ended()) {
    found.clear();
    error = "a list of revoked certificates in it cannot be read: " + take_error("it is damaged");
  } else if (found.empty()) {
    error = "there is no list of revoked certificates in it";
  }
  ERR_clear_error();
  return found;
}

KeyPtr read_key(std::string_view pem, std::span<const std::string> passwords, std::string& error) {
  Password password;
  const auto read = [&] {
    ERR_clear_error();
    const auto bio = memory_bio(pem);
    return KeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_password, &password));
  };
  for (const auto& text : passwords) {
    password.text = &text;
    if (auto key = read()) return key;
    if (!password.asked) break;
  }
  if (passwords.empty()) {
    if (auto key = read()) return key;
  }
  if (password.asked) {
    error = passwords.empty() ? "the key is encrypted, and no password is given"
                              : "none of the passwords fits the key";
  } else if (pem.find("PRIVATE KEY-----") == std::string_view::npos) {
    error = "there is no private key in it";
  } else {
    error = "the key cannot be read: " + take_error("it is damaged");
  }
  ERR_clear_error();
  return nullptr;
}

KeyPtr read_dh_parameters(std::string_view pem, std::string& error) {
  ERR_clear_error();
  const auto bio = memory_bio(pem);
  KeyPtr found(PEM_read_bio_Parameters(bio.get(), nullptr));
  if (found != nullptr && EVP_PKEY_is_a(found.get(), "DH") != 1 &&
      EVP_PKEY_is_a(found.get(), "DHX") != 1) {
    found.reset();
  }
  if (found == nullptr) error = "there are no Diffie-Hellman parameters in it";
  ERR_clear_error();
  return found;
}

std::vector<std::string> read_passwords(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string time_text(const ASN1_TIME* time) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(bio.get(), time);
  return from_memory(bio.get());
}

std::string name_text(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  return from_memory(bio.get());
}

}  // namespace weir::tls
