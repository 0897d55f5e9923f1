// SPDX-License-Identifier: MIT
// The walk: a QuantizeLinear starts an integer name, Clip narrows it, and
// DequantizeLinear ends it; readers of its output then read the value before it.
#include "quant/import/qdq_strip.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "memmap/base/error.h"

namespace mcusim::import {
namespace {

using onnx_file::Node;
using onnx_file::Tensor;

const std::set<std::string> kQuantNodes = {"Quant", "IntQuant"};
// The output holds the values of input 0 in the same order or another view of it.
const std::set<std::string> kViews = {"Reshape",   "Flatten",  "Squeeze", "Unsqueeze",
                                      "Transpose", "Identity", "Dropout"};

class Stripper {
 public:
  explicit Stripper(onnx_file::Model model) : model_(std::move(model)) {}

  Stripped strip() {
    take_constants();
    std::vector<Node> nodes;
    nodes.swap(model_.nodes);
    for (const Node& node : nodes)
      for (const auto& input : node.inputs) ++uses_[input];
    for (Node& node : nodes) {
      for (auto& input : node.inputs) input = resolve(input);
      try {
        if (!take(node)) out_.model.nodes.push_back(std::move(node));
      } catch (const Error& error) {
        throw Error("{} '{}': {}", node.op, node.name, error.what());
      }
    }
    for (auto& output : model_.outputs) {
      output = resolve(output);
      // The network may end in integers.
      if (const auto found = integers_.find(output); found != integers_.end()) {
        annotate(found->second.source, found->second.how);
        output = found->second.source;
      }
    }
    move_behind_views();
    std::swap(out_.model.nodes, model_.nodes);
    out_.model = std::move(model_);
    return std::move(out_);
  }

 private:
  // An integer name between QuantizeLinear and DequantizeLinear.
  struct Pending {
    std::string source;  // the float value; empty for a constant
    Quantisation how;
    Tensor constant;  // integers, with `source` empty
  };

  std::string resolve(const std::string& name) const {
    const auto found = renamed_.find(name);
    return found == renamed_.end() ? name : found->second;
  }

  void take_constants() {
    std::erase_if(model_.nodes, [&](const Node& node) {
      const auto value = node.attributes.find("value");
      if (node.op != "Constant" || value == node.attributes.end() || node.outputs.empty())
        return false;
      model_.constants[node.outputs[0]] = value->second.tensor;
      return true;
    });
  }

  const Tensor& constant(const Node& node, size_t input, const char* role) const {
    const auto found =
        node.has_input(input) ? model_.constants.find(node.inputs[input]) : model_.constants.end();
    if (found == model_.constants.end()) throw Error("its {} must be a constant", role);
    return found->second;
  }

  // Scale and zero point at inputs 1 and 2.
  Quantisation parameters(const Node& node) const {
    Quantisation how;
    how.scales = constant(node, 1, "scale").as_reals();
    how.zeros.assign(how.scales.size(), 0);
    how.axis = node.integer("axis", 1);
    how.low = 0;
    how.high = 255;
    if (node.has_input(2)) {
      const Tensor& zero = constant(node, 2, "zero point");
      if (zero.type == "int8")
        how.low = -128, how.high = 127;
      else if (zero.type == "int32")
        how.low = INT32_MIN, how.high = INT32_MAX;
      else if (zero.type != "uint8")
        throw Error("zero point of type {}", zero.type);
      how.zeros = zero.integers;
    }
    if (how.scales.empty() || how.zeros.size() != how.scales.size())
      throw Error("{} scales and {} zero points", how.scales.size(), how.zeros.size());
    check_numbers(how);
    return how;
  }

  static void check_numbers(const Quantisation& how) {
    for (const float scale : how.scales)
      if (!std::isfinite(scale) || scale <= 0) throw Error("scale {}", scale);
    for (const int64_t zero : how.zeros)
      if (zero < how.low || zero > how.high)
        throw Error("zero point {} outside {}..{}", zero, how.low, how.high);
  }

  // True when the node is a quantisation node and has been taken out.
  bool take(const Node& node) {
    if (node.outputs.empty() || node.inputs.empty()) return false;
    if (node.op == "QuantizeLinear") return quantize(node), true;
    if (node.op == "DequantizeLinear") return dequantize(node), true;
    if (kQuantNodes.count(node.op)) return quant(node), true;
    if (node.op == "Trunc") return truncate(node), true;
    if (node.op == "Clip" && integers_.count(node.inputs[0])) return clip(node), true;
    if (node.op == "Transpose" && out_.constants.count(node.inputs[0]))
      return transpose(node), true;
    for (const auto& input : node.inputs)
      if (integers_.count(input)) throw Error("works on integers, which is not supported");
    return false;
  }

  void quantize(const Node& node) {
    const Quantisation how = parameters(node);
    const auto real = model_.constants.find(node.inputs[0]);
    if (real == model_.constants.end()) {
      integers_[node.outputs[0]] = {node.inputs[0], how, {}};
    } else {
      integers_[node.outputs[0]] = {"", how, to_integers(real->second, how)};
    }
  }

  void clip(const Node& node) {
    Pending pending = integers_.at(node.inputs[0]);
    const auto bound = [&](size_t input, int64_t none) {
      if (!node.has_input(input)) return none;
      const Tensor& tensor = constant(node, input, "bound");
      if (tensor.size() != 1) throw Error("a bound of {} values", tensor.size());
      return tensor.is_real() ? static_cast<int64_t>(tensor.reals[0]) : tensor.integers[0];
    };
    pending.how.low = std::max(pending.how.low, bound(1, INT64_MIN));
    pending.how.high = std::min(pending.how.high, bound(2, INT64_MAX));
    if (pending.how.low >= pending.how.high) throw Error("an empty range");
    for (auto& value : pending.constant.integers)
      value = std::clamp(value, pending.how.low, pending.how.high);
    integers_[node.outputs[0]] = std::move(pending);
  }

  void dequantize(const Node& node) {
    Quantisation how = parameters(node);
    const auto found = integers_.find(node.inputs[0]);
    if (found != integers_.end()) {
      const Pending& pending = found->second;
      how.low = pending.how.low;
      how.high = pending.how.high;
      if (how != pending.how) throw Error("other scale or zero point than its QuantizeLinear");
      if (pending.source.empty()) return add_constant(node.outputs[0], pending.constant, how);
      annotate(pending.source, how);
      renamed_[node.outputs[0]] = pending.source;
      return;
    }
    if (const auto stored = model_.constants.find(node.inputs[0]);
        stored != model_.constants.end()) {
      if (stored->second.is_real()) throw Error("reads a constant of reals");
      if (stored->second.type == "int32") how.low = INT32_MIN, how.high = INT32_MAX;
      return add_constant(node.outputs[0], stored->second, how);
    }
    // The network takes integers.
    const bool is_input = std::any_of(model_.inputs.begin(), model_.inputs.end(),
                                      [&](const auto& in) { return in.name == node.inputs[0]; });
    if (!is_input) throw Error("reads '{}', which no QuantizeLinear writes", node.inputs[0]);
    annotate(node.inputs[0], how);
    renamed_[node.outputs[0]] = node.inputs[0];
  }

  // QONNX: quantise and dequantise in one node, bit width as an input.
  void quant(const Node& node) {
    Quantisation how;
    how.scales = constant(node, 1, "scale").as_reals();
    const auto zeros = constant(node, 2, "zero point").as_reals();
    const auto bits = constant(node, 3, "bit width").as_reals();
    if (how.scales.empty() || bits.size() != 1 || bits[0] < 2 || bits[0] > 32 ||
        bits[0] != std::floor(bits[0]) || (zeros.size() != 1 && zeros.size() != how.scales.size()))
      throw Error("bit width, scale or zero point is not supported");
    if (node.text("rounding_mode", "ROUND") != "ROUND")
      throw Error("rounding mode {}", node.text("rounding_mode", ""));
    const bool is_signed = node.integer("signed", 1) != 0, narrow = node.integer("narrow", 0) != 0;
    const int width = static_cast<int>(bits[0]);
    how.low = is_signed ? -(int64_t{1} << (width - 1)) + narrow : 0;
    how.high = is_signed ? (int64_t{1} << (width - 1)) - 1 : (int64_t{1} << width) - 1 - narrow;
    for (size_t i = 0; i < how.scales.size(); ++i) {
      const float zero = zeros[zeros.size() > 1 ? i : 0];
      if (!(std::fabs(zero) < 1e9f)) throw Error("zero point {}", zero);
      how.zeros.push_back(static_cast<int64_t>(zero));
    }
    // Scales come broadcast against the value: the one axis longer than 1.
    const auto& dims = constant(node, 1, "scale").dims;
    for (size_t axis = 0; axis < dims.size(); ++axis)
      if (dims[axis] > 1) how.axis = static_cast<int64_t>(axis);
    check_numbers(how);
    const auto real = model_.constants.find(node.inputs[0]);
    if (real != model_.constants.end())
      return add_constant(node.outputs[0], to_integers(real->second, how), how);
    annotate(node.inputs[0], how);
    renamed_[node.outputs[0]] = node.inputs[0];
  }

  // QONNX Trunc, version 1 (x, scale, zero point, bits in, bits out) and 2 (with an output
  // scale before the last): floor(round(x / scale) / 2^k). As Brevitas writes its average
  // pool: AveragePool, a product with the window's size, Trunc.
  void truncate(const Node& node) {
    const bool second = node.inputs.size() == 6;
    const auto number = [&](size_t input, const char* role) {
      const Tensor& tensor = constant(node, input, role);
      if (tensor.size() != 1) throw Error("{} of {} values", role, tensor.size());
      return static_cast<double>(tensor.as_reals()[0]);
    };
    const double scale = number(1, "scale"), bits_in = number(3, "bit width");
    const double bits_out = number(second ? 5 : 4, "bit width");
    if (number(2, "zero point") != 0 || node.text("rounding_mode", "FLOOR") != "FLOOR")
      throw Error("only with zero point 0 and rounding mode FLOOR");
    if (!(bits_in <= 32 && bits_out >= 2 && bits_out <= bits_in) ||
        bits_out != std::floor(bits_out) || bits_in != std::floor(bits_in))
      throw Error("from {} to {} bits", bits_in, bits_out);
    double gain = second ? 1 : std::exp2(bits_out - bits_in);
    std::string value = node.inputs[0];
    auto& nodes = out_.model.nodes;
    const auto maker = [&](const char* op) {
      return std::find_if(nodes.begin(), nodes.end(), [&](const Node& n) {
        return n.op.ends_with(op) && !n.outputs.empty() && n.outputs[0] == value &&
               uses_[value] == 1;
      });
    };
    if (const auto product = maker("Mul"); product != nodes.end()) {
      const size_t side = product->inputs.size() == 2 && model_.constants.count(product->inputs[0]) ? 0 : 1;
      const Tensor& factor = constant(*product, side, "factor");
      if (factor.size() != 1) throw Error("behind a product with {} values", factor.size());
      gain *= static_cast<double>(factor.as_reals()[0]);
      value = product->inputs[1 - side];
      nodes.erase(product);
    }
    const auto pool = maker("AveragePool");
    if (pool == nodes.end() || pool->inputs.empty()) throw Error("only behind an average pool");
    const auto input = out_.values.find(pool->inputs[0]);
    const bool is_signed = second ? node.integer("signed", 1) != 0
                                  : input != out_.values.end() && input->second.low < 0;
    Quantisation how;
    how.scales = {static_cast<float>(second ? number(4, "output scale") : scale)};
    how.zeros = {0};
    const int width = static_cast<int>(bits_out);
    how.low = is_signed ? -(int64_t{1} << (width - 1)) : 0;
    how.high = how.low + (int64_t{1} << width) - 1;
    check_numbers(how);
    annotate(value, how);
    out_.truncations[value] = {gain, scale};
    renamed_[node.outputs[0]] = value;
  }

  void transpose(const Node& node) {
    const std::string from = node.inputs[0], to = node.outputs[0];
    Tensor tensor = model_.constants.at(from);
    if (tensor.dims.size() != 2 || node.integers("perm", {1, 0}) != std::vector<int64_t>{1, 0})
      throw Error("of a constant that is not a matrix");
    Quantisation how = out_.constants.at(from);
    how.axis = 1 - how.axis;
    const auto rows = static_cast<size_t>(tensor.dims[0]),
               columns = static_cast<size_t>(tensor.dims[1]);
    const auto before = tensor.reals;
    const auto integers = out_.integers.at(from);
    std::vector<int64_t> turned(integers.size());
    for (size_t r = 0; r < rows; ++r)
      for (size_t c = 0; c < columns; ++c) {
        tensor.reals[c * rows + r] = before[r * columns + c];
        turned[c * rows + r] = integers[r * columns + c];
      }
    std::swap(tensor.dims[0], tensor.dims[1]);
    model_.constants[to] = std::move(tensor);
    out_.constants[to] = how;
    out_.integers[to] = std::move(turned);
  }

  // Index of the scale that element `i` of a tensor has.
  static size_t scale_index(const std::vector<int64_t>& dims, const Quantisation& how, size_t i) {
    if (how.scales.size() == 1) return 0;
    size_t inner = 1;
    for (size_t axis = static_cast<size_t>(how.axis) + 1; axis < dims.size(); ++axis)
      inner *= static_cast<size_t>(dims[axis]);
    return i / inner % how.scales.size();
  }

  static void check_axis(const std::vector<int64_t>& dims, Quantisation& how) {
    if (how.scales.size() == 1) return;
    const auto rank = static_cast<int64_t>(dims.size());
    if (how.axis < 0) how.axis += rank;
    if (how.axis < 0 || how.axis >= rank ||
        dims[static_cast<size_t>(how.axis)] != static_cast<int64_t>(how.scales.size()))
      throw Error("{} scales along axis {} do not fit", how.scales.size(), how.axis);
  }

  static Tensor to_integers(const Tensor& real, Quantisation how) {
    check_axis(real.dims, how);
    Tensor tensor{real.dims, "int8", {}, {}};
    const auto values = real.as_reals();
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t s = scale_index(real.dims, how, i);
      const double q =
          std::nearbyint(values[i] / how.scales[s]) + static_cast<double>(how.zeros[s]);
      if (!std::isfinite(q)) throw Error("a weight is not a number");
      tensor.integers.push_back(static_cast<int64_t>(
          std::clamp(q, static_cast<double>(how.low), static_cast<double>(how.high))));
    }
    return tensor;
  }

  void add_constant(const std::string& name, const Tensor& integers, Quantisation how) {
    check_axis(integers.dims, how);
    Tensor real{integers.dims, "float", {}, {}};
    for (size_t i = 0; i < integers.integers.size(); ++i) {
      const size_t s = scale_index(integers.dims, how, i);
      real.reals.push_back(how.scales[s] * static_cast<float>(integers.integers[i] - how.zeros[s]));
    }
    model_.constants[name] = std::move(real);
    out_.constants[name] = std::move(how);
    out_.integers[name] = integers.integers;
  }

  void annotate(const std::string& name, const Quantisation& how) {
    if (how.scales.size() != 1) throw Error("'{}' has a scale per channel", name);
    Quantisation plain = how;
    plain.axis = 1;
    const auto [known, is_new] = out_.values.emplace(name, plain);
    if (!is_new && known->second != plain) throw Error("'{}' is quantised in two ways", name);
  }

  // What a view's output is quantised to holds for what it views.
  void move_behind_views() {
    for (auto node = out_.model.nodes.rbegin(); node != out_.model.nodes.rend(); ++node)
      if (kViews.count(node->op) && !node->inputs.empty() && !node->outputs.empty())
        if (const auto found = out_.values.find(node->outputs[0]); found != out_.values.end())
          annotate(node->inputs[0], found->second);
  }

  onnx_file::Model model_;
  Stripped out_;
  std::map<std::string, std::string> renamed_;
  std::map<std::string, int> uses_;  // readers of a name
  std::map<std::string, Pending> integers_;
};

}  // namespace

bool is_quantised(const onnx_file::Model& model) {
  return std::any_of(model.nodes.begin(), model.nodes.end(), [](const Node& node) {
    return node.op == "DequantizeLinear" || node.op == "QuantizeLinear" ||
           kQuantNodes.count(node.op) || node.op == "Trunc";
  });
}

Stripped strip_quantisation(onnx_file::Model model, const std::string& name) {
  try {
    return Stripper(std::move(model)).strip();
  } catch (const Error& error) {
    throw Error("{}: {}", name, error.what());
  }
}

}  // namespace mcusim::import
