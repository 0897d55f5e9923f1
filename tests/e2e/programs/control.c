/* SPDX-License-Identifier: MIT */
/* A small stack machine: switch tables, function pointers, conditionals that become
   IT blocks, bit fields, byte and half-word accesses, saturation, recursion. */
#include "print.h"

struct Packet {
  unsigned kind : 3, length : 9, flag : 1;
  int offset : 11;
};

static int32_t stack[32];
static int depth;

static int32_t add(int32_t x, int32_t y) { return x + y; }
static int32_t subtract(int32_t x, int32_t y) { return x - y; }
static int32_t multiply(int32_t x, int32_t y) { return x * y; }
static int32_t greatest(int32_t x, int32_t y) { return x > y ? x : y; }
static int32_t (*const volatile operations[])(int32_t, int32_t) = {add, subtract, multiply, greatest};

static uint32_t ackermann(uint32_t m, uint32_t n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}

static int32_t saturate(int32_t value, int32_t low, int32_t high) {
  if (value < low) value = low;
  if (value > high) value = high;
  return value;
}

static int32_t step(uint32_t code) {
  switch (code & 15) {
    case 0: case 1: case 2: case 3: {
      if (depth < 2) { stack[depth++] = (int32_t)code; return 0; }
      --depth;
      stack[depth - 1] = operations[code & 3](stack[depth - 1], stack[depth]);
      return stack[depth - 1];
    }
    case 4: stack[0] = -stack[0]; break;
    case 5: stack[0] = (int16_t)stack[0]; break;
    case 6: stack[0] = (uint8_t)(stack[0] >> 3); break;
    case 7: stack[0] = saturate(stack[0], -128, 127); break;
    case 8: stack[0] = __builtin_clz((uint32_t)stack[0] | 1); break;
    case 9: stack[0] = (int32_t)__builtin_bswap32((uint32_t)stack[0]); break;
    case 10: stack[0] ^= stack[0] << 13; break;
    case 11: stack[0] = stack[0] < 0 ? 3 : stack[0] & 1 ? 3 * stack[0] + 1 : stack[0] / 2; break;
    case 12: stack[0] += saturate((int32_t)code >> 4, -2048, 2047); break;
    default: if (depth < 31) stack[depth++] = (int32_t)(code >> 4); break;
  }
  return stack[0];
}

int main(void) {
  uint32_t seed = 12345, mix = 0;
  struct Packet packet = {0, 0, 0, 0};
  depth = 1;
  for (int i = 0; i < 1500; ++i) {
    seed = seed * 1103515245u + 12345u;
    const int32_t value = step(seed >> 8);
    packet.kind += 1;
    packet.length = (unsigned)value;
    packet.offset = value >> 5;
    packet.flag ^= value < 0;
    mix = mix * 31 + packet.kind + packet.length * 8u + (uint32_t)packet.offset + packet.flag;
  }
  print_word(mix);
  print_word(ackermann(2, 6));
  return 0;
}
