// SPDX-License-Identifier: MIT
// Narrow accesses become word accesses here, once for all devices: reads shift and
// mask, writes merge. Storage survives nothing: reset() clears it.
#include "sim/devices/bus.h"

#include <algorithm>

#include "memmap/base/error.h"

namespace mcusim {

void Bus::add(std::unique_ptr<Device> device) {
  auto place = std::lower_bound(
      devices_.begin(), devices_.end(), device->base(),
      [](const std::unique_ptr<Device>& d, uint32_t base) { return d->base() < base; });
  if (place != devices_.end())
    check((*place)->base() - device->base() >= device->size_bytes(), "devices do not overlap");
  if (place != devices_.begin())
    check(device->base() - (*(place - 1))->base() >= (*(place - 1))->size_bytes(),
          "devices do not overlap");
  devices_.insert(place, std::move(device));
}

void Bus::reset() {
  words_.clear();
  touches_.clear();
  last_read_ = SIZE_MAX;
  for (auto& device : devices_)
    for (const auto& [offset, value] : device->reset())
      words_[device->base() + offset].value = value;
}

Device* Bus::find(uint32_t address) const {
  auto after = std::upper_bound(
      devices_.begin(), devices_.end(), address,
      [](uint32_t a, const std::unique_ptr<Device>& d) { return a < d->base(); });
  if (after == devices_.begin()) return nullptr;
  Device* device = (after - 1)->get();
  return address - device->base() < device->size_bytes() ? device : nullptr;
}

Bus::Word& Bus::touch(uint32_t address, uint32_t value, bool is_write, uint32_t block,
                      Device* device) {
  Word& word = words_[address];
  if (word.touch == UINT32_MAX) {
    word.touch = static_cast<uint32_t>(touches_.size());
    touches_.push_back({address, value, block, is_write, device});
  }
  if (!is_write) last_read_ = word.touch;
  return word;
}

uint32_t Bus::read(uint32_t address, unsigned bytes, uint32_t block) {
  const uint32_t word_address = address & ~3u;
  Device* device = find(word_address);
  uint32_t value = stored(word_address);
  if (device != nullptr) value = device->read(word_address - device->base(), value);
  touch(word_address, value, false, block, device);
  value >>= 8 * (address & 3);
  return bytes >= 4 ? value : value & ((1u << 8 * bytes) - 1);
}

void Bus::write(uint32_t address, unsigned bytes, uint32_t value, uint32_t block) {
  const uint32_t word_address = address & ~3u;
  const unsigned shift = 8 * (address & 3);
  const uint32_t mask = (bytes >= 4 ? ~0u : (1u << 8 * bytes) - 1) << shift;
  Device* device = find(word_address);
  const uint32_t before = stored(word_address);
  const uint32_t merged = (before & ~mask) | (value << shift & mask);
  touch(word_address, merged, true, block, device);
  const uint32_t after = device == nullptr
      ? merged
      : device->write(word_address - device->base(), merged, mask, before);
  words_[word_address].value = after;
}

uint32_t Bus::stored(uint32_t address) const {
  const auto found = words_.find(address);
  return found == words_.end() ? 0 : found->second.value;
}

uint64_t Bus::next_event() const {
  uint64_t next = kNever;
  for (const auto& device : devices_) next = std::min(next, device->next_event());
  return next;
}

void Bus::run_events(uint64_t now) {
  for (auto& device : devices_)
    if (device->next_event() <= now) device->event(now);
}

void Bus::poll() {
  for (auto& device : devices_) device->poll();
}

void Bus::clocks_changing() {
  for (auto& device : devices_) device->clocks_changing();
}

}  // namespace mcusim
