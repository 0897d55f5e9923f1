// SPDX-License-Identifier: MIT
// ONNX import and the float executor against ONNX's own operator tests (Debian
// package libonnx-testdata), the keyword network, models with faults, and damage.
#include "quant/import/onnx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "memmap/base/npy.h"
#include "quant/graph/execute.h"
#include "quant/zoo/random.h"

namespace mcusim::import {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string data_folder() {
  const char* folder = std::getenv("MCUSIM_DATA");
  return folder ? folder : "";
}

// Values in the exporter's order, N,C,H,W or N,C.
std::vector<float> to_chw(const std::vector<float>& hwc, const graph::Value& value) {
  std::vector<float> chw(hwc.size());
  const size_t area = size_t{value.h} * value.w;
  for (size_t i = 0; i < hwc.size(); ++i) chw[i % value.c * area + i / value.c] = hwc[i];
  return chw;
}
std::vector<float> to_hwc(const std::vector<float>& chw, const graph::Value& value) {
  std::vector<float> hwc(chw.size());
  const size_t area = size_t{value.h} * value.w;
  for (size_t i = 0; i < hwc.size(); ++i) hwc[i] = chw[i % value.c * area + i / value.c];
  return hwc;
}

// Models of one operator whose shapes a network for a microcontroller has: batch 1
// (the few of batch 2 and above have no place here), two-dimensional windows.
const char* const kOperatorTests[] = {
    "averagepool_2d_precomputed_pads", "averagepool_2d_precomputed_pads_count_include_pad",
    "averagepool_2d_precomputed_same_upper", "averagepool_2d_precomputed_strides",
    "averagepool_2d_default", "averagepool_2d_pads", "averagepool_2d_pads_count_include_pad",
    "averagepool_2d_same_lower", "averagepool_2d_same_upper", "averagepool_2d_strides",
    "basic_conv_with_padding", "basic_conv_without_padding", "conv_with_autopad_same",
    "conv_with_strides_and_asymmetric_padding", "conv_with_strides_no_padding",
    "conv_with_strides_padding", "globalaveragepool", "globalaveragepool_precomputed",
    "globalmaxpool", "globalmaxpool_precomputed", "maxpool_2d_default", "maxpool_2d_pads",
    "maxpool_2d_precomputed_pads", "maxpool_2d_precomputed_same_upper",
    "maxpool_2d_precomputed_strides", "maxpool_2d_same_lower", "maxpool_2d_same_upper",
    "maxpool_2d_strides", "constant_pad",
};

TEST(OnnxOperators, AgreeWithTheStandardsOwnTests) {
  const fs::path root = "/usr/share/libonnx-testdata/data/node";
  if (!fs::exists(root)) GTEST_SKIP() << "Debian package libonnx-testdata is not installed";
  for (const std::string test : kOperatorTests) {
    SCOPED_TRACE(test);
    const fs::path folder = root / ("test_" + test);
    auto model = onnx_file::parse(read_file(folder / "model.onnx"), test, folder);
    const auto set = folder / "test_data_set_0";
    const auto tensor = [&](const std::string& file) {
      return onnx_file::parse_tensor(read_file(set / file), file);
    };
    // Whatever else the model takes as an input (weights) is a constant of ours.
    for (size_t i = 1; i < model.inputs.size(); ++i)
      model.constants[model.inputs[i].name] = tensor(fmt::format("input_{}.pb", i));
    model.inputs.resize(1);
    model.inputs[0].dims[0] = 1;
    // Some are marked with the opset that introduced them; none changed since.
    model.opset = std::max<int64_t>(model.opset, 11);
    auto input = tensor("input_0.pb").as_reals(), expected = tensor("output_0.pb").as_reals();
    const auto graph = import_model(std::move(model), test);
    const auto& in = graph.values[graph.inputs[0]];
    const auto& out = graph.values[graph.outputs[0]];
    // The first image of a batch stands alone.
    ASSERT_EQ(input.size() % in.elements(), 0u);
    ASSERT_EQ(expected.size() / out.elements(), input.size() / in.elements());
    input.resize(in.elements());
    graph::FloatExecutor executor(graph);
    const auto got = to_chw(executor.run(to_hwc(input, in))[graph.outputs[0]], out);
    for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 1e-5) << i;
  }
}

TEST(OnnxImport, KeywordNetworkIsAsAccurateAsItsTraining) {
  const std::string folder = data_folder();
  if (folder.empty()) GTEST_SKIP() << "MCUSIM_DATA is not set";
  const auto graph = read_onnx(folder + "/kws/kws_ds_cnn_float.onnx");
  const auto x = load_array(parse_selector(folder + "/kws/kws_test_inputs.npz:x")).as_integers();
  const auto y = load_array(parse_selector(folder + "/kws/kws_test_inputs.npz:y")).as_integers();
  graph::FloatExecutor executor(graph);
  int right = 0;
  std::vector<float> input(490);
  for (size_t i = 0; i < y.size(); ++i) {
    for (size_t k = 0; k < 490; ++k)
      input[k] = 0.5847029f * static_cast<float>(x[i * 490 + k] - 83);
    const auto& logits = executor.run(input)[graph.outputs[0]];
    right += std::max_element(logits.begin(), logits.end()) - logits.begin() == y[i];
  }
  EXPECT_EQ(right, 913);
}

onnx_file::Node node(const std::string& op, const std::string& name,
                     std::vector<std::string> inputs) {
  return {name, op, "", std::move(inputs), {name}, {}};
}

onnx_file::Model model_of(std::vector<onnx_file::Node> nodes) {
  onnx_file::Model model;
  model.name = "model";
  model.opset = 13;
  model.inputs = {{"x", {1, 2, 3, 4}}};
  model.outputs = {nodes.back().name};
  model.nodes = std::move(nodes);
  return model;
}

std::string message(const onnx_file::Model& model) {
  try {
    import_model(model, "m.onnx");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(OnnxImport, ListsEverythingUnsupportedAtOnceAndBlamesNoReader) {
  auto model = model_of({node("Erf", "first", {"x"}), node("Relu", "innocent", {"first"}),
                         node("LSTM", "second", {"x"}), node("Transpose", "third", {"x"})});
  model.nodes.back().attributes["perm"].integers = {0, 1, 3, 2};
  const std::string text = message(model);
  for (const char* part : {"Erf 'first'", "LSTM 'second'", "Transpose 'third'"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(text, Not(HasSubstr("innocent")));
}

TEST(OnnxImport, RefusesOpsetsItWasNotMadeFor) {
  auto model = model_of({node("Relu", "y", {"x"})});
  model.opset = 18;
  EXPECT_THAT(message(model), HasSubstr("opset 18 (supported: 11 to 17)"));
  model.opset = 10;
  EXPECT_THAT(message(model), HasSubstr("opset 10"));
}

TEST(OnnxImport, NamesInputsThatNothingWrites) {
  EXPECT_THAT(message(model_of({node("Relu", "y", {"later"})})), HasSubstr("'later'"));
}

// Flattening N,C,H,W runs over channels first; the graph's order is channels last.
TEST(OnnxImport, FlattenedWeightsFollowTheirElements) {
  auto model = model_of({node("Flatten", "flat", {"x"}), node("Gemm", "y", {"flat", "w"})});
  onnx_file::Tensor w{{24, 1}, "float", {}, {}};
  for (int i = 0; i < 24; ++i) w.reals.push_back(static_cast<float>(i * i));
  model.constants["w"] = w;
  const auto graph = import_model(model, "m");
  std::vector<float> chw(24);
  float expected = 0;
  for (int i = 0; i < 24; ++i) {
    chw[i] = static_cast<float>(i % 7);
    expected += chw[i] * static_cast<float>(i * i);
  }
  graph::FloatExecutor executor(graph);
  const auto& values = executor.run(to_hwc(chw, graph.values[graph.inputs[0]]));
  EXPECT_FLOAT_EQ(values[graph.outputs[0]][0], expected);
}

// External tensor data: inside the model's folder, and every way out of it.
TEST(OnnxImport, ExternalDataStaysInTheModelsFolder) {
  const fs::path root = fs::path(testing::TempDir()) / "mcusim_onnx_external";
  fs::remove_all(root);
  fs::create_directories(root / "model");
  const char* script = R"(
import onnx, sys
from onnx import helper, TensorProto
root = sys.argv[1]
open(root + '/model/w.bin', 'wb').write(bytes(8))
open(root + '/secret.bin', 'wb').write(bytes(8))
for name, location in [('good', 'w.bin'), ('up', '../secret.bin'), ('absolute', root + '/secret.bin'),
                       ('link', 'link.bin'), ('short', 'w.bin')]:
    w = TensorProto(name='w', data_type=TensorProto.FLOAT, dims=[2, 1, 1, 1])
    w.data_location = TensorProto.EXTERNAL
    w.external_data.add(key='location', value=location)
    w.external_data.add(key='length', value='80' if name == 'short' else '8')
    graph = helper.make_graph([helper.make_node('Conv', ['x', 'w'], ['y'])], 'g',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, [1, 1, 3, 3])],
        [helper.make_tensor_value_info('y', TensorProto.FLOAT, [1, 2, 3, 3])], [w])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)])
    open(root + '/model/' + name + '.onnx', 'wb').write(model.SerializeToString())
)";
  write_file((root / "make.py").string(), std::string(script));
  const std::string command = fmt::format("/usr/bin/python3 {0}/make.py {0}", root.string());
  if (std::system(command.c_str()) != 0) GTEST_SKIP() << "python3-onnx is not installed";
  fs::create_symlink(root / "secret.bin", root / "model" / "link.bin");
  const auto attempt = [&](const std::string& name) -> std::string {
    try {
      read_onnx((root / "model" / (name + ".onnx")).string());
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  };
  EXPECT_EQ(attempt("good"), "");
  for (const char* outside : {"up", "absolute", "link"})
    EXPECT_THAT(attempt(outside), HasSubstr("not inside the model's folder")) << outside;
  EXPECT_THAT(attempt("short"), HasSubstr("past the end"));
}

TEST(OnnxImport, DamagedFilesAreErrorsOrGraphs) {
  const std::string folder = data_folder();
  if (folder.empty()) GTEST_SKIP() << "MCUSIM_DATA is not set";
  const auto bytes = read_file(folder + "/kws/kws_ds_cnn_float.onnx");
  zoo::Random random(7);
  int refused = 0;
  const auto attempt = [&](const std::vector<uint8_t>& damaged) {
    try {
      parse_onnx(damaged, "damaged", "");
    } catch (const Error&) {
      ++refused;
    }
  };
  // Half of the flips into the first 4 kB and the last: structure, not weights.
  for (int i = 0; i < 500; ++i) {
    auto damaged = bytes;
    const auto last = static_cast<int32_t>(bytes.size()) - 1;
    const int32_t at = i % 2 == 0 ? random.integer(0, last)
                                  : random.integer(0, 1) * (last - 4096) + random.integer(0, 4096);
    damaged[at] ^= static_cast<uint8_t>(1 << random.integer(0, 7));
    attempt(damaged);
  }
  EXPECT_GT(refused, 50);
  for (int i = 0; i < 500; ++i)
    attempt({bytes.begin(), bytes.begin() + static_cast<long>(bytes.size()) * i / 500});
}

}  // namespace
}  // namespace mcusim::import
