// Which file a request is for: root, alias, index, try_files, types and so on.
#include <algorithm>

#include "config/handlers.h"

namespace weir::config {
namespace {

// $document_root is made of the root, so a root cannot be made of it.
bool names_root(const Value& value) {
  return std::any_of(value.parts().begin(), value.parts().end(), [](const Value::Part& part) {
    return part.is_variable && (part.variable.id == Variable::document_root ||
                                part.variable.id == Variable::realpath_root);
  });
}

void set_alias(const LocationDraft& location, RootConfig& root) {
  root.alias = true;
  root.whole = location.kind == LocationKind::regex;
  root.prefix = root.whole ? 0 : location.path.size();
}

// One line of a `types` block: TYPE EXTENSION...;
void add_type(const Call& call, const Directive& entry,
              std::map<std::string, std::string, std::less<>>& types) {
  const Call here{call.compiler, call.scope, entry, call.info};
  if (entry.has_block) return here.error("takes no block; end it with \";\"");
  for (const auto& argument : entry.args) {
    const auto [known, fresh] = types.emplace(lower(argument.text), entry.name);
    if (fresh) continue;
    if (known->second != entry.name) {
      call.compiler.diagnostics().warning(
          argument.position, "types: extension " + quote(argument.text) + " had the type " +
                                 quote(known->second) + "; " + quote(entry.name) + " holds");
    }
    known->second = entry.name;
  }
}

}  // namespace

void compile_root(const Call& call) {
  const bool alias = call.directive.name == "alias";
  auto& setting = call.scope.settings->root;
  if (setting) {
    return call.error("there is a " + std::string(setting->alias ? "alias" : "root") +
                      " in this block already; keep one of them");
  }
  if (alias && call.scope.location->kind == LocationKind::named) {
    return call.error("has no meaning in a named location, whose name is no path; use root");
  }
  Argument path = call.arg(0);
  if (!alias && path.text.size() > 1 && path.text.ends_with('/')) path.text.pop_back();
  auto value = path_argument(call, path);
  if (!value) return;
  if (names_root(*value)) {
    return call.error(path, "$document_root and $realpath_root are made of it; name a folder");
  }
  RootConfig root;
  root.path = std::move(*value);
  if (alias) set_alias(*call.scope.location, root);
  setting = std::move(root);
}

void compile_index(const Call& call) {
  auto& list = call.scope.settings->index;
  if (!list) list.emplace();
  for (const auto& argument : call.directive.args) {
    if (argument.text.empty()) {
      call.error(argument, "the name is empty; name a file");
      continue;
    }
    if (argument.text.starts_with('/') && &argument != &call.directive.args.back()) {
      call.warning("what stands behind " + quote(argument.text) +
                   " is never tried: only the last file should begin with /");
    }
    if (auto value = call.compiler.value(call, argument)) list->push_back(std::move(*value));
  }
}

void compile_try_files(const Call& call) {
  TryFiles files;
  for (std::size_t i = 0; i + 1 < call.count(); ++i) {
    Argument path = call.arg(i);
    TryFiles::Entry entry;
    entry.directory = path.text.ends_with('/');
    if (entry.directory) path.text.pop_back();
    auto value = call.compiler.value(call, path);
    if (!value) return;
    entry.path = std::move(*value);
    files.entries.push_back(std::move(entry));
  }
  const auto& last = call.arg(call.count() - 1);
  if (last.text.starts_with('=')) {
    const auto code = parse_number(std::string_view(last.text).substr(1));
    if (!code || *code > 999) {
      return call.error(last, "invalid code " + quote(last.text) + "; write =404");
    }
    files.status = static_cast<std::uint16_t>(*code);
  } else if (auto value = call.compiler.value(call, last)) {
    files.last = std::move(*value);
  } else {
    return;
  }
  call.scope.location->try_files = std::move(files);
}

void compile_random_index(const Call& call) {
  call.scope.location->random_index = lower(call.arg(0).text) == "on";
}

void compile_disable_symlinks(const Call& call) {
  std::optional<Symlinks::Deny> deny;
  Value from;
  for (const auto& parameter : parameters(call, 0)) {
    if (parameter.key == "off") {
      deny = Symlinks::Deny::off;
    } else if (parameter.key == "on") {
      deny = Symlinks::Deny::on;
    } else if (parameter.key == "if_not_owner") {
      deny = Symlinks::Deny::if_not_owner;
    } else if (auto value = call.compiler.value(call, value_of(parameter))) {
      from = std::move(*value);
    } else {
      return;
    }
  }
  if (!deny) return call.error("off, on or if_not_owner is missing");
  if (*deny == Symlinks::Deny::off && call.count() > 1) {
    return call.error(call.arg(1), "\"off\" stands alone");
  }
  if (call.count() > 1 && from.empty()) {
    return call.error(call.arg(1), "one of off, on and if_not_owner, and from=PART");
  }
  call.scope.settings->disable_symlinks = Symlinks{*deny, std::move(from)};
}

void compile_types(const Call& call) {
  auto& setting = call.scope.settings->types;
  // Several blocks on a level add up.
  auto types = setting
                   ? std::make_shared<std::map<std::string, std::string, std::less<>>>(**setting)
                   : std::make_shared<std::map<std::string, std::string, std::less<>>>();
  for (const auto& entry : call.directive.block) add_type(call, entry, *types);
  setting = std::move(types);
}

void compile_default_type(const Call& call) {
  if (call.arg(0).text.find_first_of("\r\n") != std::string::npos) {
    return call.error(call.arg(0), "the type must be one line");
  }
  call.scope.settings->default_type = call.arg(0).text;
}

void compile_empty_gif(const Call& call) { call.scope.location->content = EmptyGif{}; }

// An argument (of nginx before 1.7.5) means nothing.
void compile_stub_status(const Call& call) { call.scope.location->content = StubStatus{}; }

}  // namespace weir::config
