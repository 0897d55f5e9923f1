// SPDX-License-Identifier: MIT
// Google Benchmark over simulated time: a benchmark's time is cycles / core clock of a
// simulated board, exact, so one iteration is all there is to know and no host time
// appears in any output. Two runs give the same bytes of JSON.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>

#include "kernels/host/int_net.h"
#include "sim/image/image.h"
#include "sim/report/report.h"

namespace mcusim::bench {

// What the command line chose for every benchmark of the program.
struct Target {
  Board board;
  ClockPreset clock;
  ImageOptions image;
};
const Target& target();

// What one benchmark found; counters are derived from it.
struct Figures {
  uint64_t core_hz = 0;
  uint64_t cycles = 0, instructions = 0, macs = 0;
  uint64_t outputs = 0;                        // elements; what operators without MACs are measured by
  uint64_t weight_bytes = 0, data_bytes = 0;   // in flash; moved by loads and stores
  CauseCycles causes{};

  double per_mac(uint64_t count) const { return static_cast<double>(count) / static_cast<double>(macs); }
};
Figures figures_of(const report::Layer& layer, const report::Run& run);
Figures figures_of(const report::Run& run);    // the whole program, start-up included

// Runs a container on the target with a seeded input; every operator's output is
// compared with the naive twin. Throws Error when it differs or the run fails.
report::Run simulate(std::vector<uint8_t> container);

// Reports the figures as the one iteration of a benchmark: time, and as counters
// cycles, instructions, macs, their ratios, bytes and the share of each cause.
void show(benchmark::State& state, const Figures& figures);

// A benchmark whose body returns its figures; an Error becomes the benchmark's own.
void add_benchmark(const std::string& name, std::function<Figures()> run);

// Flags of ours before those of Google Benchmark: --board=, --clock-mhz=, --place=.
// `extra` may take further flags (true: it knew it). With `quiet` set by the time the
// benchmarks run, they print nothing. Returns the exit status: 1 when any benchmark failed.
struct Program {
  std::function<bool(const std::string& flag)> extra;
  std::function<void()> add_benchmarks;        // after the flags are known
  std::function<void()> finish;                // may be empty
  bool quiet = false;
};
int run_program(int argc, char** argv, Program& program);

}  // namespace mcusim::bench
