// LD_PRELOAD library: counts the calls of malloc and its relatives of a process and its children
// in the page of shared memory that the file named by WEIR_COUNT_ALLOC backs. operator new of
// libstdc++ ends in malloc, so it is counted there. glibc only: it calls __libc_malloc.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* old);
}

namespace {

// Read by bench/allocations as three little-endian 64-bit numbers.
struct Counters {
  std::atomic<std::uint64_t> allocations{0};
  std::atomic<std::uint64_t> releases{0};
  std::atomic<std::uint64_t> bytes{0};
};

// Calls before the page is mapped are counted where nobody looks.
constinit Counters before_mapping;
constinit std::atomic<Counters*> counters{&before_mapping};

[[gnu::constructor]] void map_page() {
  const char* path = std::getenv("WEIR_COUNT_ALLOC");
  if (path == nullptr) return;
  const int fd = ::open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* page = ::mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (page != MAP_FAILED) counters.store(static_cast<Counters*>(page));
}

void count(std::size_t bytes) {
  Counters& now = *counters.load(std::memory_order_relaxed);
  now.allocations.fetch_add(1, std::memory_order_relaxed);
  now.bytes.fetch_add(bytes, std::memory_order_relaxed);
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
  count(size);
  return __libc_malloc(size);
}

void* calloc(std::size_t n, std::size_t size) {
  count(n * size);
  return __libc_calloc(n, size);
}

void* realloc(void* old, std::size_t size) {
  count(size);
  return __libc_realloc(old, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  count(size);
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }

int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  *out = memalign(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}

void free(void* old) {
  if (old != nullptr) {
    counters.load(std::memory_order_relaxed)->releases.fetch_add(1, std::memory_order_relaxed);
  }
  __libc_free(old);
}
}
