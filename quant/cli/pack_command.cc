// SPDX-License-Identifier: MIT
// `mcusim pack`: the human-readable twin, or any integer network, becomes a net.bin
// (docs/net_json.md), as it is or with its first blocks in tiles (docs/patches.md).
#include <memory>

#include "quant/cli/command.h"
#include "quant/cli/store.h"
#include "quant/pack/place.h"
#include "quant/patch/plan_file.h"

namespace mcusim::net_cli {
namespace {

struct Options {
  std::string model, output, patch;
};

void pack(const Options& options) {
  NetFile file = load_net_file(options.model);
  if (!options.patch.empty()) {
    file.net = patch::apply(file.net, patch::load_plan(options.patch));
    place_tensors(file.net);
    file.container = encode(file.net);
  }
  store(file, options.output);
}

}  // namespace

void add_pack(CLI::App& app, int*) {
  auto* command = app.add_subcommand("pack", "An integer network to net.bin, also in patches");
  auto options = std::make_shared<Options>();
  command->add_option("net", options->model,
                      "net.json (its arrays lie in its folder), or another integer network")
      ->required();
  command->add_option("--patch", options->patch,
                      "Run the first blocks in tiles: ROWSxCOLUMNS@BLOCKS, or a plan (.json)");
  command->add_option("-o,--output", options->output, "The container to write")->required();
  command->callback([options] { pack(*options); });
}

}  // namespace mcusim::net_cli
