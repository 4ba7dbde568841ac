// limit_req and limit_conn, and the zones that they count in.
#include <algorithm>
#include <limits>

#include "config/handlers.h"

namespace weir::config {
namespace {

constexpr std::uint64_t kLeastZone = 32 * 1024;  // eight pages, as in nginx
constexpr std::uint32_t kMaxNumber = 0x7fffffff;
constexpr std::uint64_t kThousand = 1000;

// "NAME:SIZE"
bool take_zone(const Call& call, const Parameter& parameter, LimitZone& zone) {
  const auto colon = parameter.value.find(':');
  if (colon == std::string_view::npos || colon == 0) {
    call.error(*parameter.argument,
               "invalid zone " + quote(parameter.value) + "; write zone=NAME:SIZE");
    return false;
  }
  zone.name = parameter.value.substr(0, colon);
  const Argument text{std::string(parameter.value.substr(colon + 1)), parameter.argument->position,
                      false};
  const auto size = size_argument(call, text);
  if (!size) return false;
  if (*size < kLeastZone) {
    call.error(*parameter.argument, "the zone is too small; 32k is the least");
    return false;
  }
  zone.size = *size;
  return true;
}

// "10r/s", "30r/m", "5"
bool take_rate(const Call& call, const Parameter& parameter, LimitZone& zone) {
  auto digits = parameter.value;
  std::uint64_t scale = 1;
  if (digits.ends_with("r/s")) {
    digits.remove_suffix(3);
  } else if (digits.ends_with("r/m")) {
    digits.remove_suffix(3);
    scale = 60;
  }
  const auto rate = parse_number(digits);
  if (!rate || *rate == 0 || *rate > kMaxNumber) {
    call.error(*parameter.argument,
               "invalid rate " + quote(parameter.value) + "; write 10r/s or 30r/m");
    return false;
  }
  zone.rate = *rate * kThousand / scale;
  return true;
}

void compile_zone(const Call& call, bool requests) {
  auto key = call.compiler.value(call, call.arg(0));
  if (!key) return;
  LimitZone zone;
  zone.requests = requests;
  zone.key = std::move(*key);
  zone.rate = requests ? kThousand : 0;
  zone.position = call.directive.position;
  for (const auto& parameter : parameters(call, 1)) {
    const bool ok = parameter.key == "zone" ? take_zone(call, parameter, zone)
                                            : take_rate(call, parameter, zone);
    if (!ok) return;
  }
  if (zone.name.empty()) return call.error("the zone is missing; write zone=NAME:SIZE");
  const auto index = call.compiler.find_limit_zone(zone.name);
  if (!index) return;
  auto& place = call.compiler.model().limit_zones[*index];
  if (!place.name.empty()) {
    return call.error("zone " + quote(zone.name) + " is there already, at " +
                      place.position.text() + "; choose another name");
  }
  place = std::move(zone);
}

// The zone called `name`; nullopt after an error.
std::optional<std::uint32_t> zone_argument(const Call& call, const Argument& argument,
                                           std::string_view name, bool requests) {
  const auto index = call.compiler.find_limit_zone(name);
  if (index && call.compiler.model().limit_zones[*index].requests == requests) return index;
  const char* maker = requests ? "limit_req_zone" : "limit_conn_zone";
  call.error(argument, index ? "zone " + quote(name) + " is not one of " + maker
                             : "unknown zone " + quote(name) + "; make it with " + maker);
  return std::nullopt;
}

// burst= and delay=: at least 1.
bool take_count(const Call& call, const Parameter& parameter, std::uint64_t& out) {
  const auto number = number_argument(call, value_of(parameter), 1, kMaxNumber);
  if (number) out = *number * kThousand;
  return number.has_value();
}

}  // namespace

void compile_limit_req_zone(const Call& call) { compile_zone(call, true); }
void compile_limit_conn_zone(const Call& call) { compile_zone(call, false); }

void compile_limit_req(const Call& call) {
  LimitReq limit;
  std::optional<std::uint32_t> zone;
  for (const auto& parameter : parameters(call, 0)) {
    if (parameter.key == "zone") {
      zone = zone_argument(call, *parameter.argument, parameter.value, true);
      if (!zone) return;
    } else if (parameter.key == "burst") {
      if (!take_count(call, parameter, limit.burst)) return;
    } else if (parameter.key == "delay") {
      if (!take_count(call, parameter, limit.delay)) return;
    } else {
      limit.delay = std::numeric_limits<std::uint64_t>::max();
    }
  }
  if (!zone) return call.error("the zone is missing; write zone=NAME");
  limit.zone = *zone;
  auto& list = call.scope.settings->limit_req;
  if (!list) list.emplace();
  if (std::any_of(list->begin(), list->end(),
                  [&](const LimitReq& other) { return other.zone == limit.zone; })) {
    return call.error("the zone has a limit in this block already");
  }
  list->push_back(limit);
}

void compile_limit_conn(const Call& call) {
  const auto zone = zone_argument(call, call.arg(0), call.arg(0).text, false);
  const auto connections = number_argument(call, call.arg(1), 1, 65535);
  if (!zone || !connections) return;
  auto& list = call.scope.settings->limit_conn;
  if (!list) list.emplace();
  if (std::any_of(list->begin(), list->end(),
                  [&](const LimitConn& other) { return other.zone == *zone; })) {
    return call.error("the zone has a limit in this block already");
  }
  list->push_back({*zone, *connections});
}

}  // namespace weir::config
