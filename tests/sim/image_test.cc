// SPDX-License-Identifier: MIT
// Images: what is linked, how many bytes it takes (law 4, by an ELF reader of the
// test's own), what is refused, and that equal input gives equal bytes.
#include "sim/image/image.h"

#include <elf.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "memmap/linker_script.h"
#include "sim/image/tool.h"
#include "tests/sim/small_net.h"

namespace mcusim {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Program headers and symbols straight from the file.
struct RawElf {
  std::vector<uint8_t> bytes;
  Elf32_Ehdr header;
  std::vector<Elf32_Phdr> segments;
  std::vector<std::pair<std::string, uint32_t>> symbols;

  explicit RawElf(const std::string& path) : bytes(read_file(path)) {
    std::memcpy(&header, bytes.data(), sizeof header);
    segments.resize(header.e_phnum);
    std::memcpy(segments.data(), &bytes[header.e_phoff], sizeof(Elf32_Phdr) * header.e_phnum);
    std::vector<Elf32_Shdr> sections(header.e_shnum);
    std::memcpy(sections.data(), &bytes[header.e_shoff], sizeof(Elf32_Shdr) * header.e_shnum);
    for (const auto& section : sections) {
      if (section.sh_type != SHT_SYMTAB) continue;
      for (uint32_t at = 0; at < section.sh_size; at += sizeof(Elf32_Sym)) {
        Elf32_Sym symbol;
        std::memcpy(&symbol, &bytes[section.sh_offset + at], sizeof symbol);
        if (symbol.st_shndx == SHN_UNDEF) continue;
        symbols.emplace_back(reinterpret_cast<const char*>(
                                 &bytes[sections[section.sh_link].sh_offset + symbol.st_name]),
                             symbol.st_value);
      }
    }
  }

  std::vector<std::string> rows() const {
    std::vector<std::string> found;
    for (const auto& [name, value] : symbols)
      if (name.starts_with("mcusim_") && name.find("_a") != std::string::npos &&
          (name.ends_with("_icn") || name.ends_with("_thr") || name.ends_with("_tflite") ||
           name.ends_with("_none")))
        found.push_back(name);
    std::sort(found.begin(), found.end());
    return found;
  }

  uint32_t value_of(const std::string& name) const {
    for (const auto& [candidate, value] : symbols)
      if (candidate == name) return value;
    ADD_FAILURE() << "no symbol " << name;
    return 0;
  }
};

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "(accepted)";
}

class Image : public ::testing::Test {
 protected:
  std::string out(const char* name) const { return directory_.file(name); }

  const TemporaryDirectory directory_;
  const std::vector<uint8_t> container_ = encode(testing::small_net());
  const Board board_ = load_board("stm32h743");
};

TEST_F(Image, Law4ImageBytesAreTheLoadSegmentsBytesInFlash) {
  const auto facts = build_image(container_, board_, {}, out("fw.elf"));
  const RawElf elf(out("fw.elf"));
  uint64_t in_flash = 0, elsewhere = 0;
  for (const auto& segment : elf.segments)
    if (segment.p_type == PT_LOAD)
      (board_.region("FLASH").contains(segment.p_paddr) ? in_flash : elsewhere) += segment.p_filesz;
  EXPECT_EQ(facts.image_bytes, in_flash);
  EXPECT_EQ(elsewhere, 0u);
  EXPECT_EQ(facts.container_bytes, container_.size());
  EXPECT_EQ(facts.code_bytes + facts.container_bytes, facts.image_bytes);
}

TEST_F(Image, WeightsInRamAreStoredInFlashOnce) {
  const auto in_flash = build_image(container_, board_, {}, out("flash.elf"));
  EXPECT_EQ(in_flash.weights_region, "FLASH");
  for (const char* region : {"AXI_SRAM", "DTCM", "SRAM1"}) {
    ImageOptions options;
    apply_placement(board_, fmt::format("weights={}", region), options);
    const auto facts = build_image(container_, board_, options, out("fw.elf"));
    const RawElf elf(out("fw.elf"));
    EXPECT_EQ(facts.weights_region, region);
    EXPECT_EQ(elf.value_of("mcusim_net"), facts.weights_base);
    EXPECT_TRUE(board_.region(region).contains(facts.weights_base, facts.container_bytes));
    // The same bytes of flash, but for the few instructions that copy and alignment.
    EXPECT_GE(facts.image_bytes, in_flash.image_bytes);
    EXPECT_LE(facts.image_bytes, in_flash.image_bytes + 96);
    EXPECT_EQ(facts.code_bytes + facts.container_bytes, facts.image_bytes);
    bool found = false;
    for (const auto& segment : elf.segments) {
      if (segment.p_type != PT_LOAD || facts.weights_base < segment.p_vaddr ||
          facts.weights_base + container_.size() > segment.p_vaddr + segment.p_filesz)
        continue;
      EXPECT_TRUE(board_.region("FLASH").contains(segment.p_paddr, segment.p_filesz));
      found = std::equal(container_.begin(), container_.end(),
                         elf.bytes.begin() + segment.p_offset + (facts.weights_base - segment.p_vaddr));
    }
    EXPECT_TRUE(found) << region;
  }
}

TEST_F(Image, WeightsThatDoNotFitTheirRegionAreRefused) {
  // 300 kB of weights: more than DTCM or SRAM1.
  const auto container = encode(testing::make_chain(
      {{net::OpKind::conv2d, 8, 8, 1, 1, 300, 1, 1, 0, 0, -8}, {net::OpKind::conv2d, 8, 8, 1, 1, 1000, 1, 1, 0, 0, -8}}, 1, 1, 4));
  ImageOptions options;
  options.weights_region = "DTCM";
  EXPECT_THAT(error_of([&] { build_image(container, board_, options, out("fw.elf")); }), HasSubstr("(DTCM)"));
  options.weights_region = "SRAM1";
  EXPECT_THAT(error_of([&] { build_image(container, board_, options, out("fw.elf")); }),
              AllOf(HasSubstr("weights end at 0x3004"), HasSubstr("SRAM1 at 0x30020000")));
}

TEST_F(Image, HoldsTheContainerUnchangedAndPlacesRamSymbols) {
  const auto facts = build_image(container_, board_, {}, out("fw.elf"));
  const RawElf elf(out("fw.elf"));
  const uint32_t at = elf.value_of("mcusim_net");
  EXPECT_EQ(at % 8, 0u);
  bool found = false;
  for (const auto& segment : elf.segments)
    if (segment.p_type == PT_LOAD && at >= segment.p_paddr &&
        at + container_.size() <= segment.p_paddr + segment.p_filesz)
      found = std::equal(container_.begin(), container_.end(),
                         elf.bytes.begin() + segment.p_offset + (at - segment.p_paddr));
  EXPECT_TRUE(found);
  EXPECT_EQ(elf.value_of("mcusim_arena"), 0x24000000u);
  EXPECT_EQ(elf.value_of("__stack_top"), 0x20020000u);
  EXPECT_EQ(elf.value_of("__stack_limit"), 0x20020000u - board_.stack_bytes);
  EXPECT_GE(elf.value_of("mcusim_scratch"), 0x20000000u);
  EXPECT_EQ(facts.arena_base, 0x24000000u);
  // The vector table is first in flash: stack pointer, then the entry as a Thumb address.
  uint32_t vectors[2];
  const auto& first = *std::find_if(elf.segments.begin(), elf.segments.end(),
                                    [](auto& s) { return s.p_paddr == 0x08000000; });
  std::memcpy(vectors, &elf.bytes[first.p_offset], sizeof vectors);
  EXPECT_EQ(vectors[0], 0x20020000u);
  EXPECT_EQ(vectors[1], elf.header.e_entry);
  EXPECT_EQ(vectors[1] & 1, 1u);
}

TEST_F(Image, LinksExactlyTheRowsTheNetworkNames) {
  const auto facts = build_image(container_, board_, {}, out("fw.elf"));
  EXPECT_THAT(facts.rows,
              ElementsAre("mcusim_conv_a8w4y4_icn", "mcusim_depthwise_a4w8y2_icn",
                          "mcusim_fully_connected_a8w8y8_icn", "mcusim_pointwise_a2w2y8_icn"));
  EXPECT_EQ(RawElf(out("fw.elf")).rows(), facts.rows);
}

TEST_F(Image, SameInputSameBytes) {
  build_image(container_, board_, {}, out("a.elf"));
  build_image(container_, board_, {}, out("b.elf"));
  EXPECT_EQ(read_file(out("a.elf")), read_file(out("b.elf")));
  const auto bytes = read_file(out("a.elf"));
  const std::string text(bytes.begin(), bytes.end());
  EXPECT_EQ(text.find("/tmp"), std::string::npos) << "a machine path entered the image";
}

TEST_F(Image, KernelsMoveToItcmAndArenaElsewhere) {
  ImageOptions options;
  apply_placement(board_, "code=itcm,arena=sram1,scratch=AXI_SRAM", options);
  const auto facts = build_image(container_, board_, options, out("fw.elf"));
  const RawElf elf(out("fw.elf"));
  EXPECT_LT(elf.value_of("mcusim_conv_a8w4y4_icn"), 0x10000u);
  EXPECT_GE(elf.value_of("reset_handler"), 0x08000000u);
  EXPECT_EQ(elf.value_of("mcusim_arena"), 0x30000000u);
  EXPECT_EQ(elf.value_of("__stack_top"), 0x24080000u);
  EXPECT_GT(facts.kernels_bytes, 500u);
  uint64_t in_flash = 0;
  for (const auto& segment : elf.segments)
    if (segment.p_type == PT_LOAD) in_flash += segment.p_filesz;
  EXPECT_EQ(facts.image_bytes, in_flash) << "code that runs from ITCM is stored in flash";
}

TEST_F(Image, RefusesWhatDoesNotFitWithBothNumbers) {
  ImageOptions options;
  options.flash_limit_bytes = 1000;
  options.ram_limit_bytes = 100;
  const auto fits = build_image(container_, board_, {}, out("fw.elf"));
  const auto message = error_of([&] { build_image(container_, board_, options, out("no.elf")); });
  EXPECT_THAT(message, AllOf(HasSubstr(std::to_string(fits.image_bytes) + " > 1000"),
                             HasSubstr(std::to_string(fits.arena_bytes) + " > 100")));
  EXPECT_FALSE(std::filesystem::exists(out("no.elf")));

  // 2.2 MB of weights in 2 MiB of flash: linked all the same, then refused.
  const auto big = encode(testing::make_chain(
      {{net::OpKind::fully_connected, 8, 8, 1, 1, 550, 1, 1, 0, 0, -10}}, 1, 1, 4000));
  EXPECT_THAT(error_of([&] { build_image(big, board_, {}, out("no.elf")); }),
              AllOf(HasSubstr("> 2097152"), HasSubstr("FLASH")));
  // Also where the next region follows at once: OCRAM2 holds 512 KiB, then comes OCRAM1.
  EXPECT_THAT(error_of([&] { build_image(big, load_board("imxrt1062"), {}, out("no.elf")); }),
              HasSubstr("> 524288 (OCRAM2)"));
  // An activation tensor of 600,000 bytes in 512 KiB.
  const auto wide = encode(testing::make_chain(
      {{net::OpKind::conv2d, 8, 8, 300, 400, 1, 1, 1, 0, 0, -10}}, 300, 400, 4));
  EXPECT_THAT(error_of([&] { build_image(wide, board_, {}, out("no.elf")); }),
              HasSubstr("arena_bytes 600000 > 524288 (AXI_SRAM)"));
}

TEST_F(Image, RegionsThatAreSharedAreFilledTogether) {
  // 124 x 176 x 3 in and out: 130,944 bytes fit DTCM alone, not beside the stack.
  const auto net = encode(testing::make_chain(
      {{net::OpKind::conv2d, 8, 8, 124, 176, 3, 1, 1, 0, 0, -10}}, 124, 176, 3));
  ImageOptions options;
  apply_placement(board_, "arena=DTCM", options);
  EXPECT_THAT(error_of([&] { build_image(net, board_, options, out("no.elf")); }),
              AllOf(HasSubstr("DTCM"), HasSubstr("> 131072")));
  // Kernels and arena in one region: the arena starts behind the code.
  options = {};
  apply_placement(board_, "code=SRAM1,arena=SRAM1", options);
  const auto facts = build_image(container_, board_, options, out("fw.elf"));
  EXPECT_GE(facts.arena_base, 0x30000000 + facts.kernels_bytes);
  EXPECT_THAT(error_of([&] { build_image(net, board_, options, out("no.elf")); }),
              HasSubstr("SRAM1"));
  const Board mps2 = load_board("mps2_an500");
  EXPECT_THAT(error_of([&] { apply_placement(mps2, "arena=SSRAM1", options); }),
              HasSubstr("holds the image"));
}

TEST_F(Image, RefusesKernelsAndScratchThatDoNotFitTheirRam) {
  auto text = read_text_file(std::string(MCUSIM_SOURCE_DIR) + "/memmap/boards/stm32h743.toml");
  auto edit = [&](const std::string& from, const std::string& to) {
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
  };
  edit("size_bytes = 0x10000", "size_bytes = 0x200");     // ITCM of 512 bytes
  edit("size_bytes = 0x20000\n", "size_bytes = 0x2000\n");  // DTCM of 8192: the stack alone
  const Board small = parse_board(text, "small.toml");
  EXPECT_THAT(error_of([&] { build_image(container_, small, {}, out("no.elf")); }),
              AllOf(HasSubstr("scratch and stack"), HasSubstr("> 8192 (DTCM)")));
  ImageOptions options;
  apply_placement(small, "code=itcm,scratch=AXI_SRAM", options);
  EXPECT_THAT(error_of([&] { build_image(container_, small, options, out("no.elf")); }),
              AllOf(HasSubstr("ITCM"), HasSubstr("512")));
}

TEST_F(Image, RefusesNonsenseByName) {
  auto damaged = container_;
  damaged[0] ^= 1;
  EXPECT_NE(error_of([&] { build_image(damaged, board_, {}, out("no.elf")); }), "(accepted)");
  ImageOptions options;
  options.input = {1, 2, 3};
  EXPECT_THAT(error_of([&] { build_image(container_, board_, options, out("no.elf")); }),
              AllOf(HasSubstr("3 bytes"), HasSubstr("192")));
  options = {};
  options.core_hz = 123;
  EXPECT_THAT(error_of([&] { build_image(container_, board_, options, out("no.elf")); }),
              AllOf(HasSubstr("123"), HasSubstr("400000000")));
  for (const char* place : {"code=MOON", "arena=FLASH", "tensor=DTCM", "arena", ""})
    EXPECT_NE(error_of([&] { apply_placement(board_, place, options); }), "(accepted)") << place;
  EXPECT_THAT(error_of([&] { build_image(container_, board_, {}, "/nonexistent/fw.elf"); }),
              HasSubstr("/nonexistent/fw.elf"));
}

TEST_F(Image, TemporaryFilesAreRemovedAndToolFailuresAreOneLine) {
  const std::string private_place = out("tmp");
  std::filesystem::create_directory(private_place);
  const char* const old = std::getenv("TMPDIR");
  const std::string restore = old ? old : "";
  ::setenv("TMPDIR", private_place.c_str(), 1);
  build_image(container_, board_, {}, out("fw.elf"));
  EXPECT_THAT(error_of([&] { run_tool({"arm-none-eabi-ld", "missing.o"}, directory_.path()); }),
              AllOf(HasSubstr("arm-none-eabi-ld: failed"), HasSubstr("missing.o")));
  EXPECT_THAT(error_of([&] { run_tool({"no-such-tool"}, directory_.path()); }),
              HasSubstr("no-such-tool"));
  EXPECT_THAT(error_of([&] {
                const auto tools = find_cross_tools();
                run_tool({tools.linker, "--require-defined=mcusim_conv_a8w3y8_icn",
                          data_directory() + "/firmware/libmcusim_kernels.a"},
                         directory_.path());
              }),
              HasSubstr("mcusim_conv_a8w3y8_icn"));
  EXPECT_TRUE(std::filesystem::is_empty(private_place));
  old ? ::setenv("TMPDIR", restore.c_str(), 1) : ::unsetenv("TMPDIR");
}

TEST(LinkerScript, StatesTheBoardsRegions) {
  const Board board = load_board("mps2_an500");
  ImageLayout layout{"SSRAM1", "SSRAM23", "SSRAM23", "", "", 1000, 64, 4096, {1, 2}};
  const auto script = linker_script(board, layout);
  EXPECT_THAT(script, AllOf(HasSubstr("SSRAM1 : ORIGIN = 0x00000000"),
                            HasSubstr("SSRAM23 : ORIGIN = 0x20000000"),
                            HasSubstr("__stack_top = 0x20400000"),
                            HasSubstr("__stack_limit = 0x203ff000")));
  layout.arena_region = "NOWHERE";
  EXPECT_THAT(error_of([&] { linker_script(board, layout); }), HasSubstr("NOWHERE"));
  layout.arena_region = "SSRAM23";
  layout.stack_bytes = 3;
  EXPECT_THAT(error_of([&] { linker_script(board, layout); }), HasSubstr("multiple of 8"));
}

}  // namespace
}  // namespace mcusim
