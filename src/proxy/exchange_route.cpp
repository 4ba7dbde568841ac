// The way of a request through the configuration: its server, its location, internal redirects, the
// pages of errors.
#include <algorithm>

#include "http/escape.h"
#include "http/path.h"
#include "net/tls_stream.h"
#include "proxy/exchange.h"
#include "proxy/rewrite.h"
#include "proxy/text.h"
#include "proxy/variables.h"
#include "tls/facts.h"

namespace weir::proxy {
namespace {

constexpr int kCloseSilently = 444;  // nginx's `return 444`

void set_lower(std::string& out, std::string_view text) {
  out.assign(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
}

// Host without port and trailing dot.
std::string_view host_name(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// After these the connection is of no more use, as in nginx.
bool ends_connection(int status) {
  return status == 400 || status == 413 || status == 414 || (status >= 494 && status <= 497) ||
         status == 500 || status == 501;
}

}  // namespace

// ---- the server
// ------------------------------------------------------------------------------------

Error Exchange::choose_server() {
  set_lower(host_, host_name(request_.host_text()));
  if (!listen_->hosts.trivial()) {
    search_captures_.clear();
    const config::Pattern* pattern = nullptr;
    server_ = &listen_->hosts.find(host_, search_captures_, pattern);
    if (pattern != nullptr) remember_match(*pattern, host_);
  }
  location_ = &server_->root;
  const auto raw = request_.path_size == 0 ? std::string_view("/") : request_.path_text();
  if (request_.target_text() == "*" || !http::normalize_path(raw, config().merge_slashes, path_)) {
    path_.clear();
    status_ = 400;
    return {Errc::client_bad_request, 0};
  }
  quoted_path_ = raw.find_first_of("%+") != std::string_view::npos;
  apply_real_ip(config());
  return {};
}

// And whether HTTP/2 is spoken at all, where the server was not chosen by the handshake.
int Exchange::check_tls() {
  if (session_->plain_on_tls()) {
    log(LogLevel::info, "client sent plain HTTP request to HTTPS port");
    return 497;
  }
  // What is on its way when a reload turns it off is served while the connection ends.
  if (session_->stream() != nullptr && !server_->config->root->request.http2 &&
      !listen_->listen.http2 && !session_->draining()) {
    log(LogLevel::info, "client attempted to request a server with HTTP/2 that has it turned off");
    return 421;
  }
  const auto* stream = session_->tls();
  const auto* rules = server_->config->tls.get();
  const auto verify = server_->config->root->request.ssl_verify_client;
  if (stream == nullptr || verify == tls::Verify::off) return 0;
  // Without a certificate of its own the server's rules were never put to the client.
  if (rules == nullptr) return verify == tls::Verify::on ? 496 : 0;
  // The certificate was asked for, and checked, by the rules of whom the handshake was with.
  if (rules->identity() != stream->connection().context->identity()) {
    log(LogLevel::info,
        "client attempted to request the server name different from the one that "
        "was negotiated");
    return 421;
  }
  const bool any_issuer = verify == tls::Verify::optional_no_ca;
  const auto error = tls::certificate_error(stream->native(), any_issuer);
  if (!error.empty()) {
    log(LogLevel::info, "client SSL certificate verify error: " + std::string(error));
    tls::forget_session(stream->native());
    return 495;
  }
  if (verify == tls::Verify::on && !tls::has_certificate(stream->native())) {
    log(LogLevel::info, "client sent no required SSL certificate");
    tls::forget_session(stream->native());
    return 496;
  }
  return 0;
}

// The last address of the field is the one that the trusted proxy saw; recursively, the last one
// that is not itself trusted. Several fields count as one list.
void Exchange::apply_real_ip(const config::RequestConfig& config) {
  const auto& from = config.set_real_ip_from;
  if (from.empty() || real_ip_applied_ || !is_main()) return;
  const auto trusted = [&](const IpAddress& address) {
    return std::any_of(from.begin(), from.end(),
                       [&](const Cidr& range) { return range.contains(address); });
  };
  if (!trusted(session_->peer())) return;
  const auto take = [&](const IpAddress& address) {
    client_address_ = address;
    client_text_size_ = 0;
    real_ip_applied_ = true;
  };
  if (config.real_ip_header == "proxy_protocol") {
    const auto* proxied = session_->proxied();
    // A proxy that speaks for itself tells of nobody else.
    if (proxied != nullptr && (proxied->client.is_v4() || proxied->client.is_v6())) {
      take(proxied->client);
    }
    return;
  }
  for (auto field = request_.fields.rbegin(); field != request_.fields.rend(); ++field) {
    if (!equal_ignoring_case(request_.name(*field), config.real_ip_header)) continue;
    auto list = request_.value(*field);
    while (!list.empty()) {
      const auto comma = list.find_last_of(", ");
      const auto text = comma == std::string_view::npos ? list : list.substr(comma + 1);
      list = comma == std::string_view::npos ? std::string_view{} : list.substr(0, comma);
      if (text.empty()) continue;  // a comma too many
      const auto address = IpAddress::parse_with_port(text);
      if (!address) return;
      take(*address);
      if (!config.real_ip_recursive || !trusted(*address)) return;
    }
  }
}

// ---- the location
// ----------------------------------------------------------------------------------

Step Exchange::locate() {
  search_captures_.clear();
  const auto found = server_->root.find(path_, search_captures_, trail());
  location_ = found.node;
  if (found.pattern != nullptr) remember_match(*found.pattern, path_);
  if (location_->config().internal && !internal_) return Step::answer_with(404);
  if (found.add_slash) {
    auto& to = answer_.location;
    to.clear();
    http::escape(location_->config().path, http::Escape::uri, to);
    if (!args_.empty()) to.append("?").append(args_);
    return Step::answer_with(301);
  }
  return {};
}

// The location has been found, or named: its own rules, and its bounds for the body.
Step Exchange::enter_location() {
  if (const auto* except = location_->except()) {
    const auto bit = 1u << static_cast<unsigned>(method_);
    if ((location_->config().allowed_methods & bit) == 0) location_ = except;
  }
  const bool traced = config().otel_trace_context != 0 || !config().otel_trace.empty();
  if (traced && is_main() && !internal_) begin_trace();
  const auto most = config().client_max_body_size;
  if (is_main() && most != 0 && body_.announced() > most && !body_.started() && !dropped_body_) {
    log(LogLevel::error,
        "client intended to send too large body: " + std::to_string(body_.announced()) + " bytes");
    dropped_body_ = continue_sent_ = true;
    linger_ = true;
    return Step::answer_with(413);
  }
  if (location_->config().rules.empty()) return {};
  return Rewriter(*this).run(location_->config().rules);
}

Step Exchange::redirect_to(std::string_view path, std::string_view args) {
  if (--redirects_left_ <= 0) {
    log(LogLevel::error,
        "rewrite or internal redirection cycle while internally redirecting to \"" +
            std::string(path) + "\"");
    return Step::answer_with(500);
  }
  const std::string new_path(path);
  const std::string new_args(args);
  path_ = new_path;
  args_ = new_args;
  internal_ = true;
  untouched_path_ = false;
  valid_location_ = true;
  mirrored_ = false;
  filters_.clear();
  ssi_.reset();
  return {Step::Kind::restart, 0};
}

Step Exchange::redirect_to_named(std::string_view name) {
  if (--redirects_left_ <= 0) {
    log(LogLevel::error,
        "rewrite or internal redirection cycle while redirecting to named location \"" +
            std::string(name) + "\"");
    return Step::answer_with(500);
  }
  const auto* node = server_->root.find_named(name);
  if (node == nullptr) {
    log(LogLevel::error, "could not find named location \"" + std::string(name) + "\"");
    return Step::answer_with(500);
  }
  location_ = node;
  internal_ = true;
  mirrored_ = false;
  filters_.clear();
  ssi_.reset();
  return {Step::Kind::relocate, 0};
}

// ---- errors
// ----------------------------------------------------------------------------------------

bool Exchange::has_error_page(int status) const {
  return std::any_of(config().error_page.begin(), config().error_page.end(), [&](const auto& page) {
    return std::find(page.codes.begin(), page.codes.end(), status) != page.codes.end();
  });
}

net::Task<Step> Exchange::answer_status(int status) {
  enter(Phase::answer);
  if (status == kCloseSilently) {
    status_ = kCloseSilently;
    keep_alive_ = false;
    co_return Step::finished();
  }
  if (ends_connection(status)) must_close_ = true;
  error_status_ = status;
  if (const Step page = find_error_page(status); !page.goes_on()) co_return page;
  co_return co_await answer_page(error_status_ != 0 ? error_status_ : status);
}

// `go_on`: there is none, or it is a URL: the answer itself tells.
Step Exchange::find_error_page(int status) {
  if (in_error_page_ || redirects_left_ <= 0 || config().error_page.empty()) return {};
  if (!config().recursive_error_pages) in_error_page_ = true;
  for (const auto& page : config().error_page) {
    if (std::find(page.codes.begin(), page.codes.end(), status) == page.codes.end()) continue;
    if (page.status) error_status_ = *page.status;
    std::string uri;
    evaluate(page.uri, *this, uri);
    if (uri.starts_with('@')) return redirect_to_named(uri);
    if (uri.starts_with('/')) {
      if (method_ != http::Method::head) {
        method_ = http::Method::get;
        method_text_ = "GET";
      }
      const auto mark = uri.find('?');
      const std::string_view text = uri;
      return redirect_to(text.substr(0, mark),
                         mark == std::string::npos ? std::string_view{} : text.substr(mark + 1));
    }
    answer_.location = uri;
    if (!is_redirect(error_status_)) error_status_ = 302;
    return {};
  }
  return {};
}

void Exchange::append_absolute(std::string& out, std::string_view path) {
  const auto& config = this->config();
  if (!path.starts_with('/') || !config.absolute_redirect) {
    out.append(path);
    return;
  }
  out.append(session_->secure() ? "https://" : "http://");
  const auto& name = server_->config->primary_name;
  const std::string_view shown = config.server_name_in_redirect ? name : main_->host_;
  if (shown.empty()) {
    evaluate({config::Variable::server_addr, 0, {}}, *this, out);
  } else {
    out.append(shown);
  }
  const std::string_view usual = session_->secure() ? "443" : "80";
  if (config.port_in_redirect && !listen_->port_text.empty() && listen_->port_text != usual) {
    out.append(":").append(listen_->port_text);
  }
  out.append(path);
}

}  // namespace weir::proxy
