// What OpenSSL calls while handshakes run. Private to tls/.
#pragma once

struct ssl_ctx_st;
struct x509_store_ctx_st;

namespace weir::tls {

class Context;
class SessionCache;
class TicketKeys;

// SNI, ALPN, the count of messages.
void set_server_callbacks(ssl_ctx_st* ctx);
void set_cache_callbacks(ssl_ctx_st* ctx, SessionCache* cache);
void set_ticket_callback(ssl_ctx_st* ctx, TicketKeys* keys);
// `context` is that of `ctx`: it has the answers.
void set_staple_callback(ssl_ctx_st* ctx, const Context* context);
void set_client_session_callback(ssl_ctx_st* ctx);
// A certificate that is not good does not end the handshake.
int go_on_verified(int good, x509_store_ctx_st* store);

}  // namespace weir::tls
