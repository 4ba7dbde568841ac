// What can be told of an established connection: nginx's $ssl_ variables, and whether the other
// side's certificate is good. Appends texts; the connection's worker.
#pragma once

#include <string>
#include <string_view>

struct ssl_st;

namespace weir::tls {

void append_protocol(ssl_st* ssl, std::string& out);         // "TLSv1.3"
void append_cipher(ssl_st* ssl, std::string& out);           // as OpenSSL names it
void append_offered_ciphers(ssl_st* ssl, std::string& out);  // "NAME:NAME:0x1a1a"
void append_curve(ssl_st* ssl, std::string& out);
void append_offered_curves(ssl_st* ssl, std::string& out);
void append_session_id(ssl_st* ssl, std::string& out);  // hexadecimal
void append_alpn(ssl_st* ssl, std::string& out);
[[nodiscard]] bool is_resumed(ssl_st* ssl);

// ---- the certificate that the other side has shown; nothing is appended if there is none ----
[[nodiscard]] bool has_certificate(ssl_st* ssl);
void append_certificate(ssl_st* ssl, std::string& out);          // PEM
void append_escaped_certificate(ssl_st* ssl, std::string& out);  // the same, as a URI's component
// As one line: nginx folds the lines with tabs, which RFC 9112 section 5.2 has spaces stand for.
void append_folded_certificate(ssl_st* ssl, std::string& out);
void append_subject(ssl_st* ssl, bool legacy, std::string& out);
void append_issuer(ssl_st* ssl, bool legacy, std::string& out);
void append_serial(ssl_st* ssl, std::string& out);
void append_fingerprint(ssl_st* ssl, std::string& out);  // SHA-1, hexadecimal
void append_valid_from(ssl_st* ssl, std::string& out);
void append_valid_until(ssl_st* ssl, std::string& out);
void append_days_left(ssl_st* ssl, std::string& out);

// Why the certificate is not good; empty: it is, or there is none. `any_issuer`: it does not matter
// who has issued it.
[[nodiscard]] std::string_view certificate_error(ssl_st* ssl, bool any_issuer);
// The session is not to be resumed: its certificate was refused.
void forget_session(ssl_st* ssl);

}  // namespace weir::tls
