// SPDX-License-Identifier: MIT
// `mcusim convert`: an integer network made elsewhere becomes a net.bin, bit for bit.
#include <memory>

#include "quant/cli/command.h"
#include "quant/cli/store.h"

namespace mcusim::net_cli {

void add_convert(CLI::App& app, int*) {
  auto* command = app.add_subcommand("convert", "An integer network made elsewhere to net.bin");
  auto model = std::make_shared<std::string>(), output = std::make_shared<std::string>();
  command->add_option("model", *model, "int8 model.tflite, quantised model.onnx (QDQ, QCDQ, QONNX), net.json or net.bin")->required();
  command->add_option("-o,--output", *output, "The container to write")->required();
  command->callback([=] { store(load_net_file(*model), *output); });
}

}  // namespace mcusim::net_cli
