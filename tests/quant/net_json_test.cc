// SPDX-License-Identifier: MIT
// net.json: packing what was unpacked gives the same bytes; the example of the
// documentation computes what it says; every kind of mistake is named with its place.
#include "quant/pack/net_json.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>

#include "kernels/kernel_table.h"
#include "kernels/reference/reference.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "memmap/base/npy.h"
#include "quant/pack/net_file.h"
#include "quant/pack/place.h"
#include "tests/support/nets.h"

namespace mcusim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class NetJson : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / fmt::format("mcusim_json_{}", ::getpid());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& text, const std::string& name = "net.json") {
    write_file((folder_ / name).string(), text);
    return (folder_ / name).string();
  }
  std::string refusal(const std::string& text) {
    try {
      load_net_file(write(text));
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  // The container, unpacked and packed again.
  std::vector<uint8_t> again(const std::vector<uint8_t>& container) {
    const fs::path inside = folder_ / "again";
    fs::remove_all(inside);
    write_net_json(decode(container.data(), container.size()), inside.string());
    return load_net_file((inside / "net.json").string()).container;
  }

  fs::path folder_;
};

// The example of docs/net_json.md.
std::string documented_example() {
  const std::string text = read_text_file(std::string(MCUSIM_SOURCE_DIR) + "/docs/net_json.md");
  const size_t start = text.find("```json\n") + 8;
  return text.substr(start, text.find("```", start) - start);
}

TEST_F(NetJson, TheDocumentedExampleComputesWhatItSays) {
  const NetFile file = load_net_file(write(documented_example()));
  const auto all = reference::run(file.net, {{0, 0, 1, 2, 15, 15, 3, 6}});
  // floor((a + 2b + 3) / 2), at most 15.
  EXPECT_THAT(all[1], ElementsAre(1, 4, 15, 9));
  EXPECT_GT(file.net.arena_bytes, 0u);
  EXPECT_EQ(again(file.container), file.container);
}

TEST_F(NetJson, RoundTripOfEveryKernelRow) {
  testing::Random random(3);
  for (uint32_t index = 0; index < row_count(); ++index) {
    const Row& row = row_at(index);
    IntNet net = testing::random_op(row_key(row.packed_key), random);
    place_tensors(net);
    const float scale = 1.0f / static_cast<float>(random.in(3, 1000000));
    for (auto& tensor : net.tensors) tensor.scale = scale;
    const auto container = encode(net);
    ASSERT_EQ(again(container), container) << row.name;
  }
}

TEST_F(NetJson, RoundTripOfTilesAndNamelessTensors) {
  // Two tiles of one layer write halves of a tensor; equal names force numbers.
  IntNet net;
  net.name = "tiles";
  net.tensors = {{.h = 4, .w = 2, .c = 3}, {.h = 4, .w = 2, .c = 3}};
  for (const uint32_t y : {0u, 2u}) {
    net.tensors.push_back({.h = 2, .w = 2, .c = 3, .parent = 0, .origin_y = y});
    net.tensors.push_back({.h = 2, .w = 2, .c = 3, .parent = 1, .origin_y = y});
    IntOp pool;
    pool.kind = net::OpKind::max_pool;
    pool.contract = net::Contract::none;
    pool.in0 = static_cast<int>(net.tensors.size()) - 2;
    pool.out = static_cast<int>(net.tensors.size()) - 1;
    net.ops.push_back(pool);
  }
  net.inputs = {0};
  net.outputs = {1};
  place_tensors(net);
  EXPECT_EQ(net.arena_bytes, 48u);
  const auto container = encode(net);
  EXPECT_EQ(again(container), container);
}

TEST_F(NetJson, RoundTripOfARealNetwork) {
  const char* data = std::getenv("MCUSIM_DATA");
  if (!data) GTEST_SKIP() << "MCUSIM_DATA is not set";
  const NetFile file = load_net_file(std::string(data) + "/vww/vww_96_int8.tflite");
  EXPECT_EQ(again(file.container), file.container);
}

TEST_F(NetJson, ArraysComeFromFilesOfAnyIntegerType) {
  const NpyArray weights{"<i8", {1, 1, 1, 2}, {9, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0}};
  write_file((folder_ / "w.npy").string(), format_npy(weights));
  std::string text = documented_example();
  const auto plain = load_net_file(write(text)).container;
  text.replace(text.find("[9, 10]"), 7, "\"w.npy\"");
  EXPECT_EQ(load_net_file(write(text)).container, plain);
}

TEST_F(NetJson, MistakesAreNamedWithTheirPlace) {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string text = documented_example();
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  EXPECT_THAT(refusal("{"), HasSubstr("parse error"));
  EXPECT_THAT(refusal("{}"), HasSubstr("\"format\" is missing"));
  EXPECT_THAT(refusal(with("mcusim-net", "other")), HasSubstr("\"format\" is not"));
  EXPECT_THAT(refusal(with("\"version\": 1", "\"version\": 2")), HasSubstr("2 is not in 1..1"));
  EXPECT_THAT(refusal(with("\"bias\"", "\"biases\"")),
              HasSubstr("operator 0: \"bias\" is missing"));
  EXPECT_THAT(refusal(with("\"scale\": 0.1", "\"scale\": 0.1, \"sign\": true")),
              HasSubstr("tensor 0: unknown key \"sign\""));
  EXPECT_THAT(refusal(with("[2, 2, 2]", "[2, 2]")), HasSubstr("list of 3"));
  EXPECT_THAT(refusal(with("[2, 2, 2]", "[2, 2, 0]")), HasSubstr("0 is not in 1..65535"));
  EXPECT_THAT(refusal(with("\"bits\": 4", "\"bits\": 4.5")), HasSubstr("4.5 is not an integer"));
  EXPECT_THAT(refusal(with("\"bits\": 4", "\"bits\": 3")), HasSubstr("not 8, 4 or 2"));
  EXPECT_THAT(refusal(with("\"zero_point\": 0", "\"zero_point\": 99999999999999999999")),
              HasSubstr("not an integer"));
  EXPECT_THAT(refusal(with("\"scale\": 0.1", "\"scale\": 1e300")), HasSubstr("float32"));
  EXPECT_THAT(refusal(with("\"scale\": 0.1", "\"scale\": \"a\"")), HasSubstr("float32"));
  EXPECT_THAT(refusal(with("conv2d", "conv3d")), HasSubstr("unknown \"kind\" conv3d"));
  EXPECT_THAT(refusal(with("\"icn\"", "\"round\"")), HasSubstr("unknown \"contract\" round"));
  EXPECT_THAT(refusal(with("\"inputs\": [\"x\"], \"output\"", "\"inputs\": [\"z\"], \"output\"")),
              HasSubstr("no tensor \"z\""));
  EXPECT_THAT(refusal(with("\"inputs\": [\"x\"], \"output\"", "\"inputs\": [7], \"output\"")),
              HasSubstr("7 is not in 0..1"));
  EXPECT_THAT(refusal(with("[9, 10]", "[9, 16]")), HasSubstr("16 is not in 0..15"));
  EXPECT_THAT(refusal(with("[9, 10]", "[9]")), HasSubstr("1 values instead of 2"));
  EXPECT_THAT(refusal(with("[9, 10]", "\"missing.npy\"")), HasSubstr("cannot open"));
  EXPECT_THAT(refusal(with("[9, 10]", "\"../w.npy\"")), HasSubstr("leaves the folder"));
  EXPECT_THAT(refusal(with("[9, 10]", "\"/etc/passwd\"")), HasSubstr("leaves the folder"));
  EXPECT_THAT(refusal(with("\"scale\": 0.1", "\"scale\": 0.1, \"arena_offset\": 0")),
              HasSubstr("and 1 have none"));
  EXPECT_THAT(refusal(with("\"name\": \"y\"", "\"name\": \"x\"")),
              HasSubstr("several tensors are named"));
  fs::create_symlink("/etc/passwd", folder_ / "link.npy");
  EXPECT_THAT(refusal(with("[9, 10]", "\"link.npy\"")), HasSubstr("leaves the folder"));
}

TEST_F(NetJson, SurvivesDamage) {
  const std::string text = documented_example();
  std::mt19937 random(9);
  for (int round = 0; round < 600; ++round) {
    std::string damaged = text;
    if (round % 4 == 0)
      damaged.resize(random() % text.size());
    else
      for (int n = 1 + round % 3; n-- > 0;)
        damaged[random() % damaged.size()] = "0123456789-[]{}\",:e.x"[random() % 21];
    try {
      const fs::path path = folder_ / "net.json";
      {
        FILE* file = std::fopen(path.c_str(), "w");
        std::fwrite(damaged.data(), 1, damaged.size(), file);
        std::fclose(file);
      }
      load_net_file(path.string());
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace mcusim
