#include "main/registry_options.h"

#include <getopt.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "config/address_text.h"
#include "config/load.h"
#include "config/units.h"
#include "registry/connection.h"
#include "registry/layout.h"

namespace weir::main {
namespace {

constexpr const char* kPlaceHelp =
    "  --registry URL    redis://, rediss://, unix:// or redis+sentinel://; without it that of "
    "the\n"
    "                    environment: WEIR_REGISTRY_URL, else REDIS_URL\n"
    "  --app APP         the application's name there (main)\n"
    "  --ca FILE         authorities of rediss:// (the system's)\n"
    "  --tls-name NAME   that the server's certificate must be for (the host)\n";

constexpr const char* kNodeHelp =
    "usage: weir node --addr HOST:PORT [OPTION...] [-- COMMAND...]\n"
    "\n"
    "Takes a worker ID from 0 to 31, runs COMMAND with it as WORKER_ID, publishes the node and\n"
    "renews its lease. At SIGTERM it says that the node is draining, waits, ends COMMAND, gives\n"
    "the ID back, and exits as COMMAND did; with 75 if another process holds the ID.\n"
    "\n"
    "  --addr HOST:PORT  where the proxy reaches this node\n"
    "  --check URI       ready when this is answered with 200 to 399 (without it: when --addr can\n"
    "                    be connected to)\n"
    "  --mode MODE       which tasks it has (WORKER_MODE of the environment)\n"
    "  --weight N        1 to 65535 (1)\n"
    "  --version TEXT    of the application\n"
    "  --drain TIME      how long a draining node still serves (10s)\n"
    "  --stop-timeout TIME  from SIGTERM to SIGKILL for COMMAND (30s)\n"
    "  --lease TIME      how long the ID is held without a sign of life (15s)\n"
    "  --settle TIME     no ID is taken from a Redis that has run for less: it may have lost the\n"
    "                    leases of living nodes (6s)\n"
    "  --strict          ends, too, when Redis cannot be reached until the lease is over\n";

constexpr const char* kRegistryHelp =
    "usage: weir registry list [OPTION...]\n"
    "       weir registry drain|ready|release ID [OPTION...]\n"
    "\n"
    "  list      the nodes of the registry\n"
    "  drain     the node gets no new clients, whatever it says of itself, until `ready`\n"
    "  release   frees the ID of a node that is dead; a living one takes it back\n"
    "\n";

class Reader {
 public:
  Reader(const char* name, std::string help) : name_(name), help_(std::move(help)) {}

  [[nodiscard]] bool failed() const { return failed_; }
  void fail(const std::string& text) {
    if (!failed_) std::fprintf(stderr, "%s: %s; see %s --help\n", name_, text.c_str(), name_);
    failed_ = true;
  }
  void show_help() const { std::fputs(help_.c_str(), stdout); }

  void time(const char* option, const char* text, Duration least, Duration& out) {
    const auto time = config::parse_time(text);
    if (!time || *time < least) {
      return fail(std::string("--") + option + ": invalid time \"" + text +
                  "\"; write 500ms or 15s");
    }
    out = *time;
  }
  void number(const char* option, const char* text, std::uint32_t least, std::uint32_t most,
              std::uint32_t& out) {
    const auto number = config::parse_number(text);
    if (!number || *number < least || *number > most) {
      return fail(std::string("--") + option + ": invalid number \"" + text + "\"; from " +
                  std::to_string(least) + " to " + std::to_string(most));
    }
    out = static_cast<std::uint32_t>(*number);
  }
  bool place(int option, RegistryPlace& out) {
    switch (option) {
      case 'r':
        out.url = optarg;
        return true;
      case 'a':
        out.app = optarg;
        if (!registry::is_app_name(out.app)) {
          fail("--app: invalid name; use up to 64 letters, digits, - . and _");
        }
        return true;
      case 'c':
        out.ca = optarg;
        return true;
      case 'n':
        out.tls_name = optarg;
        return true;
      default:
        return false;
    }
  }

 private:
  const char* name_;
  std::string help_;
  bool failed_ = false;
};

const char* from_environment(const char* name) {
  const char* text = std::getenv(name);
  return text != nullptr ? text : "";
}

void check_address(Reader& reader, const std::string& addr) {
  if (addr.empty()) return reader.fail("--addr HOST:PORT is missing");
  std::string error;
  const auto address = config::parse_address(addr, {}, error);
  if (!address) return reader.fail("--addr: " + error);
  if (!address->where.unix_path.empty() || !address->has_port) {
    reader.fail("--addr: write HOST:PORT");
  }
}

void take_node_option(Reader& reader, int option, NodeOptions& out) {
  if (reader.place(option, out.place)) return;
  switch (option) {
    case 'd':
      out.addr = optarg;
      break;
    case 'u':
      out.check = optarg;
      if (!out.check.starts_with('/')) reader.fail("--check: a URI begins with /");
      break;
    case 'm':
      out.mode = optarg;
      break;
    case 'v':
      out.version = optarg;
      break;
    case 'w':
      reader.number("weight", optarg, 1, 65535, out.weight);
      break;
    case 'l':
      reader.time("lease", optarg, Duration{300}, out.lease);
      break;
    case 's':
      reader.time("settle", optarg, Duration{0}, out.settle);
      break;
    case 'D':
      reader.time("drain", optarg, Duration{0}, out.drain);
      break;
    case 't':
      reader.time("stop-timeout", optarg, Duration{0}, out.stop_timeout);
      break;
    case 'S':
      out.strict = true;
      break;
    default:
      reader.fail("unknown option or no value for it");
  }
}

}  // namespace

bool parse_node(int count, char** arguments, NodeOptions& out, int& status) {
  static const option kOptions[] = {{"registry", required_argument, nullptr, 'r'},
                                    {"app", required_argument, nullptr, 'a'},
                                    {"ca", required_argument, nullptr, 'c'},
                                    {"tls-name", required_argument, nullptr, 'n'},
                                    {"addr", required_argument, nullptr, 'd'},
                                    {"check", required_argument, nullptr, 'u'},
                                    {"mode", required_argument, nullptr, 'm'},
                                    {"version", required_argument, nullptr, 'v'},
                                    {"weight", required_argument, nullptr, 'w'},
                                    {"lease", required_argument, nullptr, 'l'},
                                    {"settle", required_argument, nullptr, 's'},
                                    {"drain", required_argument, nullptr, 'D'},
                                    {"stop-timeout", required_argument, nullptr, 't'},
                                    {"strict", no_argument, nullptr, 'S'},
                                    {"help", no_argument, nullptr, 'h'},
                                    {nullptr, 0, nullptr, 0}};
  Reader reader("weir node", std::string(kNodeHelp) + kPlaceHelp);
  out.mode = from_environment("WORKER_MODE");
  status = 1;
  ::opterr = 0;
  // "+": options end where the command begins.
  for (int option; (option = ::getopt_long(count, arguments, "+h", kOptions, nullptr)) != -1;) {
    if (option == 'h') {
      reader.show_help();
      status = 0;
      return true;
    }
    take_node_option(reader, option, out);
    if (reader.failed()) return true;
  }
  check_address(reader, out.addr);
  for (int i = optind; i < count; ++i) out.command.emplace_back(arguments[i]);
  return reader.failed();
}

bool parse_registry(int count, char** arguments, RegistryCommand& out, int& status) {
  static const option kOptions[] = {
      {"registry", required_argument, nullptr, 'r'}, {"app", required_argument, nullptr, 'a'},
      {"ca", required_argument, nullptr, 'c'},       {"tls-name", required_argument, nullptr, 'n'},
      {"help", no_argument, nullptr, 'h'},           {nullptr, 0, nullptr, 0}};
  Reader reader("weir registry", std::string(kRegistryHelp) + kPlaceHelp);
  status = 1;
  ::opterr = 0;
  for (int option; (option = ::getopt_long(count, arguments, "h", kOptions, nullptr)) != -1;) {
    if (option == 'h') {
      reader.show_help();
      status = 0;
      return true;
    }
    if (!reader.place(option, out.place)) reader.fail("unknown option or no value for it");
    if (reader.failed()) return true;
  }
  const std::string word = optind < count ? arguments[optind] : "";
  using What = RegistryCommand::What;
  if (word == "drain") {
    out.what = What::drain;
  } else if (word == "ready") {
    out.what = What::ready;
  } else if (word == "release") {
    out.what = What::release;
  } else if (word != "list") {
    reader.fail(word.empty() ? "what to do is missing" : "unknown command \"" + word + "\"");
  }
  const int wanted = out.what == What::list ? 1 : 2;
  if (!reader.failed() && count - optind != wanted) {
    reader.fail(wanted == 1 ? "list takes no ID" : word + " takes one ID");
  }
  if (!reader.failed() && wanted == 2) {
    std::uint32_t id = 0;
    reader.number("ID", arguments[optind + 1], 0, registry::kSlots - 1, id);
    out.id = id;
  }
  return reader.failed();
}

std::string make_link_options(const RegistryPlace& place, registry::LinkOptions& out) {
  std::string text = place.url;
  if (text.empty()) text = from_environment("WEIR_REGISTRY_URL");
  if (text.empty()) text = from_environment("REDIS_URL");
  if (text.empty()) return "no registry; give --registry URL";
  std::string error;
  auto url = registry::Url::parse(text, error);
  if (!url) return "invalid URL of the registry: " + error;
  out.url = std::move(*url);
  out.tls_name = place.tls_name;
  if (!out.url.tls) {
    return place.ca.empty() && place.tls_name.empty() ? ""
                                                      : "--ca and --tls-name are for rediss://";
  }
  std::string certificates;
  if (!place.ca.empty() && !config::read_file(place.ca, certificates, error)) {
    return "--ca: " + place.ca + ": " + error;
  }
  out.tls = registry::make_tls(certificates, true, error);
  return out.tls != nullptr ? "" : "--ca: " + error;
}

}  // namespace weir::main
