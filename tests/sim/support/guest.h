// SPDX-License-Identifier: MIT
// Guest programs for tests, assembled or compiled at test time into a temporary
// directory. A snippet gets a vector table, `_start` and a few macros around it.
#pragma once

#include <string>
#include <vector>

#include "memmap/board.h"
#include "sim/loader/program.h"
#include "sim/machine/machine.h"

namespace mcusim::test {

// A directory that disappears with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Runs a command; throws Error with its output when it fails.
void run_command(const std::string& command);

struct GuestOptions {
  uint32_t flash = 0x08000000, ram = 0x20000000;
  uint32_t stack_top = 0x20020000;
  std::string linker_flags;              // e.g. "--defsym=__stack_limit=0x20010000"
};

// Assembles `body` at `_start:`; `extra` follows it (handlers, data). Macros: `exit N`
// (semihosting), `mov32 rd, value`, `enable_fpu`, and `handler NAME` for one of nmi, svc,
// pendsv, systick, irq0 to irq99, ...
std::string build_assembly(const TemporaryDirectory& directory, const std::string& body,
                           const std::string& extra = "", const GuestOptions& options = {});
Program assemble(const std::string& body, const std::string& extra = "",
                 const GuestOptions& options = {});

// Compiles C with these flags and a start-up that calls main and exits with its value.
// Returns the path of the ELF inside `directory`.
std::string build_c(const TemporaryDirectory& directory, const std::string& source,
                    const std::string& flags, const GuestOptions& options = {});

struct GuestRun {
  RunResult result;
  uint32_t r[16];
};
GuestRun run_on(Machine& machine, const Program& program);

}  // namespace mcusim::test
