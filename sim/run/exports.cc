// SPDX-License-Identifier: MIT
#include "sim/run/exports.h"

#include <fmt/format.h>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "sim/report/exports.h"

namespace mcusim {
namespace {

constexpr const char* kChrome = "chrome";

const report::ReportExporter* find_report_exporter(const std::string& name) {
  for (const auto& exporter : report::report_exporters())
    if (name == exporter.name) return &exporter;
  return nullptr;
}

const trace::ProfileExporter* find_profile_exporter(const std::string& name) {
  for (const auto& exporter : trace::profile_exporters())
    if (name == exporter.name) return &exporter;
  return nullptr;
}

}  // namespace

// Function slices into the Chrome trace.
class Exports::Slices : public SliceListener {
 public:
  explicit Slices(trace::ChromeTrace& chrome) : chrome_(chrome) {}
  void enter(const std::string& function, uint64_t cycle) override {
    chrome_.enter(trace::Track::functions, function, cycle);
  }
  void leave(uint64_t cycle) override { chrome_.leave(trace::Track::functions, cycle); }

 private:
  trace::ChromeTrace& chrome_;
};

ExportRequest parse_export(const std::string& text) {
  const size_t equals = text.find('=');
  const std::string format = text.substr(0, equals);
  if (equals == std::string::npos || equals + 1 == text.size() ||
      (format != kChrome && !find_report_exporter(format) && !find_profile_exporter(format)))
    throw UsageError("--export: '{}' is not FORMAT=FILE with one of these formats:\n{}", text, export_formats_help());
  return {format, text.substr(equals + 1)};
}

std::string export_formats_help() {
  std::string out = fmt::format("  {:<10} layers and functions as slices, for Perfetto\n", kChrome);
  for (const auto& exporter : trace::profile_exporters()) out += fmt::format("  {:<10} {}\n", exporter.name, exporter.help);
  for (const auto& exporter : report::report_exporters()) out += fmt::format("  {:<10} {}\n", exporter.name, exporter.help);
  return out;
}

Exports::Exports(std::vector<ExportRequest> requests, const std::string& program, NameOf name_of, LayerName layer_name)
    : requests_(std::move(requests)), program_(program), layer_name_(std::move(layer_name)) {
  bool needs_tree = false;
  for (const auto& request : requests_) {
    if (request.format == kChrome) chrome_ = std::make_unique<trace::ChromeTrace>(request.path, program);
    needs_tree = needs_tree || request.format == kChrome || find_profile_exporter(request.format);
  }
  if (chrome_) slices_ = std::make_unique<Slices>(*chrome_);
  if (needs_tree) tree_ = std::make_unique<CallTree>(std::move(name_of), slices_.get());
}

Exports::~Exports() = default;

void Exports::timed(const TimedRun& run) {
  if (tree_) tree_->timed(run);
  now_ = run.start_cycle + run.cycles;
}

void Exports::mark(const trace::Mark& mark, uint64_t cycle) {
  if (!chrome_) return;
  if (mark.port == trace::kLayerBegin) chrome_->enter(trace::Track::layers, layer_name_(mark.value), cycle);
  if (mark.port == trace::kLayerEnd) chrome_->leave(trace::Track::layers, cycle);
}

void Exports::exception(const trace::Exception& exception, uint64_t start_cycle, uint64_t cycles) {
  if (tree_) tree_->exception(exception, start_cycle, cycles);
  now_ = start_cycle + cycles;
}

void Exports::slept(uint64_t start_cycle, uint64_t cycles) {
  if (tree_) tree_->slept(start_cycle, cycles);
  now_ = start_cycle + cycles;
}

void Exports::window_start(const trace::WindowStart& start) {
  if (tree_) tree_->window_start(start);
  now_ = start.cycle;
}

void Exports::write(const report::Run& report, const Profile& profile) {
  trace::CallProfile calls;
  if (tree_) calls = tree_->finish(now_, profile.address_costs());
  calls.program = program_;
  check(!tree_ || calls.cycles == report.cycles, "the call tree saw every cycle");
  for (const auto& request : requests_) {
    if (const auto* exporter = find_report_exporter(request.format)) write_file(request.path, exporter->write(report));
    else if (const auto* profiled = find_profile_exporter(request.format)) write_file(request.path, profiled->write(calls));
  }
  if (chrome_) chrome_->finish(now_);
}

}  // namespace mcusim
