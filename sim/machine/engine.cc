// SPDX-License-Identifier: MIT
// Opening order matters: UC_MODE_THUMB, then the CPU model before anything else.
// UC_MODE_MCLASS would silently make the core a Cortex-M33, so the model is read back.
#include "sim/machine/engine.h"

#include "memmap/base/error.h"

namespace mcusim {
namespace {

void must(uc_err error, const char* what) {
  if (error != UC_ERR_OK) throw Error("Unicorn: {}: {}", what, uc_strerror(error));
}

}  // namespace

Engine::Engine() {
#if defined(__aarch64__)
  // Unicorn 2.0.1 loses read events on AArch64 hosts (unicorn#1737).
  throw Error("Unicorn 2.0.1 misses memory reads on AArch64 hosts; use an x86-64 host");
#endif
  must(uc_open(UC_ARCH_ARM, UC_MODE_THUMB, &engine_), "open");
  must(uc_ctl_set_cpu_model(engine_, UC_CPU_ARM_CORTEX_M7), "set the CPU model");
  int model = -1;
  must(uc_ctl_get_cpu_model(engine_, &model), "read the CPU model");
  if (model != UC_CPU_ARM_CORTEX_M7)
    throw Error("Unicorn: CPU model reads back {}, expected Cortex-M7 ({})", model,
                static_cast<int>(UC_CPU_ARM_CORTEX_M7));
}

Engine::~Engine() {
  if (engine_ != nullptr) uc_close(engine_);
}

void Engine::map(uint32_t base, uint32_t size_bytes, bool writable, bool executable,
                 uint8_t* bytes) {
  uint32_t rights = UC_PROT_READ;
  if (writable) rights |= UC_PROT_WRITE;
  if (executable) rights |= UC_PROT_EXEC;
  must(uc_mem_map_ptr(engine_, base, size_bytes, rights, bytes), "map memory");
}

void Engine::protect(uint32_t base, uint32_t size_bytes, bool readable, bool writable,
                     bool executable) {
  uint32_t rights = readable ? UC_PROT_READ : UC_PROT_NONE;
  if (writable) rights |= UC_PROT_WRITE;
  if (executable) rights |= UC_PROT_EXEC;
  must(uc_mem_protect(engine_, base, size_bytes, rights), "change rights");
}

void Engine::map_io(uint32_t base, uint32_t size_bytes, uc_cb_mmio_read_t read,
                    uc_cb_mmio_write_t write, void* user) {
  must(uc_mmio_map(engine_, base, size_bytes, read, user, write, user), "map a device range");
}

void Engine::hook(int type, void* callback, void* user, uint64_t first, uint64_t last) {
  uc_hook handle;
  must(uc_hook_add(engine_, &handle, type, callback, user, first, last), "add a hook");
}

void Engine::forget_code(uint32_t address, uint32_t bytes) {
  must(uc_ctl_remove_cache(engine_, uint64_t{address}, uint64_t{address} + bytes),
       "drop translated code");
}

int Engine::core_register(int number) {
  static constexpr int kRegisters[16] = {
      UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2,  UC_ARM_REG_R3, UC_ARM_REG_R4, UC_ARM_REG_R5,
      UC_ARM_REG_R6, UC_ARM_REG_R7, UC_ARM_REG_R8,  UC_ARM_REG_R9, UC_ARM_REG_R10,
      UC_ARM_REG_R11, UC_ARM_REG_R12, UC_ARM_REG_SP, UC_ARM_REG_LR, UC_ARM_REG_PC};
  if (number < 0 || number > 15) throw Error("core register {}: 0 to 15", number);
  return kRegisters[number];
}

}  // namespace mcusim
