// SPDX-License-Identifier: MIT
#include "memmap/base/dataset.h"

#include <gmock/gmock.h>

#include <functional>

#include "memmap/base/error.h"
#include "memmap/base/file.h"

namespace mcusim {
namespace {

using Bytes = std::vector<uint8_t>;
using testing::ElementsAre;
using testing::HasSubstr;

std::string message(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// The layout of http://yann.lecun.com/exdb/mnist: 00 00 type dimensions, extents and
// values big-endian.
TEST(Idx, ReadsShapeAndValuesOfImagesAndOfWiderTypes) {
  const Bytes images = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 40};
  const auto array = parse_idx(images, "t");
  EXPECT_EQ(array.dtype, "|u1");
  EXPECT_THAT(array.shape, ElementsAre(2, 1, 2));
  EXPECT_THAT(array.as_doubles(), ElementsAre(10, 20, 30, 40));
  const Bytes shorts = {0, 0, 11, 1, 0, 0, 0, 2, 0xFF, 0xFE, 1, 0};
  EXPECT_THAT(parse_idx(shorts, "t").as_doubles(), ElementsAre(-2, 256));
  const Bytes floats = {0, 0, 13, 1, 0, 0, 0, 1, 0x3F, 0xC0, 0, 0};
  EXPECT_THAT(parse_idx(floats, "t").as_doubles(), ElementsAre(1.5));
}

TEST(Idx, RefusesSizesThatDoNotAgree) {
  const Bytes longer = {0, 0, 8, 1, 0, 0, 0, 2, 1, 2, 3}, shorter = {0, 0, 8, 1, 0, 0, 0, 9, 1};
  const Bytes huge = {0, 0, 8, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1};
  const Bytes cut = {0, 0, 8, 3, 0, 0};
  for (const auto& bytes : {longer, shorter, huge, cut})
    EXPECT_THAT(message([&] { parse_idx(bytes, "t"); }), HasSubstr("t: IDX header"));
}

TEST(Cifar, CutsRecordsIntoImagesAndLabels) {
  Bytes file;
  for (const uint8_t label : {uint8_t{7}, uint8_t{3}}) {
    file.push_back(label);
    file.insert(file.end(), 3072, static_cast<uint8_t>(label * 10));
  }
  EXPECT_THAT(parse_cifar(file, "cifar10.y", "t").as_doubles(), ElementsAre(7, 3));
  const auto images = parse_cifar(file, "cifar10.x", "t");
  EXPECT_THAT(images.shape, ElementsAre(2, 3, 32, 32));
  EXPECT_EQ(images.bytes[0], 70);
  EXPECT_EQ(images.bytes[3072], 30);
  file.pop_back();
  EXPECT_THAT(message([&] { parse_cifar(file, "cifar10.x", "t"); }), HasSubstr("whole records of 3073"));
}

TEST(Cifar, TwoLabelsOfTheHundredClasses) {
  Bytes file = {4, 77};
  file.insert(file.end(), 3072, 1);
  EXPECT_THAT(parse_cifar(file, "cifar100.coarse", "t").as_doubles(), ElementsAre(4));
  EXPECT_THAT(parse_cifar(file, "cifar100.fine", "t").as_doubles(), ElementsAre(77));
}

TEST(DataSets, AreSelectedLikeArrays) {
  const std::string path = testing::TempDir() + "mcusim_dataset.idx";
  write_file(path, Bytes{0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3, 4});
  EXPECT_THAT(load_array(parse_selector(path + "[1:3]")).as_doubles(), ElementsAre(2, 3));
}

}  // namespace
}  // namespace mcusim
