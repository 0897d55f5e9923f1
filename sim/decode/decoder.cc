// SPDX-License-Identifier: MIT
// Capstone's only user. Text and operand order come from Capstone; roles, flags, IT
// conditions and access sizes are derived here, because Capstone 4.0.2 omits or
// misreports them (UADD8 as flag-setting, SBC.W likewise, no APSR reads).
#include "sim/decode/decoder.h"

#include <capstone/capstone.h>

#include <algorithm>
#include <bit>

#include "memmap/base/error.h"
#include "sim/decode/forms.h"

namespace mcusim {
namespace {

RegisterSet reg_bits(unsigned reg) {
  const auto core = [](int n) { return RegisterSet{1} << n; };
  if (reg >= ARM_REG_R0 && reg <= ARM_REG_R12) return core(static_cast<int>(reg - ARM_REG_R0));
  if (reg == ARM_REG_SP) return core(13);
  if (reg == ARM_REG_LR) return core(14);
  if (reg == ARM_REG_PC) return core(15);
  if (reg >= ARM_REG_S0 && reg <= ARM_REG_S31)
    return core(kS0 + static_cast<int>(reg - ARM_REG_S0));
  if (reg >= ARM_REG_D0 && reg <= ARM_REG_D15)
    return RegisterSet{3} << (kS0 + 2 * static_cast<int>(reg - ARM_REG_D0));
  return 0;
}
constexpr RegisterSet bit(int n) { return RegisterSet{1} << n; }
constexpr RegisterSet kPc = bit(15), kLr = bit(14), kSp = bit(13);
bool is_double(unsigned reg) { return reg >= ARM_REG_D0 && reg <= ARM_REG_D15; }
bool is_fp_register(unsigned reg) {
  return is_double(reg) || (reg >= ARM_REG_S0 && reg <= ARM_REG_S31);
}

// Operands of one instruction, split into what the forms ask for.
struct Operands {
  std::vector<RegisterSet> registers;  // in order; memory operand excluded
  RegisterSet base = 0, index = 0, shifted = 0;
  bool has_memory = false, has_shift = false, index_shift = false;
  unsigned transfer_bytes = 0;         // FP register operands: 4 or 8
  size_t count = 0;
  RegisterSet from(size_t first) const {
    RegisterSet bits = 0;
    for (size_t i = first; i < registers.size(); ++i) bits |= registers[i];
    return bits;
  }
  RegisterSet at(size_t i) const { return i < registers.size() ? registers[i] : 0; }
};

Operands collect(const cs_arm& arm) {
  Operands out;
  out.count = arm.op_count;
  for (int i = 0; i < arm.op_count; ++i) {
    const cs_arm_op& op = arm.operands[i];
    if (op.type == ARM_OP_REG) {
      const unsigned reg = static_cast<unsigned>(op.reg);
      out.registers.push_back(reg_bits(reg));
      if (is_fp_register(reg)) out.transfer_bytes = is_double(reg) ? 8 : 4;
      // LSL #0 is no shift; ROR #0 is encoded RRX.
      if (op.shift.type != ARM_SFT_INVALID &&
          (op.shift.value != 0 || op.shift.type == ARM_SFT_RRX)) {
        out.has_shift = true;
        out.shifted |= reg_bits(reg);
      }
    } else if (op.type == ARM_OP_MEM) {
      out.has_memory = true;
      out.base = reg_bits(op.mem.base) & ~kPc;
      out.index = reg_bits(op.mem.index) & ~kPc;
      out.index_shift = op.shift.type != ARM_SFT_INVALID && op.shift.value != 0;
    }
  }
  return out;
}

void memory(Instruction& out, const Operands& ops, bool writeback, bool load, bool store,
            unsigned words, unsigned bytes) {
  out.address_reads = ops.base | ops.index;
  out.index_reads = ops.index;
  out.reads |= out.address_reads;
  out.is_load = load;
  out.is_store = store;
  out.memory_words = static_cast<uint8_t>(words);
  out.access_bytes = static_cast<uint8_t>(bytes);
  out.writes_base = writeback;
  if (writeback) out.writes |= ops.base;
}

// Registers of a list operand, and their access size.
void multiple(Instruction& out, const Operands& ops, size_t first, RegisterSet base, bool writeback,
              bool load) {
  const RegisterSet list = ops.from(first);
  out.address_reads = base;
  out.reads |= base | (load ? 0 : list);
  if (load) out.writes |= list;
  else out.store_data_reads = list;
  if (writeback) out.writes |= base;
  out.writes_base = writeback;
  out.is_load = load;
  out.is_store = !load;
  out.memory_words = static_cast<uint8_t>(ops.registers.size() - first);
  out.access_bytes = static_cast<uint8_t>(ops.transfer_bytes ? ops.transfer_bytes : 4);
  out.needs_alignment = true;
}

void apply_form(Instruction& out, const FormRow& row, const Operands& ops, const cs_insn& insn) {
  const cs_arm& arm = insn.detail->arm;
  const RegisterSet first = ops.at(0), second = ops.at(1);
  const RegisterSet last = ops.registers.empty() ? 0 : ops.registers.back();
  const unsigned bytes = row.access_bytes ? row.access_bytes : ops.transfer_bytes;
  switch (row.form) {
    case Form::alu:
      if (ops.count == 2) out.reads |= first;
      [[fallthrough]];
    case Form::dest:
    case Form::move:
      out.writes |= first;
      out.reads |= ops.from(1);
      break;
    case Form::compare:
      out.reads |= ops.from(0);
      if (!(row.flags & kWritesFpscr)) out.sets_flags = true;
      break;
    case Form::modify:
      out.writes |= first;
      out.reads |= ops.from(0);
      break;
    case Form::accumulate:
      out.writes |= first;
      out.reads |= ops.from(1);
      out.accumulator_reads = last;
      break;
    case Form::dest_pair:
    case Form::accumulate_pair:
      out.writes |= first | second;
      out.reads |= ops.from(2);
      if (row.form == Form::accumulate_pair) {
        out.accumulator_reads = first | second;
        out.reads |= first | second;
      }
      break;
    case Form::fp_accumulate:
      out.writes |= first;
      out.reads |= ops.from(0);
      out.accumulator_reads = first;
      break;
    case Form::load:
      memory(out, ops, arm.writeback, true, false, 1, bytes);
      out.writes |= first;
      out.needs_alignment = out.is_fpu;
      break;
    case Form::load_pair:
      memory(out, ops, arm.writeback, true, false, 2, bytes);
      out.writes |= first | second;
      out.needs_alignment = true;
      break;
    case Form::load_exclusive:
      memory(out, ops, false, true, false, 1, bytes);
      out.writes |= first;
      out.needs_alignment = out.is_exclusive = true;
      break;
    case Form::store:
      memory(out, ops, arm.writeback, false, true, 1, bytes);
      out.store_data_reads = first;
      out.reads |= first;
      out.needs_alignment = out.is_fpu;
      break;
    case Form::store_pair:
      memory(out, ops, arm.writeback, false, true, 2, bytes);
      out.store_data_reads = first | second;
      out.reads |= first | second;
      out.needs_alignment = true;
      break;
    case Form::store_exclusive:
      memory(out, ops, false, false, true, 2, bytes);
      out.writes |= first;
      out.store_data_reads = second;
      out.reads |= second;
      out.needs_alignment = out.is_exclusive = true;
      break;
    case Form::load_multiple:
    case Form::store_multiple:
      multiple(out, ops, 1, first, arm.writeback, row.form == Form::load_multiple);
      break;
    case Form::push:
    case Form::pop:
      multiple(out, ops, 0, kSp, true, row.form == Form::pop);
      break;
    case Form::preload:
      memory(out, ops, false, false, false, 0, 0);
      break;
    case Form::table_branch:
      memory(out, ops, false, true, false, 1, bytes);
      out.is_branch = out.is_indirect = true;
      break;
    case Form::branch:
      out.is_branch = true;
      out.branch_target = static_cast<uint32_t>(arm.operands[0].imm);
      if (row.mnemonic == "bl") {
        out.is_call = true;
        out.writes |= kLr;
      }
      break;
    case Form::branch_register:
      out.is_branch = out.is_indirect = true;
      out.reads |= first;
      if (row.mnemonic == "blx") {
        out.is_call = true;
        out.writes |= kLr;
      } else {
        out.is_return = first == kLr;
      }
      break;
    case Form::compare_branch:
      out.is_branch = true;
      out.reads |= first;
      out.branch_target = static_cast<uint32_t>(arm.operands[1].imm);
      break;
    case Form::fp_move: {
      // Destinations come first: as many as half the registers, or one.
      const size_t destinations = ops.registers.size() > 2
          ? ((ops.registers.size() == 3 && std::popcount(first) == 2) ? 1 : 2) : 1;
      for (size_t i = 0; i < destinations; ++i) out.writes |= ops.at(i);
      out.reads |= ops.from(destinations);
      if (arm.vector_size == 32) {  // VMOV.32 Dd[x], Rt and back: one half of the double
        const int lane = std::max(arm.operands[0].vector_index, arm.operands[1].vector_index);
        const auto half = [lane](RegisterSet bits) {
          const RegisterSet low = bits & (~bits + 1);
          return bits >> kS0 ? (lane == 1 ? low << 1 : low) : bits;
        };
        out.writes = half(out.writes);
        out.reads = half(out.reads);
      }
      break;
    }
    case Form::fp_status:
      if (row.mnemonic == "vmsr") {
        out.reads |= second;
        out.writes |= bit(kFpscr);
      } else {
        out.reads |= bit(kFpscr);
        if (first) out.writes |= first;
        else out.sets_flags = true;  // VMRS APSR_nzcv, FPSCR
      }
      break;
    case Form::system_read:
      out.writes |= first;
      out.reads |= bit(kFlags);
      break;
    case Form::system_write:
      out.reads |= last;
      out.sets_flags = std::string_view(insn.op_str).starts_with("apsr");
      break;
    case Form::none:
      break;
  }
  if (row.flags & kReadsFlags) out.reads |= bit(kFlags);
  if (row.flags & kReadsGe) out.reads |= bit(kGe);
  if (row.flags & kWritesGe) out.writes |= bit(kGe);
  if (row.flags & kWritesQ) out.writes |= bit(kQ);
  if (row.flags & kWritesFpscr) out.writes |= bit(kFpscr);
  if (row.flags & kShiftsLast) out.shifted_reads = last;
  const bool shifter_operand = row.form == Form::alu || row.form == Form::compare ||
                               row.mnemonic == "mvn";
  if (shifter_operand && ops.has_shift) {
    out.inline_shift = true;
    out.shifted_reads = ops.shifted;
  }
}

// Modified immediate of the 32-bit data-processing encodings: i:imm3:a >= 0b01000 is
// an 8-bit value rotated into place (Armv7-M ARM A5.3.2), below that a byte pattern.
bool is_shifted_constant(uint32_t first_half, uint32_t second_half) {
  if ((first_half & 0xFA00u) != 0xF000u || (second_half & 0x8000u) != 0) return false;
  return ((first_half >> 10 & 1) << 1 | (second_half >> 14 & 1)) != 0;
}

std::string hex(std::span<const uint8_t> code, size_t at) {
  std::string text;
  for (size_t i = at; i < std::min(at + 4, code.size()); ++i)
    text += fmt::format("{:02x}", code[i]);
  return text;
}

uint8_t advance_it(uint8_t state) {
  if ((state & 7) == 0) return 0;
  return static_cast<uint8_t>((state & 0xE0) | ((state << 1) & 0x1F));
}

Instruction convert(csh handle, const cs_insn& insn, uint8_t it_state) {
  Instruction out;
  out.address = static_cast<uint32_t>(insn.address);
  out.bytes = static_cast<uint8_t>(insn.size);
  for (size_t i = 0; i < insn.size; i += 2)
    out.opcode = out.opcode << 16 | static_cast<uint32_t>(insn.bytes[i] | insn.bytes[i + 1] << 8);
  out.text = insn.op_str[0] ? fmt::format("{} {}", insn.mnemonic, insn.op_str) : insn.mnemonic;
  const std::string base = cs_insn_name(handle, insn.id);
  const FormRow* row = find_form(base);
  if (!row)
    throw Error("decode: unknown instruction {} ({}) at {:#010x}", out.text,
                hex({insn.bytes, insn.size}, 0), out.address);
  out.mnemonic = base;
  const std::string_view shown = insn.mnemonic;
  out.is_fpu = base[0] == 'v';
  if (out.is_fpu)
    if (const size_t dot = shown.find('.'); dot != shown.npos) out.mnemonic += shown.substr(dot);

  const uint32_t half0 = insn.bytes[0] | insn.bytes[1] << 8;
  const uint32_t half1 = insn.size == 4 ? insn.bytes[2] | insn.bytes[3] << 8 : 0;
  apply_form(out, *row, collect(insn.detail->arm), insn);
  if (row->form == Form::alu || row->form == Form::dest || row->form == Form::move)
    out.sets_flags = shown.size() > base.size() && shown[base.size()] == 's';
  if (insn.size == 4 && !out.is_fpu) out.shifted_constant = is_shifted_constant(half0, half1);
  if (out.sets_flags) out.writes |= bit(kFlags);

  if (it_state != 0) {
    out.in_it_block = true;
    out.condition = it_state >> 4;
  } else if (base == "b" && insn.detail->arm.cc != ARM_CC_AL && insn.detail->arm.cc != 0) {
    out.condition = static_cast<uint8_t>(insn.detail->arm.cc - ARM_CC_EQ);
  }
  if (out.condition < 14) out.reads |= bit(kFlags);
  if ((out.writes & kPc) && !out.is_branch) {
    out.is_branch = out.is_indirect = true;
    // MOV PC, LR may be a computed jump; compilers return with BX LR.
    out.is_return = out.is_load && out.address_reads == kSp;
  }
  out.reads &= ~kPc;
  return out;
}

}  // namespace

Decoder::Decoder() {
  csh handle;
  const auto mode = static_cast<cs_mode>(CS_MODE_THUMB | CS_MODE_MCLASS);
  if (const cs_err error = cs_open(CS_ARCH_ARM, mode, &handle); error != CS_ERR_OK)
    throw Error("decode: Capstone does not open: {}", cs_strerror(error));
  cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
  handle_ = handle;
}

Decoder::~Decoder() {
  csh handle = handle_;
  cs_close(&handle);
}

DecodedBlock Decoder::decode(uint32_t address, std::span<const uint8_t> code,
                             uint8_t it_entry) const {
  DecodedBlock block;
  block.address = address;
  block.bytes = static_cast<uint32_t>(code.size());
  block.it_entry = it_entry;
  // ITSTATE is itself the low byte of the IT instruction that would set it: put that in
  // front, so that Capstone decodes the rest of the IT block (no S on 16-bit ALU there).
  std::vector<uint8_t> bytes;
  const size_t prefix = it_entry != 0 ? 2 : 0;
  if (prefix) bytes = {it_entry, 0xBF};
  bytes.insert(bytes.end(), code.begin(), code.end());

  cs_insn* decoded = nullptr;
  const size_t count =
      cs_disasm(handle_, bytes.data(), bytes.size(), address - prefix, 0, &decoded);
  struct Free {
    cs_insn* list;
    size_t count;
    ~Free() { if (list) cs_free(list, count); }
  } guard{decoded, count};

  uint8_t it_state = it_entry;
  size_t offset = prefix;
  for (size_t i = prefix ? 1 : 0; i < count; ++i) {
    block.instructions.push_back(convert(handle_, decoded[i], it_state));
    Instruction& instruction = block.instructions.back();
    if (instruction.mnemonic == "it") it_state = decoded[i].bytes[0];
    else it_state = advance_it(it_state);
    block.accesses += instruction.memory_words;
    offset += decoded[i].size;
  }
  if (offset != bytes.size())
    throw Error("decode: unknown instruction: bytes {} at {:#010x}", hex(bytes, offset),
                address + offset - prefix);
  block.it_exit = it_state;
  return block;
}

}  // namespace mcusim
