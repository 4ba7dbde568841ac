// Who may: addresses, passwords, questions to others, limits, links with a check sum, referers.
#include "config/directive_rows.h"
#include "config/handlers.h"
#include "config/words.h"

namespace weir::config {
namespace {

using namespace rows;
using Set = Settings;

constexpr DirectiveInfo kRows[] = {
    {"allow", HSL | LMT, 1, 1, kRepeats | kAccess, compile_access_rule, "",
     "address, network, unix: or all that may; the first of allow and deny that fits decides"},
    {"deny", HSL | LMT, 1, 1, kRepeats | kAccess, compile_access_rule, "",
     "address, network, unix: or all that may not"},
    {"satisfy", HSL, 1, 1, 0, set_word<&Set::satisfy, words::kSatisfy>, "all",
     "whether all kinds of access control must agree, or any of them", "all any"},
    {"auth_basic", HSL | LMT, 1, 1, 0, set_value_or_off<&Set::auth_basic>, "off",
     "ask for a name and a password; the realm that is named", "off"},
    {"auth_basic_user_file", HSL | LMT, 1, 1, 0, compile_auth_basic_user_file, "",
     "file of names and hashed passwords (htpasswd)"},
    {"auth_delay", HSL, 1, 1, 0, set_time<&Set::auth_delay>, "0", "wait before 401 is answered"},
    {"auth_request", HSL, 1, 1, 0, compile_auth_request, "off",
     "URI that is asked whether a request may pass", "off"},
    {"auth_request_set", HSL, 2, 2, kRepeats | kPairs, compile_auth_request_set, "",
     "variable for something of that answer"},

    {.name = "limit_req_zone",
     .contexts = H,
     .min_args = 3,
     .max_args = 3,
     .flags = kRepeats,
     .handler = compile_limit_req_zone,
     .help = "counts requests by a key: KEY zone=NAME:SIZE rate=NUMBERr/s|r/m",
     .parameters = "zone= rate=",
     .positional = "key"},
    {"limit_req", HSL, 1, 3, kRepeats, compile_limit_req, "",
     "zone whose rate holds, and what may exceed it: zone=NAME [burst=N] [nodelay|delay=N]",
     "zone= burst= delay= nodelay"},
    {"limit_req_status", HSL, 1, 1, 0, set_number<&Set::limit_req_status, 400, 599>, "503",
     "status of requests that are too many"},
    {"limit_req_log_level", HSL, 1, 1, 0,
     set_word<&Set::limit_req_log_level, words::kLimitLogLevel>, "error",
     "level at which they are logged; delayed ones one lower"},
    {"limit_req_dry_run", HSL, 1, 1, kFlag, set_flag<&Set::limit_req_dry_run>, "off",
     "only log them"},
    {.name = "limit_conn_zone",
     .contexts = H,
     .min_args = 2,
     .max_args = 2,
     .flags = kRepeats,
     .handler = compile_limit_conn_zone,
     .help = "counts connections with a request by a key: KEY zone=NAME:SIZE",
     .parameters = "zone=",
     .positional = "key"},
    {"limit_conn", HSL, 2, 2, kRepeats | kPairs, compile_limit_conn, "",
     "ZONE NUMBER: most connections for a value of the zone's key"},
    {"limit_conn_status", HSL, 1, 1, 0, set_number<&Set::limit_conn_status, 400, 599>, "503",
     "status of requests over more connections"},
    {"limit_conn_log_level", HSL, 1, 1, 0,
     set_word<&Set::limit_conn_log_level, words::kLimitLogLevel>, "error",
     "level at which they are logged"},
    {"limit_conn_dry_run", HSL, 1, 1, kFlag, set_flag<&Set::limit_conn_dry_run>, "off",
     "only log them"},

    {"secure_link", HSL, 1, 1, 0, compile_secure_link, "",
     "where check sum and expiry of a link are: MD5[,EXPIRES]"},
    {"secure_link_md5", HSL, 1, 1, kSecret, compile_secure_link, "",
     "text whose MD5 the check sum must be"},
    {"secure_link_secret", HSL, 1, 1, kSecret, compile_secure_link, "",
     "word for links of the form /PREFIX/HASH/LINK"},
    {"valid_referers", SL, 1, kMany, kRepeats | kList, compile_valid_referers, "",
     "none, blocked, server_names, names of hosts, ~regex: others set $invalid_referer"},
};

}  // namespace

std::span<const DirectiveInfo> access_rows() { return kRows; }

}  // namespace weir::config
