// Words of directives and what they stand for. Constant data, any thread.
#pragma once

#include <array>
#include <cstdint>

#include "config/arguments.h"
#include "config/request_config.h"

namespace weir::config::words {

using Bits = Word<std::uint32_t>;

inline constexpr std::array kBodyFile = {Word<BodyFile>{"off", BodyFile::off},
                                         Word<BodyFile>{"on", BodyFile::on},
                                         Word<BodyFile>{"clean", BodyFile::clean}};
inline constexpr std::array kKeepaliveDisable = {Bits{"none", 0}, Bits{"msie6", no_keepalive_msie6},
                                                 Bits{"safari", no_keepalive_safari}};
inline constexpr std::array kLingeringClose = {
    Word<LingeringClose>{"off", LingeringClose::off},
    Word<LingeringClose>{"on", LingeringClose::on},
    Word<LingeringClose>{"always", LingeringClose::always}};
inline constexpr std::array kServerTokens = {Word<ServerTokens>{"on", ServerTokens::on},
                                             Word<ServerTokens>{"off", ServerTokens::off},
                                             Word<ServerTokens>{"build", ServerTokens::build}};

inline constexpr std::array kVerifyClient = {
    Word<tls::Verify>{"off", tls::Verify::off}, Word<tls::Verify>{"on", tls::Verify::on},
    Word<tls::Verify>{"optional", tls::Verify::optional},
    Word<tls::Verify>{"optional_no_ca", tls::Verify::optional_no_ca}};
// Never spoken, whoever asks for them.
inline constexpr std::uint32_t kSslV2 = 1u << 30, kSslV3 = 1u << 31;
inline constexpr std::array kTlsVersions = {
    Bits{"TLSv1.3", tls::tls1_3}, Bits{"TLSv1.2", tls::tls1_2}, Bits{"TLSv1.1", tls::tls1_1},
    Bits{"TLSv1", tls::tls1_0},   Bits{"SSLv3", kSslV3},        Bits{"SSLv2", kSslV2}};

inline constexpr std::array kSatisfy = {Word<Satisfy>{"all", Satisfy::all},
                                        Word<Satisfy>{"any", Satisfy::any}};
inline constexpr std::array kLimitLogLevel = {
    Word<LogLevel>{"info", LogLevel::info}, Word<LogLevel>{"notice", LogLevel::notice},
    Word<LogLevel>{"warn", LogLevel::warn}, Word<LogLevel>{"error", LogLevel::error}};

inline constexpr std::array kIfModifiedSince = {
    Word<IfModifiedSince>{"off", IfModifiedSince::off},
    Word<IfModifiedSince>{"exact", IfModifiedSince::exact},
    Word<IfModifiedSince>{"before", IfModifiedSince::before}};
inline constexpr std::array kAutoindexFormat = {
    Word<AutoindexFormat>{"html", AutoindexFormat::html},
    Word<AutoindexFormat>{"json", AutoindexFormat::json},
    Word<AutoindexFormat>{"jsonp", AutoindexFormat::jsonp},
    Word<AutoindexFormat>{"xml", AutoindexFormat::xml}};
inline constexpr std::array kStaticCoding = {Word<StaticCoding>{"off", StaticCoding::off},
                                             Word<StaticCoding>{"on", StaticCoding::on},
                                             Word<StaticCoding>{"always", StaticCoding::always}};

inline constexpr std::array kHeaderInherit = {Word<HeaderInherit>{"on", HeaderInherit::on},
                                              Word<HeaderInherit>{"off", HeaderInherit::off},
                                              Word<HeaderInherit>{"merge", HeaderInherit::merge}};
inline constexpr std::array kTraceContext = {
    Bits{"ignore", trace_ignore}, Bits{"extract", trace_extract}, Bits{"inject", trace_inject},
    Bits{"propagate", trace_propagate}};
inline constexpr std::array kHttpVersion = {Bits{"1.0", 10}, Bits{"1.1", 11}};
inline constexpr std::array kGzipProxied = {Bits{"off", gzip_off},
                                            Bits{"expired", gzip_expired},
                                            Bits{"no-cache", gzip_no_cache},
                                            Bits{"no-store", gzip_no_store},
                                            Bits{"private", gzip_private},
                                            Bits{"no_last_modified", gzip_no_last_modified},
                                            Bits{"no_etag", gzip_no_etag},
                                            Bits{"auth", gzip_auth},
                                            Bits{"any", gzip_any}};

inline constexpr std::array kNextUpstream = {Bits{"error", next_error},
                                             Bits{"timeout", next_timeout},
                                             Bits{"invalid_header", next_invalid_header},
                                             Bits{"http_500", next_http_500},
                                             Bits{"http_502", next_http_502},
                                             Bits{"http_503", next_http_503},
                                             Bits{"http_504", next_http_504},
                                             Bits{"http_403", next_http_403},
                                             Bits{"http_404", next_http_404},
                                             Bits{"http_429", next_http_429},
                                             Bits{"non_idempotent", next_non_idempotent},
                                             Bits{"updating", 0},  // concerns nginx's cache only
                                             Bits{"off", next_off}};
inline constexpr std::array kIgnoreHeaders = {
    Bits{"X-Accel-Redirect", ignore_accel_redirect}, Bits{"X-Accel-Expires", ignore_accel_expires},
    Bits{"X-Accel-Limit-Rate", ignore_accel_limit_rate},
    Bits{"X-Accel-Buffering", ignore_accel_buffering},
    Bits{"X-Accel-Charset", ignore_accel_charset},
    // The rest concerns nginx's cache only.
    Bits{"Expires", 0}, Bits{"Cache-Control", 0}, Bits{"Set-Cookie", 0}, Bits{"Vary", 0}};

}  // namespace weir::config::words
