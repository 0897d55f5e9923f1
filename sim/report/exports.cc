// SPDX-License-Identifier: MIT
// CSV per layer, JUnit XML, github-action-benchmark and Google-Benchmark JSON.
#include "sim/report/exports.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sim/report/svg.h"
#include "sim/report/table.h"

namespace mcusim::report {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) { return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string write_csv(const Run& run) {
  std::string out = "op_index,layer_id,name,op,in_bits,weight_bits,out_bits,out_shape,macs,instructions,cycles,"
                    "weight_bytes,live_activation_bytes,data_bytes";
  for (size_t i = 0; i < kCauseCount; ++i) out += fmt::format(",{}", cause_name(static_cast<Cause>(i)));
  out += "\r\n";
  for (const auto& l : run.layers) {
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{}", l.op_index, l.layer_id, csv_text(l.name),
                       csv_text(l.op), l.in_bits, l.weight_bits, l.out_bits, csv_text(l.shape), l.macs, l.instructions,
                       l.cycles, l.weight_bytes, l.live_activation_bytes, l.data_bytes);
    for (uint64_t cycles : l.causes) out += fmt::format(",{}", cycles);
    out += "\r\n";
  }
  return out;
}

// One test case per run: failed when it did not end well or the twin disagrees.
std::string write_junit(const Run& run) {
  const bool verified = run.verify.empty() || run.verify.starts_with("all ");
  const bool good = run.end == "exited" && run.exit_code == 0 && verified;
  const std::string name = run.network.empty() ? run.program : run.network;
  std::string body;
  if (!good)
    body = fmt::format("<failure message=\"{}\">{}</failure>", html_escape(verified ? run.end : run.verify),
                       html_escape(run.message));
  return fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"mcusim\" tests=\"1\" failures=\"{}\">\n"
                     "  <testcase classname=\"mcusim.{}\" name=\"{}\" time=\"{:.9f}\">{}</testcase>\n</testsuite>\n",
                     good ? 0 : 1, html_escape(run.board), html_escape(name), run.seconds(), body);
}

// Figures of a run: total, memories, layers; name, unit, value.
struct Entry {
  std::string name, unit;
  uint64_t value;
};

std::vector<Entry> entries(const Run& run) {
  const std::string name = run.network.empty() ? run.program : run.network;
  std::vector<Entry> out = {{name + " cycles", "cycles", run.cycles}, {name + " flash", "bytes", run.image_bytes}};
  for (const auto& m : run.memories) out.push_back({fmt::format("{} {} {}", name, m.region, m.use), "bytes", m.peak_bytes});
  for (const auto& l : run.layers)
    if (l.op_index >= 0) out.push_back({fmt::format("{} {} {}", name, l.op_index, l.name), "cycles", l.cycles});
  return out;
}

std::string write_github(const Run& run) {
  Json out = Json::array();
  for (const auto& entry : entries(run)) out.push_back({{"name", entry.name}, {"unit", entry.unit}, {"value", entry.value}});
  return dump(out);
}

// Simulated time as real and CPU time in ns; exact counts as user counters.
std::string write_google_benchmark(const Run& run) {
  auto benchmark = [&](const std::string& name, uint64_t cycles, uint64_t instructions, uint64_t macs) {
    const double ns = run.core_hz ? static_cast<double>(cycles) * 1e9 / static_cast<double>(run.core_hz) : 0;
    return Json{{"name", name}, {"run_name", name}, {"run_type", "iteration"}, {"repetitions", 1}, {"repetition_index", 0},
                {"threads", 1}, {"iterations", 1}, {"real_time", ns}, {"cpu_time", ns}, {"time_unit", "ns"},
                {"cycles", cycles}, {"instructions", instructions}, {"macs", macs}};
  };
  const std::string name = run.network.empty() ? run.program : run.network;
  Json list = Json::array();
  list.push_back(benchmark(name, run.cycles, run.instructions, run.macs));
  for (const auto& l : run.layers)
    if (l.op_index >= 0) list.push_back(benchmark(fmt::format("{}/{}/{}", name, l.op_index, l.name), l.cycles, l.instructions, l.macs));
  return dump({{"context", {{"executable", "mcusim"}, {"library_build_type", "release"}, {"json_schema_version", 1},
                            {"board", run.board}, {"timing_table", run.timing_table}}},
               {"benchmarks", list}});
}

}  // namespace

std::span<const ReportExporter> report_exporters() {
  static constexpr ReportExporter kExporters[] = {
      {"csv", "one row per layer", write_csv},
      {"junit", "one test case: did the run end well and verify", write_junit},
      {"github", "github-action-benchmark, customSmallerIsBetter", write_github},
      {"gbench", "Google Benchmark JSON for compare.py", write_google_benchmark},
  };
  return kExporters;
}

}  // namespace mcusim::report
