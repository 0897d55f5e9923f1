// SPDX-License-Identifier: MIT
// The machine-readable report; docs/report_schema.md documents every key. Keys are
// printed in a fixed order and numbers exactly, so equal runs give equal bytes.
#include <nlohmann/json.hpp>

#include "sim/report/report.h"

namespace mcusim::report {
namespace {

using Json = nlohmann::ordered_json;

Json causes_json(const CauseCycles& causes) {
  Json out = Json::object();
  for (size_t i = 0; i < kCauseCount; ++i)
    if (causes[i] != 0) out[cause_name(static_cast<Cause>(i))] = causes[i];
  return out;
}

Json layer_json(const Layer& layer) {
  return {{"op_index", layer.op_index},
          {"layer_id", layer.layer_id},
          {"name", layer.name},
          {"op", layer.op},
          {"in_bits", layer.in_bits},
          {"weight_bits", layer.weight_bits},
          {"out_bits", layer.out_bits},
          {"out_shape", layer.shape},
          {"macs", layer.macs},
          {"instructions", layer.instructions},
          {"cycles", layer.cycles},
          {"weight_bytes", layer.weight_bytes},
          {"live_activation_bytes", layer.live_activation_bytes},
          {"weight_bytes_8bit", layer.weight_bytes_8bit},
          {"live_activation_bytes_8bit", layer.live_activation_bytes_8bit},
          {"data_bytes", layer.data_bytes},
          {"causes", causes_json(layer.causes)}};
}

template <typename Row, typename Convert>
Json array(const std::vector<Row>& rows, Convert convert) {
  Json out = Json::array();
  for (const auto& row : rows) out.push_back(convert(row));
  return out;
}

}  // namespace

std::string to_json(const Run& run) {
  Json out;
  out["schema"] = "mcusim.run";
  out["schema_version"] = kSchemaVersion;
  out["tool"] = {{"version", run.tool_version}, {"engine", run.engine}};
  out["board"] = {{"name", run.board}, {"clock", run.clock}, {"core_hz", run.core_hz}};
  out["board"]["regions"] = array(run.regions, [](const Region& region) {
    return Json{{"name", region.name}, {"address", region.address}, {"size_bytes", region.size_bytes}};
  });
  out["timing"] = {{"table", run.timing_table},
                   {"guesses", run.timing_guesses},
                   {"cycles_low", run.cycles_low},
                   {"cycles_high", run.cycles_high},
                   {"error_band", run.error_band}};
  out["program"] = {{"file", run.program},
                    {"crc32", run.program_crc32},
                    {"network", run.network},
                    {"input", run.input},
                    {"container_bytes", run.container_bytes},
                    {"image_bytes", run.image_bytes},
                    {"code_bytes", run.code_bytes},
                    {"arena_bytes_8bit", run.arena_bytes_8bit}};
  out["end"] = {{"reason", run.end}, {"exit_code", run.exit_code}, {"message", run.message}};
  out["totals"] = {{"instructions", run.instructions},
                   {"cycles", run.cycles},
                   {"macs", run.macs},
                   {"seconds", run.seconds()},
                   {"causes", causes_json(run.causes)}};
  out["layers"] = array(run.layers, layer_json);
  out["functions"] = array(run.functions, [](const Function& f) {
    return Json{{"name", f.name},
                {"address", f.address},
                {"instructions", f.instructions},
                {"cycles", f.cycles},
                {"causes", causes_json(f.causes)}};
  });
  out["memory"] = array(run.memories, [](const Memory& m) {
    return Json{{"region", m.region},
                {"use", m.use},
                {"planned_bytes", m.planned_bytes},
                {"peak_bytes", m.peak_bytes},
                {"limit_bytes", m.limit_bytes},
                {"address", m.address}};
  });
  out["arena"] = array(run.arena, [](const ArenaSlot& slot) {
    return Json{{"tensor", slot.tensor},
                {"offset_bytes", slot.offset_bytes},
                {"size_bytes", slot.size_bytes},
                {"first_op", slot.first_op},
                {"last_op", slot.last_op}};
  });
  out["top"] = array(run.top, [](const Prediction& p) {
    return Json{{"index", p.index}, {"stored", p.stored}, {"value", p.value}};
  });
  out["verify"] = run.verify;
  out["notes"] = run.notes;
  // Names come from files: bytes that are not UTF-8 are replaced, not fatal.
  return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace mcusim::report
