// What a location's requests need besides its settings, made of them once: tables, limits that
// outlive reloads, sets of types. Shared as const by all workers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "access/acl.h"
#include "access/limit_conn.h"
#include "access/limit_req.h"
#include "access/referer.h"
#include "base/log.h"
#include "base/log_files.h"
#include "config/model.h"
#include "content/accept_encoding.h"
#include "content/charset.h"
#include "content/mime_types.h"
#include "content/substitute.h"
#include "content/type_set.h"
#include "proxy/stats.h"

namespace weir::proxy {

// What the locations of a runtime share while it is built.
struct RouteParts {
  const config::Model& model;
  // By index in Model::limit_zones; one of the two is set.
  std::vector<std::shared_ptr<access::RequestZone>> request_zones;
  std::vector<std::shared_ptr<access::ConnectionZone>> connection_zones;
  // Tables of `types` blocks, by the block.
  std::map<const void*, std::shared_ptr<const content::MimeTypes>> types;
  content::Charsets* charsets = nullptr;         // those that locations name are entered
  const config::ServerConfig* server = nullptr;  // whose locations are being made
  const LogFiles* log_files = nullptr;           // null: no logs are opened
  // Makes the counters of a location; empty: none are kept. Blocks inside count with the location.
  std::function<std::shared_ptr<PerWorker<LocationStats>>(const config::Location&)> counters = {};
  std::shared_ptr<PerWorker<LocationStats>> last_counters = {};
  // Of locations with error logs of their own; those with the same ones share them.
  std::vector<std::pair<std::vector<Log::Target>, std::shared_ptr<Log>>> logs = {};
};

struct LocationTools {
  LocationTools(const config::Location& location, RouteParts& parts);

  access::Acl acl;
  std::vector<access::RequestLimit> request_limits;
  std::vector<access::ConnectionLimit> connection_limits;
  std::shared_ptr<const content::MimeTypes> types;
  content::CompressionPolicy compression;
  content::TypeSet gzip_types;
  content::TypeSet brotli_types;
  content::TypeSet zstd_types;
  content::TypeSet charset_types;
  content::TypeSet sub_filter_types;
  content::TypeSet addition_types;
  content::TypeSet ssi_types;
  std::optional<access::Referers> referers;
  std::shared_ptr<Log> log;                         // null: that of the process
  std::shared_ptr<PerWorker<LocationStats>> stats;  // null: it is not counted
  // The patterns of `sub_filter`, if none of them has variables.
  std::shared_ptr<const content::SubstitutePatterns> substitutions;
  // Something has to look at the head of every answer, or may change its body.
  bool filters = false;
  // There is something to check before a request is answered.
  bool admits = false;
};

}  // namespace weir::proxy
