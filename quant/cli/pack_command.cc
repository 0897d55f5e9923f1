// SPDX-License-Identifier: MIT
// `mcusim pack`: the human-readable twin becomes a net.bin (docs/net_json.md).
#include <memory>

#include "quant/cli/command.h"
#include "quant/cli/store.h"

namespace mcusim::net_cli {

void add_pack(CLI::App& app, int*) {
  auto* command = app.add_subcommand("pack", "A net.json with its arrays to net.bin");
  auto model = std::make_shared<std::string>(), output = std::make_shared<std::string>();
  command->add_option("net.json", *model, "net.json; its arrays lie in its folder")->required();
  command->add_option("-o,--output", *output, "The container to write")->required();
  command->callback([=] { store(load_net_file(*model), *output); });
}

}  // namespace mcusim::net_cli
