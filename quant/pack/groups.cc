// SPDX-License-Identifier: MIT
#include "quant/pack/groups.h"

#include "memmap/base/error.h"

namespace mcusim {
namespace {

int slice(IntNet& net, int of, uint32_t group, uint32_t groups) {
  IntTensor view = net.tensors[static_cast<size_t>(of)];
  if (view.c % groups != 0)
    throw Error("{}: {} channels in {} groups", view.name, view.c, groups);
  view.c /= groups;
  if (view.bits < least_slice_bits(view.c))
    throw Error("{}: groups of {} channels at {} bits do not begin on bytes", view.name, view.c,
                view.bits);
  view.name += fmt::format(".{}", group);
  view.parent = of;
  view.origin_c = group * view.c;
  net.tensors.push_back(std::move(view));
  return static_cast<int>(net.tensors.size()) - 1;
}

// Part `group` of a list with numbers per channel; a list of one number stays.
template <typename T>
std::vector<T> part(const std::vector<T>& all, uint32_t group, uint32_t groups) {
  if (all.size() < groups || all.size() % groups != 0) return all;
  const size_t count = all.size() / groups;
  const auto first = all.begin() + static_cast<long>(group * count);
  return {first, first + static_cast<long>(count)};
}

}  // namespace

void append_op(IntNet& net, IntOp op, uint32_t groups) {
  if (groups <= 1) {
    net.ops.push_back(std::move(op));
    return;
  }
  check(op.kind == net::OpKind::conv2d, "only convolutions come in groups");
  for (uint32_t g = 0; g < groups; ++g) {
    IntOp one = op;
    one.name += fmt::format(".{}", g);
    one.in0 = slice(net, op.in0, g, groups);
    one.out = slice(net, op.out, g, groups);
    one.weights = part(op.weights, g, groups);
    one.weight_zero_points = part(op.weight_zero_points, g, groups);
    one.bias = part(op.bias, g, groups);
    one.mult = part(op.mult, g, groups);
    one.shift = part(op.shift, g, groups);
    one.thresholds = part(op.thresholds, g, groups);
    one.directions = part(op.directions, g, groups);
    net.ops.push_back(std::move(one));
  }
}

}  // namespace mcusim
