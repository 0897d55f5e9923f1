// SPDX-License-Identifier: MIT
// The layout table: tags, sizes, packing. A family's layouts live in
// layout_<family>.cc; this file only lists them.
#include "kernels/host/layouts.h"

#include "kernels/host/layout_matrix.h"
#include "kernels/host/layout_rows.h"
#include "memmap/base/error.h"

namespace mcusim {
namespace {

// dense_rows: each output channel's weights LSB-first, padded to a byte.
uint64_t row_elements(const WeightShape& s) {
  return uint64_t{s.kernel_h} * s.kernel_w * (s.family == net::Family::depthwise ? 1 : s.ci);
}
uint64_t dense_bytes(const WeightShape& s) {
  return s.co * ((row_elements(s) * s.weight_bits + 7) / 8);
}
std::vector<uint8_t> dense_pack(const WeightShape& s, std::span<const uint8_t> natural) {
  const uint64_t k = row_elements(s), row = (k * s.weight_bits + 7) / 8;
  std::vector<uint8_t> blob(dense_bytes(s));
  for (uint64_t c = 0; c < s.co; ++c)
    for (uint64_t i = 0; i < k; ++i) {
      const uint64_t bit = i * s.weight_bits;
      blob[c * row + bit / 8] |= static_cast<uint8_t>(natural[c * k + i] << (bit % 8));
    }
  return blob;
}
std::vector<uint8_t> dense_unpack(const WeightShape& s, std::span<const uint8_t> blob) {
  const uint64_t k = row_elements(s), row = (k * s.weight_bits + 7) / 8;
  std::vector<uint8_t> natural(s.co * k);
  for (uint64_t c = 0; c < s.co; ++c)
    for (uint64_t i = 0; i < k; ++i) {
      const uint64_t bit = i * s.weight_bits;
      natural[c * k + i] = static_cast<uint8_t>(blob[c * row + bit / 8] >> (bit % 8) &
                                                ((1u << s.weight_bits) - 1));
    }
  return natural;
}

#define MCUSIM_MATRIX_LAYOUT(name) \
  {net::Layout::name, #name, matrix_blob_bytes, matrix_pack, matrix_unpack}

constexpr LayoutRow kLayouts[] = {
    {net::Layout::dense_rows, "dense_rows", dense_bytes, dense_pack, dense_unpack},
    {net::Layout::depthwise_groups, "depthwise_groups", depthwise_groups::blob_bytes,
     depthwise_groups::pack, depthwise_groups::unpack},
    MCUSIM_MATRIX_LAYOUT(split8),
    MCUSIM_MATRIX_LAYOUT(split4),
    MCUSIM_MATRIX_LAYOUT(packed_a8w2),
    MCUSIM_MATRIX_LAYOUT(packed_w4),
    MCUSIM_MATRIX_LAYOUT(packed_a4w2),
    MCUSIM_MATRIX_LAYOUT(fc_split8),
    MCUSIM_MATRIX_LAYOUT(fc_split4),
    MCUSIM_MATRIX_LAYOUT(fc_packed_a8w2),
    MCUSIM_MATRIX_LAYOUT(fc_packed_w4),
    MCUSIM_MATRIX_LAYOUT(fc_packed_a4w2),
};

}  // namespace

std::span<const LayoutRow> layout_table() { return kLayouts; }

const LayoutRow& layout_row(net::Layout tag) {
  for (const LayoutRow& row : kLayouts)
    if (row.tag == tag) return row;
  throw Error("weight layout {}: unknown tag", static_cast<unsigned>(tag));
}

net::Layout layout_for(const WeightShape& shape) {
  if (shape.family == net::Family::depthwise) return net::Layout::depthwise_groups;
  return matrix_layout_for(shape);
}

}  // namespace mcusim
