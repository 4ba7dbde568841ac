// What is done to answers on their way to the client, and requests made beside them.
#include "config/directive_rows.h"
#include "config/handlers.h"
#include "config/words.h"

namespace weir::config {
namespace {

using namespace rows;
using Set = Settings;

constexpr DirectiveInfo kRows[] = {
    // ---- fields
    {"add_header", HSL | LIF, 2, 3, kRepeats | kPairs, compile_add_header, "",
     "field added to answers of status 200, 201, 204, 206, 301-304, 307, 308; always: to all",
     "always", "name value"},
    {"add_header_inherit", HSL | LIF, 1, 1, 0,
     set_word<&Set::add_header_inherit, words::kHeaderInherit>, "on",
     "on: add_header of outer blocks only without own ones; merge: besides; off: never",
     "on off merge"},
    {"add_trailer", HSL | LIF, 2, 3, kRepeats | kPairs, compile_add_trailer, "",
     "field added behind the body", "always", "name value"},
    {"add_trailer_inherit", HSL | LIF, 1, 1, 0,
     set_word<&Set::add_trailer_inherit, words::kHeaderInherit>, "on", "the same for add_trailer",
     "on off merge"},
    {"expires", HSL | LIF, 1, 2, 0, compile_expires, "off",
     "Expires and Cache-Control: [modified] TIME, @TIME of day, epoch, max or off", "off"},

    // ---- compression
    {"gzip", HSL | LIF, 1, 1, kFlag, set_flag<&Set::gzip>, "off", "compress answers"},
    {"gzip_types", HSL, 1, kMany, kRepeats | kList, set_types<&Set::gzip_types>, "text/html",
     "types besides text/html; *: all"},
    {"gzip_comp_level", HSL, 1, 1, 0, set_number<&Set::gzip_comp_level, 1, 9>, "1",
     "1 (fast) to 9 (small)"},
    {"gzip_min_length", HSL, 1, 1, 0, set_size<&Set::gzip_min_length>, "20",
     "shorter answers are left"},
    {"gzip_http_version", HSL, 1, 1, 0, set_word<&Set::gzip_http_version, words::kHttpVersion>,
     "1.1", "least version of a request: 1.0 or 1.1"},
    {"gzip_proxied", HSL, 1, kMany, kRepeats | kList,
     set_bits<&Set::gzip_proxied, words::kGzipProxied>, "off",
     "which answers to proxies (requests with Via) are compressed"},
    {"gzip_vary", HSL, 1, 1, kFlag, set_flag<&Set::gzip_vary>, "off", "send Vary: Accept-Encoding"},
    {"gzip_disable", HSL, 1, kMany, kRepeats | kList, compile_gzip_disable, "",
     "patterns of User-Agent that get no compressed answers; msie6"},
    {"gzip_window", HSL, 1, 1, 0, compile_gzip_window, "32k", "bytes that are looked back at"},
    {"gzip_hash", HSL, 1, 1, 0, compile_gzip_hash, "128k", "memory for that"},
    {"gunzip", HSL, 1, 1, kFlag, set_flag<&Set::gunzip>, "off",
     "decompress answers for clients that do not know gzip"},
    {"brotli", HSL | LIF, 1, 1, kFlag, set_flag<&Set::brotli>, "off",
     "compress answers with brotli"},
    {"brotli_types", HSL, 1, kMany, kRepeats | kList, set_types<&Set::brotli_types>, "text/html",
     "types besides text/html; *: all"},
    {"brotli_comp_level", HSL, 1, 1, 0, set_number<&Set::brotli_comp_level, 0, 11>, "4",
     "0 (fast) to 11 (small)"},
    {"brotli_min_length", HSL, 1, 1, 0, set_size<&Set::brotli_min_length>, "20",
     "shorter answers are left"},
    {"zstd", HSL | LIF, 1, 1, kFlag, set_flag<&Set::zstd>, "off",
     "compress answers with Zstandard"},
    {"zstd_types", HSL, 1, kMany, kRepeats | kList, set_types<&Set::zstd_types>, "text/html",
     "types besides text/html; *: all"},
    {"zstd_comp_level", HSL, 1, 1, 0, set_number<&Set::zstd_comp_level, 1, 22>, "3",
     "1 (fast) to 22 (small)"},
    {"zstd_min_length", HSL, 1, 1, 0, set_size<&Set::zstd_min_length>, "20",
     "shorter answers are left"},

    // ---- texts
    {"charset", HSL | LIF, 1, 1, 0, compile_charset, "off",
     "charset named in Content-Type; off: as it came", "off"},
    {"source_charset", HSL | LIF, 1, 1, 0, compile_source_charset, "",
     "charset of the answers; another one than `charset` needs a charset_map"},
    {"override_charset", HSL | LIF, 1, 1, kFlag, set_flag<&Set::override_charset>, "off",
     "convert answers of peers that name a charset, too"},
    {"charset_types", HSL, 1, kMany, kRepeats | kList, compile_charset_types,
     "text/html text/xml text/plain text/vnd.wap.wml application/javascript application/rss+xml",
     "types that have a charset; *: all"},
    {"sub_filter", HSL, 2, 2, kRepeats | kPairs, compile_sub_filter, "",
     "TEXT REPLACEMENT: text replaced in bodies, whatever its case"},
    {"sub_filter_types", HSL, 1, kMany, kRepeats | kList, set_types<&Set::sub_filter_types>,
     "text/html", "types besides text/html; *: all"},
    {"sub_filter_once", HSL, 1, 1, kFlag, set_flag<&Set::sub_filter_once>, "on",
     "each text only once in a body"},
    {"sub_filter_last_modified", HSL, 1, 1, kFlag, set_flag<&Set::sub_filter_last_modified>, "off",
     "keep Last-Modified"},
    {"add_before_body", HSL, 1, 1, 0, set_text<&Set::add_before_body>, "",
     "URI whose answer is put before the body"},
    {"add_after_body", HSL, 1, 1, 0, set_text<&Set::add_after_body>, "",
     "URI whose answer is put behind the body"},
    {"addition_types", HSL, 1, kMany, kRepeats | kList, set_types<&Set::addition_types>,
     "text/html", "types of both; *: all"},
    {"ssi", HSL | LIF, 1, 1, kFlag, set_flag<&Set::ssi>, "off",
     "carry out server side includes, up to 64 MiB a page"},
    {"ssi_types", HSL, 1, kMany, kRepeats | kList, set_types<&Set::ssi_types>, "text/html",
     "types besides text/html; *: all"},
    {"ssi_silent_errors", HSL, 1, 1, kFlag, set_flag<&Set::ssi_silent_errors>, "off",
     "no text in place of a command that failed"},
    {"ssi_last_modified", HSL, 1, 1, kFlag, set_flag<&Set::ssi_last_modified>, "off",
     "keep Last-Modified"},
    {"ssi_value_length", HSL, 1, 1, 0, set_size<&Set::ssi_value_length>, "256",
     "greatest length of a parameter"},
    {"subrequest_output_buffer_size", HSL, 1, 1, 0, set_size<&Set::subrequest_output_buffer_size>,
     "4k", "greatest body of an include whose body goes to a variable"},

    // ---- besides
    {"mirror", HSL, 1, 1, kRepeats, compile_mirror, "off",
     "URI that each request is sent to as well, its answer dropped", "off"},
    {"mirror_request_body", HSL, 1, 1, kFlag, set_flag<&Set::mirror_request_body>, "on",
     "with its body, which is read first"},
};

}  // namespace

std::span<const DirectiveInfo> filter_rows() { return kRows; }

}  // namespace weir::config
