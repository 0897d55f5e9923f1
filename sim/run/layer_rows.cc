// SPDX-License-Identifier: MIT
#include "sim/run/layer_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "kernels/host/names.h"
#include "kernels/host/tensor_io.h"
#include "memmap/arena.h"

namespace mcusim {
namespace {

report::Layer outside(const char* name, const Profile::Share& share) {
  report::Layer row;
  row.name = name;
  row.instructions = share.instructions;
  row.cycles = share.cycles;
  row.data_bytes = share.data_bytes;
  row.causes = share.causes;
  return row;
}

int root_of(const IntNet& net, int id) {
  while (net.tensors[static_cast<size_t>(id)].parent >= 0) id = net.tensors[static_cast<size_t>(id)].parent;
  return id;
}

IntNet at_8_bits(IntNet net) {
  for (IntTensor& tensor : net.tensors) tensor.bits = 8;
  return net;
}

uint64_t live_bytes(const std::vector<report::ArenaSlot>& slots, size_t op_index) {
  uint64_t bytes = 0;
  for (const auto& slot : slots)
    if (slot.first_op <= op_index && op_index <= slot.last_op) bytes += slot.size_bytes;
  return bytes;
}

// The weight blob as the layout of 8-bit inputs and weights would pad it.
uint64_t weight_bytes_8bit(const Container& container, net::Op op) {
  if (op.weight_bits == 0) return 0;
  net::Tensor in = container.tensors[op.in0];
  in.bits = op.weight_bits = 8;
  const WeightShape shape = weight_shape(op, in, container.tensors[op.out]);
  return layout_row(layout_for(shape)).blob_bytes(shape);
}

}  // namespace

std::vector<report::ArenaSlot> arena_slots(const IntNet& net) {
  const auto last_op = static_cast<uint32_t>(net.ops.empty() ? 0 : net.ops.size() - 1);
  std::vector<report::ArenaSlot> slots(net.tensors.size());
  std::vector<bool> used(net.tensors.size());
  auto touch = [&](int id, uint32_t op) {
    if (id < 0) return;
    const auto root = static_cast<size_t>(root_of(net, id));
    auto& slot = slots[root];
    if (!used[root]) slot.first_op = slot.last_op = op;
    used[root] = true;
    slot.first_op = std::min(slot.first_op, op);
    slot.last_op = std::max(slot.last_op, op);
  };
  for (int id : net.inputs) touch(id, 0);
  for (int id : net.outputs) touch(id, last_op);
  for (uint32_t op = 0; op < net.ops.size(); ++op)
    for (int id : {net.ops[op].in0, net.ops[op].in1, net.ops[op].out}) touch(id, op);
  std::vector<report::ArenaSlot> out;
  for (size_t id = 0; id < slots.size(); ++id) {
    if (!used[id]) continue;
    slots[id].tensor = net.tensors[id].name;
    slots[id].offset_bytes = net.tensors[id].arena_offset;
    slots[id].size_bytes = storage_bytes(net.tensors[id]);
    out.push_back(slots[id]);
  }
  return out;
}

uint64_t arena_bytes_8bit(const IntNet& net) {
  std::vector<Buffer> buffers;
  for (const auto& slot : arena_slots(at_8_bits(net)))
    buffers.push_back({static_cast<uint32_t>(slot.size_bytes), slot.first_op, slot.last_op});
  return place(buffers).arena_bytes;
}

std::vector<report::Layer> layer_rows(const IntNet& net, const Container& container,
                                      const Profile& profile) {
  const auto slots = arena_slots(net), slots_8bit = arena_slots(at_8_bits(net));
  std::vector<report::Layer> rows = {outside("start-up", profile.startup())};
  for (size_t i = 0; i < net.ops.size(); ++i) {
    const IntOp& op = net.ops[i];
    const IntTensor& in = net.tensors[static_cast<size_t>(op.in0)];
    const IntTensor& out = net.tensors[static_cast<size_t>(op.out)];
    report::Layer row = outside(op.name.c_str(), i < profile.layers().size() ? profile.layers()[i] : Profile::Share{});
    row.op_index = static_cast<int>(i);
    row.layer_id = op.layer_id;
    row.op = kind_name(op.kind);
    row.in_bits = in.bits;
    row.weight_bits = op.weight_bits;
    row.out_bits = out.bits;
    row.shape = fmt::format("{}x{}x{}", out.h, out.w, out.c);
    row.macs = macs(net, op);
    row.weight_bytes = container.ops[i].weights_bytes;
    row.live_activation_bytes = live_bytes(slots, i);
    row.weight_bytes_8bit = weight_bytes_8bit(container, container.ops[i]);
    row.live_activation_bytes_8bit = live_bytes(slots_8bit, i);
    rows.push_back(std::move(row));
  }
  rows.push_back(outside("between layers", profile.between()));
  return rows;
}

std::vector<report::Prediction> top_five(const IntTensor& tensor, const std::vector<uint8_t>& stored) {
  std::vector<uint32_t> order(stored.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return stored[a] > stored[b]; });
  order.resize(std::min<size_t>(5, order.size()));
  std::vector<report::Prediction> out;
  for (uint32_t index : order)
    out.push_back({index, shown_value(tensor, stored[index]),
                   static_cast<double>(tensor.scale) * (stored[index] - tensor.zero_point)});
  return out;
}

}  // namespace mcusim
