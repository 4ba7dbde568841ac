#include "net/task.h"

#include <array>
#include <new>

namespace weir::net {
namespace {

constexpr std::size_t kStep = 64;
constexpr std::size_t kClasses = 64;  // frames up to 4 KiB

struct FreeLists {
  struct Node {
    Node* next;
  };
  std::array<Node*, kClasses> heads{};
  ~FreeLists() {
    for (auto* head : heads) {
      while (head != nullptr) ::operator delete(std::exchange(head, head->next));
    }
  }
};
thread_local FreeLists lists;

std::size_t class_of(std::size_t size) { return (size + kStep - 1) / kStep; }

}  // namespace

void* FramePool::take(std::size_t size) {
  const auto index = class_of(size);
  if (index >= kClasses) return ::operator new(size);
  auto*& head = lists.heads[index];
  if (head == nullptr) return ::operator new(index* kStep);
  return std::exchange(head, head->next);
}

void FramePool::give(void* frame, std::size_t size) noexcept {
  const auto index = class_of(size);
  if (index >= kClasses) {
    ::operator delete(frame);
    return;
  }
  auto* node = static_cast<FreeLists::Node*>(frame);
  node->next = lists.heads[index];
  lists.heads[index] = node;
}

}  // namespace weir::net
