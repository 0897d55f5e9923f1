// SPDX-License-Identifier: MIT
// See carried.h. Everything here is per instruction or per access, never per block, so
// that where blocks are cut cannot matter.
#include "sim/timing/carried.h"

#include "memmap/base/error.h"

namespace mcusim::timing {

std::unique_ptr<Block> make_block(const DecodedBlock& decoded) {
  auto block = std::make_unique<Block>();
  block->decoded = &decoded;
  block->ops = build_ops(decoded);
  const auto& ops = block->ops.ops;
  for (size_t i = 0; i < ops.size(); ++i) {
    uint8_t traits = 0;
    const auto pipe = [&](size_t k) { return (ops[k].slots & kLoadPipe) != 0; };
    // At a block's border the neighbour is unknown: its bank always counts.
    if (pipe(i) && (i == 0 || i + 1 == ops.size() || pipe(i - 1) || pipe(i + 1)))
      traits |= kBesideLoad;
    if ((ops[i].slots & kHalves) && ops[i].is_store) traits |= kStoreMultiple;
    if (ops[i].slots & kHalves) traits |= kWords;
    const std::string& name = decoded.instructions[i].mnemonic;
    if (name == "dsb" || name == "dmb") traits |= kBarrier;
    block->has_barrier |= (traits & kBarrier) != 0;
    block->has_stores |= ops[i].is_store;
    block->traits.push_back(traits);
    if (i % kSegment == 0) block->segments.push_back({static_cast<uint16_t>(i), 0, {}});
    block->segments.back().last = static_cast<uint16_t>(i + 1);
  }
  return block;
}

Entry Carried::enter(const Block& block) {
    const uint32_t address = block.decoded->address;
  if (!last) return Entry::flushed;
  const uint32_t next = last->address + last->bytes;
  if (!last->is_branch) return address == next ? Entry::sequential : Entry::flushed;
  const bool conditional = last->condition < 14 || last->mnemonic[0] == 'c';
  const bool taken = address != next || !conditional;
  switch (predictor.resolve(*last, taken, address)) {
    case Prediction::right: return taken ? Entry::taken : Entry::sequential;
    case Prediction::late: return Entry::redirected;
    case Prediction::wrong: break;
  }
  const bool on_flags = conditional && last->mnemonic[0] != 'c' && !last->is_indirect;
  return on_flags && !late_flags ? Entry::mispredicted_early : Entry::mispredicted;
}

bool Carried::survey(const Block& block, size_t count, std::span<const trace::Access> accesses,
                     Variation* variations) {
  bool quick = memory.idle(cycle);
    if (stores.latest + kStoreToLoadCycles < cycle) stores.forget();
  RecentStores seen = stores;
  uint32_t previous = ~0u;
  for (const trace::Access& access : accesses) {
    const uint32_t index = access.instruction;
    if (index >= count || (previous != ~0u && index < previous))
      throw Error("timing: access of instruction {} in a run of {}", index, count);
    const uint8_t traits = block.traits[index];
    const uint64_t bit = uint64_t{1} << (index % kSegment);
    Variation& variation = variations[index / kSegment];
    const bool beside = (traits & kBesideLoad) || index + 1 == count;
    if (beside && (access.address & 4)) variation.bank |= bit;
    if (traits & kWords) {
      if ((traits & kStoreMultiple) && index != previous && (access.address & 4))
        variation.unaligned |= bit;
    } else if (access.address & (access.bytes - 1u)) {
      variation.unaligned |= bit;
    }
    if (access.is_write) seen.push(access.address, 0);
    else if (seen.meets(access.address)) quick = false;
    if (quick && !memory.quick(access)) quick = false;
    previous = index;
  }
  return quick;
}

// Instruction fetch of one instruction: whatever lines or entries it begins.
void Carried::fetch(const Block& block, size_t index, bool sequential, uint64_t& now,
                    std::vector<InstructionCycles>& out) {
  const Op& op = block.ops.ops[index];
  const bool cached = memory.caches_instructions(op.address);
  const uint32_t unit = cached ? memory.line_bytes() : 8;
  const uint32_t end = op.address + op.bytes - 1;
  for (uint32_t at = op.address & ~(unit - 1); at <= end; at += unit) {
    const bool begun = at < op.address;   // an earlier instruction brought it
    if (begun && sequential) continue;
    const uint32_t address = std::max(at, op.address);
    const Stall stall = cached ? memory.fetch_line(address, now, sequential || at > op.address)
                               : memory.fetch_entry(address, sequential || at > op.address);
    if (stall.cycles == 0) continue;
    out.push_back({static_cast<uint16_t>(index), stall.cause, stall.cycles});
    now += stall.cycles;
  }
}

// The accesses of one instruction from `now`; the cycle at which it is through.
uint64_t Carried::play_one(const Block& block, size_t index,
                           std::span<const trace::Access> accesses, uint64_t now,
                           std::vector<InstructionCycles>& out) {
  const auto add = [&](const Stall& stall) {
    if (stall.cycles == 0) return;
    out.push_back({static_cast<uint16_t>(index), stall.cause, stall.cycles});
    now += stall.cycles;
  };
  const uint8_t traits = block.traits[index];
  if (traits & kBarrier) add(memory.barrier(now));
  uint64_t word = 0;
  for (const trace::Access& access : accesses) {
    const uint64_t beat = traits & kWords ? word * (access.bytes == 8 ? 2 : 1) / 2 : 0;
    const bool met = !access.is_write && stores.meets(access.address);
    if (met) add({stores.wait(access.address, now + beat), Cause::store_buffer});
    if (!memory.idle(now + beat) || !memory.quick(access)) add(memory.access(access, now + beat));
    if (access.is_write) stores.push(access.address, now + beat);
    ++word;
  }
  return now;
}

void Carried::play(const Block& block, std::span<const trace::Access> accesses, Entry entry,
                   size_t count, bool fetched, const uint32_t* issue,
                   std::vector<InstructionCycles>& out) {
  uint64_t stalled = 0;
  size_t next = 0;
  const auto group = [&](size_t index) {
    const size_t first = next;
    while (next < accesses.size() && accesses[next].instruction == index) ++next;
    return accesses.subspan(first, next - first);
  };
  if (fetched && !block.has_barrier) {
    while (next < accesses.size()) {
      const size_t index = accesses[next].instruction;
      const uint64_t now = cycle + issue[index] + stalled;
      stalled += play_one(block, index, group(index), now, out) - now;
    }
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    const uint64_t begin = cycle + issue[i] + stalled;
    uint64_t now = begin;
    if (!fetched) fetch(block, i, i > 0 || entry == Entry::sequential, now, out);
    stalled += play_one(block, i, group(i), now, out) - begin;
  }
}

void Carried::settle(const Block& block, std::span<const trace::Access> accesses,
                           uint64_t start, const uint32_t* issue) {
  if (!block.has_stores) return;
  size_t first = accesses.size();
  for (int kept = 0; first > 0 && kept < RecentStores::kCount; --first)
    kept += accesses[first - 1].is_write;
  uint64_t word = 0;
  if (first > 0 && first < accesses.size())  // the kept stores may begin inside one instruction
    for (size_t i = first; i > 0 && accesses[i - 1].instruction == accesses[first].instruction; --i)
      ++word;
  for (size_t i = first; i < accesses.size(); ++i) {
    if (i > first && accesses[i].instruction != accesses[i - 1].instruction) word = 0;
    const uint64_t beat = block.traits[accesses[i].instruction] & kWords
                              ? word * (accesses[i].bytes == 8 ? 2 : 1) / 2 : 0;
    if (accesses[i].is_write)
      stores.push(accesses[i].address, start + issue[accesses[i].instruction] + beat);
    ++word;
  }
}

bool Carried::steady_since(const Carried& before) const {
  if (state != before.state || last != before.last || late_flags != before.late_flags ||
      !(predictor == before.predictor) || !memory.same_but_times(before.memory))
    return false;
  for (uint32_t i = 0; i < RecentStores::kCount; ++i)
    if (stores.word[(stores.next + i) % RecentStores::kCount] !=
        before.stores.word[(before.stores.next + i) % RecentStores::kCount])
      return false;
  Carried now = *this, then = before;
  std::vector<uint64_t> ends;
  now.times([&](uint64_t& time) { ends.push_back(time); });
  const uint64_t round = cycle - before.cycle;
  bool steady = true;
  size_t i = 0;
  then.times([&](uint64_t& time) {
    const uint64_t end = ends[i++];
    steady = steady && (end == time + round || (end == time && time <= before.cycle));
  });
  return steady;
}

void Carried::move_on(const Carried& before, uint64_t cycles) {
  Carried then = before;
  std::vector<uint64_t> starts;
  then.times([&](uint64_t& time) { starts.push_back(time); });
  size_t i = 0;
  times([&](uint64_t& time) {
    if (time != starts[i++]) time += cycles;
  });
  cycle += cycles;
}

}  // namespace mcusim::timing
