// SPDX-License-Identifier: MIT
// Where the cycles went, as plain data for exporters: a calling context tree and
// the cost of every instruction address. Sums of both equal the totals.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mcusim::trace {

struct ProfiledFunction {
  std::string name;
  uint32_t address = 0;
};

// One function in one calling context. Parents come before children; node 0 is the
// root, a function named "(root)" without cost of its own.
struct CallNode {
  uint32_t function = 0;      // index into functions
  uint32_t parent = 0;
  uint32_t call_site = 0;     // address of the call instruction, 0 for entry by interrupt or reset
  uint64_t calls = 0;
  uint64_t self_instructions = 0, self_cycles = 0;
};

struct AddressCost {
  uint32_t address = 0;
  uint32_t function = 0;
  uint64_t instructions = 0, cycles = 0;
};

struct CallProfile {
  std::string program;
  std::vector<ProfiledFunction> functions;
  std::vector<CallNode> nodes;
  std::vector<AddressCost> costs;  // ascending by address
  uint64_t instructions = 0, cycles = 0;
};

// Cycles of a node and everything it called, per node.
std::vector<uint64_t> inclusive_cycles(const CallProfile& profile);

// An exporter is one file and one row here.
struct ProfileExporter {
  const char* name;
  const char* help;
  std::string (*write)(const CallProfile&);
};
std::span<const ProfileExporter> profile_exporters();

std::string write_folded(const CallProfile& profile);
std::string write_callgrind(const CallProfile& profile);

}  // namespace mcusim::trace
