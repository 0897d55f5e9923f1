// SPDX-License-Identifier: MIT
// Algorithm 1 is a walk: forward, then, while layers were skipped, the other way.
// A layer that does not fit cuts the wider side; on a tie the larger, the output
// when equal. An output may be cut only while walking forward, an input only
// while walking backward, so a cut always meets its other layer next.
#include "quant/plan/rule_search.h"

#include <algorithm>
#include <vector>

#include "memmap/base/error.h"

namespace mcusim::plan {
namespace {

// Weight shares within this of the largest compete for the earliest layer.
constexpr double kShareMargin = 0.05;  // quant_auto.py, compute_next_cut(MAX=0.05)

class ActivationWalk {
 public:
  ActivationWalk(const Problem& problem, const Limits& limits, Widths& widths)
      : problem_(problem), limits_(limits), widths_(widths) {}

  std::optional<Shortfall> run() {
    const size_t count = problem_.layers.size();
    for (bool forward = true;; forward = !forward) {
      skipped_ = false;
      for (size_t step = 0; step < count; ++step)
        if (!fit(forward ? step : count - 1 - step, forward)) return shortfall_;
      if (!skipped_) return std::nullopt;
    }
  }

 private:
  uint8_t bits(int tensor) const { return widths_.tensor_bits[tensor]; }
  bool can_cut(int tensor) const {
    return tensor >= 0 && !problem_.tensors[tensor].fixed &&
           bits(tensor) > std::max(limits_.min_activation_bits, problem_.tensors[tensor].least_bits);
  }
  void cut(int tensor) {
    const uint8_t halved = bits(tensor) / 2;
    for (size_t i = 0; i < problem_.tensors.size(); ++i)
      if (problem_.tensors[i].group == problem_.tensors[tensor].group)
        widths_.tensor_bits[i] = halved;
  }
  // Of several tensors the one with most bytes that may still be cut, or -1.
  int largest(const std::vector<int>& tensors) const {
    int best = -1;
    for (const int t : tensors)
      if (can_cut(t) && (best < 0 || tensor_bytes(problem_, widths_, t) >
                                         tensor_bytes(problem_, widths_, best)))
        best = t;
    return best;
  }

  // Cuts while `index` does not fit; false when it never can.
  bool fit(size_t index, bool forward) {
    const auto& layer = problem_.layers[index];
    for (;;) {
      const uint64_t needed = activation_bytes(problem_, widths_, index);
      if (needed <= limits_.ram_bytes) return true;
      const int in = largest(layer.inputs);
      const int out = can_cut(layer.output) ? layer.output : -1;
      if (in < 0 && out < 0) {
        // Beyond a chain: what a later branch will read is cut last.
        const int held = largest(layer.held);
        if (held < 0) {
          shortfall_ = {"RAM", static_cast<int>(index), needed, limits_.ram_bytes};
          return false;
        }
        cut(held);
        continue;
      }
      const bool cut_input = in >= 0 && (out < 0 || prefers_input(in, out));
      if (cut_input == forward) {
        skipped_ = true;
        return true;
      }
      cut(cut_input ? in : out);
    }
  }

  bool prefers_input(int in, int out) const {
    if (bits(in) != bits(out)) return bits(in) > bits(out);
    return tensor_bytes(problem_, widths_, in) > tensor_bytes(problem_, widths_, out);
  }

  const Problem& problem_;
  const Limits& limits_;
  Widths& widths_;
  bool skipped_ = false;
  Shortfall shortfall_;
};

}  // namespace

std::optional<Shortfall> cut_activations(const Problem& problem, const Limits& limits,
                                         Widths& widths) {
  return ActivationWalk(problem, limits, widths).run();
}

std::optional<Shortfall> cut_weights(const Problem& problem, const Limits& limits, Mode mode,
                                     Widths& widths) {
  for (;;) {
    const uint64_t needed = paper_bytes(problem, widths, mode);
    if (needed <= limits.flash_bytes) return std::nullopt;
    double total = 0;
    int largest = 0;
    for (size_t i = 0; i < problem.layers.size(); ++i) {
      total += static_cast<double>(weight_bytes(problem, widths, i));
      if (weight_bytes(problem, widths, i) > weight_bytes(problem, widths, largest))
        largest = static_cast<int>(i);
    }
    const auto share = [&](size_t i) {
      const bool candidate = widths.weight_bits[i] > limits.min_weight_bits;
      return candidate ? static_cast<double>(weight_bytes(problem, widths, i)) / total : -1.0;
    };
    double most = -1;
    for (size_t i = 0; i < problem.layers.size(); ++i) most = std::max(most, share(i));
    if (most < 0) return Shortfall{"flash", largest, needed, limits.flash_bytes};
    for (size_t i = 0; i < problem.layers.size(); ++i)
      if (share(i) >= 0 && share(i) > most - kShareMargin) {
        widths.weight_bits[i] /= 2;
        break;
      }
  }
}

Plan rule_search(const Problem& problem, const Limits& limits, Mode mode) {
  for (const uint8_t bits : {limits.min_activation_bits, limits.min_weight_bits})
    if (bits != 2 && bits != 4 && bits != 8)
      throw Error("plan: a least width of {} bits (must be 2, 4 or 8)", bits);
  Plan plan{mode, all_at(problem, 8, 8), std::nullopt};
  plan.shortfall = cut_activations(problem, limits, plan.widths);
  if (!plan.shortfall) plan.shortfall = cut_weights(problem, limits, mode, plan.widths);
  return plan;
}

std::string explain(const Problem& problem, const Plan& plan) {
  if (!plan.shortfall) return problem.name + ": fits";
  const Shortfall& s = *plan.shortfall;
  const auto& layer = problem.layers[s.layer];
  const std::string amounts =
      fmt::format("{} B needed, {} B available, {} B short", s.needed_bytes, s.limit_bytes,
                  s.needed_bytes - s.limit_bytes);
  if (s.memory == "flash")
    return fmt::format("{}: flash: every weight is at its least width: {} (largest layer {}: {} B)",
                       problem.name, amounts, layer.name,
                       weight_bytes(problem, plan.widths, s.layer));
  std::string operands;
  const auto operand = [&](const char* role, int tensor) {
    operands += fmt::format("{}{} {} values at {} bits", operands.empty() ? "" : ", ", role,
                            problem.tensors[tensor].elements, plan.widths.tensor_bits[tensor]);
  };
  for (const int in : layer.inputs) operand("input", in);
  operand("output", layer.output);
  for (const int held : layer.held) operand("held", held);
  return fmt::format("{}: RAM: layer {} ({}): {}", problem.name, layer.name, operands, amounts);
}

}  // namespace mcusim::plan
