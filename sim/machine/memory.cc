// SPDX-License-Identifier: MIT
// Memory contents after power-up: flash erased (0xFF, defined), RAM zero but not
// initialised, so that strict checks see who relies on it.
#include "sim/machine/memory.h"

#include <cstdlib>
#include <cstring>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

constexpr uint32_t kPageBytes = 1u << Memory::kPageBits;
constexpr size_t kSpare = 8;

MemoryRegion make_region(const Region& region) {
  if (region.base % kPageBytes != 0 || region.size_bytes % kPageBytes != 0 ||
      region.size_bytes == 0 || uint64_t{region.base} + region.size_bytes > uint64_t{1} << 32)
    throw Error("board region {}: base and size must be non-zero multiples of {} bytes",
                region.name, kPageBytes);
  void* block = std::aligned_alloc(kPageBytes, region.size_bytes);
  if (block == nullptr) throw Error("board region {}: out of host memory", region.name);
  MemoryRegion made{region, {static_cast<uint8_t*>(block), std::free}, {}};
  std::memset(block, region.kind == RegionKind::flash ? 0xff : 0, region.size_bytes);
  const uint8_t fresh = region.kind == RegionKind::flash ? kShadowInitialised : 0;
  made.shadow.assign(region.size_bytes, fresh);
  made.shadow.resize(region.size_bytes + kSpare, kShadowInitialised);
  return made;
}

}  // namespace

Memory::Memory(const Board& board) : pages_(size_t{1} << (32 - kPageBits), nullptr) {
  for (const auto& region : board.regions)
    if (region.kind != RegionKind::peripheral && region.kind != RegionKind::system)
      regions_.push_back(make_region(region));
  for (auto& memory : regions_) {
    const uint32_t first = memory.region.base >> kPageBits;
    for (uint32_t page = 0; page < memory.region.size_bytes >> kPageBits; ++page) {
      if (pages_[first + page] != nullptr)
        throw Error("board region {} overlaps another", memory.region.name);
      pages_[first + page] = memory.shadow.data() + (size_t{page} << kPageBits);
    }
  }
}

const MemoryRegion* Memory::find(uint32_t address, uint32_t bytes) const {
  for (const auto& memory : regions_)
    if (memory.region.contains(address, bytes)) return &memory;
  return nullptr;
}

namespace {

// Calls piece(region, offset, done, count) for each region that [address, +size) crosses.
template <typename Memories, typename Piece>
bool for_pieces(Memories& regions, uint32_t address, uint64_t size, Piece piece) {
  uint64_t done = 0;
  while (done < size) {
    const uint64_t at = uint64_t{address} + done;
    bool found = false;
    for (auto& memory : regions) {
      if (at < memory.region.base || at - memory.region.base >= memory.region.size_bytes) continue;
      const uint64_t offset = at - memory.region.base;
      const uint64_t count = std::min<uint64_t>(size - done, memory.region.size_bytes - offset);
      piece(memory, offset, done, count);
      done += count;
      found = true;
      break;
    }
    if (!found) return false;
  }
  return true;
}

}  // namespace

bool Memory::contains(uint32_t address, uint64_t bytes) const {
  return for_pieces(regions_, address, bytes, [](auto&, uint64_t, uint64_t, uint64_t) {});
}

void Memory::read(uint32_t address, std::span<uint8_t> out) const {
  if (!contains(address, out.size()))
    throw Error("memory: {} bytes at 0x{:08x}: outside the board's memory", out.size(), address);
  for_pieces(regions_, address, out.size(),
             [&](auto& memory, uint64_t offset, uint64_t done, uint64_t count) {
               std::memcpy(out.data() + done, memory.bytes.get() + offset, count);
             });
}

void Memory::write(uint32_t address, std::span<const uint8_t> data) {
  if (!contains(address, data.size()))
    throw Error("memory: {} bytes at 0x{:08x}: outside the board's memory", data.size(), address);
  for_pieces(regions_, address, data.size(),
             [&](auto& memory, uint64_t offset, uint64_t done, uint64_t count) {
               std::memcpy(memory.bytes.get() + offset, data.data() + done, count);
               for (uint64_t i = 0; i < count; ++i)
                 memory.shadow[offset + i] |= kShadowInitialised;
             });
}

bool Memory::try_read_word(uint32_t address, uint32_t& word) const {
  const MemoryRegion* memory = find(address, 4);
  if (memory == nullptr) return false;
  std::memcpy(&word, memory->bytes.get() + (address - memory->region.base), 4);
  return true;
}

bool Memory::read_differs(uint32_t address, std::span<const uint8_t> expected) const {
  const MemoryRegion* memory = find(address, static_cast<uint32_t>(expected.size()));
  return memory == nullptr || std::memcmp(memory->bytes.get() + (address - memory->region.base),
                                          expected.data(), expected.size()) != 0;
}

ShadowCounts count_touched(const MemoryRegion& memory) {
  ShadowCounts counts;
  for (uint32_t offset = 0; offset < memory.region.size_bytes; ++offset) {
    const uint8_t shadow = memory.shadow[offset];
    if ((shadow & (kShadowRead | kShadowWritten)) == 0) continue;
    if (counts.touched++ == 0) counts.lowest = offset;
    counts.end = offset + 1;
    counts.read += (shadow & kShadowRead) != 0;
    counts.written += (shadow & kShadowWritten) != 0;
  }
  return counts;
}

}  // namespace mcusim
