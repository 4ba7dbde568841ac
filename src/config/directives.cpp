#include "config/directives.h"

#include <array>
#include <unordered_map>

#include "config/directive_rows.h"
#include "config/handlers.h"

namespace weir::config {
namespace {

struct Index {
  std::vector<DirectiveInfo> rows;
  std::unordered_multimap<std::string_view, const DirectiveInfo*> by_name;
};

Handler handler_of(const AcceptedGroup& group) {
  if (!group.only.empty()) return accept_only;
  switch (group.accepts) {
    case Accepts::number:
      return accept_number;
    case Accepts::size:
      return accept_size;
    case Accepts::time:
      return accept_time;
    case Accepts::buffers:
      return accept_buffers;
    case Accepts::anything:
    case Accepts::flag:
      break;
  }
  return accept;
}

void add_accepted(std::vector<DirectiveInfo>& rows) {
  for (const auto& group : accepted_directives()) {
    for (const auto name : split_words(group.names)) {
      DirectiveInfo info;
      info.name = name;
      info.contexts = group.contexts;
      info.flags = group.accepts == Accepts::flag ? kFlag : kRepeats;
      info.min_args = group.accepts == Accepts::buffers ? 2 : group.least;
      info.max_args = group.accepts == Accepts::anything ? group.most : info.min_args;
      info.handler = handler_of(group);
      info.default_text = group.only;
      info.help = group.note;
      info.support = Support::accepted;
      rows.push_back(info);
    }
  }
}

void share_with_stream(std::vector<DirectiveInfo>& rows) {
  for (const auto& group : stream_shared()) {
    for (const auto name : split_words(group.names)) {
      for (auto& row : rows) {
        if (row.name == name && (row.contexts & group.from) != 0) row.contexts |= group.contexts;
      }
    }
  }
}

const Index& table() {
  static const Index index = [] {
    Index made;
    for (const auto rows :
         {main_rows(), upstream_rows(), server_rows(), client_rows(), routing_rows(), access_rows(),
          proxy_rows(), grpc_rows(), tls_rows(), acme_rows(), http2_rows(), filter_rows(),
          variable_rows(), stream_rows(), trace_rows()}) {
      made.rows.insert(made.rows.end(), rows.begin(), rows.end());
    }
    add_accepted(made.rows);
    share_with_stream(made.rows);
    for (const auto& row : made.rows) made.by_name.emplace(row.name, &row);
    return made;
  }();
  return index;
}

}  // namespace

std::span<const DirectiveInfo> directive_table() { return table().rows; }

const DirectiveInfo* find_directive(std::string_view name, std::uint32_t contexts) {
  const auto [from, to] = table().by_name.equal_range(name);
  for (auto it = from; it != to; ++it) {
    if ((it->second->contexts & contexts) != 0) return it->second;
  }
  return nullptr;
}

std::uint32_t contexts_of(std::string_view name) {
  std::uint32_t contexts = 0;
  const auto [from, to] = table().by_name.equal_range(name);
  for (auto it = from; it != to; ++it) contexts |= it->second->contexts;
  return contexts;
}

const DirectiveInfo* find_collection(std::string_view name, std::uint32_t contexts) {
  for (const auto& row : table().rows) {
    if (row.yaml_name == name && (row.contexts & contexts) != 0) return &row;
  }
  return nullptr;
}

const OrderedList* find_ordered_list(std::string_view key, std::uint32_t contexts) {
  for (const auto& list : kOrderedLists) {
    if (list.key != key) continue;
    for (const auto& row : table().rows) {
      if (row.has(list.flag) && (row.contexts & contexts) != 0) return &list;
    }
  }
  return nullptr;
}

const OrderedList* ordered_list_of(const DirectiveInfo& row) {
  for (const auto& list : kOrderedLists) {
    if (row.has(list.flag)) return &list;
  }
  return nullptr;
}

const UnsupportedGroup* find_unsupported(std::string_view name) {
  struct Names {
    std::unordered_map<std::string_view, const UnsupportedGroup*> whole;
    std::vector<std::pair<std::string_view, const UnsupportedGroup*>> prefixes;
  };
  static const Names names = [] {
    Names made;
    for (const auto& group : unsupported_directives()) {
      for (const auto word : split_words(group.names)) {
        if (word.ends_with('*')) {
          made.prefixes.emplace_back(word.substr(0, word.size() - 1), &group);
        } else {
          made.whole.emplace(word, &group);
        }
      }
    }
    return made;
  }();
  if (const auto found = names.whole.find(name); found != names.whole.end()) return found->second;
  for (const auto& [prefix, group] : names.prefixes) {
    if (name.starts_with(prefix)) return group;
  }
  return nullptr;
}

std::string_view unsupported_advice(std::string_view name) {
  const auto* group = find_unsupported(name);
  return group == nullptr ? std::string_view{} : group->note;
}

std::string context_names(std::uint32_t contexts) {
  static constexpr std::array<std::string_view, 21> kNames = {"main",
                                                              "events",
                                                              "http",
                                                              "server",
                                                              "location",
                                                              "upstream",
                                                              "map",
                                                              "match",
                                                              "types",
                                                              "admin",
                                                              "if (location)",
                                                              "if (server)",
                                                              "limit_except",
                                                              "geo",
                                                              "split_clients",
                                                              "charset_map",
                                                              "stream",
                                                              "server (stream)",
                                                              "upstream (stream)",
                                                              "acme_issuer",
                                                              "otel_exporter"};
  std::string out;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if ((contexts >> i & 1u) == 0) continue;
    if (!out.empty()) out += ", ";
    out += kNames[i];
  }
  return out;
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const auto from = text.find_first_not_of(" \t\r\n");
    if (from == std::string_view::npos) return words;
    text.remove_prefix(from);
    const auto size = std::min(text.find_first_of(" \t\r\n"), text.size());
    words.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
}

}  // namespace weir::config
