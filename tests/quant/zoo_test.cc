// SPDX-License-Identifier: MIT
// The zoo's shapes against published parameter counts (Keras for MobileNetV1,
// torchvision for the others): every weight, batch norm scale and shift, and bias.
#include "quant/zoo/zoo.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/graph/execute.h"
#include "quant/import/onnx.h"
#include "quant/import/onnx_write.h"
#include "quant/plan/problem.h"
#include "quant/zoo/random.h"
#include "quant/zoo/rule_weights.h"

namespace mcusim::zoo {
namespace {

uint64_t trainable_parameters(const graph::Graph& graph) {
  uint64_t count = 0;
  for (const auto& node : graph.nodes) {
    count += graph.weight_count(node);
    if (node.kind == graph::Kind::batch_norm) count += 2 * graph.values[node.out].c;
    if (node.kind == graph::Kind::fully_connected) count += graph.values[node.out].c;
  }
  return count;
}

TEST(Zoo, ParameterCountsArePublishedOnes) {
  EXPECT_EQ(trainable_parameters(mobilenet_v1(1.0, 224)), 4231976u);
  EXPECT_EQ(trainable_parameters(mobilenet_v2(1.0, 224)), 3504872u);
  EXPECT_EQ(trainable_parameters(mnasnet_b1(1.0, 224)), 4383312u);
}

// MobileNetV2 at 224: the first expansion, 16 to 96 channels at 112 x 112, is the
// 1372 kB that patch-based inference was made for (MCUNetV2, figure 1).
TEST(Zoo, MobileNetV2PeaksWhereThePaperSays) {
  const auto graph = mobilenet_v2(1.0, 224);
  const auto problem = plan::problem_of(graph, graph::fuse(graph));
  const auto widths = plan::all_at(problem, 8, 8);
  for (size_t i = 0; i < problem.layers.size(); ++i)
    if (problem.layers[i].name == "B2.expand") {
      EXPECT_EQ(plan::activation_bytes(problem, widths, i), 1372u * 1024);
    }
}

// A residual input stays alive while its block runs.
TEST(Zoo, ResidualInputsAreHeld) {
  const auto graph = mobilenet_v2(1.0, 224);
  const auto problem = plan::problem_of(graph, graph::fuse(graph));
  size_t held = 0;
  for (const auto& layer : problem.layers) {
    held += !layer.held.empty();
    if (!layer.name.starts_with("B3.")) continue;
    const bool inside = layer.name == "B3.dw" || layer.name == "B3.project";
    EXPECT_EQ(layer.held.size(), inside ? 1u : 0u) << layer.name;
  }
  EXPECT_EQ(held, 2 * 10u);  // ten residual blocks
}

// Written and read back, every family computes the same; ONNX's own checker, with
// shape inference, accepts the file.
TEST(Zoo, OnnxExportReadsBackAsTheSameNetwork) {
  const bool checker = std::system("/usr/bin/python3 -c 'import onnx' 2>/dev/null") == 0;
  for (const auto& row : families()) {
    SCOPED_TRACE(row.name);
    auto graph = row.build(0.25, 32);
    fill_weights(graph, 3);
    const auto bytes = import::format_onnx(graph);
    const auto again = import::parse_onnx(bytes, "again", "");
    Random random(4);
    std::vector<float> input(graph.values[graph.inputs[0]].elements());
    for (auto& value : input) value = static_cast<float>(random.real(-1, 1));
    graph::FloatExecutor a(graph), b(again);
    const auto& expected = a.run(input)[graph.outputs[0]];
    EXPECT_EQ(b.run(input)[again.outputs[0]], expected);
    float least = expected[0], most = expected[0];
    for (const float x : expected) {
      least = std::min(least, x);
      most = std::max(most, x);
    }
    EXPECT_GT(most - least, 0.1f);  // the network says something
    if (!checker) continue;
    const auto path = std::filesystem::path(testing::TempDir()) / "mcusim_zoo.onnx";
    write_file(path.string(), bytes);
    const std::string command = fmt::format(
        "/usr/bin/python3 -c \"import onnx; m = onnx.load('{}'); "
        "onnx.checker.check_model(m, full_check=True)\"", path.string());
    EXPECT_EQ(std::system(command.c_str()), 0);
  }
}

}  // namespace
}  // namespace mcusim::zoo
