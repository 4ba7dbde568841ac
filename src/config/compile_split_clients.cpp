// split_clients KEY $variable { PERCENT% VALUE; ... * VALUE; }
#include "config/handlers.h"

namespace weir::config {
namespace {

constexpr std::uint32_t kWhole = 10000;  // hundredths of a percent

// "0.5%", "50%": hundredths; nullopt: neither.
std::optional<std::uint32_t> hundredths(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  const auto point = text.find('.');
  std::string digits(text.substr(0, point));
  const auto fraction = point == std::string_view::npos ? "" : text.substr(point + 1);
  if (fraction.size() > 2 || (digits.empty() && fraction.empty())) return std::nullopt;
  digits += fraction;
  digits.append(2 - fraction.size(), '0');
  const auto number = parse_number(digits);
  if (!number || *number == 0 || *number > kWhole) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

// One part, on top of `sum`. False after an error.
bool add_part(const Call& here, SplitClientsConfig& split, std::uint32_t& sum) {
  const auto& entry = here.directive;
  if (entry.has_block || entry.args.size() != 1) {
    here.error("an entry is PERCENT% VALUE; or * VALUE;");
    return false;
  }
  SplitClientsConfig::Part part;
  if (entry.name != "*") {
    const auto share = hundredths(entry.name);
    if (!share) {
      here.error("invalid share; write 0.5%, 50% or *");
      return false;
    }
    part.hundredths = *share;
  }
  sum = part.hundredths == 0 ? kWhole : sum + part.hundredths;
  if (sum > kWhole) {
    here.error("the shares are more than 100% in all");
    return false;
  }
  if (sum == kWhole) part.hundredths = 0;  // the last one takes what rounding leaves
  part.value = Value(entry.args[0].text);
  split.parts.push_back(std::move(part));
  return true;
}

}  // namespace

void compile_split_clients(const Call& call) {
  auto& compiler = call.compiler;
  const auto index = made_variable(call, call.arg(1));
  auto source = compiler.value(call, call.arg(0));
  if (!index || !source) return;
  SplitClientsConfig split;
  split.position = call.directive.position;
  split.source = std::move(*source);
  std::uint32_t sum = 0;
  for (const auto& entry : call.directive.block) {
    const Call here{compiler, call.scope, entry, call.info};
    if (!add_part(here, split, sum)) return;
  }
  auto& model = compiler.model();
  auto& user = model.variables[*index];
  user.source = UserVariable::Source::split_clients;
  user.index = static_cast<std::uint32_t>(model.split_clients.size());
  model.split_clients.push_back(std::move(split));
}

}  // namespace weir::config
