// SPDX-License-Identifier: MIT
// `mcusim unpack`: a network as net.json and .npy arrays, to read, to change and
// to pack again. Unchanged, it packs to the same bytes.
#include <fmt/format.h>

#include <memory>

#include "quant/cli/command.h"
#include "quant/cli/store.h"
#include "quant/pack/net_json.h"

namespace mcusim::net_cli {

void add_unpack(CLI::App& app, int*) {
  auto* command = app.add_subcommand("unpack", "A network to net.json and .npy arrays");
  auto model = std::make_shared<std::string>(), folder = std::make_shared<std::string>();
  command->add_option("net", *model, "net.bin or model.tflite")->required();
  command->add_option("-o,--output", *folder, "The folder to write")->required();
  command->callback([=] {
    const NetFile file = load_net_file(*model);
    print_notes(file);
    write_net_json(file.net, *folder);
    fmt::print("{}/net.json: {} tensors, {} operators\n", *folder, file.net.tensors.size(),
               file.net.ops.size());
  });
}

}  // namespace mcusim::net_cli
