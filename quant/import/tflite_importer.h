// SPDX-License-Identifier: MIT
// The state of one import and what operator handlers may ask of it. A handler
// either appends operators to `net` or throws Error with the reason alone; the
// driver adds file, number and name and collects the reasons of all operators.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernels/host/int_net.h"
#include "quant/import/fixed_point.h"
#include "quant/import/tflite_model.h"
#include "quant/pack/groups.h"

namespace mcusim {

// An activation as an operator reads it: h and w include explicit padding that a
// PAD operator before it asked for and that this operator shall do itself.
struct TfliteInput {
  int id = -1;
  uint32_t h = 1, w = 1, c = 1;
  uint32_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
};

class TfliteImporter {
 public:
  explicit TfliteImporter(const TfliteModel& from);

  const TfliteModel& model;
  IntNet net;
  std::vector<std::string> notes;

  // Id of the int8 activation tensor behind a TFLite tensor, made when first asked for.
  int activation(int tensor);
  // Input i of the operator; only convolutions take padding over from PAD.
  TfliteInput input(const TfliteOp& op, size_t i, bool takes_padding = false);
  const IntTensor& at(int id) const { return net.tensors[static_cast<size_t>(id)]; }

  // From now on `tensor` means the same values as `same_as`.
  void alias(int tensor, int same_as) { alias_[static_cast<size_t>(tensor)] = same_as; }
  int resolve(int tensor) const;
  void hand_padding_on(int tensor, const TfliteInput& padded) { padded_[tensor] = padded; }

  bool is_graph_input(int tensor) const;
  bool is_graph_output(int tensor) const;
  const std::vector<const TfliteOp*>& readers(int tensor) const {
    return readers_[static_cast<size_t>(tensor)];
  }
  const TfliteTensor& tensor(int index) const { return model.tensors[static_cast<size_t>(index)]; }
  // Real scale of an activation as the file has it.
  float scale(int id) const { return at(id).scale; }
  std::string short_name(int tensor) const;

  // A new operator with layer number and name set; finish() appends it, in groups.
  IntOp start(const TfliteOp& op, net::OpKind kind, net::Contract contract);
  void finish(IntOp op, uint32_t groups = 1) { append_op(net, std::move(op), groups); }

 private:
  std::vector<int> alias_, ids_;
  std::vector<std::vector<const TfliteOp*>> readers_;
  std::map<int, TfliteInput> padded_;
  std::string shared_prefix_;
};

using TfliteHandler = void (*)(TfliteImporter&, const TfliteOp&);
TfliteHandler find_tflite_handler(int code);  // nullptr when not supported

// Handlers, by file.
void import_conv2d(TfliteImporter& in, const TfliteOp& op);
void import_depthwise(TfliteImporter& in, const TfliteOp& op);
void import_fully_connected(TfliteImporter& in, const TfliteOp& op);
void import_average_pool(TfliteImporter& in, const TfliteOp& op);
void import_max_pool(TfliteImporter& in, const TfliteOp& op);
void import_mean(TfliteImporter& in, const TfliteOp& op);
void import_add(TfliteImporter& in, const TfliteOp& op);
void import_pad(TfliteImporter& in, const TfliteOp& op);
void import_reshape(TfliteImporter& in, const TfliteOp& op);
void import_softmax(TfliteImporter& in, const TfliteOp& op);
void import_quantize(TfliteImporter& in, const TfliteOp& op);
void import_dequantize(TfliteImporter& in, const TfliteOp& op);

// Pieces shared by the handlers.
struct Shape3 {
  uint32_t h = 1, w = 1, c = 1;
  bool operator==(const Shape3&) const = default;
};
Shape3 tflite_shape(const TfliteTensor& tensor);  // without the batch axis, which must be 1
std::vector<int64_t> tflite_integers(const TfliteTensor& tensor);  // constant int32 or int64
// One axis of a window: SAME gives ceil(in / stride) outputs and puts the odd unit after.
struct TfliteWindow {
  uint32_t out = 0, before = 0, after = 0;
};
TfliteWindow tflite_window(uint32_t in, int32_t kernel, int32_t stride, tflite::Padding padding,
                           const std::string& axis);
// The amounts of a PAD operator over `rank` axes: height and width only.
struct TflitePadding {
  uint32_t top = 0, bottom = 0, left = 0, right = 0;
};
TflitePadding tflite_padding(const TfliteModel& model, const TfliteOp& op, size_t rank);
// Clamp range of a fused activation in the stored domain of `out`.
void set_activation(IntOp& op, const IntTensor& out, tflite::Activation activation);
// Padding and the check that the output has the size that follows.
void set_window(IntOp& op, const TfliteInput& in, const IntTensor& out, tflite::Padding padding,
                int32_t kernel_h, int32_t kernel_w, int32_t stride_h, int32_t stride_w);
void check_output_shape(const IntTensor& out, Shape3 expected);
void check_same_quantisation(const IntTensor& a, const IntTensor& b);

}  // namespace mcusim
