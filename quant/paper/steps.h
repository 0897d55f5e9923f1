// SPDX-License-Identifier: MIT
// Files made by running our own programs, side by side, and kept: a step whose
// output is there and was made by the same words, the same programs and the same
// inputs is not run again, so a killed command goes on where it stopped.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace mcusim::paper {

struct Step {
  std::string name;                 // of its log and key files, unique in a folder
  std::vector<std::string> words;   // "mcusim", the verb and its arguments without the output
  std::vector<std::string> output;  // the output's option and file, last on the command line
  std::vector<std::string> inputs;  // files whose bytes decide the output
};

// As a reader would type it, with bare file names.
std::string shown_command(const Step& step);

struct StepResult {
  bool made = false;      // the output file is there
  std::string refusal;    // else: what the program said
};

// Runs what is not done yet, at most `jobs` at once; `progress` sees how many are.
// A step that refuses (exit 1) is a result; one that dies of a signal is an Error.
std::vector<StepResult> run_steps(const std::vector<Step>& steps, const std::string& folder, unsigned jobs,
                                  const std::function<void(size_t done)>& progress);

}  // namespace mcusim::paper
