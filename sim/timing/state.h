// SPDX-License-Identifier: MIT
// Carried state as bytes and back, for traces that begin in the middle of a run: each
// class lists its fields once, in carry(), and both archives walk that list.
//
// The bytes are for the timing table that wrote them (a trace names it). A loader
// trusts nothing: sizes, indices and enumerators are bounded before they are used.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "memmap/base/error.h"
#include "sim/decode/instruction.h"

namespace mcusim::timing {

template <typename T>
concept Plain = std::has_unique_object_representations_v<T> || std::is_floating_point_v<T>;

class StateSaver {
 public:
  static constexpr bool kLoads = false;
  template <Plain T>
  void value(T& value) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof value);
  }
  void flag(bool& value) {
    uint8_t byte = value ? 1 : 0;
    this->value(byte);
  }
  // A number below `limit`.
  template <Plain T>
  void below(T& value, uint64_t, const char*) { this->value(value); }
  // A container whose size both sides know.
  template <typename Items>
  void fixed(Items& items) {
    for (auto& item : items) value(item);
  }
  // A container of any size up to `most`; `each` carries one item.
  template <typename Items, typename Each>
  void list(Items& items, size_t, Each each) {
    auto size = static_cast<uint32_t>(items.size());
    value(size);
    for (auto& item : items) each(item);
  }
  void text(std::string& text) {
    list(text, text.size(), [this](char& c) { value(c); });
  }
  std::vector<uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
};

class StateLoader {
 public:
  static constexpr bool kLoads = true;
  explicit StateLoader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  template <Plain T>
  void value(T& value) {
    if (bytes_.size() - next_ < sizeof value) refuse("it is cut off");
    std::memcpy(&value, bytes_.data() + next_, sizeof value);
    next_ += sizeof value;
  }
  void flag(bool& value) {
    uint8_t byte = 0;
    below(byte, 2, "flag");
    value = byte != 0;
  }
  template <Plain T>
  void below(T& value, uint64_t limit, const char* what) {
    this->value(value);
    if (static_cast<uint64_t>(value) >= limit)
      refuse(fmt::format("{} {} (below {})", what, static_cast<uint64_t>(value), limit));
  }
  template <typename Items>
  void fixed(Items& items) {
    for (auto& item : items) value(item);
  }
  template <typename Items, typename Each>
  void list(Items& items, size_t most, Each each) {
    uint32_t size = 0;
    below(size, most + 1, "list size");
    items.clear();
    for (uint32_t i = 0; i < size; ++i) each(items.emplace_back());
  }
  void text(std::string& text) {
    std::vector<char> characters;
    list(characters, 64, [this](char& c) { value(c); });
    text.assign(characters.begin(), characters.end());
  }
  void end() const {
    if (next_ != bytes_.size()) refuse(fmt::format("{} bytes are left over", bytes_.size() - next_));
  }
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error("corrupt state at the start of a window, byte {}: {}", next_, what);
  }

 private:
  std::span<const uint8_t> bytes_;
  size_t next_ = 0;
};

// What prediction and shadow stack ask of an instruction that ran before the window.
template <typename Archive>
void carry(Archive& archive, Instruction& instruction) {
  archive.value(instruction.address);
  archive.value(instruction.branch_target);
  archive.value(instruction.bytes);
  archive.value(instruction.condition);
  for (bool* flag : {&instruction.is_branch, &instruction.is_call, &instruction.is_return, &instruction.is_indirect})
    archive.flag(*flag);
  archive.text(instruction.mnemonic);
}

}  // namespace mcusim::timing
