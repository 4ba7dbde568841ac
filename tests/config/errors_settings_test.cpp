// What the operator is told about settings of locations: files, answers, clients, access, fields.
#include "mistakes.h"

using namespace weir::config::testing;

TEST_CASE("files: mistakes") {
  check({
      in_location("root /a; root /b;", "t:1:31: error: root: is duplicate; first at line 1"),
      in_location("root /a; alias /b;",
                  "t:1:31: error: alias: there is a root in this block already; keep one of them"),
      in_location(
          "root $document_root/x;",
          "t:1:27: error: root: $document_root and $realpath_root are made of it; name a folder"),
      in_location(
          "alias ${realpath_root};",
          "t:1:28: error: alias: $document_root and $realpath_root are made of it; name a folder"),
      {"server { location @a { alias /b; } }",
       "t:1:24: error: alias: has no meaning in a named location, whose name is no path; use root"},
      {"server { alias /b; }",
       "t:1:10: error: alias: is not allowed in server; it belongs in location"},
      in_location("root;", "t:1:22: error: root: takes 1 argument, 0 given"),
      in_location("index '';", "t:1:28: error: index: the name is empty; name a file"),
      in_location("index /a b;",
                  "t:1:22: warning: index: what stands behind \"/a\" is never tried: only the last "
                  "file should begin with /"),
      in_location("try_files $uri;",
                  "t:1:22: error: try_files: takes at least 2 arguments, 1 given"),
      in_location("try_files $uri =1000;",
                  "t:1:37: error: try_files: invalid code \"=1000\"; write =404"),
      in_location("try_files $uri =x;",
                  "t:1:37: error: try_files: invalid code \"=x\"; write =404"),
      in_location("try_files $nope /a;", "t:1:32: error: try_files: unknown variable \"nope\""),
      in_location("try_files a b; try_files c d;",
                  "t:1:37: error: try_files: is duplicate; first at line 1"),
      in_location("random_index maybe;",
                  "t:1:35: error: random_index: invalid value \"maybe\"; use on or off"),
      in_location("disable_symlinks from=/x;",
                  "t:1:22: error: disable_symlinks: off, on or if_not_owner is missing"),
      in_location("disable_symlinks off from=/x;",
                  "t:1:43: error: disable_symlinks: \"off\" stands alone"),
      in_location(
          "disable_symlinks on if_not_owner;",
          "t:1:42: error: disable_symlinks: one of off, on and if_not_owner, and from=PART"),
      in_location("disable_symlinks some;",
                  "t:1:39: error: disable_symlinks: unknown parameter \"some\"\nt:1:22: error: "
                  "disable_symlinks: off, on or if_not_owner is missing"),
      in_location("types { a/b c; d/e c; }",
                  "t:1:41: warning: types: extension \"c\" had the type \"a/b\"; \"d/e\" holds"),
      in_location("types { a/b { } }", "t:1:30: error: a/b: takes no block; end it with \";\""),
      in_location("types x { }", "t:1:22: error: types: takes 0 arguments, 1 given"),
      in_location("default_type \"a\\nb\";",
                  "t:1:35: error: default_type: the type must be one line"),
      in_location(
          "if_modified_since never;",
          "t:1:40: error: if_modified_since: invalid value \"never\"; use off, exact or before"),
      in_location("etag 1;", "t:1:27: error: etag: invalid value \"1\"; use on or off"),
      in_location(
          "max_ranges -1;",
          "t:1:33: error: max_ranges: invalid number \"-1\"; it must be from 0 to 2147483647"),
      in_location(
          "autoindex_format text;",
          "t:1:39: error: autoindex_format: invalid value \"text\"; use html, json, jsonp or xml"),
      in_location("gzip_static sometimes;",
                  "t:1:34: error: gzip_static: invalid value \"sometimes\"; use off, on or always"),
      in_location("brotli_static x;",
                  "t:1:36: error: brotli_static: invalid value \"x\"; use off, on or always"),
      in_location("zstd_static x;",
                  "t:1:34: error: zstd_static: invalid value \"x\"; use off, on or always"),
  });
}

TEST_CASE("answers of weir's own: mistakes") {
  check({
      in_location("empty_gif on;", "t:1:22: error: empty_gif: takes 0 arguments, 1 given"),
      in_location("stub_status a b;", "t:1:22: error: stub_status: takes 0 to 1 argument, 2 given"),
      {"stub_status;",
       "t:1:1: error: stub_status: is not allowed in main, http; it belongs in server, location"},
      in_location("error_page /x;",
                  "t:1:22: error: error_page: takes at least 2 arguments, 1 given"),
      in_location("error_page 499 /x;",
                  "t:1:33: error: error_page: invalid code \"499\"; it must be from 300 to 599, "
                  "and not 499 (the client has gone)"),
      in_location("error_page 299 /x;",
                  "t:1:33: error: error_page: invalid code \"299\"; it must be from 300 to 599, "
                  "and not 499 (the client has gone)"),
      in_location("error_page 600 /x;",
                  "t:1:33: error: error_page: invalid code \"600\"; it must be from 300 to 599, "
                  "and not 499 (the client has gone)"),
      in_location("error_page x /x;",
                  "t:1:33: error: error_page: invalid code \"x\"; it must be from 300 to 599, and "
                  "not 499 (the client has gone)"),
      in_location("error_page = /x;",
                  "t:1:33: error: error_page: no code is given; write 404 before it"),
      in_location("error_page 404 =x /x;",
                  "t:1:37: error: error_page: invalid code \"=x\"; write =200, or = alone"),
      in_location("error_page 404 $nope;", "t:1:37: error: error_page: unknown variable \"nope\""),
      in_location("recursive_error_pages x;",
                  "t:1:44: error: recursive_error_pages: invalid value \"x\"; use on or off"),
      in_location("absolute_redirect x;",
                  "t:1:40: error: absolute_redirect: invalid value \"x\"; use on or off"),
      in_location("port_in_redirect x;",
                  "t:1:39: error: port_in_redirect: invalid value \"x\"; use on or off"),
      in_location("server_name_in_redirect x;",
                  "t:1:46: error: server_name_in_redirect: invalid value \"x\"; use on or off"),
      in_location("server_tokens maybe;",
                  "t:1:36: error: server_tokens: invalid value \"maybe\"; use on, off or build"),
      in_location("msie_padding x;",
                  "t:1:35: error: msie_padding: invalid value \"x\"; use on or off"),
      in_location("msie_refresh x;",
                  "t:1:35: error: msie_refresh: invalid value \"x\"; use on or off"),
      in_location("rewrite_log x;",
                  "t:1:34: error: rewrite_log: invalid value \"x\"; use on or off"),
      in_location("uninitialized_variable_warn x;",
                  "t:1:50: error: uninitialized_variable_warn: invalid value \"x\"; use on or off"),
      in_location("log_subrequest x;",
                  "t:1:37: error: log_subrequest: invalid value \"x\"; use on or off"),
  });
}

TEST_CASE("clients: mistakes") {
  check({
      in_location(
          "client_body_in_file_only maybe;",
          "t:1:47: error: client_body_in_file_only: invalid value \"maybe\"; use off, on or clean"),
      in_location("client_body_temp_path /x 0;",
                  "t:1:47: error: client_body_temp_path: invalid number \"0\"; it must be from 1 "
                  "to 2147483647"),
      in_location(
          "client_body_temp_path /x 9 9;",
          "t:1:47: error: client_body_temp_path: the levels have more than 10 digits in all"),
      in_location("client_body_temp_path '';",
                  "t:1:44: error: client_body_temp_path: the path is empty; name a folder"),
      in_location(
          "keepalive_disable ie6;",
          "t:1:40: error: keepalive_disable: unknown word \"ie6\"; use none, msie6 or safari"),
      in_location("keepalive_disable msie6 msie6;",
                  "t:1:22: warning: keepalive_disable: \"msie6\" is given twice"),
      in_location("keepalive_min_timeout x;",
                  "t:1:44: error: keepalive_min_timeout: invalid time \"x\"; write 30s or 1h30m"),
      in_location("lingering_close x;",
                  "t:1:38: error: lingering_close: invalid value \"x\"; use off, on or always"),
      in_location("reset_timedout_connection x;",
                  "t:1:48: error: reset_timedout_connection: invalid value \"x\"; use on or off"),
      in_location("chunked_transfer_encoding x;",
                  "t:1:48: error: chunked_transfer_encoding: invalid value \"x\"; use on or off"),
      in_location("limit_rate x;",
                  "t:1:33: error: limit_rate: invalid size \"x\"; write 512, 16k or 1m"),
      in_location("limit_rate $nope;", "t:1:33: error: limit_rate: unknown variable \"nope\""),
      in_location("limit_rate_after x;",
                  "t:1:39: error: limit_rate_after: invalid size \"x\"; write 512, 16k or 1m"),
      {"server { max_headers x; }",
       "t:1:22: error: max_headers: invalid number \"x\"; it must be from 0 to 2147483647"},
      {"server { location / { max_headers 5; } }",
       "t:1:23: error: max_headers: is not allowed in location; it belongs in http, server"},
      in_location("resolver valid=1s;",
                  "t:1:22: error: resolver: no name server is given; write its address"),
      in_location(
          "resolver 127.0.0.1 valid=x;",
          "t:1:41: error: resolver: invalid time \"x\"; write whole seconds or more: 30s or 1h30m"),
      in_location("resolver 127.0.0.1 ipv4=off ipv6=off;",
                  "t:1:22: error: resolver: ipv4 and ipv6 cannot both be off"),
      in_location("resolver 127.0.0.1 ipv4=maybe;",
                  "t:1:41: error: resolver: invalid value \"maybe\" of ipv4; use on or off"),
      in_location("resolver nowhere;",
                  "t:1:31: error: resolver: host \"nowhere\" is not found: no such host; write an "
                  "address, or mend the name"),
      in_location("resolver 127.0.0.1:0;",
                  "t:1:31: error: resolver: invalid name server \"127.0.0.1:0\": invalid port "
                  "\"0\"; it must be from 1 to 65535"),
      in_location(
          "resolver 127.0.0.1 vald=5s;",
          "t:1:41: error: resolver: unknown parameter \"vald=5s\"; did you mean \"valid\"?"),
      in_location("resolver unix:/x;",
                  "t:1:31: error: resolver: invalid name server \"unix:/x\"; write an address"),
      in_location("resolver_timeout x;",
                  "t:1:39: error: resolver_timeout: invalid time \"x\"; write 30s or 1h30m"),
  });
}

TEST_CASE("methods: mistakes") {
  check({
      in_location("limit_except GET { } limit_except PUT { }",
                  "t:1:43: error: limit_except: is duplicate; first at line 1"),
      in_location("limit_except get FETCH { }",
                  "t:1:39: error: limit_except: unknown method \"FETCH\"; write GET, POST, PUT, "
                  "DELETE and so on"),
      in_location("limit_except { }",
                  "t:1:22: error: limit_except: takes at least 1 argument, 0 given"),
      in_location("limit_except GET { gzip on; }",
                  "t:1:41: error: gzip: is not allowed in limit_except; it belongs in http, "
                  "server, location, if (location)"),
      {"server { limit_except GET { } }",
       "t:1:10: error: limit_except: is not allowed in server; it belongs in location"},
      in_location("internal on;", "t:1:22: error: internal: takes 0 arguments, 1 given"),
      {"server { internal; }",
       "t:1:10: error: internal: is not allowed in server; it belongs in location"},
  });
}

TEST_CASE("access: mistakes") {
  check({
      in_location("allow some;",
                  "t:1:28: error: allow: invalid address or network \"some\"; write 10.0.0.1, "
                  "10.0.0.0/8, 2001:db8::/32 or unix:"),
      in_location("deny 10.0.0.0/33;",
                  "t:1:27: error: deny: invalid address or network \"10.0.0.0/33\"; write "
                  "10.0.0.1, 10.0.0.0/8, 2001:db8::/32 or unix:"),
      in_location("deny unix:/x;",
                  "t:1:27: error: deny: invalid address or network \"unix:/x\"; write 10.0.0.1, "
                  "10.0.0.0/8, 2001:db8::/32 or unix:"),
      in_location("satisfy some;",
                  "t:1:30: error: satisfy: invalid value \"some\"; use all or any"),
      in_location("auth_basic $nope;", "t:1:33: error: auth_basic: unknown variable \"nope\""),
      in_location("auth_basic_user_file '';",
                  "t:1:43: error: auth_basic_user_file: the path is empty; name a file"),
      in_location("auth_delay x;",
                  "t:1:33: error: auth_delay: invalid time \"x\"; write 30s or 1h30m"),
      in_location("auth_request /a; auth_request /b;",
                  "t:1:39: error: auth_request: is duplicate; first at line 1"),
      in_location(
          "auth_request_set user 1;",
          "t:1:39: error: auth_request_set: invalid variable name \"user\"; it must begin with $"),
      in_location(
          "auth_request_set $uri 1;",
          "t:1:39: error: auth_request_set: \"$uri\" is a variable of weir; choose another name"),
      in_location("auth_request_set $a $nope;",
                  "t:1:42: error: auth_request_set: unknown variable \"nope\""),
  });
}

TEST_CASE("limits: mistakes") {
  check({
      {"limit_req_zone $host zone=a:1m rate=0r/s;",
       "t:1:32: error: limit_req_zone: invalid rate \"0r/s\"; write 10r/s or 30r/m"},
      {"limit_req_zone $host zone=a:1m rate=xr/s;",
       "t:1:32: error: limit_req_zone: invalid rate \"xr/s\"; write 10r/s or 30r/m"},
      {"limit_req_zone $host zone=a rate=1r/s;",
       "t:1:22: error: limit_req_zone: invalid zone \"a\"; write zone=NAME:SIZE"},
      {"limit_req_zone $host zone=a:1k rate=1r/s;",
       "t:1:22: error: limit_req_zone: the zone is too small; 32k is the least"},
      {"limit_req_zone $host zone=a:x rate=1r/s;",
       "t:1:22: error: limit_req_zone: invalid size \"x\"; write 512, 16k or 1m"},
      {"limit_req_zone $host rate=1r/s rate=2r/s;",
       "t:1:1: warning: limit_req_zone: parameter \"rate\" is given twice\nt:1:1: error: "
       "limit_req_zone: the zone is missing; write zone=NAME:SIZE"},
      {"limit_req_zone $host zone=a:1m rte=1r/s;",
       "t:1:32: error: limit_req_zone: unknown parameter \"rte=1r/s\"; did you mean \"rate\"?"},
      {"limit_req_zone $host zone=a:1m rate=1r/s; limit_conn_zone $host zone=a:1m;",
       "t:1:43: error: limit_conn_zone: zone \"a\" is there already, at t:1:1; choose another "
       "name"},
      {"limit_req_zone $nope zone=a:1m rate=1r/s;",
       "t:1:16: error: limit_req_zone: unknown variable \"nope\""},
      {"limit_conn_zone $host;", "t:1:1: error: limit_conn_zone: takes 2 arguments, 1 given"},
      {"limit_conn_zone $host zone=a:1m; server { limit_req zone=a; limit_conn b 1; }",
       "t:1:53: error: limit_req: zone \"a\" is not one of limit_req_zone\nt:1:72: error: "
       "limit_conn: unknown zone \"b\"; make it with limit_conn_zone"},
      {"limit_conn_zone $host zone=a:1m; server { limit_conn a 0; limit_conn a 1; limit_conn a "
       "65536; limit_conn a 2; }",
       "t:1:56: error: limit_conn: invalid number \"0\"; it must be from 1 to 65535\nt:1:88: "
       "error: limit_conn: invalid number \"65536\"; it must be from 1 to 65535\nt:1:95: error: "
       "limit_conn: the zone has a limit in this block already"},
      {"limit_req_zone $host zone=a:1m rate=1r/s; server { limit_req zone=a burst=0; limit_req "
       "zone=a delay=x; limit_req burst=5; limit_req zone=a; limit_req zone=a nodelay; limit_req "
       "zone=a brst=1; }",
       "t:1:69: error: limit_req: invalid number \"0\"; it must be from 1 to 2147483647\nt:1:95: "
       "error: limit_req: invalid number \"x\"; it must be from 1 to 2147483647\nt:1:104: error: "
       "limit_req: the zone is missing; write zone=NAME\nt:1:141: error: limit_req: the zone has a "
       "limit in this block already\nt:1:184: error: limit_req: unknown parameter \"brst=1\"; did "
       "you mean \"burst\"?\nt:1:167: error: limit_req: the zone has a limit in this block "
       "already"},
      in_location(
          "limit_req_status 399;",
          "t:1:39: error: limit_req_status: invalid number \"399\"; it must be from 400 to 599"),
      in_location(
          "limit_conn_status 600;",
          "t:1:40: error: limit_conn_status: invalid number \"600\"; it must be from 400 to 599"),
      in_location("limit_req_log_level debug;",
                  "t:1:42: error: limit_req_log_level: invalid value \"debug\"; use info, notice, "
                  "warn or error"),
      in_location("limit_conn_log_level crit;",
                  "t:1:43: error: limit_conn_log_level: invalid value \"crit\"; use info, notice, "
                  "warn or error"),
      in_location("limit_req_dry_run x;",
                  "t:1:40: error: limit_req_dry_run: invalid value \"x\"; use on or off"),
      in_location("limit_conn_dry_run x;",
                  "t:1:41: error: limit_conn_dry_run: invalid value \"x\"; use on or off"),
  });
}

TEST_CASE("links and referers: mistakes") {
  check({
      in_location("secure_link $nope;", "t:1:34: error: secure_link: unknown variable \"nope\""),
      in_location("secure_link_md5 $nope;",
                  "t:1:38: error: secure_link_md5: unknown variable \"nope\""),
      in_location("secure_link_secret '';",
                  "t:1:41: error: secure_link_secret: the word is empty; write one"),
      in_location("secure_link_secret a; secure_link $arg_a;",
                  "t:1:44: error: secure_link: secure_link_secret does not go with secure_link and "
                  "secure_link_md5; keep one kind"),
      in_location("valid_referers a..b;",
                  "t:1:37: error: valid_referers: invalid host \"a..b\"; write example.org, "
                  "*.example.org, www.* or ~regex"),
      in_location("valid_referers ~;",
                  "t:1:37: error: valid_referers: the regular expression is empty"),
      in_location("valid_referers ~(;",
                  "t:1:37: error: valid_referers: invalid regular expression \"(\": missing "
                  "closing parenthesis at offset 1"),
      in_location("valid_referers a.org A.org/x;",
                  "t:1:43: error: valid_referers: host \"a.org\" is named twice"),
      in_location(
          "valid_referers none;",
          "t:1:10: error: valid_referers: none and blocked need the name of a host beside them"),
      in_location(
          "valid_referers none blocked ~x;",
          "t:1:10: error: valid_referers: none and blocked need the name of a host beside them"),
      {"valid_referers none a.org;",
       "t:1:1: error: valid_referers: is not allowed in main, http; it belongs in server, "
       "location"},
  });
}

TEST_CASE("fields: mistakes") {
  check({
      in_location("add_header a;", "t:1:22: error: add_header: takes 2 to 3 arguments, 1 given"),
      in_location("add_header \"a b\" c;", "t:1:33: error: add_header: invalid field name \"a b\""),
      in_location("add_header a b sometimes;",
                  "t:1:37: error: add_header: unknown parameter \"sometimes\""),
      in_location(
          "add_header_inherit some;",
          "t:1:41: error: add_header_inherit: invalid value \"some\"; use on, off or merge"),
      in_location("add_trailer a b never;",
                  "t:1:38: error: add_trailer: unknown parameter \"never\""),
      in_location("add_trailer_inherit x;",
                  "t:1:42: error: add_trailer_inherit: invalid value \"x\"; use on, off or merge"),
      in_location("expires soon;",
                  "t:1:30: error: expires: invalid time \"soon\"; write 30d, -1, @15h30m, epoch, "
                  "max or off"),
      in_location("expires 1h 2h;",
                  "t:1:30: error: expires: invalid value \"1h\"; only modified stands first"),
      in_location("expires modified max;",
                  "t:1:39: error: expires: invalid time \"max\"; write 30d, -1, @15h30m, epoch, "
                  "max or off"),
      in_location("expires modified @1h;",
                  "t:1:39: error: expires: a time of day does not go with \"modified\""),
      in_location("expires @25h;", "t:1:30: error: expires: a time of day is not after 24h"),
      in_location("expires 500ms;",
                  "t:1:30: error: expires: invalid time \"500ms\"; write 30d, -1, @15h30m, epoch, "
                  "max or off"),
  });
}
