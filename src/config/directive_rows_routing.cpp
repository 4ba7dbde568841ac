// What answers a request without a peer: files, pages of weir's own, redirects; and logs.
#include "config/directive_rows.h"
#include "config/handlers.h"
#include "config/words.h"

namespace weir::config {
namespace {

using namespace rows;
using Set = Settings;

constexpr DirectiveInfo kRows[] = {
    // ---- which file
    {"root", HSL | LIF, 1, 1, 0, compile_root, "html", "folder that paths are looked up in"},
    {"alias", L, 1, 1, 0, compile_root, "",
     "path that stands for the location's own; in a regex location the file itself"},
    {"index", HSL, 1, kMany, kRepeats | kList, compile_index, "index.html",
     "files that answer for a path with a slash at its end"},
    {"try_files", SL, 2, kMany, kList, compile_try_files, "",
     "the first file or folder/ that is there, else the last: a path, @name or =CODE"},
    {"random_index", L, 1, 1, kFlag, compile_random_index, "off",
     "a file by chance for a path with a slash at its end"},
    {"disable_symlinks", HSL, 1, 2, 0, compile_disable_symlinks, "off",
     "refuse files behind symbolic links: off, on or if_not_owner, with from=PART",
     "off on if_not_owner from="},

    // ---- of which type
    {.name = "types",
     .contexts = HSL,
     .flags = kBlock | kRepeats | kEntries,
     .handler = compile_types,
     .default_text = "text/html html; image/gif gif; image/jpeg jpg",
     .help = "types of files by their extension",
     .inner = in_types},
    {"default_type", HSL, 1, 1, 0, compile_default_type, "text/plain",
     "Content-Type where no other is known"},

    // ---- how
    {"if_modified_since", HSL, 1, 1, 0, set_word<&Set::if_modified_since, words::kIfModifiedSince>,
     "exact", "when If-Modified-Since is met: off, exact or before", "off exact before"},
    {"etag", HSL, 1, 1, kFlag, set_flag<&Set::etag>, "on", "send ETag with files"},
    {"max_ranges", HSL, 1, 1, 0, set_number<&Set::max_ranges>, "2147483647",
     "most ranges of an answer; 0: none"},
    {"autoindex", HSL, 1, 1, kFlag, set_flag<&Set::autoindex>, "off", "list folders"},
    {"autoindex_format", HSL, 1, 1, 0, set_word<&Set::autoindex_format, words::kAutoindexFormat>,
     "html", "form of the list: html, json, jsonp or xml", "html json jsonp xml"},
    {"autoindex_exact_size", HSL, 1, 1, kFlag, set_flag<&Set::autoindex_exact_size>, "on",
     "sizes in bytes, else in K, M and G"},
    {"autoindex_localtime", HSL, 1, 1, kFlag, set_flag<&Set::autoindex_localtime>, "off",
     "times in the local zone"},
    {"gzip_static", HSL, 1, 1, 0, set_word<&Set::gzip_static, words::kStaticCoding>, "off",
     "send FILE.gz for FILE: off, on or always", "off on always"},
    {"brotli_static", HSL, 1, 1, 0, set_word<&Set::brotli_static, words::kStaticCoding>, "off",
     "send FILE.br for FILE: off, on or always", "off on always"},
    {"zstd_static", HSL, 1, 1, 0, set_word<&Set::zstd_static, words::kStaticCoding>, "off",
     "send FILE.zst for FILE: off, on or always", "off on always"},

    // ---- answers without a file
    {"empty_gif", L, 0, 0, 0, compile_empty_gif, "", "a picture of one transparent pixel"},
    {"stub_status", SL, 0, 1, 0, compile_stub_status, "", "counts of connections and requests"},
    {"error_page", HSL | LIF, 2, kMany, kRepeats | kPairs | kSplitPairs, compile_error_page, "",
     "CODE... [=[CODE]] URI: page for errors"},
    {"recursive_error_pages", HSL, 1, 1, kFlag, set_flag<&Set::recursive_error_pages>, "off",
     "pages for errors of pages for errors"},
    {"absolute_redirect", HSL, 1, 1, kFlag, set_flag<&Set::absolute_redirect>, "on",
     "redirects of weir's own name scheme and host"},
    {"server_name_in_redirect", HSL, 1, 1, kFlag, set_flag<&Set::server_name_in_redirect>, "off",
     "the host of such redirects is the server's name, not the client's Host"},
    {"port_in_redirect", HSL, 1, 1, kFlag, set_flag<&Set::port_in_redirect>, "on",
     "such redirects name the port"},
    {"server_tokens", HSL, 1, 1, 0, set_word<&Set::server_tokens, words::kServerTokens>, "on",
     "name the version in answers: on, off, build", "on off build"},
    {"msie_padding", HSL, 1, 1, kFlag, set_flag<&Set::msie_padding>, "on",
     "pages for errors have at least 512 bytes for Internet Explorer"},
    {"msie_refresh", HSL, 1, 1, kFlag, set_flag<&Set::msie_refresh>, "off",
     "refreshes instead of redirects for Internet Explorer"},

    // ---- logs
    {"access_log", HSL | LIF | LMT, 1, kMany, kRepeats, compile_access_log, "off",
     "PATH [FORMAT] or off, or syslog:server=...; formats that are there without a log_format: "
     "combined, and json (weir's own)",
     "off buffer= flush= gzip=? if=", "path format"},
    {.name = "log_format",
     .contexts = H,
     .min_args = 2,
     .max_args = kMany,
     .flags = kRepeats | kPairs,
     .handler = compile_log_format,
     .default_text = "combined",
     .help = "NAME and text of a format",
     .parameters = "escape=",
     .yaml_name = "log_formats"},
    {"log_not_found", HSL, 1, 1, kFlag, set_flag<&Set::log_not_found>, "on",
     "log requests for what is not there"},
    {"log_subrequest", HSL, 1, 1, kFlag, set_flag<&Set::log_subrequest>, "off",
     "write requests of weir's own into the access log"},
};

}  // namespace

std::span<const DirectiveInfo> routing_rows() { return kRows; }

}  // namespace weir::config
