#include "net/task.h"

#include <new>

namespace weir::net {
namespace {

constexpr std::size_t kStep = 64;
constexpr std::size_t kClasses = 64;  // frames up to 4 KiB

struct Node {
  Node* next;
};

// Without constructor and destructor, so that reaching it costs no check; Sweeper frees the lists
// when the thread ends.
struct FreeLists {
  Node* heads[kClasses];
};
constinit thread_local FreeLists lists{};

struct Sweeper {
  ~Sweeper() {
    for (auto*& head : lists.heads) {
      while (head != nullptr) ::operator delete(std::exchange(head, head->next));
    }
  }
};

void* allocate(std::size_t size) {
  thread_local Sweeper sweeper;
  static_cast<void>(sweeper);
  return ::operator new(size);
}

std::size_t class_of(std::size_t size) { return (size + kStep - 1) / kStep; }

// A sanitizer has to see each frame come and go: what is used again hides who comes too late.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEIR_KEEPS_NO_FRAMES 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WEIR_KEEPS_NO_FRAMES 1
#endif
#ifdef WEIR_KEEPS_NO_FRAMES
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif

}  // namespace

void* FramePool::take(std::size_t size) {
  const auto index = class_of(size);
  if (!kKeeps || index >= kClasses) return ::operator new(size);
  auto*& head = lists.heads[index];
  if (head == nullptr) return allocate(kStep * index);
  return std::exchange(head, head->next);
}

void FramePool::give(void* frame, std::size_t size) noexcept {
  const auto index = class_of(size);
  if (!kKeeps || index >= kClasses) {
    ::operator delete(frame);
    return;
  }
  auto* node = static_cast<Node*>(frame);
  node->next = lists.heads[index];
  lists.heads[index] = node;
}

}  // namespace weir::net
