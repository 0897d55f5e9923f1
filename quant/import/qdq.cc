// SPDX-License-Identifier: MIT
// Quantised ONNX to IntNet: the float importer settles shapes, axis orders and
// weight orders on the network without quantisation nodes; here its values get
// their scales back, its weights their integers, and a clamp joins the layer before.
#include "quant/import/qdq.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "memmap/base/error.h"
#include "kernels/host/accumulators.h"
#include "quant/import/fixed_point.h"
#include "quant/import/onnx.h"
#include "quant/import/qdq_strip.h"
#include "quant/pack/groups.h"
#include "quant/quantise/icn.h"

namespace mcusim::import {
namespace {

using graph::Kind;
using net::Contract;
using net::OpKind;

// How integers q are stored: q - base in `bits` bits, of which low..high are used.
struct Storage {
  uint8_t bits = 8;
  int64_t base = 0;
  int32_t low = 0, high = 255;

  bool full() const { return low == 0 && high == (1 << bits) - 1; }
};

Storage storage_of(const Quantisation& how, bool is_constant = false) {
  for (const int bits : {2, 4, 8}) {
    const bool is_signed = how.low < 0;
    const int64_t base = is_signed ? -(int64_t{1} << (bits - 1)) : 0;
    const int64_t last = base + (int64_t{1} << bits) - 1;
    if (how.low < base || how.high > last) continue;
    const Storage storage{static_cast<uint8_t>(bits), base, static_cast<int32_t>(how.low - base),
                          static_cast<int32_t>(how.high - base)};
    // Computed values whose range does not fill the width (3 bits, narrow) need the
    // clamp of 8 bits; constants already lie inside.
    if (is_constant || bits == 8 || storage.full()) return storage;
  }
  throw Error("a range of {}..{} does not fit 8 bits", how.low, how.high);
}

class Builder {
 public:
  Builder(const Stripped& from, const graph::Graph& graph)
      : from_(from),
        graph_(graph),
        ids_(graph.values.size(), -1),
        how_(graph.values.size()),
        skip_(graph.nodes.size()),
        same_as_(graph.values.size(), -1) {
    for (const auto& node : from.model.nodes)
      if (!node.outputs.empty()) made_by_[node.outputs[0]] = &node;
  }

  ImportedNet build(const std::string& name) {
    std::vector<std::string> refusals;
    for (size_t v = 0; v < graph_.values.size(); ++v)
      if (const auto found = from_.values.find(graph_.values[v].name); found != from_.values.end())
        how_[v] = found->second;
    plan_fusions();
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (skip_[i]) continue;
      try {
        import_node(graph_.nodes[i], i);
      } catch (const Error& error) {
        refusals.push_back(fmt::format("{} {}: {}", graph::name_of(graph_.nodes[i].kind),
                                       graph_.nodes[i].name, error.what()));
      }
    }
    try {
      for (const int v : graph_.inputs) net_.inputs.push_back(tensor(v));
      for (const int v : graph_.outputs) net_.outputs.push_back(tensor(v));
      if (net_.ops.empty()) throw Error("no operator is left to run");
    } catch (const Error& error) {
      refusals.push_back(error.what());
    }
    if (!refusals.empty())
      throw Error("{}: {} layers cannot be imported: {}", name, refusals.size(),
                  fmt::join(refusals, "; "));
    net_.name = graph_.name;
    return {std::move(net_), std::move(notes_)};
  }

 private:
  const IntTensor& at(int id) const { return net_.tensors[static_cast<size_t>(id)]; }
  size_t index(int value) const { return static_cast<size_t>(value); }

  // Clamps join the layer whose result nothing else reads; pools and pads keep the
  // quantisation of their input.
  void plan_fusions() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const graph::Node& node = graph_.nodes[i];
      const auto in = index(node.in0), out = index(node.out);
      if ((node.kind == Kind::max_pool || node.kind == Kind::pad || node.kind == Kind::flatten) &&
          !how_[out])
        how_[out] = how_[in];
      if (node.kind != Kind::clamp) continue;
      const bool alone =
          graph_.consumers(node.in0).size() == 1 &&
          std::find(graph_.outputs.begin(), graph_.outputs.end(), node.in0) == graph_.outputs.end();
      if (!alone || (how_[in] && how_[out] && *how_[in] != *how_[out])) continue;
      for (size_t p = 0; p < i; ++p) {
        const Kind kind = graph_.nodes[p].kind;
        if (graph_.nodes[p].out != node.in0) continue;
        if (kind != Kind::conv && kind != Kind::fully_connected && kind != Kind::add &&
            kind != Kind::avg_pool)
          continue;
        if (!how_[out]) how_[out] = how_[in];
        skip_[i] = true;
        same_as_[in] = node.out;
        clamps_[p].push_back(&node);
      }
    }
  }

  int resolve(int value) const {
    while (same_as_[index(value)] >= 0) value = same_as_[index(value)];
    return value;
  }

  int tensor(int value) {
    value = resolve(value);
    int& id = ids_[index(value)];
    if (id >= 0) return id;
    const graph::Value& v = graph_.values[index(value)];
    if (!how_[index(value)]) throw Error("'{}' is not quantised", v.name);
    const Quantisation& how = *how_[index(value)];
    const Storage storage = storage_of(how);
    IntTensor made;
    made.name = v.name;
    made.h = v.h;
    made.w = v.w;
    made.c = v.c;
    made.bits = storage.bits;
    made.signed_view = how.low < 0;
    made.scale = how.scales[0];
    const int64_t zero = how.zeros[0] - storage.base;
    if (zero < 0 || zero >= 1 << storage.bits)
      throw Error("'{}' has zero point {}", v.name, how.zeros[0]);
    made.zero_point = static_cast<int32_t>(zero);
    id = static_cast<int>(net_.tensors.size());
    net_.tensors.push_back(std::move(made));
    return id;
  }

  // Operator with inputs, output, contract by widths and the clamp range.
  IntOp start(const graph::Node& node, size_t i, OpKind kind, uint8_t weight_bits) {
    IntOp op;
    op.kind = kind;
    op.name = node.name;
    op.layer_id = static_cast<uint16_t>(net_.ops.size());
    op.in0 = tensor(node.in0);
    if (kind == OpKind::add) op.in1 = tensor(node.in1);
    op.out = tensor(node.out);
    const bool plain = kind == OpKind::max_pool || kind == OpKind::pad || kind == OpKind::reshape;
    const bool wide = at(op.in0).bits == 8 && at(op.out).bits == 8 && weight_bits == 8 &&
                      (kind != OpKind::add || at(op.in1).bits == 8);
    op.contract = plain ? Contract::none : wide ? Contract::tflite : Contract::icn_floor;
    op.half_step = op.contract == Contract::icn_floor;
    set_clamp(op, node, i);
    op.kernel_h = node.kernel_h;
    op.kernel_w = node.kernel_w;
    op.stride_h = node.stride_h;
    op.stride_w = node.stride_w;
    op.pad_top = node.pad_top;
    op.pad_left = node.pad_left;
    op.pad_bottom = node.pad_bottom;
    op.pad_right = node.pad_right;
    return op;
  }

  void set_clamp(IntOp& op, const graph::Node& node, size_t i) {
    const IntTensor& out = at(op.out);
    const Storage storage = storage_of(*how_[index(resolve(node.out))]);
    double low = storage.low, high = storage.high;
    for (const graph::Node* clamp : clamps_[i]) {
      low = std::max(low, std::nearbyint(double{clamp->low} / out.scale) + out.zero_point);
      high = std::min(high, std::nearbyint(double{clamp->high} / out.scale) + out.zero_point);
    }
    const int32_t last = (1 << out.bits) - 1;
    op.act_min = static_cast<int32_t>(std::clamp<double>(low, 0, last));
    op.act_max = static_cast<int32_t>(std::clamp<double>(high, 0, last));
    if (op.contract != Contract::tflite && (op.act_min != 0 || op.act_max != last))
      throw Error("a clamp to {}..{} inside {} bits (below 8 bits the range must be the width)",
                  op.act_min, op.act_max, out.bits);
  }

  void import_node(const graph::Node& node, size_t i) {
    switch (node.kind) {
      case Kind::conv:
        return conv(node, i);
      case Kind::fully_connected:
        return weighted(node, i, OpKind::fully_connected);
      case Kind::add:
        return add(node, i);
      case Kind::avg_pool:
        return average(node, i);
      case Kind::max_pool:
        return same(node, i, OpKind::max_pool);
      case Kind::pad:
        if (node.pad_value != 0) throw Error("pads with {}", node.pad_value);
        return same(node, i, OpKind::pad);
      case Kind::flatten:
        return same(node, i, OpKind::reshape);
      case Kind::softmax:
        return softmax(node);
      case Kind::clamp:
        throw Error("has a quantisation of its own or follows no layer");
      case Kind::batch_norm:
        throw Error("fold it into the weights before quantising");
    }
  }

  void same(const graph::Node& node, size_t i, OpKind kind) {
    IntOp op = start(node, i, kind, 8);
    if (at(op.in0).scale != at(op.out).scale || at(op.in0).zero_point != at(op.out).zero_point ||
        at(op.in0).bits != at(op.out).bits)
      throw Error("input and output are quantised differently");
    net_.ops.push_back(std::move(op));
  }

  void softmax(const graph::Node& node) {
    if (!graph_.consumers(node.out).empty())
      throw Error("supported as the last operator only, where it is dropped");
    same_as_[index(node.out)] = node.in0;
    notes_.push_back(
        "the final Softmax is dropped: the outputs are its inputs (logits), top-1 is the same");
  }

  void conv(const graph::Node& node, size_t i) {
    const uint32_t ci = graph_.values[index(node.in0)].c, co = graph_.values[index(node.out)].c;
    const bool depthwise = node.groups == ci && co == ci && ci > 1;
    weighted(node, i, depthwise ? OpKind::depthwise : OpKind::conv2d);
  }

  void weighted(const graph::Node& node, size_t i, OpKind kind) {
    const auto made = made_by_.find(graph_.values[index(node.out)].name);
    check(made != made_by_.end(), "a layer has its ONNX node");
    const onnx_file::Node& source = *made->second;
    const auto found =
        source.has_input(1) ? from_.constants.find(source.inputs[1]) : from_.constants.end();
    if (found == from_.constants.end()) throw Error("its weights are not quantised");
    const Quantisation& how = found->second;
    const Storage storage = storage_of(how, true);
    IntOp op = start(node, i, kind, storage.bits);
    op.weight_bits = storage.bits;
    const size_t co = at(op.out).c, depth = node.weights.size() / co;
    const bool turned =
        source.op == "MatMul" || (source.op == "Gemm" && source.integer("transB", 0) == 0);
    if (how.scales.size() > 1 && (how.scales.size() != co || how.axis != (turned ? 1 : 0)))
      throw Error("{} weight scales along axis {} for {} channels", how.scales.size(), how.axis,
                  co);
    if (source.real("alpha", 1) != 1 || source.real("beta", 1) != 1)
      throw Error("alpha or beta is not 1");
    op.weights.resize(node.weights.size());
    for (size_t c = 0; c < co; ++c) {
      const size_t s = how.scales.size() > 1 ? c : 0;
      for (size_t k = 0; k < depth; ++k) {
        // scale * (q - zero) in float32 names q without doubt.
        const double steps = node.weights[c * depth + k] / how.scales[s];
        if (!(std::fabs(steps) < 1e9)) throw Error("channel {}: weight of {} steps", c, steps);
        const int64_t q = std::llround(steps) + how.zeros[s];
        const size_t to = kind == OpKind::depthwise ? k * co + c : c * depth + k;
        op.weights[to] =
            static_cast<uint8_t>(std::clamp<int64_t>(q, how.low, how.high) - storage.base);
      }
    }
    for (const int64_t zero : how.zeros)
      op.weight_zero_points.push_back(static_cast<int32_t>(zero - storage.base));
    if (std::all_of(op.weight_zero_points.begin(), op.weight_zero_points.end(),
                    [&](int32_t z) { return z == op.weight_zero_points[0]; }))
      op.weight_zero_points.resize(1);
    set_requantisation(node, source, how, op);
    check_accumulators(op, at(op.in0));
    append_op(net_, std::move(op), kind == OpKind::conv2d ? node.groups : 1);
  }

  void set_requantisation(const graph::Node& node, const onnx_file::Node& source,
                          const Quantisation& how, IntOp& op) {
    const float sx = at(op.in0).scale, sy = at(op.out).scale;
    const size_t co = at(op.out).c;
    const bool one = how.scales.size() == 1;
    for (const float sw : how.scales) {
      const double exact = static_cast<double>(sx) * static_cast<double>(sw);
      if (op.contract == Contract::tflite) {
        const bool product_first = one && op.kind == OpKind::fully_connected;
        const FixedMultiplier m = tflite_multiplier(
            (product_first ? static_cast<double>(sx * sw) : exact) / static_cast<double>(sy));
        op.mult.push_back(m.mult);
        op.shift.push_back(m.shift);
      } else {
        const auto m = quantise::multiplier_of(exact / static_cast<double>(sy));
        op.mult.push_back(m.mult);
        op.shift.push_back(m.shift);
      }
    }
    for (size_t c = 0; c < co; ++c) {
      const double unit = static_cast<double>(sx) * static_cast<double>(how.scales[one ? 0 : c]);
      const double half = op.half_step ? 0.5 * static_cast<double>(sy) / unit : 0;
      const double bias = std::nearbyint(bias_steps(node, source, c, unit) + half);
      if (!(std::fabs(bias) < 2147483648.0)) throw Error("channel {}: bias of {} steps", c, bias);
      op.bias.push_back(static_cast<int32_t>(bias));
    }
  }

  // The bias in steps of Sx * Sw: the file's own integers where they count in them.
  double bias_steps(const graph::Node& node, const onnx_file::Node& source, size_t c,
                    double unit) const {
    if (node.bias.empty()) return 0;
    const auto found =
        source.has_input(2) ? from_.constants.find(source.inputs[2]) : from_.constants.end();
    if (found != from_.constants.end()) {
      const auto& integers = from_.integers.at(source.inputs[2]);
      const size_t s = found->second.scales.size() > 1 ? c : 0;
      const double scale = found->second.scales[s];
      if (integers.size() == node.bias.size()) {
        const double q = static_cast<double>(integers[c] - found->second.zeros[s]);
        return std::fabs(scale / unit - 1) < 1e-6 ? q : q * scale / unit;
      }
    }
    return node.bias[c] / unit;
  }

  void average(const graph::Node& node, size_t i) {
    IntOp op = start(node, i, OpKind::avg_pool, 8);
    const IntTensor &in = at(op.in0), &out = at(op.out);
    const bool padded = op.pad_top || op.pad_left || op.pad_bottom || op.pad_right;
    if (padded && node.count_padding) throw Error("counts padding cells");
    double m = static_cast<double>(in.scale) / static_cast<double>(out.scale);
    const auto truncation = from_.truncations.find(graph_.values[index(node.out)].name);
    if (truncation != from_.truncations.end()) {
      if (std::fabs(truncation->second.grid / in.scale - 1) > 1e-6)
        throw Error("its Trunc has scale {}, its input {}", truncation->second.grid, in.scale);
      m *= truncation->second.gain;
      op.contract = Contract::icn_floor;
      op.half_step = false;
    }
    if (op.contract == Contract::icn_floor) {
      const auto scaled = quantise::multiplier_of(m);
      op.scalar_mult[0] = scaled.mult;
      op.scalar_shift[0] = scaled.shift;
    } else if (in.scale != out.scale || in.zero_point != out.zero_point) {
      if (padded) throw Error("padding with another scale at the output");
      const FixedMultiplier mean = tflite_multiplier(m / (double{1} * op.kernel_h * op.kernel_w));
      op.scalar_mult[0] = mean.mult;
      op.scalar_shift[0] = mean.shift;
    }
    net_.ops.push_back(std::move(op));
  }

  void add(const graph::Node& node, size_t i) {
    IntOp op = start(node, i, OpKind::add, 8);
    const double s1 = at(op.in0).scale, s2 = at(op.in1).scale, sy = at(op.out).scale;
    if (op.contract == Contract::tflite) {
      set_addition(op, tflite_addition(s1, s2, sy));
    } else {
      // One exponent for both: the larger mantissa is normalised.
      const auto larger = quantise::multiplier_of(std::max(s1, s2) / sy);
      op.scalar_shift[2] = larger.shift;
      for (const auto& [k, s] : {std::pair{0, s1}, {1, s2}})
        op.scalar_mult[k] = static_cast<int32_t>(
            std::min<double>(std::nearbyint(std::ldexp(s / sy, 31 - larger.shift)), INT32_MAX));
    }
    net_.ops.push_back(std::move(op));
  }

  const Stripped& from_;
  const graph::Graph& graph_;
  IntNet net_;
  std::vector<std::string> notes_;
  std::vector<int> ids_;
  std::vector<std::optional<Quantisation>> how_;  // by value
  std::vector<bool> skip_;                        // nodes that joined another
  std::vector<int> same_as_;                      // by value: read that one instead
  std::map<size_t, std::vector<const graph::Node*>> clamps_;
  std::map<std::string, const onnx_file::Node*> made_by_;
};

}  // namespace

ImportedNet import_qdq(onnx_file::Model model, const std::string& name) {
  const Stripped stripped = strip_quantisation(std::move(model), name);
  const graph::Graph graph = import_model(stripped.model, name);
  return Builder(stripped, graph).build(name);
}

}  // namespace mcusim::import
