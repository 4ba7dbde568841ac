// Filters that change the bytes of an answer's body on their way to the client, one after the
// other. Each belongs to one exchange; worker thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

class BodyFilter {
 public:
  BodyFilter() = default;
  virtual ~BodyFilter() = default;
  BodyFilter(const BodyFilter&) = delete;
  BodyFilter& operator=(const BodyFilter&) = delete;

  // Takes `in` and appends what comes of it to `out`. `flush`: nothing may be held back that could
  // be sent; `last`: `in` ends the body. False: the bytes cannot be what they should be.
  [[nodiscard]] virtual bool write(std::string_view in, bool flush, bool last,
                                   std::string& out) = 0;
};

class FilterChain {
 public:
  void add(std::unique_ptr<BodyFilter> filter) { filters_.push_back(std::move(filter)); }
  void add_front(std::unique_ptr<BodyFilter> filter) {
    filters_.insert(filters_.begin(), std::move(filter));
  }
  void clear() { filters_.clear(); }
  [[nodiscard]] bool empty() const { return filters_.empty(); }

  // Runs `in` through all of them and appends the result to `out`.
  [[nodiscard]] bool write(std::string_view in, bool flush, bool last, std::string& out) {
    for (std::size_t i = 0; i + 1 < filters_.size(); ++i) {
      auto& between = buffers_[i & 1];
      between.clear();
      if (!filters_[i]->write(in, flush, last, between)) return false;
      in = between;
    }
    return filters_.back()->write(in, flush, last, out);
  }

 private:
  std::vector<std::unique_ptr<BodyFilter>> filters_;
  std::string buffers_[2];
};

}  // namespace weir::proxy
