// SPDX-License-Identifier: MIT
#include "kernels/host/int_net.h"

namespace mcusim {

uint32_t pixel_bytes(uint32_t c, uint8_t bits) { return (c * bits + 7) / 8; }

uint32_t storage_bytes(const IntTensor& t) { return t.h * t.w * pixel_bytes(t.c, t.bits); }

}  // namespace mcusim
