// SPDX-License-Identifier: MIT
#include "sim/report/sweep_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "sim/report/table.h"

namespace mcusim::report {
namespace {

using Json = nlohmann::ordered_json;

double mhz(const SweepRow& row) { return static_cast<double>(row.core_hz) / 1e6; }

const SweepRow* fastest(const std::vector<SweepRow>& rows) {
  const SweepRow* best = nullptr;
  for (const auto& row : rows)
    if (row.ran() && (!best || row.inference_ms() < best->inference_ms())) best = &row;
  return best;
}

// A column that is the same everywhere is said once, above the table.
struct Setting {
  const char* name;
  std::string (*value)(const SweepRow&);
};
constexpr Setting kSettings[] = {
    {"board", [](const SweepRow& row) { return row.board; }},
    {"MHz", [](const SweepRow& row) { return fmt::format("{:g}", mhz(row)); }},
    {"code", [](const SweepRow& row) { return row.code; }},
    {"weights", [](const SweepRow& row) { return row.weights; }},
    {"arena", [](const SweepRow& row) { return row.arena; }},
    {"scratch", [](const SweepRow& row) { return row.scratch; }},
    {"caches", [](const SweepRow& row) { return std::string(row.caches ? "on" : "off"); }},
};

bool varies(const std::vector<SweepRow>& rows, const Setting& setting) {
  return std::any_of(rows.begin(), rows.end(),
                     [&](const SweepRow& row) { return setting.value(row) != setting.value(rows.front()); });
}

}  // namespace

SweepRow sweep_row(const Run& run) {
  SweepRow row;
  row.core_hz = run.core_hz;
  row.macs = run.macs;
  row.image_bytes = run.image_bytes;
  row.timing_table = run.timing_table;
  row.error_band = run.error_band;
  row.inference_cycles = run.cycles;
  row.inference_instructions = run.instructions;
  for (const auto& layer : run.layers)
    if (layer.op_index < 0 && layer.name == "start-up") {
      row.startup_cycles = layer.cycles;
      row.inference_cycles -= layer.cycles;
      row.inference_instructions -= layer.instructions;
    }
  for (const auto& memory : run.memories) {
    if (memory.use == "arena") row.arena_bytes = memory.peak_bytes;
    if (memory.use == "weights") row.weights_ram_bytes = memory.peak_bytes;
    if (memory.use == "kernels") row.kernels_ram_bytes = memory.planned_bytes;
    if (memory.use == "stack") row.stack_bytes = memory.peak_bytes;
  }
  return row;
}

std::string sweep_text(const std::vector<SweepRow>& rows) {
  if (rows.empty()) return "";
  std::string out;
  std::vector<Column> columns;
  for (const auto& setting : kSettings) {
    if (varies(rows, setting)) columns.push_back({setting.name, Align::left});
    else out += fmt::format("{}{} {}", out.empty() ? "" : ", ", setting.name, setting.value(rows.front()));
  }
  if (!out.empty()) out = "everywhere: " + out + "\n\n";
  const SweepRow* best = fastest(rows);
  for (const char* title : {"cycles", "ms", "of best", "cyc/MAC", "start-up", "FLASH B"}) columns.push_back({title});
  columns.push_back({"", Align::left});
  Table table(std::move(columns));
  for (const auto& row : rows) {
    std::vector<std::string> cells;
    for (const auto& setting : kSettings)
      if (varies(rows, setting)) cells.push_back(setting.value(row));
    if (row.ran()) {
      cells.push_back(fmt::format("{}", row.inference_cycles));
      cells.push_back(fmt::format("{:.3f}", row.inference_ms()));
      cells.push_back(fmt::format("{:.2f}", row.inference_ms() / best->inference_ms()));
      cells.push_back(row.macs ? fmt::format("{:.2f}", static_cast<double>(row.inference_cycles) / static_cast<double>(row.macs)) : "-");
      cells.push_back(fmt::format("{}", row.startup_cycles));
      cells.push_back(fmt::format("{}", row.image_bytes));
      cells.push_back(&row == best ? "<- fastest" : "");
    } else {
      cells.insert(cells.end(), 6, "-");
      cells.push_back(row.reason);
    }
    table.add(std::move(cells));
  }
  out += table.text();
  if (best) out += fmt::format("\ntiming table {}; error band: {}\n", best->timing_table, best->error_band);
  return out;
}

std::string sweep_csv(const std::vector<SweepRow>& rows) {
  std::string out = "board,core_hz,code,weights,arena,scratch,caches,inference_cycles,inference_ms,startup_cycles,"
                    "inference_instructions,macs,image_bytes,arena_peak_bytes,weights_ram_bytes,kernels_ram_bytes,"
                    "stack_peak_bytes,timing_table,reason\r\n";
  for (const auto& row : rows) {
    out += fmt::format("{},{},{},{},{},{},{}", csv_text(row.board), row.core_hz, csv_text(row.code), csv_text(row.weights),
                       csv_text(row.arena), csv_text(row.scratch), row.caches ? "on" : "off");
    if (row.ran())
      out += fmt::format(",{},{:.6f},{},{},{},{},{},{},{},{},{},\r\n", row.inference_cycles, row.inference_ms(),
                         row.startup_cycles, row.inference_instructions, row.macs, row.image_bytes, row.arena_bytes,
                         row.weights_ram_bytes, row.kernels_ram_bytes, row.stack_bytes, row.timing_table);
    else
      out += fmt::format(",,,,,,,,,,,,{}\r\n", csv_text(row.reason));
  }
  return out;
}

std::string sweep_json(const std::vector<SweepRow>& rows, const std::string& program, const std::string& input) {
  Json points = Json::array();
  for (const auto& row : rows) {
    Json point = {{"board", row.board}, {"core_hz", row.core_hz}, {"code", row.code}, {"weights", row.weights},
                  {"arena", row.arena}, {"scratch", row.scratch}, {"caches", row.caches}, {"reason", row.reason}};
    if (row.ran())
      point.update({{"inference_cycles", row.inference_cycles},
                    {"inference_ms", row.inference_ms()},
                    {"startup_cycles", row.startup_cycles},
                    {"inference_instructions", row.inference_instructions},
                    {"macs", row.macs},
                    {"image_bytes", row.image_bytes},
                    {"arena_peak_bytes", row.arena_bytes},
                    {"weights_ram_bytes", row.weights_ram_bytes},
                    {"kernels_ram_bytes", row.kernels_ram_bytes},
                    {"stack_peak_bytes", row.stack_bytes},
                    {"timing_table", row.timing_table}});
    points.push_back(std::move(point));
  }
  const Json out = {{"schema", "mcusim.sweep"}, {"schema_version", 1}, {"program", program}, {"input", input},
                    {"points", points}};
  return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace mcusim::report
