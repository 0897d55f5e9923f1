// SPDX-License-Identifier: MIT
// Traces there and back, and damaged in every way, before and after compression.
#include "traces/trace_file.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cstring>
#include <filesystem>
#include <random>

#include "memmap/base/error.h"

namespace mcusim::trace {
namespace {

// Everything a sink saw, as comparable text.
class Recorder : public RetiredSink {
 public:
  void block_defined(const BlockInfo& info) override {
    log += fmt::format("D {} {:x} {} {}\n", info.id, info.address, info.it_state, info.code.size());
  }
  void run(const BlockRun& run) override {
    log += fmt::format("R {} {} {:x}", run.block, run.instructions, run.skipped);
    for (const auto& a : run.accesses) log += fmt::format(" {:x}/{}/{}/{}", a.address, a.bytes, a.is_write, a.instruction);
    log += "\n";
  }
  void mark(const Mark& mark) override { log += fmt::format("M {} {}\n", mark.port, mark.value); }
  void control(const Control& c) override {
    log += fmt::format("C {} {} {} {}\n", static_cast<int>(c.what), c.value, c.extra[0], c.extra[1]);
  }
  void exception(const Exception& e) override { log += fmt::format("E {} {} {}\n", e.entry, e.number, e.frame_bytes); }
  void window_start(const WindowStart& w) override {
    log += fmt::format("W {} {} {} {}\n", w.instructions, w.cycle, std::string(w.estimator.begin(), w.estimator.end()), w.context.size());
  }
  std::string log;
};

class Ignore : public RetiredSink {
 public:
  void block_defined(const BlockInfo&) override {}
  void run(const BlockRun&) override {}
  void mark(const Mark&) override {}
  void control(const Control&) override {}
  void exception(const Exception&) override {}
};

// Loops with strides, wild accesses, cut runs, marks and interrupts.
void random_stream(uint32_t seed, RetiredSink& sink) {
  std::mt19937 random(seed);
  uint32_t blocks = 0;
  std::vector<Access> accesses;
  for (int step = 0; step < 400; ++step) {
    const uint32_t choice = random() % 17;
    if (blocks == 0 || choice == 0) {
      sink.block_defined({blocks++, static_cast<uint32_t>(random()) & ~1u, static_cast<uint8_t>(random() % 3), std::vector<uint8_t>(2 + random() % 40)});
    } else if (choice == 1) {
      sink.mark({static_cast<uint32_t>(random() % 32), static_cast<uint32_t>(random())});
    } else if (choice == 2) {
      sink.control({static_cast<Control::What>(random() % 12), static_cast<uint32_t>(random()), {static_cast<uint32_t>(random()), 7}});
    } else if (choice == 3) {
      sink.exception({random() % 2 == 0, static_cast<uint32_t>(random() % 512), 104});
    } else if (choice == 16) {
      const std::vector<uint8_t> state(random() % 300, 'x'), context(random() % 20);
      sink.window_start({uint64_t{random()} << 20, uint64_t{random()} << 30, state, context});
    } else {
      const auto block = static_cast<uint32_t>(random() % blocks);
      const uint32_t stride = random() % 3 * 4, runs = 1 + random() % 50;
      accesses.clear();
      for (uint32_t i = random() % 70; i > 0; --i)
        accesses.push_back({static_cast<uint32_t>(random()), static_cast<uint8_t>(1u << random() % 4), random() % 2 == 0, static_cast<uint16_t>(random() % 20)});
      for (uint32_t run = 0; run < runs; ++run) {
        sink.run({block, 1 + static_cast<uint32_t>(random() % 60 == 0), accesses, random() % 40 == 0 ? random() : 0u});
        for (auto& access : accesses) access.address += stride;
        if (!accesses.empty() && random() % 8 == 0) accesses[random() % accesses.size()].address = static_cast<uint32_t>(random());
      }
    }
  }
}

class TraceFile : public ::testing::Test {
 protected:
  TraceFile() { std::filesystem::create_directories(directory_); }
  ~TraceFile() override { std::filesystem::remove_all(directory_); }
  std::string path(const char* name) const { return directory_ + "/" + name; }
  std::vector<uint8_t> record(uint32_t seed, std::string* log = nullptr) {
    Recorder recorder;
    TraceWriter writer(path("t.mct"), "{\"program\":\"p\"}", &recorder);
    random_stream(seed, writer);
    writer.finish("{\"cycles\":1}");
    if (log) *log = recorder.log;
    return read_file(path("t.mct"));
  }
  std::string replay_error(const std::vector<uint8_t>& bytes) {
    write_file(path("damaged.mct"), bytes);
    try {
      Ignore ignore;
      TraceReader(path("damaged.mct")).replay(ignore);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  const std::string directory_ = (std::filesystem::temp_directory_path() / ("trace_file_test." + std::to_string(::getpid()))).string();
};

TEST_F(TraceFile, ReplaysEveryEventExactly) {
  for (uint32_t seed = 0; seed < 30; ++seed) {
    std::string live;
    record(seed, &live);
    Recorder replayed;
    const TraceReader reader(path("t.mct"));
    reader.replay(replayed);
    ASSERT_EQ(replayed.log, live) << seed;
    EXPECT_EQ(reader.metadata(), "{\"program\":\"p\"}");
    EXPECT_EQ(reader.summary(), "{\"cycles\":1}");
  }
}

TEST_F(TraceFile, EqualStreamsGiveEqualBytes) { EXPECT_EQ(record(5), record(5)); }

TEST_F(TraceFile, AStridedLoopCostsAlmostNothing) {
  TraceWriter writer(path("loop.mct"), "{}", nullptr);
  writer.block_defined({0, 0x100, 0, std::vector<uint8_t>(16)});
  for (uint32_t i = 0; i < 1'000'000; ++i) {
    const Access accesses[] = {{0x20000000 + 4 * i, 4, false, 0}, {0x24000000 + i, 1, true, 3}};
    writer.run({0, 8, accesses, 0});
  }
  writer.finish("{}");
  EXPECT_LT(std::filesystem::file_size(path("loop.mct")), 300u);
}

TEST_F(TraceFile, TruncationAnywhereIsAnError) {
  const auto good = record(1);
  for (size_t size = 0; size < good.size(); size += 1 + good.size() / 500) {
    const std::string error = replay_error({good.begin(), good.begin() + static_cast<ptrdiff_t>(size)});
    EXPECT_NE(error, "") << size;
    EXPECT_EQ(error.find('\n'), std::string::npos);
  }
}

TEST_F(TraceFile, FlippedBytesAreAnError) {
  const auto good = record(2);
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    auto bad = good;
    bad[random() % bad.size()] ^= static_cast<uint8_t>(1 + random() % 255);
    EXPECT_NE(replay_error(bad), "") << i;
  }
}

TEST_F(TraceFile, OtherVersionsAndOtherFilesAreNamed) {
  auto bytes = record(3);
  bytes[4] = 9;
  EXPECT_NE(replay_error(bytes).find("trace version 9, this program reads 2; record it again"), std::string::npos);
  bytes[4] = 1;
  EXPECT_NE(replay_error(bytes).find("trace version 1,"), std::string::npos);
  EXPECT_NE(replay_error({1, 2, 3}).find("not a trace"), std::string::npos);
  EXPECT_NE(replay_error({}).find("not a trace"), std::string::npos);
}

// Damage behind the checksum: random event bytes must end in an Error or in a
// stream that keeps the sink's rules, never in a crash or an endless replay.
TEST_F(TraceFile, CorruptEventsAreJudgedAfterDecompression) {
  std::mt19937 random(4);
  EventEncoder encoder;
  encoder.block_defined({0, 0x100, 0, std::vector<uint8_t>(8)});
  const Access accesses[] = {{0x20000000, 4, false, 0}};
  for (int i = 0; i < 50; ++i) encoder.run({0, 4, accesses, 0});
  const auto good = encoder.take();
  for (int i = 0; i < 5000; ++i) {
    auto bad = good;
    for (int flips = 0; flips < 3; ++flips) bad[random() % bad.size()] = static_cast<uint8_t>(random());
    for (int more = 0; more < 20; ++more) bad.push_back(static_cast<uint8_t>(random()));
    EventDecoder decoder("t.mct");
    Ignore ignore;
    try {
      decoder.decode(bad, ignore);
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).rfind("t.mct: corrupt event stream", 0), 0u);
    }
  }
}

}  // namespace
}  // namespace mcusim::trace
