// SPDX-License-Identifier: MIT
// net.json to IntNet. Only what is needed to build the structs is judged here:
// keys, types, ranges of the fields, array files. Whether the network makes sense
// is for `encode` to say, as for every other source.
#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "kernels/host/names.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "memmap/base/npy.h"
#include "quant/pack/json_fields.h"
#include "quant/pack/net_json.h"
#include "quant/pack/place.h"

namespace mcusim {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr int64_t kMost32 = std::numeric_limits<int32_t>::max();
constexpr int64_t kLeast32 = std::numeric_limits<int32_t>::min();
constexpr int64_t kMostDim = net::kMaxDim;

class Reader {
 public:
  explicit Reader(const std::string& path)
      : path_(path), folder_(fs::weakly_canonical(fs::absolute(path)).parent_path()) {}

  IntNet read() {
    const Json json = parse();
    JsonFields fields(json, path_);
    if (fields.text("format") != "mcusim-net")
      throw Error("{}: \"format\" is not \"mcusim-net\"", path_);
    fields.integer("version", 1, 1);
    net_.name = fields.has("name") ? fields.text("name") : "";
    for (const Json& item : list(fields, "tensors")) read_tensor(item);
    for (const Json& item : list(fields, "operators")) read_operator(item);
    net_.inputs = ids(fields, "inputs");
    net_.outputs = ids(fields, "outputs");
    const bool has_size = fields.has("arena_bytes");
    if (has_size)
      net_.arena_bytes = static_cast<uint32_t>(fields.integer("arena_bytes", 0, kMost32));
    fields.finish();
    if (placed_ != 0 && unplaced_ != 0)
      throw Error("{}: {} tensors have an \"arena_offset\" and {} have none", path_, placed_,
                  unplaced_);
    if (unplaced_ != 0)
      place_tensors(net_);
    else if (!has_size)
      throw Error("{}: \"arena_bytes\" is missing", path_);
    return std::move(net_);
  }

 private:
  Json parse() const {
    try {
      return Json::parse(read_text_file(path_));
    } catch (const nlohmann::json::exception& error) {
      throw Error("{}: {}", path_, error.what());
    }
  }

  const Json& list(JsonFields& fields, const char* key) const {
    const Json& found = fields.value(key);
    if (!found.is_array()) throw Error("{}: \"{}\" is not a list", path_, key);
    return found;
  }

  // A tensor by its name or its number.
  int id(const Json& reference, const std::string& place) const {
    if (reference.is_string()) {
      const auto found = by_name_.find(reference.get<std::string>());
      if (found == by_name_.end()) throw Error("{}: no tensor {}", place, reference.dump());
      if (found->second < 0)
        throw Error("{}: several tensors are named {}", place, reference.dump());
      return found->second;
    }
    return static_cast<int>(
        json_integer(reference, 0, static_cast<int64_t>(net_.tensors.size()) - 1, place));
  }

  std::vector<int> ids(JsonFields& fields, const char* key) const {
    std::vector<int> found;
    for (const Json& item : list(fields, key))
      found.push_back(id(item, path_ + ": \"" + key + '"'));
    return found;
  }

  void read_tensor(const Json& json) {
    JsonFields fields(json, fmt::format("{}: tensor {}", path_, net_.tensors.size()));
    IntTensor t;
    if (fields.has("name")) t.name = fields.text("name");
    const auto shape = fields.integers("shape", 3, 1, kMostDim);
    t.h = static_cast<uint32_t>(shape[0]);
    t.w = static_cast<uint32_t>(shape[1]);
    t.c = static_cast<uint32_t>(shape[2]);
    t.bits = static_cast<uint8_t>(fields.integer("bits", 2, 8));
    t.signed_view = fields.has("signed") && fields.boolean("signed");
    t.zero_point = static_cast<int32_t>(fields.integer("zero_point", 0, 255));
    t.scale = fields.real("scale");
    if (fields.has("parent")) {
      t.parent = id(fields.value("parent"), fields.place());
      const auto origin = fields.integers("origin", 3, 0, kMostDim);
      t.origin_y = static_cast<uint32_t>(origin[0]);
      t.origin_x = static_cast<uint32_t>(origin[1]);
      t.origin_c = static_cast<uint32_t>(origin[2]);
    } else if (fields.has("arena_offset")) {
      t.arena_offset = static_cast<uint32_t>(fields.integer("arena_offset", 0, kMost32));
      ++placed_;
    } else {
      ++unplaced_;
    }
    fields.finish();
    if (!t.name.empty()) {
      const auto [known, is_new] = by_name_.emplace(t.name, static_cast<int>(net_.tensors.size()));
      if (!is_new) known->second = -1;
    }
    net_.tensors.push_back(std::move(t));
  }

  void read_operator(const Json& json) {
    JsonFields fields(json, fmt::format("{}: operator {}", path_, net_.ops.size()));
    IntOp op;
    if (fields.has("name")) op.name = fields.text("name");
    const KindRow& kind = read_kind(fields);
    op.kind = kind.kind;
    op.contract = read_contract(fields);
    op.layer_id = static_cast<uint16_t>(
        fields.has("layer") ? fields.integer("layer", 0, 65535)
                            : std::min<int64_t>(static_cast<int64_t>(net_.ops.size()), 65535));
    const auto inputs = ids(fields, "inputs");
    if (inputs.size() != (kind.is_binary ? 2u : 1u))
      throw Error("{}: {} inputs", fields.place(), inputs.size());
    op.in0 = inputs[0];
    op.in1 = kind.is_binary ? inputs[1] : -1;
    op.out = id(fields.value("output"), fields.place());
    pair(fields, "kernel", kind.is_windowed, 1, op.kernel_h, op.kernel_w);
    pair(fields, "stride", kind.is_windowed, 1, op.stride_h, op.stride_w);
    if (fields.has("padding") || kind.is_windowed) {
      const auto pad = fields.integers("padding", 4, 0, kMostDim);
      op.pad_top = static_cast<uint32_t>(pad[0]);
      op.pad_left = static_cast<uint32_t>(pad[1]);
      op.pad_bottom = static_cast<uint32_t>(pad[2]);
      op.pad_right = static_cast<uint32_t>(pad[3]);
    }
    op.half_step = fields.has("half_step") && fields.boolean("half_step");
    if (fields.has("clamp")) {
      const auto clamp = fields.integers("clamp", 2, kLeast32, kMost32);
      op.act_min = static_cast<int32_t>(clamp[0]);
      op.act_max = static_cast<int32_t>(clamp[1]);
    }
    if (!kind.has_weights && op.contract != net::Contract::none) {
      const auto mult = fields.integers("scalar_mult", 3, kLeast32, kMost32);
      const auto shift = fields.integers("scalar_shift", 3, -128, 127);
      std::copy_n(mult.begin(), 3, op.scalar_mult);
      std::copy_n(shift.begin(), 3, op.scalar_shift);
    }
    if (kind.has_weights) read_weights(fields, op);
    fields.finish();
    net_.ops.push_back(std::move(op));
  }

  static const KindRow& read_kind(JsonFields& fields) {
    const std::string name = fields.text("kind");
    for (const KindRow& row : kind_table())
      if (name == row.name) return row;
    throw Error("{}: unknown \"kind\" {}", fields.place(), name);
  }

  static net::Contract read_contract(JsonFields& fields) {
    const std::string name = fields.text("contract");
    for (const auto contract : {net::Contract::none, net::Contract::icn_floor,
                                net::Contract::thresholds, net::Contract::tflite})
      if (name == contract_name(contract)) return contract;
    throw Error("{}: unknown \"contract\" {}", fields.place(), name);
  }

  static void pair(JsonFields& fields, const char* key, bool required, int64_t least,
                   uint32_t& first, uint32_t& second) {
    if (!required && !fields.has(key)) return;
    const auto values = fields.integers(key, 2, least, kMostDim);
    first = static_cast<uint32_t>(values[0]);
    second = static_cast<uint32_t>(values[1]);
  }

  void read_weights(JsonFields& fields, IntOp& op) const {
    op.weight_bits = static_cast<uint8_t>(fields.integer("weight_bits", 2, 8));
    op.weights = array<uint8_t>(fields, "weights", 0, (1 << op.weight_bits) - 1, natural_shape(op));
    op.weight_zero_points = array<int32_t>(fields, "weight_zero_points", -32768, 32767);
    op.bias = array<int32_t>(fields, "bias", kLeast32, kMost32);
    if (op.contract == net::Contract::thresholds) {
      op.thresholds = array<int32_t>(fields, "thresholds", kLeast32, kMost32);
      op.directions = array<uint8_t>(fields, "directions", 0, 1);
    } else {
      op.mult = array<int32_t>(fields, "mult", kLeast32, kMost32);
      op.shift = array<int8_t>(fields, "shift", -128, 127);
    }
  }

  std::vector<uint64_t> natural_shape(const IntOp& op) const {
    const IntTensor& in = net_.tensors[static_cast<size_t>(op.in0)];
    const IntTensor& out = net_.tensors[static_cast<size_t>(op.out)];
    if (op.kind == net::OpKind::conv2d) return {out.c, op.kernel_h, op.kernel_w, in.c};
    if (op.kind == net::OpKind::depthwise) return {op.kernel_h, op.kernel_w, out.c};
    return {out.c, uint64_t{in.h} * in.w * in.c};
  }

  // Integers in the text, or FILE.npy / FILE.npz:ARRAY below the folder of net.json.
  template <typename T>
  std::vector<T> array(JsonFields& fields, const char* key, int64_t least, int64_t most,
                       const std::vector<uint64_t>& shape = {}) const {
    const std::string place = fmt::format("{}: \"{}\"", fields.place(), key);
    std::vector<int64_t> values;
    if (fields.value(key).is_string()) {
      const std::string text = fields.text(key);
      const NpyArray loaded = load_inside(text, place);
      if (!shape.empty() && loaded.shape.size() > 1 && loaded.shape != shape)
        throw Error("{}: {} has shape [{}], expected [{}]", place, text,
                    fmt::join(loaded.shape, ","), fmt::join(shape, ","));
      values = loaded.as_integers();
      for (const int64_t value : values)
        if (value < least || value > most)
          throw Error("{}: {}: value {} is not in {}..{}", place, text, value, least, most);
    } else {
      values = fields.integers(key, 0, least, most);
    }
    return {values.begin(), values.end()};
  }

  NpyArray load_inside(const std::string& text, const std::string& place) const {
    ArraySelector selector = parse_selector(text);
    const fs::path file = fs::weakly_canonical(folder_ / selector.path);
    const auto [folder_end, unused] =
        std::mismatch(folder_.begin(), folder_.end(), file.begin(), file.end());
    if (folder_end != folder_.end() || fs::path(selector.path).is_absolute())
      throw Error("{}: {} leaves the folder of net.json", place, selector.path);
    selector.path = file.string();
    return load_array(selector);
  }

  std::string path_;
  fs::path folder_;
  IntNet net_;
  std::map<std::string, int> by_name_;  // -1: not unique
  size_t placed_ = 0, unplaced_ = 0;
};

}  // namespace

IntNet read_net_json(const std::string& path) { return Reader(path).read(); }

}  // namespace mcusim
