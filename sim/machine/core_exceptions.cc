// SPDX-License-Identifier: MIT
// Exception entry and return, done between blocks by writing the engine's registers
// (the engine has no NVIC). Armv7-M ARM B1.5.6 and B1.5.8: frame of 8 or 26 words,
// EXC_RETURN in LR, tail-chaining. Order of the register writes matters: SP, then IPSR
// (it swaps the banked stack pointer), then EPSR (clears IT), LR, CONTROL, PC.
#include <cstring>

#include "memmap/base/error.h"
#include "sim/machine/core.h"

namespace mcusim {
namespace {

constexpr uint32_t kBasicWords = 8, kExtendedWords = 26;   // the latter: 18 of the FPU, one spare
constexpr uint32_t kFpca = 4, kSpsel = 2, kUnprivileged = 1;   // CONTROL
constexpr uint32_t kAligned = 1u << 9;                     // stacked xPSR: 4 bytes of padding
constexpr uint32_t kNoFpFrame = 1u << 4, kThread = 1u << 3, kProcessStack = 1u << 2;  // EXC_RETURN

constexpr int kCallerSaved[6] = {UC_ARM_REG_R0, UC_ARM_REG_R1,  UC_ARM_REG_R2,
                                 UC_ARM_REG_R3, UC_ARM_REG_R12, UC_ARM_REG_LR};

}  // namespace

void Machine::Core::read_system_registers() {
  const uint32_t control_word = engine.reg(UC_ARM_REG_CONTROL);
  on_main_stack = nvic.current() != 0 || (control_word & kSpsel) == 0;
  set_privileged(nvic.current() != 0 || (control_word & kUnprivileged) == 0);
  if (nvic.any_pending()) look_soon();      // a mask register may have changed
}

void Machine::Core::set_privileged(bool now_privileged) {
  if (privileged == now_privileged) return;
  privileged = now_privileged;
  if (!mpu_closes) return;
  forget_rights();
  forget_plans();
}

// Enters what is pending and may run; true when control flow changed.
bool Machine::Core::take_pending(uint32_t return_address) {
  const uint32_t number = nvic.next(engine.reg(UC_ARM_REG_PRIMASK) & 1,
                                    engine.reg(UC_ARM_REG_FAULTMASK) & 1,
                                    static_cast<uint8_t>(engine.reg(UC_ARM_REG_BASEPRI)));
  return number != 0 && enter_exception(number, return_address);
}

bool Machine::Core::enter_exception(uint32_t number, uint32_t return_address) {
  const uint32_t xpsr = engine.reg(UC_ARM_REG_XPSR), control_word = engine.reg(UC_ARM_REG_CONTROL);
  const uint32_t outer = nvic.current();
  const bool floating = (control_word & kFpca) != 0;
  const uint32_t words = floating ? kExtendedWords : kBasicWords;
  const uint32_t sp = engine.reg(UC_ARM_REG_SP);
  const uint32_t padding = (sp - 4 * words) & 4;
  const uint32_t frame_base = sp - 4 * words - padding;

  uint32_t frame[kExtendedWords] = {};
  for (int i = 0; i < 6; ++i) frame[i] = engine.reg(kCallerSaved[i]);
  frame[6] = return_address;
  frame[7] = (xpsr & ~0x3FFu) | (padding ? kAligned : 0) | outer;
  if (floating) {
    for (int i = 0; i < 16; ++i) frame[8 + i] = engine.reg(UC_ARM_REG_S0 + i);
    frame[24] = engine.reg(UC_ARM_REG_FPSCR);
  }
  uint32_t vector = 0;
  const uint32_t vector_address = bus.stored(kVtor) + 4 * number;
  if (!memory.contains(frame_base, 4 * words)) {
    end_with_fault(fmt::format("entry of exception {}: the stack at 0x{:08x} is not memory", number,
                               frame_base), return_address, frame_base);
    return true;
  }
  if (!memory.try_read_word(vector_address, vector) || (vector & 1) == 0) {
    end_with_fault(fmt::format("entry of exception {}: vector 0x{:08x} at 0x{:08x} is no Thumb code",
                               number, vector, vector_address), return_address, vector_address);
    return true;
  }
  memory.write(frame_base, {reinterpret_cast<const uint8_t*>(frame), 4 * words});
  for (uint32_t i = 0; i < 4 * words; ++i) *memory.shadow(frame_base + i) |= kShadowWritten;
  if (on_main_stack) {
    note_stack(frame_base, 0);
    if (violated) {
      violated = false;
      end(EndReason::strict_violation, message, return_address);
      return true;
    }
  }

  // Thread mode always comes from depth 0 here; the stack it used is in CONTROL.
  const bool from_thread = outer == 0;
  const bool process = from_thread && (control_word & kSpsel);
  const uint32_t exc_return = 0xFFFFFFE1 | (floating ? 0 : kNoFpFrame) |
                              (from_thread ? kThread : 0) | (process ? kProcessStack : 0);
  nvic.enter(number);
  ++exceptions;
  set_privileged(true);
  on_main_stack = true;
  engine.set_reg(UC_ARM_REG_SP, frame_base);
  engine.set_reg(UC_ARM_REG_IPSR, number);
  engine.set_reg(UC_ARM_REG_EPSR, 0x01000000);
  engine.set_reg(UC_ARM_REG_LR, exc_return);
  engine.set_reg(UC_ARM_REG_CONTROL, control_word & ~kFpca);
  engine.set_reg(UC_ARM_REG_PC, vector);
  it_now = 0;
  event_register = true;
  if (number >= kSysTick) time_observed = true;
  if (sink != nullptr) sink->exception({true, number, 4 * words + padding});
  return true;
}

// From one handler straight into the next: the frame stays where it is.
bool Machine::Core::chain(uint32_t number, uint32_t exc_return) {
  uint32_t vector = 0;
  const uint32_t vector_address = bus.stored(kVtor) + 4 * number;
  if (!memory.try_read_word(vector_address, vector) || (vector & 1) == 0) return false;
  nvic.enter(number);
  ++exceptions;
  engine.set_reg(UC_ARM_REG_IPSR, number);
  engine.set_reg(UC_ARM_REG_EPSR, 0x01000000);
  engine.set_reg(UC_ARM_REG_LR, exc_return);
  engine.set_reg(UC_ARM_REG_PC, vector);
  it_now = 0;
  if (sink != nullptr) sink->exception({true, number, 0});
  return true;
}

void Machine::Core::leave_exception(uint32_t exc_return) {
  const uint32_t finished = nvic.current();
  const uint32_t from = resume_pc;
  if (finished == 0) {
    end_with_fault(fmt::format("exception return 0x{:08x} outside any exception", exc_return), from);
    engine.stop();
    return;
  }
  const uint32_t outer = nvic.leave(finished);
  const uint32_t mode = exc_return & 0xF;
  if ((mode != 0x1 && mode != 0x9 && mode != 0xD) || (mode == 0x1) != (outer != 0)) {
    end_with_fault(fmt::format("illegal exception return 0x{:08x} from exception {}", exc_return,
                               finished), from);
    engine.stop();
    return;
  }
  engine.set_reg(UC_ARM_REG_FAULTMASK, 0);
  if (nvic.any_pending()) {
    const uint32_t next = nvic.next(engine.reg(UC_ARM_REG_PRIMASK) & 1, false,
                                    static_cast<uint8_t>(engine.reg(UC_ARM_REG_BASEPRI)));
    if (next != 0) {
      if (sink != nullptr) sink->exception({false, finished, 0});
      if (chain(next, exc_return)) return;
    }
  }
  // Back on the interrupted stack. IPSR first: the engine ignores SPSEL in handler
  // mode, and a handler may return to the other stack (an RTOS starts its first task so).
  const bool process = mode == 0xD;
  uint32_t control_word = engine.reg(UC_ARM_REG_CONTROL) & ~(kFpca | kSpsel);
  if (process) control_word |= kSpsel;
  engine.set_reg(UC_ARM_REG_IPSR, outer);
  engine.set_reg(UC_ARM_REG_CONTROL, control_word);
  const bool floating = (exc_return & kNoFpFrame) == 0;
  const uint32_t words = floating ? kExtendedWords : kBasicWords;
  const uint32_t sp = engine.reg(UC_ARM_REG_SP);
  uint32_t frame[kExtendedWords] = {};
  if (!memory.contains(sp, 4 * words)) {
    end_with_fault(fmt::format("return from exception {}: the stack at 0x{:08x} is not memory",
                               finished, sp), from, sp);
    engine.stop();
    return;
  }
  memory.read(sp, {reinterpret_cast<uint8_t*>(frame), 4 * words});
  for (int i = 0; i < 6; ++i) engine.set_reg(kCallerSaved[i], frame[i]);
  if (floating) {
    for (int i = 0; i < 16; ++i) engine.set_reg(UC_ARM_REG_S0 + i, frame[8 + i]);
    engine.set_reg(UC_ARM_REG_FPSCR, frame[24]);
  }
  const uint32_t padding = frame[7] & kAligned ? 4 : 0;
  engine.set_reg(UC_ARM_REG_SP, sp + 4 * words + padding);
  engine.set_reg(UC_ARM_REG_CONTROL, control_word | (floating ? kFpca : 0));
  // NZCVQG keeps GE (plain XPSR loses it); it also restores ITSTATE.
  engine.set_reg(UC_ARM_REG_XPSR_NZCVQG, (frame[7] & ~0x3FFu) | outer);
  engine.set_reg(UC_ARM_REG_PC, frame[6] | 1);
  it_now = static_cast<uint8_t>((frame[7] >> 8 & 0xFC) | (frame[7] >> 25 & 3));
  resume_pc = frame[6];
  event_register = true;
  on_main_stack = outer != 0 || !process;
  set_privileged(outer != 0 || (control_word & kUnprivileged) == 0);
  if (nvic.any_pending()) look_soon();
  if (sink != nullptr) sink->exception({false, finished, 4 * words + padding});
}

}  // namespace mcusim
