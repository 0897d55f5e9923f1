// SPDX-License-Identifier: MIT
// The firmware of a network image: input in (if one is linked), run, outputs out
// (if asked). Knows the container only through its header and tensor table; the
// validator has judged both before the image was built.
#include <string.h>

#include "kernels/executor.h"
#include "kernels/target/config.h"
#include "kernels/target/registers.h"
#include "kernels/target/semihosting.h"

extern "C" {
extern const uint8_t mcusim_net[];
extern const uint8_t mcusim_input_blob[], mcusim_input_blob_end[];
extern uint8_t mcusim_arena[], mcusim_arena_end[], mcusim_scratch[], mcusim_scratch_end[];
extern const mcusim::target::Config mcusim_config;
}

namespace mcusim::target {

void firmware_main();

namespace {

// Layer marks: stores to ITM stimulus ports 1 and 2, which silicon ignores while
// its trace is off and the simulator reads as layer boundaries.
void mark_begin(void*, uint32_t op_index) { reg(kItmStimulus0 + 4) = op_index; }
void mark_end(void*, uint32_t op_index) { reg(kItmStimulus0 + 8) = op_index; }

// The same with the core's cycle counter read inside the marks, for comparing a
// board with the simulator; printing happens between operators and is not counted.
void timed_begin(void* context, uint32_t op_index) {
  mark_begin(nullptr, op_index);
  *static_cast<uint32_t*>(context) = reg(kDwtCyccnt);
}

void print_number(const char* before, uint32_t value, const char* after) {
  char text[11];
  uint32_t at = sizeof text - 1;
  text[at] = '\0';
  do {
    text[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0);
  semihost(kSysWrite0, before);
  semihost(kSysWrite0, &text[at]);
  semihost(kSysWrite0, after);
}

void timed_end(void* context, uint32_t op_index) {
  const uint32_t cycles = reg(kDwtCyccnt) - *static_cast<uint32_t*>(context);
  mark_end(nullptr, op_index);
  print_number("operator ", op_index, "");
  print_number(" cycles ", cycles, "\n");
}

void start_cycle_counter() {
  reg(kDemcr) = reg(kDemcr) | 1u << 24;  // TRCENA
  reg(kDwtLar) = 0xC5ACCE55;             // software lock of the Cortex-M7's DWT
  reg(kDwtCyccnt) = 0;
  reg(kDwtCtrl) = reg(kDwtCtrl) | 1;
}

uint32_t pixel_bytes(const net::Tensor& t) { return (t.c * t.bits + 7) / 8; }

// The blob holds every input's pixels in order, without gaps.
void load_inputs() {
  const uint8_t* from = mcusim_input_blob;
  if (from == mcusim_input_blob_end) return;
  for (uint32_t n = 0; n < header_of(mcusim_net).input_count; ++n) {
    const net::Tensor& t = tensors_of(mcusim_net)[inputs_of(mcusim_net)[n]];
    for (uint32_t y = 0; y < t.h; ++y)
      for (uint32_t x = 0; x < t.w; ++x) {
        memcpy(mcusim_arena + t.arena_offset + y * t.row_stride_bytes + x * t.pixel_stride_bytes,
               from, pixel_bytes(t));
        from += pixel_bytes(t);
      }
  }
}

// One line of hex digits per pixel.
void print_hex(const uint8_t* bytes, uint32_t count) {
  constexpr uint32_t kChunk_bytes = 32;
  char text[2 * kChunk_bytes + 2];
  while (count > 0) {
    const uint32_t n = count < kChunk_bytes ? count : kChunk_bytes;
    uint32_t used = 0;
    for (uint32_t i = 0; i < n; ++i) {
      text[used++] = "0123456789abcdef"[bytes[i] >> 4];
      text[used++] = "0123456789abcdef"[bytes[i] & 15];
    }
    count -= n;
    bytes += n;
    if (count == 0) text[used++] = '\n';
    text[used] = '\0';
    semihost(kSysWrite0, text);
  }
}

void dump_outputs() {
  for (uint32_t n = 0; n < header_of(mcusim_net).output_count; ++n) {
    const net::Tensor& t = tensors_of(mcusim_net)[outputs_of(mcusim_net)[n]];
    for (uint32_t y = 0; y < t.h; ++y)
      for (uint32_t x = 0; x < t.w; ++x)
        print_hex(mcusim_arena + t.arena_offset + y * t.row_stride_bytes + x * t.pixel_stride_bytes,
                  pixel_bytes(t));
  }
}

}  // namespace

void firmware_main() {
  load_inputs();
  const RunSpace space = {mcusim_net, mcusim_arena,
                          static_cast<uint32_t>(mcusim_arena_end - mcusim_arena), mcusim_scratch,
                          static_cast<uint32_t>(mcusim_scratch_end - mcusim_scratch)};
  uint32_t begin_cycle = 0;
  const bool timed = mcusim_config.flags & kPrintCycles;
  if (timed) start_cycle_counter();
  const RunStatus status =
      timed ? run_network(space, {timed_begin, timed_end, &begin_cycle})
            : run_network(space, {mark_begin, mark_end, nullptr});
  if (status != RunStatus::ok) exit_with(static_cast<uint32_t>(status));
  if (mcusim_config.flags & kDumpOutputs) dump_outputs();
}

}  // namespace mcusim::target
