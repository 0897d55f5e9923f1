// SPDX-License-Identifier: MIT
// The program `mcusim-net` as a user meets it: what it prints, and one clear line
// with exit status 1 (2 for wrong usage) for everything that is wrong.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "memmap/base/npy.h"

namespace mcusim {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

struct Answer {
  int status = -1;
  std::string text;  // both streams
};

class NetCli : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* data = std::getenv("MCUSIM_DATA");
    if (!data) GTEST_SKIP() << "MCUSIM_DATA is not set";
    kws_ = std::string(data) + "/kws/";
    folder_ = fs::path(::testing::TempDir()) / fmt::format("mcusim_cli_{}", ::getpid());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  Answer run(const std::string& arguments) {
    const std::string command =
        std::string(MCUSIM_BINARY_DIR) + "/mcusim-net " + arguments + " 2>&1";
    FILE* pipe = ::popen(command.c_str(), "r");
    Answer answer;
    char chunk[4096];
    for (size_t got; (got = std::fread(chunk, 1, sizeof chunk, pipe)) > 0;)
      answer.text.append(chunk, got);
    const int status = ::pclose(pipe);
    answer.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return answer;
  }
  // One line that starts with the program's name and holds `reason`.
  void expect_refusal(const std::string& arguments, const std::string& reason, int status = 1) {
    const Answer answer = run(arguments);
    EXPECT_EQ(answer.status, status) << arguments << "\n" << answer.text;
    const size_t line = answer.text.rfind("mcusim: ");
    ASSERT_NE(line, std::string::npos) << answer.text;
    EXPECT_THAT(answer.text.substr(line), HasSubstr(reason)) << arguments;
    EXPECT_EQ(answer.text.find('\n', line), answer.text.size() - 1) << "more than one line";
  }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }

  std::string kws_;
  fs::path folder_;
};

TEST_F(NetCli, ConvertInfoUnpackPackEval) {
  const std::string net = file("kws.bin");
  EXPECT_EQ(run("convert " + kws_ + "kws_ds_cnn_int8.tflite -o " + net).status, 0);
  const auto info = nlohmann::json::parse(run("info " + net + " --json -").text);
  EXPECT_EQ(info["file_bytes"].get<uint64_t>(), fs::file_size(net));
  uint64_t sum = 0;
  for (const auto& [kind, bytes] : info["bytes"].items()) {
    sum += bytes.get<uint64_t>();
    EXPECT_LT(bytes.get<uint64_t>(), fs::file_size(net)) << kind;
  }
  EXPECT_EQ(sum, fs::file_size(net));
  // 13 operators in the file, less RESHAPE and SOFTMAX.
  EXPECT_EQ(info["operators"].size(), 11u);
  // 10x4x64x125 + 4 * (9x64x125 + 64x64x125) + 64x12
  EXPECT_EQ(info["macs"], 2656768);
  EXPECT_THAT(run("info " + net).text, HasSubstr("pointwise w8"));

  EXPECT_EQ(run("unpack " + net + " -o " + file("dir")).status, 0);
  EXPECT_EQ(run("pack " + file("dir/net.json") + " -o " + file("again.bin")).status, 0);
  EXPECT_EQ(read_file(net), read_file(file("again.bin")));

  const Answer eval = run("eval " + net + " --data " + kws_ +
                          "kws_test_inputs.npz:x --labels y --confusion --output " + file("y.npy"));
  EXPECT_EQ(eval.status, 0);
  EXPECT_THAT(eval.text, AllOf(HasSubstr("top-1 901/1000 (90.10 %)"), HasSubstr("label \\ top-1")));
  const auto logits = load_array(parse_selector(kws_ + "kws_int8_logits.npz:logits"));
  const auto written = load_array(parse_selector(file("y.npy")));
  EXPECT_EQ(written.dtype, "|i1");
  EXPECT_EQ(written.bytes, logits.bytes);
  EXPECT_THAT(
      run("eval " + net + " --data " + kws_ + "kws_test_inputs.npz:x[100:200] --labels y --limit 7")
          .text,
      HasSubstr("/7 ("));
}

// 913 is what the data folder's README states for the float network.
TEST_F(NetCli, EvalOfTheFloatNetwork) {
  const std::string x = kws_ + "kws_test_inputs.npz:x", model = kws_ + "kws_ds_cnn_float.onnx";
  const std::string scale = " --input-scale 0.5847029089927673 --input-zero-point 83";
  EXPECT_THAT(run("eval " + model + " --data " + x + " --labels y" + scale).text,
              HasSubstr("top-1 913/1000"));
  EXPECT_THAT(
      run("eval " + kws_ + "kws_ds_cnn_int8.tflite --limit 50 --data " + x + " --agree " + model)
          .text,
      HasSubstr("same top-1 as the float network "));
  expect_refusal("eval " + model + " --data " + x, "--input-scale", 2);
  expect_refusal("eval " + model + " --engine sim --data " + x + scale, "float network", 2);
}

TEST_F(NetCli, EvalRefusesWrongData) {
  const std::string eval = "eval " + kws_ + "kws_ds_cnn_int8.tflite --data ";
  const std::string x = kws_ + "kws_test_inputs.npz:x";
  const auto store = [&](const std::string& name, const NpyArray& array) {
    write_file(file(name), format_npy(array));
    return file(name);
  };
  expect_refusal(eval + store("shape.npy", {"|i1", {3, 49, 11}, std::vector<uint8_t>(3 * 49 * 11)}),
                 "shape (3, 49, 11)");
  expect_refusal(eval + store("type.npy", {"|u1", {2, 49, 10}, std::vector<uint8_t>(980)}), "|u1");
  expect_refusal(eval + store("none.npy", {"|i1", {0, 49, 10}, {}}), "no samples");
  expect_refusal(eval + kws_ + "kws_test_inputs.npz", "name one");
  expect_refusal(eval + x + "[990:1001]", "1000 rows");
  expect_refusal(eval + x + "[5:5]", "range is empty", 2);
  expect_refusal(eval + x + " --labels z", "no array named z");
  expect_refusal(eval + x + " --labels " + kws_ + "kws_test_inputs.npz:y[0:9]", "9 labels");
  expect_refusal(eval + x + " --confusion", "--labels", 2);
  expect_refusal(eval + "/nowhere.npy", "cannot open");
  EXPECT_EQ(run(eval + x + " --engine quantum").status, 2);
}

TEST_F(NetCli, FilesThatAreNoNetworkAreNamed) {
  expect_refusal("convert " + kws_ + "kws_ds_cnn_float.onnx -o " + file("n.bin"),
                 "mcusim quantize");
  expect_refusal("convert " + kws_ + "kws_test_inputs.npz -o " + file("n.bin"), "neither net.bin");
  expect_refusal("convert " + kws_ + " -o " + file("n.bin"), "is a directory");
  expect_refusal("info " + file("missing.bin"), "cannot open");
  write_file(file("short.bin"), std::string("MCUN and no more"));
  expect_refusal("info " + file("short.bin"), "short.bin");
  write_file(file("bad.json"), std::string("{\"format\": 3}"));
  expect_refusal("pack " + file("bad.json") + " -o " + file("n.bin"), "not a string");
  EXPECT_FALSE(fs::exists(file("n.bin")));
  expect_refusal("convert " + kws_ + "kws_ds_cnn_int8.tflite -o " + file("no/such/folder.bin"),
                 "cannot create");
}

// All 1000 inputs: tiles change no output byte.
TEST_F(NetCli, PatchesPlanPackEval) {
  const std::string model = kws_ + "kws_ds_cnn_int8.tflite", plan = file("plan.json");
  const Answer table = run("plan " + model + " --patch 4x2@2 -o " + plan);
  EXPECT_EQ(table.status, 0) << table.text;
  EXPECT_THAT(table.text, AllOf(HasSubstr("4x2 tiles of"), HasSubstr("MACs of the stage")));
  EXPECT_EQ(nlohmann::json::parse(read_text_file(plan))["patch"], "4x2@2");
  const std::string tiled = file("tiled.bin");
  EXPECT_EQ(run("pack " + model + " --patch " + plan + " -o " + tiled).status, 0);
  const auto info = nlohmann::json::parse(run("info " + tiled + " --json -").text);
  EXPECT_EQ(info["operators"].size(), 11u - 3 + 8 * 3);
  EXPECT_THAT(run("eval " + tiled + " --data " + kws_ + "kws_test_inputs.npz:x --labels y --output " +
                  file("y.npy")).text,
              HasSubstr("top-1 901/1000"));
  EXPECT_EQ(load_array(parse_selector(file("y.npy"))).bytes,
            load_array(parse_selector(kws_ + "kws_int8_logits.npz:logits")).bytes);
  expect_refusal("pack " + model + " --patch 4x4 -o " + file("n.bin"), "ROWSxCOLUMNS@BLOCKS");
  expect_refusal("pack " + model + " --patch 4x4@99 -o " + file("n.bin"), "99 blocks");
  expect_refusal("pack " + model + " --patch " + file("no.json") + " -o " + file("n.bin"), "cannot open");
  write_file(file("odd.json"), std::string("{\"patch\": 4}"));
  expect_refusal("pack " + model + " --patch " + file("odd.json") + " -o " + file("n.bin"),
                 "not a patch plan");
  expect_refusal("plan " + kws_ + "kws_ds_cnn_float.onnx", "--flash and --ram", 2);
}

}  // namespace
}  // namespace mcusim
