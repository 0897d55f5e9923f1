// SPDX-License-Identifier: MIT
// Quantised ONNX files made by the Python onnx package, read as users' files are.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "kernels/reference/reference.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/graph/execute.h"
#include "quant/import/onnx.h"
#include "quant/import/qdq.h"
#include "quant/import/qdq_strip.h"

namespace mcusim::import {
namespace {

// Models written by the Python onnx package, as users' tools write them, against the
// float network that they stand for.
TEST(Qdq, ModelsOfTheOnnxPackage) {
  const std::string folder = ::testing::TempDir() + fmt::format("mcusim_qdq_{}", ::getpid());
  std::filesystem::create_directories(folder);
  const std::string script = std::string(MCUSIM_SOURCE_DIR) + "/tests/support/qdq_models.py";
  if (std::system(("/usr/bin/python3 -c 'import onnx' 2>/dev/null")) != 0)
    GTEST_SKIP() << "Debian package python3-onnx is not installed";
  ASSERT_EQ(std::system(("/usr/bin/python3 " + script + " " + folder).c_str()), 0);
  for (const std::string name : {"qdq", "qcdq"}) {
    SCOPED_TRACE(name);
    const auto bytes = read_file(folder + "/" + name + ".onnx");
    const auto model = onnx_file::parse(bytes, name, folder);
    const IntNet net = import_qdq(model, name).net;
    EXPECT_EQ(net.ops[0].weight_bits, name == "qdq" ? 8 : 4);
    const graph::Graph real = import_model(strip_quantisation(model, name).model, name);
    graph::FloatExecutor executor(real);
    const IntTensor& in = net.tensors[static_cast<size_t>(net.inputs[0])];
    const IntTensor& out = net.tensors[static_cast<size_t>(net.outputs[0])];
    std::mt19937 random(3);
    for (int round = 0; round < 20; ++round) {
      std::vector<uint8_t> stored;
      std::vector<float> values;
      for (uint32_t i = 0; i < in.h * in.w * in.c; ++i) {
        stored.push_back(static_cast<uint8_t>(random() % (1u << in.bits)));
        values.push_back(in.scale * static_cast<float>(stored.back() - in.zero_point));
      }
      const auto got = reference::run(net, {stored})[static_cast<size_t>(net.outputs[0])];
      const auto& want = executor.run(values)[static_cast<size_t>(real.outputs[0])];
      // One layer: its rounding. Six layers: a step for each quantised value before the last.
      const double tolerance = name == "qcdq" ? 0.53 : 3.0;
      for (size_t i = 0; i < got.size(); ++i)
        EXPECT_NEAR(
            got[i],
            std::clamp<double>(want[i] / out.scale + out.zero_point, 0, (1 << out.bits) - 1),
            tolerance);
    }
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace mcusim::import
