// SPDX-License-Identifier: MIT
// The one owner of Unicorn: opens it as a true Cortex-M7, wraps registers, maps
// and hooks, and turns error codes into Error. One engine per process at a time
// (each reserves about 1 GiB of address space).
#pragma once

#include <unicorn/unicorn.h>

#include <cstdint>

namespace mcusim {

class Engine {
 public:
  Engine();
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  uc_engine* handle() const { return engine_; }

  uint32_t reg(int uc_register) const {
    uint32_t value = 0;
    uc_reg_read(engine_, uc_register, &value);
    return value;
  }
  void set_reg(int uc_register, uint32_t value) { uc_reg_write(engine_, uc_register, &value); }

  void map(uint32_t base, uint32_t size_bytes, bool writable, bool executable, uint8_t* bytes);
  void map_io(uint32_t base, uint32_t size_bytes, uc_cb_mmio_read_t read, uc_cb_mmio_write_t write,
              void* user);
  // Rights of a whole mapping.
  void protect(uint32_t base, uint32_t size_bytes, bool readable, bool writable, bool executable);
  // An empty range (first > last) means everywhere.
  void hook(int type, void* callback, void* user, uint64_t first = 1, uint64_t last = 0);
  // Drops translations, so that hooks and host writes reach code seen before.
  void forget_code(uint32_t address, uint32_t bytes);

  uc_err start(uint32_t address) { return uc_emu_start(engine_, address | 1, kNowhere, 0, 0); }
  void stop() { uc_emu_stop(engine_); }

  // Core register number 0..15 to Unicorn's name of it.
  static int core_register(int number);

 private:
  static constexpr uint64_t kNowhere = 0xfffffffe;  // an `until` that code never reaches
  uc_engine* engine_ = nullptr;
};

}  // namespace mcusim
