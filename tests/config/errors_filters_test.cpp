// What the operator is told about filters, proxying and blocks that make variables.
#include "mistakes.h"

using namespace weir::config::testing;

TEST_CASE("compression: mistakes") {
  check({
      in_location("gzip_comp_level 10;",
                  "t:1:38: error: gzip_comp_level: invalid number \"10\"; it must be from 1 to 9"),
      in_location("gzip_min_length x;",
                  "t:1:38: error: gzip_min_length: invalid size \"x\"; write 512, 16k or 1m"),
      in_location("gzip_http_version 2;",
                  "t:1:40: error: gzip_http_version: invalid value \"2\"; use 1.0 or 1.1"),
      in_location("gzip_proxied sometimes;",
                  "t:1:35: error: gzip_proxied: unknown word \"sometimes\"; use off, expired, "
                  "no-cache, no-store, private, no_last_modified, no_etag, auth or any"),
      in_location("gzip_types text/css text/html;",
                  "t:1:22: warning: gzip_types: type \"text/html\" is there already; it always is"),
      in_location("gzip_disable (;",
                  "t:1:35: error: gzip_disable: invalid regular expression \"(\": missing closing "
                  "parenthesis at offset 1"),
      in_location(
          "gzip_window 3k;",
          "t:1:34: error: gzip_window: must be 512, 1k, 2k and so on up to 32k, a power of 2"),
      in_location(
          "gzip_hash 256;",
          "t:1:32: error: gzip_hash: must be 512, 1k, 2k and so on up to 128k, a power of 2"),
      in_location("gunzip x;", "t:1:29: error: gunzip: invalid value \"x\"; use on or off"),
      in_location("brotli x;", "t:1:29: error: brotli: invalid value \"x\"; use on or off"),
      in_location(
          "brotli_comp_level 12;",
          "t:1:40: error: brotli_comp_level: invalid number \"12\"; it must be from 0 to 11"),
      in_location("zstd_comp_level 0;",
                  "t:1:38: error: zstd_comp_level: invalid number \"0\"; it must be from 1 to 22"),
  });
}

TEST_CASE("texts and requests beside: mistakes") {
  check({
      in_location("charset $nope;", "t:1:30: error: charset: unknown variable \"nope\""),
      in_location(
          "charset $host$uri;",
          "t:1:30: error: charset: one variable or a name is wanted, not a text with variables"),
      in_location("charset utf-8; source_charset koi8-r;",
                  "t:1:10: error: charset: there is no charset_map between \"koi8-r\" and "
                  "\"utf-8\"; write one"),
      in_location("override_charset x;",
                  "t:1:39: error: override_charset: invalid value \"x\"; use on or off"),
      in_location("sub_filter '' x;", "t:1:33: error: sub_filter: the text to look for is empty"),
      in_location("sub_filter a $nope;", "t:1:35: error: sub_filter: unknown variable \"nope\""),
      in_location("sub_filter_once x;",
                  "t:1:38: error: sub_filter_once: invalid value \"x\"; use on or off"),
      in_location("ssi_value_length x;",
                  "t:1:39: error: ssi_value_length: invalid size \"x\"; write 512, 16k or 1m"),
      in_location("mirror off; mirror /a;",
                  "t:1:34: error: mirror: \"off\" stands alone in a block; keep one kind"),
      in_location("mirror /a; mirror off;",
                  "t:1:33: error: mirror: \"off\" stands alone in a block; keep one kind"),
      in_location("mirror_request_body x;",
                  "t:1:42: error: mirror_request_body: invalid value \"x\"; use on or off"),
  });
}

TEST_CASE("charset maps: mistakes") {
  check({
      {"charset_map utf-8 a { }",
       "t:1:13: error: charset_map: utf-8 must be the second one: charset_map a utf-8"},
      {"charset_map a A { }", "t:1:15: error: charset_map: both charsets are the same"},
      {"charset_map a b { } charset_map b a { }",
       "t:1:21: error: charset_map: there is a map between these charsets, at t:1:1"},
      {"charset_map a b { 100 1; xx 1; 1 yy; 1; 1 2 3; }",
       "t:1:19: error: 100: is not a byte in hexadecimal\nt:1:26: error: xx: is not a byte in "
       "hexadecimal\nt:1:34: error: 1: is not a byte in hexadecimal: \"yy\"\nt:1:38: error: 1: an "
       "entry is BYTE BYTE;, in hexadecimal\nt:1:41: error: 1: an entry is BYTE BYTE;, in "
       "hexadecimal"},
      {"charset_map a utf-8 { 80 FF; 81 D0; 82 D0B; 83 F09F9880; 84 C0AF; }",
       "t:1:26: error: 80: is not the UTF-8 form of a character, in hexadecimal: \"FF\"\nt:1:33: "
       "error: 81: is not the UTF-8 form of a character, in hexadecimal: \"D0\"\nt:1:40: error: "
       "82: is not the UTF-8 form of a character, in hexadecimal: \"D0B\"\nt:1:48: error: 83: is "
       "not the UTF-8 form of a character, in hexadecimal: \"F09F9880\"\nt:1:61: error: 84: is not "
       "the UTF-8 form of a character, in hexadecimal: \"C0AF\""},
  });
}

TEST_CASE("requests to peers: mistakes") {
  check({
      in_location("proxy_set_body $nope;",
                  "t:1:37: error: proxy_set_body: unknown variable \"nope\""),
      in_location("proxy_method $nope;", "t:1:35: error: proxy_method: unknown variable \"nope\""),
      in_location("proxy_bind nowhere;",
                  "t:1:33: error: proxy_bind: invalid address \"nowhere\"; write an address of "
                  "this machine, with a port or without"),
      in_location(
          "proxy_bind 127.0.0.1 clear;",
          "t:1:43: error: proxy_bind: unknown parameter \"clear\"; the only one is transparent"),
      in_location("proxy_bind unix:/x;",
                  "t:1:33: error: proxy_bind: invalid address \"unix:/x\"; write an address of "
                  "this machine, with a port or without"),
      in_location("proxy_buffers 1 4k;",
                  "t:1:36: error: proxy_buffers: there must be at least 2 buffers"),
      in_location(
          "proxy_buffers 0 4k;",
          "t:1:36: error: proxy_buffers: invalid number \"0\"; it must be from 1 to 1048576"),
      in_location("proxy_buffers 8 0;", "t:1:38: error: proxy_buffers: a buffer must have a size"),
      in_location("proxy_buffers 8;", "t:1:22: error: proxy_buffers: takes 2 arguments, 1 given"),
      in_location(
          "proxy_busy_buffers_size x;",
          "t:1:46: error: proxy_busy_buffers_size: invalid size \"x\"; write 512, 16k or 1m"),
      in_location(
          "proxy_max_temp_file_size x;",
          "t:1:47: error: proxy_max_temp_file_size: invalid size \"x\"; write 512, 16k or 1m"),
      in_location("proxy_temp_path /x 1 2 3 4;",
                  "t:1:22: error: proxy_temp_path: takes 1 to 4 arguments, 5 given"),
      in_location("proxy_limit_rate x;",
                  "t:1:39: error: proxy_limit_rate: invalid size \"x\"; write 512, 16k or 1m"),
  });
}

TEST_CASE("answers of peers: mistakes") {
  check({
      in_location("proxy_ignore_headers X-Acel-Redirect;",
                  "t:1:43: error: proxy_ignore_headers: unknown word \"X-Acel-Redirect\"; did you "
                  "mean \"X-Accel-Redirect\"?"),
      in_location("proxy_next_upstream http_505;",
                  "t:1:42: error: proxy_next_upstream: unknown word \"http_505\"; did you mean "
                  "\"http_500\"?"),
      in_location(
          "proxy_redirect a;",
          "t:1:37: error: proxy_redirect: invalid value \"a\"; write default, off or FROM TO"),
      in_location("proxy_redirect off; proxy_redirect default;",
                  "t:1:42: error: proxy_redirect: there is an \"off\" in this block already; keep "
                  "one of them"),
      in_location(
          "proxy_redirect /a /b; proxy_redirect off;",
          "t:1:44: error: proxy_redirect: there are others in this block already; keep one kind"),
      in_location("proxy_redirect default;",
                  "t:1:10: error: proxy_redirect: default needs a proxy_pass in the same block; "
                  "leave it out, it holds without being written"),
      in_location("proxy_pass http://$host; proxy_redirect default;",
                  "t:1:10: error: proxy_redirect: default does not go with variables in "
                  "proxy_pass; write FROM TO, or off"),
      in_location("proxy_redirect ~( x;",
                  "t:1:37: error: proxy_redirect: invalid regular expression \"(\": missing "
                  "closing parenthesis at offset 1"),
      in_location(
          "proxy_cookie_domain a;",
          "t:1:42: error: proxy_cookie_domain: invalid value \"a\"; write off, or two words"),
      in_location("proxy_cookie_path off; proxy_cookie_path /a /b;",
                  "t:1:45: error: proxy_cookie_path: there is an \"off\" in this block already; "
                  "keep one of them"),
      in_location("proxy_cookie_path /a /b; proxy_cookie_path off;",
                  "t:1:47: error: proxy_cookie_path: there are others in this block already; keep "
                  "one kind"),
      in_location("proxy_cookie_path ~( /;",
                  "t:1:40: error: proxy_cookie_path: invalid regular expression \"(\": missing "
                  "closing parenthesis at offset 1"),
      in_location(
          "proxy_cookie_flags one;",
          "t:1:41: error: proxy_cookie_flags: invalid value \"one\"; write off, or two words"),
      in_location("proxy_cookie_flags one secre;",
                  "t:1:22: warning: proxy_cookie_flags: flag \"secre\" is not known and has no "
                  "effect; known are secure, httponly, samesite=strict, samesite=lax, "
                  "samesite=none and their no-forms"),
      in_location("proxy_store '';",
                  "t:1:34: error: proxy_store: the path is empty; use on, off or a path"),
      in_location("proxy_store_access user:x;",
                  "t:1:41: error: proxy_store_access: invalid rights \"user:x\"; write user:rw "
                  "group:r all:r"),
      in_location(
          "proxy_store_access rw;",
          "t:1:41: error: proxy_store_access: invalid rights \"rw\"; write user:rw group:r all:r"),
      in_location("proxy_http_version 3;",
                  "t:1:41: error: proxy_http_version: invalid version \"3\"; use 1.0, 1.1 or 2"),
      in_location("proxy_cache one; location /b { proxy_cache two; proxy_cache off; }",
                  "t:1:22: warning: proxy_cache: answers are not cached; requests go to the nodes "
                  "each time\nt:1:70: error: proxy_cache: is duplicate; first at line 1"),
      {"proxy_cache_path /x levels=1:2;",
       "t:1:1: error: proxy_cache_path: keys_zone=NAME:SIZE is missing"},
      {"proxy_cache_path /x keys_zone=a:1m; server { }", ""},
      in_location("early_hints $nope;", "t:1:34: error: early_hints: unknown variable \"nope\""),
      in_location("proxy_pass '';",
                  "t:1:33: error: proxy_pass: the URL is empty; write http://HOST"),
  });
}

TEST_CASE("geo: mistakes") {
  check({
      {"geo $a { 10.0.0.0/40 x; }",
       "t:1:10: error: 10.0.0.0/40: invalid address or network \"10.0.0.0/40\"; write 10.0.0.1, "
       "10.0.0.0/8, 2001:db8::/32 or unix:"},
      {"geo a { }", "t:1:5: error: geo: invalid variable name \"a\"; it must begin with $"},
      {"geo b $a { }", "t:1:5: error: geo: invalid variable name \"b\"; it must begin with $"},
      {"geo $uri { }", "t:1:5: error: geo: $uri is a variable of weir; choose another name"},
      {"geo $a { x; } geo $a { }",
       "t:1:10: error: x: an entry of a geo is NETWORK VALUE; or FROM-TO VALUE;\nt:1:15: warning: "
       "geo: $a has a geo already, at t:1:1; this one holds"},
      {"geo $a { unix: x; 10.0.0.0/8 { } }",
       "t:1:10: error: unix:: a network is wanted, not unix:\nt:1:19: error: 10.0.0.0/8: takes no "
       "block; end it with \";\""},
      {"geo $a { 10.0.0.1/8 x; 10.0.0.0/8 y; default a; default b; delete 11.0.0.0/8; } server { }",
       "t:1:10: warning: 10.0.0.1/8: low bits of the address \"10.0.0.1/8\" mean nothing; write "
       "10.0.0.0/8\nt:1:24: warning: 10.0.0.0/8: is duplicate in this geo; this one holds\nt:1:49: "
       "warning: default: is duplicate in this geo; this one holds\nt:1:60: warning: delete: there "
       "is no network 11.0.0.0/8 to delete"},
      {"geo $a { ranges; 10.0.0.0/8 x; 10.0.0.9-10.0.0.1 y; 10.0.0.1 z; }",
       "t:1:18: error: 10.0.0.0/8: invalid range \"10.0.0.0/8\"; write 10.0.0.1-10.0.0.9\nt:1:32: "
       "error: 10.0.0.9-10.0.0.1: invalid range \"10.0.0.9-10.0.0.1\"; write "
       "10.0.0.1-10.0.0.9\nt:1:53: error: 10.0.0.1: invalid range \"10.0.0.1\"; write "
       "10.0.0.1-10.0.0.9"},
      {"geo $a { ranges; 10.0.0.0-10.0.0.9 x; 10.0.0.5-10.0.0.15 y; delete 1.0.0.0-1.0.0.1; }",
       "t:1:39: error: 10.0.0.5-10.0.0.15: range \"10.0.0.5-10.0.0.15\" laps over another one; a "
       "range may lie inside another only\nt:1:61: warning: delete: there is no such range to "
       "delete"},
      {"geo $a { 10.0.0.0/8 x; ranges; }", "t:1:24: error: ranges: must come first in the block"},
      {"proxy_redirect default;",
       "t:1:16: error: proxy_redirect: default needs a proxy_pass in the same block; leave it out, "
       "it holds without being written"},
      {"map $host $a { } geo $a { } split_clients $host $a { } server { }",
       "t:1:18: warning: geo: $a has a map already, at t:1:1; this one holds\nt:1:29: warning: "
       "split_clients: $a has a geo already, at t:1:18; this one holds"},
  });
}

TEST_CASE("split_clients: mistakes") {
  check({
      {"split_clients $host $a { 50% x; 60% y; }",
       "t:1:33: error: 60%: the shares are more than 100% in all"},
      {"split_clients $host $a { 0% x; }",
       "t:1:26: error: 0%: invalid share; write 0.5%, 50% or *"},
      {"split_clients $host $a { 1.234% x; }",
       "t:1:26: error: 1.234%: invalid share; write 0.5%, 50% or *"},
      {"split_clients $host $a { half x; }",
       "t:1:26: error: half: invalid share; write 0.5%, 50% or *"},
      {"split_clients $host $a { 50%; }",
       "t:1:26: error: 50%: an entry is PERCENT% VALUE; or * VALUE;"},
      {"split_clients $nope $a { * x; }",
       "t:1:15: error: split_clients: unknown variable \"nope\""},
      {"split_clients $host a { }",
       "t:1:21: error: split_clients: invalid variable name \"a\"; it must begin with $"},
  });
}

TEST_CASE("places: mistakes") {
  check({
      {"server { if ($uri) { gzip on; } }",
       "t:1:22: error: gzip: is not allowed in if (server); it belongs in http, server, location, "
       "if (location)"},
      in_location("if ($uri) { proxy_set_header a b; }",
                  "t:1:34: error: proxy_set_header: is not allowed in if (location); it belongs in "
                  "http, server, location"),
      {"js_import x; upstream a { server b; check interval=1; } server { more_set_headers 'a: b'; "
       "echo x; }",
       "t:1:1: error: js_import: nginx has this directive, weir will not have it; use `map`, `set` "
       "and `rewrite` where they will do\nt:1:37: error: check: is a directive of a third-party "
       "module; use health_check in the upstream\nt:1:66: error: more_set_headers: is a directive "
       "of a third-party module; use add_header ... always and proxy_hide_header\nt:1:91: error: "
       "echo: is a directive of a third-party module; use return 200 TEXT"},
      {"tcp_nodelay maybe; types_hash_max_size x; server_names_hash_max_size 512; server { "
       "server_names_hash_max_size 512; } sendfile_max_chunk x; output_buffers 1; "
       "keepalive_disable none none;",
       "t:1:13: error: tcp_nodelay: invalid value \"maybe\"; use on or off\nt:1:40: error: "
       "types_hash_max_size: invalid number \"x\"; it must be from 0 to 2147483647\nt:1:84: error: "
       "server_names_hash_max_size: is not allowed in server; it belongs in http\nt:1:137: error: "
       "sendfile_max_chunk: invalid size \"x\"; write 512, 16k or 1m\nt:1:140: error: "
       "output_buffers: takes 2 arguments, 1 given"},
      {"events { multi_accept maybe; accept_mutex_delay x; }",
       "t:1:23: error: multi_accept: invalid value \"maybe\"; use on or off\nt:1:49: error: "
       "accept_mutex_delay: invalid time \"x\"; write 30s or 1h30m"},
  });
}
