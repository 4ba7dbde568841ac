#include "net/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "tls/openssl.h"

namespace weir::net {
namespace {

constexpr std::size_t kRecord = 16 * 1024;
// Application data that excuses a message of the handshake protocol.
constexpr std::size_t kExcuse = 1024;

}  // namespace

// ---- the socket as OpenSSL sees it
// -----------------------------------------------------------------

const bio_method_st* TlsStream::method() {
  static const BIO_METHOD* made = [] {
    auto* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "descriptor");
    BIO_meth_set_read(method, &TlsStream::bio_read);
    BIO_meth_set_write(method, &TlsStream::bio_write);
    BIO_meth_set_ctrl(method, &TlsStream::bio_control);
    return method;
  }();
  return made;
}

int TlsStream::bio_read(bio_st* bio, char* to, int size) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const auto most = static_cast<std::size_t>(size);
  if (!self.early_.empty()) {
    const auto count = std::min(most, self.early_.size());
    std::copy_n(self.early_.data(), count, to);
    self.early_.erase(0, count);
    return static_cast<int>(count);
  }
  if (self.connection_.abused) return -1;
  if (!self.descriptor_.readable()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const auto got = self.descriptor_.read_plain(to, most);
  if (got.ok()) return static_cast<int>(got.size);
  if (got.blocked()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  self.ended_ = true;
  self.sys_ = got.error;
  return got.status == IoResult::Status::eof ? 0 : -1;
}

int TlsStream::bio_write(bio_st* bio, const char* from, int size) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (self.descriptor_.writable()) {
    const auto sent =
        self.descriptor_.write_plain({from, static_cast<std::size_t>(size)}, self.more_);
    if (sent.ok() && sent.size > 0) return static_cast<int>(sent.size);
    if (!sent.ok() && !sent.blocked()) {
      self.sys_ = sent.error;
      return -1;
    }
  }
  BIO_set_retry_write(bio);
  return -1;
}

long TlsStream::bio_control(bio_st* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return static_cast<TlsStream*>(BIO_get_data(bio))->ended_ ? 1 : 0;
  return 0;
}

// ---- begin and end
// ----------------------------------------------------------------------------------

TlsStream::TlsStream(Descriptor& descriptor, std::shared_ptr<const tls::Context> context)
    : descriptor_(descriptor), connection_(std::move(context)) {
  ssl_ = SSL_new(connection_.first->native());
  if (ssl_ == nullptr) return;
  BIO* bio = BIO_new(method());
  if (bio == nullptr) {
    SSL_free(std::exchange(ssl_, nullptr));
    return;
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_app_data(ssl_, &connection_);
}

TlsStream::~TlsStream() { SSL_free(ssl_); }

void TlsDeleter::operator()(TlsStream* stream) const { delete stream; }

TlsPtr TlsStream::server(Descriptor& descriptor, std::shared_ptr<const tls::Context> context) {
  TlsPtr stream(new TlsStream(descriptor, std::move(context)));
  if (stream->ssl_ == nullptr) return nullptr;
  stream->connection_.first->prepare_server(stream->ssl_);
  return stream;
}

TlsPtr TlsStream::client(Descriptor& descriptor, std::shared_ptr<const tls::Context> context,
                         const std::string& name, bool announce, std::string peer, bool http2) {
  TlsPtr stream(new TlsStream(descriptor, std::move(context)));
  if (stream->ssl_ == nullptr) return nullptr;
  static constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  if (http2 && SSL_set_alpn_protos(stream->ssl_, kHttp2, sizeof kHttp2) != 0) return nullptr;
  auto& connection = stream->connection_;
  connection.peer = std::move(peer);
  if (!connection.first->prepare_client(stream->ssl_, name, announce, connection.peer)) {
    return nullptr;
  }
  return stream;
}

TlsStream::Step TlsStream::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) {
    connection_.established = true;
    show_pending();
    return Step::done;
  }
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return Step::wants_read;
    case SSL_ERROR_WANT_WRITE:
      return Step::wants_write;
    default:
      note_failure();
      return Step::failed;
  }
}

void TlsStream::note_failure() {
  failed_ = true;
  const auto code = ERR_peek_error();
  const auto verified = SSL_get_verify_result(ssl_);
  if (!connection_.established && SSL_is_server(ssl_) == 0 && verified != X509_V_OK &&
      ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    untrusted_ = true;
    error_ =
        std::string("its certificate is not accepted: ") + X509_verify_cert_error_string(verified);
    ERR_clear_error();
  } else if (!connection_.refusal.empty()) {
    error_ = connection_.refusal;
  } else if (connection_.abused) {
    error_ = "too many messages of the handshake protocol";
  } else if (code == 0 && ended_) {
    error_ = "the connection was closed";
  } else {
    error_ = tls::take_error("the connection was closed");
  }
  ERR_clear_error();
}

void TlsStream::end_writing() {
  if (!owes_end()) return;
  flush();
  if (retry_ > 0 || !descriptor_.writable()) return;
  ERR_clear_error();
  const int result = SSL_shutdown(ssl_);
  told_end_ = result >= 0 || SSL_get_error(ssl_, result) != SSL_ERROR_WANT_WRITE;
  ERR_clear_error();
}

// ---- bytes
// -----------------------------------------------------------------------------------------

// Bytes that OpenSSL holds come without an event.
void TlsStream::show_pending() {
  if (!early_.empty() || SSL_has_pending(ssl_) == 1) descriptor_.set_readable();
}

IoResult TlsStream::failure(int result) {
  if (connection_.abused && !failed_) {
    note_failure();
    return {IoResult::Status::error, EPROTO, 0};
  }
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return {IoResult::Status::blocked, 0, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {IoResult::Status::eof, 0, 0};
    default:
      break;
  }
  if (!failed_) note_failure();
  // What is missing at the end of a message is seen by the message itself.
  if (ended_ && sys_ == 0) return {IoResult::Status::eof, 0, 0};
  return {IoResult::Status::error, sys_ != 0 ? sys_ : EPROTO, 0};
}

IoResult TlsStream::read(char* to, std::size_t size) {
  std::size_t got = 0;
  while (got < size && !failed_) {
    std::size_t count = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_, to + got, size - got, &count);
    if (result == 1) {
      got += count;
      const auto excused = static_cast<std::uint32_t>(count / kExcuse);
      connection_.messages -= std::min(connection_.messages, excused);
      continue;
    }
    const auto end = failure(result);
    if (got == 0) return end;
    if (!end.blocked()) descriptor_.set_readable();  // to be told of next
    return {IoResult::Status::ok, 0, got};
  }
  if (got == 0) return {IoResult::Status::error, sys_ != 0 ? sys_ : EPROTO, 0};
  show_pending();
  return {IoResult::Status::ok, 0, got};
}

IoResult TlsStream::write(std::string_view bytes) {
  if (retry_ > 0) flush();
  if (failed_) return {IoResult::Status::error, sys_ != 0 ? sys_ : EPROTO, 0};
  if (retry_ > 0 || !descriptor_.writable()) return {IoResult::Status::blocked, 0, 0};
  std::size_t done = std::min(owed_, bytes.size());
  owed_ -= done;
  while (done < bytes.size() && descriptor_.writable()) {
    const auto size = std::min({bytes.size() - done, kRecord, connection_.context->record_size()});
    std::size_t count = 0;
    // Records that follow each other go as one burst.
    more_ = done + size < bytes.size();
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_, bytes.data() + done, size, &count);
    more_ = false;
    if (result == 1) {
      done += count;
      continue;
    }
    if (SSL_get_error(ssl_, result) != SSL_ERROR_WANT_WRITE) {
      if (!failed_) note_failure();
      return {IoResult::Status::error, sys_ != 0 ? sys_ : EPROTO, done};
    }
    retry_ = size;
    const std::size_t told = done == 0 ? 1 : 0;
    done += told;
    owed_ = size - told;
    break;
  }
  return {IoResult::Status::ok, 0, done};
}

void TlsStream::flush() {
  if (retry_ == 0 || failed_ || !descriptor_.writable()) return;
  static const std::array<char, kRecord> kAnything{};  // the record has its bytes already
  std::size_t count = 0;
  ERR_clear_error();
  const int result = SSL_write_ex(ssl_, kAnything.data(), retry_, &count);
  if (result == 1) {
    retry_ = 0;
  } else if (SSL_get_error(ssl_, result) != SSL_ERROR_WANT_WRITE) {
    note_failure();
  }
}

IoResult TlsStream::write_file(int file, std::uint64_t offset, std::size_t size) {
  constexpr std::size_t kMost = std::size_t{1} << 20;  // of one call
  size = std::min(size, kMost);
  std::array<char, kRecord> piece;
  std::size_t done = 0;
  while (done < size) {
    const auto n = ::pread(file, piece.data(), std::min(piece.size(), size - done),
                           static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && done == 0) return {IoResult::Status::error, errno, 0};
    if (n <= 0) break;
    const auto sent = write({piece.data(), static_cast<std::size_t>(n)});
    done += sent.size;
    if (done == 0) return sent;
    if (sent.size < static_cast<std::size_t>(n)) break;
  }
  if (done == 0) return {IoResult::Status::eof, 0, 0};
  return {IoResult::Status::ok, 0, done};
}

IoResult TlsStream::peek() {
  if (failed_) return {IoResult::Status::error, EPROTO, 0};
  descriptor_.set_readable();  // whatever events have said
  char byte;
  std::size_t count = 0;
  ERR_clear_error();
  const int result = SSL_peek_ex(ssl_, &byte, 1, &count);
  if (result == 1) return {IoResult::Status::ok, 0, 1};
  const auto end = failure(result);
  if (!end.blocked()) descriptor_.set_readable();
  return end;
}

}  // namespace weir::net
