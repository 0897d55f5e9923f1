// SPDX-License-Identifier: MIT
// `mcusim info`: what a container holds, as tables or as JSON: tensors, operators,
// and where its bytes go. The byte kinds sum to the file's size.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "kernels/host/container.h"
#include "kernels/host/names.h"
#include "memmap/base/file.h"
#include "quant/cli/command.h"
#include "quant/cli/store.h"

namespace mcusim::net_cli {
namespace {

using Json = nlohmann::ordered_json;

// Bytes by kind; what no kind claims is alignment.
std::vector<std::pair<std::string, uint64_t>> bytes_by_kind(const Container& c) {
  std::map<std::string, uint64_t> blobs;
  std::set<uint32_t> counted;  // equal blobs are stored once
  uint64_t known = 0;
  for (const net::Op& op : c.ops)
    for (const BlobRef& blob : blobs_of(op, c.tensors[op.out], op.weights_bytes)) {
      const uint32_t offset = op.*blob.offset;
      if (offset == 0 || !counted.insert(offset).second) continue;
      blobs[blob.name] += blob.bytes;
    }
  std::vector<std::pair<std::string, uint64_t>> kinds = {
      {"header", sizeof(net::Header)},
      {"tensor table", c.tensors.size() * sizeof(net::Tensor)},
      {"operator table", c.ops.size() * sizeof(net::Op)},
      {"inputs, outputs", (c.inputs.size() + c.outputs.size()) * sizeof(uint16_t)},
      {"names", c.header.strings_bytes}};
  kinds.insert(kinds.end(), blobs.begin(), blobs.end());
  for (const auto& [name, bytes] : kinds) known += bytes;
  kinds.emplace_back("alignment", c.header.file_bytes - known);
  return kinds;
}

Json tensor_json(const IntTensor& t, const net::Tensor& raw, size_t id) {
  Json json = {{"id", id}, {"name", t.name}, {"shape", {t.h, t.w, t.c}}, {"bits", t.bits}};
  json["signed"] = t.signed_view;
  json["scale"] = std::strtod(fmt::format("{:.9g}", t.scale).c_str(), nullptr);
  json["zero_point"] = t.zero_point;
  json["parent"] = t.parent >= 0 ? Json(t.parent) : Json(nullptr);
  json["bytes"] = storage_bytes(t);
  json["arena_offset"] = raw.arena_offset;
  return json;
}

Json op_json(const IntNet& net, const IntOp& op, const net::Op& raw) {
  Json json = {{"layer", op.layer_id}, {"name", op.name}, {"kind", kind_name(op.kind)}};
  json["family"] = family_name(static_cast<net::Family>(raw.family));
  json["contract"] = contract_name(op.contract);
  json["inputs"] = op.in1 >= 0 ? Json{op.in0, op.in1} : Json{op.in0};
  json["output"] = op.out;
  json["weight_bits"] = op.weight_bits;
  json["weight_bytes"] = raw.weights_bytes;
  json["kernel"] = {op.kernel_h, op.kernel_w};
  json["stride"] = {op.stride_h, op.stride_w};
  json["padding"] = {op.pad_top, op.pad_left, op.pad_bottom, op.pad_right};
  json["half_step"] = op.half_step;
  json["macs"] = macs(net, op);
  return json;
}

Json describe(const NetFile& file) {
  const Container c = read_container(file.container);
  Json json = {{"format", "mcusim-net-info"}, {"version", 1}, {"name", file.net.name}};
  json["container_version"] = c.header.version;
  json["file_bytes"] = c.header.file_bytes;
  json["arena_bytes"] = c.header.arena_bytes;
  json["scratch_bytes"] = c.header.scratch_bytes;
  json["half_step"] = (c.header.flags & net::kFlagHalfStep) != 0;
  json["inputs"] = file.net.inputs;
  json["outputs"] = file.net.outputs;
  uint64_t total_macs = 0, parameters = 0;
  for (const IntOp& op : file.net.ops) {
    total_macs += macs(file.net, op);
    parameters += op.weights.size() + op.bias.size();
  }
  json["macs"] = total_macs;
  json["parameters"] = parameters;
  json["tensors"] = Json::array();
  for (size_t i = 0; i < file.net.tensors.size(); ++i)
    json["tensors"].push_back(tensor_json(file.net.tensors[i], c.tensors[i], i));
  json["operators"] = Json::array();
  for (size_t i = 0; i < file.net.ops.size(); ++i)
    json["operators"].push_back(op_json(file.net, file.net.ops[i], c.ops[i]));
  for (const auto& [name, bytes] : bytes_by_kind(c)) json["bytes"][name] = bytes;
  return json;
}

std::string triple(const Json& list, const char* separator) {
  return fmt::format("{}", fmt::join(list.get<std::vector<uint32_t>>(), separator));
}

std::string shorten(const std::string& text, size_t width) {
  return text.size() <= width ? text : "..." + text.substr(text.size() - width + 3);
}

void print_tables(const Json& j) {
  fmt::print("{}: container version {}, {} B, arena {} B, scratch {} B{}\n",
             j["name"].get<std::string>(), j["container_version"].get<int>(),
             j["file_bytes"].get<uint32_t>(), j["arena_bytes"].get<uint32_t>(),
             j["scratch_bytes"].get<uint32_t>(),
             j["half_step"].get<bool>() ? ", half step folded in" : "");
  fmt::print("{} parameters, {} MACs, inputs {}, outputs {}\n\n", j["parameters"].get<uint64_t>(),
             j["macs"].get<uint64_t>(), j["inputs"].dump(), j["outputs"].dump());
  fmt::print("{:>3} {:<30} {:>12} {:>4} {:>15} {:>5} {:>8} {:>8} {}\n", "id", "tensor", "shape",
             "bits", "scale", "zero", "bytes", "offset", "view of");
  for (const Json& t : j["tensors"])
    fmt::print("{:>3} {:<30} {:>12} {:>4} {:>15.9g} {:>5} {:>8} {:>8} {}\n", t["id"].get<int>(),
               shorten(t["name"], 30), triple(t["shape"], "x"),
               fmt::format("{}{}", t["signed"].get<bool>() ? "i" : "u", t["bits"].get<int>()),
               t["scale"].get<double>(), t["zero_point"].get<int>(), t["bytes"].get<uint32_t>(),
               t["arena_offset"].get<uint32_t>(), t["parent"].is_null() ? "" : t["parent"].dump());
  fmt::print("\n{:>5} {:<30} {:<15} {:<8} {:>8} {:>4} {:>6} {:>6} {:>7} {:>11} {:>9}\n", "layer",
             "operator", "kernel family", "contract", "in", "out", "window", "stride", "padding",
             "MACs", "weights B");
  for (const Json& o : j["operators"])
    fmt::print("{:>5} {:<30} {:<15} {:<8} {:>8} {:>4} {:>6} {:>6} {:>7} {:>11} {:>9}\n",
               o["layer"].get<int>(), shorten(o["name"], 30),
               o["family"].get<std::string>() +
                   (o["weight_bits"] != 0 ? " w" + o["weight_bits"].dump() : ""),
               o["contract"].get<std::string>(), triple(o["inputs"], ","), o["output"].get<int>(),
               triple(o["kernel"], "x"), triple(o["stride"], "x"), triple(o["padding"], ","),
               o["macs"].get<uint64_t>(), o["weight_bytes"].get<uint32_t>());
  fmt::print("\n{:<20} {:>10}\n", "bytes of the file", "B");
  for (const auto& [name, bytes] : j["bytes"].items())
    fmt::print("{:<20} {:>10}\n", name, bytes.get<uint64_t>());
  fmt::print("{:<20} {:>10}\n", "total", j["file_bytes"].get<uint32_t>());
}

}  // namespace

void add_info(CLI::App& app, int*) {
  auto* command = app.add_subcommand("info", "What a network file holds and where its bytes go");
  auto model = std::make_shared<std::string>(), json_path = std::make_shared<std::string>();
  command->add_option("net", *model, "net.bin, net.json, int8 model.tflite or quantised model.onnx")->required();
  command->add_option("--json", *json_path, "Write JSON to a file instead (- for standard output)");
  command->callback([=] {
    const NetFile file = load_net_file(*model);
    const Json json = describe(file);
    const std::string text = json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
    if (json_path->empty()) {
      print_notes(file);
      print_tables(json);
    } else if (*json_path == "-") {
      fmt::print("{}", text);
    } else {
      write_file(*json_path, text);
    }
  });
}

}  // namespace mcusim::net_cli
