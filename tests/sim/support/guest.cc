// SPDX-License-Identifier: MIT
// One linker script for all test guests: vectors and code in flash, data copied by the
// C start-up, no library.
#include "tests/sim/support/guest.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "memmap/base/error.h"
#include "memmap/base/file.h"

namespace mcusim::test {
namespace {

// Handlers are weak here and may be defined in the body, which is its own object.
constexpr const char* kVectors = R"(
  .syntax unified
  .cpu cortex-m7
  .thumb
  .macro vector name
    .weak \name\()_handler
    .thumb_set \name\()_handler, default_handler
    .word \name\()_handler
  .endm
  .section .vectors, "a"
  .word __stack_top
  .word _start
  .irp name, nmi, hardfault, memmanage, busfault, usagefault, r7, r8, r9, r10, svc, debug, r13, pendsv, systick
  vector \name
  .endr
  .altmacro
  .macro irq_vector n
    vector irq\n
  .endm
  .set n, 0
  .rept 100
    irq_vector %n
    .set n, n + 1
  .endr
  .noaltmacro
  .text
  .thumb_func
default_handler:
  bkpt 0x7f
)";

constexpr const char* kPrelude = R"(
  .syntax unified
  .cpu cortex-m7
  .fpu fpv5-d16
  .thumb
  .macro mov32 rd, value
    movw \rd, #:lower16:\value
    movt \rd, #:upper16:\value
  .endm
  .macro exit code
    ldr r1, =1f
    movs r0, #0x20
    bkpt 0xab
    .align 2
    1: .word 0x20026, \code
  .endm
  .macro enable_fpu
    mov32 r0, 0xE000ED88
    mov r1, #0x00F00000
    str r1, [r0]
    dsb
    isb
  .endm
  .macro handler name
    .global \name\()_handler
    .type \name\()_handler, %function
    .thumb_func
    \name\()_handler:
  .endm
  .text
  .global _start
  .thumb_func
  .type _start, %function
_start:
)";

constexpr const char* kLink = R"(
ENTRY(_start)
SECTIONS {
  . = __flash;
  .vectors : { KEEP(*(.vectors)) }
  .text : { *(.text*) *(.rodata*) . = ALIGN(4); }
  __data_load = .;
  . = __ram;
  .data : AT(__data_load) { __data_start = .; *(.data*) . = ALIGN(4); __data_end = .; }
  .bss (NOLOAD) : { __bss_start = .; *(.bss*) *(COMMON) . = ALIGN(4); __bss_end = .; }
  /DISCARD/ : { *(.ARM.exidx*) *(.comment) *(.ARM.attributes) }
}
)";

constexpr const char* kStartC = R"(
  enable_fpu
  ldr r0, =__data_load
  ldr r1, =__data_start
  ldr r2, =__data_end
1: cmp r1, r2
  bhs 2f
  ldr r3, [r0], #4
  str r3, [r1], #4
  b 1b
2: ldr r1, =__bss_start
  ldr r2, =__bss_end
  movs r3, #0
3: cmp r1, r2
  bhs 4f
  str r3, [r1], #4
  b 3b
4: bl main
  push {r0, r1}
  mov32 r1, 0x20026
  str r1, [sp]
  str r0, [sp, #4]
  mov r1, sp
  movs r0, #0x20
  bkpt 0xab
  b .
)";

std::string link_flags(const TemporaryDirectory& directory, const GuestOptions& options) {
  write_file(directory.path("guest.ld"), std::string(kLink));
  return fmt::format("-T {} --defsym=__flash={} --defsym=__ram={} --defsym=__stack_top={} {}",
                     directory.path("guest.ld"), options.flash, options.ram, options.stack_top,
                     options.linker_flags);
}

void assemble_file(const TemporaryDirectory& directory, const std::string& name,
                   const std::string& source) {
  write_file(directory.path(name + ".s"), source);
  run_command(fmt::format("arm-none-eabi-as -mthumb {} -o {}", directory.path(name + ".s"),
                          directory.path(name + ".o")));
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "mcusim_XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw Error("{}: cannot make a directory", pattern);
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void run_command(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) throw Error("{}: cannot start", command);
  std::string output;
  char chunk[4096];
  while (size_t got = std::fread(chunk, 1, sizeof chunk, pipe)) output.append(chunk, got);
  if (pclose(pipe) != 0) throw Error("{}: failed:\n{}", command, output);
}

std::string build_assembly(const TemporaryDirectory& directory, const std::string& body,
                           const std::string& extra, const GuestOptions& options) {
  const std::string elf = directory.path("guest.elf");
  assemble_file(directory, "vectors", kVectors);
  assemble_file(directory, "guest", kPrelude + body + "\n  .pool\n" + extra + "\n  .pool\n");
  run_command(fmt::format("arm-none-eabi-ld {} {} {} -o {}", link_flags(directory, options),
                          directory.path("vectors.o"), directory.path("guest.o"), elf));
  return elf;
}

Program assemble(const std::string& body, const std::string& extra, const GuestOptions& options) {
  const TemporaryDirectory directory;
  return load_program(build_assembly(directory, body, extra, options));
}

std::string build_c(const TemporaryDirectory& directory, const std::string& source,
                    const std::string& flags, const GuestOptions& options) {
  write_file(directory.path("main.c"), source);
  assemble_file(directory, "vectors", kVectors);
  assemble_file(directory, "start", std::string(kPrelude) + kStartC);
  const std::string elf = directory.path("main.elf");
  std::string linker;
  for (const char c : link_flags(directory, options)) linker += c == ' ' ? ',' : c;
  while (!linker.empty() && linker.back() == ',') linker.pop_back();
  run_command(fmt::format("arm-none-eabi-gcc -mcpu=cortex-m7 -mthumb -mfloat-abi=hard "
                          "-mfpu=fpv5-d16 -ffreestanding -nostdlib {} {} {} {} -Wl,{} -lgcc -o {}",
                          flags, directory.path("vectors.o"), directory.path("start.o"),
                          directory.path("main.c"), linker, elf));
  return elf;
}

GuestRun run_on(Machine& machine, const Program& program) {
  machine.load(program);
  GuestRun run;
  run.result = machine.run();
  for (int i = 0; i < 16; ++i) run.r[i] = machine.core_register(i);
  return run;
}

}  // namespace mcusim::test
