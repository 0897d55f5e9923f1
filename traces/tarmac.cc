// SPDX-License-Identifier: MIT
#include "traces/tarmac.h"

#include <fmt/format.h>

#include "memmap/base/error.h"

namespace mcusim::trace {
namespace {

std::string exception_name(uint32_t number) {
  switch (number) {
    case 2: return "NMI";
    case 3: return "HardFault";
    case 4: return "MemManage";
    case 5: return "BusFault";
    case 6: return "UsageFault";
    case 11: return "SVCall";
    case 12: return "DebugMonitor";
    case 14: return "PendSV";
    case 15: return "SysTick";
    default: return number >= 16 ? fmt::format("IRQ{}", number - 16) : fmt::format("Exception{}", number);
  }
}

}  // namespace

void Tarmac::line(const std::string& text) {
  if (++lines_ > kMaxLines)
    throw Error("{}: more than {} lines of Tarmac; export a part of the run: mcusim trace --cycles FIRST:END, then "
                "mcusim replay --export tarmac=FILE", path_, kMaxLines);
  file_.write(text);
}

void Tarmac::instruction(uint64_t cycle, bool skipped, uint32_t address, uint32_t opcode, uint32_t bytes,
                         bool in_handler, const std::string& text) {
  line(fmt::format("{} clk {} ({}) {:08x} {:0{}x} T {} : {}\n", cycle, skipped ? "IS" : "IT", instructions_++, address,
                   opcode, 2 * bytes, in_handler ? "handler" : "thread", text));
}

void Tarmac::access(uint64_t cycle, bool is_write, uint32_t address, uint32_t bytes) {
  line(fmt::format("{} clk M{}{} {:08x} {:x>{}}\n", cycle, is_write ? 'W' : 'R', bytes, address, "", 2 * bytes));
}

void Tarmac::exception(uint64_t cycle, uint32_t handler, uint32_t number) {
  line(fmt::format("{} clk E {:08x} {:08x} CoreEvent_{}\n", cycle, handler, number, exception_name(number)));
}

}  // namespace mcusim::trace
