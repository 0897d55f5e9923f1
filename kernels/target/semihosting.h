// SPDX-License-Identifier: MIT
// Semihosting calls: BKPT 0xAB with the operation in r0 and its block in r1
// (Arm semihosting specification, abi-aa). Freestanding.
#pragma once

#include <stdint.h>

namespace mcusim::target {

inline constexpr uint32_t kSysWrite0 = 0x04, kSysExitExtended = 0x20;
inline constexpr uint32_t kApplicationExit = 0x20026;  // ADP_Stopped_ApplicationExit

inline uint32_t semihost(uint32_t operation, const void* block) {
  register uint32_t r0 asm("r0") = operation;
  register const void* r1 asm("r1") = block;
  asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

[[noreturn]] inline void exit_with(uint32_t code) {
  const uint32_t block[2] = {kApplicationExit, code};
  for (;;) semihost(kSysExitExtended, block);
}

}  // namespace mcusim::target
