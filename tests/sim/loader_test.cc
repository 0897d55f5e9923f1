// SPDX-License-Identifier: MIT
// ELF, Intel HEX and raw images become the same program; what is not for a Cortex-M7
// is refused by name, and damage never gets past the loader.
#include "sim/loader/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "tests/sim/support/guest.h"

namespace mcusim {
namespace {

using test::TemporaryDirectory;
using testing::HasSubstr;

template <typename Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

constexpr const char* kBody = "ldr r0, =value\n ldr r4, [r0]\n exit 0";
constexpr const char* kData = ".data\nvalue: .word 0x12345678\n .text";

class Loader : public testing::Test {
 protected:
  Loader() : elf_(test::build_assembly(directory_, kBody, kData)) {}
  std::string objcopy(const std::string& flags, const std::string& name) {
    test::run_command("arm-none-eabi-objcopy " + flags + " " + elf_ + " " + directory_.path(name));
    return directory_.path(name);
  }
  TemporaryDirectory directory_;
  std::string elf_;
};

TEST_F(Loader, DataLoadsAtItsPhysicalAddress) {
  const Program program = load_program(elf_);
  EXPECT_EQ(program.symbol_address("value"), 0x20000000u);
  ASSERT_EQ(program.segments.size(), 2u);
  EXPECT_EQ(program.segments[0].address, 0x08000000u);
  const uint32_t load = program.symbol_address("__data_load");
  EXPECT_EQ(program.word_at(load), 0x12345678u);
  EXPECT_FALSE(program.covers(0x20000000, 4));
  EXPECT_EQ(program.bytes_inside(0x08000000, 0x200000), load + 4 - 0x08000000);
}

TEST_F(Loader, HexAndRawHoldTheSameBytes) {
  const Program elf = load_program(elf_);
  const Program hex = load_program(objcopy("-O ihex", "guest.hex"));
  const Program raw = load_program(objcopy("-O binary", "guest.bin"), 0x08000000);
  for (const auto& segment : elf.segments)
    for (uint32_t i = 0; i + 4 <= segment.bytes.size(); i += 4) {
      EXPECT_EQ(hex.word_at(segment.address + i), elf.word_at(segment.address + i));
      EXPECT_EQ(raw.word_at(segment.address + i), elf.word_at(segment.address + i));
    }
  EXPECT_EQ(hex.entry, elf.entry);
  Machine machine(load_board("stm32h743"), {});
  EXPECT_EQ(test::run_on(machine, hex).result.instructions,
            test::run_on(machine, raw).result.instructions);
}

TEST_F(Loader, SymbolsNameAddresses) {
  const Program program = load_program(elf_);
  const uint32_t start = program.symbol_address("_start");
  EXPECT_EQ(program.describe(start + 2), fmt::format("0x{:08x} <_start+0x2>", start + 2));
  EXPECT_EQ(program.describe(0x60000000), "0x60000000");
  EXPECT_THAT(error_of([&] { program.symbol_address("nothing"); }), HasSubstr("no symbol nothing"));
}

TEST_F(Loader, OtherMachinesAreRefusedByName) {
  EXPECT_THAT(error_of([] { load_program("/proc/self/exe"); }), HasSubstr("not for Arm"));
  test::run_command("arm-none-eabi-as -mbig-endian -mthumb " + directory_.path("guest.s") + " -o " +
                    directory_.path("big.o"));
  EXPECT_THAT(error_of([&] { load_program(directory_.path("big.o")); }), HasSubstr("big-endian"));
  EXPECT_THAT(error_of([&] { load_program(directory_.path("guest.o")); }),
              HasSubstr("not an executable"));
  write_file(directory_.path("arm.s"), std::string(".arm\n.global _start\n_start: mov r0, r0\n"));
  test::run_command("arm-none-eabi-gcc -march=armv7-a -nostdlib " + directory_.path("arm.s") +
                    " -o " + directory_.path("arm.elf"));
  EXPECT_THAT(error_of([&] { load_program(directory_.path("arm.elf")); }), HasSubstr("Arm code"));
}

TEST_F(Loader, NeitherFormat) {
  write_file(directory_.path("x"), std::string("hello"));
  EXPECT_THAT(error_of([&] { load_program(directory_.path("x")); }), HasSubstr("base address"));
}

TEST_F(Loader, DamagedHexNamesTheLine) {
  const auto parse = [](const std::string& text) {
    return error_of([&] {
      parse_hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, "f.hex");
    });
  };
  EXPECT_THAT(parse(":0400000001020304F2\n:00000001FF\n"), HasSubstr("no error"));
  EXPECT_THAT(parse(":0400000001020304F3\n"), HasSubstr("f.hex: line 1: wrong checksum"));
  EXPECT_THAT(parse(":0400000001020304F2\n"), HasSubstr("no end record"));
  EXPECT_THAT(parse(":04000000010203F6\n"), HasSubstr("4 data bytes announced, 3 found"));
  EXPECT_THAT(parse(":0400000001020304F2\n:0400020001020304F0\n:00000001FF\n"),
              HasSubstr("overlap at 0x00000002"));
  EXPECT_THAT(parse(":00000009F7\n"), HasSubstr("unknown record type 9"));
}

TEST_F(Loader, DamagedElfNeverCrashes) {
  const std::vector<uint8_t> good = read_file(elf_);
  for (size_t length = 0; length < good.size(); length += 61) {
    const std::vector<uint8_t> cut(good.begin(), good.begin() + static_cast<long>(length));
    try {
      parse_elf(cut, "cut");
    } catch (const Error&) {
    }
  }
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    std::vector<uint8_t> bad = good;
    for (int flip = 0; flip < 3; ++flip) {
      // Mostly in the headers, where every field is trusted with something.
      const size_t reach = round % 2 ? bad.size() : 256;
      bad[random() % reach] ^= static_cast<uint8_t>(1u << random() % 8);
    }
    try {
      parse_elf(bad, "flipped");
    } catch (const Error&) {
    }
  }
}

TEST_F(Loader, ImageOutsideTheBoardIsRefused) {
  Machine machine(load_board("stm32h743"), {});
  EXPECT_THAT(error_of([&] { machine.load(parse_raw(read_file(elf_), "x.bin", 0x60000000)); }),
              HasSubstr("outside the memory of board stm32h743"));
  EXPECT_THAT(error_of([&] { machine.load(parse_raw(read_file(elf_), "x.bin", 0x08000000)); }),
              HasSubstr("no vector table"));
}

}  // namespace
}  // namespace mcusim
