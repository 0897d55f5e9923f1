// SPDX-License-Identifier: MIT
// The net.bin container, version 1: the only truth about its bytes.
//
// A container is executed in place from flash: a header, a tensor table, an
// operator table, a list of input and output tensor ids, a string table and
// blobs. Everything is little-endian; offsets count bytes from the start of the
// file; every table and blob starts 8-byte aligned. The graph is a list of
// operators over tensor views in execution order, never a chain by assumption:
// a tile of a larger tensor is a tensor of its own with `parent` set.
//
// Freestanding: included by the host programs and by the firmware. The host
// reads files through ByteReader and `decode`, never by casting.
#pragma once

#include <stdint.h>

namespace mcusim::net {

inline constexpr uint32_t kMagic = 0x4E55434Du;  // "MCUN"
inline constexpr uint16_t kVersion = 1;
inline constexpr uint16_t kNone = 0xFFFF;        // no tensor, no parent
inline constexpr uint32_t kBlobAlign_bytes = 8;

// Limits that keep every product of three dimensions in 32 bits.
inline constexpr uint32_t kMaxDim = 0xFFFF;
inline constexpr uint32_t kMaxTensors = 4096;
inline constexpr uint32_t kMaxOps = 4096;

enum class OpKind : uint8_t {
  conv2d = 1,
  depthwise = 2,
  fully_connected = 3,
  avg_pool = 4,
  max_pool = 5,
  add = 6,
  pad = 7,
  reshape = 8,
};

// The kernel family that executes an operator; one operator kind may have
// several (a 1x1 conv2d with stride 1 and no padding is `pointwise`).
enum class Family : uint8_t {
  conv = 1,
  pointwise = 2,
  depthwise = 3,
  fully_connected = 4,
  avg_pool = 5,
  max_pool = 6,
  add = 7,
  pad = 8,
  reshape = 9,
};

// Rounding contract of the requantisation (docs/net_format.md, "Arithmetic").
enum class Contract : uint8_t {
  none = 0,        // max pool, pad, reshape: values pass unchanged
  icn_floor = 1,
  thresholds = 2,
  tflite = 3,
};

// Header flags.
inline constexpr uint32_t kFlagHalfStep = 1u << 0;  // some operator has kOpHalfStep

struct Header {
  uint32_t magic;
  uint16_t version;
  uint16_t header_bytes;    // sizeof(Header)
  uint32_t file_bytes;
  uint32_t crc32;           // CRC-32 (IEEE 802.3) of the file with this field 0
  uint32_t flags;
  uint16_t tensor_count;
  uint16_t op_count;
  uint16_t input_count;
  uint16_t output_count;
  uint32_t tensors_offset;  // Tensor[tensor_count]
  uint32_t ops_offset;      // Op[op_count], in execution order
  uint32_t io_offset;       // uint16_t ids: inputs, then outputs
  uint32_t strings_offset;  // NUL-terminated UTF-8; offset 0 of it is ""
  uint32_t strings_bytes;
  uint32_t blobs_offset;
  uint32_t blobs_bytes;
  uint32_t arena_bytes;     // activations, all tensors
  uint32_t scratch_bytes;   // most that any operator needs
  uint32_t name;            // offset into the string table
  uint32_t reserved;        // 0
};
static_assert(sizeof(Header) == 72);

// Tensor flags.
inline constexpr uint8_t kTensorSigned = 1u << 0;  // value shown = stored - 2^(bits-1)

// An activation tensor of shape h x w x c, or a view of a part of `parent`.
// Element (y, x, c) is stored unsigned in `bits` bits, least significant bits
// first, at bit c*bits of the pixel that starts at byte
//   arena_offset + y*row_stride_bytes + x*pixel_stride_bytes.
// Pad bits behind the last channel of a pixel are 0.
struct Tensor {
  uint32_t h, w, c;
  uint8_t bits;             // 8, 4 or 2
  uint8_t flags;
  uint16_t parent;          // id of the tensor whose bytes this views, or kNone
  int32_t zero_point;       // in the stored (unsigned) domain
  float scale;              // real = scale * (stored - zero_point)
  uint32_t arena_offset;
  uint32_t row_stride_bytes;
  uint32_t pixel_stride_bytes;
  uint32_t name;
};
static_assert(sizeof(Tensor) == 40);

// Operator flags.
inline constexpr uint8_t kOpPerChannelZeroPoint = 1u << 0;  // zero_points_offset is used
inline constexpr uint8_t kOpPerChannelMult = 1u << 1;       // mult/shift per channel, else one
inline constexpr uint8_t kOpHalfStep = 1u << 2;             // half an output step is folded in

// How a weight blob is laid out; the packer, the validator and the kernel of a
// row agree on it by this tag (kernels/host/layouts.h).
enum class Layout : uint16_t {
  none = 0,
  dense_rows = 1,    // [co][k] LSB-first, each row padded to a byte; the reference layout
  depthwise_groups = 2,  // [c/4][kh][kw][4], one packed group of four channels per tap
  // Matrix layouts (kernels/ops/matmul_layout.h), by number form: rows of channel
  // pairs for convolutions, ...
  split8 = 16,
  split4 = 17,
  packed_a8w2 = 18,
  packed_w4 = 19,
  packed_a4w2 = 20,
  // ... and four pairs side by side for fully connected.
  fc_split8 = 24,
  fc_split4 = 25,
  fc_packed_a8w2 = 26,
  fc_packed_w4 = 27,
  fc_packed_a4w2 = 28,
  // Values are never reused.
};

struct Op {
  uint8_t kind;             // OpKind
  uint8_t family;           // Family
  uint8_t contract;         // Contract
  uint8_t flags;
  uint8_t weight_bits;      // 8, 4, 2; 0 without weights
  uint8_t reserved0;
  uint16_t layout;          // Layout
  uint16_t in0, in1, out;   // tensor ids; in1 = kNone unless add
  uint16_t layer_id;        // as printed; tiles of one layer share it
  uint16_t kernel_h, kernel_w, stride_h, stride_w;
  uint16_t pad_top, pad_left, pad_bottom, pad_right;
  int32_t weight_zero_point;    // per-layer zero point, stored domain
  int32_t act_min, act_max;     // output clamp, stored domain
  uint32_t weights_offset, weights_bytes;  // blob with padding and zero tail
  uint32_t bias_offset;         // int32_t[c]: folded, see below
  uint32_t mult_offset;         // int32_t[c or 1]
  uint32_t shift_offset;        // int8_t[c or 1]
  uint32_t zero_points_offset;  // int16_t[c]
  uint32_t thresholds_offset;   // int32_t[c][2^bits - 1]
  uint32_t directions_offset;   // uint8_t[c]: 1 = passed if acc > T, 0 = if acc <= T
  // Scalars of element-wise operators and pools:
  //   add icn:    value*mult[i] of input i, one shift[2] = N0
  //   add tflite: mult/shift[0..1] per input, [2] for the output
  //   avg_pool icn: mult[0], shift[0]; avg_pool tflite with unequal scales: same,
  //   mult[0] = 0 means equal scales
  int32_t scalar_mult[3];
  int8_t scalar_shift[4];
  uint32_t name;
};
static_assert(sizeof(Op) == 96);

// Bias as stored: Bq[c] - Zx * sum_k(W[c][k] - Zw[c]) modulo 2^32, so that a
// kernel needs only sum X*(W - Zw) with padding cells holding Zx. `decode`
// undoes it.

}  // namespace mcusim::net
