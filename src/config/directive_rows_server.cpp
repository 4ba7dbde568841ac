// Servers, locations, and the rules of the rewrite module.
#include "config/directive_rows.h"
#include "config/handlers.h"

namespace weir::config {
namespace {

using namespace rows;
using Set = Settings;

constexpr std::uint32_t kRules = S | L | SIF | LIF;  // where rules stand

constexpr DirectiveInfo kRows[] = {
    {.name = "server",
     .contexts = H,
     .flags = kBlock | kRepeats,
     .handler = compile_server,
     .help = "a virtual server",
     .yaml_name = "servers",
     .inner = S},
    {.name = "listen",
     .contexts = S | in_admin,
     .min_args = 1,
     .max_args = kMany,
     .flags = kRepeats,
     .handler = compile_listen,
     .default_text = "80",
     .help = "address, port, range of ports or unix:PATH to accept connections on",
     .parameters = "default_server default backlog= rcvbuf= sndbuf= reuseport deferred bind "
                   "ipv6only= so_keepalive= fastopen= proxy_protocol ssl http2 spdy !quic "
                   "!setfib= !accept_filter= !multipath",
     .positional = "address"},
    {"server_name", S, 1, kMany, kRepeats | kList, compile_server_name, "\"\"",
     "names: exact, *.example.org, www.*, .example.org, ~regex, $hostname"},

    {.name = "location",
     .contexts = SL,
     .min_args = 1,
     .max_args = 2,
     .flags = kBlock | kRepeats,
     .handler = compile_location,
     .help = "settings for paths: prefix, =, ^~, ~, ~* or @name",
     .yaml_name = "locations",
     .inner = L},
    {.name = "limit_except",
     .contexts = L,
     .min_args = 1,
     .max_args = kMany,
     .flags = kBlock | kList,
     .handler = compile_limit_except,
     .help = "settings for all methods but those named",
     .positional = "methods",
     .inner = LMT},
    {"internal", L, 0, 0, 0, compile_internal, "",
     "404 for requests that come from outside; inherited by nested locations"},

    {"set", kRules, 2, 2, kRepeats | kOrdered, compile_set, "", "assign a text to a variable"},
    {"rewrite", kRules, 2, 3, kRepeats | kOrdered, compile_rewrite, "",
     "another path where a pattern matches: REGEX REPLACEMENT [last|break|redirect|permanent]"},
    {"break", kRules, 0, 0, kRepeats | kOrdered, compile_break, "",
     "no further rule of this round"},
    {.name = "if",
     .contexts = S,
     .min_args = 1,
     .max_args = kMany,
     .flags = kBlock | kRepeats | kOrdered,
     .handler = compile_if,
     .help = "rules for requests that meet a condition",
     .inner = SIF},
    {.name = "if",
     .contexts = L,
     .min_args = 1,
     .max_args = kMany,
     .flags = kBlock | kRepeats | kOrdered,
     .handler = compile_if,
     .help = "rules and settings for requests that meet a condition",
     .inner = LIF},
    {.name = "return",
     .contexts = kRules,
     .min_args = 1,
     .max_args = 2,
     .flags = kRepeats | kRest | kOrdered,
     .handler = compile_return,
     .help = "answer with CODE, CODE TEXT, CODE URL or URL",
     .positional = "status text|url"},
    {"rewrite_log", H | kRules, 1, 1, kFlag, set_flag<&Set::rewrite_log>, "off",
     "tell of rules in the error log, at level notice"},
    {"uninitialized_variable_warn", H | kRules, 1, 1, kFlag,
     set_flag<&Set::uninitialized_variable_warn>, "on",
     "warn of variables that are used before they are set"},
};

}  // namespace

std::span<const DirectiveInfo> server_rows() { return kRows; }

}  // namespace weir::config
