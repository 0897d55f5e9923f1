// SPDX-License-Identifier: MIT
// IntNet to net.json and .npy files. One tensor or operator per line, so that a
// text diff of two networks reads well; fields that an operator kind does not use
// are left out unless they hold something.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "kernels/host/names.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "memmap/base/npy.h"
#include "quant/pack/net_json.h"

namespace mcusim {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
const char* npy_type() {
  if constexpr (std::is_same_v<T, uint8_t>) return "|u1";
  if constexpr (std::is_same_v<T, int8_t>) return "|i1";
  return "<i4";
}

// Nine digits name every float32; the double nearest to them prints as them.
double nine_digits(float value) {
  return std::strtod(fmt::format("{:.9g}", value).c_str(), nullptr);
}

class Writer {
 public:
  Writer(const IntNet& net, std::string directory) : net_(net), directory_(std::move(directory)) {
    std::set<std::string> names;
    for (const auto& tensor : net.tensors)
      named_ &= !tensor.name.empty() && names.insert(tensor.name).second;
  }

  void write() {
    std::filesystem::create_directories(directory_);
    std::string text = "{\n";
    text += fmt::format("\"format\": \"mcusim-net\", \"version\": 1,\n\"name\": {},\n",
                        quoted(net_.name));
    text += fmt::format("\"arena_bytes\": {},\n", net_.arena_bytes);
    text += fmt::format("\"inputs\": {},\n\"outputs\": {},\n", ids(net_.inputs).dump(),
                        ids(net_.outputs).dump());
    text += "\"tensors\": [\n";
    for (size_t i = 0; i < net_.tensors.size(); ++i)
      text += tensor(net_.tensors[i]).dump() + (i + 1 < net_.tensors.size() ? ",\n" : "\n");
    text += "],\n\"operators\": [\n";
    for (size_t i = 0; i < net_.ops.size(); ++i)
      text += op(net_.ops[i], i).dump() + (i + 1 < net_.ops.size() ? ",\n" : "\n");
    text += "]\n}\n";
    write_file(directory_ + "/net.json", text);
  }

 private:
  static std::string quoted(const std::string& text) { return Json(text).dump(); }

  Json id(int tensor) const {
    if (!named_) return tensor;
    return net_.tensors.at(static_cast<size_t>(tensor)).name;
  }
  Json ids(const std::vector<int>& tensors) const {
    Json list = Json::array();
    for (const int tensor : tensors) list.push_back(id(tensor));
    return list;
  }

  Json tensor(const IntTensor& t) const {
    Json json;
    if (!t.name.empty()) json["name"] = t.name;
    json["shape"] = {t.h, t.w, t.c};
    json["bits"] = t.bits;
    json["signed"] = t.signed_view;
    json["zero_point"] = t.zero_point;
    json["scale"] = nine_digits(t.scale);
    if (t.parent >= 0) {
      json["parent"] = id(t.parent);
      json["origin"] = {t.origin_y, t.origin_x, t.origin_c};
    } else {
      json["arena_offset"] = t.arena_offset;
    }
    return json;
  }

  Json op(const IntOp& op, size_t index) const {
    const KindRow* kind = find_kind(op.kind);
    check(kind != nullptr, "operators have known kinds");
    Json json;
    if (!op.name.empty()) json["name"] = op.name;
    json["kind"] = kind->name;
    json["contract"] = contract_name(op.contract);
    json["layer"] = op.layer_id;
    json["inputs"] = op.in1 >= 0 ? Json{id(op.in0), id(op.in1)} : Json{id(op.in0)};
    json["output"] = id(op.out);
    if (kind->is_windowed || op.kernel_h != 1 || op.kernel_w != 1)
      json["kernel"] = {op.kernel_h, op.kernel_w};
    if (kind->is_windowed || op.stride_h != 1 || op.stride_w != 1)
      json["stride"] = {op.stride_h, op.stride_w};
    if (kind->is_windowed || op.pad_top || op.pad_left || op.pad_bottom || op.pad_right)
      json["padding"] = {op.pad_top, op.pad_left, op.pad_bottom, op.pad_right};
    if (op.half_step) json["half_step"] = true;
    json["clamp"] = {op.act_min, op.act_max};
    if (op.contract != net::Contract::none && !kind->has_weights) {
      json["scalar_mult"] = {op.scalar_mult[0], op.scalar_mult[1], op.scalar_mult[2]};
      json["scalar_shift"] = {op.scalar_shift[0], op.scalar_shift[1], op.scalar_shift[2]};
    }
    if (!kind->has_weights) return json;
    json["weight_bits"] = op.weight_bits;
    const auto& in = net_.tensors.at(static_cast<size_t>(op.in0));
    const uint64_t channels = op.bias.size();
    const auto natural = op.kind == net::OpKind::conv2d
                             ? std::vector<uint64_t>{channels, op.kernel_h, op.kernel_w, in.c}
                         : op.kind == net::OpKind::depthwise
                             ? std::vector<uint64_t>{op.kernel_h, op.kernel_w, channels}
                             : std::vector<uint64_t>{channels, uint64_t{in.h} * in.w * in.c};
    json["weights"] = array(index, "weights", op.weights, natural);
    json["weight_zero_points"] = array(index, "weight_zero_points", op.weight_zero_points);
    json["bias"] = array(index, "bias", op.bias);
    if (op.contract == net::Contract::thresholds) {
      const uint64_t levels = channels ? op.thresholds.size() / channels : 0;
      json["thresholds"] = array(index, "thresholds", op.thresholds, {channels, levels});
      json["directions"] = array(index, "directions", op.directions);
    } else {
      json["mult"] = array(index, "mult", op.mult);
      json["shift"] = array(index, "shift", op.shift);
    }
    return json;
  }

  // Single values stay in the text, longer arrays become files.
  template <typename T>
  Json array(size_t index, const char* what, const std::vector<T>& values,
             std::vector<uint64_t> shape = {}) const {
    if (values.size() <= 1 && shape.empty()) {
      Json list = Json::array();
      for (const T value : values) list.push_back(value);
      return list;
    }
    if (shape.empty()) shape = {values.size()};
    NpyArray array{npy_type<T>(), std::move(shape), {}};
    array.bytes.resize(values.size() * sizeof(T));
    std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
    const std::string file = fmt::format("op{:03}_{}.npy", index, what);
    write_file(directory_ + "/" + file, format_npy(array));
    return file;
  }

  const IntNet& net_;
  std::string directory_;
  bool named_ = true;
};

}  // namespace

void write_net_json(const IntNet& net, const std::string& directory) {
  try {
    Writer(net, directory).write();
  } catch (const nlohmann::json::exception&) {
    throw Error("{}: a name of the network is not UTF-8 and cannot be written as JSON", net.name);
  } catch (const std::filesystem::filesystem_error& error) {
    throw Error("{}: {}", directory, error.code().message());
  }
}

}  // namespace mcusim
