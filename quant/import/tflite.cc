// SPDX-License-Identifier: MIT
// The import driver: walks the operators in order, checks that what each reads
// was written before, and collects every reason for refusal into one message.
#include "quant/import/tflite.h"

#include <algorithm>
#include <cmath>

#include "memmap/base/error.h"
#include "quant/import/tflite_importer.h"

namespace mcusim {
namespace {

struct HandlerRow {
  int code;  // public operator number
  TfliteHandler handler;
};

constexpr HandlerRow kHandlers[] = {
    {0, import_add},       {1, import_average_pool}, {3, import_conv2d},
    {4, import_depthwise}, {6, import_dequantize},   {9, import_fully_connected},
    {17, import_max_pool}, {22, import_reshape},     {25, import_softmax},
    {34, import_pad},      {40, import_mean},        {43, import_reshape},
    {114, import_quantize}};

// True when every tensor the operator reads is constant, given or computed.
void check_order(const TfliteImporter& in, const TfliteOp& op, std::vector<bool>& written) {
  for (const int id : op.inputs)
    if (id >= 0 && !written[static_cast<size_t>(id)])
      throw Error("reads tensor {} ({}) before anything writes it", id, in.short_name(id));
  for (const int id : op.outputs) {
    if (written[static_cast<size_t>(id)])
      throw Error("writes tensor {} ({}) a second time", id, in.short_name(id));
    written[static_cast<size_t>(id)] = true;
  }
}

void import_operator(TfliteImporter& in, const TfliteOp& op) {
  const TfliteHandler handler = find_tflite_handler(op.code);
  if (!handler) throw Error("this operator is not supported");
  if (op.outputs.size() != 1 || op.inputs.empty() || op.inputs[0] < 0)
    throw Error("{} inputs and {} outputs", op.inputs.size(), op.outputs.size());
  handler(in, op);
}

}  // namespace

TfliteHandler find_tflite_handler(int code) {
  for (const auto& row : kHandlers)
    if (row.code == code) return row.handler;
  return nullptr;
}

TfliteImporter::TfliteImporter(const TfliteModel& from)
    : model(from),
      alias_(from.tensors.size(), -1),
      ids_(from.tensors.size(), -1),
      readers_(from.tensors.size()),
      shared_prefix_(tflite_shared_prefix(from)) {
  for (const auto& op : from.ops)
    for (const int id : op.inputs)
      if (id >= 0 && (readers_[static_cast<size_t>(id)].empty() ||
                      readers_[static_cast<size_t>(id)].back() != &op))
        readers_[static_cast<size_t>(id)].push_back(&op);
}

int TfliteImporter::resolve(int tensor) const {
  // An alias always points to a tensor written earlier or to one of its readers, so the walk ends.
  for (size_t steps = 0; alias_[static_cast<size_t>(tensor)] >= 0; ++steps) {
    if (steps > alias_.size()) throw Error("tensor {} stands for itself", tensor);
    tensor = alias_[static_cast<size_t>(tensor)];
  }
  return tensor;
}

std::string TfliteImporter::short_name(int index) const {
  return tflite_short_name(tensor(index), shared_prefix_);
}

int TfliteImporter::activation(int index) {
  index = resolve(index);
  int& id = ids_[static_cast<size_t>(index)];
  if (id >= 0) return id;
  const TfliteTensor& from = tensor(index);
  const auto fail = [&](const std::string& what) {
    throw Error("tensor {} ({}) {}", index, short_name(index), what);
  };
  // uint8 is taken where QUANTIZE turns it into int8 right away: the same stored bytes.
  const bool is_signed = from.type == tflite::TensorType::int8;
  if (!is_signed && !(from.type == tflite::TensorType::uint8 && is_graph_input(index)))
    fail("is " + tflite_type_name(from.type) + ", expected int8");
  if (from.constant() || from.is_variable || from.sparse)
    fail("is constant, a variable or sparse, expected a computed value");
  if (from.scales.size() != 1) fail(fmt::format("has {} scales, expected one", from.scales.size()));
  const float scale = from.scales[0];
  const int64_t offset = is_signed ? 128 : 0, zero_point = from.zero_points[0];
  if (!std::isfinite(scale) || scale <= 0) fail(fmt::format("has scale {}", scale));
  if (zero_point + offset < 0 || zero_point + offset > 255)
    fail(fmt::format("has zero point {}", zero_point));
  const Shape3 shape = tflite_shape(from);
  IntTensor made;
  made.name = short_name(index);
  made.h = shape.h;
  made.w = shape.w;
  made.c = shape.c;
  made.signed_view = is_signed;
  made.zero_point = static_cast<int32_t>(zero_point + offset);
  made.scale = scale;
  id = static_cast<int>(net.tensors.size());
  net.tensors.push_back(std::move(made));
  return id;
}

TfliteInput TfliteImporter::input(const TfliteOp& op, size_t i, bool takes_padding) {
  if (op.input(i) < 0) throw Error("input {} is missing", i);
  const int index = resolve(op.input(i));
  const auto padded = padded_.find(index);
  if (padded != padded_.end()) {
    if (!takes_padding) throw Error("cannot take over the padding before it");
    return padded->second;
  }
  const int id = activation(index);
  return {.id = id, .h = at(id).h, .w = at(id).w, .c = at(id).c};
}

bool TfliteImporter::is_graph_input(int index) const {
  return std::find(model.inputs.begin(), model.inputs.end(), index) != model.inputs.end();
}

bool TfliteImporter::is_graph_output(int index) const {
  return std::find(model.outputs.begin(), model.outputs.end(), index) != model.outputs.end();
}

IntOp TfliteImporter::start(const TfliteOp& op, net::OpKind kind, net::Contract contract) {
  IntOp made;
  made.kind = kind;
  made.contract = contract;
  made.layer_id = static_cast<uint16_t>(net.ops.size());
  made.name = short_name(op.outputs[0]);
  made.out = activation(op.outputs[0]);
  return made;
}

ImportedNet import_tflite(std::vector<uint8_t> file, const std::string& name) {
  const TfliteModel model(std::move(file), name);
  TfliteImporter in(model);
  std::vector<std::string> refusals;
  std::vector<bool> written;
  for (size_t id = 0; id < model.tensors.size(); ++id)
    written.push_back(model.tensors[id].constant() || in.is_graph_input(static_cast<int>(id)));
  for (const auto& op : model.ops) {
    try {
      check_order(in, op, written);
      import_operator(in, op);
    } catch (const Error& error) {
      refusals.push_back(
          fmt::format("operator {} {}: {}", op.index, tflite_operator_name(op), error.what()));
    }
  }
  if (!refusals.empty())
    throw Error("{}: {} of {} operators cannot be imported: {}", name, refusals.size(),
                model.ops.size(), fmt::join(refusals, "; "));
  try {
    if (in.net.ops.empty()) throw Error("no operator is left to run");
    for (const int id : model.inputs) in.net.inputs.push_back(in.activation(id));
    for (const int id : model.outputs) {
      if (!written[static_cast<size_t>(id)] || in.is_graph_input(in.resolve(id)))
        throw Error("output {} is not the result of an operator", in.short_name(id));
      in.net.outputs.push_back(in.activation(id));
    }
  } catch (const Error& error) {
    throw Error("{}: {}", name, error.what());
  }
  in.net.name = tflite_network_name(name);
  return {std::move(in.net), std::move(in.notes)};
}

}  // namespace mcusim
