// SPDX-License-Identifier: MIT
// A container's tables, copied out of its bytes with every access checked, and
// what follows from a table entry alone: weight shape, family, blob list.
//
// The packer, the validator and `decode` share these, so that a rule about which
// blob an operator owns is written once.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/host/layouts.h"
#include "kernels/net_format.h"
#include "memmap/base/bytes.h"

namespace mcusim {

// Bounds beyond which a file is refused: this is a format for microcontrollers,
// and a hostile size must not become an allocation or an endless run.
inline constexpr uint64_t kMaxArena_bytes = 32u << 20;
inline constexpr uint64_t kMaxScratch_bytes = 16u << 20;
inline constexpr uint64_t kMaxFile_bytes = 256u << 20;
inline constexpr uint64_t kMaxWork = 1ull << 38;  // window cells times channels, all operators

// w - Zw must fit int16 with room for layouts that store w - 128.
inline constexpr int32_t kMaxWeightZeroPoint = 32512;
// Shifts of the tflite contract; a smaller multiplier is 0 (contracts).
inline constexpr int kMinTfliteShift = -31, kMaxTfliteShift = 30;

struct Container {
  explicit Container(std::span<const uint8_t> file) : bytes(file, "net.bin") {}

  ByteReader bytes;
  net::Header header{};
  std::vector<net::Tensor> tensors;
  std::vector<net::Op> ops;
  std::vector<uint16_t> inputs, outputs;

  std::string text(uint32_t name) const;    // a string of the string table
};

// Header, checksum, table bounds and strings are judged here; the entries of the
// tables are not.
Container read_container(std::span<const uint8_t> file);

// CRC-32 of a container with its checksum field taken as 0.
uint32_t container_crc(std::span<const uint8_t> file);

constexpr uint64_t align_up(uint64_t value, uint64_t step) {
  return (value + step - 1) / step * step;
}

// The family that must execute an operator.
net::Family family_for(const net::Op& op);
WeightShape weight_shape(const net::Op& op, const net::Tensor& in0, const net::Tensor& out);
// Weights in natural order; saturates instead of wrapping.
uint64_t weight_count(const WeightShape& shape);

// One array of parameters that an operator owns.
struct BlobRef {
  const char* name;
  uint32_t net::Op::*offset;
  uint64_t bytes;
  bool required;        // else its offset must be 0
};
// All blob fields of net::Op, in file order; `weight_bytes` is the layout's size.
std::vector<BlobRef> blobs_of(const net::Op& op, const net::Tensor& out, uint64_t weight_bytes);

}  // namespace mcusim
