#include "config/upstream_config.h"

namespace weir::config {

std::string RegistryConfig::nodes_text() const {
  if (form == Form::weir) return "app=" + app;
  return "key=" + key + (detail.empty() ? "" : " " + detail);
}

const char* to_string(Balance balance) {
  switch (balance) {
    case Balance::round_robin:
      return "round_robin";
    case Balance::ip_hash:
      return "ip_hash";
    case Balance::ip_hash_full:
      return "ip_hash full";
    case Balance::hash:
      return "hash";
    case Balance::hash_consistent:
      return "hash consistent";
    case Balance::least_conn:
      return "least_conn";
    case Balance::random:
      return "random";
    case Balance::random_two:
      return "random two";
    case Balance::random_two_header:
      return "random two least_time header";
    case Balance::random_two_last_byte:
      return "random two least_time last_byte";
    case Balance::least_time_header:
      return "least_time header";
    case Balance::least_time_header_inflight:
      return "least_time header inflight";
    case Balance::least_time_last_byte:
      return "least_time last_byte";
    case Balance::least_time_last_byte_inflight:
      return "least_time last_byte inflight";
  }
  return "";
}

const char* to_string(StickyConfig::Kind kind) {
  switch (kind) {
    case StickyConfig::Kind::cookie:
      return "cookie";
    case StickyConfig::Kind::route:
      return "route";
    case StickyConfig::Kind::learn:
      return "learn";
  }
  return "";
}

const char* to_string(CheckType type) {
  switch (type) {
    case CheckType::http:
      return "http";
    case CheckType::tcp:
      return "tcp";
    case CheckType::grpc:
      return "grpc";
  }
  return "";
}

}  // namespace weir::config
