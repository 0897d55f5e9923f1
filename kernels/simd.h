// SPDX-License-Identifier: MIT
// The DSP instructions of ARMv7E-M that kernels use, with exact host twins.
//
// One name, one meaning on both sides: words in, words out, arithmetic modulo
// 2^32 (accumulators are uint32_t, so nothing here can overflow). Wrappers that
// GCC has no pattern for are one-line asm on the target. Freestanding.
#pragma once

#include <stdint.h>

namespace mcusim::simd {

// Words inside byte buffers; `any_word` may start at any byte.
using Word [[gnu::may_alias]] = uint32_t;
struct [[gnu::packed, gnu::may_alias]] AnyWord {
  uint32_t value;
};

struct [[gnu::packed, gnu::may_alias]] AnyHalf {
  uint16_t value;
};

inline uint32_t load_any(const uint8_t* p) { return reinterpret_cast<const AnyWord*>(p)->value; }
inline void store_any(uint8_t* p, uint32_t v) { reinterpret_cast<AnyWord*>(p)->value = v; }
inline void store_any_half(uint8_t* p, uint32_t v) {
  reinterpret_cast<AnyHalf*>(p)->value = static_cast<uint16_t>(v);
}

// Signed 16-bit halves of a word.
constexpr int32_t low_half(uint32_t x) { return static_cast<int16_t>(x & 0xFFFFu); }
constexpr int32_t high_half(uint32_t x) { return static_cast<int16_t>(x >> 16); }
constexpr uint32_t pack_halves(uint32_t low, uint32_t high) {
  return (low & 0xFFFFu) | (high << 16);
}
// Arithmetic shift right, n in 0..31.
constexpr int32_t asr(uint32_t x, int n) { return static_cast<int32_t>(x) >> n; }
constexpr uint32_t ror(uint32_t x, int n) { return n == 0 ? x : (x >> n) | (x << (32 - n)); }

#if defined(__arm__)

#define MCUSIM_SIMD2(name, text)                                   \
  inline uint32_t name(uint32_t a, uint32_t b) {                   \
    uint32_t r;                                                    \
    asm(text : "=r"(r) : "r"(a), "r"(b));                          \
    return r;                                                      \
  }
#define MCUSIM_SIMD3(name, text)                                   \
  inline uint32_t name(uint32_t a, uint32_t b, uint32_t c) {       \
    uint32_t r;                                                    \
    asm(text : "=r"(r) : "r"(a), "r"(b), "r"(c));                  \
    return r;                                                      \
  }

inline uint32_t uxtb16(uint32_t x) {
  uint32_t r;
  asm("uxtb16 %0, %1" : "=r"(r) : "r"(x));
  return r;
}
inline uint32_t uxtb16_ror8(uint32_t x) {
  uint32_t r;
  asm("uxtb16 %0, %1, ror #8" : "=r"(r) : "r"(x));
  return r;
}
MCUSIM_SIMD2(uxtab16, "uxtab16 %0, %1, %2")
MCUSIM_SIMD2(uxtab16_ror8, "uxtab16 %0, %1, %2, ror #8")
MCUSIM_SIMD2(sxtab16_ror8, "sxtab16 %0, %1, %2, ror #8")
MCUSIM_SIMD2(smuad, "smuad %0, %1, %2")
MCUSIM_SIMD2(pkhbt, "pkhbt %0, %1, %2, lsl #16")
MCUSIM_SIMD2(pkhtb, "pkhtb %0, %2, %1, asr #16")
MCUSIM_SIMD2(ssub16, "ssub16 %0, %1, %2")
MCUSIM_SIMD2(uqadd8, "uqadd8 %0, %1, %2")
MCUSIM_SIMD2(uqsub8, "uqsub8 %0, %1, %2")
MCUSIM_SIMD3(smlad, "smlad %0, %1, %2, %3")
MCUSIM_SIMD3(smlabb, "smlabb %0, %1, %2, %3")
MCUSIM_SIMD3(smlabt, "smlabt %0, %1, %2, %3")
MCUSIM_SIMD3(smlatb, "smlatb %0, %1, %2, %3")
MCUSIM_SIMD3(smlatt, "smlatt %0, %1, %2, %3")
MCUSIM_SIMD3(usada8, "usada8 %0, %1, %2, %3")
inline int32_t smmul(int32_t a, int32_t b) {
  int32_t r;
  asm("smmul %0, %1, %2" : "=r"(r) : "r"(a), "r"(b));
  return r;
}
inline int32_t smmla(int32_t a, int32_t b, int32_t c) {
  int32_t r;
  asm("smmla %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(c));
  return r;
}
inline int32_t smmlar(int32_t a, int32_t b, int32_t c) {
  int32_t r;
  asm("smmlar %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(c));
  return r;
}
inline int32_t smmulr(int32_t a, int32_t b) {
  int32_t r;
  asm("smmulr %0, %1, %2" : "=r"(r) : "r"(a), "r"(b));
  return r;
}
inline int32_t qadd(int32_t a, int32_t b) {
  int32_t r;
  asm("qadd %0, %1, %2" : "=r"(r) : "r"(a), "r"(b));
  return r;
}
template <int kBits>
inline int32_t ssat(int32_t x) {
  int32_t r;
  asm("ssat %0, %2, %1" : "=r"(r) : "r"(x), "i"(kBits));
  return r;
}
template <int kBits>
inline uint32_t usat(int32_t x) {
  uint32_t r;
  asm("usat %0, %2, %1" : "=r"(r) : "r"(x), "i"(kBits));
  return r;
}
#undef MCUSIM_SIMD2
#undef MCUSIM_SIMD3

#else

// Bytes 0 and 2 (1 and 3) of x as the halves of a word.
inline uint32_t uxtb16(uint32_t x) { return x & 0x00FF00FFu; }
inline uint32_t uxtb16_ror8(uint32_t x) { return (x >> 8) & 0x00FF00FFu; }
// The same added to the halves of a, each modulo 2^16.
inline uint32_t uxtab16(uint32_t a, uint32_t x) {
  x = uxtb16(x);
  return ((a + x) & 0xFFFFu) | ((a & 0xFFFF0000u) + (x & 0xFFFF0000u));
}
inline uint32_t uxtab16_ror8(uint32_t a, uint32_t x) { return uxtab16(a, x >> 8); }
// Bytes 1 and 3 as signed numbers.
inline uint32_t sxtab16_ror8(uint32_t a, uint32_t x) {
  const uint32_t low = static_cast<uint32_t>(static_cast<int8_t>(x >> 8));
  const uint32_t high = static_cast<uint32_t>(static_cast<int8_t>(x >> 24));
  return ((a + low) & 0xFFFFu) | ((a & 0xFFFF0000u) + (high << 16));
}

inline uint32_t product(int32_t a, int32_t b) { return static_cast<uint32_t>(a * b); }

inline uint32_t smlabb(uint32_t a, uint32_t b, uint32_t c) {
  return product(low_half(a), low_half(b)) + c;
}
inline uint32_t smlabt(uint32_t a, uint32_t b, uint32_t c) {
  return product(low_half(a), high_half(b)) + c;
}
inline uint32_t smlatb(uint32_t a, uint32_t b, uint32_t c) {
  return product(high_half(a), low_half(b)) + c;
}
inline uint32_t smlatt(uint32_t a, uint32_t b, uint32_t c) {
  return product(high_half(a), high_half(b)) + c;
}
inline uint32_t smuad(uint32_t a, uint32_t b) { return smlatt(a, b, smlabb(a, b, 0)); }
inline uint32_t smlad(uint32_t a, uint32_t b, uint32_t c) { return smuad(a, b) + c; }

// low(a), low(b) and high(a), high(b) as the halves of a word, first one low.
inline uint32_t pkhbt(uint32_t a, uint32_t b) { return (a & 0xFFFFu) | (b << 16); }
inline uint32_t pkhtb(uint32_t a, uint32_t b) { return (a >> 16) | (b & 0xFFFF0000u); }
inline uint32_t ssub16(uint32_t a, uint32_t b) {
  return ((a - b) & 0xFFFFu) | (((a >> 16) - (b >> 16)) << 16);
}

// Bytes added and subtracted, limited to 0 .. 255.
inline uint32_t uqadd8(uint32_t a, uint32_t b) {
  uint32_t r = 0;
  for (int i = 0; i < 32; i += 8) {
    const uint32_t sum = (a >> i & 0xFFu) + (b >> i & 0xFFu);
    r |= (sum > 0xFFu ? 0xFFu : sum) << i;
  }
  return r;
}
inline uint32_t uqsub8(uint32_t a, uint32_t b) {
  uint32_t r = 0;
  for (int i = 0; i < 32; i += 8) {
    const uint32_t x = a >> i & 0xFFu, y = b >> i & 0xFFu;
    r |= (x > y ? x - y : 0) << i;
  }
  return r;
}

// Sum of the absolute differences of the four bytes, plus c.
inline uint32_t usada8(uint32_t a, uint32_t b, uint32_t c) {
  for (int i = 0; i < 32; i += 8) {
    const uint32_t x = (a >> i) & 0xFFu, y = (b >> i) & 0xFFu;
    c += x > y ? x - y : y - x;
  }
  return c;
}
// High word of the signed product (plus c).
inline int32_t smmul(int32_t a, int32_t b) {
  return static_cast<int32_t>((static_cast<int64_t>(a) * b) >> 32);
}
inline int32_t smmla(int32_t a, int32_t b, int32_t c) {
  return static_cast<int32_t>(static_cast<uint32_t>(smmul(a, b)) + static_cast<uint32_t>(c));
}
// The same, rounded: half a unit is added to the 64-bit product.
inline int32_t smmulr(int32_t a, int32_t b) {
  return static_cast<int32_t>((static_cast<int64_t>(a) * b + INT64_C(0x80000000)) >> 32);
}
inline int32_t smmlar(int32_t a, int32_t b, int32_t c) {
  return static_cast<int32_t>(static_cast<uint32_t>(smmulr(a, b)) + static_cast<uint32_t>(c));
}
inline int32_t qadd(int32_t a, int32_t b) {
  const int64_t sum = static_cast<int64_t>(a) + b;
  return static_cast<int32_t>(sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum);
}
// Saturation to kBits bits: signed, and from signed to unsigned.
template <int kBits>
inline int32_t ssat(int32_t x) {
  constexpr int32_t kMax = (1 << (kBits - 1)) - 1;
  return x > kMax ? kMax : x < -kMax - 1 ? -kMax - 1 : x;
}
template <int kBits>
inline uint32_t usat(int32_t x) {
  constexpr int32_t kMax = (1 << kBits) - 1;
  return static_cast<uint32_t>(x < 0 ? 0 : x > kMax ? kMax : x);
}

#endif

}  // namespace mcusim::simd
