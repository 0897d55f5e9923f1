// SPDX-License-Identifier: MIT
#include "quant/patch/narrow.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "quant/quantise/icn.h"
#include "quant/quantise/structure.h"

namespace mcusim::patch {
namespace {

using net::Contract;
using net::OpKind;
using quantise::Multiplier;
using quantise::multiplier_of;
using quantise::value_of;

bool passes_values(const IntOp& op) {
  return op.kind == OpKind::max_pool || op.kind == OpKind::pad || op.kind == OpKind::reshape;
}

// The stored value of old value `old` under `format`.
int32_t stored(int32_t old, int32_t zero_point, const Format& format) {
  const double steps = std::nearbyint((old - zero_point) / format.step) + format.zero_point;
  return static_cast<int32_t>(std::clamp<double>(steps, 0, (1 << format.bits) - 1));
}

double squared_error(const Histogram& values, int32_t zero_point, const Format& format) {
  double sum = 0;
  for (int32_t old = 0; old < 256; ++old) {
    if (values[old] == 0) continue;
    const double back = zero_point + format.step * (stored(old, zero_point, format) - format.zero_point);
    sum += static_cast<double>(values[old]) * (back - old) * (back - old);
  }
  return sum;
}

bool has_icn_form(const IntNet& net, const IntOp& op) {
  if (passes_values(op) || op.contract == Contract::icn_floor) return true;
  // Without a multiplier an average passes stored values on, zero point and all.
  if (op.kind == OpKind::avg_pool && op.scalar_mult[0] == 0 &&
      net.tensors[op.in0].zero_point != net.tensors[op.out].zero_point)
    return false;
  return op.contract == Contract::tflite && op.act_min == 0 &&
         op.act_max == (1 << net.tensors[op.out].bits) - 1;
}

// The change of one operator: steps of its inputs and output.
class Requantiser {
 public:
  Requantiser(double in0, double in1, double out) : steps_{in0, in1}, out_step_(out) {}

  void apply(IntOp& op) const {
    if (passes_values(op)) return;
    switch (op.kind) {
      case OpKind::avg_pool: average(op); break;
      case OpKind::add: sum(op); break;
      default: weighted(op);
    }
    op.contract = Contract::icn_floor;
    op.half_step = true;
  }

 private:
  // With u = (Phi + B) M - 1/2 the old output was u rounded to nearest, whichever way
  // B came to be. The new one is u / step rounded to nearest:
  //   floor((Phi + B + (step - 1) / 2M) * M / step).
  void weighted(IntOp& op) const {
    const bool rounds = op.contract == Contract::tflite;
    for (size_t c = 0; c < op.bias.size(); ++c) {
      const size_t at = op.mult.size() == 1 ? 0 : c;
      const double factor = value_of({op.mult[at], op.shift[at]});
      double bias = op.bias[c];
      if (factor != 0) bias += (out_step_ - 1 + (rounds ? 1 : 0)) / (2 * factor);
      op.bias[c] = static_cast<int32_t>(std::clamp(std::nearbyint(bias / steps_[0]), -1e9, 1e9));
    }
    for (size_t i = 0; i < op.mult.size(); ++i) {
      const Multiplier m = multiplier_of(value_of({op.mult[i], op.shift[i]}) * steps_[0] / out_step_);
      op.mult[i] = m.mult;
      op.shift[i] = m.shift;
    }
  }

  void average(IntOp& op) const {
    double factor = value_of({op.scalar_mult[0], op.scalar_shift[0]});
    if (op.contract == Contract::tflite)
      factor = op.scalar_mult[0] == 0 ? 1 : factor * op.kernel_h * op.kernel_w;
    const Multiplier m = multiplier_of(factor * steps_[0] / out_step_);
    op.scalar_mult[0] = m.mult;
    op.scalar_shift[0] = m.shift;
  }

  void sum(IntOp& op) const {
    double factors[2];
    for (int i = 0; i < 2; ++i) {
      const bool tflite = op.contract == Contract::tflite;
      const int8_t shift = tflite ? op.scalar_shift[i] : op.scalar_shift[2];
      factors[i] = value_of({op.scalar_mult[i], shift}) * steps_[i] / out_step_;
      if (tflite)
        factors[i] *= std::ldexp(value_of({op.scalar_mult[2], op.scalar_shift[2]}), 20);
    }
    quantise::set_add_factors(op, factors[0], factors[1]);
  }

  double steps_[2];
  double out_step_;
};

}  // namespace

Format fit_format(const Histogram& values, int32_t zero_point, uint8_t bits) {
  if (bits == 8) return {8, 1, zero_point};
  const int32_t top = (1 << bits) - 1;
  int32_t low = 0, high = 255;
  while (low < 255 && values[low] == 0) ++low;
  while (high > low && values[high] == 0) --high;
  low = std::min(low, zero_point);
  high = std::max({high, zero_point, low + 1});
  Format best{bits, static_cast<double>(high - low) / top, 0};
  double least = -1;
  // Ranges from a tenth of the values' own to all of it.
  for (int share = 10; share <= 100; share += 2) {
    const double step = (high - low) * share / 100.0 / top;
    for (int32_t zero = 0; zero <= top; ++zero) {
      // A range that begins far outside the values wastes levels.
      if (zero_point - zero * step < low - 2 * step) break;
      const Format format{bits, step, zero};
      const double error = squared_error(values, zero_point, format);
      if (least < 0 || error < least) least = error, best = format;
    }
  }
  return best;
}

Histogram stored_as(const Histogram& values, int32_t zero_point, const Format& format) {
  Histogram result{};
  for (int32_t old = 0; old < 256; ++old) result[stored(old, zero_point, format)] += values[old];
  return result;
}

double entropy_bits(const Histogram& values) {
  const auto count = static_cast<double>(std::accumulate(values.begin(), values.end(), uint64_t{0}));
  double bits = 0;
  for (const uint64_t n : values)
    if (n > 0) bits -= static_cast<double>(n) / count * std::log2(static_cast<double>(n) / count);
  return bits;
}

std::vector<int> format_groups(const IntNet& net) {
  std::vector<int> group(net.tensors.size());
  std::iota(group.begin(), group.end(), 0);
  const auto find = [&](int id) {
    while (group[id] != id) id = group[id];
    return id;
  };
  const auto unite = [&](int a, int b) {
    a = find(a), b = find(b);
    group[std::max(a, b)] = std::min(a, b);
  };
  for (size_t id = 0; id < net.tensors.size(); ++id)
    if (net.tensors[id].parent >= 0) unite(static_cast<int>(id), net.tensors[id].parent);
  for (const IntOp& op : net.ops)
    if (passes_values(op)) unite(op.in0, op.out);
  for (size_t id = 0; id < group.size(); ++id) group[id] = find(static_cast<int>(id));
  return group;
}

std::vector<bool> may_narrow(const IntNet& net) {
  const auto group = format_groups(net);
  std::vector<bool> may(net.tensors.size(), true);
  const auto fix = [&](int id) {
    if (id >= 0) may[group[id]] = false;
  };
  for (size_t id = 0; id < net.tensors.size(); ++id)
    if (net.tensors[id].bits != 8) fix(static_cast<int>(id));
  for (const auto* list : {&net.inputs, &net.outputs})
    for (const int id : *list) fix(id);
  for (const IntOp& op : net.ops)
    if (!has_icn_form(net, op))
      for (const int id : {op.in0, op.in1, op.out}) fix(id);
  for (size_t id = 0; id < may.size(); ++id) may[id] = may[group[id]];
  return may;
}

IntNet narrowed(const IntNet& net, const std::vector<Format>& formats) {
  IntNet result = net;
  for (size_t id = 0; id < result.tensors.size(); ++id) {
    if (formats[id].step == 1 && formats[id].bits == result.tensors[id].bits) continue;
    IntTensor& tensor = result.tensors[id];
    tensor.bits = formats[id].bits;
    tensor.zero_point = formats[id].zero_point;
    tensor.scale = static_cast<float>(tensor.scale * formats[id].step);
  }
  for (IntOp& op : result.ops) {
    const auto changed = [&](int id) {
      return id >= 0 && (formats[id].step != 1 || formats[id].bits != net.tensors[id].bits);
    };
    if (!changed(op.in0) && !changed(op.in1) && !changed(op.out)) continue;
    const double in1 = op.in1 >= 0 ? formats[op.in1].step : 1;
    Requantiser(formats[op.in0].step, in1, formats[op.out].step).apply(op);
    op.act_min = 0;
    op.act_max = (1 << result.tensors[op.out].bits) - 1;
  }
  return result;
}

}  // namespace mcusim::patch
