// SPDX-License-Identifier: MIT
// The board's memories as host bytes, each with a shadow byte that remembers what
// happened to it: read or written by the guest, initialised by anyone, decoded as
// code. A guest access costs one page lookup and one compare once it is marked.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "memmap/board.h"

namespace mcusim {

enum Shadow : uint8_t {
  kShadowRead = 1,         // by the guest
  kShadowWritten = 2,      // by the guest
  kShadowInitialised = 4,  // loaded, written by host or guest, or not RAM
  kShadowCode = 8,         // part of a decoded block
};

struct MemoryRegion {
  Region region;
  std::unique_ptr<uint8_t[], void (*)(void*)> bytes;   // page aligned
  std::vector<uint8_t> shadow;
};

class Memory {
 public:
  explicit Memory(const Board& board);   // every region but peripheral and system

  static constexpr uint32_t kPageBits = 12;

  // Shadow byte of `address`, or nullptr outside memory. The shadow of a region is
  // contiguous, followed by 8 spare bytes for accesses across its end.
  uint8_t* shadow(uint32_t address) const {
    uint8_t* page = pages_[address >> kPageBits];
    return page == nullptr ? nullptr : page + (address & ((1u << kPageBits) - 1));
  }

  std::vector<MemoryRegion>& regions() { return regions_; }
  const std::vector<MemoryRegion>& regions() const { return regions_; }
  const MemoryRegion* find(uint32_t address, uint32_t bytes = 1) const;

  // Host access. A range may span adjacent regions; throws Error outside memory.
  void read(uint32_t address, std::span<uint8_t> out) const;
  void write(uint32_t address, std::span<const uint8_t> data);   // marks initialised
  bool try_read_word(uint32_t address, uint32_t& word) const;
  bool read_differs(uint32_t address, std::span<const uint8_t> expected) const;
  bool contains(uint32_t address, uint64_t bytes) const;

 private:
  std::vector<MemoryRegion> regions_;
  std::vector<uint8_t*> pages_;
};

// Distinct bytes of a region that the guest touched.
struct ShadowCounts {
  uint64_t read = 0, written = 0, touched = 0;
  uint32_t lowest = 0, end = 0;   // offsets
};
ShadowCounts count_touched(const MemoryRegion& region);

}  // namespace mcusim
