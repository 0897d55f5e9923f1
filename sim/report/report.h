// SPDX-License-Identifier: MIT
// What a run found out, as plain data: filled by sim/run, printed by text.cc and
// json.cc (docs/report_schema.md). Cycles, instructions and bytes are integers;
// nothing here depends on host time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/timing/estimator.h"

namespace mcusim::report {

inline constexpr int kSchemaVersion = 1;

// One row of the per-layer table. Code outside every operator (start-up, the
// executor's own loop) is a row of its own with op_index -1, so that the rows
// add up to the totals.
struct Layer {
  int op_index = -1;
  uint32_t layer_id = 0;
  std::string name, op;                      // "conv2d", "depthwise", ...
  int in_bits = 0, weight_bits = 0, out_bits = 0;
  std::string shape;                         // output, "24x24x64"
  uint64_t macs = 0, instructions = 0, cycles = 0;
  uint64_t weight_bytes = 0, live_activation_bytes = 0;
  // The same two had every tensor 8 bits; 0 when unknown.
  uint64_t weight_bytes_8bit = 0, live_activation_bytes_8bit = 0;
  uint64_t data_bytes = 0;                   // moved by loads and stores
  CauseCycles causes{};
};

// Where a tensor lives in the arena and for how long (operator indices, inclusive).
struct ArenaSlot {
  std::string tensor;
  uint64_t offset_bytes = 0, size_bytes = 0;
  uint32_t first_op = 0, last_op = 0;
};

struct Function {
  std::string name;
  uint32_t address = 0;
  uint64_t instructions = 0, cycles = 0;
  CauseCycles causes{};
};

// One use of a memory: peak against its limit.
struct Memory {
  std::string region, use;                   // "AXI_SRAM", "arena"
  uint64_t planned_bytes = 0, peak_bytes = 0, limit_bytes = 0;
  // Lowest byte of the peak (of a stack: of its limit, which it fills from above).
  uint32_t address = 0;
};

// A memory of the board, used or not.
struct Region {
  std::string name;
  uint32_t address = 0;
  uint64_t size_bytes = 0;
};

struct Prediction {
  uint32_t index = 0;
  int32_t stored = 0;                        // as shown (signed view applied)
  double value = 0;                          // real = scale * (stored - zero_point)
};

struct Run {
  std::string tool_version, engine;
  std::string board, clock;                  // "400 MHz, AXI 200 MHz, VOS1, 2 wait states"
  uint64_t core_hz = 0;
  std::string timing_table;                  // hash; empty when run without timing
  uint32_t timing_guesses = 0;
  uint64_t cycles_low = 0, cycles_high = 0;  // range that the guesses span; 0 when unknown
  std::string error_band;                    // of docs/accuracy.md
  std::string program, program_crc32;        // file name, checksum of its bytes
  std::string network, input;                // what was fed: "x.npz:x[0]", "seed 1"
  bool is_network = false;
  std::string end;                           // "exit", "fault", ...
  int exit_code = 0;
  std::string message;
  uint64_t instructions = 0, cycles = 0, macs = 0;
  uint64_t container_bytes = 0, image_bytes = 0, code_bytes = 0;
  uint64_t arena_bytes_8bit = 0;             // planned, had every tensor 8 bits; 0 when unknown
  CauseCycles causes{};
  std::vector<Layer> layers;
  std::vector<Function> functions;           // by cycles, falling
  std::vector<Region> regions;               // of the board, by address
  std::vector<Memory> memories;
  std::vector<ArenaSlot> arena;
  std::vector<std::string> notes;            // peripherals touched, dropped softmax, ...
  std::vector<Prediction> top;               // at most five, best first
  std::string verify;                        // "" when not asked, else the verdict

  double seconds() const {
    return core_hz ? static_cast<double>(cycles) / static_cast<double>(core_hz) : 0;
  }
};

// Law 1: rows add up to the totals, causes to cycles. Throws logic_error.
void check_conservation(const Run& run);

struct TextOptions {
  bool colour = false;
  bool why = false;                          // stall causes per layer and per function
  size_t functions = 8;
  size_t width = 0;                          // of the screen; 0: no limit
};
std::string to_text(const Run& run, const TextOptions& options);
std::string to_json(const Run& run);

// Reads a report back. Throws Error naming `name` for anything that is not one of
// this schema version.
Run from_json(const std::string& text, const std::string& name);

}  // namespace mcusim::report
