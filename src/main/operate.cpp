#include "main/operate.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cstdio>
#include <thread>

#include "admin/verbs.h"
#include "config/suggest.h"
#include "config/units.h"
#include "main/control_client.h"
#include "main/explain_text.h"
#include "main/reference.h"
#include "main/report.h"
#include "main/status_text.h"
#include "main/top.h"

namespace weir::main {
namespace {

namespace json = boost::json;
using admin::Verb;
using admin::VerbInfo;
using Option = VerbInfo::Option;

constexpr Duration kLookEvery{100};

bool takes_value(std::string_view option) {
  constexpr std::array<std::string_view, 4> known = {"-c", "-p", "-e", "-g"};
  return std::find(known.begin(), known.end(), option) != known.end();
}

std::string usage_of(const VerbInfo& verb) {
  std::string text = "usage: weir " + std::string(verb.name);
  if (!verb.arguments.empty()) text += " " + std::string(verb.arguments);
  if (!verb.options.empty()) text += " " + verb.option_list();
  return text + " [-c FILE | --socket PATH]\n\n" + std::string(verb.help) + "\n";
}

class Operation {
 public:
  Operation(const Configurator::Options& options, const VerbCall& call, const VerbInfo& verb)
      : name_(options.program.name), options_(options), call_(call), verb_(verb) {}

  int run() {
    if (call_.help) return say_usage(stdout, 0);
    if (!place_words()) return say_usage(stderr, 1);
    std::string path;
    if (const auto* socket = call_.option("socket")) {
      path = *socket;
    } else if (!find_socket(path)) {
      return 1;
    }
    client_.emplace(path);
    if (verb_.kind == VerbInfo::Kind::changes) return change();
    return verb_.verb == Verb::top ? show_top() : show();
  }

 private:
  int say_usage(std::FILE* to, int status) const {
    std::fputs(usage_of(verb_).c_str(), to);
    return status;
  }
  int fail(const std::string& text) const {
    say(name_, text);
    return 1;
  }

  // The arguments without a name are the target and the value. False: too few, or too many.
  bool place_words() {
    const auto& words = call_.words;
    switch (verb_.verb) {
      case Verb::status:
        if (!words.empty()) target_ = words[0];
        return words.size() <= 1;
      case Verb::top:
      case Verb::explain:
        return words.empty();
      case Verb::weight:
        if (words.size() != 2) return false;
        target_ = words[0];
        value_ = words[1];
        return true;
      case Verb::maintenance:
        if (words.size() != 2) return false;
        value_ = words[0];
        target_ = words[1];
        return true;
      default:
        if (words.size() != 1) return false;
        target_ = words[0];
        return true;
    }
  }

  bool find_socket(std::string& path) const {
    const auto reading = Configurator(options_).read(to_stderr(name_, LogLevel::error));
    if (reading == nullptr) {
      say(name_, "--socket PATH names the socket without a configuration");
      return false;
    }
    path = reading->settings.control_path;
    if (path.empty())
      say(name_, "this weir has no socket: `control off` in " + options_.config_path);
    return !path.empty();
  }

  [[nodiscard]] std::string query() const {
    std::string query;
    const auto add = [&](const std::string& name, const std::string& value) {
      query += (query.empty() ? "?" : "&") + name + "=" + query_escape(value);
    };
    if (!target_.empty()) add("target", target_);
    if (!value_.empty()) add("value", value_);
    for (const auto& [name, value] : call_.options) {
      const bool of_client = name == "socket" || name == "json" || name == "names" ||
                             name == "wait" || name == "timeout";
      if (!of_client) add(name, value);
    }
    return query;
  }

  // An answer that is no error, as JSON; nullopt: what is wrong has been said.
  std::optional<json::value> ask(const char* method, const std::string& target) {
    ControlClient::Reply reply;
    if (const auto error = client_->ask(method, target, reply); !error.empty()) {
      fail(error);
      return std::nullopt;
    }
    body_ = reply.body;
    boost::system::error_code error;
    auto value = json::parse(reply.body, error);
    if (error || !value.is_object()) {
      fail("weir answers " + std::to_string(reply.status) + ": " + reply.body);
      return std::nullopt;
    }
    if (const auto* why = value.get_object().if_contains("error"); why != nullptr) {
      fail(why->is_string() ? std::string(why->get_string()) : reply.body);
      return std::nullopt;
    }
    return value;
  }

  int show() {
    const auto answer = ask("GET", "/api/" + std::string(verb_.name) + query());
    if (!answer) return 1;
    const auto text = call_.option("json") != nullptr    ? body_
                      : call_.option("names") != nullptr ? status_names(*answer)
                      : verb_.verb == Verb::explain      ? explain_text(*answer)
                                                         : status_text(*answer);
    std::fputs(text.c_str(), stdout);
    return 0;
  }

  int show_top() {
    TopOptions options;
    if (const auto* text = call_.option("interval")) {
      const auto time = config::parse_time(*text);
      if (!time || *time < kLookEvery) {
        return fail("invalid time \"" + *text + "\" in --interval; write 2 or 500ms");
      }
      options.interval = *time;
    }
    if (const auto* text = call_.option("count")) {
      const auto count = config::parse_number(*text);
      if (!count || *count == 0) return fail("invalid number \"" + *text + "\" in --count");
      options.count = *count;
    }
    return top([this] { return ask("GET", "/api/status"); }, options);
  }

  int change() {
    const auto answer = ask("POST", "/api/" + std::string(verb_.name) + query());
    if (!answer) return 1;
    const auto& object = answer->get_object();
    std::printf("%s\n", std::string(object.at("text").as_string()).c_str());
    std::fflush(stdout);
    if (const auto* warning = object.if_contains("warning")) {
      say(name_, std::string(warning->as_string()));
    }
    return call_.option("wait") != nullptr ? wait() : 0;
  }

  // Until what has been asked for has come about.
  int wait() {
    const SystemClock clock;
    TimePoint deadline = TimePoint::max();
    const auto* limit = call_.option("timeout");
    if (limit != nullptr) {
      const auto time = config::parse_time(*limit);
      if (!time) return fail("invalid time \"" + *limit + "\" in --timeout; write 30 or 5m");
      deadline = clock.now() + *time;
    }
    const auto slash = target_.find('/');
    const auto pool = target_.substr(0, slash);
    const auto peer = slash == std::string::npos ? std::string() : target_.substr(slash + 1);
    std::string left;
    for (;;) {
      const auto status = ask("GET", "/api/status?target=" + query_escape(pool));
      if (!status) return 1;
      const auto& pools = status->at("upstreams").as_array();
      left = pools.empty() ? "the pool has gone" : what_is_left(pools[0].as_object(), peer);
      if (left.empty()) {
        std::printf("%s: %s\n", target_.c_str(), achieved());
        return 0;
      }
      if (clock.now() >= deadline) return fail(target_ + ": not within " + *limit + ": " + left);
      std::this_thread::sleep_for(kLookEvery);
    }
  }

  [[nodiscard]] const char* achieved() const {
    return verb_.verb == Verb::ready || verb_.verb == Verb::first ? "gets requests"
                                                                  : "nothing is left in flight";
  }

  // What the wait is for; empty: nothing any more.
  [[nodiscard]] std::string what_is_left(const json::object& pool, const std::string& peer) const {
    std::int64_t in_flight = 0;
    bool all_serve = true;
    for (const auto& each : pool.at("peers").as_array()) {
      const auto& one = each.as_object();
      const bool meant = peer.empty() || one.at("name").as_string() == peer ||
                         one.at("address").as_string() == peer;
      if (!meant) continue;
      in_flight += one.at("in_flight").to_number<std::int64_t>();
      all_serve = all_serve && one.at("gets_requests").as_bool();
    }
    if (verb_.verb == Verb::ready || verb_.verb == Verb::first) {
      return all_serve ? "" : "it gets no requests yet";
    }
    return in_flight == 0 ? "" : std::to_string(in_flight) + " in flight";
  }

  std::string name_;
  const Configurator::Options& options_;
  const VerbCall& call_;
  const VerbInfo& verb_;
  std::string target_;
  std::string value_;
  std::string body_;  // of the last answer
  std::optional<ControlClient> client_;
};

}  // namespace

int find_verb_argument(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (!argument.starts_with('-')) return admin::find_verb(argument) != nullptr ? i : 0;
    if (takes_value(argument)) ++i;
  }
  return 0;
}

std::string suggest_verb(int argc, const char* const* argv) {
  std::vector<std::string_view> names;
  for (const auto& command : command_table()) names.push_back(command.name);
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (!argument.starts_with('-')) return config::did_you_mean(argument, names);
    if (takes_value(argument)) ++i;
  }
  return {};
}

const std::string* VerbCall::option(const std::string& name) const {
  const auto found = std::find_if(options.begin(), options.end(),
                                  [&](const auto& option) { return option.first == name; });
  return found != options.end() ? &found->second : nullptr;
}

std::string parse_verb(std::vector<std::string>& arguments, std::size_t at, VerbCall& out) {
  out.verb = arguments[at];
  const auto& verb = *admin::find_verb(out.verb);
  std::vector<std::string> rest(arguments.begin(),
                                arguments.begin() + static_cast<std::ptrdiff_t>(at));
  for (std::size_t i = at + 1; i < arguments.size(); ++i) {
    const auto& argument = arguments[i];
    if (argument == "-h" || argument == "--help") {
      out.help = true;
    } else if (!argument.starts_with('-')) {
      out.words.push_back(argument);
    } else if (!argument.starts_with("--")) {
      rest.push_back(argument);
      if (takes_value(argument) && i + 1 < arguments.size()) rest.push_back(arguments[++i]);
    } else {
      const auto equals = argument.find('=');
      const auto name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
      const auto option = name == "socket" ? Option::value : verb.option(name);
      if (option == Option::unknown) {
        return "unknown option \"--" + name + "\"; see weir " + out.verb + " --help";
      }
      std::string value;
      if (equals != std::string::npos) value = argument.substr(equals + 1);
      if (option == Option::flag && equals != std::string::npos) {
        return "option \"--" + name + "\" takes no value";
      }
      if (option != Option::flag && equals == std::string::npos) {
        if (i + 1 >= arguments.size()) return "option \"--" + name + "\" requires a value";
        value = arguments[++i];
      }
      out.options.emplace_back(name, std::move(value));
    }
  }
  arguments = std::move(rest);
  return {};
}

int operate(const Configurator::Options& options, const VerbCall& call) {
  return Operation(options, call, *admin::find_verb(call.verb)).run();
}

}  // namespace weir::main
