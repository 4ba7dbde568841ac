#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "admin/pages.h"
#include "admin/utf8.h"
#include "tls/staple.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

// Of whole days; negative: it has expired.
std::int64_t days(Duration left) { return std::chrono::floor<std::chrono::days>(left).count(); }

std::int64_t seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

// Of the first one of the certificate; null: no responder is asked about it.
json::value describe_staple(const config::Model& model, const std::string& path) {
  const auto* found = staple_of(model, path);
  if (found == nullptr) return nullptr;
  const auto& progress = found->progress;
  const auto answer = found->present();
  json::object out = {{"responder", to_utf8(found->url())}, {"next", seconds(progress.next)}};
  out["answered"] = answer != nullptr;
  out["next_update"] = answer != nullptr ? json::value(answer->next_update()) : nullptr;
  out["error"] =
      progress.error.empty() ? json::value(nullptr) : json::value(to_utf8(progress.error));
  return out;
}

json::object describe(const Source& source, const config::Model& model,
                      const config::TlsCertificate& certificate) {
  const auto& facts = certificate.facts;
  json::array names;
  for (const auto& name : facts.names) names.emplace_back(to_utf8(name));
  json::object out;
  out["certificate"] = to_utf8(certificate.path);
  out["key"] = to_utf8(certificate.key_path);
  out["names"] = std::move(names);
  out["subject"] = to_utf8(facts.subject);
  out["issuer"] = to_utf8(facts.issuer);
  out["serial"] = facts.serial;
  out["fingerprint"] = facts.fingerprint;
  out["key_type"] = facts.key;
  out["not_before"] = facts.not_before;
  out["not_after"] = facts.not_after;
  out["days_left"] = days(WallTime{std::chrono::seconds{facts.not_after}} - source.clock->wall());
  const auto problem = source.certificate_problem(certificate);
  if (problem.empty()) {
    out["problem"] = nullptr;
  } else {
    out["problem"] = to_utf8(problem);
  }
  out["ocsp"] = describe_staple(model, certificate.path);
  return out;
}

json::object describe(const Source::Order& order) {
  json::array names;
  for (const auto& name : order.names) names.emplace_back(to_utf8(name));
  json::object out = {{"certificate", to_utf8(order.path)}, {"issuer", to_utf8(order.issuer)}};
  out["names"] = std::move(names);
  out["next"] = seconds(order.next);
  out["error"] = order.error.empty() ? json::value(nullptr) : json::value(to_utf8(order.error));
  return out;
}

}  // namespace

const tls::AskedStaple* staple_of(const config::Model& model, const std::string& path) {
  for (const auto& ask : model.staples) {
    if (ask.path == path) return ask.asked.get();
  }
  return nullptr;
}

std::string Source::certificate_problem(const config::TlsCertificate& certificate) const {
  if (!certificate_problems) return {};
  const auto problems = certificate_problems();
  for (const auto* path : {&certificate.path, &certificate.key_path}) {
    const auto found = problems.find(*path);
    if (found != problems.end()) return found->second;
  }
  return {};
}

std::string certificates_json(const Source& source) {
  json::array out;
  if (const auto runtime = source.present()) {
    for (const auto& certificate : runtime->model->certificates) {
      out.emplace_back(describe(source, *runtime->model, certificate));
    }
  }
  json::array orders;
  for (const auto& order : source.orders ? source.orders() : std::vector<Source::Order>()) {
    orders.emplace_back(describe(order));
  }
  return json::serialize(
             json::object{{"certificates", std::move(out)}, {"orders", std::move(orders)}}) +
         "\n";
}

}  // namespace weir::admin
