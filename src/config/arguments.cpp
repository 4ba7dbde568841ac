#include "config/arguments.h"

#include <algorithm>

namespace weir::config {

using std::chrono::duration_cast;
using std::chrono::seconds;

std::optional<Duration> time_argument(const Call& call, const Argument& argument) {
  const auto time = parse_time(argument.text);
  if (!time) call.error(argument, "invalid time " + quote(argument.text) + "; write 30s or 1h30m");
  return time;
}

std::optional<seconds> seconds_argument(const Call& call, const Argument& argument) {
  const auto time = parse_seconds(argument.text);
  if (!time) {
    call.error(argument, "invalid time " + quote(argument.text) +
                             "; write whole seconds or more: 30s or 1h30m");
  }
  return time;
}

std::optional<std::uint64_t> size_argument(const Call& call, const Argument& argument) {
  const auto size = parse_size(argument.text);
  if (!size) {
    call.error(argument, "invalid size " + quote(argument.text) + "; write 512, 16k or 1m");
  }
  return size;
}

std::optional<std::uint32_t> number_argument(const Call& call, const Argument& argument,
                                             std::uint32_t least, std::uint32_t greatest) {
  const auto number = parse_number(argument.text);
  if (!number || *number < least || *number > greatest) {
    call.error(argument, "invalid number " + quote(argument.text) + "; it must be from " +
                             std::to_string(least) + " to " + std::to_string(greatest));
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(*number);
}

std::optional<Cidr> network_argument(const Call& call, const Argument& argument) {
  const auto network = Cidr::parse(argument.text);
  if (!network) {
    call.error(argument, "invalid address or network " + quote(argument.text) +
                             "; write 10.0.0.1, 10.0.0.0/8, 2001:db8::/32 or unix:");
    return std::nullopt;
  }
  const Cidr whole = network->masked();
  if (whole.text() != network->text()) {
    call.warning("low bits of the address " + quote(argument.text) + " mean nothing; write " +
                 whole.text());
  }
  return whole;
}

std::optional<Value> size_value_argument(const Call& call, const Argument& argument) {
  auto value = call.compiler.value(call, argument);
  if (!value || !value->is_constant()) return value;
  const auto size = size_argument(call, argument);
  if (!size) return std::nullopt;
  return Value(std::to_string(*size));
}

std::optional<Value> path_argument(const Call& call, const Argument& argument) {
  Argument absolute = argument;
  // What begins with a variable may be absolute by it, as in nginx.
  if (!argument.text.starts_with('$')) absolute.text = call.compiler.path(argument.text);
  return call.compiler.value(call, absolute);
}

Argument value_of(const Parameter& parameter) {
  return {std::string(parameter.value), parameter.argument->position, false};
}

std::optional<bool> on_off(const Call& call, const Parameter& parameter) {
  if (parameter.value == "on") return true;
  if (parameter.value == "off") return false;
  call.error(*parameter.argument, "invalid value " + quote(parameter.value) + " of " +
                                      std::string(parameter.key) + "; use on or off");
  return std::nullopt;
}

namespace detail {

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && lower(a) == lower(b);
}

std::string choice(const std::vector<std::string_view>& words) {
  std::string out = "; use ";
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

}  // namespace detail

void add_types(const Call& call, std::optional<TypeSet>& setting) {
  if (!setting) setting.emplace();
  for (const auto& argument : call.directive.args) {
    const auto type = lower(argument.text);
    auto& types = setting->types;
    if (type == "*") {
      setting->all = true;
    } else if (std::find(types.begin(), types.end(), type) == types.end()) {
      types.push_back(type);
    } else {
      call.warning("type " + quote(type) + " is there already" +
                   (type == "text/html" ? "; it always is" : ""));
    }
  }
}

void set_folder(const Call& call, std::optional<std::string>& setting) {
  std::string path = call.arg(0).text;
  if (path.empty()) return call.error(call.arg(0), "the path is empty; name a folder");
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  std::uint32_t digits = 0;
  for (std::size_t i = 1; i < call.count(); ++i) {
    const auto level = number_argument(call, call.arg(i), 1, 0x7fffffff);
    if (!level) return;
    digits += *level > 10 ? 11 : *level;
  }
  if (digits > 10) return call.error(call.arg(1), "the levels have more than 10 digits in all");
  setting = call.compiler.path(path);
}

}  // namespace weir::config
