#include "config/directives.h"

#include <array>
#include <unordered_map>

#include "config/directive_rows.h"
#include "config/handlers.h"

namespace weir::config {
namespace {

constexpr std::uint32_t M = in_main, H = in_http, S = in_server, L = in_location, U = in_upstream;
constexpr std::uint32_t HSL = H | S | L;
constexpr std::uint32_t kEnd = kMany;
using Set = Settings;

// {name, contexts, fewest and most arguments, flags, handler, default, help, ...}
constexpr DirectiveInfo kRows[] = {
    // ---- main
    {"user", M, 1, 2, 0, compile_user, "", "account of the serving process"},
    {"worker_processes", M, 1, 1, 0, compile_worker_processes, "1 (YAML: auto)",
     "number of worker threads; auto: one a core"},
    {"worker_rlimit_nofile", M, 1, 1, 0, compile_worker_rlimit_nofile, "",
     "limit of open files of the process"},
    {"worker_shutdown_timeout", M, 1, 1, 0, compile_worker_shutdown_timeout, "",
     "longest wait for connections at a graceful end"},
    {"pid", M, 1, 1, 0, compile_pid, "", "file that holds the number of the main process"},
    {"defaults", M, 1, 1, kOwn, compile_defaults, "nginx (YAML: careful)",
     "which defaults hold: nginx's own (nginx) or those of weir's YAML (careful)"},
    {"events",
     M,
     0,
     0,
     kBlock,
     compile_block,
     "",
     "settings of connections",
     {},
     {},
     {},
     in_events},
    {"worker_connections", in_events, 1, 1, 0, compile_worker_connections, "as many as fit",
     "most connections of a worker"},
    {"http",
     M,
     0,
     0,
     kBlock,
     compile_http,
     "",
     "HTTP settings; what stands in it may also stand at the top level",
     {},
     {},
     {},
     in_http},
    {"admin",
     M,
     0,
     0,
     kBlock | kOwn,
     compile_admin,
     "off",
     "the listener of metrics, health and state",
     {},
     {},
     {},
     in_admin},
    {"error_log",
     M | HSL,
     1,
     2,
     kRepeats,
     compile_error_log,
     "stderr error",
     "file and least level of messages",
     {},
     "path level"},

    // ---- upstream
    {"upstream",
     H,
     1,
     1,
     kBlock | kRepeats | kNamed,
     compile_upstream,
     "",
     "a group of peers",
     {},
     {},
     "upstreams",
     in_upstream},
    {"server", U, 1, kEnd, kRepeats, compile_peer, "", "a peer: address and parameters",
     "weight= max_fails= fail_timeout= max_conns= backup down !resolve !route= !slow_start= "
     "!service= !drain",
     "address", "servers"},
    {"balance", U, 1, 1, kOwn, compile_balance, "round_robin",
     "method of choice: round_robin or ip_hash"},
    {"ip_hash", U, 0, 0, kRepeats, compile_ip_hash, "",
     "a client stays with a peer, by its address"},
    {"keepalive", U, 1, 2, 0, compile_keepalive, "32",
     "idle connections kept to the peers, for each worker; 0: none", "local", "connections"},
    {"keepalive_requests", U, 1, 1, 0, compile_upstream_keepalive_requests, "1000",
     "most requests over one connection to a peer"},
    {"keepalive_time", U, 1, 1, 0, compile_upstream_keepalive_time, "1h",
     "age at which a connection to a peer is closed"},
    {"keepalive_timeout", U, 1, 1, 0, compile_upstream_keepalive_timeout, "60s",
     "how long an idle connection to a peer is kept"},
    {"health_check", L | U, 0, kEnd, 0, compile_health_check, "off (YAML: on, type=tcp)",
     "active checks of the peers of the upstream",
     "off interval= jitter= timeout= fast= fails= passes= uri= host= port= match= status= "
     "type= mandatory persistent keepalive_time="},
    {"match",
     H,
     1,
     1,
     kBlock | kRepeats | kNamed,
     compile_match,
     "",
     "what answer to a health check is good",
     {},
     {},
     "matches",
     in_match},
    {"status", in_match, 1, kEnd, kList, compile_match_status, "200-399",
     "status codes and ranges; with ! before them: any but these"},

    // ---- server
    {"server",
     H,
     0,
     0,
     kBlock | kRepeats,
     compile_server,
     "",
     "a virtual server",
     {},
     {},
     "servers",
     in_server},
    {"listen", S | in_admin, 1, kEnd, kRepeats, compile_listen, "80",
     "address, port or unix:PATH to accept connections on",
     "default_server default backlog= rcvbuf= sndbuf= reuseport deferred bind ipv6only= "
     "so_keepalive= fastopen= !ssl !http2 !spdy !quic !proxy_protocol !setfib= !accept_filter= "
     "!multipath",
     "address"},
    {"server_name", S, 1, kEnd, kRepeats | kList, compile_server_name, "\"\"",
     "names: exact, *.example.org, www.*, .example.org, ~regex"},
    {"client_header_timeout", H | S, 1, 1, 0, set_time<&Set::client_header_timeout>,
     "60s (YAML: 10s)", "time for a whole request head"},
    {"client_header_buffer_size", H | S, 1, 1, 0, set_size<&Set::client_header_buffer_size>, "1k",
     "raises large_client_header_buffers if greater"},
    {"large_client_header_buffers", H | S, 2, 2, 0, compile_large_client_header_buffers, "2 16k",
     "COUNT SIZE: a line of the head holds SIZE bytes, the head COUNT * SIZE"},
    {"ignore_invalid_headers", H | S, 1, 1, kFlag, set_flag<&Set::ignore_invalid_headers>, "on",
     "drop fields with invalid names; off: answer 400"},
    {"underscores_in_headers", H | S, 1, 1, kFlag, set_flag<&Set::underscores_in_headers>, "off",
     "names of fields may have underscores"},
    {"merge_slashes", H | S, 1, 1, kFlag, set_flag<&Set::merge_slashes>, "on",
     "// in a path is taken as /"},

    // ---- location
    {"location",
     S | L,
     1,
     2,
     kBlock | kRepeats,
     compile_location,
     "",
     "settings for paths: prefix, =, ^~, ~, ~* or @name",
     {},
     {},
     "locations",
     in_location},
    {"return",
     S | L,
     1,
     2,
     kRepeats | kRest,
     compile_return,
     "",
     "answer with CODE, CODE TEXT, CODE URL or URL",
     {},
     "status text|url"},

    // ---- proxy
    {"proxy_pass", L, 1, 1, 0, compile_proxy_pass, "",
     "send requests to http://UPSTREAM, http://HOST:PORT or http://unix:PATH:, with a URI or not"},
    {"proxy_set_header", HSL, 2, 2, kRepeats | kPairs, compile_proxy_set_header,
     "Host $proxy_host, Connection \"\"", "field of the request to the peer; empty: none"},
    {"proxy_http_version", HSL, 1, 1, 0, compile_proxy_http_version, "1.1",
     "1.0 or 1.1 towards the peer"},
    {"proxy_next_upstream", HSL, 1, kEnd, kList, compile_proxy_next_upstream, "error timeout",
     "what makes a request go to the next peer"},
    {"proxy_next_upstream_tries", HSL, 1, 1, 0, set_number<&Set::proxy_next_upstream_tries>, "0",
     "most peers tried for a request; 0: all"},
    {"proxy_next_upstream_timeout", HSL, 1, 1, 0, set_time<&Set::proxy_next_upstream_timeout>, "0",
     "no further peer is tried after this time; 0: none"},
    {"proxy_connect_timeout", HSL, 1, 1, 0, set_time<&Set::proxy_connect_timeout>, "60s (YAML: 2s)",
     "time to connect to a peer"},
    {"proxy_send_timeout", HSL, 1, 1, 0, set_time<&Set::proxy_send_timeout>, "60s",
     "longest wait between two writes to the peer"},
    {"proxy_read_timeout", HSL, 1, 1, 0, set_time<&Set::proxy_read_timeout>, "60s",
     "longest wait between two reads from the peer"},
    {"proxy_tunnel_timeout", HSL, 1, 1, kOwn, set_time<&Set::proxy_tunnel_timeout>,
     "proxy_read_timeout (YAML: 1h)", "a tunnel (WebSocket) without traffic is ended after this"},
    {"proxy_buffering", HSL, 1, 1, kFlag, set_flag<&Set::proxy_buffering>, "on (YAML: off)",
     "read answers ahead of the client"},
    {"proxy_request_buffering", HSL, 1, 1, kFlag, set_flag<&Set::proxy_request_buffering>,
     "on (YAML: off)", "read the whole body of a request before a peer is chosen"},
    {"proxy_buffer_size", HSL, 1, 1, 0, set_size<&Set::proxy_buffer_size>, "64k",
     "greatest head of an answer; less than 64k is taken as 64k"},
    {"proxy_retry_body_size", HSL, 1, 1, kOwn, set_size<&Set::proxy_retry_body_size>, "64k",
     "bytes of a streamed body kept for another try"},
    {"proxy_redirect", HSL, 1, 2, 0, compile_proxy_redirect, "default",
     "default: a Location that names the upstream is turned to the client's address; off: not"},
    {"proxy_hide_header", HSL, 1, 1, kRepeats, compile_proxy_hide_header, "",
     "field of the answer that the client does not get"},
    {"proxy_pass_header", HSL, 1, 1, kRepeats, compile_proxy_pass_header, "",
     "field that the client gets though it is hidden by default"},

    // ---- client side
    {"add_header", HSL, 2, 3, kRepeats | kPairs, compile_add_header, "",
     "field added to answers of status 200, 201, 204, 206, 301-304, 307, 308; always: to all",
     "always", "name value"},
    {"client_max_body_size", HSL, 1, 1, 0, set_size<&Set::client_max_body_size>, "1m (YAML: 1g)",
     "greatest body of a request; 0: any"},
    {"client_body_buffer_size", HSL, 1, 1, 0, set_size<&Set::client_body_buffer_size>, "16k",
     "body bytes kept in memory"},
    {"client_body_timeout", HSL, 1, 1, 0, set_time<&Set::client_body_timeout>, "60s",
     "longest wait between two reads of a body"},
    {"client_body_min_rate", HSL, 1, 1, kOwn, set_number<&Set::client_body_min_rate>, "240",
     "bytes a second that a body must come with after its first 10 s; 0: any"},
    {"send_timeout", HSL, 1, 1, 0, set_time<&Set::send_timeout>, "60s",
     "longest wait between two writes to the client"},
    {"keepalive_timeout", HSL, 1, 2, 0, compile_keepalive_timeout, "75s",
     "how long an idle client connection is kept; second: Keep-Alive field to the client"},
    {"keepalive_requests", HSL, 1, 1, 0, set_number<&Set::keepalive_requests>, "1000",
     "most requests over one client connection"},
    {"keepalive_time", HSL, 1, 1, 0, set_time<&Set::keepalive_time>, "1h",
     "age at which a client connection is closed"},
    {"lingering_time", HSL, 1, 1, 0, set_time<&Set::lingering_time>, "30s",
     "how long an unwanted body is read and dropped"},
    {"lingering_timeout", HSL, 1, 1, 0, set_time<&Set::lingering_timeout>, "5s",
     "longest wait for more of an unwanted body"},
    {"set_real_ip_from", HSL, 1, 1, kRepeats, compile_set_real_ip_from, "",
     "address or network whose statement of the client's address is believed"},
    {"real_ip_header", HSL, 1, 1, 0, compile_real_ip_header, "X-Real-IP",
     "field that states the client's address"},
    {"real_ip_recursive", HSL, 1, 1, kFlag, set_flag<&Set::real_ip_recursive>, "off",
     "skip all trusted addresses of the field, from its end"},
    {"default_type", HSL, 1, 1, 0, compile_default_type, "text/plain",
     "Content-Type of answers of weir's own"},
    {"server_tokens", HSL, 1, 1, 0, compile_server_tokens, "on",
     "name the version in answers: on, off, build"},
    {"log_not_found", HSL, 1, 1, kFlag, set_flag<&Set::log_not_found>, "on",
     "log requests for what is not there"},
    {"types",
     HSL,
     0,
     0,
     kBlock | kRepeats | kEntries,
     accept,
     "",
     "types of files; no files are served yet",
     {},
     {},
     {},
     in_types},

    // ---- map
    {"map",
     H,
     2,
     2,
     kBlock | kRepeats | kEntries,
     compile_map,
     "",
     "a variable whose value depends on another's",
     {},
     {},
     "maps",
     in_map},
    {"default", in_map, 1, 1, 0, nullptr, "\"\"", "value if nothing matches"},
    {"hostnames", in_map, 0, 0, 0, nullptr, "", "keys are host names, with wildcards"},
    {"volatile", in_map, 0, 0, 0, nullptr, "", "the value is worked out anew each time"},

    // ---- logs
    {"access_log", HSL, 1, kEnd, kRepeats, compile_access_log, "off", "PATH [FORMAT] or off",
     "off buffer= flush= if= !gzip=?", "path format"},
    {"log_format",
     H,
     2,
     kEnd,
     kRepeats | kPairs,
     compile_log_format,
     "combined",
     "NAME and text of a format",
     "escape=",
     {},
     "log_formats"},
};

struct Index {
  std::vector<DirectiveInfo> rows;
  std::unordered_multimap<std::string_view, const DirectiveInfo*> by_name;
};

void add_accepted(std::vector<DirectiveInfo>& rows) {
  for (const auto& group : accepted_directives()) {
    for (const auto name : split_words(group.names)) {
      DirectiveInfo info;
      info.name = name;
      info.contexts = group.contexts;
      info.max_args = kMany;
      info.flags = kRepeats;
      info.handler = group.only.empty() ? accept : accept_only;
      info.default_text = group.only;
      info.help = group.note;
      info.support = Support::accepted;
      rows.push_back(info);
    }
  }
}

const Index& table() {
  static const Index index = [] {
    Index made;
    made.rows.assign(std::begin(kRows), std::end(kRows));
    add_accepted(made.rows);
    for (const auto& row : made.rows) made.by_name.emplace(row.name, &row);
    return made;
  }();
  return index;
}

}  // namespace

std::span<const DirectiveInfo> directive_table() { return table().rows; }

const DirectiveInfo* find_directive(std::string_view name, std::uint32_t contexts) {
  const auto [from, to] = table().by_name.equal_range(name);
  for (auto it = from; it != to; ++it) {
    if ((it->second->contexts & contexts) != 0) return it->second;
  }
  return nullptr;
}

std::uint32_t contexts_of(std::string_view name) {
  std::uint32_t contexts = 0;
  const auto [from, to] = table().by_name.equal_range(name);
  for (auto it = from; it != to; ++it) contexts |= it->second->contexts;
  return contexts;
}

const DirectiveInfo* find_collection(std::string_view name, std::uint32_t contexts) {
  for (const auto& row : table().rows) {
    if (row.yaml_name == name && (row.contexts & contexts) != 0) return &row;
  }
  return nullptr;
}

std::string_view unsupported_advice(std::string_view name) {
  static const auto index = [] {
    std::unordered_map<std::string_view, std::string_view> made;
    for (const auto& group : unsupported_directives()) {
      for (const auto word : split_words(group.names)) made.emplace(word, group.note);
    }
    return made;
  }();
  const auto found = index.find(name);
  return found == index.end() ? std::string_view{} : found->second;
}

std::string context_names(std::uint32_t contexts) {
  static constexpr std::array<std::string_view, 10> kNames = {
      "main", "events", "http", "server", "location", "upstream", "map", "match", "types", "admin"};
  std::string out;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if ((contexts >> i & 1u) == 0) continue;
    if (!out.empty()) out += ", ";
    out += kNames[i];
  }
  return out;
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const auto from = text.find_first_not_of(" \t\r\n");
    if (from == std::string_view::npos) return words;
    text.remove_prefix(from);
    const auto size = std::min(text.find_first_of(" \t\r\n"), text.size());
    words.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
}

}  // namespace weir::config
