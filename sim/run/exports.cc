// SPDX-License-Identifier: MIT
#include "sim/run/exports.h"

#include <fmt/format.h>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "sim/report/exports.h"

namespace mcusim {
namespace {

template <typename Exporter>
const Exporter* find(std::span<const Exporter> exporters, const std::string& name) {
  for (const auto& exporter : exporters)
    if (name == exporter.name) return &exporter;
  return nullptr;
}
const StreamExporter* find_stream(const std::string& name) { return find(stream_exporters(), name); }
const trace::ProfileExporter* find_profile(const std::string& name) { return find(trace::profile_exporters(), name); }
const report::ReportExporter* find_report(const std::string& name) { return find(report::report_exporters(), name); }

template <typename Exporter>
std::string help_of(std::span<const Exporter> exporters) {
  std::string out;
  for (const auto& exporter : exporters) out += fmt::format("  {:<10} {}\n", exporter.name, exporter.help);
  return out;
}

}  // namespace

std::span<const StreamExporter> stream_exporters() {
  static constexpr StreamExporter kExporters[] = {
      {"chrome", "layers, functions, arena, stack and IPC over time, for Perfetto", make_chrome_export},
      {"tarmac", "every instruction and access as Tarmac text; best of a window", make_tarmac_export},
  };
  return kExporters;
}

ExportRequest parse_export(const std::string& text) {
  const size_t equals = text.find('=');
  const std::string format = text.substr(0, equals);
  if (equals == std::string::npos || equals + 1 == text.size() ||
      (!find_stream(format) && !find_profile(format) && !find_report(format)))
    throw UsageError("--export: '{}' is not FORMAT=FILE with one of these formats:\n{}", text, export_formats_help());
  return {format, text.substr(equals + 1)};
}

std::string export_formats_help() {
  return help_of(stream_exporters()) + help_of(trace::profile_exporters()) + help_of(report::report_exporters());
}

Exports::Exports(std::vector<ExportRequest> requests, const ExportFacts& facts)
    : requests_(std::move(requests)), program_(facts.program) {
  SliceListener* slices = nullptr;
  bool needs_tree = false;
  for (const auto& request : requests_) {
    needs_tree = needs_tree || find_profile(request.format);
    const StreamExporter* exporter = find_stream(request.format);
    if (!exporter) continue;
    streams_.push_back(exporter->make(request.path, facts));
    SliceListener* wanted = streams_.back()->slices();
    if (wanted && slices) throw UsageError("--export: {} may be asked for once", request.format);
    if (wanted) slices = wanted;
  }
  if (needs_tree || slices) tree_ = std::make_unique<CallTree>(facts.name_of, slices);
  if (tree_) sinks_.push_back(tree_.get());
  for (const auto& stream : streams_) sinks_.push_back(stream.get());
}

Exports::~Exports() = default;

void Exports::timed(const TimedRun& run) {
  for (TimedSink* sink : sinks_) sink->timed(run);
  now_ = run.start_cycle + run.cycles;
}

void Exports::mark(const trace::Mark& mark, uint64_t cycle) {
  for (TimedSink* sink : sinks_) sink->mark(mark, cycle);
}

void Exports::exception(const trace::Exception& exception, uint64_t start_cycle, uint64_t cycles) {
  for (TimedSink* sink : sinks_) sink->exception(exception, start_cycle, cycles);
  now_ = start_cycle + cycles;
}

void Exports::slept(uint64_t start_cycle, uint64_t cycles) {
  for (TimedSink* sink : sinks_) sink->slept(start_cycle, cycles);
  now_ = start_cycle + cycles;
}

void Exports::window_start(const trace::WindowStart& start) {
  for (TimedSink* sink : sinks_) sink->window_start(start);
  now_ = start.cycle;
}

void Exports::write(const report::Run& report, const Profile& profile) {
  trace::CallProfile calls;
  if (tree_) calls = tree_->finish(now_, profile.address_costs());
  calls.program = program_;
  check(!tree_ || calls.cycles == report.cycles, "the call tree saw every cycle");
  for (const auto& request : requests_) {
    if (const auto* exporter = find_report(request.format)) write_file(request.path, exporter->write(report));
    else if (const auto* profiled = find_profile(request.format)) write_file(request.path, profiled->write(calls));
  }
  for (const auto& stream : streams_) stream->finish(now_);
}

}  // namespace mcusim
