#include "registry/layout.h"

#include <algorithm>
#include <charconv>

namespace weir::registry {
namespace {

constexpr std::size_t kMaxApp = 64;
constexpr std::size_t kMaxText = 1024;  // of a field
constexpr std::uint32_t kMaxWeight = 65535;

std::string prefix(std::string_view app) { return "weir:{" + std::string(app) + "}:"; }

template <class Number>
bool parse_number(std::string_view text, Number& out) {
  const auto* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, out);
  return result.ec == std::errc{} && result.ptr == end;
}

std::string read_fields(const RespValue& answer, NodeRecord& out) {
  const auto& items = answer.items;
  for (const auto& item : items) {
    if (item.type != RespValue::Type::nil && !item.is_text()) return "a field is no text";
    if (item.text.size() > kMaxText) return "a field is too long";
  }
  out.addr = items[0].text;
  const auto state = parse_state(items[1].text);
  if (!state) return "unknown state \"" + items[1].text + "\"";
  out.state = *state;
  out.mode = items[2].text;
  const auto& weight = items[3].text;
  if (!weight.empty() &&
      (!parse_number(weight, out.weight) || out.weight == 0 || out.weight > kMaxWeight)) {
    return "invalid weight \"" + weight + "\"";
  }
  out.instance = items[4].text;
  out.version = items[5].text;
  if (!items[6].text.empty() && !parse_number(items[6].text, out.since)) return "invalid since";
  out.drained = !items[7].text.empty();
  if (out.drained) out.state = NodeState::draining;
  return {};
}

}  // namespace

bool is_app_name(std::string_view app) {
  return !app.empty() && app.size() <= kMaxApp && std::all_of(app.begin(), app.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

std::string node_key(std::string_view app, std::size_t id) {
  return prefix(app) + "node:" + std::to_string(id);
}
std::string events_channel(std::string_view app) { return prefix(app) + "events"; }
std::string earlier_key(std::string_view app) { return prefix(app) + "earlier"; }

const char* to_string(NodeState state) {
  switch (state) {
    case NodeState::starting:
      return "starting";
    case NodeState::ready:
      return "ready";
    case NodeState::draining:
      return "draining";
  }
  return "";
}

std::optional<NodeState> parse_state(std::string_view text) {
  for (const auto state : {NodeState::starting, NodeState::ready, NodeState::draining}) {
    if (text == to_string(state)) return state;
  }
  return std::nullopt;
}

std::string read_command(std::string_view app, std::size_t id) {
  return format_command({"HMGET", node_key(app, id), "addr", "state", "mode", "weight", "instance",
                         "version", "since", "drain"});
}

std::optional<NodeRecord> read_record(const RespValue& answer, std::string& error) {
  error.clear();
  if (answer.is_error()) {
    error = answer.text;
  } else if (answer.type != RespValue::Type::array || answer.items.size() != 8) {
    error = "not the fields that were asked for";
  }
  if (!error.empty()) return std::nullopt;
  const bool none = std::all_of(answer.items.begin(), answer.items.end(),
                                [](const auto& item) { return item.type == RespValue::Type::nil; });
  if (none) return std::nullopt;
  NodeRecord record;
  error = read_fields(answer, record);
  if (!error.empty()) return std::nullopt;
  return record;
}

bool serves_requests(std::string_view mode) {
  while (mode.starts_with(' ')) mode.remove_prefix(1);
  while (mode.ends_with(' ')) mode.remove_suffix(1);
  if (mode.empty()) return true;
  while (true) {
    const auto comma = mode.find(',');
    auto word = mode.substr(0, comma);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (word == "!") return true;
    if (comma == std::string_view::npos) return false;
    mode.remove_prefix(comma + 1);
  }
}

}  // namespace weir::registry
