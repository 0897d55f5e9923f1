@ SPDX-License-Identifier: MIT
@ What the decoder must say of each instruction, written from the Armv7-M ARM.
@ After "@@": w= written, r= read, a= address, x= shifted or extracted, c= accumulator,
@ d= store data registers; m=WORDSxBYTES accesses; then words for the booleans.
@ Registers: r0..r15, f = flags, q, g = GE, fs = FPSCR, s0.., d0.. . All fields are complete.
.syntax unified
.thumb
.cpu cortex-m7
.fpu fpv5-d16
adds r0, r1                 @@ add w=r0,f r=r0,r1 sets
adds r0, #1                 @@ add w=r0,f r=r0 sets
add r0, r8                  @@ add w=r0 r=r0,r8
add sp, #16                 @@ add w=r13 r=r13
add r0, sp, #4              @@ add w=r0 r=r13
adr.w r0, .+8               @@ addw w=r0
add.w r0, r1, r2, lsl #3    @@ add w=r0 r=r1,r2 x=r2 shift
add.w r0, r1, r2            @@ add w=r0 r=r1,r2
adds.w r0, r1, #0x1fc0      @@ add w=r0,f r=r1 sets const
add.w r0, r1, #0xff         @@ add w=r0 r=r1
eor.w r0, r1, #0x1b1b1b1b   @@ eor w=r0 r=r1
addw r0, r1, #0xff9         @@ addw w=r0 r=r1
mov r0, r1                  @@ mov w=r0 r=r1
movs r0, #1                 @@ mov w=r0,f sets
mov.w r0, #0x1fc0           @@ mov w=r0 const
movw r0, #1234              @@ movw w=r0
movt r0, #1234              @@ movt w=r0 r=r0
mvns r0, r1                 @@ mvn w=r0,f r=r1 sets
mvn.w r0, r1, lsr #4        @@ mvn w=r0 r=r1 x=r1 shift
lsls r0, r1, #2             @@ lsl w=r0,f r=r1 sets
lsls r0, r1                 @@ lsl w=r0,f r=r0,r1 sets
lsl.w r0, r1, r2            @@ lsl w=r0 r=r1,r2
lsr.w r0, r1, #3            @@ lsr w=r0 r=r1
rrx r0, r1                  @@ rrx w=r0 r=r1,f
adcs r0, r1                 @@ adc w=r0,f r=r0,r1,f sets
sbc.w r0, r1, r2            @@ sbc w=r0 r=r1,r2,f
rsbs r0, r1, #0             @@ rsb w=r0,f r=r1 sets
bic.w r0, r1, r2, ror #3    @@ bic w=r0 r=r1,r2 x=r2 shift
cmp r0, #1                  @@ cmp w=f r=r0 sets
cmp.w r0, r1, lsl #2        @@ cmp w=f r=r0,r1 x=r1 sets shift
tst r0, r1                  @@ tst w=f r=r0,r1 sets
muls r0, r1, r0             @@ mul w=r0,f r=r0,r1 sets
mla r0, r1, r2, r3          @@ mla w=r0 r=r1,r2,r3 c=r3
mls r0, r1, r2, r3          @@ mls w=r0 r=r1,r2,r3 c=r3
smull r0, r1, r2, r3        @@ smull w=r0,r1 r=r2,r3
umlal r0, r1, r2, r3        @@ umlal w=r0,r1 r=r0,r1,r2,r3 c=r0,r1
smlabb r0, r1, r2, r3       @@ smlabb w=r0,q r=r1,r2,r3 c=r3
smulwb r0, r1, r2           @@ smulwb w=r0 r=r1,r2
smladx r0, r1, r2, r3       @@ smladx w=r0,q r=r1,r2,r3 c=r3
smuad r0, r1, r2            @@ smuad w=r0,q r=r1,r2
smlald r0, r1, r2, r3       @@ smlald w=r0,r1 r=r0,r1,r2,r3 c=r0,r1
smmulr r0, r1, r2           @@ smmulr w=r0 r=r1,r2
smmla r0, r1, r2, r3        @@ smmla w=r0 r=r1,r2,r3 c=r3
usada8 r0, r1, r2, r3       @@ usada8 w=r0 r=r1,r2,r3 c=r3
udiv r0, r1, r2             @@ udiv w=r0 r=r1,r2
uxtb r0, r1                 @@ uxtb w=r0 r=r1
uxtb16 r0, r1, ror #8       @@ uxtb16 w=r0 r=r1
uxtab16 r0, r1, r2, ror #8  @@ uxtab16 w=r0 r=r1,r2 x=r2
bfi r0, r1, #3, #4          @@ bfi w=r0 r=r0,r1 x=r1
bfc r0, #3, #4              @@ bfc w=r0 r=r0
ubfx r0, r1, #3, #4         @@ ubfx w=r0 r=r1
pkhbt r0, r1, r2, lsl #16   @@ pkhbt w=r0 r=r1,r2 x=r2
rev16 r0, r1                @@ rev16 w=r0 r=r1
sel r0, r1, r2              @@ sel w=r0 r=r1,r2,g
uadd8 r0, r1, r2            @@ uadd8 w=r0,g r=r1,r2
uqsub8 r0, r1, r2           @@ uqsub8 w=r0 r=r1,r2
qadd r0, r1, r2             @@ qadd w=r0,q r=r1,r2
usat r0, #8, r1, asr #3     @@ usat w=r0,q r=r1
ldr r0, [r1]                @@ ldr w=r0 r=r1 a=r1 m=1x4 load
ldr r0, [r1, r2]            @@ ldr w=r0 r=r1,r2 a=r1,r2 m=1x4 load
ldr r0, [r1, #4]!           @@ ldr w=r0,r1 r=r1 a=r1 m=1x4 load base
ldr r0, [r1], #4            @@ ldr w=r0,r1 r=r1 a=r1 m=1x4 load base
ldr.w r0, [pc, #-8]         @@ ldr w=r0 m=1x4 load
ldrsb r0, [r1, r2]          @@ ldrsb w=r0 r=r1,r2 a=r1,r2 m=1x1 load
ldrh r0, [r1]               @@ ldrh w=r0 r=r1 a=r1 m=1x2 load
ldrd r0, r1, [r2], #8       @@ ldrd w=r0,r1,r2 r=r2 a=r2 m=2x4 load base align
strd r0, r1, [r2, #8]!      @@ strd w=r2 r=r0,r1,r2 a=r2 d=r0,r1 m=2x4 store base align
str r0, [r1], #4            @@ str w=r1 r=r0,r1 a=r1 d=r0 m=1x4 store base
strb r0, [r1, #-1]          @@ strb r=r0,r1 a=r1 d=r0 m=1x1 store
strh.w r0, [r1, r2, lsl #1] @@ strh r=r0,r1,r2 a=r1,r2 d=r0 m=1x2 store
ldm r0, {r1, r2, r3}        @@ ldm w=r1,r2,r3 r=r0 a=r0 m=3x4 load align
ldm r0!, {r1, r2, r3}       @@ ldm w=r0,r1,r2,r3 r=r0 a=r0 m=3x4 load base align
stm r0!, {r1, r2}           @@ stm w=r0 r=r0,r1,r2 a=r0 d=r1,r2 m=2x4 store base align
stmdb r0!, {r1, r9}         @@ stmdb w=r0 r=r0,r1,r9 a=r0 d=r1,r9 m=2x4 store base align
push {r4, lr}               @@ push w=r13 r=r4,r13,r14 a=r13 d=r4,r14 m=2x4 store base align
push.w {r4-r9, lr}          @@ push w=r13 r=r4,r5,r6,r7,r8,r9,r13,r14 a=r13 d=r4,r5,r6,r7,r8,r9,r14 m=7x4 store base align
pop {r4, r5}                @@ pop w=r4,r5,r13 r=r13 a=r13 m=2x4 load base align
pop {r4, pc}                @@ pop w=r4,r13,r15 r=r13 a=r13 m=2x4 load base align branch return indirect
ldrex r0, [r1, #4]          @@ ldrex w=r0 r=r1 a=r1 m=1x4 load align exclusive
strex r0, r1, [r2]          @@ strex w=r0 r=r1,r2 a=r2 d=r1 m=2x4 store align exclusive
strexh r0, r1, [r2]         @@ strexh w=r0 r=r1,r2 a=r2 d=r1 m=2x2 store align exclusive
clrex                       @@ clrex
tbb [pc, r0]                @@ tbb r=r0 a=r0 m=1x1 load branch indirect
tbh [pc, r0, lsl #1]        @@ tbh r=r0 a=r0 m=1x2 load branch indirect
b .+8                       @@ b branch
beq .+8                     @@ b r=f cond=0 branch
bgt.w .+800                 @@ b r=f cond=12 branch
bl .+16                     @@ bl w=r14 branch call
blx r3                      @@ blx w=r14 r=r3 branch call indirect
bx lr                       @@ bx r=r14 branch return indirect
mov pc, r1                  @@ mov w=r15 r=r1 branch indirect
mov pc, lr                  @@ mov w=r15 r=r14 branch indirect
ldr pc, [r1]                @@ ldr w=r15 r=r1 a=r1 m=1x4 load branch indirect
ldr pc, [sp], #4            @@ ldr w=r13,r15 r=r13 a=r13 m=1x4 load base branch return indirect
cbz r0, .+8                 @@ cbz r=r0 branch
pld [r0, #-4]               @@ pld r=r0 a=r0
pld [r0, r1]                @@ pld r=r0,r1 a=r0,r1
mrs r0, primask             @@ mrs w=r0 r=f
msr apsr_nzcvq, r0          @@ msr w=f r=r0 sets
msr basepri, r0             @@ msr r=r0
cpsid i                     @@ cps
dmb                         @@ dmb
isb                         @@ isb
nop.w                       @@ nop
wfe                         @@ wfe
yield                       @@ yield
bkpt 0xab                   @@ bkpt
svc 3                       @@ svc
ittee ne                    @@ it
movne r0, #1                @@ mov w=r0 r=f cond=1 it
ldrne r1, [r2]              @@ ldr w=r1 r=r2,f a=r2 m=1x4 load cond=1 it
addeq r0, r1                @@ add w=r0 r=r0,r1,f cond=0 it
bxeq lr                     @@ bx r=r14,f branch return indirect cond=0 it
lsls r0, r1, #2             @@ lsl w=r0,f r=r1 sets
it le                       @@ it
vaddle.f32 s0, s1, s2       @@ vadd.f32 w=s0 r=s1,s2,f cond=13 it fpu
vadd.f64 d0, d1, d2         @@ vadd.f64 w=d0 r=d1,d2 fpu
vnmul.f32 s0, s1, s2        @@ vnmul.f32 w=s0 r=s1,s2 fpu
vmla.f32 s0, s1, s2         @@ vmla.f32 w=s0 r=s0,s1,s2 c=s0 fpu
vfms.f64 d0, d1, d2         @@ vfms.f64 w=d0 r=d0,d1,d2 c=d0 fpu
vdiv.f32 s0, s1, s2         @@ vdiv.f32 w=s0 r=s1,s2 fpu
vsqrt.f64 d0, d1            @@ vsqrt.f64 w=d0 r=d1 fpu
vcmp.f32 s0, s1             @@ vcmp.f32 w=fs r=s0,s1 fpu
vcmpe.f64 d0, #0.0          @@ vcmpe.f64 w=fs r=d0 fpu
vmrs APSR_nzcv, fpscr       @@ vmrs w=f r=fs sets fpu
vmrs r0, fpscr              @@ vmrs w=r0 r=fs fpu
vmsr fpscr, r0              @@ vmsr w=fs r=r0 fpu
vmov.f32 s0, #1.0           @@ vmov.f32 w=s0 fpu
vmov.f64 d0, d1             @@ vmov.f64 w=d0 r=d1 fpu
vmov s0, r0                 @@ vmov w=s0 r=r0 fpu
vmov r0, s0                 @@ vmov w=r0 r=s0 fpu
vmov r0, r1, d0             @@ vmov w=r0,r1 r=d0 fpu
vmov d0, r0, r1             @@ vmov w=d0 r=r0,r1 fpu
vmov r0, r1, s2, s3         @@ vmov w=r0,r1 r=s2,s3 fpu
vmov.32 d1[1], r1           @@ vmov.32 w=s3 r=r1 fpu
vmov.32 r1, d1[0]           @@ vmov.32 w=r1 r=s2 fpu
vldr s0, [r0, #4]           @@ vldr w=s0 r=r0 a=r0 m=1x4 load align fpu
vldr d0, [r0, #4]           @@ vldr w=d0 r=r0 a=r0 m=1x8 load align fpu
vstr d3, [r0]               @@ vstr r=d3,r0 a=r0 d=d3 m=1x8 store align fpu
vldm r0!, {d0-d3}           @@ vldmia w=d0,d1,d2,d3,r0 r=r0 a=r0 m=4x8 load base align fpu
vstm r0, {s0-s2}            @@ vstmia r=s0,s1,s2,r0 a=r0 d=s0,s1,s2 m=3x4 store align fpu
vpush {d8-d9}               @@ vpush w=r13 r=d8,d9,r13 a=r13 d=d8,d9 m=2x8 store base align fpu
vpop {s16}                  @@ vpop w=s16,r13 r=r13 a=r13 m=1x4 load base align fpu
vcvt.s32.f64 s0, d1         @@ vcvt.s32.f64 w=s0 r=d1 fpu
vcvt.f64.f32 d0, s1         @@ vcvt.f64.f32 w=d0 r=s1 fpu
vcvt.f32.s32 s0, s0, #4     @@ vcvt.f32.s32 w=s0 r=s0 fpu
vrinta.f32 s0, s1           @@ vrinta.f32 w=s0 r=s1 fpu
vmaxnm.f32 s0, s1, s2       @@ vmaxnm.f32 w=s0 r=s1,s2 fpu
vseleq.f32 s0, s1, s2       @@ vseleq.f32 w=s0 r=s1,s2,f fpu
