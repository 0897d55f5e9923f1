// SPDX-License-Identifier: MIT
// The logical integer network: what net.bin means, free of layouts and offsets.
//
// Importers and the packer build it, `encode` writes it as a container, `decode`
// reads one back, the naive twin executes it. Weights are stored values
// (0 .. 2^bits - 1), one byte each, in natural order; biases are unfolded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/net_format.h"

namespace mcusim {

struct IntTensor {
  std::string name;
  uint32_t h = 1, w = 1, c = 1;
  uint8_t bits = 8;
  bool signed_view = false;      // shown as stored - 2^(bits-1)
  int32_t zero_point = 0;        // stored domain
  float scale = 1.0f;
  int parent = -1;               // view of another tensor ...
  uint32_t origin_y = 0, origin_x = 0, origin_c = 0;  // ... from this element (c on a byte edge)
  uint32_t arena_offset = 0;     // of root tensors; views derive theirs
};

struct IntOp {
  std::string name;
  net::OpKind kind = net::OpKind::conv2d;
  net::Contract contract = net::Contract::icn_floor;
  int in0 = -1, in1 = -1, out = -1;
  uint16_t layer_id = 0;
  uint32_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  uint32_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  bool half_step = false;
  uint8_t weight_bits = 0;
  // conv2d [co][kh][kw][ci]; depthwise [kh][kw][c]; fully_connected [co][h*w*ci].
  std::vector<uint8_t> weights;
  std::vector<int32_t> weight_zero_points;  // 1 or co
  std::vector<int32_t> bias;                // co, Bq, unfolded
  std::vector<int32_t> mult;                // 1 or co (none under thresholds)
  std::vector<int8_t> shift;                // 1 or co
  std::vector<int32_t> thresholds;          // [co][2^out_bits - 1]
  std::vector<uint8_t> directions;          // co: 1 = passed if acc > T, 0 = if acc <= T
  int32_t act_min = 0, act_max = 255;       // stored domain
  int32_t scalar_mult[3] = {0, 0, 0};       // add, average pool: see net_format.h
  int8_t scalar_shift[3] = {0, 0, 0};
};

struct IntNet {
  std::string name;
  std::vector<IntTensor> tensors;
  std::vector<IntOp> ops;              // execution order
  std::vector<int> inputs, outputs;    // tensor ids
  uint32_t arena_bytes = 0;            // set by placement (memmap/arena.h)
};

// Bytes of one pixel of a tensor of its own storage: ceil(c*bits/8).
uint32_t pixel_bytes(uint32_t c, uint8_t bits);
// Bytes a root tensor occupies in the arena: h*w*pixel_bytes.
uint32_t storage_bytes(const IntTensor& t);
// Multiply-accumulates of an operator (padding cells count, as in the field).
uint64_t macs(const IntNet& net, const IntOp& op);

// Writes a container: chooses families and layouts, packs weights, folds biases.
// Arena offsets must be placed. Throws Error naming operator and cause when the
// network breaks a rule of the format.
std::vector<uint8_t> encode(const IntNet& net);

// Validates structurally, then unpacks. Throws Error naming place and value for
// any container that a kernel could not run safely.
IntNet decode(const uint8_t* file, size_t bytes);

// The structural validator alone: everything a kernel relies on.
void validate(const uint8_t* file, size_t bytes);

}  // namespace mcusim
