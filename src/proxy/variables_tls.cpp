#include "proxy/variables_tls.h"

#include "net/tls_stream.h"
#include "proxy/exchange.h"
#include "tls/facts.h"

namespace weir::proxy {
namespace {

using config::Variable;

constexpr bool is_of_tls(Variable id) {
  return id >= Variable::ssl_alpn_protocol && id <= Variable::ssl_session_reused;
}

// SUCCESS, FAILED:why or NONE.
void append_verified(ssl_st* ssl, std::string& out) {
  if (!tls::has_certificate(ssl)) {
    out.append("NONE");
    return;
  }
  const auto error = tls::certificate_error(ssl, false);
  if (error.empty()) {
    out.append("SUCCESS");
  } else {
    out.append("FAILED:").append(error);
  }
}

void append_certificate_fact(std::string& out, Variable id, ssl_st* ssl) {
  switch (id) {
    case Variable::ssl_client_cert:
      return tls::append_folded_certificate(ssl, out);
    case Variable::ssl_client_escaped_cert:
      return tls::append_escaped_certificate(ssl, out);
    case Variable::ssl_client_fingerprint:
      return tls::append_fingerprint(ssl, out);
    case Variable::ssl_client_i_dn:
      return tls::append_issuer(ssl, false, out);
    case Variable::ssl_client_i_dn_legacy:
      return tls::append_issuer(ssl, true, out);
    case Variable::ssl_client_raw_cert:
      return tls::append_certificate(ssl, out);
    case Variable::ssl_client_s_dn:
      return tls::append_subject(ssl, false, out);
    case Variable::ssl_client_s_dn_legacy:
      return tls::append_subject(ssl, true, out);
    case Variable::ssl_client_serial:
      return tls::append_serial(ssl, out);
    case Variable::ssl_client_v_end:
      return tls::append_valid_until(ssl, out);
    case Variable::ssl_client_v_remain:
      return tls::append_days_left(ssl, out);
    case Variable::ssl_client_v_start:
      return tls::append_valid_from(ssl, out);
    default:
      return;
  }
}

}  // namespace

bool append_tls(std::string& out, Variable id, Exchange& x) {
  if (id == Variable::https) {
    if (x.session().secure()) out.append("on");
    return true;
  }
  return append_tls_fact(out, id, x.session().tls());
}

bool append_tls_fact(std::string& out, Variable id, const net::TlsStream* stream) {
  if (!is_of_tls(id)) return false;
  if (stream == nullptr) return true;
  auto* ssl = stream->native();
  switch (id) {
    case Variable::ssl_alpn_protocol:
      tls::append_alpn(ssl, out);
      break;
    case Variable::ssl_cipher:
      tls::append_cipher(ssl, out);
      break;
    case Variable::ssl_ciphers:
      tls::append_offered_ciphers(ssl, out);
      break;
    case Variable::ssl_client_verify:
      append_verified(ssl, out);
      break;
    case Variable::ssl_curve:
      tls::append_curve(ssl, out);
      break;
    case Variable::ssl_curves:
      tls::append_offered_curves(ssl, out);
      break;
    case Variable::ssl_early_data:
      break;
    case Variable::ssl_protocol:
      tls::append_protocol(ssl, out);
      break;
    case Variable::ssl_server_name:
      out.append(stream->connection().server_name);
      break;
    case Variable::ssl_session_id:
      tls::append_session_id(ssl, out);
      break;
    case Variable::ssl_session_reused:
      out.push_back(tls::is_resumed(ssl) ? 'r' : '.');
      break;
    default:
      append_certificate_fact(out, id, ssl);
  }
  return true;
}

}  // namespace weir::proxy
