@ SPDX-License-Identifier: MIT
@ Inner loops of the kind our kernels run, for comparison with llvm-mca's resource
@ bound. "@ loop NAME: what"; register values as in tests/sim/synthetic.h. A body gets
@ SUBS.W R7 and BNE.W appended, which the bound does not count.
@ loop split8_pairs: two channels by four pixels, 8-bit weights, plain LDR
  uxtb16 r6, r2
  smlad r0, r1, r2, r0
  ldr.w r4, [r8, #4]
  smlad r3, r1, r6, r3
  ldr.w r1, [r8, #8]
  smlad r0, r4, r2, r0
  smlad r3, r4, r6, r3
  ldr.w r4, [r8, #12]
  smlad r5, r1, r2, r5
  smlad r5, r1, r6, r5
  ldr.w r1, [r8, #16]
  smlad r0, r4, r2, r0
  ldr r2, [r9], #4
  smlad r3, r4, r6, r3
@ loop split8_ldrd: the same with LDRD
  uxtb16 r6, r2
  ldrd r1, r4, [r8]
  smlad r0, r1, r2, r0
  smlad r3, r1, r6, r3
  smlad r0, r4, r2, r0
  smlad r3, r4, r6, r3
  ldr r2, [r9], #4
@ loop packed_mask: rotated mask, four weights of a word
  and.w r6, r5, r2, ror #0
  smlad r0, r1, r6, r0
  and.w r6, r5, r2, ror #8
  ldr.w r1, [r8, #4]
  smlad r0, r4, r6, r0
  ldr.w r4, [r8, #8]
  ldr r2, [r9], #4
@ loop expand_bytes: bytes to lanes with their sum
  ldr r0, [r8], #4
  usada8 r4, r0, r5, r4
  uxtb16 r1, r0
  uxtb16 r2, r0, ror #8
  pkhbt r3, r1, r2, lsl #16
  pkhtb r6, r2, r1, asr #16
  str r3, [r12], #4
  str r6, [r12], #4
@ loop depthwise_column: one column of a planar 3x3
  ldr.w r0, [r8, #8]
  smlad r3, r1, r5, r3
  smlatb r4, r1, r5, r4
  ldr.w r1, [r8, #12]
  smlabt r3, r0, r6, r3
  smlad r4, r0, r6, r4
@ loop requantise: add, scale, shift, clip, store
  add.w r0, r0, r5
  mls r0, r1, r2, r0
  smmul r0, r0, r3
  asr.w r0, r0, #4
  add.w r0, r0, r6
  usat r0, #8, r0
  strb.w r0, [r12]
@ loop copy_words: load and store a word
  ldr r0, [r8], #4
  str r0, [r12], #4
@ loop sum_bytes: byte accumulation of a pool
  ldrb r0, [r8], #1
  add.w r1, r1, r0
@ loop fp_dot: single-precision dot product
  vldr s0, [r8]
  vldr s1, [r9]
  vmla.f32 s2, s0, s1
