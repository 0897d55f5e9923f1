// SPDX-License-Identifier: MIT
// Every row of the kernel table at representative shapes, in simulated time.
//
// `kernel_bench --markdown` prints the table of docs/kernels.md instead: instructions
// and cycles per MAC, and what per-channel parameters cost over per-layer ones.
#include <fmt/format.h>

#include <map>

#include "bench/support/kernel_cases.h"
#include "bench/support/simulated.h"
#include "kernels/host/names.h"
#include "memmap/base/error.h"

namespace mcusim::bench {
namespace {

Figures run(const Case& which) {
  const IntNet net = make_net(which);
  const report::Run run = simulate(encode(net));
  for (const auto& layer : run.layers)
    if (layer.op_index == 0) {
      Figures figures = figures_of(layer, run);
      const IntTensor& out = net.tensors[static_cast<size_t>(net.outputs[0])];
      figures.outputs = uint64_t{out.h} * out.w * out.c;
      return figures;
    }
  throw Error("{}: the report has no operator 0", which.name());
}

// One line per row and shape that was run, per channel where it has channels.
void print_markdown(const std::vector<Case>& cases, const std::map<std::string, Figures>& found) {
  fmt::print("| layer | in/w/out | contract | instr/MAC | cycles/MAC | MAC/cycle | per channel / per layer, cycles |\n"
             "|---|---|---|---|---|---|---|\n");
  for (const Case& which : cases) {
    const auto at = found.find(which.name());
    if (at == found.end() || !which.per_channel || at->second.macs == 0) continue;
    const Figures& f = at->second;
    Case layer = which;
    layer.per_channel = false;
    const auto per_layer = found.find(layer.name());
    const std::string ratio = per_layer == found.end()
                                  ? "-"
                                  : fmt::format("{:.3f}", static_cast<double>(f.cycles) /
                                                              static_cast<double>(per_layer->second.cycles));
    fmt::print("| {} | {}/{}/{} | {} | {:.3f} | {:.3f} | {:.2f} | {} |\n", which.layer(), which.key.in_bits,
               which.key.weight_bits, which.key.out_bits, contract_name(which.key.contract), f.per_mac(f.instructions),
               f.per_mac(f.cycles), 1 / f.per_mac(f.cycles), ratio);
  }
}

}  // namespace
}  // namespace mcusim::bench

int main(int argc, char** argv) {
  using namespace mcusim::bench;
  const auto cases = kernel_cases();
  std::map<std::string, Figures> found;
  bool markdown = false;
  Program program;
  program.extra = [&](const std::string& flag) {
    if (flag != "--markdown") return false;
    return markdown = program.quiet = true;
  };
  program.add_benchmarks = [&] {
    for (const Case& which : cases)
      add_benchmark(which.name(), [&] { return found[which.name()] = run(which); });
  };
  program.finish = [&] {
    if (markdown) print_markdown(cases, found);
  };
  return run_program(argc, argv, program);
}
