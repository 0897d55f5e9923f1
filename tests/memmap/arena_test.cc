// SPDX-License-Identifier: MIT
// Arena placement against independent oracles: overlap by bytes, the live peak
// by summing each operator, and the optimum of small cases by brute force.
#include "memmap/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

uint32_t peak_by_summing(const std::vector<Buffer>& buffers) {
  uint64_t peak = 0;
  for (uint32_t op = 0; op < 64; ++op) {
    uint64_t live = 0;
    for (const auto& b : buffers)
      if (b.first_use <= op && op <= b.last_use) live += b.size_bytes;
    peak = std::max(peak, live);
  }
  return static_cast<uint32_t>(peak);
}

// Marks every byte of every operator; a byte claimed twice is an overlap.
void expect_sound(const std::vector<Buffer>& buffers, const Placement& placement) {
  ASSERT_EQ(placement.offsets.size(), buffers.size());
  uint32_t highest = 0;
  for (size_t i = 0; i < buffers.size(); ++i)
    highest = std::max(highest, placement.offsets[i] + buffers[i].size_bytes);
  EXPECT_EQ(placement.arena_bytes, highest);
  EXPECT_GE(placement.arena_bytes, peak_by_summing(buffers));
  for (uint32_t op = 0; op < 64; ++op) {
    std::vector<bool> taken(placement.arena_bytes);
    for (size_t i = 0; i < buffers.size(); ++i) {
      if (op < buffers[i].first_use || op > buffers[i].last_use) continue;
      for (uint32_t byte = 0; byte < buffers[i].size_bytes; ++byte) {
        ASSERT_FALSE(taken[placement.offsets[i] + byte]) << "operator " << op << " buffer " << i;
        taken[placement.offsets[i] + byte] = true;
      }
    }
  }
}

// Smallest arena over all offset assignments with unit bytes (tiny cases only).
bool fits(const std::vector<Buffer>& buffers, std::vector<uint32_t>& offsets, uint32_t arena) {
  const size_t i = offsets.size();
  if (i == buffers.size()) return true;
  for (uint32_t at = 0; at + buffers[i].size_bytes <= arena; ++at) {
    bool free = true;
    for (size_t k = 0; k < i && free; ++k)
      free = buffers[k].last_use < buffers[i].first_use ||
             buffers[i].last_use < buffers[k].first_use ||
             offsets[k] + buffers[k].size_bytes <= at || at + buffers[i].size_bytes <= offsets[k];
    if (!free) continue;
    offsets.push_back(at);
    if (fits(buffers, offsets, arena)) return true;
    offsets.pop_back();
  }
  return false;
}

uint32_t optimum(const std::vector<Buffer>& buffers) {
  for (uint32_t arena = peak_by_summing(buffers);; ++arena) {
    std::vector<uint32_t> offsets;
    if (fits(buffers, offsets, arena)) return arena;
  }
}

TEST(Arena, ChainIsInPlusOutExactly) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<Buffer> chain;
    uint32_t peak = 0;
    const uint32_t count = 2 + random() % 30;
    for (uint32_t i = 0; i < count; ++i) {
      chain.push_back({1 + static_cast<uint32_t>(random() % 500), i ? i - 1 : 0, i});
      if (i) peak = std::max(peak, chain[i - 1].size_bytes + chain[i].size_bytes);
    }
    const auto placement = place(chain);
    expect_sound(chain, placement);
    EXPECT_EQ(placement.arena_bytes, peak);
    EXPECT_EQ(live_peak_bytes(chain), peak);
  }
}

TEST(Arena, AlignedWhereThatIsFree) {
  const auto placement = place({{64, 0, 1}, {32, 1, 2}, {96, 2, 3}});
  EXPECT_EQ(placement.arena_bytes, 128u);
  for (const uint32_t offset : placement.offsets) EXPECT_EQ(offset % 8, 0u);
  EXPECT_EQ(place({{10, 0, 1}, {13, 1, 2}}).arena_bytes, 23u);
}

TEST(Arena, SmallCasesReachTheOptimum) {
  std::mt19937 random(2);
  for (int round = 0; round < 300; ++round) {
    std::vector<Buffer> buffers;
    const size_t count = 1 + random() % 6;
    for (size_t i = 0; i < count; ++i) {
      const uint32_t first = random() % 6;
      buffers.push_back({1 + static_cast<uint32_t>(random() % 5), first,
                         first + static_cast<uint32_t>(random() % 4)});
    }
    const auto placement = place(buffers);
    expect_sound(buffers, placement);
    EXPECT_EQ(placement.arena_bytes, optimum(buffers)) << "round " << round;
  }
}

TEST(Arena, BranchesStayNearTheLivePeak) {
  std::mt19937 random(3);
  double sum = 0;
  constexpr int kRounds = 30;
  for (int round = 0; round < kRounds; ++round) {
    // A residual network: a chain whose every third tensor lives on to an add.
    std::vector<Buffer> buffers;
    for (uint32_t i = 0; i < 30; ++i)
      buffers.push_back({16 * (1 + static_cast<uint32_t>(random() % 40)), i ? i - 1 : 0,
                         i % 3 == 0 ? i + 2 : i});
    const auto placement = place(buffers);
    expect_sound(buffers, placement);
    EXPECT_EQ(live_peak_bytes(buffers), peak_by_summing(buffers));
    sum += static_cast<double>(placement.arena_bytes) / live_peak_bytes(buffers);
  }
  EXPECT_LT(sum / kRounds, 1.02);
}

TEST(Arena, DeterministicAndRefusesNonsense) {
  std::mt19937 random(4);
  std::vector<Buffer> buffers;
  for (uint32_t i = 0; i < 40; ++i) {
    const uint32_t first = random() % 50;
    buffers.push_back({static_cast<uint32_t>(random() % 999), first, first + 8});
  }
  EXPECT_EQ(place(buffers).offsets, place(buffers).offsets);
  expect_sound(buffers, place(buffers));
  EXPECT_EQ(place({}).arena_bytes, 0u);
  EXPECT_THROW(place({{1, 3, 2}}), Error);
  EXPECT_THROW(place({{0xFFFFFFFF, 0, 1}, {0xFFFFFFFF, 1, 2}}), Error);
}

}  // namespace
}  // namespace mcusim
