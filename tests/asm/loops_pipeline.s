@ SPDX-License-Identifier: MIT
@ Integer pipeline, branches, IT: micro-loops, one per rule that states a number. "@ loop NAME CYCLES
@ [at=N]: rule" gives steady-state cycles per iteration; at = start address mod 8. A body
@ without its own branch gets SUBS.W R7 and BNE.W appended, which cost one cycle together.
@ Sources as in sim/timing/timing_table.cc. Registers: tests/sim/synthetic.h.
@ loop add_pairs 3: 2 per cycle [J, L]
  add.w r0, r1, r2
  add.w r3, r1, r2
  add.w r4, r1, r2
  add.w r5, r1, r2
@ loop logic_pairs 3: 2 per cycle [J, L]
  and.w r0, r1, r2
  orr.w r3, r1, r2
  eor.w r4, r1, r2
  bic.w r5, r1, r2
@ loop mov_cmp_pairs 3: 2 per cycle [J, L]
  mov.w r0, r1
  cmp.w r3, r1
  mvn.w r4, r1
  tst.w r5, r1
@ loop logic_chain 4: latency 1 [J, L]
  subs.w r7, r7, #1
  and.w r0, r0, r1
  and.w r0, r0, r1
  and.w r0, r0, r1
  and.w r0, r0, r1
  bne.w 1b
@ loop add_chain 4: late result to early use: 1 per cycle [J]
  subs.w r7, r7, #1
  add.w r0, r0, r1
  add.w r0, r0, r1
  add.w r0, r0, r1
  add.w r0, r0, r1
  bne.w 1b
@ loop add_dependent_pair 3: two dependent ADD.W in one pair [M]
  add.w r0, r1, #1
  add.w r2, r0, #1
  add.w r3, r1, #1
  add.w r4, r3, #1
@ loop add_feeds_late_same_cycle 3: early ALU to late ALU: 0 [J]
  add.w r0, r1, #1
  eor.w r2, r0, r3
  sub.w r4, r1, #1
  orr.w r5, r4, r3
@ loop mov_feeds_late_same_cycle 2: early ALU to late ALU: 0 [J]
  mov.w r0, r1
  eor.w r2, r0, r3
@ loop movw_movt 2: pair though dependent [J]
  movw r0, #1
  movt r0, #1
@ loop shift_feeds_late_same_cycle 2: early shift to late ALU: 0 [J]
  lsl.w r0, r1, #3
  eor.w r2, r0, r3
@ loop logic_to_logic 3: 1 [J, L]
  and.w r0, r1, r2
  nop.w
  eor.w r3, r0, r4
  nop.w
@ loop logic_to_inline_shift 4: shifted register one cycle early [J, L, M, S]
  and.w r0, r1, r2
  nop.w
  eor.w r3, r4, r0, lsl #3
  nop.w
@ loop logic_to_base 4: base at EX1 [J, L]
  and.w r0, r1, r2
  nop.w
  ldr.w r3, [r0]
  nop.w
@ loop add_to_base 3: early ALU to address next cycle: 1 [J]
  add.w r0, r1, r2
  nop.w
  ldr.w r3, [r0]
  nop.w
@ loop add_to_inline_shift 3: early ALU to early use: 1 [J]
  add.w r0, r1, r2
  nop.w
  eor.w r3, r4, r0, lsl #3
  nop.w
@ loop shift_to_inline_shift 3: early shift to early use: 1 [J]
  lsl.w r0, r1, #2
  nop.w
  eor.w r3, r4, r0, lsl #3
  nop.w
@ loop shift_to_logic 3: 1 [J, L]
  lsr.w r0, r1, r2
  nop.w
  eor.w r3, r0, r4
  nop.w
@ loop younger_add_to_base 4: younger ADD runs late: one cycle more to an address [J]
  nop.w
  add.w r0, r1, r2
  ldr.w r3, [r0]
  nop.w
@ loop inline_shift_result 3: 1 [J]
  add.w r0, r1, r2, lsl #3
  nop.w
  eor.w r3, r0, r4
  nop.w
@ loop flags_to_adc 3: flags 1 [J]
  adds.w r0, r1, r2
  nop.w
  adc.w r3, r4, r5
  nop.w
@ loop matrix_simple_simple 3: operand2 matrix: + [J]
  add.w r0, r1, #1
  add.w r3, r1, #1
  add.w r4, r1, #1
  add.w r5, r1, #1
@ loop matrix_simple_pattern 3: operand2 matrix: + [J]
  add.w r0, r1, #1
  eor.w r3, r1, #0x1b1b1b1b
  add.w r4, r1, #1
  eor.w r5, r1, #0x1b1b1b1b
@ loop matrix_simple_shifted 3: operand2 matrix: + [J]
  add.w r0, r1, #1
  eor.w r3, r1, #0x1fc0
  add.w r4, r1, #1
  eor.w r5, r1, #0x1fc0
@ loop matrix_simple_inline 3: operand2 matrix: + [J]
  add.w r0, r1, #1
  add.w r3, r1, r2, ror #24
  add.w r4, r1, #1
  add.w r5, r1, r2, ror #24
@ loop matrix_simple_shiftc 3: operand2 matrix: + [J]
  add.w r0, r1, #1
  lsr.w r3, r1, #12
  add.w r4, r1, #1
  lsr.w r5, r1, #12
@ loop matrix_simple_shiftr 3: operand2 matrix: + [J]
  add.w r0, r1, #1
  ror.w r3, r1, r2
  add.w r4, r1, #1
  ror.w r5, r1, r2
@ loop matrix_pattern_simple 3: operand2 matrix: + [J]
  eor.w r0, r1, #0x1b1b1b1b
  add.w r3, r1, #1
  eor.w r4, r1, #0x1b1b1b1b
  add.w r5, r1, #1
@ loop matrix_pattern_pattern 3: operand2 matrix: + [J]
  eor.w r0, r1, #0x1b1b1b1b
  eor.w r3, r1, #0x1b1b1b1b
  eor.w r4, r1, #0x1b1b1b1b
  eor.w r5, r1, #0x1b1b1b1b
@ loop matrix_pattern_shifted 3: operand2 matrix: + [J]
  eor.w r0, r1, #0x1b1b1b1b
  eor.w r3, r1, #0x1fc0
  eor.w r4, r1, #0x1b1b1b1b
  eor.w r5, r1, #0x1fc0
@ loop matrix_pattern_inline 3: operand2 matrix: + [J]
  eor.w r0, r1, #0x1b1b1b1b
  add.w r3, r1, r2, ror #24
  eor.w r4, r1, #0x1b1b1b1b
  add.w r5, r1, r2, ror #24
@ loop matrix_pattern_shiftc 3: operand2 matrix: + [J]
  eor.w r0, r1, #0x1b1b1b1b
  lsr.w r3, r1, #12
  eor.w r4, r1, #0x1b1b1b1b
  lsr.w r5, r1, #12
@ loop matrix_pattern_shiftr 3: operand2 matrix: + [J]
  eor.w r0, r1, #0x1b1b1b1b
  ror.w r3, r1, r2
  eor.w r4, r1, #0x1b1b1b1b
  ror.w r5, r1, r2
@ loop matrix_shifted_simple 3: operand2 matrix: + [J]
  eor.w r0, r1, #0x1fc0
  add.w r3, r1, #1
  eor.w r4, r1, #0x1fc0
  add.w r5, r1, #1
@ loop matrix_shifted_pattern 3: operand2 matrix: + [J]
  eor.w r0, r1, #0x1fc0
  eor.w r3, r1, #0x1b1b1b1b
  eor.w r4, r1, #0x1fc0
  eor.w r5, r1, #0x1b1b1b1b
@ loop matrix_shifted_shifted 4: operand2 matrix: - [J]
  subs.w r7, r7, #1
  eor.w r0, r1, #0x1fc0
  eor.w r3, r1, #0x1fc0
  eor.w r4, r1, #0x1fc0
  eor.w r5, r1, #0x1fc0
  bne.w 1b
@ loop matrix_shifted_inline 4: operand2 matrix: - [J]
  subs.w r7, r7, #1
  eor.w r0, r1, #0x1fc0
  add.w r3, r1, r2, ror #24
  eor.w r4, r1, #0x1fc0
  add.w r5, r1, r2, ror #24
  bne.w 1b
@ loop matrix_shifted_shiftc 3: operand2 matrix: + [J]
  eor.w r0, r1, #0x1fc0
  lsr.w r3, r1, #12
  eor.w r4, r1, #0x1fc0
  lsr.w r5, r1, #12
@ loop matrix_shifted_shiftr 3: operand2 matrix: + [J]
  eor.w r0, r1, #0x1fc0
  ror.w r3, r1, r2
  eor.w r4, r1, #0x1fc0
  ror.w r5, r1, r2
@ loop matrix_inline_simple 3: operand2 matrix: + [J]
  add.w r0, r1, r2, ror #24
  add.w r3, r1, #1
  add.w r4, r1, r2, ror #24
  add.w r5, r1, #1
@ loop matrix_inline_pattern 3: operand2 matrix: + [J]
  add.w r0, r1, r2, ror #24
  eor.w r3, r1, #0x1b1b1b1b
  add.w r4, r1, r2, ror #24
  eor.w r5, r1, #0x1b1b1b1b
@ loop matrix_inline_shifted 4: operand2 matrix: - [J]
  subs.w r7, r7, #1
  add.w r0, r1, r2, ror #24
  eor.w r3, r1, #0x1fc0
  add.w r4, r1, r2, ror #24
  eor.w r5, r1, #0x1fc0
  bne.w 1b
@ loop matrix_inline_inline 4: operand2 matrix: - [J]
  subs.w r7, r7, #1
  add.w r0, r1, r2, ror #24
  add.w r3, r1, r2, ror #24
  add.w r4, r1, r2, ror #24
  add.w r5, r1, r2, ror #24
  bne.w 1b
@ loop matrix_inline_shiftc 3: operand2 matrix: + [J]
  add.w r0, r1, r2, ror #24
  lsr.w r3, r1, #12
  add.w r4, r1, r2, ror #24
  lsr.w r5, r1, #12
@ loop matrix_inline_shiftr 3: operand2 matrix: + [J]
  add.w r0, r1, r2, ror #24
  ror.w r3, r1, r2
  add.w r4, r1, r2, ror #24
  ror.w r5, r1, r2
@ loop matrix_shiftc_simple 3: operand2 matrix: + [J]
  lsr.w r0, r1, #12
  add.w r3, r1, #1
  lsr.w r4, r1, #12
  add.w r5, r1, #1
@ loop matrix_shiftc_pattern 3: operand2 matrix: + [J]
  lsr.w r0, r1, #12
  eor.w r3, r1, #0x1b1b1b1b
  lsr.w r4, r1, #12
  eor.w r5, r1, #0x1b1b1b1b
@ loop matrix_shiftc_shiftc 3: operand2 matrix: + [J]
  lsr.w r0, r1, #12
  lsr.w r3, r1, #12
  lsr.w r4, r1, #12
  lsr.w r5, r1, #12
@ loop matrix_shiftc_shiftr 3: operand2 matrix: + [J]
  lsr.w r0, r1, #12
  ror.w r3, r1, r2
  lsr.w r4, r1, #12
  ror.w r5, r1, r2
@ loop matrix_shiftr_simple 3: operand2 matrix: + [J]
  ror.w r0, r1, r2
  add.w r3, r1, #1
  ror.w r4, r1, r2
  add.w r5, r1, #1
@ loop matrix_shiftr_pattern 3: operand2 matrix: + [J]
  ror.w r0, r1, r2
  eor.w r3, r1, #0x1b1b1b1b
  ror.w r4, r1, r2
  eor.w r5, r1, #0x1b1b1b1b
@ loop matrix_shiftr_shiftc 3: operand2 matrix: + [J]
  ror.w r0, r1, r2
  lsr.w r3, r1, #12
  ror.w r4, r1, r2
  lsr.w r5, r1, #12
@ loop matrix_shiftr_shiftr 3: operand2 matrix: + [J]
  ror.w r0, r1, r2
  ror.w r3, r1, r2
  ror.w r4, r1, r2
  ror.w r5, r1, r2
@ loop one_per_pair_uadd8 4: one per pair, older slot only [J, L, M]
  uadd8 r0, r1, r2
  subs.w r7, r7, #1
  uadd8 r0, r1, r2
  uadd8 r0, r1, r2
  uadd8 r0, r1, r2
  bne.w 1b
@ loop one_per_pair_clz 4: one per pair, older slot only [J, L, M]
  clz r0, r1
  subs.w r7, r7, #1
  clz r0, r1
  clz r0, r1
  clz r0, r1
  bne.w 1b
@ loop one_per_pair_uxtb 4: one per pair, older slot only [J, L, M]
  uxtb.w r0, r1
  subs.w r7, r7, #1
  uxtb.w r0, r1
  uxtb.w r0, r1
  uxtb.w r0, r1
  bne.w 1b
@ loop one_per_pair_uxtb16 4: one per pair, older slot only [J, L, M]
  uxtb16 r0, r1
  subs.w r7, r7, #1
  uxtb16 r0, r1
  uxtb16 r0, r1
  uxtb16 r0, r1
  bne.w 1b
@ loop one_per_pair_rev 4: one per pair, older slot only [J, L, M]
  rev.w r0, r1
  subs.w r7, r7, #1
  rev.w r0, r1
  rev.w r0, r1
  rev.w r0, r1
  bne.w 1b
@ loop one_per_pair_qadd 4: one per pair, older slot only [J, L, M]
  qadd r0, r1, r2
  subs.w r7, r7, #1
  qadd r0, r1, r2
  qadd r0, r1, r2
  qadd r0, r1, r2
  bne.w 1b
@ loop one_per_pair_ssat 4: one per pair, older slot only [J, L, M]
  ssat r0, #8, r1
  subs.w r7, r7, #1
  ssat r0, #8, r1
  ssat r0, #8, r1
  ssat r0, #8, r1
  bne.w 1b
@ loop one_per_pair_bfi 4: one per pair, older slot only [J, L, M]
  bfi r0, r1, #3, #4
  subs.w r7, r7, #1
  bfi r0, r1, #3, #4
  bfi r0, r1, #3, #4
  bfi r0, r1, #3, #4
  bne.w 1b
@ loop one_per_pair_ubfx 4: one per pair, older slot only [J, L, M]
  ubfx r0, r1, #3, #4
  subs.w r7, r7, #1
  ubfx r0, r1, #3, #4
  ubfx r0, r1, #3, #4
  ubfx r0, r1, #3, #4
  bne.w 1b
@ loop one_per_pair_pkhbt 4: one per pair, older slot only [J, L, M]
  pkhbt r0, r1, r2, lsl #16
  subs.w r7, r7, #1
  pkhbt r0, r1, r2, lsl #16
  pkhbt r0, r1, r2, lsl #16
  pkhbt r0, r1, r2, lsl #16
  bne.w 1b
@ loop one_per_pair_uxtab 4: one per pair, older slot only [J, L, M]
  uxtab r0, r1, r2
  subs.w r7, r7, #1
  uxtab r0, r1, r2
  uxtab r0, r1, r2
  uxtab r0, r1, r2
  bne.w 1b
@ loop one_per_pair_sel 4: one per pair, older slot only [J, L, M]
  sel r0, r1, r2
  subs.w r7, r7, #1
  sel r0, r1, r2
  sel r0, r1, r2
  sel r0, r1, r2
  bne.w 1b
@ loop simd_then_alu 3: SIMD older, ALU younger [J]
  uxtb16 r0, r1
  add.w r2, r3, r4
  uadd8 r5, r1, r3
  eor.w r6, r3, r4
@ loop ubfx_not_beside_inline_shift 4: share the EX1 shifter [J]
  ubfx r0, r1, #3, #4
  subs.w r7, r7, #1
  eor.w r2, r3, r4, lsl #3
  ubfx r0, r1, #3, #4
  eor.w r2, r3, r4, lsl #3
  bne.w 1b
@ loop simd_to_logic 3: 1 [J, L]
  uadd8 r0, r1, r2
  nop.w
  eor.w r3, r0, r4
  nop.w
@ loop simd_to_base 4: +1 into an address [J, L]
  uxtb.w r0, r1
  nop.w
  ldr.w r3, [r0]
  nop.w
@ loop simd_to_index 4: +1 into an address [J, L]
  uxtb.w r0, r1
  nop.w
  ldr.w r3, [r8, r0]
  nop.w
@ loop logic_to_ubfx 4: input one cycle early [J, LM]
  and.w r0, r1, r2
  nop.w
  ubfx r3, r0, #3, #4
  nop.w
@ loop logic_to_rev 4: input one cycle early [J, LM]
  and.w r0, r1, r2
  nop.w
  rev.w r3, r0
  nop.w
@ loop logic_to_bfi_moved 4: moved register one cycle early [J, LM]
  and.w r0, r1, r2
  nop.w
  bfi r3, r0, #3, #4
  nop.w
@ loop logic_to_bfi_target 3: the other operand late [J]
  and.w r0, r1, r2
  nop.w
  bfi r0, r3, #3, #4
  nop.w
@ loop logic_to_pkhbt_moved 4: moved register one cycle early [J, LM]
  and.w r0, r1, r2
  nop.w
  pkhbt r3, r4, r0, lsl #16
  nop.w
@ loop logic_to_pkhbt_first 3: the first operand late [J]
  and.w r0, r1, r2
  nop.w
  pkhbt r3, r0, r4, lsl #16
  nop.w
@ loop logic_to_pkhtb_first 4: PKHTB: the first operand early as well [J]
  and.w r0, r1, r2
  nop.w
  pkhtb r3, r0, r4, asr #16
  nop.w
@ loop logic_to_uxtab_moved 4: moved register one cycle early [J, LM]
  and.w r0, r1, r2
  nop.w
  uxtab r3, r4, r0
  nop.w
@ loop logic_to_uxtab_added 3: the other operand late [J]
  and.w r0, r1, r2
  nop.w
  uxtab r3, r0, r4
  nop.w
@ loop rev_feeds_late_same_cycle 2: 0 [J, L]
  rev.w r0, r1
  eor.w r2, r0, r3
@ loop rev_to_inline_shift 4: not straight into a shifter [J]
  rev.w r0, r1
  nop.w
  eor.w r3, r4, r0, lsl #3
  nop.w
@ loop qadd_to_logic 4: 2 [L]
  qadd r0, r1, r2
  nop.w
  eor.w r3, r0, r4
  nop.w
@ loop ssat_to_logic 4: 2 [L]
  ssat r0, #8, r1
  nop.w
  eor.w r3, r0, r4
  nop.w
@ loop usad8_to_logic 4: 2 [L]
  usad8 r0, r1, r2
  nop.w
  eor.w r3, r0, r4
  nop.w
@ loop mac_one_per_cycle 4: one MAC per cycle [J, L]
  subs.w r7, r7, #1
  smlad r0, r1, r2, r0
  smlad r3, r1, r2, r3
  smlad r4, r1, r2, r4
  smlad r5, r1, r2, r5
  bne.w 1b
@ loop mac_accumulator_chain 4: dependent MAC chain 1 per cycle [J, L, LM]
  subs.w r7, r7, #1
  smlad r0, r1, r2, r0
  smlad r0, r1, r2, r0
  smlad r0, r1, r2, r0
  smlad r0, r1, r2, r0
  bne.w 1b
@ loop smlal_chain 4: dependent MAC chain 1 per cycle [J]
  subs.w r7, r7, #1
  smlal r0, r3, r1, r2
  smlal r0, r3, r1, r2
  smlal r0, r3, r1, r2
  smlal r0, r3, r1, r2
  bne.w 1b
@ loop mac_older_alu 3: MAC in the older slot [J]
  smlad r0, r1, r2, r0
  add.w r3, r4, r5
  mul r6, r1, r2
  eor.w r3, r4, r5
@ loop mac_younger_alu 3: MAC in the younger slot [J against S]
  add.w r3, r4, r5
  smlad r0, r1, r2, r0
  eor.w r3, r4, r5
  mul r6, r1, r2
@ loop mac_beside_simd 3: with DSP [J]
  uxtb16 r3, r4
  smlad r0, r1, r2, r0
  uxtb16 r5, r4
  smlad r6, r1, r2, r6
@ loop mac_beside_inline_shift 3: with inline shift [J]
  smlad r0, r1, r2, r0
  eor.w r3, r4, r5, lsl #3
  smlad r6, r1, r2, r6
  eor.w r3, r4, r5, lsl #3
@ loop mac_beside_load 3: a load pairs with a MAC [J]
  ldr.w r3, [r8]
  smlad r0, r1, r2, r0
  ldr.w r4, [r8]
  smlad r5, r1, r2, r5
@ loop mac_not_beside_store 4: never with a store [J]
  subs.w r7, r7, #1
  str.w r3, [r8]
  mul r0, r1, r2
  str.w r3, [r8]
  mul r4, r1, r2
  bne.w 1b
@ loop mac_to_logic 4: 2 [J, L]
  mul r0, r1, r2
  nop.w
  eor.w r3, r0, r4
  nop.w
@ loop mac_to_multiplicand 4: 2 [J, L]
  mul r0, r1, r2
  nop.w
  mul r3, r0, r4
  nop.w
@ loop mac_to_accumulator 3: 1 [J, L, LM]
  mla r0, r1, r2, r3
  nop.w
  mla r4, r1, r2, r0
  nop.w
@ loop mac_to_base 6: 4 [LM]
  mul r0, r1, r2
  nop.w
  ldr.w r3, [r0]
  nop.w
@ loop logic_feeds_accumulator_same_cycle 2: accumulator is read late [J]
  and.w r0, r1, r2
  mla r3, r4, r5, r0
@ loop udiv 8: 7, alone [L]
  udiv r0, r1, r2
@ loop sdiv_chain 8: 7 [L]
  sdiv r0, r0, r2
@ loop it_takes_a_slot 3: IT takes an issue slot [J]
  it eq
  addeq.w r0, r1, r2
  it eq
  addeq.w r3, r1, r2
@ loop flags_to_predicated 3: flags to predicated op: 1 [J]
  cmp.w r0, r1
  it eq
  addeq.w r0, r1, r2
  nop.w
@ loop predicated_ldm 5: costs as if executed [J]
  nop.n
  it eq
  ldmeq.w r8, {r0-r3}
  nop.n
  nop.n
@ loop spin 1: SUBS+BNE: 1 cycle [R]
  subs r7, #1
  bne 1b
@ loop spin_at_4 1 at=4: SUBS+BNE: 1 cycle [R]
  subs r7, #1
  bne 1b
@ loop spin_at_6 2 at=6: 2 when the loop starts at 6 mod 8 [R]
  subs r7, #1
  bne 1b
@ loop not_taken_pairs 2: not-taken branch pairs with the next instruction [J]
  bcs.w 2f
  nop.w
2:
@ loop taken_forward 2: predicted taken: no bubble [J]
  nop.w
  b.w 2f
2:
@ loop call_return 3: predicted: no bubble [J]
  nop.w
  bl 2f
2:
  nop.w
  b.w 3f
3:
@ loop mrs 3: single issue [L]
  mrs r0, primask
  mrs r1, primask
@ loop mrs_to_logic 5: 3 [L]
  mrs r0, primask
  eor.w r1, r0, r2
  nop.w
@ loop dmb 4: single issue, 3 assumed [L]
  dmb
