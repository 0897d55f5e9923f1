// SPDX-License-Identifier: MIT
// Reading the header and tables. Tables follow each other in the order of the
// header's fields, each at the next multiple of 8 with zero bytes between, so no
// two can overlap and no byte of the file escapes judgement.
#include "kernels/host/container.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "kernels/host/names.h"

namespace mcusim {
namespace {

using net::kBlobAlign_bytes;

bool all_zero(std::span<const uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](uint8_t byte) { return byte == 0; });
}

// Well-formed UTF-8 without control characters: names reach terminals and JSON.
bool is_printable_utf8(std::span<const uint8_t> text) {
  for (size_t i = 0; i < text.size();) {
    const uint8_t lead = text[i];
    const size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0x20 || lead == 0x7F || (lead >= 0x80 && lead < 0xC2) || lead > 0xF4) return false;
    if (length > text.size() - i) return false;
    uint32_t code = length == 1 ? lead : lead & (0x7Fu >> length);
    for (size_t k = 1; k < length; ++k) {
      if ((text[i + k] & 0xC0) != 0x80) return false;
      code = code << 6 | (text[i + k] & 0x3Fu);
    }
    const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    if (overlong || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    if (code >= 0x80 && code < 0xA0) return false;
    i += length;
  }
  return true;
}

void check_header(const Container& c) {
  const net::Header& h = c.header;
  if (h.magic != net::kMagic) throw Error("net.bin: magic: {:#010x} is not a network", h.magic);
  if (h.version != net::kVersion)
    throw Error("net.bin: version: {}, this program reads {}", h.version, net::kVersion);
  if (h.header_bytes != sizeof(net::Header))
    throw Error("net.bin: header_bytes: {} instead of {}", h.header_bytes, sizeof(net::Header));
  if (h.file_bytes != c.bytes.size())
    throw Error("net.bin: file_bytes: the header says {}, the file has {}", h.file_bytes,
                c.bytes.size());
  const uint32_t crc = container_crc(c.bytes.range(0, c.bytes.size()));
  if (crc != h.crc32)
    throw Error("net.bin: crc32: {:#010x} stored, {:#010x} computed", h.crc32, crc);
  if (h.flags & ~net::kFlagHalfStep) throw Error("net.bin: flags: {:#x} has unknown bits", h.flags);
  if (h.reserved != 0) throw Error("net.bin: reserved: {} instead of 0", h.reserved);
  const auto count = [](const char* name, uint32_t value, uint32_t most) {
    if (value == 0 || value > most) throw Error("net.bin: {}: {} is not in 1..{}", name, value, most);
  };
  count("tensor_count", h.tensor_count, net::kMaxTensors);
  count("op_count", h.op_count, net::kMaxOps);
  count("input_count", h.input_count, h.tensor_count);
  count("output_count", h.output_count, h.tensor_count);
  if (h.arena_bytes > kMaxArena_bytes)
    throw Error("net.bin: arena_bytes: {} exceeds {}", h.arena_bytes, kMaxArena_bytes);
  if (h.scratch_bytes > kMaxScratch_bytes)
    throw Error("net.bin: scratch_bytes: {} exceeds {}", h.scratch_bytes, kMaxScratch_bytes);
}

void check_table_order(const Container& c) {
  const net::Header& h = c.header;
  struct Table {
    const char* name;
    uint64_t offset, bytes;
  };
  const Table tables[] = {
      {"tensors", h.tensors_offset, h.tensor_count * sizeof(net::Tensor)},
      {"ops", h.ops_offset, h.op_count * sizeof(net::Op)},
      {"io", h.io_offset, (h.input_count + h.output_count) * sizeof(uint16_t)},
      {"strings", h.strings_offset, h.strings_bytes},
      {"blobs", h.blobs_offset, h.blobs_bytes},
  };
  uint64_t end = sizeof(net::Header);
  for (const Table& table : tables) {
    if (table.offset != align_up(end, kBlobAlign_bytes))
      throw Error("net.bin: {}_offset: {} instead of {}", table.name, table.offset,
                  align_up(end, kBlobAlign_bytes));
    c.bytes.range(table.offset, table.bytes);
    if (!all_zero(c.bytes.range(end, table.offset - end)))
      throw Error("net.bin: the bytes before {} at offset {} are not 0", table.name, end);
    end = table.offset + table.bytes;
  }
  if (end != h.file_bytes)
    throw Error("net.bin: blobs_bytes: {} bytes follow the last blob", h.file_bytes - end);
}

void check_strings(const Container& c) {
  const net::Header& h = c.header;
  const auto text = c.bytes.range(h.strings_offset, h.strings_bytes);
  if (text.empty() || text.front() != 0 || text.back() != 0)
    throw Error("net.bin: strings: the table must start and end with a NUL byte");
  for (size_t first = 0; first < text.size();) {
    const size_t end = std::find(text.begin() + first, text.end(), 0) - text.begin();
    if (!is_printable_utf8(text.subspan(first, end - first)))
      throw Error("net.bin: strings: the string at {} is not printable UTF-8", first);
    first = end + 1;
  }
  c.text(h.name);
}

}  // namespace

std::string Container::text(uint32_t name) const {
  const auto table = bytes.range(header.strings_offset, header.strings_bytes);
  if (name >= table.size() || (name > 0 && table[name - 1] != 0))
    throw Error("net.bin: name: {} is no string's offset", name);
  return reinterpret_cast<const char*>(table.data()) + name;
}

uint32_t container_crc(std::span<const uint8_t> file) {
  constexpr size_t at = offsetof(net::Header, crc32);
  const uint8_t zero[4] = {};
  uint32_t crc = crc32_z(0, file.data(), at);
  crc = crc32_z(crc, zero, sizeof zero);
  return crc32_z(crc, file.data() + at + sizeof zero, file.size() - at - sizeof zero);
}

Container read_container(std::span<const uint8_t> file) {
  if (file.size() > kMaxFile_bytes)
    throw Error("net.bin: {} bytes exceed {}", file.size(), kMaxFile_bytes);
  Container c(file);
  c.header = c.bytes.at<net::Header>(0);
  check_header(c);
  check_table_order(c);
  check_strings(c);
  const net::Header& h = c.header;
  for (uint32_t i = 0; i < h.tensor_count; ++i)
    c.tensors.push_back(c.bytes.at<net::Tensor>(h.tensors_offset + i * sizeof(net::Tensor)));
  for (uint32_t i = 0; i < h.op_count; ++i)
    c.ops.push_back(c.bytes.at<net::Op>(h.ops_offset + i * sizeof(net::Op)));
  for (uint32_t i = 0; i < uint32_t{h.input_count} + h.output_count; ++i) {
    const auto id = c.bytes.at<uint16_t>(h.io_offset + i * sizeof(uint16_t));
    if (id >= h.tensor_count) throw Error("net.bin: io: tensor {} of {}", id, h.tensor_count);
    (i < h.input_count ? c.inputs : c.outputs).push_back(id);
  }
  return c;
}

net::Family family_for(const net::Op& op) {
  const bool is_1x1 = op.kernel_h == 1 && op.kernel_w == 1 && op.stride_h == 1 && op.stride_w == 1 &&
                      !(op.pad_top | op.pad_left | op.pad_bottom | op.pad_right);
  switch (static_cast<net::OpKind>(op.kind)) {
    case net::OpKind::conv2d: return is_1x1 ? net::Family::pointwise : net::Family::conv;
    case net::OpKind::depthwise: return net::Family::depthwise;
    case net::OpKind::fully_connected: return net::Family::fully_connected;
    case net::OpKind::avg_pool: return net::Family::avg_pool;
    case net::OpKind::max_pool: return net::Family::max_pool;
    case net::OpKind::add: return net::Family::add;
    case net::OpKind::pad: return net::Family::pad;
    case net::OpKind::reshape: return net::Family::reshape;
  }
  throw Error("net.bin: operator kind {} is unknown", op.kind);
}

WeightShape weight_shape(const net::Op& op, const net::Tensor& in0, const net::Tensor& out) {
  WeightShape shape;
  shape.family = static_cast<net::Family>(op.family);
  shape.co = out.c;
  shape.kernel_h = op.kernel_h;
  shape.kernel_w = op.kernel_w;
  // h*w*c of a tensor that passed its check is at most 4 times the arena's bytes.
  const bool flat = static_cast<net::OpKind>(op.kind) == net::OpKind::fully_connected;
  shape.ci = flat ? in0.h * in0.w * in0.c : in0.c;
  shape.in_bits = in0.bits;
  shape.weight_bits = op.weight_bits;
  return shape;
}

uint64_t weight_count(const WeightShape& shape) {
  const uint64_t most = std::numeric_limits<uint64_t>::max();
  const uint64_t rows = shape.family == net::Family::depthwise ? 1 : shape.co;
  uint64_t count = uint64_t{shape.kernel_h} * shape.kernel_w;
  for (const uint64_t factor : {rows, uint64_t{shape.ci}})
    count = factor != 0 && count > most / factor ? most : count * factor;
  return count;
}

std::vector<BlobRef> blobs_of(const net::Op& op, const net::Tensor& out, uint64_t weight_bytes) {
  const KindRow* kind = find_kind(static_cast<net::OpKind>(op.kind));
  const bool weights = kind && kind->has_weights;
  const bool thresholds =
      weights && static_cast<net::Contract>(op.contract) == net::Contract::thresholds;
  const bool scaled = weights && !thresholds;
  const uint64_t co = out.c;
  const uint64_t factors = op.flags & net::kOpPerChannelMult ? co : 1;
  const bool per_channel = weights && (op.flags & net::kOpPerChannelZeroPoint);
  return {
      {"weights", &net::Op::weights_offset, weights ? weight_bytes : 0, weights},
      {"bias", &net::Op::bias_offset, 4 * co, weights},
      {"mult", &net::Op::mult_offset, 4 * factors, scaled},
      {"shift", &net::Op::shift_offset, factors, scaled},
      {"zero_points", &net::Op::zero_points_offset, 2 * co, per_channel},
      {"thresholds", &net::Op::thresholds_offset, 4 * co * ((1u << out.bits) - 1), thresholds},
      {"directions", &net::Op::directions_offset, co, thresholds},
  };
}

}  // namespace mcusim
