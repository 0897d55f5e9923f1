// SPDX-License-Identifier: MIT
// Copies the container to the RAM it is read from, before anything else runs. Linked
// only into images whose weights were placed there: the image builder wraps
// firmware_main, and every other image is the same without it.
#include <stdint.h>

#include "kernels/target/registers.h"

extern "C" {
extern uint32_t __container_start[], __container_end[];
extern const uint32_t __container_load[];

void __real__ZN6mcusim6target13firmware_mainEv();
void __wrap__ZN6mcusim6target13firmware_mainEv();

void __wrap__ZN6mcusim6target13firmware_mainEv() {
  const uint32_t* from = __container_load;
  for (uint32_t* to = __container_start; to < __container_end;) *to++ = *from++;
  mcusim::target::barrier();
  __real__ZN6mcusim6target13firmware_mainEv();
}
}
