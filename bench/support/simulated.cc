// SPDX-License-Identifier: MIT
#include "bench/support/simulated.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "kernels/host/tensor_io.h"
#include "memmap/base/error.h"
#include "sim/run/network_run.h"
#include "sim/timing/core_estimator.h"

namespace mcusim::bench {
namespace {

Target& chosen() {
  static Target target = [] {
    Target h743{load_board("stm32h743"), {}, {}};
    h743.clock = h743.board.clocks.front();
    return h743;
  }();
  return target;
}

// The library measures the host's CPU time whatever it is told; simulated time takes
// its place before anything is printed. Every name would end in how it was measured.
std::vector<benchmark::BenchmarkReporter::Run> simulated_only(
    std::vector<benchmark::BenchmarkReporter::Run> runs) {
  for (auto& run : runs) {
    run.cpu_accumulated_time = run.real_accumulated_time;
    run.run_name.iterations.clear();
    run.run_name.time_type.clear();
  }
  return runs;
}

bool any_failed = false;

class Console : public benchmark::ConsoleReporter {
 public:
  using ConsoleReporter::ConsoleReporter;
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(simulated_only(runs));
  }
};

// The context says what was simulated instead of when and where.
class Json : public benchmark::JSONReporter {
 public:
  bool ReportContext(const Context&) override {
    const nlohmann::ordered_json context = {{"executable", "mcusim"},
                                            {"library_build_type", "release"},
                                            {"board", chosen().board.name},
                                            {"clock", describe_clock(chosen().clock)},
                                            {"timing_table", make_estimator(chosen().board)->table_hash()}};
    GetOutputStream() << "{\n  \"context\": " << context.dump() << ",\n  \"benchmarks\": [\n";
    return true;
  }
  void ReportRuns(const std::vector<Run>& runs) override {
    JSONReporter::ReportRuns(simulated_only(runs));
  }
};

class Silent : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}
};

std::unique_ptr<benchmark::BenchmarkReporter> reporter(const std::string& format) {
  if (format == "json") return std::make_unique<Json>();
  // Colour is for people.
  return std::make_unique<Console>(isatty(STDOUT_FILENO) == 1 ? Console::OO_Defaults : Console::OO_Tabular);
}

}  // namespace

const Target& target() { return chosen(); }

Figures figures_of(const report::Layer& layer, const report::Run& run) {
  return {.core_hz = run.core_hz,
          .cycles = layer.cycles,
          .instructions = layer.instructions,
          .macs = layer.macs,
          .weight_bytes = layer.weight_bytes,
          .data_bytes = layer.data_bytes,
          .causes = layer.causes};
}

Figures figures_of(const report::Run& run) {
  Figures figures{.core_hz = run.core_hz,
                  .cycles = run.cycles,
                  .instructions = run.instructions,
                  .macs = run.macs,
                  .causes = run.causes};
  for (const auto& layer : run.layers) {
    figures.weight_bytes += layer.weight_bytes;
    figures.data_bytes += layer.data_bytes;
  }
  return figures;
}

report::Run simulate(std::vector<uint8_t> container) {
  NetworkRunOptions options;
  options.verify = true;
  options.simulation.clock = chosen().clock;
  options.image = chosen().image;
  options.image.core_hz = chosen().clock.core_hz;
  const NetworkRun network(chosen().board, std::move(container), options);
  std::vector<std::vector<uint8_t>> inputs;
  for (const int id : network.net().inputs)
    inputs.push_back(seeded_values(network.net().tensors[static_cast<size_t>(id)], 1 + inputs.size()));
  auto result = network.run(inputs);
  if (result.report.end != end_reason_name(EndReason::exited) || result.report.exit_code != 0)
    throw Error("{}: {} {}", result.report.network, result.report.end, result.report.message);
  if (!result.verified) throw Error("{}: {}", result.report.network, result.report.verify);
  return std::move(result.report);
}

void show(benchmark::State& state, const Figures& f) {
  state.SetIterationTime(static_cast<double>(f.cycles) / static_cast<double>(f.core_hz));
  const auto set = [&](const char* name, double value) { state.counters[name] = value; };
  const auto number = [](uint64_t value) { return static_cast<double>(value); };
  set("cycles", number(f.cycles));
  set("instructions", number(f.instructions));
  set("weight_bytes", number(f.weight_bytes));
  set("data_bytes", number(f.data_bytes));
  if (f.macs) {
    set("macs", number(f.macs));
    set("mac_per_cycle", number(f.macs) / number(f.cycles));
    set("instr_per_mac", f.per_mac(f.instructions));
  }
  if (f.outputs) {
    set("outputs", number(f.outputs));
    set("cycles_per_output", number(f.cycles) / number(f.outputs));
  }
  for (size_t i = 0; i < kCauseCount; ++i)
    if (f.causes[i])
      set(fmt::format("share_{}", cause_name(static_cast<Cause>(i))).c_str(),
          number(f.causes[i]) / number(f.cycles));
}

void add_benchmark(const std::string& name, std::function<Figures()> run) {
  benchmark::RegisterBenchmark(name.c_str(), [run = std::move(run)](benchmark::State& state) {
    try {
      for (auto _ : state) show(state, run());
    } catch (const Error& error) {
      any_failed = true;
      state.SkipWithError(error.what());
    }
  })->UseManualTime()->Iterations(1)->Unit(benchmark::kMicrosecond);
}

int run_program(int argc, char** argv, Program& program) {
  std::string format = "console", board = "stm32h743", place;
  double clock_mhz = 0;
  bool writes_file = false;
  std::vector<char*> rest = {argv[0]};
  try {
    for (int i = 1; i < argc; ++i) {
      const std::string flag = argv[i];
      const auto value_of = [&](const char* name, std::string& to) {
        if (!flag.starts_with(name)) return false;
        to = flag.substr(std::strlen(name));
        return true;
      };
      std::string clock, path;
      if (value_of("--board=", board) || value_of("--place=", place)) continue;
      if (value_of("--clock-mhz=", clock)) {
        clock_mhz = std::strtod(clock.c_str(), nullptr);
        if (!(clock_mhz > 0)) throw UsageError("{}: not a clock", flag);
        continue;
      }
      if (program.extra && program.extra(flag)) continue;
      value_of("--benchmark_format=", format);
      writes_file |= value_of("--benchmark_out=", path);
      rest.push_back(argv[i]);
    }
    chosen().board = load_board(board);
    chosen().clock = clock_mhz > 0 ? chosen().board.clock(static_cast<uint64_t>(clock_mhz * 1e6 + 0.5))
                                   : chosen().board.clocks.front();
    if (!place.empty()) apply_placement(chosen().board, place, chosen().image);
    int count = static_cast<int>(rest.size());
    benchmark::Initialize(&count, rest.data());
    if (benchmark::ReportUnrecognizedArguments(count, rest.data())) return 2;
    program.add_benchmarks();
    const auto display = program.quiet ? std::make_unique<Silent>() : reporter(format);
    Json file;
    benchmark::RunSpecifiedBenchmarks(display.get(), writes_file ? &file : nullptr);
    if (program.finish) program.finish();
  } catch (const UsageError& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return 1;
  }
  return any_failed ? 1 : 0;
}

}  // namespace mcusim::bench
