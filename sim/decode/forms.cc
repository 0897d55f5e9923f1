// SPDX-License-Identifier: MIT
// The rows of the operand-role table, by group: integer, DSP, multiply, memory,
// control, floating point. Roles follow the Armv7-M ARM (DDI 0403E), chapter A7.
#include "sim/decode/forms.h"

#include <unordered_map>

namespace mcusim {
namespace {

using enum Form;

constexpr FormRow kRows[] = {
    {"add", alu}, {"sub", alu}, {"rsb", alu}, {"and", alu}, {"orr", alu}, {"orn", alu},
    {"eor", alu}, {"bic", alu}, {"lsl", alu}, {"lsr", alu}, {"asr", alu}, {"ror", alu},
    {"addw", dest}, {"subw", dest}, {"adr", dest}, {"movw", dest}, {"mvn", dest}, {"clz", dest},
    {"rev", dest}, {"rev16", dest}, {"revsh", dest}, {"rbit", dest}, {"ubfx", dest}, {"sbfx", dest},
    {"udiv", dest}, {"sdiv", dest}, {"mul", dest}, {"adc", alu, kReadsFlags},
    {"sbc", alu, kReadsFlags}, {"rrx", dest, kReadsFlags}, {"mov", move}, {"movt", modify},
    {"bfc", modify}, {"bfi", modify, kShiftsLast}, {"cmp", compare}, {"cmn", compare},
    {"tst", compare}, {"teq", compare}, {"uxtb", dest}, {"uxth", dest}, {"sxtb", dest},
    {"sxth", dest}, {"uxtb16", dest}, {"sxtb16", dest}, {"usad8", dest},
    {"uxtab", dest, kShiftsLast}, {"uxtah", dest, kShiftsLast}, {"sxtab", dest, kShiftsLast},
    {"sxtah", dest, kShiftsLast}, {"uxtab16", dest, kShiftsLast}, {"sxtab16", dest, kShiftsLast},
    {"pkhbt", dest, kShiftsLast}, {"pkhtb", dest, kShiftsLast}, {"ssat", dest, kWritesQ},
    {"usat", dest, kWritesQ}, {"ssat16", dest, kWritesQ}, {"usat16", dest, kWritesQ},
    {"qadd", dest, kWritesQ}, {"qsub", dest, kWritesQ}, {"qdadd", dest, kWritesQ},
    {"qdsub", dest, kWritesQ}, {"sel", dest, kReadsGe}, {"sadd8", dest, kWritesGe},
    {"sadd16", dest, kWritesGe}, {"ssub8", dest, kWritesGe}, {"ssub16", dest, kWritesGe},
    {"sasx", dest, kWritesGe}, {"ssax", dest, kWritesGe}, {"uadd8", dest, kWritesGe},
    {"uadd16", dest, kWritesGe}, {"usub8", dest, kWritesGe}, {"usub16", dest, kWritesGe},
    {"uasx", dest, kWritesGe}, {"usax", dest, kWritesGe}, {"qadd8", dest}, {"qadd16", dest},
    {"qsub8", dest}, {"qsub16", dest}, {"qasx", dest}, {"qsax", dest}, {"uqadd8", dest},
    {"uqadd16", dest}, {"uqsub8", dest}, {"uqsub16", dest}, {"uqasx", dest}, {"uqsax", dest},
    {"shadd8", dest}, {"shadd16", dest}, {"shsub8", dest}, {"shsub16", dest}, {"shasx", dest},
    {"shsax", dest}, {"uhadd8", dest}, {"uhadd16", dest}, {"uhsub8", dest}, {"uhsub16", dest},
    {"uhasx", dest}, {"uhsax", dest}, {"smulbb", dest}, {"smulbt", dest}, {"smultb", dest},
    {"smultt", dest}, {"smulwb", dest}, {"smulwt", dest}, {"smusd", dest}, {"smusdx", dest},
    {"smmul", dest}, {"smmulr", dest}, {"smuad", dest, kWritesQ}, {"smuadx", dest, kWritesQ},
    {"mla", accumulate}, {"mls", accumulate}, {"smmla", accumulate}, {"smmlar", accumulate},
    {"smmls", accumulate}, {"smmlsr", accumulate}, {"usada8", accumulate},
    {"smlabb", accumulate, kWritesQ}, {"smlabt", accumulate, kWritesQ},
    {"smlatb", accumulate, kWritesQ}, {"smlatt", accumulate, kWritesQ},
    {"smlawb", accumulate, kWritesQ}, {"smlawt", accumulate, kWritesQ},
    {"smlad", accumulate, kWritesQ}, {"smladx", accumulate, kWritesQ},
    {"smlsd", accumulate, kWritesQ}, {"smlsdx", accumulate, kWritesQ}, {"smull", dest_pair},
    {"umull", dest_pair}, {"smlal", accumulate_pair}, {"umlal", accumulate_pair},
    {"umaal", accumulate_pair}, {"smlald", accumulate_pair}, {"smlaldx", accumulate_pair},
    {"smlsld", accumulate_pair}, {"smlsldx", accumulate_pair}, {"smlalbb", accumulate_pair},
    {"smlalbt", accumulate_pair}, {"smlaltb", accumulate_pair}, {"smlaltt", accumulate_pair},
    {"ldr", load, 0, 4}, {"ldrt", load, 0, 4}, {"ldrb", load, 0, 1}, {"ldrbt", load, 0, 1},
    {"ldrsb", load, 0, 1}, {"ldrsbt", load, 0, 1}, {"ldrh", load, 0, 2}, {"ldrht", load, 0, 2},
    {"ldrsh", load, 0, 2}, {"ldrsht", load, 0, 2}, {"str", store, 0, 4}, {"strt", store, 0, 4},
    {"strb", store, 0, 1}, {"strbt", store, 0, 1}, {"strh", store, 0, 2}, {"strht", store, 0, 2},
    {"ldrd", load_pair, 0, 4}, {"strd", store_pair, 0, 4}, {"ldrex", load_exclusive, 0, 4},
    {"strex", store_exclusive, 0, 4}, {"ldrexb", load_exclusive, 0, 1},
    {"strexb", store_exclusive, 0, 1}, {"ldrexh", load_exclusive, 0, 2},
    {"strexh", store_exclusive, 0, 2}, {"ldm", load_multiple, 0, 4}, {"ldmdb", load_multiple, 0, 4},
    {"stm", store_multiple, 0, 4}, {"stmdb", store_multiple, 0, 4}, {"push", push, 0, 4},
    {"pop", pop, 0, 4}, {"pld", preload}, {"pli", preload}, {"tbb", table_branch, 0, 1},
    {"tbh", table_branch, 0, 2}, {"b", branch}, {"bl", branch}, {"bx", branch_register},
    {"blx", branch_register}, {"cbz", compare_branch}, {"cbnz", compare_branch}, {"nop", none},
    {"yield", none}, {"wfe", none}, {"wfi", none}, {"sev", none}, {"hint", none}, {"dbg", none},
    {"dmb", none}, {"dsb", none}, {"isb", none}, {"clrex", none}, {"bkpt", none}, {"svc", none},
    {"udf", none}, {"cps", none}, {"it", none}, {"mrs", system_read}, {"msr", system_write},
    {"vadd", dest}, {"vsub", dest}, {"vmul", dest}, {"vnmul", dest}, {"vdiv", dest},
    {"vsqrt", dest}, {"vabs", dest}, {"vneg", dest}, {"vmaxnm", dest}, {"vminnm", dest},
    {"vmla", fp_accumulate}, {"vmls", fp_accumulate}, {"vnmla", fp_accumulate},
    {"vnmls", fp_accumulate}, {"vfma", fp_accumulate}, {"vfms", fp_accumulate},
    {"vfnma", fp_accumulate}, {"vfnms", fp_accumulate}, {"vcmp", compare, kWritesFpscr},
    {"vcmpe", compare, kWritesFpscr}, {"vcvt", dest}, {"vcvtr", dest}, {"vcvta", dest},
    {"vcvtn", dest}, {"vcvtp", dest}, {"vcvtm", dest}, {"vcvtb", modify}, {"vcvtt", modify},
    {"vrinta", dest}, {"vrintn", dest}, {"vrintp", dest}, {"vrintm", dest}, {"vrintz", dest},
    {"vrintr", dest}, {"vrintx", dest}, {"vseleq", dest, kReadsFlags},
    {"vselge", dest, kReadsFlags}, {"vselgt", dest, kReadsFlags}, {"vselvs", dest, kReadsFlags},
    {"vmov", fp_move}, {"vmrs", fp_status}, {"vmsr", fp_status}, {"vldr", load}, {"vstr", store},
    {"vldmia", load_multiple}, {"vldmdb", load_multiple}, {"vstmia", store_multiple},
    {"vstmdb", store_multiple}, {"vpush", push}, {"vpop", pop},
};

}  // namespace

const FormRow* find_form(std::string_view mnemonic) {
  static const auto* const kIndex = [] {
    auto* index = new std::unordered_map<std::string_view, const FormRow*>;
    for (const FormRow& row : kRows) index->emplace(row.mnemonic, &row);
    return index;
  }();
  const auto found = kIndex->find(mnemonic);
  return found == kIndex->end() ? nullptr : found->second;
}

}  // namespace mcusim
