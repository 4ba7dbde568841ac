#include "proxy/variables_more.h"
#include "proxy/http2_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <memory>

#include "content/compress.h"
#include "proxy/exchange.h"
#include "proxy/files.h"
#include "proxy/text.h"
#include "proxy/value_text.h"
#include "proxy/variables.h"
#include "proxy/variables_tls.h"

namespace weir::proxy {
namespace {

using config::Variable;

bool append_counts(std::string& out, Variable id, Exchange& x) {
  const auto counts = x.worker().connection_counts();
  switch (id) {
    case Variable::connections_active:
      append_number(out, counts.active);
      return true;
    case Variable::connections_reading:
      append_number(out, counts.reading);
      return true;
    case Variable::connections_writing:
      append_number(out, counts.writing);
      return true;
    case Variable::connections_waiting:
      append_number(out, counts.waiting);
      return true;
    default:
      return false;
  }
}

bool append_tcp_info(std::string& out, Variable id, Exchange& x) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(x.session().fd(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return true;
  switch (id) {
    case Variable::tcpinfo_rtt:
      append_number(out, info.tcpi_rtt);
      return true;
    case Variable::tcpinfo_rttvar:
      append_number(out, info.tcpi_rttvar);
      return true;
    case Variable::tcpinfo_snd_cwnd:
      append_number(out, info.tcpi_snd_cwnd);
      return true;
    default:
      append_number(out, info.tcpi_rcv_space);
      return true;
  }
}

bool append_file(std::string& out, Variable id, Exchange& x) {
  std::size_t root_size = 0;
  if (id == Variable::request_filename) {
    static_cast<void>(map_path(x, x.path(), out, root_size));
    return true;
  }
  std::string root;
  static_cast<void>(map_path(x, {}, root, root_size));
  root.resize(root_size);
  if (id == Variable::document_root) {
    out.append(root);
    return true;
  }
  const std::unique_ptr<char, decltype(&::free)> real(::realpath(root.c_str(), nullptr), &::free);
  if (real != nullptr) out.append(real.get());
  return true;
}

bool append_trace(std::string& out, Variable id, Exchange& x) {
  const auto& trace = x.trace();
  switch (id) {
    case Variable::otel_trace_id:
      trace.current.append_trace_id(out);
      return true;
    case Variable::otel_span_id:
      TraceContext::append_span_id(trace.current.span_id, out);
      return true;
    case Variable::otel_parent_id:
      if (trace.parent.span_id != 0) TraceContext::append_span_id(trace.parent.span_id, out);
      return true;
    default:
      out.push_back(trace.parent.sampled ? '1' : '0');
      return true;
  }
}

bool append_body(std::string& out, Variable id, Exchange& x) {
  const auto& body = x.main().body();
  if (id == Variable::request_body) {
    body.append_text(out);
  } else {
    out.append(body.file_path());
  }
  return true;
}

}  // namespace

bool append_more(std::string& out, Variable id, Exchange& x) {
  switch (id) {
    case Variable::binary_remote_addr: {
      const auto bytes = x.client_address().bytes();
      out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return true;
    }
    case Variable::connection_time:
      append_seconds(out, x.worker().loop().now() - x.session().opened());
      return true;
    case Variable::connections_active:
    case Variable::connections_reading:
    case Variable::connections_writing:
    case Variable::connections_waiting:
      return append_counts(out, id, x);
    case Variable::document_root:
    case Variable::realpath_root:
    case Variable::request_filename:
      return append_file(out, id, x);
    case Variable::gzip_ratio:
      if (x.compressed()) {
        out.append(content::compression_ratio(x.sender().plain_size(), x.sender().coded_size()));
      }
      return true;
    case Variable::http2:
      if (const auto* stream = x.session().stream()) out.append(stream->protocol());
      return true;
    case Variable::http3:
    case Variable::upstream_cache_status:
      return true;
    case Variable::upstream_queue_time:
      if (x.queued()) append_seconds(out, *x.queued());
      return true;
    case Variable::limit_conn_status:
      out.append(x.limit_conn_status());
      return true;
    case Variable::limit_req_status:
      out.append(x.limit_req_status());
      return true;
    case Variable::limit_rate:
      x.append_rate(out);
      return true;
    case Variable::invalid_referer:
      if (!x.has_valid_referer()) out.push_back('1');
      return true;
    case Variable::otel_trace_id:
    case Variable::otel_span_id:
    case Variable::otel_parent_id:
    case Variable::otel_parent_sampled:
      return append_trace(out, id, x);
    case Variable::proxy_protocol_addr:
    case Variable::proxy_protocol_port:
    case Variable::proxy_protocol_server_addr:
    case Variable::proxy_protocol_server_port:
      append_proxied(out, id, x.session().proxied());
      return true;
    case Variable::request_body:
    case Variable::request_body_file:
      return append_body(out, id, x);
    case Variable::request_completion:
      if (x.completed()) out.append("OK");
      return true;
    case Variable::secure_link:
      x.append_secure_link(out, false);
      return true;
    case Variable::secure_link_expires:
      x.append_secure_link(out, true);
      return true;
    case Variable::tcpinfo_rtt:
    case Variable::tcpinfo_rttvar:
    case Variable::tcpinfo_snd_cwnd:
    case Variable::tcpinfo_rcv_space:
      return append_tcp_info(out, id, x);
    default:
      return append_tls(out, id, x);
  }
}

}  // namespace weir::proxy
