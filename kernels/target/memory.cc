// SPDX-License-Identifier: MIT
// memcpy, memmove, memset and memcmp: the calls a freestanding compiler may emit.
// Words where possible; plain LDR and STR bear unaligned addresses on the
// Cortex-M7, LDM and LDRD would not, so words go through a packed type.
#include <stddef.h>
#include <stdint.h>

namespace {

struct __attribute__((packed, may_alias)) Word {
  uint32_t value;
};

inline Word* word(void* p) { return static_cast<Word*>(p); }
inline const Word* word(const void* p) { return static_cast<const Word*>(p); }

}  // namespace

extern "C" {

void* memcpy(void* to, const void* from, size_t bytes) {
  auto* out = static_cast<uint8_t*>(to);
  auto* in = static_cast<const uint8_t*>(from);
  for (; bytes >= 16; bytes -= 16, out += 16, in += 16) {
    const uint32_t a = word(in)->value, b = word(in + 4)->value, c = word(in + 8)->value,
                   d = word(in + 12)->value;
    word(out)->value = a;
    word(out + 4)->value = b;
    word(out + 8)->value = c;
    word(out + 12)->value = d;
  }
  for (; bytes >= 4; bytes -= 4, out += 4, in += 4) word(out)->value = word(in)->value;
  while (bytes-- > 0) *out++ = *in++;
  return to;
}

void* memmove(void* to, const void* from, size_t bytes) {
  auto* out = static_cast<uint8_t*>(to);
  auto* in = static_cast<const uint8_t*>(from);
  if (out <= in || out >= in + bytes) {
    // Forward word copies read each word before a later store can reach it.
    for (; bytes >= 4; bytes -= 4, out += 4, in += 4) word(out)->value = word(in)->value;
    while (bytes-- > 0) *out++ = *in++;
    return to;
  }
  for (; bytes >= 4; bytes -= 4) word(out + bytes - 4)->value = word(in + bytes - 4)->value;
  while (bytes-- > 0) out[bytes] = in[bytes];
  return to;
}

void* memset(void* to, int value, size_t bytes) {
  auto* out = static_cast<uint8_t*>(to);
  const uint32_t fill = static_cast<uint8_t>(value) * 0x01010101u;
  for (; bytes >= 16; bytes -= 16, out += 16) {
    word(out)->value = fill;
    word(out + 4)->value = fill;
    word(out + 8)->value = fill;
    word(out + 12)->value = fill;
  }
  while (bytes-- > 0) *out++ = static_cast<uint8_t>(fill);
  return to;
}

int memcmp(const void* a, const void* b, size_t bytes) {
  auto* left = static_cast<const uint8_t*>(a);
  auto* right = static_cast<const uint8_t*>(b);
  for (; bytes-- > 0; ++left, ++right)
    if (*left != *right) return *left - *right;
  return 0;
}

}  // extern "C"
