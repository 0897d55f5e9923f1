// SPDX-License-Identifier: MIT
#include "sim/timing/estimator.h"

namespace mcusim {

const char* cause_name(Cause cause) {
  static constexpr const char* kNames[] = {
      "issued", "dependency", "load-use", "MAC", "divide", "FP", "structural", "bank conflict",
      "TCM sub-word store", "I-fetch", "D-miss flash", "D-miss AXI SRAM", "D-miss other",
      "store buffer", "mispredict", "unaligned", "exception entry", "exception exit", "barrier",
      "device", "sleep"};
  static_assert(sizeof kNames / sizeof *kNames == kCauseCount);
  return kNames[static_cast<size_t>(cause)];
}

}  // namespace mcusim
