// SPDX-License-Identifier: MIT
// The firmware of a network image: input in (if one is linked), run, outputs out
// (if asked). Knows the container only through its header and tensor table; the
// validator has judged both before the image was built.
#include <string.h>

#include "kernels/net_format.h"
#include "kernels/target/config.h"
#include "kernels/target/semihosting.h"

extern "C" {
extern const uint8_t mcusim_net[];
extern const uint8_t mcusim_input_blob[], mcusim_input_blob_end[];
extern uint8_t mcusim_arena[], mcusim_scratch[];
extern const mcusim::target::Config mcusim_config;
}

namespace mcusim::target {

void firmware_main();

namespace {

const net::Header& header() { return *reinterpret_cast<const net::Header*>(mcusim_net); }

// The n-th of the network's inputs, then outputs.
const net::Tensor& io_tensor(uint32_t n) {
  const auto* ids = reinterpret_cast<const uint16_t*>(mcusim_net + header().io_offset);
  return reinterpret_cast<const net::Tensor*>(mcusim_net + header().tensors_offset)[ids[n]];
}

uint32_t pixel_bytes(const net::Tensor& t) { return (t.c * t.bits + 7) / 8; }

// The blob holds every input's pixels in order, without gaps.
void load_inputs() {
  const uint8_t* from = mcusim_input_blob;
  if (from == mcusim_input_blob_end) return;
  for (uint32_t n = 0; n < header().input_count; ++n) {
    const net::Tensor& t = io_tensor(n);
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
  for (uint32_t n = 0; n < header().output_count; ++n) {
    const net::Tensor& t = io_tensor(header().input_count + n);
    for (uint32_t y = 0; y < t.h; ++y)
      for (uint32_t x = 0; x < t.w; ++x)
        print_hex(mcusim_arena + t.arena_offset + y * t.row_stride_bytes + x * t.pixel_stride_bytes,
                  pixel_bytes(t));
  }
}

}  // namespace

void firmware_main() {
  load_inputs();
  if (mcusim_config.flags & kDumpOutputs) dump_outputs();
}

}  // namespace mcusim::target
