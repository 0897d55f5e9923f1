// SPDX-License-Identifier: MIT
// One step per instruction: the latest of its constraints decides the issue cycle and
// names the cause of the wait; ties go to the constraint listed first in step().
#include "sim/timing/pipeline.h"

#include <algorithm>

namespace mcusim::timing {
namespace {

// Longest time a result of this kind can make anyone wait: afterwards it is forgotten,
// so that equal situations are equal states.
int longest(Result result) {
  static const auto kLongest = [] {
    std::array<int, kResults> out{};
    for (size_t row = 0; row < kResults; ++row)
      out[row] = *std::max_element(std::begin(kLatency[row]), std::end(kLatency[row]));
    out[static_cast<size_t>(Result::flags)] = kEarlyFlagsDistance;  // the branch rule asks
    return out;
  }();
  return kLongest[static_cast<size_t>(result)];
}

class Evaluator {
 public:
  Evaluator(const Ops& ops, const PipeState& state, const Variation& variation, Schedule& out)
      : ops_(ops), variation_(variation), out_(out), s_(state) {
    for (int reg = 0; reg < kRegisters; ++reg) issued_[reg] = -s_.age[reg];
    blocked_until_ = s_.blocked;
    fp_mac_ = -s_.fp_mac_age;
  }

  void enter(Entry entry, uint32_t address, int redirect_cycles) {
    chunk_ = (address - 1) >> 3;
    switch (entry) {
      case Entry::sequential: return;
      case Entry::taken:
        chunk_ = (address >> 3) - 1;   // one step of the fetch stream, wherever it leads
        if (s_.compression > 0) {
          s_.used = 2;
          blocked_until_ = std::max(blocked_until_, 2);
          s_.blocked_cause = static_cast<uint8_t>(Cause::instruction_fetch);
        }
        break;
      case Entry::mispredicted: refill(kMispredictCycles, Cause::mispredict, address); break;
      case Entry::mispredicted_early:
        refill(kMispredictEarlyFlags, Cause::mispredict, address);
        break;
      case Entry::redirected: refill(redirect_cycles, Cause::mispredict, address); break;
      case Entry::flushed: refill(0, Cause::instruction_fetch, address); break;
    }
    s_.narrow = 0;
    s_.compression = 0;
  }

  void step(size_t index, unsigned bit) {
    const Op& op = ops_.ops[index];
    const bool unaligned = variation_.unaligned >> bit & 1, bank = variation_.bank >> bit & 1;
    const int before = cycle_;

    // Bytes: how many entries of the fetch stream on is the last byte?
    const uint32_t last_chunk = (op.address + op.bytes - 1) >> 3;
    const int entries = static_cast<int>(last_chunk - chunk_);
    int at = cycle_;
    Cause cause = Cause::structural;
    const auto wait = [&](int until, Cause why) {
      if (until > at) { at = until; cause = why; }
    };
    wait(cycle_ + std::max(0, entries - int{s_.ahead}), Cause::instruction_fetch);
    for (uint16_t i = 0; i < op.operands; ++i) {
      const Operand& operand = ops_.operands[op.first_operand + i];
      const auto kind = static_cast<Result>(s_.kind[operand.reg]);
      if (kind != Result::none)
        wait(issued_[operand.reg] + latency(kind, operand.use), cause_of(kind));
    }
    if (op.slots & kFpShadowed) wait(fp_mac_ + kFpShadowCycles + 1, Cause::fp);
    if (op.is_fused && (s_.fp_mac_bits & 1)) wait(fp_mac_ + 2, Cause::fp);

    const bool slot_free = at == cycle_ && s_.used == 1;
    const bool banks_meet = slot_free && loads_conflict(op, bank, unaligned);
    const bool pairs = slot_free && !banks_meet && may_pair(op);
    if (!pairs) {
      // A new cycle. Earlier constraints that end by its start explain nothing.
      const int start = std::max(cycle_ + 1, blocked_until_);
      if (start >= at) {
        at = start;
        cause = static_cast<Cause>(s_.blocked_cause);
      }
    }

    if (at > before) {
      // A cycle begun only because two loads met in a bank is that conflict's.
      add_part(index, banks_meet && may_pair(op) ? Cause::bank_conflict : Cause::issued, 1);
      if (at > before + 1) add_part(index, cause, static_cast<uint32_t>(at - before - 1));
    }
    take(index, op, at, pairs, entries, bank, unaligned);
  }

  void finish() {
    out_.cycles = static_cast<uint32_t>(cycle_);
    s_.blocked = static_cast<uint8_t>(std::max(1, blocked_until_ - cycle_));
    if (s_.blocked == 1) s_.blocked_cause = static_cast<uint8_t>(Cause::structural);
    s_.fp_mac_age = static_cast<uint8_t>(std::min(15, cycle_ - fp_mac_));
    if (s_.fp_mac_age > kFpShadowCycles) {
      s_.fp_mac_age = 15;
      s_.fp_mac_bits = 0;
    }
    if (s_.used != 1) s_.older = s_.older_load = 0;
    for (int reg = 0; reg < kRegisters; ++reg) {
      const int age = cycle_ - issued_[reg];
      if (s_.kind[reg] != 0 && age >= longest(static_cast<Result>(s_.kind[reg]))) s_.kind[reg] = 0;
      s_.age[reg] = static_cast<int8_t>(s_.kind[reg] != 0 ? age : 0);
    }
    out_.exit = s_;
  }

 private:
  void refill(int penalty, Cause cause, uint32_t address) {
    chunk_ = address >> 3;
    s_.ahead = 0;
    s_.used = 2;
    blocked_until_ = std::max(blocked_until_, 1 + penalty);
    s_.blocked_cause = static_cast<uint8_t>(cause);
  }

  bool may_pair(const Op& op) const {
    const uint32_t older = s_.older, both = older & op.slots;
    if ((older | op.slots) & kSingle) return false;
    if (op.slots & kOlderOnly) return false;
    if (both & (kMacUnit | kStorePort | kBranchUnit | kEx1Exclusive | kFpUnit | kFpMoveImmediate))
      return false;
    if ((older & kMacUnit && op.slots & kStorePort) || (older & kStorePort && op.slots & kMacUnit))
      return false;
    if ((older & kDoubleMac) && (op.slots & (kLoadPipe | kStorePort))) return false;
    if ((older & kPairBlocks) && (op.slots & (kFpUnit | kFpShadowOlder))) return false;
    if (op.slots & kFpShadowOlder) {
      if (older & kFpMac) return !(s_.fp_mac_bits & 2);       // beside the first MAC only
      if (cycle_ - fp_mac_ <= kFpShadowCycles) return false;  // older slot only
    }
    if ((op.slots & kFpMac) && (older & kFpShadowOlder) && cycle_ - fp_mac_ <= kFpShadowCycles)
      return false;
    return true;
  }

  bool loads_conflict(const Op& op, bool bank, bool unaligned) const {
    if (!(s_.older & op.slots & kLoadPipe)) return false;
    const bool same_bank = ((s_.older_load & 2) != 0) == bank;
    const bool mixed = ((s_.older_load & 4) != 0) != unaligned;
    return same_bank && !mixed;
  }

  bool all_ready_early(const Op& op, int at) const {
    for (uint16_t i = 0; i < op.operands; ++i) {
      const Operand& operand = ops_.operands[op.first_operand + i];
      const auto kind = static_cast<Result>(s_.kind[operand.reg]);
      if (kind != Result::none && issued_[operand.reg] + latency(kind, Use::early_alu) > at)
        return false;
    }
    return true;
  }

  // Books the instruction at its issue cycle.
  void take(size_t index, const Op& op, int at, bool pairs, int entries, bool bank,
            bool unaligned) {
    const int waited = at - cycle_;
    const int fetched = std::min(int{s_.ahead} + waited, kFetchQueueEntries - 1);
    s_.ahead = static_cast<uint8_t>(std::max(0, fetched - entries));
    chunk_ += static_cast<uint32_t>(entries);
    const int mac_age = at - fp_mac_;
    out_.below += op.below;
    out_.above += op.above;

    const bool early = ((op.slots & kEarlyOlder && !pairs) ||
                        (op.slots & kEarlyShift && !(pairs && s_.older & kEx1Exclusive))) &&
                       all_ready_early(op, at);

    int last = at, extra = op.cycles - 1;
    Cause extra_cause = op.cause;
    if (op.slots & kPairBlocks) {
      blocked_until_ = at + op.cycles;
      s_.blocked_cause = static_cast<uint8_t>(op.cause);
      extra = 0;
    }
    if (extra > 0) add_part(index, extra_cause, static_cast<uint32_t>(extra));
    last += extra;
    if (unaligned) last += charge_unaligned(index, op, pairs, bank);

    for (uint16_t i = 0; i < op.targets; ++i) {
      const Target& target = ops_.targets[op.first_target + i];
      const bool alu = early && target.result == Result::late_alu;
      s_.kind[target.reg] = static_cast<uint8_t>(alu ? Result::early_alu : target.result);
      const bool at_end = op.slots & kPairBlocks || (op.cycles > 1 && !(op.slots & kHalves));
      issued_[target.reg] = (at_end ? at + op.cycles - 1 : at + target.delay) +
                            (op.is_load && !(op.slots & kHalves) ? last - at : 0);
    }
    if (op.slots & kBranchUnit) {
      const auto flags = static_cast<Result>(s_.kind[kFlags]);
      s_.flags_late = flags != Result::none && at - issued_[kFlags] < kEarlyFlagsDistance;
    } else {
      s_.flags_late = 0;
    }

    out_.issue.push_back(static_cast<uint32_t>(at));
    if (op.slots & kFpMac && !(op.slots & kDoubleMac)) {
      s_.fp_mac_bits =
          static_cast<uint8_t>((op.is_fused ? 0 : 1) | (mac_age <= kFpShadowCycles ? 2 : 0));
      fp_mac_ = at;
    }
    s_.used = pairs || (op.slots & kSingle) ? 2 : 1;
    s_.older = pairs ? 0 : op.slots;
    s_.older_load = pairs || !(op.slots & kLoadPipe)
                        ? 0 : static_cast<uint8_t>(1 | (bank ? 2 : 0) | (unaligned ? 4 : 0));
    compress(index, op, last - cycle_, last);
    s_.ahead = static_cast<uint8_t>(std::min(s_.ahead + last - at, kFetchQueueEntries - 1));
    cycle_ = last;
  }

  int charge_unaligned(size_t index, const Op& op, bool pairs, bool bank) {
    int cycles = 0;
    if (op.slots & kHalves) {
      cycles = op.is_store && op.words % 2 == 0 ? 1 : 0;
    } else if (op.is_load) {
      cycles = kUnalignedOlder;
      if (pairs && (s_.older_load & 4)) cycles = kUnalignedYounger - kUnalignedOlder;
      else if (pairs) {
        const bool same_bank = (s_.older_load & 1) && ((s_.older_load & 2) != 0) == bank;
        cycles = same_bank ? kUnalignedYounger - 1 : kUnalignedYounger;
      }
    }
    if (cycles > 0) add_part(index, Cause::unaligned, static_cast<uint32_t>(cycles));
    return cycles;
  }

  // Two 16-bit opcodes must stand before a multiple transfer or soon after it.
  void compress(size_t index, const Op& op, int elapsed, int& last) {
    if (op.bytes == 2) s_.narrow = std::min<uint8_t>(2, s_.narrow + 1);
    if (s_.compression > 0) {
      if (s_.narrow == 2) {
        s_.compression = 0;
      } else if (elapsed >= s_.compression) {
        s_.compression = 0;
        add_part(index, Cause::instruction_fetch, 1);
        last += 1;
        s_.used = 2;
        s_.older = s_.older_load = 0;
      } else {
        s_.compression = static_cast<uint8_t>(s_.compression - elapsed);
      }
    } else if ((op.slots & kFetchPair) && op.words > 1 && s_.narrow < 2) {
      s_.compression = kCompressionCycles + 1;
    }
  }

  void add_part(size_t index, Cause cause, uint32_t cycles) {
    out_.parts.push_back({static_cast<uint16_t>(index), cause, cycles});
  }

  const Ops& ops_;
  const Variation& variation_;
  Schedule& out_;
  PipeState s_;
  std::array<int, kRegisters> issued_{};
  int cycle_ = 0, blocked_until_ = 1, fp_mac_ = -15;
  uint32_t chunk_ = 0;
};

}  // namespace

bool is_valid(const PipeState& state) {
  return std::all_of(state.kind.begin(), state.kind.end(), [](uint8_t kind) { return kind < kResults; }) &&
         (state.used == 1 || state.used == 2) && state.blocked_cause < kCauseCount;
}

Schedule evaluate(const Ops& ops, size_t first, size_t last, const PipeState& state, Entry entry,
                  const Variation& variation, int redirect_cycles) {
  Schedule out;
  out.issue.reserve(last - first);
  Evaluator evaluator(ops, state, variation, out);
  evaluator.enter(entry, ops.ops[first].address, redirect_cycles);
  for (size_t i = first; i < last; ++i) evaluator.step(i, static_cast<unsigned>(i - first));
  evaluator.finish();
  return out;
}

}  // namespace mcusim::timing
