// SPDX-License-Identifier: MIT
// Rows and matrix of the timing table. Sources: J = jnk0le/random
// "pipeline cycle test/doc/cortex_m7.md" (measured on an STM32H743), L = LLVM
// ARMScheduleM7.td, LM = ARMLatencyMutations.cpp, G = GCC cortex-m7.md, S = slothy
// cortex_m7.py. Where they conflict J is preferred, as it was measured.
#include "sim/timing/timing_table.h"

#include <unordered_map>
#include <vector>

#include "memmap/base/error.h"

namespace mcusim::timing {
namespace {

constexpr Result kNoResult = Result::none;
using enum Use;
constexpr uint32_t kBitfield = kOlderOnly;
constexpr uint32_t kBitfieldEx1 = kOlderOnly | kEx1Exclusive;
constexpr uint32_t kFp = kFpUnit;

constexpr TimingRow kRows[] = {
    // Integer ALU.
    {"alu", "add sub addw subw adr mov movw movt", kEarlyOlder, Result::late_alu, late, accumulator,
     1, Cause::structural, "J, L, S, M"},
    {"logic", "and orr orn eor bic mvn rsb adc sbc rrx cmp cmn tst teq", kAny, Result::late_alu,
     late, accumulator, 1, Cause::structural, "J, L"},
    {"shift", "lsl lsr asr ror", kEarlyShift, Result::late_alu, late, accumulator, 1,
     Cause::structural, "J, L"},
    // Bitfield and SIMD: older slot only (J, L, M against G).
    {"bitfield early", "ubfx sbfx", kBitfieldEx1, Result::simd, early, accumulator, 1,
     Cause::structural, "J, LM"},
    {"reverse", "rev rev16 revsh rbit", kBitfieldEx1, Result::rev, early, accumulator, 1,
     Cause::structural, "J, L (0 to a late ALU)"},
    {"insert", "bfi bfc pkhbt uxtab uxtah sxtab sxtah uxtab16 sxtab16", kBitfieldEx1, Result::simd,
     late_beside_early, accumulator, 1, Cause::structural, "J, LM"},
    {"pack top", "pkhtb", kBitfieldEx1, Result::simd, early, accumulator, 1, Cause::structural,
     "J: the first operand early as well"},
    {"extend",
     "uxtb uxth sxtb sxth uxtb16 sxtb16 clz sel sadd* uadd* ssub* usub* sasx ssax uasx usax "
     "shadd* shsub* shasx shsax uhadd* uhsub* uhasx uhsax",
     kBitfield, Result::simd, late, accumulator, 1, Cause::structural, "J, L"},
    {"saturate", "qadd* qsub* qdadd qdsub qasx qsax uqadd* uqsub* uqasx uqsax usad8 ssat* usat*",
     kBitfield, Result::simd_slow, late, accumulator, 1, Cause::structural, "L (2)"},
    // Multiply.
    {"mac",
     "mul mla mls smull umull smlal umlal umaal smla* smlsd* smlald* smlsld* smlal* smul* smuad* "
     "smusd* smmul* smmla* smmls* usada8",
     kMacUnit, Result::mac, multiplicand, accumulator, 1, Cause::mac, "J, L, LM"},
    {"divide", "udiv sdiv", kSingle, Result::divide, divide, accumulator, 7, Cause::divide,
     "L (7), G (4); data dependent in hardware, law unknown: guess", 3, 12},
    // Loads and stores.
    {"load word", "ldr ldrt", kLoadPipe, Result::load_word, late, accumulator, 1, Cause::structural,
     "J, L, LM, S"},
    {"load narrow", "ldrb ldrbt ldrsb ldrsbt ldrh ldrht ldrsh ldrsht", kLoadPipe,
     Result::load_narrow, late, accumulator, 1, Cause::structural, "J, L"},
    {"load exclusive", "ldrex ldrexb ldrexh", kLoadPipe | kSingle, Result::load_word, late,
     accumulator, 1, Cause::structural, "guess: as LDR, alone", 1, 3},
    {"preload", "pld pli", kLoadPipe, kNoResult, late, accumulator, 1, Cause::structural, "J"},
    {"load multiple", "ldrd ldm ldmdb pop", kSingle | kHalves | kFetchPair, Result::load_word, late,
     accumulator, 1, Cause::structural, "J, L, G"},
    {"store", "str strt strb strbt strh strht", kStorePort, kNoResult, late, accumulator, 1,
     Cause::structural, "J, L, LM, S"},
    {"store exclusive", "strex strexb strexh", kStorePort | kSingle, Result::load_word, late,
     accumulator, 1, Cause::structural, "guess: as STR, alone, status as a load", 1, 3},
    {"store multiple", "strd stm stmdb push", kSingle | kHalves | kFetchPair, kNoResult, late,
     accumulator, 1, Cause::structural, "J"},
    // Control.
    {"branch", "b bl bx blx cbz cbnz", kBranchUnit, Result::late_alu, late, accumulator, 1,
     Cause::structural, "J, R"},
    {"table branch", "tbb tbh", kBranchUnit | kSingle, kNoResult, late, accumulator, 2,
     Cause::structural, "L"},
    {"it", "it", kAny, kNoResult, late, accumulator, 1, Cause::structural, "J"},
    {"nop", "nop", kAny, kNoResult, late, accumulator, 1, Cause::structural, "J"},
    {"system", "mrs msr cps clrex", kSingle, Result::system, late, accumulator, 1,
     Cause::structural, "L"},
    {"hint", "yield wfe wfi sev hint dbg", kSingle, kNoResult, late, accumulator, 3, Cause::barrier,
     "L (3 assumed)"},
    {"barrier", "dmb dsb isb", kSingle, kNoResult, late, accumulator, 3, Cause::barrier,
     "L (3 assumed)"},
    {"trap", "svc bkpt udf", kSingle, kNoResult, late, accumulator, 1, Cause::structural,
     "exception cost is charged apart"},
    // Single precision.
    {"fp add",
     "vadd.f32 vsub.f32 vabs.f32 vneg.f32 vmaxnm.f32 vminnm.f32 vsel*.f32 vcmp.f32 vcmpe.f32",
     kFp | kFpShadowed, Result::fp_alu, fp_add, fused_accumulator, 1, Cause::fp, "J, L"},
    {"fp convert",
     "vcvt.s32.f32 vcvt.u32.f32 vcvt.f32.s32 vcvt.f32.u32 vcvtr.s32.f32 vcvtr.u32.f32 "
     "vcvtb* vcvtt* vcvta.*.f32 vcvtn.*.f32 vcvtp.*.f32 vcvtm.*.f32 vrint*.f32 vcvt.f32.s16 "
     "vcvt.f32.u16 vcvt.s16.f32 vcvt.u16.f32",
     kFp | kFpShadowed, Result::fp_alu, fp_add, fused_accumulator, 1, Cause::fp, "L (3)"},
    {"fp multiply", "vmul.f32 vnmul.f32", kFp, Result::fp_alu, fp_multiply, fused_accumulator, 1,
     Cause::fp, "J"},
    {"fp fused", "vfma.f32 vfms.f32 vfnma.f32 vfnms.f32", kFp | kFpMac, Result::fp_fused,
     fp_multiply, fused_accumulator, 1, Cause::fp, "J"},
    {"fp chained", "vmla.f32 vmls.f32 vnmla.f32 vnmls.f32", kFp | kFpMac, Result::fp_chained,
     fp_multiply, chained_accumulator, 1, Cause::fp, "J"},
    {"fp divide", "vdiv.f32", kFp | kPairBlocks, Result::fp_divide, fp_multiply, fused_accumulator,
     16, Cause::fp, "J"},
    {"fp root", "vsqrt.f32", kFp | kPairBlocks, Result::fp_divide, fp_multiply, fused_accumulator,
     14, Cause::fp, "J"},
    // Double precision: data dependent; the value for operands of unequal exponents.
    {"double add",
     "vadd.f64 vsub.f64 vabs.f64 vneg.f64 vmaxnm.f64 vminnm.f64 vsel*.f64 vcmp.f64 "
     "vcmpe.f64",
     kFp | kFpShadowed | kOlderOnly | kPairBlocks, Result::fp_double, fp_add, fused_accumulator, 2,
     Cause::fp, "J (1 to 3)", 1, 3},
    {"double convert",
     "vcvt.*.f64 vcvt.f64.* vcvtr.*.f64 vcvta.*.f64 vcvtn.*.f64 vcvtp.*.f64 "
     "vcvtm.*.f64 vrint*.f64",
     kFp | kFpShadowed | kOlderOnly | kPairBlocks, Result::fp_double, fp_add, fused_accumulator, 1,
     Cause::fp, "guess: as VADD.D", 1, 3},
    {"double multiply", "vmul.f64 vnmul.f64", kFp | kOlderOnly | kPairBlocks, Result::fp_double,
     fp_multiply, fused_accumulator, 5, Cause::fp, "J (4 to 5)", 4, 5},
    {"double fused", "vfma.f64 vfms.f64 vfnma.f64 vfnms.f64",
     kFp | kFpMac | kOlderOnly | kPairBlocks | kDoubleMac, Result::fp_double, fp_multiply,
     fused_accumulator, 7, Cause::fp, "J (6 to 10)", 6, 10},
    {"double chained", "vmla.f64 vmls.f64 vnmla.f64 vnmls.f64",
     kFp | kFpMac | kOlderOnly | kPairBlocks | kDoubleMac, Result::fp_double, fp_multiply,
     chained_accumulator, 7, Cause::fp, "J (5 to 10)", 5, 10},
    {"double divide", "vdiv.f64", kFp | kOlderOnly | kPairBlocks, Result::fp_double, fp_multiply,
     fused_accumulator, 30, Cause::fp, "J (2 with a zero operand)", 2, 30},
    {"double root", "vsqrt.f64", kFp | kOlderOnly | kPairBlocks, Result::fp_double, fp_multiply,
     fused_accumulator, 28, Cause::fp, "guess: as VDIV.D less the single-precision difference", 20,
     32},
    // FP moves and memory.
    {"fp immediate", "vmov.f32# vmov.f64#", kFpShadowed | kFpMoveImmediate, Result::fp_move,
     fp_move, fused_accumulator, 1, Cause::fp, "J"},
    {"fp move", "vmov.f32 vmov.f64", kFpShadowOlder, Result::fp_move, fp_move, fused_accumulator, 1,
     Cause::fp, "J"},
    {"fp from core", "vmov<", kFpShadowOlder, Result::fp_move, late, fused_accumulator, 1,
     Cause::fp, "J"},
    {"fp to core", "vmov>", kFpShadowOlder, Result::fp_to_core, fp_out, fused_accumulator, 1,
     Cause::fp, "J"},
    {"fp move pair", "vmov<< vmov>>", kSingle, Result::fp_move, fp_out, fused_accumulator, 1,
     Cause::fp, "J"},
    {"fp status", "vmrs vmsr", kSingle, Result::fp_to_core, fp_out, fused_accumulator, 1, Cause::fp,
     "guess: as VMOV to core, alone", 1, 3},
    {"fp load", "vldr.32", kLoadPipe | kFpShadowOlder, Result::fp_load, late, fused_accumulator, 1,
     Cause::structural, "J"},
    {"fp store", "vstr.32", kStorePort | kFpShadowOlder, kNoResult, late, fused_accumulator, 1,
     Cause::structural, "J"},
    {"fp double load", "vldr.64", kSingle | kFpShadowed, Result::fp_load, late, fused_accumulator,
     1, Cause::structural, "J"},
    {"fp double store", "vstr.64", kSingle | kFpShadowed, kNoResult, late, fused_accumulator, 1,
     Cause::structural, "J"},
    {"fp load multiple", "vldmia vldmdb vpop", kSingle | kHalves | kFpShadowed | kFetchPair,
     Result::fp_load, late, fused_accumulator, 1, Cause::structural, "J"},
    {"fp store multiple", "vstmia vstmdb vpush", kSingle | kHalves | kFpShadowed | kFetchPair,
     kNoResult, late, fused_accumulator, 1, Cause::structural, "J"},
};

// Pattern with one or more '*', each matching any run of characters.
bool matches(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*') {
    for (size_t skip = 0; skip <= name.size(); ++skip)
      if (matches(pattern.substr(1), name.substr(skip))) return true;
    return false;
  }
  return !name.empty() && pattern[0] == name[0] && matches(pattern.substr(1), name.substr(1));
}

// The name a row is found by: FP moves and memory operations by shape.
std::string key_of(const Instruction& i) {
  if (i.mnemonic == "vldr" || i.mnemonic == "vstr")
    return i.mnemonic + (i.access_bytes == 8 ? ".64" : ".32");
  if (!i.mnemonic.starts_with("vmov")) return i.mnemonic;
  constexpr RegisterSet kCore = 0x7FFF;
  const RegisterSet core_read = i.reads & kCore, core_written = i.writes & kCore;
  const auto two = [](RegisterSet bits) { return (bits & (bits - 1)) != 0; };
  if (core_read) return two(core_read) ? "vmov<<" : "vmov<";
  if (core_written) return two(core_written) ? "vmov>>" : "vmov>";
  return (i.reads >> kS0) != 0 ? i.mnemonic : i.mnemonic + "#";
}

}  // namespace

// Columns: late early late* alu1 base idx mul acc store div pred | fadd fmul fuacc chacc fstore out
// move
const int8_t kLatency[kResults][kUses] = {
    /* none        */ {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    /* late_alu    */ {1, 2, 1, 2, 2, 2, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    /* early_alu   */ {0, 1, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    /* rev         */ {0, 2, 0, 1, 2, 2, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    /* simd        */ {1, 2, 1, 2, 2, 2, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    /* simd_slow   */ {2, 3, 2, 3, 3, 3, 2, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2},
    /* address     */ {0, 1, 0, 2, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    /* load_word   */ {1, 2, 2, 2, 2, 3, 2, 0, 0, 2, 1, 1, 1, 1, 1, 1, 1, 1},
    /* load_narrow */ {2, 3, 2, 3, 3, 3, 2, 1, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2},
    /* mac         */ {2, 3, 2, 3, 4, 4, 2, 1, 1, 2, 2, 1, 1, 1, 1, 1, 1, 1},
    /* divide      */ {1, 2, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    /* system      */ {3, 4, 3, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3},
    /* flags       */ {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    /* fp_alu      */ {3, 3, 3, 3, 3, 3, 3, 3, 1, 3, 3, 3, 3, 3, 2, 1, 3, 3},
    /* fp_fused    */ {5, 5, 5, 5, 5, 5, 5, 5, 3, 5, 5, 5, 5, 3, 2, 3, 5, 5},
    /* fp_chained  */ {6, 6, 6, 6, 6, 6, 6, 6, 4, 6, 6, 6, 6, 3, 3, 4, 6, 6},
    /* fp_load     */ {1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 3, 2, 0, 2, 1},
    /* fp_move     */ {3, 3, 3, 3, 3, 3, 3, 3, 1, 3, 3, 3, 3, 3, 3, 1, 3, 3},
    /* fp_to_core  */ {1, 2, 1, 2, 2, 2, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    /* fp_divide   */ {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    /* fp_double   */ {3, 3, 3, 3, 3, 3, 3, 3, 1, 3, 3, 3, 3, 3, 3, 1, 3, 3},
};

std::span<const TimingRow> timing_rows() { return kRows; }

const TimingRow& row_of(const Instruction& instruction) {
  static std::unordered_map<std::string, const TimingRow*> found;
  const std::string key = key_of(instruction);
  if (const auto it = found.find(key); it != found.end()) return *it->second;
  for (const TimingRow& row : kRows) {
    std::string_view rest = row.mnemonics;
    while (!rest.empty()) {
      const size_t space = rest.find(' ');
      if (matches(rest.substr(0, space), key)) return *(found[key] = &row);
      rest = space == rest.npos ? std::string_view{} : rest.substr(space + 1);
    }
  }
  throw Error("timing: no class for instruction {} at {:#010x}", instruction.text,
              instruction.address);
}

Cause cause_of(Result result) {
  switch (result) {
    case Result::load_word:
    case Result::load_narrow:
    case Result::fp_load: return Cause::load_use;
    case Result::mac: return Cause::mac;
    case Result::divide: return Cause::divide;
    case Result::fp_alu: case Result::fp_fused: case Result::fp_chained: case Result::fp_move:
    case Result::fp_to_core: case Result::fp_divide: case Result::fp_double: return Cause::fp;
    default: return Cause::dependency;
  }
}

std::string table_text() {
  std::string text;
  for (const TimingRow& row : kRows)
    text += fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}-{}\n", row.name, row.mnemonics, row.slots,
                        int(row.result), int(row.use), int(row.accumulator), row.cycles,
                        cause_name(row.cause), row.low, row.high);
  for (const auto& line : kLatency) {
    for (const int8_t cell : line) text += fmt::format("{},", cell);
    text += '\n';
  }
  text += fmt::format("{} {} {} {} {} {} {} {} {} {}\n", kMispredictCycles, kMispredictEarlyFlags,
                      kEarlyFlagsDistance, kStoreToLoadCycles, kStoreToLoadShift, kUnalignedOlder,
                      kUnalignedYounger, kFetchQueueEntries, kFpShadowCycles, kCompressionCycles);
  return text;
}

}  // namespace mcusim::timing
