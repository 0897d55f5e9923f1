// SPDX-License-Identifier: MIT
// A network on a board: links its image, feeds an input, runs it, reads outputs and
// judges them, and adds layers, arena and peaks to the report.
//
// The image is linked once and may be run for many inputs; every run starts from
// reset on a fresh machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/host/container.h"
#include "kernels/host/int_net.h"
#include "memmap/board.h"
#include "sim/image/image.h"
#include "sim/report/report.h"
#include "sim/run/simulation.h"

namespace mcusim {

struct NetworkRunOptions {
  SimulationOptions simulation;
  ImageOptions image;
  bool verify = false;          // compare every operator's output with the naive twin
};

class NetworkRun {
 public:
  // Throws Error when the container is invalid or does not fit the board.
  NetworkRun(const Board& board, std::vector<uint8_t> file, NetworkRunOptions options);

  const IntNet& net() const { return net_; }
  const Program& program() const { return program_; }

  struct Result {
    report::Run report;
    std::vector<std::vector<uint8_t>> outputs;  // stored values, per network output
    bool verified = true;                       // false: the twin disagrees (report.verify says where)
  };
  // Stored values per network input (kernels/host/tensor_io.h).
  Result run(const std::vector<std::vector<uint8_t>>& inputs) const;

 private:
  std::vector<report::Memory> memories(const Machine& machine, uint32_t arena) const;

  const Board board_;
  const std::vector<uint8_t> file_;
  const NetworkRunOptions options_;
  IntNet net_;
  Container container_;
  ImageFacts facts_;
  Program program_;
};

}  // namespace mcusim
