// SPDX-License-Identifier: MIT
// Sizes and counts of the logical network.
#include "kernels/host/int_net.h"

namespace mcusim {

uint32_t pixel_bytes(uint32_t c, uint8_t bits) { return (c * bits + 7) / 8; }

uint32_t storage_bytes(const IntTensor& t) { return t.h * t.w * pixel_bytes(t.c, t.bits); }

uint64_t macs(const IntNet& net, const IntOp& op) {
  const IntTensor& in = net.tensors.at(op.in0);
  const IntTensor& out = net.tensors.at(op.out);
  const uint64_t cells = uint64_t{out.h} * out.w * out.c;
  const uint64_t taps = uint64_t{op.kernel_h} * op.kernel_w;
  switch (op.kind) {
    case net::OpKind::conv2d: return cells * taps * in.c;
    case net::OpKind::depthwise: return cells * taps;
    case net::OpKind::fully_connected: return uint64_t{in.h} * in.w * in.c * out.c;
    default: return 0;  // pools and element-wise operators multiply nothing per tap
  }
}

}  // namespace mcusim
