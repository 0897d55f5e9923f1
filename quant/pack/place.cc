// SPDX-License-Identifier: MIT
#include "quant/pack/place.h"

#include <algorithm>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

int root_of(const IntNet& net, int id) {
  for (size_t steps = 0; net.tensors.at(static_cast<size_t>(id)).parent >= 0; ++steps) {
    if (steps > net.tensors.size()) throw Error("{}: tensor {} is its own ancestor", net.name, id);
    id = net.tensors[static_cast<size_t>(id)].parent;
  }
  return id;
}

}  // namespace

std::vector<Buffer> lifetimes(const IntNet& net) {
  const auto last_op = static_cast<uint32_t>(net.ops.empty() ? 0 : net.ops.size() - 1);
  std::vector<bool> used(net.tensors.size());
  std::vector<Buffer> uses(net.tensors.size(), Buffer{0, last_op, 0});
  const auto use = [&](int id, uint32_t at) {
    if (id < 0) return;
    const auto root = static_cast<size_t>(root_of(net, id));
    used[root] = true;
    uses[root].first_use = std::min(uses[root].first_use, at);
    uses[root].last_use = std::max(uses[root].last_use, at);
  };
  for (uint32_t at = 0; at < net.ops.size(); ++at)
    for (const int id : {net.ops[at].in0, net.ops[at].in1, net.ops[at].out}) use(id, at);
  for (const int id : net.inputs) use(id, 0);
  for (const int id : net.outputs) use(id, last_op);

  for (size_t id = 0; id < net.tensors.size(); ++id) {
    // A tensor that nothing touches still has bytes of its own, for one operator.
    if (!used[id]) uses[id] = {0, 0, 0};
    if (net.tensors[id].parent < 0) uses[id].size_bytes = storage_bytes(net.tensors[id]);
  }
  return uses;
}

void place_tensors(IntNet& net) {
  const auto uses = lifetimes(net);
  std::vector<Buffer> buffers;
  std::vector<size_t> owners;
  for (size_t id = 0; id < net.tensors.size(); ++id) {
    net.tensors[id].arena_offset = 0;
    if (net.tensors[id].parent >= 0) continue;
    buffers.push_back(uses[id]);
    owners.push_back(id);
  }
  const Placement placement = place(buffers);
  for (size_t i = 0; i < owners.size(); ++i)
    net.tensors[owners[i]].arena_offset = placement.offsets[i];
  net.arena_bytes = placement.arena_bytes;
}

}  // namespace mcusim
