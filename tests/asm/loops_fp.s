@ SPDX-License-Identifier: MIT
@ Floating point: micro-loops, one per rule that states a number. "@ loop NAME CYCLES
@ [at=N]: rule" gives steady-state cycles per iteration; at = start address mod 8. A body
@ without its own branch gets SUBS.W R7 and BNE.W appended, which cost one cycle together.
@ Sources as in sim/timing/timing_table.cc. Registers: tests/sim/synthetic.h.
@ loop fp_one_per_cycle 4: one arithmetic op per cycle [J]
  subs.w r7, r7, #1
  vadd.f32 s0, s1, s2
  vmul.f32 s3, s1, s2
  vadd.f32 s4, s1, s2
  vmul.f32 s5, s1, s2
  bne.w 1b
@ loop fp_beside_integer 3: pairs with integer [J]
  vadd.f32 s0, s1, s2
  add.w r0, r1, r2
  vmul.f32 s3, s1, s2
  eor.w r3, r1, r2
@ loop vadd_to_vadd 5: 3 [J]
  vadd.f32 s0, s1, s2
  nop.w
  vadd.f32 s3, s0, s4
  nop.w
@ loop vmul_to_vmul 5: 3 [J]
  vmul.f32 s0, s1, s2
  nop.w
  vmul.f32 s3, s0, s4
  nop.w
@ loop vadd_to_vmul 5: 3 [J]
  vadd.f32 s0, s1, s2
  nop.w
  vmul.f32 s3, s0, s4
  nop.w
@ loop vmul_to_vadd 5: 3 [J]
  vmul.f32 s0, s1, s2
  nop.w
  vadd.f32 s3, s0, s4
  nop.w
@ loop vmul_to_vfma_accumulator 5: 3 [J]
  vmul.f32 s0, s1, s2
  nop.w
  vfma.f32 s0, s3, s4
  nop.w
@ loop vmul_to_vmla_accumulator 4: 2 [J]
  vmul.f32 s0, s1, s2
  nop.w
  vmla.f32 s0, s3, s4
  nop.w
@ loop vadd_to_vfma_multiplicand 7: 3, then three of shadow before VADD [J]
  vadd.f32 s0, s1, s2
  nop.w
  vfma.f32 s3, s0, s4
  nop.w
@ loop vfma_accumulate_chain 6: 3 each, carried round the loop [J]
  vfma.f32 s0, s1, s2
  nop.w
  vfma.f32 s0, s3, s4
  nop.w
@ loop vmla_accumulate_chain 6: 3 each, carried round the loop [J]
  vmla.f32 s0, s1, s2
  nop.w
  vmla.f32 s0, s3, s4
  nop.w
@ loop vfma_to_vmla_accumulator 5: 2, and 3 round the loop [J]
  vfma.f32 s0, s1, s2
  nop.w
  vmla.f32 s0, s3, s4
  nop.w
@ loop vfma_to_vmul 7: 5 [J]
  vfma.f32 s0, s1, s2
  nop.w
  vmul.f32 s3, s0, s4
  nop.w
@ loop vfma_to_multiplicand 7: 5 [J]
  vfma.f32 s0, s1, s2
  nop.w
  vfma.f32 s3, s0, s4
  nop.w
@ loop vmla_to_vmul 8: 6 [J]
  vmla.f32 s0, s1, s2
  nop.w
  vmul.f32 s3, s0, s4
  nop.w
@ loop vmla_to_multiplicand 8: 6 [J]
  vmla.f32 s0, s1, s2
  nop.w
  vmla.f32 s3, s0, s4
  nop.w
@ loop vadd_to_vstr 3: 1 [J]
  vadd.f32 s0, s1, s2
  nop.w
  vstr s0, [r8]
  nop.w
@ loop vmul_to_vstr 3: 1 [J]
  vmul.f32 s0, s1, s2
  nop.w
  vstr s0, [r8]
  nop.w
@ loop vfma_to_vstr 5: 3 [J]
  vfma.f32 s0, s1, s2
  nop.w
  vstr s0, [r8]
  nop.w
@ loop vmla_to_vstr 6: 4 [J]
  vmla.f32 s0, s1, s2
  nop.w
  vstr s0, [r8]
  nop.w
@ loop vldr_to_vadd 3: 1 [J]
  vldr s0, [r8]
  nop.w
  vadd.f32 s3, s0, s4
  nop.w
@ loop vldr_to_vfma_accumulator 5: 3 [J]
  vldr s0, [r8]
  nop.w
  vfma.f32 s0, s3, s4
  nop.w
@ loop vldr_to_vmla_accumulator 4: 2 [J]
  vldr s0, [r8]
  nop.w
  vmla.f32 s0, s3, s4
  nop.w
@ loop core_to_fp 5: 3 [J]
  vmov s0, r0
  nop.w
  vadd.f32 s3, s0, s4
  nop.w
@ loop fp_to_core 3: 1 [J]
  vmov r0, s0
  nop.w
  eor.w r3, r0, r4
  nop.w
@ loop vadd_to_core 5: 3 [J]
  vadd.f32 s0, s1, s2
  nop.w
  vmov r0, s0
  nop.w
@ loop vldr_to_core 4: 2 [J]
  vldr s0, [r8]
  nop.w
  vmov r0, s0
  nop.w
@ loop vfma_to_core 7: 5 [J]
  vfma.f32 s0, s1, s2
  nop.w
  vmov r0, s0
  nop.w
@ loop fp_move_to_vadd 5: 3 [J]
  vmov.f32 s0, s1
  nop.w
  vadd.f32 s3, s0, s4
  nop.w
@ loop vadd_to_fp_move 5: 3 [J]
  vadd.f32 s0, s1, s2
  nop.w
  vmov.f32 s3, s0
  nop.w
@ loop mac_shadow_vadd 6: not for three cycles after a MAC [J]
  vfma.f32 s0, s1, s2
  nop.w
  vadd.f32 s3, s4, s5
  nop.w
@ loop mac_shadow_vldr_double 6: no VLDR.D for three cycles after a MAC [J]
  vfma.f32 s0, s1, s2
  nop.w
  vldr d4, [r8]
@ loop vmla_then_vfma 3: VFMA not in the cycle after VMLA [J]
  subs.w r7, r7, #1
  vmla.f32 s0, s1, s2
  nop.w
  nop.w
  vfma.f32 s3, s1, s2
  bne.w 1b
@ loop vldr_pairs 3: VLDR.S pairs [J]
  vldr s0, [r8]
  vldr s1, [r9]
  vldr s2, [r8]
  vldr s3, [r9]
@ loop vdiv 17: 16, after one paired integer op [J]
  vdiv.f32 s0, s1, s2
  nop.w
@ loop vsqrt 15: 14, after one paired integer op [J]
  vsqrt.f32 s0, s1
  nop.w
@ loop vldr_double 3: VLDR.D never pairs [J]
  vldr d0, [r8]
  vldr d1, [r8]
@ loop vstr_double 3: VSTR.D never pairs [J]
  vstr d0, [r8]
  vstr d1, [r8]
@ loop vldm4 4: as LDM [J]
  nop.n
  nop.n
  vldm.32 r8, {s0-s3}
@ loop vdiv_double 31: 30 [J]
  vdiv.f64 d0, d1, d2
  nop.w
@ loop vmul_double 6: 5 [J]
  vmul.f64 d0, d1, d2
  nop.w
@ loop vmov_two_registers 3: cannot pair [J]
  vmov r0, r1, d0
  vmov d1, r2, r3
