// SPDX-License-Identifier: MIT
// From reset to main on any Cortex-M7: vector table, FPU, caches, memory images.
// Order matters: the FPU before any code that might use it, clocks before the
// caches fill, RAM last. The arena is never cleared: a debugger or simulator may
// have put the network's input there before reset.
#include "kernels/target/config.h"
#include "kernels/target/registers.h"
#include "kernels/target/semihosting.h"

namespace mcusim::target {

void board_init(const Config& config);  // board_*.cc: supply, flash latency, clocks
void firmware_main();

}  // namespace mcusim::target

// Set by the linker script (memmap/linker_script.cc).
extern "C" {
extern uint32_t __stack_top;
extern uint32_t __data_load, __data_start, __data_end, __bss_start, __bss_end;
extern uint32_t __fast_code_load, __fast_code_start, __fast_code_end;
extern const mcusim::target::Config mcusim_config;
extern void (*const mcusim_vectors[16])();

[[noreturn]] void reset_handler();
[[noreturn]] void fault_handler();
}

namespace mcusim::target {
namespace {

void copy_words(uint32_t* to, const uint32_t* end, const uint32_t* from) {
  while (to < end) *to++ = *from++;
}

// Both caches by the sequence of the Armv7-M ARM, B2.2.7. The geometry comes from
// the board's data, not from CCSIDR: QEMU's model has none, and start-up must
// retire the same instructions everywhere.
void enable_caches(const Config& config) {
  if (config.dcache_sets == 0) return;
  barrier();
  reg(kIciallu) = 0;
  barrier();
  reg(kCcr) = reg(kCcr) | 1u << 17;
  barrier();
  reg(kCsselr) = 0;
  barrier();
  uint32_t way_shift = 32, set_shift = 0;
  for (uint32_t ways = config.dcache_ways; ways > 1; ways >>= 1) --way_shift;
  for (uint32_t line = config.dcache_line_bytes; line > 1; line >>= 1) ++set_shift;
  for (uint32_t set = config.dcache_sets; set-- > 0;)
    for (uint32_t way = config.dcache_ways; way-- > 0;)
      reg(kDcisw) = (config.dcache_ways > 1 ? way << way_shift : 0) | set << set_shift;
  barrier();
  reg(kCcr) = reg(kCcr) | 1u << 16;
  barrier();
}

}  // namespace
}  // namespace mcusim::target

void reset_handler() {
  using namespace mcusim::target;
  reg(kCpacr) = reg(kCpacr) | 0xFu << 20;  // CP10 and CP11: full access
  barrier();
  reg(kVtor) = reinterpret_cast<uint32_t>(&mcusim_vectors[0]);
  board_init(mcusim_config);
  enable_caches(mcusim_config);
  copy_words(&__data_start, &__data_end, &__data_load);
  copy_words(&__fast_code_start, &__fast_code_end, &__fast_code_load);
  for (uint32_t* word = &__bss_start; word < &__bss_end; ++word) *word = 0;
  barrier();  // code copied to RAM is fetched only after its stores
  firmware_main();
  exit_with(0);
}

// Any fault ends the run with a code of its own (128 + exception number).
void fault_handler() {
  uint32_t number;
  asm volatile("mrs %0, ipsr" : "=r"(number));
  mcusim::target::exit_with(128 + number);
}

__attribute__((section(".vectors"), used)) void (*const mcusim_vectors[16])() = {
    reinterpret_cast<void (*)()>(&__stack_top),
    reset_handler,
    fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
    nullptr, nullptr, nullptr, nullptr,
    fault_handler, fault_handler,
    nullptr,
    fault_handler, fault_handler,
};
