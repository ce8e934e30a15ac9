#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <vector>

#include "core/hash.hpp"
#include "core/ids.hpp"

namespace townd {

/// Rows found by id in constant time. A row's address holds until it is erased. Nothing ever iterates in hash order:
/// `ids()` sorts, `for_each` visits in an order that must not matter.
template <class Row, class IdType>
class Table {
 public:
  struct Slot {
    IdType id;
    Row row;
    Hash128 hash;  ///< what the row last added to the digest
    bool in_use = false;
    bool dirty = false;  ///< listed to be hashed again
  };

  [[nodiscard]] const Row* find(const IdType& id) const {
    const Slot* slot = find_slot(id);
    return slot ? &slot->row : nullptr;
  }
  [[nodiscard]] Row* find(const IdType& id) {
    Slot* slot = find_slot(id);
    return slot ? &slot->row : nullptr;
  }
  [[nodiscard]] const Slot* find_slot(const IdType& id) const {
    if (places_.empty()) return nullptr;
    const std::uint64_t hash = hash_of(id);
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t place = hash & mask();; place = (place + 1) & mask()) {
      const std::uint32_t index = places_[place].index;
      if (index == kFree) return nullptr;
      if (index != kGone && places_[place].tag == tag && slots_[index].id == id) return &slots_[index];
    }
  }
  [[nodiscard]] Slot* find_slot(const IdType& id) {
    return const_cast<Slot*>(static_cast<const Table*>(this)->find_slot(id));
  }

  /// The slot of `id`, made with a default row when there is none.
  Slot& insert(const IdType& id) {
    if (Slot* existing = find_slot(id)) return *existing;
    if ((used_places_ + 1) * 4 > places_.size() * 3) rehash();
    std::uint32_t index = 0;
    if (free_.empty()) {
      index = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    place(id, index);
    Slot& slot = slots_[index];
    slot.id = id;
    slot.in_use = true;
    ++size_;
    return slot;
  }

  void erase(const IdType& id) {
    if (places_.empty()) return;
    for (std::size_t place = hash_of(id) & mask();; place = (place + 1) & mask()) {
      const std::uint32_t index = places_[place].index;
      if (index == kFree) return;
      if (index == kGone || slots_[index].id != id) continue;
      places_[place].index = kGone;
      slots_[index] = Slot{};
      free_.push_back(index);
      --size_;
      return;
    }
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  [[nodiscard]] std::vector<IdType> ids() const {
    std::vector<IdType> all;
    all.reserve(size_);
    for (const Slot& slot : slots_)
      if (slot.in_use) all.push_back(slot.id);
    std::sort(all.begin(), all.end());
    return all;
  }

  /// Room for rows, used or not: places for `slot_at`.
  [[nodiscard]] std::size_t places() const { return slots_.size(); }
  /// The row at a place with its id, none where there is none.
  [[nodiscard]] const Slot* slot_at(std::size_t place) const { return slots_[place].in_use ? &slots_[place] : nullptr; }

  template <class Visit>
  void for_each(Visit visit) const {
    for (const Slot& slot : slots_)
      if (slot.in_use) visit(slot);
  }

 private:
  static constexpr std::uint32_t kFree = 0xffffffff;
  static constexpr std::uint32_t kGone = 0xfffffffe;
  struct Place {
    std::uint32_t index = kFree;
    std::uint32_t tag = 0;
  };

  [[nodiscard]] std::size_t mask() const { return places_.size() - 1; }
  /// Eight bytes at a time; the last eight overlap those before them.
  static std::uint64_t hash_of(const IdType& id) {
    const char* bytes = id.text.data();
    const std::size_t size = id.text.size();
    std::uint64_t hash = size;
    const auto mix = [&hash](std::uint64_t word) {
      hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;  // 2^64 divided by the golden ratio
      hash ^= hash >> 32;
    };
    if (size < sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      for (std::size_t i = 0; i < size; ++i) word = word << 8 | static_cast<unsigned char>(bytes[i]);
      mix(word);
      return hash;
    }
    const auto word_at = [bytes](std::size_t place) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + place, sizeof word);
      return word;
    };
    for (std::size_t at = 0; at + sizeof(std::uint64_t) < size; at += sizeof(std::uint64_t)) mix(word_at(at));
    mix(word_at(size - sizeof(std::uint64_t)));
    return hash;
  }
  /// The half that says nothing about the place: most rows that are not meant are told by it, without a look at them.
  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  void place(const IdType& id, std::uint32_t index) {
    const std::uint64_t hash = hash_of(id);
    for (std::size_t place = hash & mask();; place = (place + 1) & mask()) {
      if (places_[place].index != kFree && places_[place].index != kGone) continue;
      if (places_[place].index == kFree) ++used_places_;
      places_[place] = {index, tag_of(hash)};
      return;
    }
  }
  void rehash() {
    std::size_t wanted = 16;
    while (wanted * 3 < (size_ + 1) * 8) wanted *= 2;
    places_.assign(wanted, Place{});
    used_places_ = 0;
    for (std::uint32_t index = 0; index < slots_.size(); ++index)
      if (slots_[index].in_use) place(slots_[index].id, index);
  }

  std::deque<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<Place> places_;
  std::size_t used_places_ = 0;
  std::size_t size_ = 0;
};

}  // namespace townd
