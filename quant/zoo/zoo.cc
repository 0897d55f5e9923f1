// SPDX-License-Identifier: MIT
#include "quant/zoo/zoo.h"

#include <string>

#include "memmap/base/error.h"

namespace mcusim::zoo {

std::span<const Family> families() {
  static constexpr Family kFamilies[] = {
      {"mobilenet_v1", "MobileNetV1, 28 weighted layers", mobilenet_v1},
      {"mobilenet_v2", "MobileNetV2, inverted residuals", mobilenet_v2},
      {"mnasnet_a1", "MNasNet-A1 without squeeze-and-excitation", mnasnet_a1},
      {"mnasnet_b1", "MNasNet-B1", mnasnet_b1},
  };
  return kFamilies;
}

const Family& family(const std::string& name) {
  std::string known;
  for (const auto& row : families()) {
    if (row.name == name) return row;
    known += std::string(known.empty() ? "" : ", ") + row.name;
  }
  throw Error("zoo: no network named '{}' (known: {})", name, known);
}

}  // namespace mcusim::zoo
