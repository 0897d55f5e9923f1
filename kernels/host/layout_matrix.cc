// SPDX-License-Identifier: MIT
// Packs and unpacks matrix weights: each weight has one bit position, computed
// from the same header the kernels use; everything else in the blob is 0.
#include "kernels/host/layout_matrix.h"

#include "kernels/ops/matmul_layout.h"
#include "memmap/base/error.h"

namespace mcusim {
namespace {

using matmul::Form;

class MatrixLayout {
 public:
  explicit MatrixLayout(const WeightShape& s)
      : shape_(s),
        fc_(s.family == net::Family::fully_connected),
        form_(matmul::form_of(s.in_bits, s.weight_bits)),
        taps_(fc_ ? 1 : uint64_t{s.kernel_h} * s.kernel_w) {
    const uint64_t words = matmul::stream_words<uint64_t>(taps_, s.ci, s.in_bits);
    steps_ = matmul::lane_steps<uint64_t>(form_, words, s.in_bits);
    row_words_ = matmul::row_words<uint64_t>(form_, steps_);
  }

  uint64_t blob_bytes() const {
    return 4 * matmul::body_words<uint64_t>(form_, steps_, shape_.co, fc_) + matmul::kTail_bytes;
  }
  uint64_t elements() const { return shape_.co * taps_ * shape_.ci; }

  // Calls visit(natural index, first bit in the blob, value flip) per weight.
  template <typename Visit>
  void for_each(Visit visit) const {
    const uint64_t tap_elements =
        (uint64_t{shape_.ci} * shape_.in_bits + 7) / 8 * 8 / shape_.in_bits;
    const uint64_t per_word = 32 / shape_.in_bits;
    const uint64_t word_steps = 16 / shape_.in_bits;
    uint64_t index = 0;
    for (uint64_t c = 0; c < shape_.co; ++c)
      for (uint64_t tap = 0; tap < taps_; ++tap)
        for (uint64_t i = 0; i < shape_.ci; ++i, ++index) {
          const uint64_t k = tap * tap_elements + i;
          const matmul::Slot slot =
              matmul::slot_of(shape_.in_bits, static_cast<uint32_t>(k % per_word));
          const uint64_t step = k / per_word * word_steps + slot.step;
          const uint32_t odd = c & 1;
          visit(index,
                32 * word_of(c, step) +
                    matmul::bit_of(form_, static_cast<uint32_t>(step % form_.steps_per_word),
                                   slot.part, odd),
                odd ? form_.zero_offset : 0);
        }
  }

 private:
  uint64_t word_of(uint64_t c, uint64_t step) const {
    const uint64_t row = c / 2, word = step / form_.steps_per_word;
    if (!fc_) return row * row_words_ + word;
    constexpr uint64_t kPairs = matmul::kFullyConnectedPairs;
    return (row / kPairs * row_words_ + word) * kPairs + row % kPairs;
  }

  WeightShape shape_;
  bool fc_;
  const Form& form_;
  uint64_t taps_, steps_ = 0, row_words_ = 0;
};

}  // namespace

net::Layout matrix_layout_for(const WeightShape& s) {
  const bool fc = s.family == net::Family::fully_connected;
  const auto number = static_cast<uint16_t>(matmul::form_of(s.in_bits, s.weight_bits).number);
  const auto base = static_cast<uint16_t>(fc ? net::Layout::fc_split8 : net::Layout::split8);
  return static_cast<net::Layout>(base + number);
}

uint64_t matrix_blob_bytes(const WeightShape& s) { return MatrixLayout(s).blob_bytes(); }

std::vector<uint8_t> matrix_pack(const WeightShape& s, std::span<const uint8_t> natural) {
  const MatrixLayout layout(s);
  check(natural.size() == layout.elements(), "matrix_pack: weight count");
  std::vector<uint8_t> blob(layout.blob_bytes());
  layout.for_each([&](uint64_t index, uint64_t bit, uint32_t flip) {
    blob[bit / 8] |= static_cast<uint8_t>((natural[index] ^ flip) << (bit % 8));
  });
  return blob;
}

std::vector<uint8_t> matrix_unpack(const WeightShape& s, std::span<const uint8_t> blob) {
  const MatrixLayout layout(s);
  check(blob.size() == layout.blob_bytes(), "matrix_unpack: blob bytes");
  std::vector<uint8_t> natural(layout.elements());
  const uint32_t mask = (1u << s.weight_bits) - 1;
  layout.for_each([&](uint64_t index, uint64_t bit, uint32_t flip) {
    natural[index] = static_cast<uint8_t>((blob[bit / 8] >> (bit % 8) & mask) ^ flip);
  });
  return natural;
}

}  // namespace mcusim
