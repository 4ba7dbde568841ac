// Requests for files: try_files, index, listings, and files themselves, as nginx's static modules
// answer them one after the other.
#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "content/autoindex.h"
#include "http/escape.h"
#include "http/etag.h"
#include "proxy/exchange.h"
#include "proxy/files.h"
#include "proxy/text.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

constexpr std::size_t kFilePiece = 64 * 1024;
constexpr std::size_t kDirect = 96 * 1024;  // from this size on, a file is not read into memory

bool is_missing(int error) { return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG; }

// The status for a file that cannot be opened.
int status_for(int error) {
  if (is_missing(error)) return 404;
  return error == EACCES || error == ELOOP || error == EMLINK ? 403 : 500;
}

std::string failed(const char* call, const std::string& path, int error) {
  return std::string(call) + "() \"" + path + "\" failed (" + std::to_string(error) + ": " +
         std::strerror(error) + ")";
}

bool reads(http::Method method) {
  return method == http::Method::get || method == http::Method::head;
}

struct Directory {
  explicit Directory(const std::string& path) : handle(::opendir(path.c_str())) {}
  ~Directory() {
    if (handle != nullptr) ::closedir(handle);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  DIR* handle;
};

}  // namespace

int Exchange::file_error(const char* call, const std::string& path, int error) {
  const int status = status_for(error);
  if (status != 404 || config().log_not_found) {
    log(status == 500 ? LogLevel::crit : LogLevel::error, failed(call, path, error));
  }
  return status;
}

// ---- try_files
// -------------------------------------------------------------------------------------

Step Exchange::try_files() {
  const auto& files = *location_->config().try_files;
  const auto& root = config().root;
  const bool by_prefix = root.alias && !root.whole;
  std::string path;
  for (const auto& entry : files.entries) {
    std::string name;
    evaluate(entry.path, *this, name);
    const auto prefix = std::string_view(path_).substr(0, std::min(root.prefix, path_.size()));
    if (by_prefix && name.starts_with(prefix)) name.erase(0, prefix.size());
    path.clear();
    std::size_t root_size = 0;
    if (!map_path(*this, {}, path, root_size)) return Step::answer_with(500);
    path.append(name);
    struct stat info {};
    if (!stat_file(*this, path, root_size, info)) {
      if (!is_missing(errno)) log(LogLevel::crit, failed("stat", path, errno));
      continue;
    }
    if (S_ISDIR(info.st_mode) != entry.directory) continue;
    if (by_prefix) {
      path_ = std::string(prefix) + name;
    } else if (!root.alias) {
      path_ = name;
    } else if (!entry.directory) {
      path_ = name;
      add_path_to_alias_ = true;
    }
    return {};
  }
  if (files.status != 0) return Step::answer_with(files.status);
  std::string last;
  evaluate(files.last, *this, last);
  if (last.starts_with('@')) return redirect_to_named(last);
  const auto mark = last.find('?');
  const std::string_view text = last;
  return redirect_to(text.substr(0, mark),
                     mark == std::string::npos ? std::string_view{} : text.substr(mark + 1));
}

// ---- directories
// -----------------------------------------------------------------------------------

net::Task<Step> Exchange::serve_files() {
  if (path_.ends_with('/')) {
    Step step = location_->config().random_index ? random_index() : Step{};
    if (step.goes_on()) step = find_index();
    if (step.goes_on() && config().autoindex && reads(method_)) step = co_await list_directory();
    if (!step.goes_on()) co_return step;
    std::string path;
    std::size_t root_size = 0;
    if (reads(method_) || method_ == http::Method::post) {
      if (map_path(*this, path_, path, root_size)) {
        log(LogLevel::error, "directory index of \"" + path + "\" is forbidden");
      }
      co_return Step::answer_with(403);
    }
    co_return Step::answer_with(405);
  }
  co_return co_await serve_file();
}

Step Exchange::find_index() {
  if (!reads(method_) && method_ != http::Method::post) return {};
  bool directory_seen = false;
  std::string path;
  for (const auto& index : config().index) {
    std::string name;
    evaluate(index, *this, name);
    if (name.starts_with('/')) return redirect_to(name, args_);
    path.clear();
    std::size_t root_size = 0;
    if (!map_path(*this, path_, path, root_size)) return Step::answer_with(500);
    const std::string directory = path;
    path.append(name);
    struct stat info {};
    if (stat_file(*this, path, root_size, info)) return redirect_to(path_ + name, args_);
    if (errno == ENOTDIR || errno == ENAMETOOLONG || errno == EACCES || errno == ELOOP) {
      const int error = errno;
      const bool forbidden = error == EACCES || error == ELOOP;
      if (forbidden || config().log_not_found) {
        log(LogLevel::error, "\"" + path + (forbidden ? "\" is forbidden (" : "\" is not found (") +
                                 std::to_string(error) + ": " + std::strerror(error) + ")");
      }
      return Step::answer_with(forbidden ? 403 : 404);
    }
    if (directory_seen) continue;
    directory_seen = true;
    if (!stat_file(*this, directory, root_size, info)) {
      const int error = errno;
      const int status = status_for(error);
      if (status != 404 || config().log_not_found) {
        log(LogLevel::error, "\"" + path + "\" is not found (" + std::to_string(error) + ": " +
                                 std::strerror(error) + ")");
      }
      return Step::answer_with(status);
    }
  }
  return {};
}

Step Exchange::random_index() {
  if (!reads(method_) && method_ != http::Method::post) return {};
  std::string path;
  std::size_t root_size = 0;
  if (!map_path(*this, path_, path, root_size)) return Step::answer_with(500);
  const Directory directory(path);
  if (directory.handle == nullptr) return Step::answer_with(file_error("opendir", path, errno));
  std::vector<std::string> names;
  while (const auto* entry = ::readdir(directory.handle)) {
    if (entry->d_name[0] == '.') continue;
    struct stat info {};
    const std::string name = entry->d_name;
    if (::stat((path + name).c_str(), &info) == 0 && S_ISREG(info.st_mode)) names.push_back(name);
  }
  if (names.empty()) return {};
  return redirect_to(path_ + names[worker_.random() % names.size()], args_);
}

net::Task<Step> Exchange::list_directory() {
  using Kind = content::DirectoryEntry::Kind;
  std::string path;
  std::size_t root_size = 0;
  if (!map_path(*this, path_, path, root_size)) co_return Step::answer_with(500);
  std::vector<content::DirectoryEntry> entries;
  {
    const Directory directory(path);
    if (directory.handle == nullptr) {
      co_return Step::answer_with(file_error("opendir", path, errno));
    }
    while (const auto* entry = ::readdir(directory.handle)) {
      if (entry->d_name[0] == '.') continue;
      struct stat info {};
      const std::string full = path + entry->d_name;
      if (::stat(full.c_str(), &info) != 0 && ::lstat(full.c_str(), &info) != 0) continue;
      const auto kind = S_ISDIR(info.st_mode)   ? Kind::directory
                        : S_ISREG(info.st_mode) ? Kind::file
                                                : Kind::other;
      entries.push_back({entry->d_name, kind, info.st_size, info.st_mtime});
    }
  }
  content::sort_entries(entries);
  std::string body;
  std::string_view type = "text/html";
  switch (config().autoindex_format) {
    case config::AutoindexFormat::html: {
      content::HtmlListing listing;
      listing.exact_size = config().autoindex_exact_size;
      if (config().autoindex_localtime) {
        const std::time_t now = std::chrono::system_clock::to_time_t(worker_.loop().wall());
        std::tm parts{};
        ::localtime_r(&now, &parts);
        listing.utc_offset = std::chrono::seconds(parts.tm_gmtoff);
      }
      const auto charset = config().charset.constant();
      listing.utf8 = equal_ignoring_case(charset, "utf-8");
      content::append_html_listing(path_, entries, listing, body);
      break;
    }
    case config::AutoindexFormat::json:
      type = "application/json";
      content::append_json_listing(entries, body);
      break;
    case config::AutoindexFormat::jsonp: {
      type = "application/javascript";
      std::string callback;
      evaluate({config::Variable::arg, 0, "callback"}, *this, callback);
      if (!content::is_callback_name(callback)) co_return Step::answer_with(400);
      if (callback.empty()) {
        content::append_json_listing(entries, body);
      } else {
        content::append_jsonp_listing(callback, entries, body);
      }
      break;
    }
    case config::AutoindexFormat::xml:
      type = "text/xml; charset=utf-8";
      content::append_xml_listing(entries, body);
      break;
  }
  co_return co_await answer_text(200, body, type);
}

// ---- files
// -----------------------------------------------------------------------------------------

std::string Exchange::slash_redirect() const {
  std::string to;
  http::escape(path_, http::Escape::uri, to);
  to.push_back('/');
  if (!args_.empty()) to.append("?").append(args_);
  return to;
}

net::Task<Step> Exchange::serve_file() {
  if (!reads(method_) && method_ != http::Method::post) co_return Step::answer_with(405);
  std::string path;
  std::size_t root_size = 0;
  if (!map_path(*this, path_, path, root_size)) co_return Step::answer_with(404);
  if (add_path_to_alias_) path.append(path_);
  if (reads(method_)) {
    const Step step = co_await serve_coded(path, root_size);
    if (!step.goes_on()) co_return step;
  }
  struct stat info {};
  const UniqueFd file = open_file(*this, path, root_size, info);
  if (!file) co_return Step::answer_with(file_error("open", path, errno));
  if (S_ISDIR(info.st_mode)) {
    answer_.location = slash_redirect();
    co_return Step::answer_with(301);
  }
  if (!S_ISREG(info.st_mode)) {
    log(LogLevel::crit, "\"" + path + "\" is not a regular file");
    co_return Step::answer_with(404);
  }
  if (method_ == http::Method::post) co_return Step::answer_with(405);
  co_return co_await send_file(file, info);
}

// A file that has been compressed before: `gzip_static` and its like.
net::Task<Step> Exchange::serve_coded(std::string path, std::size_t root_size) {
  struct Coding {
    config::StaticCoding mode;
    const char* name;
    const char* suffix;
  };
  const Coding codings[] = {{config().zstd_static, "zstd", ".zst"},
                            {config().brotli_static, "br", ".br"},
                            {config().gzip_static, "gzip", ".gz"}};
  const auto size = path.size();
  for (const auto& coding : codings) {
    if (coding.mode == config::StaticCoding::off) continue;
    if (coding.mode == config::StaticCoding::on) {
      vary_on_encoding_ = true;
      if (!accepts_coding(coding.name)) continue;
    }
    path.resize(size);
    path.append(coding.suffix);
    struct stat info {};
    const UniqueFd file = open_file(*this, path, root_size, info);
    if (!file || !S_ISREG(info.st_mode)) continue;
    answer_.set("Content-Encoding", coding.name);
    // As in nginx, no ranges of coded files.
    co_return co_await send_file(file, info, false);
  }
  co_return Step{};
}

net::Task<Step> Exchange::send_file(const UniqueFd& file, const struct stat& info, bool ranges) {
  const auto size = static_cast<std::uint64_t>(info.st_size);
  answer_.status = 200;
  answer_.length = info.st_size;
  answer_.last_modified = info.st_mtime;
  answer_.etag.clear();
  if (config().etag) http::append_etag(info.st_mtime, size, answer_.etag);
  set_content_type();
  answer_.allow_ranges = ranges;
  const Step step = begin_answer(false);
  if (!step.goes_on()) co_return step;
  Error error = co_await surround(config().add_before_body);
  if (error.ok()) error = co_await send_file_body(file, size);
  if (error.ok()) error = co_await end_body(false);
  co_return end_of_answer(error);
}

// The whole file, or the ranges of it that are asked for.
net::Task<Error> Exchange::send_file_body(const UniqueFd& file, std::uint64_t size) {
  Sender* sender = body_sender();
  if (sender == nullptr || !has_body_) co_return Error{};
  if (ranges_.empty()) co_return co_await send_file_part(file, 0, size);
  for (const auto& range : ranges_) {
    if (multipart_) {
      std::string head;
      multipart_->append_part_head(range, head);
      if (const Error error = feed(head.data(), head.size(), 0); !error.ok()) {
        co_return error;
      }
    }
    const Error error = co_await send_file_part(file, static_cast<std::uint64_t>(range.begin),
                                                static_cast<std::uint64_t>(range.end));
    if (!error.ok()) co_return error;
  }
  if (multipart_) {
    std::string end;
    multipart_->append_end(end);
    co_return feed(end.data(), end.size(), 0);
  }
  co_return Error{};
}

net::Task<Error> Exchange::send_file_part(const UniqueFd& file, std::uint64_t begin,
                                          std::uint64_t end) {
  Sender& sender = *body_sender();
  // A small one goes out with the head in one piece.
  const bool direct = filters_.empty() && sender.takes_files() && end - begin > kDirect;
  while (begin < end) {
    if (direct) {
      if (const Error error = co_await drain_sender(0); !error.ok()) co_return error;
      const auto sent = sender.write_file(file.get(), begin, static_cast<std::size_t>(end - begin));
      if (!sender.error().ok()) co_return sender.error();
      begin += sent;
      if (sent == 0) {
        if (const Error error = co_await wait_for_client(); !error.ok()) co_return error;
      }
      continue;
    }
    char* scratch = worker_.scratch().data();
    const auto want = std::min<std::uint64_t>(end - begin, kFilePiece);
    const auto n = ::pread(file.get(), scratch, want, static_cast<off_t>(begin));
    if (n <= 0) {
      log(LogLevel::alert, "a file has become shorter while it was sent");
      co_return Error{Errc::local_resources, n < 0 ? errno : 0};
    }
    begin += static_cast<std::uint64_t>(n);
    const Error error = feed(scratch, static_cast<std::size_t>(n), net::Scratch::kHeadroom);
    if (!error.ok()) co_return error;
    if (const Error stuck = co_await drain_sender(kFilePiece); !stuck.ok()) co_return stuck;
  }
  co_return Error{};
}

}  // namespace weir::proxy
