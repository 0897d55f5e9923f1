@ SPDX-License-Identifier: MIT
@ Loads and stores: micro-loops, one per rule that states a number. "@ loop NAME CYCLES
@ [at=N]: rule" gives steady-state cycles per iteration; at = start address mod 8. A body
@ without its own branch gets SUBS.W R7 and BNE.W appended, which cost one cycle together.
@ Sources as in sim/timing/timing_table.cc. Registers: tests/sim/synthetic.h.
@ loop load_to_multiplicand 4: not a word load of the previous cycle [J]
  ldr.w r0, [r8]
  nop.w
  mul r3, r0, r4
  nop.w
@ loop narrow_load_to_multiplicand 4: 2 [J]
  ldrb.w r0, [r8]
  nop.w
  mul r3, r0, r4
  nop.w
@ loop narrow_load_to_accumulator 3: LDRB of the previous cycle [J]
  ldrb.w r0, [r8]
  nop.w
  mla r3, r1, r2, r0
  nop.w
@ loop load_to_udiv 10: +1 from a word load [LM]
  ldr.w r0, [r8]
  nop.w
  udiv r3, r0, r2
@ loop load_to_logic 3: 1 to a late ALU [J, L]
  ldr.w r0, [r8]
  nop.w
  eor.w r3, r0, r4
  nop.w
@ loop load_to_inline_shift 4: 2 to an early consumer [J, L]
  ldr.w r0, [r8]
  nop.w
  eor.w r3, r4, r0, lsl #3
  nop.w
@ loop load_to_base 4: 2 to an address [J, L]
  ldr.w r0, [r8]
  nop.w
  ldr.w r3, [r0]
  nop.w
@ loop load_to_index 5: +1 as the index [LM]
  ldr.w r0, [r8]
  nop.w
  ldr.w r3, [r8, r0]
  nop.w
@ loop load_to_ubfx 4: 2 to bitfield [J]
  ldr.w r0, [r8]
  nop.w
  ubfx r3, r0, #3, #4
  nop.w
@ loop load_beside_shifted_operand 4: word load to either operand of UXTAB: 2 [J]
  ldr.w r0, [r8]
  nop.w
  uxtab r3, r0, r4
  nop.w
@ loop narrow_load_to_logic 4: 2 to a late ALU [J, L]
  ldrb.w r0, [r8]
  nop.w
  eor.w r3, r0, r4
  nop.w
@ loop narrow_load_to_inline_shift 5: 3 to an early consumer [J, L]
  ldrh.w r0, [r8]
  nop.w
  eor.w r3, r4, r0, lsl #3
  nop.w
@ loop signed_load_to_logic 4: 2 to a late ALU [J, L]
  ldrsh.w r0, [r8]
  nop.w
  eor.w r3, r0, r4
  nop.w
@ loop loads_other_banks 3: two loads per pair, banks differ [J, S]
  ldr.w r0, [r8]
  ldr.w r1, [r9]
  ldr.w r2, [r8, #8]
  ldr.w r3, [r9, #8]
@ loop loads_same_bank 4: same bank: one per cycle [J]
  subs.w r7, r7, #1
  ldr.w r0, [r8]
  ldr.w r1, [r8, #8]
  ldr.w r2, [r8]
  ldr.w r3, [r8, #8]
  bne.w 1b
@ loop post_index_loads 3: pre and post index too, base usable next cycle [J]
  ldr r0, [r8], #8
  ldr r1, [r9], #8
  ldr r2, [r8], #8
  ldr r3, [r9], #8
@ loop base_writeback_to_base 3: next cycle [J]
  ldr r0, [r8], #4
  nop.w
  ldr.w r3, [r8]
  nop.w
@ loop ldrd 4: alone, one cycle [J, L]
  nop.n
  nop.n
  ldrd r0, r1, [r8]
  ldrd r2, r3, [r8]
@ loop ldm4 4: ceil(n/2) [J]
  nop.n
  nop.n
  ldm.w r8, {r0-r3}
@ loop ldm5 5: ceil(n/2) [J]
  nop.n
  nop.n
  ldm.w r8, {r0-r4}
@ loop pop6 5: ceil(n/2) [J]
  nop.n
  nop.n
  pop.w {r0-r5}
@ loop ldrd_without_short_opcodes 4: one fetch stall without two 16-bit opcodes near by [J]
  subs.w r7, r7, #1
  nop.w
  ldrd r0, r1, [r8]
  nop.w
  bne.w 1b
@ loop ldrd_to_logic 4: 1 after its own cycle [J, L]
  nop.n
  nop.n
  ldrd r0, r1, [r8]
  eor.w r3, r0, r4
  eor.w r5, r1, r4
@ loop ldrd_to_mac 5: as LDR into a MAC [J]
  nop.n
  nop.n
  ldrd r0, r1, [r8]
  mul r3, r0, r4
  nop.w
@ loop store_one_per_cycle 4: one per cycle [J]
  subs.w r7, r7, #1
  str.w r0, [r8]
  str.w r0, [r8]
  str.w r0, [r8]
  str.w r0, [r8]
  bne.w 1b
@ loop store_beside_load 3: store pairs with a load [J]
  str.w r0, [r8]
  ldr.w r1, [r9]
  str.w r2, [r8]
  ldr.w r3, [r9]
@ loop store_beside_alu 3: store pairs with ALU [J]
  str.w r0, [r8]
  add.w r1, r2, r3
  str.w r4, [r8]
  eor.w r5, r2, r3
@ loop store_data_from_alu_same_cycle 2: data read at EX3/EX4 [J]
  and.w r0, r1, r2
  str.w r0, [r8]
@ loop store_data_from_load_same_cycle 2: even from a load [J]
  ldr.w r0, [r9]
  str.w r0, [r8]
@ loop store_data_from_narrow_load 2: even from LDRB [J]
  ldrb.w r0, [r9]
  str.w r0, [r8]
@ loop store_to_load_same_address 6: 4 [LM]
  str.w r0, [r8]
  nop.w
  ldr.w r1, [r8]
  nop.w
@ loop strd 3: alone, one cycle [J]
  nop.n
  nop.n
  strd r0, r1, [r8]
@ loop push4 4: ceil(n/2) [J]
  nop.n
  nop.n
  push.w {r0-r3}
@ loop push5 5: ceil(n/2) [J]
  nop.n
  nop.n
  push.w {r0-r4}
@ loop stm4_off_by_4 5: +1: even count, not on 8 bytes [J]
  nop.n
  nop.n
  stm.w r9, {r0-r3}
@ loop stm3_off_by_4 4: odd count: no extra [J]
  nop.n
  nop.n
  stm.w r9, {r0-r2}
@ loop strd_off_by_4 4: +1: not on 8 bytes [J]
  nop.n
  nop.n
  strd r0, r1, [r9]
@ loop unaligned_older 5: +3 as older op [J]
  ldr.w r0, [r10]
  nop.w
@ loop unaligned_younger 6: +4 as younger op [J]
  nop.w
  ldr.w r0, [r10]
@ loop unaligned_both 6: +4 when both are unaligned [J]
  ldr.w r0, [r10]
  ldr.w r1, [r10, #4]
@ loop unaligned_younger_same_bank 5: -1 beside an aligned load of the bank accessed first [J]
  ldr.w r0, [r8]
  ldr.w r1, [r10]
@ loop unaligned_stores 32: 4 cycles each once the buffer is full [J]
  subs.w r7, r7, #1
  str.w r0, [r10]
  str.w r0, [r10]
  str.w r0, [r10]
  str.w r0, [r10]
  str.w r0, [r10]
  str.w r0, [r10]
  str.w r0, [r10]
  str.w r0, [r10]
  bne.w 1b
@ loop strb_one_bank 32: 4 cycles each on one bank [J]
  subs.w r7, r7, #1
  strb.w r0, [r8]
  strb.w r0, [r8]
  strb.w r0, [r8]
  strb.w r0, [r8]
  strb.w r0, [r8]
  strb.w r0, [r8]
  strb.w r0, [r8]
  strb.w r0, [r8]
  bne.w 1b
@ loop strb_alternating 16: 2 cycles each on alternating banks [J]
  subs.w r7, r7, #1
  strb.w r0, [r8]
  strb.w r0, [r9]
  strb.w r0, [r8]
  strb.w r0, [r9]
  strb.w r0, [r8]
  strb.w r0, [r9]
  strb.w r0, [r8]
  strb.w r0, [r9]
  bne.w 1b
@ loop strb_unit_stride 48: 2.4 cycles each over 20 stores [J]
  subs.w r7, r7, #1
  strb.w r0, [r8, #0]
  strb.w r0, [r8, #1]
  strb.w r0, [r8, #2]
  strb.w r0, [r8, #3]
  strb.w r0, [r8, #4]
  strb.w r0, [r8, #5]
  strb.w r0, [r8, #6]
  strb.w r0, [r8, #7]
  strb.w r0, [r8, #8]
  strb.w r0, [r8, #9]
  strb.w r0, [r8, #10]
  strb.w r0, [r8, #11]
  strb.w r0, [r8, #12]
  strb.w r0, [r8, #13]
  strb.w r0, [r8, #14]
  strb.w r0, [r8, #15]
  strb.w r0, [r8, #16]
  strb.w r0, [r8, #17]
  strb.w r0, [r8, #18]
  strb.w r0, [r8, #19]
  bne.w 1b
@ loop strh_unit_stride 16: 2 cycles each [J]
  subs.w r7, r7, #1
  strh.w r0, [r8, #0]
  strh.w r0, [r8, #2]
  strh.w r0, [r8, #4]
  strh.w r0, [r8, #6]
  strh.w r0, [r8, #8]
  strh.w r0, [r8, #10]
  strh.w r0, [r8, #12]
  strh.w r0, [r8, #14]
  bne.w 1b
