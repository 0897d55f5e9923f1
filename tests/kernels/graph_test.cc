// SPDX-License-Identifier: MIT
// Networks that are no chain: branches of different widths, tensors written tile
// by tile through views, and what the packer does with the tiles' weights.
#include <cmath>
#include <set>

#include "kernels/executor.h"
#include "tests/support/run_both.h"

namespace mcusim {
namespace {

using net::Contract;
using net::Family;
using net::OpKind;
using testing::Random;
using testing::Values;

// Two branches from x: 3x3 convolution at 4 bits then depthwise, and 3x3 at 2 bits
// then pointwise, joined by an addition at 4 bits.
constexpr uint32_t kSide = 10;

IntTensor plane(const char* name, uint32_t h, uint32_t c, uint8_t bits, int32_t zero_point) {
  IntTensor t;
  t.name = name;
  t.h = h;
  t.w = kSide;
  t.c = c;
  t.bits = bits;
  t.zero_point = zero_point;
  return t;
}

// An operator with random parameters for the given tensors.
IntOp layer(const char* name, Family family, const IntTensor& in, const IntTensor& out,
            uint8_t weight_bits, uint32_t kernel, Random& random) {
  IntOp op;
  op.name = name;
  op.kind = family == Family::depthwise ? OpKind::depthwise : OpKind::conv2d;
  op.contract = Contract::icn_floor;
  op.kernel_h = op.kernel_w = kernel;
  op.pad_left = op.pad_right = op.pad_top = op.pad_bottom = kernel / 2;
  op.weight_bits = weight_bits;
  const uint32_t depth = family == Family::depthwise ? 1 : in.c;
  op.weights.resize(size_t{kernel} * kernel * depth * out.c);
  for (uint8_t& w : op.weights) w = static_cast<uint8_t>(random.in(0, (1 << weight_bits) - 1));
  // Standard deviation of the sums, so that the outputs spread.
  const double sigma = std::sqrt(kernel * kernel * depth) * (1 << in.bits) * (1 << weight_bits) / 12;
  for (uint32_t c = 0; c < out.c; ++c) {
    op.weight_zero_points.push_back(static_cast<int32_t>(random.in(0, (1 << weight_bits) - 1)));
    op.bias.push_back(static_cast<int32_t>(random.in(-1, 1) * sigma));
    op.mult.push_back(static_cast<int32_t>(random.in(1 << 30, (int64_t{1} << 31) - 1)));
    op.shift.push_back(static_cast<int8_t>(std::ilogb((1 << out.bits) / 3.0 / sigma)));
  }
  op.act_max = (1 << out.bits) - 1;
  return op;
}

struct Layers {
  IntTensor x = plane("x", kSide, 3, 8, 77), a1 = plane("a1", kSide, 6, 4, 5),
            a2 = plane("a2", kSide, 6, 8, 100), b1 = plane("b1", kSide, 8, 2, 1),
            b2 = plane("b2", kSide, 6, 8, 30), y = plane("y", kSide, 6, 4, 3);
  IntOp conv_a, depth_a, conv_b, point_b, join;

  explicit Layers(Random& random)
      : conv_a(layer("conv_a", Family::conv, x, a1, 4, 3, random)),
        depth_a(layer("depth_a", Family::depthwise, a1, a2, 8, 3, random)),
        conv_b(layer("conv_b", Family::conv, x, b1, 2, 3, random)),
        point_b(layer("point_b", Family::pointwise, b1, b2, 8, 1, random)) {
    join.name = "join";
    join.kind = OpKind::add;
    join.act_max = 15;
    join.scalar_mult[0] = 1 << 28;
    join.scalar_mult[1] = (1 << 28) + 12345;
    join.scalar_shift[2] = -2;
  }
};

int put(IntNet& net, IntTensor t) {
  net.tensors.push_back(std::move(t));
  return static_cast<int>(net.tensors.size()) - 1;
}

void run_on(IntNet& net, IntOp op, int in0, int out, int in1 = -1) {
  op.in0 = in0;
  op.in1 = in1;
  op.out = out;
  net.ops.push_back(std::move(op));
}

IntNet layer_based(const Layers& l) {
  IntNet net;
  net.name = "layers";
  const int x = put(net, l.x), a1 = put(net, l.a1), a2 = put(net, l.a2), b1 = put(net, l.b1),
            b2 = put(net, l.b2), y = put(net, l.y);
  run_on(net, l.conv_a, x, a1);
  run_on(net, l.depth_a, a1, a2);
  run_on(net, l.conv_b, x, b1);
  run_on(net, l.point_b, b1, b2);
  run_on(net, l.join, a2, y, b2);
  net.inputs = {x};
  net.outputs = {y};
  testing::place_apart(net);
  return net;
}

IntTensor rows_of(const IntTensor& whole, int parent, uint32_t first, uint32_t count) {
  IntTensor view = whole;
  view.parent = parent;
  view.origin_y = first;
  view.h = count;
  return view;
}

IntOp padded(IntOp op, uint32_t top, uint32_t bottom) {
  op.pad_top = top;
  op.pad_bottom = bottom;
  return op;
}

// The same, five rows of y at a time; the halo of x is computed twice.
IntNet tile_based(const Layers& l) {
  IntNet net;
  net.name = "tiles";
  const int x = put(net, l.x), y = put(net, l.y);
  for (const uint32_t tile : {0u, 1u}) {
    const bool first = tile == 0;
    const uint32_t top = first ? 1 : 0, bottom = first ? 0 : 1;
    const int x_a = put(net, rows_of(l.x, x, first ? 0 : 3, 7));
    const int x_b = put(net, rows_of(l.x, x, first ? 0 : 4, 6));
    const int a1 = put(net, plane("a1", 6, 6, 4, 5)), a2 = put(net, plane("a2", 5, 6, 8, 100));
    const int b1 = put(net, plane("b1", 5, 8, 2, 1)), b2 = put(net, plane("b2", 5, 6, 8, 30));
    const int y_part = put(net, rows_of(l.y, y, 5 * tile, 5));
    run_on(net, padded(l.conv_a, top, bottom), x_a, a1);
    run_on(net, padded(l.depth_a, top, bottom), a1, a2);
    run_on(net, padded(l.conv_b, top, bottom), x_b, b1);
    run_on(net, l.point_b, b1, b2);
    run_on(net, l.join, a2, y_part, b2);
  }
  net.inputs = {x};
  net.outputs = {y};
  testing::place_apart(net);
  return net;
}

size_t levels(const Values& values) { return std::set<uint8_t>(values.begin(), values.end()).size(); }

TEST(Graph, TwoBranchTwoTileNetworkEqualsItsLayerBasedTwin) {
  Random random(3);
  const Layers layers(random);
  const IntNet whole = layer_based(layers), tiles = tile_based(layers);
  const auto inputs = testing::random_inputs(whole, random);
  testing::expect_equal_to_twin(whole, inputs);
  testing::expect_equal_to_twin(tiles, inputs);

  HostExecutor by_layer(encode(whole)), by_tile(encode(tiles));
  const Values expected = testing::run_kernels(by_layer, inputs)[whole.outputs[0]];
  const Values actual = testing::run_kernels(by_tile, inputs)[tiles.outputs[0]];
  EXPECT_GE(levels(expected), 8u) << "a network that collapses proves nothing";
  EXPECT_EQ(actual, expected);
}

TEST(Graph, TilesOfALayerShareItsParametersInFlash) {
  Random random(3);
  const Layers layers(random);
  const auto blobs = [](const IntNet& net) {
    const auto file = encode(net);
    return header_of(file.data()).blobs_bytes;
  };
  EXPECT_EQ(blobs(tile_based(layers)), blobs(layer_based(layers)));
}

TEST(Graph, ConcatenationIsTwoViewsOfOneTensor) {
  Random random(5);
  IntNet net;
  const int x = put(net, plane("x", kSide, 3, 8, 77)), y = put(net, plane("y", kSide, 10, 4, 2));
  IntTensor left = net.tensors[y], right = net.tensors[y];
  left.parent = right.parent = y;
  left.c = 4;
  right.origin_c = 4;
  right.c = 6;
  const int l = put(net, left), r = put(net, right);
  run_on(net, layer("left", Family::conv, net.tensors[x], left, 2, 3, random), x, l);
  run_on(net, layer("right", Family::conv, net.tensors[x], right, 8, 3, random), x, r);
  net.inputs = {x};
  net.outputs = {y};
  testing::place_apart(net);
  testing::expect_equal_to_twin(net, random);
}

}  // namespace
}  // namespace mcusim
