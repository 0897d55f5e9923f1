// SPDX-License-Identifier: MIT
// IntNet to container bytes. Only what is needed to write safely is checked while
// writing; the finished file is then judged by `validate`, so the packer and the
// loader cannot disagree about what a correct file is.
#include <algorithm>
#include <cstring>
#include <limits>
#include <map>

#include "kernels/host/accumulators.h"
#include "kernels/host/bias_fold.h"
#include "kernels/host/container.h"
#include "kernels/host/int_net.h"
#include "kernels/host/names.h"
#include "kernels/scratch.h"

namespace mcusim {
namespace {

using Bytes = std::vector<uint8_t>;

template <typename To>
To narrow(const std::string& place, const char* field, int64_t value) {
  if (value < std::numeric_limits<To>::min() || value > std::numeric_limits<To>::max())
    throw Error("{}: {}: {} does not fit the format", place, field, value);
  return static_cast<To>(value);
}

template <typename T>
Bytes bytes_of(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// Strings and blobs, each stored once however often it is named.
class Pool {
 public:
  explicit Pool(size_t align) : align_(align) {}
  uint32_t add(const Bytes& item) {
    const auto [known, is_new] = offsets_.emplace(item, 0);
    if (!is_new) return known->second;
    bytes_.resize(align_up(bytes_.size(), align_));
    known->second = narrow<uint32_t>("net.bin", "file_bytes", bytes_.size());
    bytes_.insert(bytes_.end(), item.begin(), item.end());
    return known->second;
  }
  uint32_t add(const std::string& text) {
    if (text.find('\0') != std::string::npos) throw Error("name: a NUL inside '{}'", text.c_str());
    Bytes item(text.begin(), text.end());
    item.push_back(0);
    return add(item);
  }
  const Bytes& bytes() const { return bytes_; }

 private:
  size_t align_;
  Bytes bytes_;
  std::map<Bytes, uint32_t> offsets_;
};

class Encoder {
 public:
  explicit Encoder(const IntNet& net) : net_(net) { strings_.add(std::string()); }
  Bytes run();

 private:
  void add_tensor(size_t index);
  void add_op(size_t index);
  void add_weights(const IntOp& from, const std::string& place, net::Op& op);
  Bytes assemble();

  const IntNet& net_;
  Pool strings_{1}, blobs_{net::kBlobAlign_bytes};
  std::vector<net::Tensor> tensors_;
  std::vector<net::Op> ops_;
  uint32_t flags_ = 0;
  uint64_t scratch_bytes_ = 0;
};

void Encoder::add_tensor(size_t index) {
  const IntTensor& from = net_.tensors[index];
  const std::string place = fmt::format("tensor {} '{}'", index, from.name);
  if (from.bits != 8 && from.bits != 4 && from.bits != 2)
    throw Error("{}: bits: {} is not 8, 4 or 2", place, from.bits);
  for (const uint32_t dim : {from.h, from.w, from.c})
    if (dim == 0 || dim > net::kMaxDim)
      throw Error("{}: shape: {}x{}x{} has a side outside 1..{}", place, from.h, from.w, from.c,
                  net::kMaxDim);
  net::Tensor t{};
  t.h = from.h;
  t.w = from.w;
  t.c = from.c;
  t.bits = from.bits;
  t.flags = from.signed_view ? net::kTensorSigned : 0;
  t.parent = net::kNone;
  t.zero_point = from.zero_point;
  t.scale = from.scale;
  t.pixel_stride_bytes = pixel_bytes(from.c, from.bits);
  t.row_stride_bytes = narrow<uint32_t>(place, "row", uint64_t{t.pixel_stride_bytes} * from.w);
  t.arena_offset = from.arena_offset;
  t.name = strings_.add(from.name);
  if (from.parent >= 0) {
    if (static_cast<size_t>(from.parent) >= index)
      throw Error("{}: parent: tensor {} does not come before its view", place, from.parent);
    const net::Tensor& p = tensors_[from.parent];
    if (from.origin_y >= p.h || from.origin_x >= p.w || from.origin_c >= p.c)
      throw Error("{}: origin: {},{},{} lies outside its parent of {}x{}x{}", place, from.origin_y,
                  from.origin_x, from.origin_c, p.h, p.w, p.c);
    if (from.origin_c * p.bits % 8 != 0)
      throw Error("{}: origin: channel {} is not on a byte edge", place, from.origin_c);
    t.parent = static_cast<uint16_t>(from.parent);
    t.pixel_stride_bytes = p.pixel_stride_bytes;
    t.row_stride_bytes = p.row_stride_bytes;
    t.arena_offset = narrow<uint32_t>(
        place, "arena_offset",
        p.arena_offset + uint64_t{from.origin_y} * p.row_stride_bytes +
            uint64_t{from.origin_x} * p.pixel_stride_bytes + from.origin_c * p.bits / 8);
  }
  tensors_.push_back(t);
}

template <typename T>
void check_count(const std::string& place, const char* name, const std::vector<T>& values,
                 uint64_t expected, bool one_is_enough) {
  if (values.size() != expected && !(one_is_enough && values.size() == 1))
    throw Error("{}: {}: {} values instead of {}", place, name, values.size(), expected);
}

void Encoder::add_weights(const IntOp& from, const std::string& place, net::Op& op) {
  const net::Tensor& in = tensors_[op.in0];
  const net::Tensor& out = tensors_[op.out];
  const bool thresholds = from.contract == net::Contract::thresholds;
  if (from.weight_bits != 8 && from.weight_bits != 4 && from.weight_bits != 2)
    throw Error("{}: weight_bits: {} is not 8, 4 or 2", place, from.weight_bits);
  if (uint64_t{in.h} * in.w * in.c > 4 * kMaxArena_bytes)
    throw Error("{}: in0: larger than any arena", place);
  const WeightShape shape = weight_shape(op, in, out);
  check_count(place, "weights", from.weights, weight_count(shape), false);
  check_count(place, "weight_zero_points", from.weight_zero_points, out.c, true);
  check_count(place, "bias", from.bias, out.c, false);
  check_count(place, "mult", from.mult, thresholds ? 0 : out.c, !thresholds);
  check_count(place, "shift", from.shift, from.mult.size(), false);
  const uint32_t levels = thresholds ? (1u << out.bits) - 1 : 0;
  check_count(place, "thresholds", from.thresholds, uint64_t{out.c} * levels, false);
  check_count(place, "directions", from.directions, thresholds ? out.c : 0, false);
  for (size_t i = 0; i < from.weights.size(); ++i)
    if (from.weights[i] >> from.weight_bits)
      throw Error("{}: weights[{}]: {} is not a {}-bit value", place, i, from.weights[i],
                  from.weight_bits);
  for (const int32_t zero : from.weight_zero_points)
    if (std::abs(int64_t{zero}) > kMaxWeightZeroPoint)
      throw Error("{}: weight zero point {} is not in -{}..{}", place, zero, kMaxWeightZeroPoint,
                  kMaxWeightZeroPoint);

  try {
    check_accumulators(from, net_.tensors[from.in0]);
  } catch (const Error& error) {
    throw Error("{}: {}", place, error.what());
  }

  const net::Layout tag = layout_for(shape);
  op.layout = static_cast<uint16_t>(tag);
  const Bytes weights = layout_row(tag).pack(shape, from.weights);
  op.weights_bytes = narrow<uint32_t>(place, "weights", weights.size());
  std::vector<int32_t> bias = from.bias;
  const auto terms = zero_point_terms(shape, from.weights, from.weight_zero_points, in.zero_point);
  for (size_t i = 0; i < bias.size(); ++i)
    bias[i] = static_cast<int32_t>(static_cast<uint32_t>(bias[i]) - terms[i]);

  op.weights_offset = blobs_.add(weights);
  op.bias_offset = blobs_.add(bytes_of(bias));
  if (from.weight_zero_points.size() == 1) {
    op.weight_zero_point = from.weight_zero_points[0];
  } else {
    op.flags |= net::kOpPerChannelZeroPoint;
    const std::vector<int16_t> zeros(from.weight_zero_points.begin(), from.weight_zero_points.end());
    op.zero_points_offset = blobs_.add(bytes_of(zeros));
  }
  if (thresholds) {
    op.thresholds_offset = blobs_.add(bytes_of(from.thresholds));
    op.directions_offset = blobs_.add(from.directions);
  } else {
    if (from.mult.size() > 1) op.flags |= net::kOpPerChannelMult;
    op.mult_offset = blobs_.add(bytes_of(from.mult));
    op.shift_offset = blobs_.add(bytes_of(from.shift));
  }
}

void Encoder::add_op(size_t index) {
  const IntOp& from = net_.ops[index];
  const std::string place = fmt::format("operator {} '{}'", index, from.name);
  const KindRow* kind = find_kind(from.kind);
  if (!kind) throw Error("{}: kind: {} is unknown", place, static_cast<int>(from.kind));
  const auto id = [&](const char* name, int tensor) {
    if (tensor < 0 || static_cast<size_t>(tensor) >= tensors_.size())
      throw Error("{}: {}: tensor {} of {}", place, name, tensor, tensors_.size());
    return static_cast<uint16_t>(tensor);
  };
  const auto dim = [&](const char* name, uint32_t value) {
    return narrow<uint16_t>(place, name, value);
  };
  net::Op op{};
  op.kind = static_cast<uint8_t>(from.kind);
  op.contract = static_cast<uint8_t>(from.contract);
  op.flags = from.half_step ? net::kOpHalfStep : 0;
  if (from.half_step) flags_ |= net::kFlagHalfStep;
  op.weight_bits = kind->has_weights ? from.weight_bits : 0;
  op.in0 = id("in0", from.in0);
  op.in1 = kind->is_binary ? id("in1", from.in1) : net::kNone;
  op.out = id("out", from.out);
  op.layer_id = from.layer_id;
  op.kernel_h = dim("kernel_h", from.kernel_h);
  op.kernel_w = dim("kernel_w", from.kernel_w);
  op.stride_h = dim("stride_h", from.stride_h);
  op.stride_w = dim("stride_w", from.stride_w);
  op.pad_top = dim("pad_top", from.pad_top);
  op.pad_left = dim("pad_left", from.pad_left);
  op.pad_bottom = dim("pad_bottom", from.pad_bottom);
  op.pad_right = dim("pad_right", from.pad_right);
  op.family = static_cast<uint8_t>(family_for(op));
  // Outside tflite the clamp is the output's range; 0..255 is what IntOp starts with.
  const int32_t most = (1 << tensors_[op.out].bits) - 1;
  const bool untouched = from.act_min == 0 && from.act_max == 255;
  op.act_min = from.act_min;
  op.act_max = untouched ? most : from.act_max;
  std::copy_n(from.scalar_mult, 3, op.scalar_mult);
  std::copy_n(from.scalar_shift, 3, op.scalar_shift);
  op.name = strings_.add(from.name);
  if (kind->has_weights) add_weights(from, place, op);
  scratch_bytes_ = std::max(scratch_bytes_, scratch_bytes(op, tensors_[op.in0], tensors_[op.out]));
  ops_.push_back(op);
}

Bytes Encoder::assemble() {
  net::Header header{};
  header.magic = net::kMagic;
  header.version = net::kVersion;
  header.header_bytes = sizeof(net::Header);
  header.flags = flags_;
  header.tensor_count = narrow<uint16_t>("net.bin", "tensor_count", tensors_.size());
  header.op_count = narrow<uint16_t>("net.bin", "op_count", ops_.size());
  header.input_count = narrow<uint16_t>("net.bin", "input_count", net_.inputs.size());
  header.output_count = narrow<uint16_t>("net.bin", "output_count", net_.outputs.size());
  header.arena_bytes = net_.arena_bytes;
  header.scratch_bytes = narrow<uint32_t>("net.bin", "scratch_bytes", scratch_bytes_);
  header.name = strings_.add(net_.name);

  Bytes file(sizeof header);
  const auto append = [&](const Bytes& table) {
    file.resize(align_up(file.size(), net::kBlobAlign_bytes));
    const auto offset = narrow<uint32_t>("net.bin", "file_bytes", file.size() + table.size());
    file.insert(file.end(), table.begin(), table.end());
    return static_cast<uint32_t>(offset - table.size());
  };
  std::vector<uint16_t> io;
  for (const auto* list : {&net_.inputs, &net_.outputs})
    for (const int id : *list) io.push_back(narrow<uint16_t>("net.bin", "io", id));
  header.tensors_offset = append(bytes_of(tensors_));
  header.ops_offset = append(bytes_of(ops_));
  header.io_offset = append(bytes_of(io));
  header.strings_offset = append(strings_.bytes());
  header.strings_bytes = static_cast<uint32_t>(strings_.bytes().size());
  header.blobs_offset = append(blobs_.bytes());
  header.blobs_bytes = static_cast<uint32_t>(blobs_.bytes().size());
  header.file_bytes = static_cast<uint32_t>(file.size());
  std::memcpy(file.data(), &header, sizeof header);
  header.crc32 = container_crc(file);
  std::memcpy(file.data(), &header, sizeof header);
  return file;
}

Bytes Encoder::run() {
  for (size_t i = 0; i < net_.tensors.size(); ++i) add_tensor(i);
  for (size_t i = 0; i < net_.ops.size(); ++i) add_op(i);
  // Blobs were collected from 0; their place in the file is known only now.
  const uint64_t tables = align_up(sizeof(net::Header) + tensors_.size() * sizeof(net::Tensor) +
                                       ops_.size() * sizeof(net::Op) +
                                       (net_.inputs.size() + net_.outputs.size()) * sizeof(uint16_t),
                                   net::kBlobAlign_bytes);
  strings_.add(net_.name);
  const uint64_t blobs = align_up(tables + strings_.bytes().size(), net::kBlobAlign_bytes);
  for (net::Op& op : ops_)
    for (const BlobRef& blob : blobs_of(op, tensors_[op.out], op.weights_bytes))
      if (blob.required)
        op.*blob.offset = narrow<uint32_t>("net.bin", "file_bytes", op.*blob.offset + blobs);
  return assemble();
}

}  // namespace

std::vector<uint8_t> encode(const IntNet& net) {
  Bytes file = Encoder(net).run();
  validate(file.data(), file.size());
  return file;
}

}  // namespace mcusim
