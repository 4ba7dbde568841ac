#include "content/preconditions.h"

#include "http/date.h"
#include "http/etag.h"

namespace weir::content {
namespace {

// A date that cannot be read is before every other.
bool unmodified_since(std::string_view date, const Validators& answer) {
  const auto limit = http::parse_date(date);
  return limit && answer.last_modified && *limit >= *answer.last_modified;
}

bool modified_since(std::string_view date, const Validators& answer, IfModifiedSince mode) {
  if (!answer.last_modified || mode == IfModifiedSince::off) return true;
  const auto limit = http::parse_date(date);
  if (!limit) return true;
  return mode == IfModifiedSince::exact ? *limit != *answer.last_modified
                                        : *limit < *answer.last_modified;
}

}  // namespace

Precondition check_preconditions(int status, const Validators& answer, const Conditions& request,
                                 IfModifiedSince mode) {
  if (status != 200) return Precondition::pass;
  if (request.if_unmodified_since && !unmodified_since(*request.if_unmodified_since, answer)) {
    return Precondition::failed;
  }
  if (request.if_match && !http::etag_matches(*request.if_match, answer.etag, false)) {
    return Precondition::failed;
  }
  if (!request.if_modified_since && !request.if_none_match) return Precondition::pass;
  // Both must say that nothing has changed.
  if (request.if_modified_since && modified_since(*request.if_modified_since, answer, mode)) {
    return Precondition::pass;
  }
  if (request.if_none_match && !http::etag_matches(*request.if_none_match, answer.etag, true)) {
    return Precondition::pass;
  }
  return Precondition::not_modified;
}

bool if_range_holds(std::optional<std::string_view> if_range, const Validators& answer) {
  if (!if_range) return true;
  if (if_range->size() >= 2 && if_range->back() == '"') return answer.etag == *if_range;
  return answer.last_modified && http::parse_date(*if_range) == *answer.last_modified;
}

}  // namespace weir::content
