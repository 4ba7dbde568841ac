// A table from keys to small states, bounded in memory, in the order of their use. What the zones
// of limit_req and limit_conn are made of.
//
// Not safe for threads by itself: its owner locks. Nothing in here allocates while it is locked:
// nodes are made before and freed after.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "base/siphash.h"

namespace weir::access {

template <typename State>
class KeyTable {
 public:
  // One allocation, the key's bytes behind it.
  class Node {
   public:
    [[nodiscard]] std::string_view key() const {
      return {reinterpret_cast<const char*>(this + 1), key_size_};
    }
    State state{};

   private:
    friend class KeyTable;
    Node* next_ = nullptr;   // in its bucket
    Node* newer_ = nullptr;  // used after this one
    Node* older_ = nullptr;
    std::uint64_t hash_ = 0;
    std::size_t key_size_ = 0;
  };
  struct FreeNode {
    void operator()(Node* node) const {
      node->~Node();
      ::operator delete(node);
    }
  };
  using NodePointer = std::unique_ptr<Node, FreeNode>;

  // `bytes` bound the states as nginx reckons them: `overhead` and the key of each, rounded up to a
  // power of two. So a zone holds as many keys as nginx's of that size. The buckets come on top.
  KeyTable(std::size_t bytes, std::size_t overhead, HashSeed seed)
      : buckets_(std::bit_ceil(bytes / std::bit_ceil(overhead) + 1)),
        bytes_(bytes),
        overhead_(overhead),
        seed_(seed) {}
  KeyTable(const KeyTable&) = delete;
  KeyTable& operator=(const KeyTable&) = delete;
  ~KeyTable() {
    while (newest_ != nullptr) (void)take(*newest_);
  }

  // Does not look at the table: to be called without the lock.
  [[nodiscard]] std::uint64_t hash(std::string_view key) const { return siphash(key, seed_); }
  [[nodiscard]] static NodePointer make(std::string_view key, std::uint64_t hash) {
    NodePointer node(new (::operator new(sizeof(Node) + key.size())) Node);
    node->hash_ = hash;
    node->key_size_ = key.size();
    std::memcpy(static_cast<void*>(node.get() + 1), key.data(), key.size());
    return node;
  }

  [[nodiscard]] Node* find(std::string_view key, std::uint64_t hash) const {
    for (Node* node = bucket(hash); node != nullptr; node = node->next_) {
      if (node->hash_ == hash && node->key() == key) return node;
    }
    return nullptr;
  }
  [[nodiscard]] bool has_room_for(std::string_view key) const {
    return used_ + charge(key.size()) <= bytes_;
  }
  // The key must not be there. There must be room.
  Node& insert(NodePointer owned) {
    Node& node = *owned.release();
    used_ += charge(node.key_size_);
    ++size_;
    Node*& head = bucket(node.hash_);
    node.next_ = std::exchange(head, &node);
    link_newest(node);
    return node;
  }
  [[nodiscard]] NodePointer take(Node& node) {
    Node** at = &bucket(node.hash_);
    while (*at != &node) at = &(*at)->next_;
    *at = node.next_;
    unlink(node);
    used_ -= charge(node.key_size_);
    --size_;
    return NodePointer(&node);
  }
  // It is the one used last, from now on.
  void touch(Node& node) {
    if (newest_ == &node) return;
    unlink(node);
    link_newest(node);
  }
  // The one used longest ago; null if there is none.
  [[nodiscard]] Node* oldest() const { return oldest_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  [[nodiscard]] std::size_t charge(std::size_t key_size) const {
    return std::bit_ceil(overhead_ + key_size);
  }
  [[nodiscard]] Node*& bucket(std::uint64_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }
  [[nodiscard]] Node* bucket(std::uint64_t hash) const {
    return buckets_[hash & (buckets_.size() - 1)];
  }
  void link_newest(Node& node) {
    node.newer_ = nullptr;
    node.older_ = newest_;
    (newest_ != nullptr ? newest_->newer_ : oldest_) = &node;
    newest_ = &node;
  }
  void unlink(Node& node) {
    (node.newer_ != nullptr ? node.newer_->older_ : newest_) = node.older_;
    (node.older_ != nullptr ? node.older_->newer_ : oldest_) = node.newer_;
  }

  std::vector<Node*> buckets_;
  std::size_t bytes_;
  std::size_t overhead_;
  HashSeed seed_;
  Node* newest_ = nullptr;
  Node* oldest_ = nullptr;
  std::size_t used_ = 0;
  std::size_t size_ = 0;
};

}  // namespace weir::access
