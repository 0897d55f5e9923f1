// SPDX-License-Identifier: MIT
#include "bench/support/networks.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "kernels/host/int_net.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "memmap/base/process.h"
#include "quant/graph/layers.h"
#include "quant/zoo/zoo.h"

namespace mcusim::bench {
namespace {

// What fits the STM32H743: MobileNetV1 as the papers run it, and inverted residuals
// with 3x3 and 5x5 windows.
struct ZooRow {
  const char* name;
  const char* family;
  double width;
  uint32_t resolution;
  std::vector<std::string> limits;   // none: all 8 bits
};
const ZooRow kZoo[] = {
    {"mobilenet_v1_160_0.25", "mobilenet_v1", 0.25, 160, {}},
    {"mobilenet_v1_224_0.5_mixed", "mobilenet_v1", 0.5, 224, {"--flash", "1024000", "--ram", "512000"}},
    {"mobilenet_v2_96_0.35", "mobilenet_v2", 0.35, 96, {}},
    {"mnasnet_a1_96_0.35", "mnasnet_a1", 0.35, 96, {}},
    {"mnasnet_b1_96_0.35", "mnasnet_b1", 0.35, 96, {}},
};

struct DataRow {
  const char* name;
  const char* file;
};
constexpr DataRow kData[] = {{"kws_int8", "kws/kws_ds_cnn_int8.tflite"}, {"vww_int8", "vww/vww_96_int8.tflite"}};

Network of_zoo(const ZooRow& row) {
  Network network{row.name,
                  {"zoo", row.family, "--width", fmt::format("{}", row.width), "--resolution",
                   fmt::format("{}", row.resolution)},
                  {}};
  network.make.insert(network.make.end(), row.limits.begin(), row.limits.end());
  const auto graph = zoo::family(row.family).build(row.width, row.resolution);
  for (const auto& layer : graph::fuse(graph).layers) network.layers.push_back(layer.name);
  return network;
}

Network of_data(const std::filesystem::path& folder, const DataRow& row) {
  Network network{row.name, {"convert", folder / row.file}, {}};
  const auto container = make_container(network);
  for (const auto& op : decode(container.data(), container.size()).ops) network.layers.push_back(op.name);
  return network;
}

}  // namespace

std::vector<Network> networks() {
  std::vector<Network> all;
  for (const auto& row : kZoo) all.push_back(of_zoo(row));
  if (const char* data = std::getenv("MCUSIM_DATA"); data && *data)
    for (const auto& row : kData) all.push_back(of_data(std::filesystem::absolute(data), row));
  return all;
}

std::vector<uint8_t> make_container(const Network& network) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("net.bin");
  std::vector<std::string> command = {sibling_program("mcusim-net")};
  command.insert(command.end(), network.make.begin(), network.make.end());
  command.insert(command.end(), {"-o", file});
  run_tool(command, directory.path());
  return read_file(file);
}

}  // namespace mcusim::bench
