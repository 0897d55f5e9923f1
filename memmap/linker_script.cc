// SPDX-License-Identifier: MIT
// See linker_script.h. The symbols are those that kernels/target uses; RAM
// sections are NOLOAD, so the load segments hold exactly the bytes of flash.
#include "memmap/linker_script.h"

#include <algorithm>
#include <set>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

// Space to the end of the address space: an image that is too large still links,
// so that its true size can be told.
uint32_t open_bytes(const Region& region) {
  return static_cast<uint32_t>(std::min<uint64_t>((uint64_t{1} << 32) - region.base, UINT32_MAX));
}

std::string memory_lines(const Board& board, const ImageLayout& layout) {
  std::set<std::string> used = {layout.code_region, layout.arena_region, layout.scratch_region};
  for (const auto* optional : {&layout.fast_code_region, &layout.weights_region})
    if (!optional->empty()) used.insert(*optional);
  std::string lines;
  for (const auto& name : used) {
    const Region& region = board.region(name);
    lines += fmt::format("  {} : ORIGIN = 0x{:08x}, LENGTH = 0x{:x}\n", name, region.base,
                         open_bytes(region));
  }
  return lines;
}

std::string config_lines(const std::vector<uint32_t>& words) {
  std::string lines;
  for (const uint32_t word : words) lines += fmt::format("    LONG(0x{:x})\n", word);
  return lines;
}

std::string fast_code(const ImageLayout& layout) {
  if (layout.fast_code_region.empty())
    return "  __fast_code_start = 0;\n  __fast_code_end = 0;\n  __fast_code_load = 0;\n";
  return fmt::format(R"(  .fast_code : ALIGN(8)
  {{
    __fast_code_start = .;
    *{}:(.text .text.*)
    . = ALIGN(8);
    __fast_code_end = .;
  }} > {} AT > {}
  __fast_code_load = LOADADDR(.fast_code);
)",
                     kKernelArchive, layout.fast_code_region, layout.code_region);
}

}  // namespace

std::string linker_script(const Board& board, const ImageLayout& layout) {
  const Region& scratch = board.region(layout.scratch_region);
  if (layout.stack_bytes % 8 || layout.stack_bytes > scratch.size_bytes)
    throw Error("image: stack of {} bytes does not fit {} ({} bytes) or is no multiple of 8",
                layout.stack_bytes, scratch.name, scratch.size_bytes);
  const uint32_t stack_top = scratch.base + scratch.size_bytes;
  const std::string weights = layout.weights_region.empty()
                                  ? fmt::format(" > {}", layout.code_region)
                                  : fmt::format(" > {} AT > {}", layout.weights_region, layout.code_region);
  return fmt::format(R"(/* Printed by mcusim for {board}. */
ENTRY(reset_handler)
MEMORY
{{
{memory}}}
SECTIONS
{{
  .vectors : {{ KEEP(*(.vectors)) }} > {code}
  .config (READONLY) : ALIGN(8)
  {{
    mcusim_config = .;
{config}  }} > {code}
{fast_code}  .text : ALIGN(8) {{ *(.text .text.*) }} > {code}
  .rodata : ALIGN(8) {{ *(.rodata .rodata.*) }} > {code}
  .container (READONLY) : ALIGN(8)
  {{
    mcusim_net = .;
    __container_start = .;
    KEEP(*{container}(.data))
    mcusim_net_end = .;
    . = ALIGN(8);
    __container_end = .;
  }}{weights}
  __container_load = LOADADDR(.container);
  .input (READONLY) : ALIGN(8)
  {{
    mcusim_input_blob = .;
    KEEP(*{input}(.data))
    mcusim_input_blob_end = .;
  }} > {code}
  .data : ALIGN(8)
  {{
    __data_start = .;
    *(.data .data.*)
    . = ALIGN(8);
    __data_end = .;
  }} > {scratch} AT > {code}
  __data_load = LOADADDR(.data);
  .bss (NOLOAD) : ALIGN(8)
  {{
    __bss_start = .;
    *(.bss .bss.* COMMON)
    . = ALIGN(8);
    __bss_end = .;
  }} > {scratch}
  .scratch (NOLOAD) : ALIGN(8)
  {{
    mcusim_scratch = .;
    . += {scratch_bytes};
    . = ALIGN(8);
    mcusim_scratch_end = .;
  }} > {scratch}
  .arena (NOLOAD) : ALIGN(8)
  {{
    mcusim_arena = .;
    . += {arena_bytes};
    mcusim_arena_end = .;
  }} > {arena}
  __stack_top = 0x{stack_top:08x};
  __stack_limit = 0x{stack_limit:08x};
  /DISCARD/ : {{ *(.ARM.exidx .ARM.exidx.* .ARM.extab .ARM.extab.*) }}
}}
)",
                     fmt::arg("board", board.name), fmt::arg("memory", memory_lines(board, layout)),
                     fmt::arg("code", layout.code_region),
                     fmt::arg("config", config_lines(layout.config_words)),
                     fmt::arg("weights", weights),
                     fmt::arg("fast_code", fast_code(layout)),
                     fmt::arg("container", kContainerObject), fmt::arg("input", kInputObject),
                     fmt::arg("scratch", layout.scratch_region),
                     fmt::arg("scratch_bytes", layout.scratch_bytes),
                     fmt::arg("arena_bytes", layout.arena_bytes),
                     fmt::arg("arena", layout.arena_region), fmt::arg("stack_top", stack_top),
                     fmt::arg("stack_limit", stack_top - layout.stack_bytes));
}

}  // namespace mcusim
