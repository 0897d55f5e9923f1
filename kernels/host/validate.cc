// SPDX-License-Identifier: MIT
// Tensors and operators of a container. A kernel checks nothing, so whatever a
// kernel relies on is refused here: an accepted file runs without reading or
// writing outside, whoever wrote it.
#include "kernels/host/validate.h"

#include <cmath>

#include "kernels/host/int_net.h"
#include "kernels/host/names.h"
#include "kernels/kernel_table.h"
#include "kernels/scratch.h"

namespace mcusim {
namespace {

using net::Contract;
using net::Op;
using net::OpKind;
using net::Tensor;

bool is_width(uint32_t bits) { return bits == 8 || bits == 4 || bits == 2; }

void check_view(const Container& c, size_t index) {
  const Tensor& t = c.tensors[index];
  const std::string place = place_of_tensor(c, index);
  if (t.parent >= index)
    throw Error("{}: parent: tensor {} does not come before its view", place, t.parent);
  const Tensor& p = c.tensors[t.parent];
  if (t.bits != p.bits || t.zero_point != p.zero_point || t.flags != p.flags || t.scale != p.scale)
    throw Error("{}: a view must have its parent's bits, zero point, scale and flags", place);
  if (t.row_stride_bytes != p.row_stride_bytes || t.pixel_stride_bytes != p.pixel_stride_bytes)
    throw Error("{}: strides: {} and {} instead of the parent's {} and {}", place,
                t.row_stride_bytes, t.pixel_stride_bytes, p.row_stride_bytes, p.pixel_stride_bytes);
  if (t.arena_offset < p.arena_offset)
    throw Error("{}: arena_offset: {} lies before the parent's {}", place, t.arena_offset,
                p.arena_offset);
  const uint32_t distance = t.arena_offset - p.arena_offset;
  const uint64_t y = distance / p.row_stride_bytes;
  const uint64_t x = distance % p.row_stride_bytes / p.pixel_stride_bytes;
  const uint64_t first = uint64_t{distance % p.pixel_stride_bytes} * 8 / t.bits;
  if (y + t.h > p.h || x + t.w > p.w || first + t.c > p.c)
    throw Error("{}: a view of {}x{}x{} at {},{},{} leaves its parent of {}x{}x{}", place, t.h, t.w,
                t.c, y, x, first, p.h, p.w, p.c);
  // Kernels write whole bytes: the last byte may not hold a neighbour's channels.
  if (first + t.c != p.c && t.c * t.bits % 8 != 0)
    throw Error("{}: a view must end on a byte edge or with its parent's channels", place);
}

void check_tensor(const Container& c, size_t index) {
  const Tensor& t = c.tensors[index];
  const std::string place = place_of_tensor(c, index);
  for (const uint32_t dim : {t.h, t.w, t.c})
    if (dim == 0 || dim > net::kMaxDim)
      throw Error("{}: shape: {}x{}x{} has a side outside 1..{}", place, t.h, t.w, t.c, net::kMaxDim);
  if (!is_width(t.bits)) throw Error("{}: bits: {} is not 8, 4 or 2", place, t.bits);
  if (t.flags & ~net::kTensorSigned) throw Error("{}: flags: {:#x} is unknown", place, t.flags);
  if (t.zero_point < 0 || t.zero_point >= 1 << t.bits)
    throw Error("{}: zero_point: {} is not a {}-bit value", place, t.zero_point, t.bits);
  if (!std::isfinite(t.scale) || !(t.scale > 0))
    throw Error("{}: scale: {} is not a positive number", place, t.scale);
  if (t.parent != net::kNone) return check_view(c, index);

  const uint64_t pixel = pixel_bytes(t.c, t.bits), row = pixel * t.w, bytes = row * t.h;
  if (t.pixel_stride_bytes != pixel || t.row_stride_bytes != row)
    throw Error("{}: strides: {} and {} instead of {} and {}", place, t.row_stride_bytes,
                t.pixel_stride_bytes, row, pixel);
  if (t.arena_offset + bytes > c.header.arena_bytes)
    throw Error("{}: arena_offset: {} bytes at {} leave the arena of {}", place, bytes,
                t.arena_offset, c.header.arena_bytes);
}

// One operator, with what its checks share.
struct Judge {
  const Container& c;
  size_t index;
  const Op& op;
  const Tensor* in0 = nullptr;
  const Tensor* in1 = nullptr;
  const Tensor* out = nullptr;
  const KindRow* kind = nullptr;

  template <typename... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    throw Error("{}: {}", place_of_op(c, index), fmt::format(format, std::forward<Args>(args)...));
  }
  bool is(Contract contract) const { return static_cast<Contract>(op.contract) == contract; }
  bool is(OpKind which) const { return static_cast<OpKind>(op.kind) == which; }

  void check_head();
  void check_window() const;
  void check_shapes() const;
  void check_weights() const;
  void check_range() const;
  void check_scalars() const;
  void check_row() const;
};

void Judge::check_head() {
  kind = find_kind(static_cast<OpKind>(op.kind));
  if (!kind) fail("kind: {} is unknown", op.kind);
  if (op.contract > static_cast<uint8_t>(Contract::tflite) ||
      !(kind->contracts & contract_bit(static_cast<Contract>(op.contract))))
    fail("contract: {} does not exist for {}", op.contract, kind->name);
  const auto tensor = [&](const char* name, uint16_t id) {
    if (id >= c.tensors.size()) fail("{}: tensor {} of {}", name, id, c.tensors.size());
    return &c.tensors[id];
  };
  in0 = tensor("in0", op.in0);
  out = tensor("out", op.out);
  if (kind->is_binary) in1 = tensor("in1", op.in1);
  else if (op.in1 != net::kNone) fail("in1: {} has one input", kind->name);
  c.text(op.name);
  if (op.reserved0 != 0) fail("reserved0: {} instead of 0", op.reserved0);

  uint8_t flags = is(Contract::icn_floor) ? net::kOpHalfStep : 0;
  if (kind->has_weights) flags |= net::kOpPerChannelZeroPoint;
  if (kind->has_weights && !is(Contract::thresholds)) flags |= net::kOpPerChannelMult;
  if (is(Contract::thresholds)) flags |= net::kOpHalfStep;
  if (op.flags & ~flags) fail("flags: {:#x} has bits that {} does not use", op.flags, kind->name);
  if ((op.flags & net::kOpHalfStep) && !(c.header.flags & net::kFlagHalfStep))
    fail("flags: half step, which the header does not announce");
}

void Judge::check_window() const {
  struct Axis {
    const char* name;
    uint32_t in, out, kernel, stride, before, after;
  };
  const Axis axes[] = {
      {"rows", in0->h, out->h, op.kernel_h, op.stride_h, op.pad_top, op.pad_bottom},
      {"columns", in0->w, out->w, op.kernel_w, op.stride_w, op.pad_left, op.pad_right},
  };
  for (const Axis& a : axes) {
    if (a.kernel == 0 || a.stride == 0) fail("{}: kernel {}, stride {}", a.name, a.kernel, a.stride);
    if (!kind->is_windowed) {
      if (a.kernel != 1 || a.stride != 1)
        fail("{}: kernel {}, stride {} for {}", a.name, a.kernel, a.stride, kind->name);
      if (!is(OpKind::pad) && (a.before || a.after))
        fail("{}: padding {},{} for {}", a.name, a.before, a.after, kind->name);
      continue;
    }
    // Padding below the kernel's size leaves no window without an input cell.
    if (a.before >= a.kernel || a.after >= a.kernel)
      fail("{}: padding {},{} reaches a kernel of {}", a.name, a.before, a.after, a.kernel);
    const uint32_t padded = a.in + a.before + a.after;
    if (padded < a.kernel) fail("{}: a kernel of {} over {} cells", a.name, a.kernel, padded);
    if ((padded - a.kernel) / a.stride + 1 != a.out)
      fail("{}: the output has {} instead of {}", a.name, a.out, (padded - a.kernel) / a.stride + 1);
  }
}

void Judge::check_shapes() const {
  const auto same = [&](const Tensor& a, const Tensor& b) {
    return a.h == b.h && a.w == b.w && a.c == b.c;
  };
  const auto text = [](const Tensor& t) { return fmt::format("{}x{}x{}", t.h, t.w, t.c); };
  switch (kind->kind) {
    case OpKind::conv2d: break;
    case OpKind::depthwise:
    case OpKind::avg_pool:
    case OpKind::max_pool:
      if (in0->c != out->c) fail("channels: {} in, {} out", in0->c, out->c);
      break;
    case OpKind::fully_connected:
      if (out->h != 1 || out->w != 1) fail("out: {} instead of 1x1xN", text(*out));
      break;
    case OpKind::add:
      if (!same(*in0, *out) || !same(*in1, *out))
        fail("shapes: {} and {} in, {} out", text(*in0), text(*in1), text(*out));
      if (is(Contract::tflite) && in1->bits != 8) fail("in1: {} bits under tflite", in1->bits);
      break;
    case OpKind::pad:
      if (in0->h + op.pad_top + op.pad_bottom != out->h ||
          in0->w + op.pad_left + op.pad_right != out->w || in0->c != out->c)
        fail("shapes: {} padded does not give {}", text(*in0), text(*out));
      break;
    case OpKind::reshape: {
      const auto cells = [](const Tensor& t) { return uint64_t{t.h} * t.w * t.c; };
      if (cells(*in0) != cells(*out)) fail("shapes: {} in, {} out", text(*in0), text(*out));
      break;
    }
  }
  if (is(Contract::none) && (in0->bits != out->bits || in0->zero_point != out->zero_point))
    fail("values pass unchanged, so bits and zero point must be equal");
}

void Judge::check_weights() const {
  if (!kind->has_weights) {
    if (op.weight_bits || op.layout || op.weights_bytes || op.weight_zero_point)
      fail("{} has no weights", kind->name);
    return;
  }
  if (!is_width(op.weight_bits)) fail("weight_bits: {} is not 8, 4 or 2", op.weight_bits);
  const int32_t zero_point = op.weight_zero_point;
  if (zero_point < -kMaxWeightZeroPoint || zero_point > kMaxWeightZeroPoint ||
      ((op.flags & net::kOpPerChannelZeroPoint) && zero_point != 0))
    fail("weight_zero_point: {} is out of range", zero_point);
  const WeightShape shape = weight_shape(op, *in0, *out);
  // Before any layout computes with the shape: at 2 bits, 4 weights fill a byte.
  const uint64_t count = weight_count(shape);
  if (count / 4 > c.bytes.size()) fail("weights: {} of them do not fit the file", count);
  if (static_cast<net::Layout>(op.layout) != layout_for(shape))
    fail("layout: {} instead of {}", op.layout, layout_row(layout_for(shape)).name);
  const uint64_t bytes = layout_row(layout_for(shape)).blob_bytes(shape);
  if (op.weights_bytes != bytes) fail("weights_bytes: {} instead of {}", op.weights_bytes, bytes);
}

void Judge::check_range() const {
  const int32_t most = (1 << out->bits) - 1;
  if (is(Contract::tflite) ? op.act_min < 0 || op.act_min > op.act_max || op.act_max > most
                           : op.act_min != 0 || op.act_max != most)
    fail("clamp: {}..{} for {} bits under {}", op.act_min, op.act_max, out->bits,
         contract_name(static_cast<Contract>(op.contract)));
}

void Judge::check_scalars() const {
  const bool is_add = is(OpKind::add), is_avg = is(OpKind::avg_pool), tflite = is(Contract::tflite);
  const bool mult_used[3] = {is_add || is_avg, is_add, is_add && tflite};
  const bool shift_used[4] = {is_avg || (is_add && tflite), is_add && tflite, is_add, false};
  for (int i = 0; i < 3; ++i) {
    if (!mult_used[i] && op.scalar_mult[i]) fail("scalar_mult[{}] is unused but not 0", i);
    if (tflite && op.scalar_mult[i] < 0) fail("scalar_mult[{}]: {} < 0", i, op.scalar_mult[i]);
  }
  for (int i = 0; i < 4; ++i) {
    const int shift = op.scalar_shift[i];
    if (!shift_used[i] && shift) fail("scalar_shift[{}] is unused but not 0", i);
    // The inputs of an addition are multiplied by at most 1/2 after << 20.
    const int most = is_add && i < 2 ? 0 : kMaxTfliteShift;
    if (tflite && (shift < kMinTfliteShift || shift > most))
      fail("scalar_shift[{}]: {} is not in {}..{}", i, shift, kMinTfliteShift, most);
  }
  // The multiplier holds 1/n, so n must be the same for every output.
  if (is_avg && tflite && op.scalar_mult[0] != 0 &&
      (op.pad_top | op.pad_left | op.pad_bottom | op.pad_right))
    fail("padding: an average pool with unequal scales may not have any");
}

void Judge::check_row() const {
  if (static_cast<net::Family>(op.family) != family_for(op))
    fail("family: {} instead of {}", op.family, family_name(family_for(op)));
  const RowKey key = row_key(op, *in0, *out);
  if (!find_row(key))
    fail("no kernel for {} of {} bits in, {} of weights, {} out under {}", family_name(key.family),
         key.in_bits, key.weight_bits, key.out_bits, contract_name(key.contract));
  const uint64_t scratch = scratch_bytes(op, *in0, *out);
  if (scratch > c.header.scratch_bytes)
    fail("scratch_bytes: needs {}, the header has {}", scratch, c.header.scratch_bytes);
}

// Window cells times channels: the loop count of the operator.
uint64_t work_of(const Judge& j) {
  const uint64_t cells = uint64_t{j.out->h} * j.out->w * j.out->c;
  const uint64_t taps = uint64_t{j.op.kernel_h} * j.op.kernel_w;
  const uint64_t depth = j.is(OpKind::conv2d)            ? j.in0->c
                         : j.is(OpKind::fully_connected) ? uint64_t{j.in0->h} * j.in0->w * j.in0->c
                                                         : 1;
  // Each factor is below 2^32, so the first two products cannot wrap together.
  if (cells > kMaxWork || taps > kMaxWork / cells || depth > kMaxWork / (cells * taps)) return kMaxWork;
  return cells * taps * depth;
}

}  // namespace

std::string place_of_op(const Container& c, size_t index) {
  return fmt::format("net.bin: operator {} '{}'", index, c.text(c.ops[index].name));
}

std::string place_of_tensor(const Container& c, size_t index) {
  return fmt::format("net.bin: tensor {} '{}'", index, c.text(c.tensors[index].name));
}

void check_tensors(const Container& c) {
  for (size_t i = 0; i < c.tensors.size(); ++i) check_tensor(c, i);
}

void check_operators(const Container& c) {
  uint64_t work = 0;
  bool half_step = false;
  for (size_t i = 0; i < c.ops.size(); ++i) {
    Judge judge{c, i, c.ops[i]};
    judge.check_head();
    judge.check_window();
    judge.check_shapes();
    judge.check_range();
    judge.check_scalars();
    judge.check_weights();
    judge.check_row();
    half_step |= (c.ops[i].flags & net::kOpHalfStep) != 0;
    work += work_of(judge);
    if (work >= kMaxWork)
      throw Error("{}: the network does more than {} operations", place_of_op(c, i), kMaxWork);
  }
  if (half_step != ((c.header.flags & net::kFlagHalfStep) != 0))
    throw Error("net.bin: flags: half step announced, but no operator has it");
}

void validate(const uint8_t* file, size_t bytes) {
  const Container c = read_container({file, bytes});
  check_tensors(c);
  check_operators(c);
  check_blobs(c);
  check_schedule(c);
}

}  // namespace mcusim
