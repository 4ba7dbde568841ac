// TLS on a descriptor: the handshake, then bytes in and out in its records. Belongs to the
// descriptor, whose read() and write() turn to it; the loop's thread.
//
// Bytes count as written when their record has gone to the socket. Of a record that the socket took
// a part of only, a first byte is told at most, and the rest when it has gone: the caller keeps
// those bytes, waits as for any socket, and offers them again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/layer.h"
#include "net/loop.h"
#include "tls/connection.h"

struct bio_st;
struct bio_method_st;
struct ssl_st;

namespace weir::net {

class TlsStream final : public Layer {
 public:
  // The server's side. Null: memory is short.
  static TlsPtr server(Descriptor& descriptor, std::shared_ptr<const tls::Context> context);
  // The client's side; see tls::Context::prepare_client. `http2`: ALPN asks for it.
  static TlsPtr client(Descriptor& descriptor, std::shared_ptr<const tls::Context> context,
                       const std::string& name, bool announce, std::string peer,
                       bool http2 = false);
  ~TlsStream() override;

  // Bytes that were received before TLS was known to begin with them.
  void feed(std::string bytes) { early_ = std::move(bytes); }

  enum class Step : std::uint8_t { done, wants_read, wants_write, failed };
  // Goes on with the handshake as far as it can. failed: error() says why.
  Step handshake();
  [[nodiscard]] const std::string& error() const { return error_; }
  // The peer's certificate, or its name, was not accepted.
  [[nodiscard]] bool untrusted() const { return untrusted_; }

  IoResult read(char* to, std::size_t size) override;
  IoResult write(std::string_view bytes) override;
  IoResult write_file(int file, std::uint64_t offset, std::size_t size) override;
  IoResult peek() override;
  // close_notify (RFC 8446 section 6.1), if the other side can be told.
  void end_writing() override;
  // There was no room for it yet: end_writing() may be called again when the socket is writable.
  [[nodiscard]] bool owes_end() const {
    return !told_end_ && owed_ == 0 && !quiet_ && !failed_ && connection_.established;
  }
  // Ends without a word.
  void forget() override { quiet_ = true; }
  // A part of a record waits for room in the socket.
  [[nodiscard]] bool pending() const { return retry_ > 0; }
  void flush();

  [[nodiscard]] tls::Connection& connection() { return connection_; }
  [[nodiscard]] const tls::Connection& connection() const { return connection_; }
  [[nodiscard]] ssl_st* native() const { return ssl_; }

 private:
  TlsStream(Descriptor& descriptor, std::shared_ptr<const tls::Context> context);
  static const bio_method_st* method();
  static int bio_read(bio_st* bio, char* to, int size);
  static int bio_write(bio_st* bio, const char* from, int size);
  static long bio_control(bio_st* bio, int command, long number, void* pointer);

  void show_pending();
  IoResult failure(int result);
  void note_failure();

  Descriptor& descriptor_;
  tls::Connection connection_;
  ssl_st* ssl_ = nullptr;
  std::string early_;
  std::string error_;
  std::size_t retry_ = 0;  // bytes of the record that is on its way
  std::size_t owed_ = 0;   // bytes sent that the caller was not told of
  int sys_ = 0;            // errno of the socket
  bool more_ = false;      // another record follows at once
  bool ended_ = false;     // the socket gives no more
  bool failed_ = false;
  bool quiet_ = false;
  bool told_end_ = false;  // close_notify is with the socket, or cannot be
  bool untrusted_ = false;
};

}  // namespace weir::net
