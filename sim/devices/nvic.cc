// SPDX-License-Identifier: MIT
// Lower number wins, equal never preempts; among equals the lower exception number.
#include "sim/devices/nvic.h"

#include <algorithm>

namespace mcusim {

void Nvic::reset() {
  *this = Nvic();
  for (uint32_t i = 0; i < kFirstInterrupt; ++i) enabled_[i] = true;
}

void Nvic::update() { any_pending_ = (pending_ & enabled_).any(); }

void Nvic::set_pending(uint32_t exception, bool pending) {
  if (exception == 0 || exception >= kExceptions) return;
  pending_[exception] = pending;
  update();
}

void Nvic::set_enabled(uint32_t interrupt, bool enabled) {
  if (interrupt < kFirstInterrupt || interrupt >= kExceptions) return;
  enabled_[interrupt] = enabled;
  update();
}

void Nvic::set_line(uint32_t interrupt, bool high) {
  const uint32_t exception = kFirstInterrupt + interrupt;
  const bool rises = high && !lines_[exception];
  lines_[exception] = high;
  // While its handler is active a level is looked at again only at return.
  if (rises && !active_bits_[exception]) set_pending(exception, true);
}

int Nvic::group_priority(uint32_t exception) const {
  if (exception == kNmi) return -2;
  if (exception == kHardFault) return -1;
  const uint32_t sub_bits = group_ + 1;     // PRIGROUP n: bits n..0 are the sub-priority
  return priority_[exception] >> sub_bits << sub_bits;
}

int Nvic::running_priority(bool primask, bool faultmask, uint8_t basepri) const {
  int running = kThreadPriority;
  for (uint32_t exception : active_) running = std::min(running, group_priority(exception));
  const uint32_t sub_bits = group_ + 1;
  if (basepri != 0) running = std::min(running, basepri >> sub_bits << sub_bits);
  if (primask) running = std::min(running, 0);
  if (faultmask) running = std::min(running, -1);
  return running;
}

bool Nvic::can_take(uint32_t exception, bool primask, bool faultmask, uint8_t basepri) const {
  return group_priority(exception) < running_priority(primask, faultmask, basepri);
}

uint32_t Nvic::next(bool primask, bool faultmask, uint8_t basepri) const {
  if (!any_pending_) return 0;
  uint32_t best = 0;
  const auto order = [&](uint32_t e) { return e <= kHardFault ? group_priority(e) : priority_[e]; };
  for (uint32_t e = 1; e < kExceptions; ++e)
    if (pending_[e] && enabled_[e] && (best == 0 || order(e) < order(best))) best = e;
  return best != 0 && can_take(best, primask, faultmask, basepri) ? best : 0;
}

void Nvic::enter(uint32_t exception) {
  pending_[exception] = false;
  active_bits_[exception] = true;
  active_.push_back(exception);
  update();
}

uint32_t Nvic::leave(uint32_t exception) {
  const auto found = std::find(active_.rbegin(), active_.rend(), exception);
  if (found != active_.rend()) active_.erase(std::next(found).base());
  active_bits_[exception] = false;
  if (lines_[exception]) set_pending(exception, true);
  return current();
}

uint32_t NvicDevice::read(uint32_t offset, uint32_t) {
  const uint32_t first = kFirstInterrupt + offset % 0x80 * 8;
  uint32_t word = 0;
  if (offset >= 0x300) {              // IPR: one byte each
    for (uint32_t i = 0; i < 4; ++i) {
      const uint32_t exception = kFirstInterrupt + (offset - 0x300) + i;
      if (exception < kExceptions) word |= uint32_t{nvic_.priority(exception)} << 8 * i;
    }
    return word;
  }
  for (uint32_t i = 0; i < 32 && first + i < kExceptions; ++i) {
    const uint32_t exception = first + i;
    const bool bit = offset < 0x100 ? nvic_.enabled(exception)
                     : offset < 0x200 ? nvic_.pending(exception) : nvic_.active(exception);
    word |= uint32_t{bit} << i;
  }
  return word;
}

uint32_t NvicDevice::write(uint32_t offset, uint32_t merged, uint32_t mask, uint32_t) {
  if (offset >= 0x300) {
    for (uint32_t i = 0; i < 4; ++i) {
      const uint32_t exception = kFirstInterrupt + (offset - 0x300) + i;
      if (exception < kExceptions && (mask >> 8 * i & 0xff))
        nvic_.set_priority(exception, static_cast<uint8_t>(merged >> 8 * i));
    }
    return 0;
  }
  const uint32_t first = kFirstInterrupt + offset % 0x80 * 8;
  for (uint32_t i = 0; i < 32 && first + i < kExceptions; ++i) {
    if (!(merged & mask & 1u << i)) continue;
    switch (offset / 0x80) {
      case 0: nvic_.set_enabled(first + i, true); break;
      case 1: nvic_.set_enabled(first + i, false); break;
      case 2: nvic_.set_pending(first + i, true); break;
      case 3: nvic_.set_pending(first + i, false); break;
      default: break;                 // IABR is read-only
    }
  }
  return 0;
}

}  // namespace mcusim
