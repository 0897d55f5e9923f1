/* SPDX-License-Identifier: MIT */
/* Console output for test programs: hex words through semihosting. */
#pragma once
#include <stdint.h>

static inline void print_text(const char* text) {
  register uint32_t r0 __asm__("r0") = 4; /* SYS_WRITE0 */
  register const char* r1 __asm__("r1") = text;
  __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

static inline void print_word(uint32_t value) {
  char text[10];
  for (int i = 0; i < 8; ++i) text[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
  text[8] = '\n';
  text[9] = '\0';
  print_text(text);
}
