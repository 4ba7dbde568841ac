// Every setting of a location in both syntaxes, and the line of the printed model that it makes.
#include "support.h"

using namespace weir::config::testing;

namespace {

struct Row {
  const char* nginx;
  const char* yaml;  // keys of a location's mapping, as a flow mapping without its braces
  const char* line;  // nullptr: the default, which is not printed
};

// What stands at the top level for the rows to refer to.
const std::string kNginxTop =
    "defaults nginx; worker_processes 1; limit_req_zone $host zone=r:1m rate=10r/s; "
    "limit_conn_zone $host zone=c:1m; charset_map koi8-r utf-8 { C0 D18E; } ";
const std::string kYamlTop =
    "defaults: nginx\nworker_processes: 1\n"
    "limit_req_zone: {key: $host, zone: 'r:1m', rate: 10r/s}\n"
    "limit_conn_zone: {key: $host, zone: 'c:1m'}\n"
    "charset_maps: [{from: koi8-r, to: utf-8, bytes: {C0: D18E}}]\n";

std::string nginx_model(const std::string& text) {
  return model_of(kNginxTop + "server { location /l { " + text + " } }");
}
std::string yaml_model(const std::string& text) {
  return model_of(kYamlTop + "servers: [{locations: [{path: /l, " + text + "}]}]");
}

void check(std::initializer_list<Row> rows) {
  const std::string plain = nginx_model("");
  for (const auto& row : rows) {
    CAPTURE(std::string(row.nginx));
    const std::string model = nginx_model(row.nginx);
    CAPTURE(model);
    if (row.line == nullptr) {
      CHECK(model == plain);
    } else {
      CAPTURE(std::string(row.line));
      CHECK(has_line(model, row.line));
      CHECK(!has_line(plain, row.line));
    }
    CHECK(yaml_model(row.yaml) == model);
  }
}

}  // namespace

TEST_CASE("clients") {
  check({
      {"client_max_body_size 0;", "client_max_body_size: 0", "client_max_body_size 0"},
      {"client_body_buffer_size 1m;", "client_body_buffer_size: 1m",
       "client_body_buffer_size 1048576"},
      {"client_body_timeout 1s;", "client_body_timeout: 1s", "client_body_timeout 1s"},
      {"client_body_min_rate 0;", "client_body_min_rate: 0", "client_body_min_rate 0"},
      {"client_body_in_file_only clean;", "client_body_in_file_only: clean",
       "client_body_in_file_only 1"},
      {"client_body_in_file_only ON;", "client_body_in_file_only: true",
       "client_body_in_file_only 2"},
      {"client_body_in_file_only off;", "client_body_in_file_only: false", nullptr},
      {"client_body_temp_path tmp/ 1 2;", "client_body_temp_path: tmp/ 1 2",
       "client_body_temp_path \"/etc/weir/tmp\""},
      {"send_timeout 2s;", "send_timeout: 2s", "send_timeout 2s"},
      {"keepalive_timeout 3s 4s;", "keepalive_timeout: [3s, 4s]", "keepalive_timeout 3s 4s"},
      {"keepalive_timeout 0;", "keepalive_timeout: 0", "keepalive_timeout 0s none"},
      {"keepalive_min_timeout 5s;", "keepalive_min_timeout: 5s", "keepalive_min_timeout 5s"},
      {"keepalive_requests 5;", "keepalive_requests: 5", "keepalive_requests 5"},
      {"keepalive_time 6s;", "keepalive_time: 6s", "keepalive_time 6s"},
      {"keepalive_disable none;", "keepalive_disable: none", "keepalive_disable 0"},
      {"keepalive_disable safari; keepalive_disable msie6;", "keepalive_disable: [safari, msie6]",
       "keepalive_disable 3"},
      {"lingering_close always;", "lingering_close: always", "lingering_close 2"},
      {"lingering_close off;", "lingering_close: false", "lingering_close 0"},
      {"lingering_time 7s; lingering_timeout 8s;", "lingering_time: 7s, lingering_timeout: 8s",
       "lingering_time 7s"},
      {"reset_timedout_connection on;", "reset_timedout_connection: true",
       "reset_timedout_connection on"},
      {"chunked_transfer_encoding off;", "chunked_transfer_encoding: false",
       "chunked_transfer_encoding off"},
      {"limit_rate 100k; limit_rate_after 1m;", "limit_rate: 100k, limit_rate_after: 1m",
       "limit_rate \"102400\""},
      {"limit_rate $arg_rate;", "limit_rate: $arg_rate", "limit_rate \"${arg:rate}\""},
      {"set_real_ip_from 10.0.0.0/8; set_real_ip_from unix:; set_real_ip_from ::1; "
       "set_real_ip_from two.example;",
       "set_real_ip_from: [10.0.0.0/8, 'unix:', '::1', two.example]",
       "set_real_ip_from [10.0.0.0/8, unix:, ::1/128, 192.0.2.1/32, 2001:db8::2/128]"},
      {"real_ip_header X-Forwarded-For; real_ip_recursive on;",
       "real_ip_header: X-Forwarded-For, real_ip_recursive: true",
       "real_ip_header \"x-forwarded-for\""},
      {"real_ip_header proxy_protocol;", "real_ip_header: proxy_protocol",
       "real_ip_header \"proxy_protocol\""},
      {"resolver 127.0.0.11 [::1]:5353 localhost valid=30s ipv6=off;",
       "resolver: {addresses: [127.0.0.11, '[::1]:5353', localhost], valid: 30s, ipv6: off}",
       "resolver [127.0.0.11:53, [::1]:5353, 127.0.0.1:53] valid=30s ipv4=on ipv6=off"},
      {"resolver 127.0.0.1; resolver_timeout 5s;", "resolver: 127.0.0.1, resolver_timeout: 5s",
       "resolver_timeout 5s"},
  });
}

TEST_CASE("files") {
  check({
      {"root /srv/www/;", "root: /srv/www/", "root \"/srv/www\""},
      {"root html;", "root: html", "root \"/etc/weir/html\""},
      {"root /;", "root: /", "root \"/\""},
      {"root $arg_root/x;", "root: $arg_root/x", "root \"${arg:root}/x\""},
      {"alias /srv/l/;", "alias: /srv/l/", "root \"/srv/l/\" alias 2"},
      {"index a.html $uri.html /b.html;", "index: [a.html, $uri.html, /b.html]",
       "index [\"a.html\", \"${uri}.html\", \"/b.html\"]"},
      {"index a; index b;", "index: a b", "index [\"a\", \"b\"]"},
      {"types { text/html html HTM; a/b c; }", "types: {text/html: html HTM, a/b: [c]}",
       "types { c=a/b htm=text/html html=text/html }"},
      {"types { a/b c; } types { a/d e; }", "types: {a/b: c, a/d: e}", "types { c=a/b e=a/d }"},
      {"types { }", "types: {}", "types { }"},
      {"default_type a/b;", "default_type: a/b", "default_type \"a/b\""},
      {"disable_symlinks if_not_owner from=$document_root;",
       "disable_symlinks: if_not_owner from=$document_root",
       "disable_symlinks 2 \"${document_root}\""},
      {"disable_symlinks on;", "disable_symlinks: true", "disable_symlinks 1 \"\""},
      {"if_modified_since before;", "if_modified_since: before", "if_modified_since 2"},
      {"if_modified_since off;", "if_modified_since: false", "if_modified_since 0"},
      {"etag off;", "etag: false", "etag off"},
      {"max_ranges 0;", "max_ranges: 0", "max_ranges 0"},
      {"autoindex on; autoindex_format jsonp;", "autoindex: true, autoindex_format: jsonp",
       "autoindex_format 2"},
      {"autoindex_exact_size off;", "autoindex_exact_size: false", "autoindex_exact_size off"},
      {"autoindex_localtime on;", "autoindex_localtime: true", "autoindex_localtime on"},
      {"gzip_static always;", "gzip_static: always", "gzip_static 2"},
      {"gzip_static on;", "gzip_static: true", "gzip_static 1"},
      {"brotli_static on;", "brotli_static: on", "brotli_static 1"},
      {"zstd_static always;", "zstd_static: always", "zstd_static 2"},
  });
}

TEST_CASE("answers of weir's own") {
  check({
      {"error_page 404 /404.html;", "error_page: {404: /404.html}",
       "error_page [404 \"/404.html\"]"},
      {"error_page 500 502 =200 /x?y; error_page 404 = @fallback;",
       "error_page: {500 502: '=200 /x?y', 404: '= @fallback'}",
       "error_page [500 502 =200 \"/x?y\", 404 =0 \"@fallback\"]"},
      {"error_page 403 http://x/$uri;", "error_page: 403 http://x/$uri",
       "error_page [403 \"http://x/${uri}\"]"},
      {"error_page 404 497 /a;", "error_page: [404 497 /a]",
       "error_page [497 =400 \"/a\", 404 \"/a\"]"},
      {"recursive_error_pages on;", "recursive_error_pages: true", "recursive_error_pages on"},
      {"absolute_redirect off;", "absolute_redirect: false", "absolute_redirect off"},
      {"port_in_redirect off;", "port_in_redirect: false", "port_in_redirect off"},
      {"server_name_in_redirect on;", "server_name_in_redirect: true",
       "server_name_in_redirect on"},
      {"server_tokens off;", "server_tokens: false", "server_tokens 1"},
      {"server_tokens build;", "server_tokens: build", "server_tokens 2"},
      {"msie_padding off;", "msie_padding: false", "msie_padding off"},
      {"msie_refresh on;", "msie_refresh: true", "msie_refresh on"},
      {"rewrite_log on;", "rewrite_log: true", "rewrite_log on"},
      {"uninitialized_variable_warn off;", "uninitialized_variable_warn: false",
       "uninitialized_variable_warn off"},
      {"log_not_found off;", "log_not_found: false", "log_not_found off"},
      {"log_subrequest on;", "log_subrequest: true", "log_subrequest on"},
  });
}

TEST_CASE("access") {
  check({
      {"satisfy any;", "satisfy: any", "satisfy 1"},
      {"auth_basic \"a $host\"; auth_basic_user_file pw;",
       "auth_basic: a $host, auth_basic_user_file: pw", "auth_basic \"a ${host}\""},
      {"auth_basic_user_file pw;", "auth_basic_user_file: pw",
       "auth_basic_user_file \"/etc/weir/pw\""},
      {"auth_basic off;", "auth_basic: false", nullptr},
      {"auth_delay 1s;", "auth_delay: 1s", "auth_delay 1s"},
      {"auth_request /a?b;", "auth_request: '/a?b'", "auth_request \"/a?b\""},
      {"auth_request off;", "auth_request: off", nullptr},
      {"auth_request_set $user $upstream_http_x_user;",
       "auth_request_set: {$user: $upstream_http_x_user}",
       "auth_request_set [${user:user} \"${upstream_http:x-user}\"]"},
      {"limit_req zone=r burst=5 nodelay;", "limit_req: {zone: r, burst: 5, nodelay: true}",
       "limit_req [r burst=5000 delay=18446744073709551615]"},
      {"limit_req burst=5 delay=2 zone=r;", "limit_req: zone=r burst=5 delay=2",
       "limit_req [r burst=5000 delay=2000]"},
      {"limit_req_status 429; limit_req_log_level warn; limit_req_dry_run on;",
       "limit_req_status: 429, limit_req_log_level: warn, limit_req_dry_run: true",
       "limit_req_log_level 3"},
      {"limit_conn c 7;", "limit_conn: {c: 7}", "limit_conn [c 7]"},
      {"limit_conn_status 429; limit_conn_log_level info; limit_conn_dry_run on;",
       "limit_conn_status: 429, limit_conn_log_level: info, limit_conn_dry_run: true",
       "limit_conn_log_level 1"},
      {"secure_link $arg_md5,$arg_expires; secure_link_md5 \"$uri secret\";",
       "secure_link: '$arg_md5,$arg_expires', secure_link_md5: $uri secret",
       "secure_link \"${arg:md5},${arg:expires}\" \"${uri} secret\" "},
      {"secure_link_secret word;", "secure_link_secret: word", "secure_link \"\" \"\" word"},
      {"valid_referers none blocked server_names *.A.org b.* c.org/X ~\\.d$;",
       "valid_referers: [none, blocked, server_names, '*.A.org', b.*, c.org/X, '~\\.d$']",
       "valid_referers none blocked server_names [\"*.a.org\", \"b.*\", \"c.org/X\"][~*\\.d$]"},
  });
}

TEST_CASE("filters") {
  check({
      {"add_header X-A \"1 $host\"; add_header X-B 2 always;",
       "add_header: {X-A: 1 $host, X-B: {value: 2, always: true}}",
       "add_header [X-A: \"1 ${host}\", X-B: \"2\" always]"},
      {"add_header_inherit merge;", "add_header_inherit: merge", "add_header_inherit 2"},
      {"add_trailer T $status;", "add_trailer: {T: $status}", "add_trailer [T: \"${status}\"]"},
      {"add_trailer_inherit off;", "add_trailer_inherit: false", "add_trailer_inherit 1"},
      {"expires 24h;", "expires: 24h", "expires 3 86400 \"\""},
      {"expires -1;", "expires: -1", "expires 3 -1 \"\""},
      {"expires modified +1d;", "expires: modified +1d", "expires 4 86400 \"\""},
      {"expires @15h30m;", "expires: '@15h30m'", "expires 5 55800 \"\""},
      {"expires epoch;", "expires: epoch", "expires 1 0 \"\""},
      {"expires max;", "expires: max", "expires 2 0 \"\""},
      {"expires off;", "expires: false", nullptr},
      {"expires $arg_e;", "expires: $arg_e", "expires 6 0 \"${arg:e}\""},
      {"expires modified $arg_e;", "expires: [modified, $arg_e]",
       "expires 6 0 \"${arg:e}\" modified"},
      {"gzip on;", "gzip: true", "gzip on"},
      {"gzip_types text/css Text/HTML2; gzip_types a/b;", "gzip_types: [text/css, Text/HTML2, a/b]",
       "gzip_types [\"text/html\", \"text/css\", \"text/html2\", \"a/b\"]"},
      {"gzip_types *;", "gzip_types: '*'", "gzip_types *"},
      {"gzip_comp_level 9; gzip_min_length 1k;", "gzip_comp_level: 9, gzip_min_length: 1k",
       "gzip_comp_level 9"},
      {"gzip_http_version 1.0;", "gzip_http_version: 1.0", "gzip_http_version 10"},
      {"gzip_proxied expired no-cache auth;", "gzip_proxied: [expired, no-cache, auth]",
       "gzip_proxied 67"},
      {"gzip_proxied any off;", "gzip_proxied: any off", nullptr},
      {"gzip_vary on;", "gzip_vary: true", "gzip_vary on"},
      {"gzip_disable msie6 \"Foo.*\";", "gzip_disable: [msie6, Foo.*]", "gzip_disable msie6 Foo.*"},
      {"gzip_window 1k; gzip_hash 64k;", "gzip_window: 1k, gzip_hash: 64k", "gzip_window 1024"},
      {"gunzip on;", "gunzip: true", "gunzip on"},
      {"brotli on; brotli_types a/b;", "brotli: true, brotli_types: a/b",
       "brotli_types [\"text/html\", \"a/b\"]"},
      {"brotli_comp_level 11; brotli_min_length 1;", "brotli_comp_level: 11, brotli_min_length: 1",
       "brotli_comp_level 11"},
      {"zstd on; zstd_types a/b;", "zstd: true, zstd_types: a/b",
       "zstd_types [\"text/html\", \"a/b\"]"},
      {"zstd_comp_level 19; zstd_min_length 1;", "zstd_comp_level: 19, zstd_min_length: 1",
       "zstd_comp_level 19"},
      {"charset utf-8; source_charset koi8-r; override_charset on;",
       "charset: utf-8, source_charset: koi8-r, override_charset: true", "charset \"utf-8\""},
      {"charset $arg_c;", "charset: $arg_c", "charset \"${arg:c}\""},
      {"charset off;", "charset: false", nullptr},
      {"charset_types text/css;", "charset_types: text/css",
       "charset_types [\"text/html\", \"text/css\"]"},
      {"sub_filter Aa \"$host b\"; sub_filter C '';", "sub_filter: {Aa: $host b, C: ''}",
       "sub_filter [\"aa\" \"${host} b\", \"c\" \"\"]"},
      {"sub_filter_types *; sub_filter_once off; sub_filter_last_modified on;",
       "sub_filter_types: ['*'], sub_filter_once: false, sub_filter_last_modified: true",
       "sub_filter_once off"},
      {"add_before_body /a; add_after_body /b; addition_types c/d;",
       "add_before_body: /a, add_after_body: /b, addition_types: c/d", "add_before_body \"/a\""},
      {"ssi on; ssi_types a/b; ssi_silent_errors on; ssi_last_modified on; ssi_value_length 9;",
       "ssi: true, ssi_types: a/b, ssi_silent_errors: true, ssi_last_modified: true, "
       "ssi_value_length: 9",
       "ssi_value_length 9"},
      {"subrequest_output_buffer_size 8k;", "subrequest_output_buffer_size: 8k",
       "subrequest_output_buffer_size 8192"},
      {"mirror /a; mirror /b; mirror_request_body off;",
       "mirror: [/a, /b], mirror_request_body: false", "mirror [\"/a\", \"/b\"]"},
      {"mirror off;", "mirror: false", nullptr},
  });
}

TEST_CASE("settings of proxy_*") {
  check({
      {"proxy_set_header X 1;", "proxy_set_header: {X: 1}", "proxy_set_header [X: \"1\"]"},
      {"proxy_set_body \"a $host\";", "proxy_set_body: a $host", "proxy_set_body \"a ${host}\""},
      {"proxy_set_body '';", "proxy_set_body: ''", "has_proxy_set_body on"},
      {"proxy_method $arg_m;", "proxy_method: $arg_m", "proxy_method \"${arg:m}\""},
      {"proxy_http_version 1.0;", "proxy_http_version: 1.0", "proxy_http_version 10"},
      {"proxy_http_version 2;", "proxy_http_version: 2", "proxy_http_version 20"},
      {"proxy_pass_request_headers off;", "proxy_pass_request_headers: false",
       "proxy_pass_request_headers off"},
      {"proxy_pass_request_body off;", "proxy_pass_request_body: false",
       "proxy_pass_request_body off"},
      {"proxy_pass_trailers on;", "proxy_pass_trailers: true", "proxy_pass_trailers on"},
      {"proxy_bind $remote_addr transparent;",
       "proxy_bind: {address: $remote_addr, transparent: true}",
       "proxy_bind \"${remote_addr}\" transparent"},
      {"proxy_bind 127.0.0.1:8;", "proxy_bind: 127.0.0.1:8", "proxy_bind \"127.0.0.1:8\""},
      {"proxy_bind off;", "proxy_bind: false", nullptr},
      {"proxy_socket_keepalive on;", "proxy_socket_keepalive: true", "proxy_socket_keepalive on"},
      {"proxy_next_upstream HTTP_503; proxy_next_upstream updating error;",
       "proxy_next_upstream: [http_503, error, updating]", "proxy_next_upstream 33"},
      {"proxy_next_upstream error off;", "proxy_next_upstream: error off",
       "proxy_next_upstream 2048"},
      {"proxy_next_upstream_tries 2;", "proxy_next_upstream_tries: 2",
       "proxy_next_upstream_tries 2"},
      {"proxy_next_upstream_timeout 2s;", "proxy_next_upstream_timeout: 2s",
       "proxy_next_upstream_timeout 2s"},
      {"proxy_connect_timeout 1s; proxy_send_timeout 2s; proxy_read_timeout 3s;",
       "proxy_connect_timeout: 1s, proxy_send_timeout: 2s, proxy_read_timeout: 3s",
       "proxy_connect_timeout 1s"},
      {"proxy_tunnel_timeout 1h;", "proxy_tunnel_timeout: 1h", "proxy_tunnel_timeout 3600s"},
      {"proxy_buffering off; proxy_request_buffering off;",
       "proxy_buffering: false, proxy_request_buffering: false", "proxy_buffering off"},
      {"proxy_buffer_size 128k;", "proxy_buffer_size: 128k", "proxy_buffer_size 131072"},
      {"proxy_buffers 4 256k;", "proxy_buffers: 4 256k", "proxy_buffers 4 x 262144"},
      {"proxy_max_temp_file_size 0;", "proxy_max_temp_file_size: 0", "proxy_max_temp_file_size 0"},
      {"proxy_temp_path /t 1;", "proxy_temp_path: /t 1", "proxy_temp_path \"/t\""},
      {"proxy_retry_body_size 1k;", "proxy_retry_body_size: 1k", "proxy_retry_body_size 1024"},
      {"proxy_limit_rate 1k;", "proxy_limit_rate: 1k", "proxy_limit_rate \"1024\""},
      {"proxy_ignore_client_abort on;", "proxy_ignore_client_abort: true",
       "proxy_ignore_client_abort on"},
      {"proxy_intercept_errors on;", "proxy_intercept_errors: true", "proxy_intercept_errors on"},
      {"proxy_force_ranges on;", "proxy_force_ranges: true", "proxy_force_ranges on"},
      {"proxy_ignore_headers X-Accel-Redirect x-accel-charset Set-Cookie;",
       "proxy_ignore_headers: [X-Accel-Redirect, x-accel-charset, Set-Cookie]",
       "proxy_ignore_headers 17"},
      {"proxy_redirect off;", "proxy_redirect: false", "proxy_redirect off []"},
      {"proxy_redirect http://a/ /b/; proxy_redirect ~*^/c(.*) $1; proxy_redirect $host \"\";",
       "proxy_redirect: {http://a/: /b/, '~*^/c(.*)': $1, $host: ''}",
       "proxy_redirect [\"http://a/\" -> \"/b/\", \"\"~*^/c(.*) -> \"${1}\", \"${host}\" -> \"\"]"},
      {"proxy_cookie_domain .a.org .b.org; proxy_cookie_domain ~c$ $host;",
       "proxy_cookie_domain: {.a.org: .b.org, ~c$: $host}",
       "proxy_cookie_domain [\"a.org\" -> \"b.org\", \"\"~*c$ -> \"${host}\"]"},
      {"proxy_cookie_path /a /b; proxy_cookie_path ~*^/c /;",
       "proxy_cookie_path: {/a: /b, ~*^/c: /}",
       "proxy_cookie_path [\"/a\" -> \"/b\", \"\"~*^/c -> \"/\"]"},
      {"proxy_cookie_path off;", "proxy_cookie_path: off", nullptr},
      {"proxy_cookie_flags one secure SameSite=Strict; proxy_cookie_flags ~^t httponly;",
       "proxy_cookie_flags: {one: secure SameSite=Strict, ~^t: [httponly]}",
       "proxy_cookie_flags [\"one\" [\"secure\", \"SameSite=Strict\"], \"\"~*^t [\"httponly\"]]"},
      {"proxy_hide_header X-A; proxy_hide_header X-B;", "proxy_hide_header: [X-A, X-B]",
       "proxy_hide_header [\"x-a\", \"x-b\"]"},
      {"proxy_pass_header Server;", "proxy_pass_header: Server", "proxy_pass_header [\"server\"]"},
      {"proxy_store on;", "proxy_store: true", "proxy_store on \"\""},
      {"proxy_store /s$uri;", "proxy_store: /s$uri", "proxy_store on \"/s${uri}\""},
      {"proxy_store_access group:rw all:r;", "proxy_store_access: group:rw all:r",
       "proxy_store_access 436"},
      {"early_hints $arg_a $http_b;", "early_hints: [$arg_a, $http_b]",
       "early_hints [\"${arg:a}\", \"${http:b}\"]"},
  });
}
