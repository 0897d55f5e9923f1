// SPDX-License-Identifier: MIT
// The host's port of the executor: arena and scratch from the heap, both of the
// exact size the container asks for, so that a sanitizer sees any step beyond.
#include "kernels/host/host_executor.h"

#include "kernels/executor.h"
#include "kernels/host/tensor_io.h"
#include "memmap/base/error.h"

namespace mcusim {
namespace {

// Bytes of a tensor from its first pixel to the end of its last.
uint32_t span_bytes(const net::Tensor& t) {
  return (t.h - 1) * t.row_stride_bytes + (t.w - 1) * t.pixel_stride_bytes + (t.c * t.bits + 7) / 8;
}

const net::Tensor& tensor_at(const std::vector<uint8_t>& file, const IntNet& net, int id) {
  if (id < 0 || static_cast<size_t>(id) >= net.tensors.size())
    throw Error("tensor {}: the network has {}", id, net.tensors.size());
  return tensors_of(file.data())[id];
}

}  // namespace

HostExecutor::HostExecutor(std::vector<uint8_t> file)
    : file_(std::move(file)), net_(decode(file_.data(), file_.size())) {
  const net::Header& header = header_of(file_.data());
  arena_.resize((header.arena_bytes + 7) / 8);
  scratch_.resize((header.scratch_bytes + 7) / 8);
}

void HostExecutor::write_tensor(int id, const std::vector<uint8_t>& values) {
  const net::Tensor& t = tensor_at(file_, net_, id);
  const std::string& name = net_.tensors[id].name;
  if (values.size() != uint64_t{t.h} * t.w * t.c)
    throw Error("tensor '{}': {} values instead of {}x{}x{}", name, values.size(), t.h, t.w, t.c);
  for (const uint8_t value : values)
    if (value >> t.bits) throw Error("tensor '{}': {} is not a {}-bit value", name, value, t.bits);
  uint8_t* first = reinterpret_cast<uint8_t*>(arena_.data()) + t.arena_offset;
  store_tensor(net_.tensors[id], {t.row_stride_bytes, t.pixel_stride_bytes}, values,
               {first, span_bytes(t)});
}

std::vector<uint8_t> HostExecutor::read_tensor(int id) const {
  const net::Tensor& t = tensor_at(file_, net_, id);
  const uint8_t* first = reinterpret_cast<const uint8_t*>(arena_.data()) + t.arena_offset;
  return fetch_tensor(net_.tensors[id], {t.row_stride_bytes, t.pixel_stride_bytes},
                      {first, span_bytes(t)});
}

void HostExecutor::run(const std::function<void(size_t op_index)>& after_op) {
  const RunSpace space{file_.data(), reinterpret_cast<uint8_t*>(arena_.data()),
                       static_cast<uint32_t>(arena_.size() * 8),
                       reinterpret_cast<uint8_t*>(scratch_.data()),
                       static_cast<uint32_t>(scratch_.size() * 8)};
  ExecutorPort port{};
  port.context = const_cast<std::function<void(size_t)>*>(&after_op);
  if (after_op)
    port.op_end = [](void* context, uint32_t op_index) {
      (*static_cast<const std::function<void(size_t)>*>(context))(op_index);
    };
  const RunStatus status = run_network(space, port);
  check(status == RunStatus::ok, "a validated container runs");
}

}  // namespace mcusim
