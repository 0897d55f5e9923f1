// SPDX-License-Identifier: MIT
// Whole networks and their layers in simulated time: network/NAME is the run from
// reset to exit, layer/NAME/INDEX_LAYER what one operator cost inside that run. A
// network is run once however many of its rows are asked for.
#include <fmt/format.h>

#include <map>

#include "bench/support/networks.h"
#include "bench/support/simulated.h"
#include "memmap/base/error.h"

namespace mcusim::bench {
namespace {

class Runs {
 public:
  const report::Run& of(const Network& network) {
    const auto [at, is_new] = runs_.try_emplace(network.name);
    if (is_new) try {
        at->second = simulate(make_container(network));
      } catch (const Error&) {
        runs_.erase(at);
        throw;
      }
    return at->second;
  }

 private:
  std::map<std::string, report::Run> runs_;
};

Figures layer_of(const report::Run& run, size_t index) {
  for (const auto& layer : run.layers)
    if (layer.op_index == static_cast<int>(index)) return figures_of(layer, run);
  throw Error("{}: the report has no operator {}", run.network, index);
}

}  // namespace
}  // namespace mcusim::bench

int main(int argc, char** argv) {
  using namespace mcusim::bench;
  std::vector<Network> all;
  Runs runs;
  Program program;
  program.add_benchmarks = [&] {
    all = networks();
    for (const Network& network : all)
      add_benchmark("network/" + network.name, [&] { return figures_of(runs.of(network)); });
    for (const Network& network : all)
      for (size_t i = 0; i < network.layers.size(); ++i)
        add_benchmark(fmt::format("layer/{}/{}_{}", network.name, i, network.layers[i]),
                      [&, i] { return layer_of(runs.of(network), i); });
  };
  return run_program(argc, argv, program);
}
