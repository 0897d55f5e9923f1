// SPDX-License-Identifier: MIT
// Peripheral space: exact 32-bit read-back storage under a table of devices, and a
// log of the first touch of every word, which is the tool for porting firmware.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "sim/devices/device.h"

namespace mcusim {

struct FirstTouch {
  uint32_t address = 0, value = 0, block = 0;
  bool is_write = false;
  const Device* device = nullptr;   // nullptr: plain storage
};

class Bus {
 public:
  // Throws std::logic_error when two devices overlap.
  void add(std::unique_ptr<Device> device);
  void reset();

  // 1, 2 or 4 bytes, not crossing a word. `block` names the accessing code in the log.
  uint32_t read(uint32_t address, unsigned bytes, uint32_t block);
  void write(uint32_t address, unsigned bytes, uint32_t value, uint32_t block);
  uint32_t stored(uint32_t address) const;
  void store(uint32_t address, uint32_t value) { words_[address].value = value; }   // no device asked

  uint64_t next_event() const;
  void run_events(uint64_t now);
  void poll();
  void clocks_changing();
  const std::vector<FirstTouch>& first_touches() const { return touches_; }
  const FirstTouch* last_read() const {
    return last_read_ < touches_.size() ? &touches_[last_read_] : nullptr;
  }

 private:
  struct Word {
    uint32_t value = 0;
    uint32_t touch = UINT32_MAX;   // index of its log entry
  };
  Device* find(uint32_t address) const;
  Word& touch(uint32_t address, uint32_t value, bool is_write, uint32_t block, Device* device);

  std::vector<std::unique_ptr<Device>> devices_;   // by base
  std::unordered_map<uint32_t, Word> words_;
  std::vector<FirstTouch> touches_;
  size_t last_read_ = SIZE_MAX;
};

}  // namespace mcusim
