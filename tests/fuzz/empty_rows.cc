// SPDX-License-Identifier: MIT
// Kernel rows without kernels: the validator asks the kernel table which rows exist,
// nothing here runs one, and compiling them all would take minutes.
#include "kernels/kernel_api.h"

#define MCUSIM_ROW(family, in, weight, out, contract)                              \
  extern "C" void mcusim_##family##_a##in##w##weight##y##out##_##contract(         \
      const mcusim::KernelCall&);                                                  \
  extern "C" void mcusim_##family##_a##in##w##weight##y##out##_##contract(         \
      const mcusim::KernelCall&) {}
#include "kernels/rows.def"
