// SPDX-License-Identifier: MIT
// The end of a group: eight sums of a channel pair become stored values, for the
// ordinary parameters of icn-floor and tflite and outputs of 8 and 4 bits. All else
// takes kernels/requant.h. Freestanding.
#pragma once

#include "kernels/ops/cores/core.h"

namespace mcusim::matmul {

// Of a channel pair. icn: (sum * mult >> 32) + add, shifted. tflite: the first
// rounding is of sum * M / 2^31 = sum + sum * (2M - 2^32) / 2^32, so mult is 2M
// modulo 2^32 (M is at least 2^30) and the sum is added; `add` holds half a unit of
// the second rounding and the zero point << shift. Its ties go away from zero; where
// the zero point is 0 that is not seen, since what lies below is clamped (`ties`).
struct PairScale {
  int32_t mult[2], add[2];
  uint32_t shift[2];
  bool fused, ties;
  bool constant[2];  // the channel's outputs do not depend on its activations
};

template <net::Contract kContract, int kOut>
inline constexpr bool kFuses = kContract != net::Contract::thresholds && kOut != 2;

template <net::Contract kContract, int kOut>
[[gnu::noinline]] uint32_t requantise_any(uint32_t acc, const Channel& ch, const Stage& stage) {
  return requantise_one<kContract, kOut>(acc, ch, stage, nullptr);
}

// Whether outputs of a channel are one value: requantisation is monotone, so it is
// enough to look at both ends of the sums, bias - reach to bias + reach. Trained
// networks have many such channels.
template <net::Contract kContract, int kOut>
[[gnu::noinline]] bool is_constant(const Channel& ch, uint64_t reach, const Stage& stage,
                                   uint32_t& value) {
  const int64_t bias = static_cast<int32_t>(ch.bias), wide = static_cast<int64_t>(reach);
  if (bias - wide < INT32_MIN || bias + wide > INT32_MAX) return false;
  value = requantise_any<kContract, kOut>(static_cast<uint32_t>(bias - wide), ch, stage);
  return value ==
         requantise_any<kContract, kOut>(static_cast<uint32_t>(bias + wide), ch, stage);
}

// `reach[i]` is the largest |sum| of channel i without its bias. A constant channel is
// scaled as if its sums were 0; its values are add >> shift.
template <net::Contract kContract, int kOut>
[[gnu::noinline]] PairScale make_scale(const Channel (&ch)[2], const uint64_t (&reach)[2],
                                       const Stage& stage) {
  constexpr bool kTflite = kContract == net::Contract::tflite;
  PairScale scale;
  scale.fused = true;
  scale.ties = stage.zero_point != 0;
  for (int i = 0; i < 2; ++i) {
    int32_t mult = ch[i].mult, right = ch[i].shift;
    uint64_t add = static_cast<uint32_t>(stage.zero_point);
    if (kTflite && right < 0) right = -(right + 256);
    const bool still = mult == 0 || (right >= 0 && reach[i] >> (right < 31 ? right + 1 : 31) == 0);
    uint32_t value;
    scale.constant[i] = still && is_constant<kContract, kOut>(ch[i], reach[i], stage, value);
    if (scale.constant[i]) {
      mult = 0, right = 1, add = 2 * value + 1;
    } else if constexpr (kTflite) {
      // The scaled sum is below its bound, as M is below 2^31.
      const int64_t bias = static_cast<int32_t>(ch[i].bias);
      const uint64_t bound = static_cast<uint64_t>(bias < 0 ? -bias : bias) + reach[i];
      if (right > 0) add = (2 * add + 1) << ((right - 1) & 31);
      scale.fused = scale.fused && mult >= 1 << 30 && (right > 0 || (right == 0 && !scale.ties)) &&
                    add + bound < uint64_t{1} << 31;
      mult = static_cast<int32_t>(static_cast<uint32_t>(mult) << 1);
    } else {
      scale.fused = scale.fused && right >= 0;
      add <<= right & 31;
    }
    scale.mult[i] = mult;
    scale.add[i] = static_cast<int32_t>(static_cast<uint32_t>(add));
    scale.shift[i] = static_cast<uint32_t>(right & 31);
  }
  return scale;
}

// `to` is the pair's byte in the pixel at arena offset 0; `record` the group's.
template <net::Contract kContract, int kOut>
inline void finish_plain(const Sums& s, const PairScale& scale, const Word* record, uint8_t* to) {
  const auto value = [&](uint32_t sum, int i) {
    const int32_t acc = static_cast<int32_t>(sum);
    int32_t v;
    if constexpr (kContract == net::Contract::icn_floor) {
      v = simd::smmla(acc, scale.mult[i], scale.add[i]);
    } else {
      const uint32_t sign = scale.ties ? static_cast<uint32_t>(acc >> 31) : 0;
      const uint32_t add = static_cast<uint32_t>(scale.add[i]) + sum + sign;
      v = simd::smmlar(acc, scale.mult[i], static_cast<int32_t>(add));
    }
    return simd::usat<kOut>(v >> scale.shift[i]);
  };
  for (int p = 0; p < 4; ++p) {
    const uint32_t y = value(s.c0[p], 0) | value(s.c1[p], 1) << kOut;
    if constexpr (kOut == 8)
      simd::store_any_half(to + record[p], y);
    else
      to[record[p]] = static_cast<uint8_t>(y);
  }
}

#if defined(MCUSIM_ASM_CORES)

// A saturation issues in the older slot only and not beside a shifted operand; a MAC's
// result is there two cycles later, and so is a load's for a MAC.
#define MCUSIM_FINISH_ICN                                                              \
  "ldr %[t], %[mult0]\n ldr %[v], %[add0]\n ldr %[x], %[shift0]\n"                     \
  "smmla %[l0], %[l0], %[t], %[v]\n smmla %[l1], %[l1], %[t], %[v]\n"                  \
  "smmla %[l2], %[l2], %[t], %[v]\n smmla %[l3], %[l3], %[t], %[v]\n"                  \
  "ldr %[t], %[mult1]\n ldr %[v], %[add1]\n"                                           \
  "asr %[l0], %[l0], %[x]\n asr %[l1], %[l1], %[x]\n"                                  \
  "smmla %[m0], %[m0], %[t], %[v]\n asr %[l2], %[l2], %[x]\n"                          \
  "smmla %[m1], %[m1], %[t], %[v]\n asr %[l3], %[l3], %[x]\n"                          \
  "smmla %[m2], %[m2], %[t], %[v]\n ldr %[x], %[shift1]\n"                             \
  "smmla %[m3], %[m3], %[t], %[v]\n"
#define MCUSIM_TFLITE_SIGN(s) "add %[x], %[x], %[" s "], asr #31\n"
#define MCUSIM_TFLITE_NONE(s) ""
#define MCUSIM_TFLITE_ONE(s, sign) \
  "add %[x], %[" s "], %[v]\n" sign(s) "smmlar %[" s "], %[" s "], %[t], %[x]\n"
#define MCUSIM_TFLITE_FOUR(s, sign)                            \
  MCUSIM_TFLITE_ONE(s "0", sign) MCUSIM_TFLITE_ONE(s "1", sign) \
  MCUSIM_TFLITE_ONE(s "2", sign) MCUSIM_TFLITE_ONE(s "3", sign)
#define MCUSIM_FINISH_TFLITE(sign)                                                     \
  "ldr %[t], %[mult0]\n ldr %[v], %[add0]\n" MCUSIM_TFLITE_FOUR("l", sign)             \
  "ldr %[t], %[mult1]\n ldr %[v], %[add1]\n ldr %[x], %[shift0]\n"                     \
  "asr %[l0], %[l0], %[x]\n asr %[l1], %[l1], %[x]\n"                                  \
  "asr %[l2], %[l2], %[x]\n asr %[l3], %[l3], %[x]\n"                                  \
  MCUSIM_TFLITE_FOUR("m", sign) "ldr %[x], %[shift1]\n"
#define MCUSIM_FINISH_STORE(store, bits)                                               \
  "usat %[l0], #" bits ", %[l0]\n ldr %[t], [%[g]]\n"                                  \
  "usat %[l1], #" bits ", %[l1]\n asr %[m0], %[m0], %[x]\n"                            \
  "usat %[l2], #" bits ", %[l2]\n asr %[m1], %[m1], %[x]\n"                            \
  "usat %[l3], #" bits ", %[l3]\n asr %[m2], %[m2], %[x]\n"                            \
  "usat %[m0], #" bits ", %[m0]\n asr %[m3], %[m3], %[x]\n"                            \
  "usat %[m1], #" bits ", %[m1]\n ldr %[v], [%[g], #4]\n"                              \
  "usat %[m2], #" bits ", %[m2]\n ldr %[x], [%[g], #8]\n"                              \
  "orr %[l0], %[l0], %[m0], lsl #" bits "\n ldr %[m0], [%[g], #12]\n"                  \
  "usat %[m3], #" bits ", %[m3]\n " store " %[l0], [%[to], %[t]]\n"                    \
  "orr %[l1], %[l1], %[m1], lsl #" bits "\n"                                           \
  "orr %[l2], %[l2], %[m2], lsl #" bits "\n " store " %[l1], [%[to], %[v]]\n"          \
  "orr %[l3], %[l3], %[m3], lsl #" bits "\n " store " %[l2], [%[to], %[x]]\n"          \
  store " %[l3], [%[to], %[m0]]\n"
#define MCUSIM_FINISH(scaled)                                                            \
  if constexpr (kOut == 8)                                                               \
    asm volatile(scaled MCUSIM_FINISH_STORE("strh", "8") MCUSIM_FINISH_OPERANDS);        \
  else                                                                                   \
    asm volatile(scaled MCUSIM_FINISH_STORE("strb", "4") MCUSIM_FINISH_OPERANDS)
#define MCUSIM_FINISH_OPERANDS                                                           \
  : [l0] "+r"(s.c0[0]), [l1] "+r"(s.c0[1]), [l2] "+r"(s.c0[2]), [l3] "+r"(s.c0[3]),      \
    [m0] "+r"(s.c1[0]), [m1] "+r"(s.c1[1]), [m2] "+r"(s.c1[2]), [m3] "+r"(s.c1[3]),      \
    [t] "=&r"(t), [v] "=&r"(v), [x] "=&r"(x)                                             \
  : [g] "r"(record), [to] "r"(to), [mult0] "m"(scale.mult[0]), [add0] "m"(scale.add[0]), \
    [shift0] "m"(scale.shift[0]), [mult1] "m"(scale.mult[1]), [add1] "m"(scale.add[1]),  \
    [shift1] "m"(scale.shift[1])                                                         \
  : "cc", "memory"

template <net::Contract kContract, int kOut>
[[gnu::always_inline]] inline void finish_asm(Sums& s, const PairScale& scale, const Word* record,
                                              uint8_t* to) {
  uint32_t t, v, x;
  if constexpr (kContract == net::Contract::icn_floor) {
    MCUSIM_FINISH(MCUSIM_FINISH_ICN);
  } else if (scale.ties) {
    MCUSIM_FINISH(MCUSIM_FINISH_TFLITE(MCUSIM_TFLITE_SIGN));
  } else {
    MCUSIM_FINISH(MCUSIM_FINISH_TFLITE(MCUSIM_TFLITE_NONE));
  }
}
#undef MCUSIM_FINISH_OPERANDS
#undef MCUSIM_FINISH
#undef MCUSIM_FINISH_STORE
#undef MCUSIM_FINISH_TFLITE
#undef MCUSIM_TFLITE_FOUR
#undef MCUSIM_TFLITE_ONE
#undef MCUSIM_TFLITE_NONE
#undef MCUSIM_TFLITE_SIGN
#undef MCUSIM_FINISH_ICN

#endif

// Stores a group; `scale.fused` holds. The sums are used up.
template <net::Contract kContract, int kOut>
[[gnu::always_inline]] inline void finish(Sums& s, const PairScale& scale, const Word* record,
                                          uint8_t* to) {
#if defined(MCUSIM_ASM_CORES)
  finish_asm<kContract, kOut>(s, scale, record, to);
#else
  finish_plain<kContract, kOut>(s, scale, record, to);
#endif
}

}  // namespace mcusim::matmul
