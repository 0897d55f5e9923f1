// SPDX-License-Identifier: MIT
// Running network images in tests: the machine's console and what the host
// executor says it must print.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "kernels/host/host_executor.h"
#include "sim/machine/machine.h"

namespace mcusim::testing {

// The dump as the firmware prints it: hex of each pixel's packed bytes, one line each.
inline std::string host_dump(const std::vector<uint8_t>& container,
                             const std::vector<uint8_t>& input) {
  HostExecutor host(container);
  host.write_tensor(host.net().inputs[0], input);
  host.run();
  const int id = host.net().outputs[0];
  const IntTensor& t = host.net().tensors[static_cast<size_t>(id)];
  const auto values = host.read_tensor(id);
  std::string text;
  for (size_t pixel = 0; pixel < size_t{t.h} * t.w; ++pixel) {
    std::vector<uint8_t> bytes(pixel_bytes(t.c, t.bits));
    for (uint32_t c = 0; c < t.c; ++c)
      bytes[c * t.bits / 8] |= static_cast<uint8_t>(values[pixel * t.c + c] << (c * t.bits % 8));
    for (const uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
    text += '\n';
  }
  return text;
}

struct MachineRun {
  RunResult result;
  std::string console;
  uint64_t core_hz = 0;
};

inline MachineRun run_machine(const Board& board, const std::string& elf) {
  MachineRun run;
  MachineOptions options;
  options.max_instructions = 200'000'000;
  options.console = [&](std::string_view text) { run.console += text; };
  Machine machine(board, options);
  machine.load(load_program(elf));
  run.result = machine.run();
  run.core_hz = machine.core_hz();
  return run;
}

}  // namespace mcusim::testing
