// SPDX-License-Identifier: MIT
// Runs a container on the host with the same kernels the target uses.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/host/int_net.h"

namespace mcusim {

// Owns arena and scratch for one validated container; not thread-safe, cheap to
// make one per thread.
class HostExecutor {
 public:
  explicit HostExecutor(std::vector<uint8_t> file);  // throws Error when invalid

  const IntNet& net() const { return net_; }
  // Stored values (one byte per element, h*w*c) of a tensor, as now in the arena.
  void write_tensor(int id, const std::vector<uint8_t>& values);
  std::vector<uint8_t> read_tensor(int id) const;
  // Executes all operators; `after_op` (may be empty) sees each finished one.
  void run(const std::function<void(size_t op_index)>& after_op = {});

 private:
  std::vector<uint8_t> file_;
  IntNet net_;
  std::vector<uint64_t> arena_, scratch_;
};

}  // namespace mcusim
