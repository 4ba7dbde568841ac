// Upstreams and what is checked of their peers.
#include "config/directive_rows.h"
#include "config/handlers.h"

namespace weir::config {
namespace {

using namespace rows;

constexpr std::string_view kTests = "! ~ ~* !~ !~* = !=";

constexpr DirectiveInfo kRows[] = {
    {.name = "upstream",
     .contexts = H,
     .min_args = 1,
     .max_args = 1,
     .flags = kBlock | kRepeats | kNamed,
     .handler = compile_upstream,
     .help = "a group of peers",
     .yaml_name = "upstreams",
     .inner = U},
    {.name = "server",
     .contexts = U,
     .min_args = 1,
     .max_args = kMany,
     .flags = kRepeats,
     .handler = compile_peer,
     .help =
         "a peer: address and parameters. With service=, ports, weights and backups come from SRV "
         "records; a weight= other than 1 goes before theirs",
     .parameters = "weight= max_fails= fail_timeout= max_conns= backup down resolve route= "
                   "slow_start= service= drain",
     .positional = "address",
     .yaml_name = "servers"},
    {"balance", U, 1, 4, kOwn, compile_balance, "round_robin",
     "method of choice: round_robin, or one of the following with its arguments"},
    {"ip_hash", U, 0, 1, kRepeats | kList, compile_ip_hash, "",
     "a client stays with a peer, by its address: of IPv4 the first three octets, or with full "
     "(weir's own) all four",
     "full"},
    {"hash", U, 1, 3, kRepeats | kList, compile_hash, "",
     "what has the same key stays with a peer; consistent: most of it also when peers come or go; "
     "bounded= (weir's own): unless the peer has more than so many percent of its share of what is "
     "in progress, as in bounded=125%",
     "consistent bounded=", "key"},
    {"least_conn", U, 0, 0, kRepeats, compile_least_conn, "",
     "the peer with the fewest requests in progress, by its weight"},
    {"random", U, 0, 2, kRepeats | kList, compile_random, "",
     "any peer, by its weight; two: of two the one with fewer requests in progress",
     "two least_conn"},
    {"least_time", U, 1, 2, 0, compile_least_time, "",
     "the peer that will be through soonest, by the mean time to its header or last_byte (in "
     "stream: connect, first_byte or last_byte) and its "
     "requests in progress; inflight: by how long these take, too",
     "header last_byte inflight connect first_byte"},
    {"sticky", U, 2, kMany, kList, compile_sticky, "",
     "a client comes back to the peer it had: by a cookie of weir's, by a route that variables "
     "tell, or by sessions that weir learns",
     "expires= domain= path= samesite= httponly secure", "kind name"},
    {"forget", U, 1, 1, 0, compile_forget, "10m",
     "how long an address that its name does not have any more keeps its place among the peers, so "
     "that the clients of the others stay (weir's own)"},
    {"queue", U, 1, 2, 0, compile_queue, "",
     "how many requests wait while no peer may take one, or all have turned them away unexecuted "
     "(weir's own), and how long: up to timeout= (60s)",
     "timeout=", "size"},
    {"eject", U, 0, kMany, 0, compile_eject, "off (YAML: on)",
     "peers that fail are taken out for a while (weir's own): after fails= (5) in a row, or if "
     "rate= (50%) of at least requests= (20) in window= (10s) failed; for time= (5s), doubling up "
     "to max= (5m), but never the last min_available= (1)",
     "off fails= rate= requests= window= time= max= min_available="},
    {"retry_budget", U, 1, 2, 0, compile_retry_budget, "off (YAML: 20%)",
     "how many retries may be in progress, of all requests in progress (weir's own); those beyond "
     "wait for their turn",
     "off least=", "percent"},
    {"retry_idempotency_key", U, 1, 1, kFlag, compile_retry_idempotency_key, "off",
     "requests with an Idempotency-Key are safe to repeat (weir's own)"},
    {"retry_safe", U, 1, kMany, kRepeats | kList, compile_retry_safe, "",
     "paths, or ~ and a regular expression: requests for them are safe to repeat whatever their "
     "method (weir's own)"},
    {"unavailable", U, 1, 2, 0, compile_unavailable, "status=502",
     "what is answered when no peer is left (weir's own)", "status= retry_after="},
    {"fail_open", U, 1, 1, kFlag, compile_fail_open, "off",
     "when no peer is left, those that are known to be bad are tried all the same (weir's own)"},
    {"profile", U, 1, 1, 0, compile_profile, "",
     "nocobase: refusals of nodes that are starting or in maintenance go to another peer, and "
     "they are checked by /api/__health_check (weir's own)"},
    {"keepalive", U, 1, 2, 0, compile_keepalive, "32",
     "idle connections kept to the peers, for each worker; 0: none", "local", "connections"},
    {"proxy_protocol", U, 1, 1, 0, compile_upstream_proxy_protocol, "off",
     "v1 or v2: each connection to a peer begins with a header that says whose it is, checks with "
     "one that says weir's own; connections are kept for the same client alone (weir's own)"},
    {"keepalive_requests", U, 1, 1, 0, compile_upstream_keepalive_requests, "1000",
     "most requests over one connection to a peer"},
    {"keepalive_time", U, 1, 1, 0, compile_upstream_keepalive_time, "1h",
     "age at which a connection to a peer is closed"},
    {"keepalive_timeout", U, 1, 1, 0, compile_upstream_keepalive_timeout, "60s",
     "how long an idle connection to a peer is kept"},
    {.name = "health_check",
     .contexts = L | U,
     .max_args = kMany,
     .flags = kMayBlock | kRepeats,
     .handler = compile_health_check,
     .default_text = "off (YAML: on, type=tcp)",
     .help = "active checks of the peers of the upstream; the tests of a match may stand in a "
             "block of its own. grace=: how long peers get no request after a start, and requests "
             "wait, "
             "until a first verdict (YAML, and with mandatory: 1s). What checks have found holds "
             "over a reload, persistent or not. Of several, all must pass",
     .parameters = "off interval= jitter= timeout= fast= fails= passes= uri= host= port= match= "
                   "status= type= mandatory persistent keepalive_time= grace= grpc_service= "
                   "grpc_status=",
     .inner = in_match,
     .entries = "match"},
    {"registry", U, 1, kMany, 0, compile_registry, "",
     "nodes that announce themselves in Redis (redis://, rediss://, unix://, redis+sentinel://), "
     "each in the slot of its ID, 0 to 31: app=NAME in weir's own layout; or key=PATTERN with {id} "
     "and the address from the text there, a field= of the hash, a pointer= into JSON, or an "
     "address= with {id}; max_fails= and the like are of each node, as of `server`",
     "app= forget= poll= key= field= pointer= address= channel= ca= name= verify= "
     "max_fails= fail_timeout= max_conns= slow_start=",
     "url"},
    {.name = "match",
     .contexts = H,
     .min_args = 1,
     .max_args = 1,
     .flags = kBlock | kRepeats | kNamed,
     .handler = compile_match,
     .help = "what answer to a health check is good",
     .yaml_name = "matches",
     .inner = in_match},
    {"status", in_match, 1, kMany, kList, compile_match_status, "any",
     "status codes and ranges; with ! before them: any but these"},
    {"header", in_match, 1, 3, kRepeats | kRest | kOperator, compile_match_header, "",
     "a field that must be there (NAME), or not (! NAME), or have this value", kTests},
    {"body", in_match, 1, 2, kRepeats | kRest | kOperator, compile_match_body, "",
     "a text that the body must hold, be (=) or match (~); its first 256 KiB are looked at",
     kTests},
    {"require", in_match, 1, kMany, kList | kRepeats, compile_match_require, "",
     "variables that must be neither empty nor 0: $upstream_http_NAME, a field of the answer; "
     "$status and $upstream_status, its status"},
    {"send", in_match, 1, 1, 0, compile_match_send, "",
     "type=tcp: bytes to send; \\x0d stands for a byte"},
    {"expect", in_match, 1, 2, kRest | kOperator, compile_match_expect, "",
     "type=tcp: a text that the bytes received must hold, or with ~ a pattern that they must match",
     "~ ~*"},
};

}  // namespace

std::span<const DirectiveInfo> upstream_rows() { return kRows; }

}  // namespace weir::config
