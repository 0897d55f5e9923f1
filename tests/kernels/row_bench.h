// SPDX-License-Identifier: MIT
// Runs one row of the kernel table on hand-placed tensors, for tests that compare
// it with formulas written out anew.
//
// Tensors are views with gaps between pixels and rows; the last one placed ends
// with the arena, so a sanitizer sees any load behind it. Bytes that belong to no
// output pixel must survive, and pad bits of output pixels must be 0.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "kernels/host/layouts.h"
#include "kernels/kernel_table.h"
#include "kernels/scratch.h"

namespace mcusim::test {

using Values = std::vector<int>;  // h*w*c stored values

struct Random {
  std::mt19937 engine{1};
  int in(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine); }
  Values values(size_t n, int bits) {
    Values v(n);
    for (int& x : v) x = in(0, (1 << bits) - 1);
    return v;
  }
};

// floor(value * 2^shift / n + half/2), saturating; |value| < 2^70.
inline int64_t exact_floor(__int128 value, int shift, int64_t n = 1, bool half = false) {
  constexpr int64_t kHuge = int64_t{1} << 50;
  if (value == 0) return 0;
  if (shift > 60) return value > 0 ? kHuge : -kHuge;
  if (shift < -90) return value < 0 && !half ? -1 : 0;
  __int128 numerator = value * 2, denominator = static_cast<__int128>(n) * 2;
  if (shift < 0) {
    // Keep within 128 bits: floor of nested divisions by powers of two is exact.
    int right = -shift;
    if (half) {
      const __int128 scaled = numerator >> (right > 40 ? right - 40 : 0);
      right = right > 40 ? 40 : right;
      numerator = scaled + static_cast<__int128>(n) * (__int128{1} << right);
    }
    denominator *= __int128{1} << (half ? right : (right > 50 ? 50 : right));
    if (!half && right > 50) numerator >>= right - 50;
  } else {
    const __int128 limit = (__int128{1} << 120) >> shift;
    if (numerator > limit) return kHuge;
    if (numerator < -limit) return -kHuge;
    numerator *= __int128{1} << shift;
    if (half) numerator += n;
  }
  __int128 q = numerator / denominator;
  if (numerator % denominator < 0) --q;
  return q > kHuge ? kHuge : q < -kHuge ? -kHuge : static_cast<int64_t>(q);
}

inline int clamp_stored(int64_t v, int low, int high) {
  return static_cast<int>(v < low ? low : v > high ? high : v);
}

// The tflite contract's requant, from its two roundings.
inline int64_t exact_tflite(int64_t acc, int32_t mult, int shift) {
  const int64_t up = int64_t{1} << (shift > 0 ? shift : 0);
  const __int128 product = static_cast<__int128>(acc) * up * mult;
  const __int128 nudged = product + (product >= 0 ? (1LL << 30) : 1 - (1LL << 30));
  const int64_t high = static_cast<int64_t>(nudged / (__int128{1} << 31));
  const int e = shift < 0 ? -shift : 0;
  const int64_t mask = (int64_t{1} << e) - 1;
  return (high >> e) + ((high & mask) > (mask >> 1) + (high < 0 ? 1 : 0) ? 1 : 0);
}

class RowBench {
 public:
  net::Op op{};

  // Places a tensor behind the last one; `gap` pads pixels and rows.
  int tensor(uint32_t h, uint32_t w, uint32_t c, uint8_t bits, int32_t zero_point,
             uint32_t gap_bytes = 0) {
    net::Tensor t{};
    t.h = h;
    t.w = w;
    t.c = c;
    t.bits = bits;
    t.zero_point = zero_point;
    t.pixel_stride_bytes = (c * bits + 7) / 8 + gap_bytes;
    t.row_stride_bytes = w * t.pixel_stride_bytes + gap_bytes;
    t.arena_offset = static_cast<uint32_t>((arena_.size() + 7) / 8 * 8);
    arena_.resize(t.arena_offset + (h - 1) * t.row_stride_bytes +
                      (w - 1) * t.pixel_stride_bytes + (c * bits + 7) / 8,
                  kFiller);
    tensors_.push_back(t);
    return static_cast<int>(tensors_.size()) - 1;
  }

  net::Tensor& at(int id) { return tensors_[id]; }

  // Pad bits behind the last channel become 0, as the format demands.
  void write(int id, const Values& v) {
    size_t i = 0;
    const net::Tensor& t = tensors_[id];
    for (uint32_t y = 0; y < t.h; ++y)
      for (uint32_t x = 0; x < t.w; ++x)
        arena_[t.arena_offset + y * t.row_stride_bytes + x * t.pixel_stride_bytes +
               (t.c * t.bits - 1) / 8] = 0;
    for_each(id, [&](size_t byte, int shift, int mask) {
      arena_[byte] = static_cast<uint8_t>((arena_[byte] & ~(mask << shift)) | v[i++] << shift);
    });
  }

  Values read(int id) {
    Values v;
    for_each(id, [&](size_t byte, int shift, int mask) {
      v.push_back(arena_[byte] >> shift & mask);
    });
    return v;
  }

  template <typename T>
  uint32_t blob(const std::vector<T>& v) {
    file_.resize((file_.size() + 7) / 8 * 8);
    const uint32_t offset = static_cast<uint32_t>(file_.size());
    file_.resize(offset + v.size() * sizeof(T));
    if (!v.empty()) std::memcpy(file_.data() + offset, v.data(), v.size() * sizeof(T));
    return offset;
  }

  // Runs the row; in1 = -1 for unary operators.
  void run(net::Family family, net::Contract contract, int in0, int in1, int out) {
    op.family = static_cast<uint8_t>(family);
    op.contract = static_cast<uint8_t>(contract);
    const Row* row = find_row(row_key(op, tensors_[in0], tensors_[out]));
    ASSERT_NE(row, nullptr);
    // The container is 8-byte aligned in flash, the arena and scratch in RAM.
    std::vector<uint64_t> file((file_.size() + 7) / 8);
    if (!file_.empty()) std::memcpy(file.data(), file_.data(), file_.size());
    std::vector<uint64_t> scratch((scratch_bytes(op, tensors_[in0], tensors_[out]) + 7) / 8,
                                  0xA5A5A5A5A5A5A5A5u);
    std::vector<uint8_t> before = arena_;
    KernelCall call{&op, &tensors_[in0], in1 < 0 ? nullptr : &tensors_[in1], &tensors_[out],
                    reinterpret_cast<const uint8_t*>(file.data()), arena_.data(),
                    reinterpret_cast<uint8_t*>(scratch.data())};
    row->fn(call);
    expect_only_output_written(before, out);
  }

 private:
  static constexpr uint8_t kFiller = 0xEE;

  template <typename Visit>
  void for_each(int id, Visit visit) {
    const net::Tensor& t = tensors_[id];
    for (uint32_t y = 0; y < t.h; ++y)
      for (uint32_t x = 0; x < t.w; ++x)
        for (uint32_t c = 0; c < t.c; ++c)
          visit(t.arena_offset + y * t.row_stride_bytes + x * t.pixel_stride_bytes +
                    c * t.bits / 8,
                static_cast<int>(c * t.bits % 8), (1 << t.bits) - 1);
  }

  void expect_only_output_written(const std::vector<uint8_t>& before, int out) {
    const net::Tensor& t = tensors_[out];
    std::vector<bool> owned(arena_.size());
    const uint32_t bytes = (t.c * t.bits + 7) / 8, used = t.c * t.bits % 8;
    for (uint32_t y = 0; y < t.h; ++y)
      for (uint32_t x = 0; x < t.w; ++x) {
        const size_t first = t.arena_offset + y * t.row_stride_bytes + x * t.pixel_stride_bytes;
        for (uint32_t i = 0; i < bytes; ++i) owned[first + i] = true;
        if (used != 0) {
          EXPECT_EQ(arena_[first + bytes - 1] >> used, 0) << "pad bits of pixel " << y << "," << x;
        }
      }
    for (size_t i = 0; i < arena_.size(); ++i) {
      if (!owned[i]) {
        ASSERT_EQ(arena_[i], before[i]) << "foreign byte " << i << " changed";
      }
    }
  }

  std::vector<net::Tensor> tensors_;
  std::vector<uint8_t> arena_, file_;
};

}  // namespace mcusim::test
