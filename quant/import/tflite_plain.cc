// SPDX-License-Identifier: MIT
// Operators without weights. Reshapes, quantisations that keep every stored byte
// and a final softmax become aliases: they cost nothing on the target.
#include <algorithm>

#include "memmap/base/error.h"
#include "quant/import/tflite_importer.h"

namespace mcusim {
namespace {

constexpr int kFullyConnected = 9, kConv2d = 3, kDepthwise = 4, kDequantize = 6;

bool at_end(const TfliteImporter& in, int tensor) {
  const auto& readers = in.readers(tensor);
  return std::all_of(readers.begin(), readers.end(), [&](const TfliteOp* reader) {
    return reader->code == kDequantize && reader->outputs.size() == 1 &&
           in.is_graph_output(reader->outputs[0]);
  });
}

IntOp start_pool(TfliteImporter& in, const TfliteOp& op, net::OpKind kind, net::Contract contract) {
  const auto* options = op.raw->options_as_Pool2D();
  if (!options) throw Error("has no pooling options");
  const TfliteInput x = in.input(op, 0);
  IntOp made = in.start(op, kind, contract);
  made.in0 = x.id;
  set_window(made, x, in.at(made.out), options->padding(), options->filter_h(), options->filter_w(),
             options->stride_h(), options->stride_w());
  check_output_shape(in.at(made.out), {in.at(made.out).h, in.at(made.out).w, x.c});
  check_same_quantisation(in.at(x.id), in.at(made.out));
  set_activation(made, in.at(made.out), options->activation());
  return made;
}

// The largest of clamped values is the clamped largest: a clamp behind a max pool, which
// no kernel has, moves before it, into the operator that makes the pool's input.
void clamp_producer(TfliteImporter& in, const TfliteOp& op, const IntOp& pool) {
  for (IntOp& producer : in.net.ops)
    if (producer.out == pool.in0 && producer.contract == net::Contract::tflite &&
        in.readers(op.inputs[0]).size() == 1 && !in.is_graph_output(op.inputs[0])) {
      producer.act_min = std::clamp(producer.act_min, pool.act_min, pool.act_max);
      producer.act_max = std::clamp(producer.act_max, pool.act_min, pool.act_max);
      return;
    }
  throw Error("a fused activation that clamps to {}..{}: no operator before it can take it over",
              pool.act_min - 128, pool.act_max - 128);
}

}  // namespace

void import_average_pool(TfliteImporter& in, const TfliteOp& op) {
  in.finish(start_pool(in, op, net::OpKind::avg_pool, net::Contract::tflite));
}

void import_max_pool(TfliteImporter& in, const TfliteOp& op) {
  IntOp made = start_pool(in, op, net::OpKind::max_pool, net::Contract::none);
  if (made.act_min != 0 || made.act_max != 255) {
    clamp_producer(in, op, made);
    made.act_min = 0;
    made.act_max = 255;
  }
  in.finish(std::move(made));
}

void import_mean(TfliteImporter& in, const TfliteOp& op) {
  const TfliteInput x = in.input(op, 0);
  if (op.input(1) < 0) throw Error("axes are missing");
  const auto rank = static_cast<int64_t>(in.tensor(in.resolve(op.input(0))).shape.size());
  auto axes = tflite_integers(in.tensor(op.input(1)));
  for (int64_t& axis : axes) axis += axis < 0 ? rank : 0;
  std::sort(axes.begin(), axes.end());
  if (rank != 4 || axes != std::vector<int64_t>{1, 2})
    throw Error("mean over axes [{}] is not supported (height and width of 4 axes are)",
                fmt::join(axes, ","));
  IntOp made = in.start(op, net::OpKind::avg_pool, net::Contract::tflite);
  made.in0 = x.id;
  made.kernel_h = x.h;
  made.kernel_w = x.w;
  check_output_shape(in.at(made.out), {1, 1, x.c});
  const FixedMultiplier m = tflite_mean_multiplier(
      static_cast<double>(in.scale(x.id)) / static_cast<double>(in.scale(made.out)), x.h * x.w);
  if (m.mult == 0) throw Error("output scale is too large for the input scale");
  made.scalar_mult[0] = m.mult;
  made.scalar_shift[0] = m.shift;
  in.finish(std::move(made));
}

void import_add(TfliteImporter& in, const TfliteOp& op) {
  const TfliteInput a = in.input(op, 0), b = in.input(op, 1);
  const auto* options = op.raw->options_as_Add();
  IntOp made = in.start(op, net::OpKind::add, net::Contract::tflite);
  made.in0 = a.id;
  made.in1 = b.id;
  const Shape3 shape{a.h, a.w, a.c};
  if (shape != Shape3{b.h, b.w, b.c}) throw Error("inputs of different shapes (broadcasting)");
  check_output_shape(in.at(made.out), shape);
  set_activation(made, in.at(made.out), options ? options->activation() : tflite::Activation::none);
  set_addition(made, tflite_addition(in.scale(a.id), in.scale(b.id), in.scale(made.out)));
  in.finish(std::move(made));
}

void import_pad(TfliteImporter& in, const TfliteOp& op) {
  TfliteInput x = in.input(op, 0);
  const TflitePadding pads =
      tflite_padding(in.model, op, in.tensor(in.resolve(op.input(0))).shape.size());
  x.pad_top = pads.top;
  x.pad_bottom = pads.bottom;
  x.pad_left = pads.left;
  x.pad_right = pads.right;
  x.h += x.pad_top + x.pad_bottom;
  x.w += x.pad_left + x.pad_right;
  const int out = op.outputs[0];
  const TfliteTensor& result = in.tensor(out);
  const Shape3 expected{x.h, x.w, x.c};
  if (tflite_shape(result) != expected) throw Error("output is not of {}x{}x{}", x.h, x.w, x.c);
  // A convolution pads with the zero point by itself: then no padded copy is made.
  const auto& readers = in.readers(out);
  if (readers.size() == 1 && !in.is_graph_output(out) &&
      result.scales == std::vector<float>{in.scale(x.id)} &&
      result.zero_points[0] + 128 == in.at(x.id).zero_point && readers[0]->input(0) == out &&
      (readers[0]->code == kConv2d || readers[0]->code == kDepthwise) &&
      readers[0]->input(1) >= 0) {
    const auto& kernel = in.tensor(readers[0]->input(1)).shape;
    if (kernel.size() == 4 && std::max(pads.top, pads.bottom) < kernel[1] &&
        std::max(pads.left, pads.right) < kernel[2]) {
      in.notes.push_back(
          fmt::format("PAD {} is done by the convolution that follows", in.short_name(out)));
      in.hand_padding_on(out, x);
      return;
    }
  }
  IntOp made = in.start(op, net::OpKind::pad, net::Contract::none);
  made.in0 = x.id;
  made.pad_top = x.pad_top;
  made.pad_bottom = x.pad_bottom;
  made.pad_left = x.pad_left;
  made.pad_right = x.pad_right;
  check_same_quantisation(in.at(x.id), in.at(made.out));
  in.finish(std::move(made));
}

void import_reshape(TfliteImporter& in, const TfliteOp& op) {
  const int out = op.outputs[0], from = op.inputs[0];
  const TfliteInput x = in.input(op, 0);
  if (in.tensor(out).elements != uint64_t{x.h} * x.w * x.c)
    throw Error("{} elements from {}", in.tensor(out).elements, uint64_t{x.h} * x.w * x.c);
  const auto& readers = in.readers(out);
  const bool order_alone = std::all_of(readers.begin(), readers.end(), [](const TfliteOp* reader) {
    return reader->code == kFullyConnected;
  });
  // Elements keep their order, so whoever reads them in order needs no copy.
  if (Shape3{x.h, x.w, x.c} == tflite_shape(in.tensor(out)) ||
      (order_alone && !readers.empty() && !in.is_graph_output(out))) {
    in.alias(out, from);
    return;
  }
  IntOp made = in.start(op, net::OpKind::reshape, net::Contract::none);
  made.in0 = x.id;
  check_same_quantisation(in.at(x.id), in.at(made.out));
  in.finish(std::move(made));
}

void import_softmax(TfliteImporter& in, const TfliteOp& op) {
  const int out = op.outputs[0];
  in.input(op, 0);
  if (!at_end(in, out) || (!in.is_graph_output(out) && in.readers(out).empty()))
    throw Error("softmax is supported as the last operator only, where it is dropped");
  in.alias(out, op.inputs[0]);
  in.notes.push_back(
      "the final SOFTMAX is dropped: the outputs are its inputs (logits), top-1 is the same");
}

void import_quantize(TfliteImporter& in, const TfliteOp& op) {
  const int from = in.resolve(op.inputs[0]), to = op.outputs[0];
  const TfliteTensor &a = in.tensor(from), &b = in.tensor(to);
  if (b.type != tflite::TensorType::int8 || a.constant() || a.shape != b.shape)
    throw Error("from {} to {} is not supported", tflite_type_name(a.type),
                tflite_type_name(b.type));
  if (a.type == tflite::TensorType::float32) {
    if (!in.is_graph_input(from) || in.readers(from).size() != 1)
      throw Error("quantisation inside the network is not supported");
    in.alias(from, to);
    in.notes.push_back(
        fmt::format("input {} is float32 in the file and int8 here", in.short_name(from)));
    return;
  }
  const int64_t offset = a.type == tflite::TensorType::uint8 ? 128 : 0;
  if (a.scales.size() != 1 || a.scales != b.scales || a.zero_points[0] - offset != b.zero_points[0])
    throw Error("requantisation to another scale or zero point is not supported");
  in.activation(from);
  in.alias(to, from);
}

void import_dequantize(TfliteImporter& in, const TfliteOp& op) {
  const int out = op.outputs[0];
  if (!in.is_graph_output(out) || !in.readers(out).empty())
    throw Error("dequantisation inside the network is not supported");
  in.input(op, 0);
  in.alias(out, op.inputs[0]);
  in.notes.push_back(
      fmt::format("output {} is float32 in the file and int8 here", in.short_name(out)));
}

}  // namespace mcusim
