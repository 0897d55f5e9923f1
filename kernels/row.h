// SPDX-License-Identifier: MIT
// Names of rows. A row is a strong extern "C" wrapper around one instance of its
// family's template `ops::<family><in, weight, out, contract>`; it is never an
// alias of a template function, so an object with a row is linked only when the
// row is asked for. Freestanding.
#pragma once

#include "kernels/kernel_api.h"

namespace mcusim::contracts {

// The short contract names of rows.def.
inline constexpr net::Contract none = net::Contract::none;
inline constexpr net::Contract icn = net::Contract::icn_floor;
inline constexpr net::Contract thr = net::Contract::thresholds;
inline constexpr net::Contract tflite = net::Contract::tflite;

}  // namespace mcusim::contracts

#define MCUSIM_DEFINE_ROW(family, in, weight, out, contract) \
  extern "C" void mcusim_##family##_a##in##w##weight##y##out##_##contract(           \
      const mcusim::KernelCall& call) {                                                       \
    mcusim::ops::family<in, weight, out, mcusim::contracts::contract>(call);                  \
  }
