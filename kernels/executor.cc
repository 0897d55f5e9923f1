// SPDX-License-Identifier: MIT
// The executor: look a row up, call it, mark both ends. Contains no kernel row.
#include "kernels/executor.h"

#include "kernels/kernel_table.h"

namespace mcusim {
namespace {

RunStatus check_space(const RunSpace& space) {
  const net::Header& header = header_of(space.file);
  if (header.magic != net::kMagic) return RunStatus::bad_magic;
  if (header.version != net::kVersion) return RunStatus::bad_version;
  if (header.arena_bytes > space.arena_bytes) return RunStatus::arena_too_small;
  if (header.scratch_bytes > space.scratch_bytes) return RunStatus::scratch_too_small;
  return RunStatus::ok;
}

}  // namespace

RunStatus run_network(const RunSpace& space, const ExecutorPort& port) {
  const RunStatus status = check_space(space);
  if (status != RunStatus::ok) return status;
  const net::Tensor* tensors = tensors_of(space.file);
  const net::Op* ops = ops_of(space.file);
  const uint32_t count = header_of(space.file).op_count;
  for (uint32_t i = 0; i < count; ++i) {
    const net::Op& op = ops[i];
    const KernelCall call{&op,
                          &tensors[op.in0],
                          op.in1 == net::kNone ? nullptr : &tensors[op.in1],
                          &tensors[op.out],
                          space.file,
                          space.arena,
                          space.scratch};
    const Row* row = find_row(row_key(op, *call.in0, *call.out));
    if (!row || !row->fn) return RunStatus::missing_kernel;
    if (port.op_begin) port.op_begin(port.context, i);
    row->fn(call);
    if (port.op_end) port.op_end(port.context, i);
  }
  return RunStatus::ok;
}

}  // namespace mcusim
