// SPDX-License-Identifier: MIT
#include "kernels/host/tensor_io.h"

#include <gtest/gtest.h>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

IntTensor tensor(uint32_t h, uint32_t w, uint32_t c, uint8_t bits, bool signed_view) {
  IntTensor t;
  t.name = "x";
  t.h = h;
  t.w = w;
  t.c = c;
  t.bits = bits;
  t.signed_view = signed_view;
  return t;
}

TEST(TensorIo, PacksLeastSignificantBitsFirstAndPixelsOnBytes) {
  const IntTensor t = tensor(1, 2, 3, 4, false);
  std::vector<uint8_t> bytes(4, 0xFF);
  store_tensor(t, {4, 2}, std::vector<uint8_t>{1, 2, 3, 4, 5, 6}, bytes);
  // Pad bits behind the third channel of a pixel are 0.
  EXPECT_EQ(bytes, (std::vector<uint8_t>{0x21, 0x03, 0x54, 0x06}));
  EXPECT_EQ(fetch_tensor(t, {4, 2}, bytes), (std::vector<uint8_t>{1, 2, 3, 4, 5, 6}));
}

TEST(TensorIo, RoundTripsEveryWidthThroughWideStrides) {
  for (uint8_t bits : {8, 4, 2}) {
    const IntTensor t = tensor(3, 2, 5, bits, false);
    const auto values = seeded_values(t, bits);
    std::vector<uint8_t> bytes(3 * 40);
    store_tensor(t, {40, 13}, values, bytes);
    EXPECT_EQ(fetch_tensor(t, {40, 13}, bytes), values) << int{bits};
  }
}

TEST(TensorIo, SignedViewAddsHalfTheRange) {
  const IntTensor t = tensor(1, 1, 3, 8, true);
  const NpyArray array{"|i1", {3}, {0x80, 0x00, 0x7F}};
  EXPECT_EQ(stored_values(t, array, 0, "a"), (std::vector<uint8_t>{0, 128, 255}));
}

TEST(TensorIo, QuantisesFloatsHalfToEvenAndClamps) {
  IntTensor t = tensor(1, 1, 4, 8, false);
  t.scale = 0.5f;
  t.zero_point = 10;
  NpyArray array{"<f4", {1, 4}, {}};
  for (float value : {0.25f, 0.75f, -100.0f, 1000.0f}) {
    const auto* raw = reinterpret_cast<const uint8_t*>(&value);
    array.bytes.insert(array.bytes.end(), raw, raw + 4);
  }
  EXPECT_EQ(stored_values(t, array, 0, "a"), (std::vector<uint8_t>{10, 12, 0, 255}));
}

TEST(TensorIo, RefusesWrongShapeTypeRangeAndIndexByName) {
  const IntTensor t = tensor(2, 2, 1, 4, false);
  const auto message = [&](const NpyArray& array, uint64_t index) -> std::string {
    try {
      stored_values(t, array, index, "in.npy");
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(message({"|u1", {5}, std::vector<uint8_t>(5)}, 0),
            "in.npy: shape (5) does not fit input x of shape (2, 2, 1), with or without a first axis of samples");
  EXPECT_EQ(message({"|i1", {2, 2}, std::vector<uint8_t>(4)}, 0),
            "in.npy: type |i1 does not fit input x, which takes uint8 or float32/float64");
  EXPECT_EQ(message({"|u1", {2, 2}, {0, 1, 16, 3}}, 0),
            "in.npy: value 16 does not fit input x (4 bits, unsigned)");
  EXPECT_EQ(message({"|u1", {3, 2, 2}, std::vector<uint8_t>(12)}, 3), "in.npy: no sample 3 (it has 3)");
}

TEST(TensorIo, SeededValuesUseAllLevels) {
  const IntTensor t = tensor(32, 32, 4, 4, false);
  std::vector<int> seen(16);
  for (uint8_t value : seeded_values(t, 1)) ++seen.at(value);
  for (int count : seen) EXPECT_GT(count, 4096 / 16 / 2);
}

}  // namespace
}  // namespace mcusim
