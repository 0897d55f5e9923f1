// SPDX-License-Identifier: MIT
// Running a program as the command line asks: shared by `run` and `trace`.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/run/selection.h"

namespace mcusim::cli {

struct RunOptions {
  std::string program, board = "stm32h743", input, output, json, until_pc, semihosting_directory;
  std::string place, base, record, uart_input;
  std::vector<std::string> exports;
  double clock_mhz = 0;
  uint64_t seed = 1, max_instructions = 0, flash_bytes = 0, ram_bytes = 0;
  bool seed_given = false, verify = false, fast = false, why = false, no_strict = false, quiet = false;
  std::optional<std::string> until_text;
  std::optional<double> hse_mhz;       // instead of the board's
  bool uart_polling = false, caches = true;
  WindowRequest window;                // of what is recorded
  bool console_to_stderr = false;   // stdout is for something else
};

// What to run and how: everything but what is done with the result.
void add_program_options(CLI::App& command, RunOptions& options);

// Columns of the terminal that stdout is; 0 when it is none.
size_t screen_columns();

// Runs and reports; returns the exit status.
int run_program(const RunOptions& options);

}  // namespace mcusim::cli
