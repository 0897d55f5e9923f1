// SPDX-License-Identifier: MIT
// Bytes: the board's memories, the arena over time, and what the bit plan saved.
#include <fmt/format.h>

#include <algorithm>

#include "sim/report/charts.h"
#include "sim/report/numbers.h"
#include "sim/report/svg.h"

namespace mcusim::report {
namespace {

constexpr uint32_t kMostColumns = 4096;   // far above any container's operators
constexpr const char* kFills[] = {"#3b76b8", "#27835f", "#b9611a", "#8e5bb5", "#14808a", "#8a7a17", "#bf4a6c", "#7a4f1a"};

const Region* region_of(const Run& run, const Memory& memory) {
  for (const auto& region : run.regions)
    if (memory.address >= region.address && memory.address - region.address < region.size_bytes) return &region;
  return nullptr;
}

std::string peak_words(const Memory& memory) {
  std::string out = fmt::format("{} {}: peak {} B", memory.region, memory.use, grouped(memory.peak_bytes));
  if (memory.limit_bytes)
    out += fmt::format(" of {} B ({})", grouped(memory.limit_bytes), percent(memory.peak_bytes, memory.limit_bytes));
  if (memory.planned_bytes) out += fmt::format(", planned {} B", grouped(memory.planned_bytes));
  return out + fmt::format(", at 0x{:08x}", memory.address);
}

// Uses of one region as boxes inside its bar.
std::string uses_of(const Run& run, const Region& region, double left, double room, double y) {
  std::string out;
  for (size_t i = 0; i < run.memories.size(); ++i) {
    const Memory& memory = run.memories[i];
    if (region_of(run, memory) != &region) continue;
    const bool is_stack = memory.use == "stack" || memory.region == "stack";
    const double at = left + room * share(memory.address - region.address, region.size_bytes);
    const double limit = room * share(is_stack ? memory.limit_bytes : memory.peak_bytes, region.size_bytes);
    const double peak = std::max(1.5, room * share(memory.peak_bytes, region.size_bytes));
    std::string body;
    if (is_stack) body += rectangle(at, y, limit, 20, "none", fmt::format("stroke=\"{}\" stroke-dasharray=\"2 2\"", kFaint));
    body += rectangle(is_stack ? at + std::max(0.0, limit - peak) : at, y, peak, 20, kFills[i % std::size(kFills)]);
    const std::string words = fmt::format("{} {}", memory.region == "stack" ? "stack" : memory.use, short_bytes(memory.peak_bytes));
    const double wide = kCharacterWidth * static_cast<double>(words.size()) + 10;
    if (peak > wide) body += text(at + 5, y + 14, words, Anchor::start, "#fff", 11);
    out += mark(peak_words(memory), body, fmt::format("data-memory=\"{} {}\" data-peak=\"{}\"", html_escape(memory.region),
                                                      html_escape(memory.use), memory.peak_bytes));
  }
  return out;
}

// Operators as the tables name them, by index: the layer's id.
std::vector<std::string> operator_labels(const Run& run, size_t count) {
  std::vector<std::string> out(count);
  for (const auto& layer : run.layers)
    if (layer.op_index >= 0 && static_cast<size_t>(layer.op_index) < count)
      out[static_cast<size_t>(layer.op_index)] = fmt::format("{}", layer.layer_id);
  return out;
}

std::string operator_name(const Run& run, uint32_t op_index) {
  for (const auto& layer : run.layers)
    if (layer.op_index == static_cast<int>(op_index)) return row_name(layer);
  return fmt::format("operator {}", op_index);
}

struct Column {
  std::string words;
  uint64_t now = 0, before = 0;
};

struct Level {
  std::string words;
  uint64_t bytes = 0;
  const char* colour;
};

// Columns by operator: outlined before, filled after; horizontal lines for totals.
std::string plan_chart(const Run& run, const std::string& title, const std::vector<Column>& columns, const std::vector<Level>& levels) {
  const double left = 76, width = kChartWidth - left - 10, top = 40, bottom = 270;
  uint64_t most = 1;
  for (const auto& column : columns) most = std::max({most, column.now, column.before});
  for (const auto& level : levels) most = std::max(most, level.bytes);
  const auto y_of = [&](uint64_t bytes) { return bottom - (bottom - top) * share(bytes, most); };
  std::string body = rectangle(left, 6, 12, 12, kEmpty, fmt::format("stroke=\"{}\"", kFaint)) +
                     text(left + 18, 16, "all at 8 bits") + rectangle(left + 110, 6, 12, 12, kAccent) +
                     text(left + 128, 16, "this network");
  for (uint64_t tick : ticks(most, 4, true)) {
    if (tick > most) break;
    body += line(left, y_of(tick), left + width, y_of(tick)) +
            text(left - 6, y_of(tick) + 4, short_bytes(tick), Anchor::end, kFaint, 11);
  }
  const double step = width / static_cast<double>(std::max<size_t>(1, columns.size()));
  const double bar = std::max(1.0, std::min(step - 2, 40.0));
  for (size_t i = 0; i < columns.size(); ++i) {
    const double x = left + step * (static_cast<double>(i) + 0.5) - bar / 2;
    body += mark(columns[i].words,
                 rectangle(x, y_of(columns[i].before), bar, bottom - y_of(columns[i].before), kEmpty, fmt::format("stroke=\"{}\"", kFaint)) +
                     rectangle(x, y_of(columns[i].now), bar, bottom - y_of(columns[i].now), kAccent),
                 fmt::format("data-op=\"{}\" data-now=\"{}\" data-before=\"{}\"", i, columns[i].now, columns[i].before));
  }
  double legend = left + 230;
  for (const auto& level : levels) {
    body += line(left, y_of(level.bytes), left + width, y_of(level.bytes), level.colour, "6 3") +
            line(legend, 12, legend + 22, 12, level.colour, "6 3") + text(legend + 28, 16, level.words);
    legend += 50 + kCharacterWidth * static_cast<double>(level.words.size());
  }
  body += column_axis(left, width, bottom, operator_labels(run, columns.size()), "layer");
  return open_svg(bottom + 38, title) + body + close_svg();
}

bool any_below_8_bits(const std::vector<Column>& columns) {
  return std::any_of(columns.begin(), columns.end(), [](const Column& c) { return c.before > c.now; });
}

std::vector<Column> plan_columns(const Run& run, uint64_t Layer::*now, uint64_t Layer::*before) {
  std::vector<Column> out;
  for (const auto& layer : run.layers)
    if (layer.op_index >= 0)
      out.push_back({fmt::format("{} ({} bits): {} B, at 8 bits {} B", row_name(layer), widths(layer),
                                 grouped(layer.*now), grouped(layer.*before)),
                     layer.*now, layer.*before});
  return out;
}

const Memory* use_of(const Run& run, const char* use) {
  for (const auto& memory : run.memories)
    if (memory.use == use) return &memory;
  return nullptr;
}

}  // namespace

Chart memory_chart(const Run& run) {
  Chart chart{"memory", "Memory map",
              "Each memory of the board at its own scale, empty ones too; boxes are measured peaks at their "
              "addresses. A stack fills its dashed limit from the right.", ""};
  if (run.memories.empty() || run.regions.empty()) return chart;
  const double left = 190, room = kChartWidth - left - 62;
  double y = 4;
  for (const auto& region : run.regions) {
    uint64_t used = 0;
    for (const auto& memory : run.memories)
      if (region_of(run, memory) == &region) used += memory.peak_bytes;
    chart.svg += text(left - 92, y + 14, region.name, Anchor::end) +
                 text(left - 8, y + 14, fmt::format("0x{:08x}", region.address), Anchor::end, kFaint, 11) +
                 rectangle(left, y, room, 20, kEmpty) + uses_of(run, region, left, room, y) +
                 text(left + room + 6, y + 14, short_bytes(region.size_bytes), Anchor::start, kFaint, 11);
    if (used == 0) chart.svg += text(left + 6, y + 14, "unused", Anchor::start, kFaint, 11);
    y += 27;
  }
  chart.svg = open_svg(y + 2, chart.title) + chart.svg + close_svg();
  return chart;
}

Chart arena_chart(const Run& run) {
  Chart chart{"arena", "Arena", "What lives where in the arena and for how long: time runs to the right, addresses upwards.", ""};
  if (run.arena.empty()) return chart;
  uint64_t bytes = 1;
  uint32_t ops = 1;
  for (const auto& slot : run.arena) {
    bytes = std::max(bytes, slot.offset_bytes + slot.size_bytes);
    ops = std::max(ops, std::min(slot.last_op, kMostColumns - 1) + 1);
  }
  const double left = 76, top = 12, bottom = 320, width = kChartWidth - left - 10;
  const auto y_of = [&](uint64_t at) { return bottom - (bottom - top) * share(at, bytes); };
  std::string body;
  for (uint64_t tick : ticks(bytes, 6, true)) {
    if (tick > bytes) break;
    body += line(left, y_of(tick), left + width, y_of(tick)) +
            text(left - 6, y_of(tick) + 4, short_bytes(tick), Anchor::end, kFaint, 11);
  }
  for (size_t i = 0; i < run.arena.size(); ++i) {
    const auto& slot = run.arena[i];
    const double x = left + width * slot.first_op / ops, w = width * (slot.last_op - slot.first_op + 1) / ops;
    const double y = y_of(slot.offset_bytes + slot.size_bytes), h = y_of(slot.offset_bytes) - y;
    std::string box = rectangle(x, y, w, h, kFills[i % std::size(kFills)],
                                fmt::format("fill-opacity=\"0.85\" stroke=\"{}\"", kPaper));
    const auto room = static_cast<size_t>(std::max(0.0, (w - 8) / kCharacterWidth));
    if (room >= 5 && h >= 15) box += text(x + 4, y + 13, clipped(slot.tensor, room), Anchor::start, "#fff", 11);
    if (room >= 7 && h >= 29) box += text(x + 4, y + 26, short_bytes(slot.size_bytes), Anchor::start, "#fff", 11);
    body += mark(fmt::format("{}: {} B, bytes {} to {}, from layer {} to {}", slot.tensor, grouped(slot.size_bytes),
                             slot.offset_bytes, slot.offset_bytes + slot.size_bytes, operator_name(run, slot.first_op), operator_name(run, slot.last_op)),
                 box, fmt::format("data-offset=\"{}\" data-size=\"{}\"", slot.offset_bytes, slot.size_bytes));
  }
  chart.svg = open_svg(bottom + 38, chart.title) + body + column_axis(left, width, bottom, operator_labels(run, ops), "layer") + close_svg();
  return chart;
}

Chart ram_plan_chart(const Run& run) {
  Chart chart{"ram_plan", "RAM before and after the bit plan",
              "Activation bytes alive while each layer runs, against the same network with every tensor at 8 bits.", ""};
  const auto columns = plan_columns(run, &Layer::live_activation_bytes, &Layer::live_activation_bytes_8bit);
  if (!any_below_8_bits(columns) || run.arena_bytes_8bit == 0) return chart;
  std::vector<Level> levels = {{fmt::format("arena at 8 bits {}", short_bytes(run.arena_bytes_8bit)), run.arena_bytes_8bit, kFaint}};
  if (const Memory* arena = use_of(run, "arena")) {
    levels.push_back({fmt::format("arena now {}", short_bytes(arena->planned_bytes)), arena->planned_bytes, kAccent});
    levels.push_back({fmt::format("limit {}", short_bytes(arena->limit_bytes)), arena->limit_bytes, kWarning});
  }
  chart.svg = plan_chart(run, chart.title, columns, levels);
  return chart;
}

Chart flash_plan_chart(const Run& run) {
  Chart chart{"flash_plan", "Weights before and after the bit plan",
              "Weight bytes of each layer in flash, against the same weights at 8 bits.", ""};
  const auto columns = plan_columns(run, &Layer::weight_bytes, &Layer::weight_bytes_8bit);
  if (any_below_8_bits(columns)) chart.svg = plan_chart(run, chart.title, columns, {});
  return chart;
}

}  // namespace mcusim::report
