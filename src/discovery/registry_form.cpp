#include "discovery/registry_form.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "config/address_text.h"

namespace weir::discovery {
namespace {

using Form = config::RegistryConfig::Form;
using registry::RespValue;

constexpr std::size_t kMaxAddress = 300;

std::string with_id(std::string text, std::size_t id) {
  const std::string number = std::to_string(id);
  for (auto at = text.find("{id}"); at != std::string::npos; at = text.find("{id}", at)) {
    text.replace(at, 4, number);
    at += number.size();
  }
  return text;
}

std::string command(const config::RegistryConfig& config, std::size_t id) {
  const auto key = with_id(config.key, id);
  switch (config.form) {
    case Form::weir:
      return registry::read_command(config.app, id);
    case Form::field:
      return registry::format_command({"HGET", key, config.detail});
    case Form::address:
      return registry::format_command({"EXISTS", key});
    case Form::text:
    case Form::pointer:
      break;
  }
  return registry::format_command({"GET", key});
}

// The address within JSON; nullopt: `error` says what is wrong.
std::optional<std::string> pointed_at(const std::string& text, const std::string& pointer,
                                      std::string& error) {
  boost::json::error_code code;
  const auto value = boost::json::parse(text, code);
  if (code) {
    error = "not JSON: " + code.message();
    return std::nullopt;
  }
  const auto* found = value.find_pointer(pointer, code);
  if (found == nullptr || !found->is_string()) {
    error = "there is no text at " + pointer;
    return std::nullopt;
  }
  return std::string(found->as_string());
}

// Of a foreign layout: the text of the address. Nullopt: none, and why if that is an error.
std::optional<std::string> foreign_address(const config::RegistryConfig& config, std::size_t id,
                                           const RespValue& answer, std::string& error) {
  if (config.form == Form::address) {
    if (answer.type != RespValue::Type::integer) {
      error = "not the number that was asked for";
      return std::nullopt;
    }
    if (answer.integer == 0) return std::nullopt;
    return with_id(config.detail, id);
  }
  if (answer.type == RespValue::Type::nil) return std::nullopt;
  if (!answer.is_text()) {
    error = "not the text that was asked for";
    return std::nullopt;
  }
  if (config.form == Form::pointer) return pointed_at(answer.text, config.detail, error);
  return answer.text;
}

void take_address(SlotReading& slot, bool needs_port) {
  if (slot.node.addr.size() > kMaxAddress) {
    slot.error = "the address is too long";
    return;
  }
  const auto address = config::parse_address(slot.node.addr, {}, slot.error);
  if (!address) return;
  // Whoever may write to the registry shall not reach the sockets of this machine's files.
  if (!address->where.unix_path.empty()) slot.error = "a Unix socket is no address of a node";
  if (needs_port && !address->has_port) slot.error = "the address has no port";
  slot.where = address->where;
}

void take_slot(const config::RegistryConfig& config, std::size_t id, const RespValue& answer,
               SlotReading& out) {
  if (config.form == Form::weir) {
    auto record = registry::read_record(answer, out.error);
    if (record) {
      out.kind = SlotReading::Kind::node;
      out.node = std::move(*record);
    }
  } else if (answer.is_error()) {
    out.error = answer.text;
  } else if (auto address = foreign_address(config, id, answer, out.error)) {
    out.kind = SlotReading::Kind::node;
    out.node.addr = std::move(*address);
  }
  if (out.kind == SlotReading::Kind::node) take_address(out, config.form == Form::weir);
  if (!out.error.empty()) out.kind = SlotReading::Kind::unreadable;
}

}  // namespace

std::string read_commands(const config::RegistryConfig& config) {
  std::string all;
  for (std::size_t id = 0; id < registry::kSlots; ++id) all += command(config, id);
  return all;
}

std::string read_answers(const config::RegistryConfig& config,
                         const std::vector<RespValue>& answers, Reading& out) {
  if (answers.size() != registry::kSlots) return "not as many answers as questions";
  for (std::size_t id = 0; id < registry::kSlots; ++id) {
    // One key may hold what it should not; anything else concerns the server.
    if (answers[id].is_error() && !answers[id].is_error("WRONGTYPE")) return answers[id].text;
    take_slot(config, id, answers[id], out[id]);
  }
  return {};
}

}  // namespace weir::discovery
