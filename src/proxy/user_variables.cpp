#include "proxy/user_variables.h"

#include <algorithm>

#include "proxy/exchange.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

const std::string nothing;

using Entries = std::vector<config::MapConfig::Exact>;

const config::Value* find(const Entries& entries, std::string_view want) {
  const auto at = std::lower_bound(
      entries.begin(), entries.end(), want,
      [](const config::MapConfig::Exact& entry, std::string_view key) { return entry.key < key; });
  return at != entries.end() && at->key == want ? &at->value : nullptr;
}

// "*.example.org" and "www.*", the longest first.
const config::Value* find_wildcard(const config::MapConfig& map, std::string_view name) {
  const config::Value* value = nullptr;
  for (auto dot = name.find('.'); dot != name.npos && !value; dot = name.find('.', dot + 1)) {
    value = find(map.leading_wildcards, name.substr(dot));
  }
  for (auto dot = name.rfind('.'); dot != name.npos && dot > 0 && !value;
       dot = name.rfind('.', dot - 1)) {
    value = find(map.trailing_wildcards, name.substr(0, dot + 1));
  }
  return value;
}

const config::Value& look_up(const config::MapConfig& map, UserVariables::Owner& owner,
                             std::string_view source) {
  std::string key(source);
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  if (map.hostnames && key.ends_with('.')) key.pop_back();
  const auto* value = find(map.exact, key);
  if (map.hostnames && value == nullptr) value = find_wildcard(map, key);
  for (const auto& entry : map.patterns) {
    if (value != nullptr) break;
    if (owner.match(entry.pattern, source)) value = &entry.value;
  }
  return value != nullptr ? *value : map.default_;
}

// The address of the client, or what a variable holds, as told by trusted proxies.
std::string_view geo_value(UserVariables::Owner& owner, std::uint32_t index) {
  const auto& config = owner.runtime().model->geos[index];
  const auto& table = *owner.runtime().geos[index];
  IpAddress address = owner.client_address();
  if (!config.source.empty()) {
    std::string text;
    owner.evaluate(config.source, text);
    address = IpAddress::parse(text).value_or(IpAddress());
  }
  if (config.proxies.empty()) return table.find(address);
  const auto forwarded = owner.forwarded();
  return forwarded.empty() ? table.find(address) : table.find(table.client(address, forwarded));
}

class ExchangeOwner final : public UserVariables::Owner {
 public:
  explicit ExchangeOwner(Exchange& x) : x_(x) {}
  [[nodiscard]] const Runtime& runtime() const override { return x_.runtime(); }
  void evaluate(const config::Value& value, std::string& out) override {
    proxy::evaluate(value, x_, out);
  }
  bool match(const config::Pattern& pattern, std::string_view subject) override {
    return x_.match(pattern, subject);
  }
  [[nodiscard]] IpAddress client_address() const override { return x_.client_address(); }
  [[nodiscard]] std::vector<std::string_view> forwarded() const override {
    std::vector<std::string_view> fields;
    if (!x_.has_request()) return fields;
    for (const auto& field : x_.request().fields) {
      if (field.id == http::FieldId::x_forwarded_for) fields.push_back(x_.request().value(field));
    }
    return fields;
  }
  void used_before_set(const std::string& name) override {
    if (!x_.config().uninitialized_variable_warn) return;
    x_.log(LogLevel::warn, "using uninitialized \"" + name + "\" variable");
  }

 private:
  Exchange& x_;
};

}  // namespace

void UserVariables::reset() {
  for (const auto index : used_) slots_[index].known = false;
  used_.clear();
}

UserVariables::Slot& UserVariables::slot(std::uint32_t index) {
  if (slots_.size() <= index) slots_.resize(index + 1);
  return slots_[index];
}

void UserVariables::assign(std::uint32_t index, std::string_view text) {
  auto& it = slot(index);
  it.text.assign(text);
  if (!it.known) used_.push_back(index);
  it.known = true;
}

const std::string& UserVariables::value(std::uint32_t index, Exchange& x) {
  if (index < slots_.size() && slots_[index].known) return slots_[index].text;
  ExchangeOwner owner(x);
  return value(index, owner);
}

const std::string& UserVariables::value(std::uint32_t index, Owner& owner) {
  const auto& variables = owner.runtime().model->variables;
  if (slots_.size() < variables.size()) slots_.resize(variables.size());
  if (slots_[index].known) return slots_[index].text;
  if (slots_[index].busy) return nothing;
  slots_[index].busy = true;
  std::string text;
  work_out(index, owner, text);
  slots_[index].busy = false;
  slots_[index].text = std::move(text);
  const auto& variable = variables[index];
  if (!variable.volatile_ && variable.source != config::UserVariable::Source::none) {
    slots_[index].known = true;
    used_.push_back(index);
  }
  return slots_[index].text;
}

void UserVariables::work_out(std::uint32_t index, Owner& owner, std::string& out) {
  const auto& model = *owner.runtime().model;
  const auto& variable = model.variables[index];
  std::string source;
  switch (variable.source) {
    case config::UserVariable::Source::none:
      return owner.used_before_set(variable.name);
    case config::UserVariable::Source::map: {
      const auto& map = model.maps[variable.index];
      owner.evaluate(map.source, source);
      return owner.evaluate(look_up(map, owner, source), out);
    }
    case config::UserVariable::Source::geo:
      out.append(geo_value(owner, variable.index));
      return;
    case config::UserVariable::Source::split_clients: {
      owner.evaluate(model.split_clients[variable.index].source, source);
      out.append(owner.runtime().splits[variable.index].find(source));
      return;
    }
  }
}

}  // namespace weir::proxy
