// SPDX-License-Identifier: MIT
// `mcusim eval --engine sim`: the emulated target gives the bytes of the host engine.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/e2e/program.h"

namespace mcusim::testing {
namespace {

TEST(Eval, EnginesGiveTheSameBytes) {
  const char* data = std::getenv("MCUSIM_DATA");
  if (!data) GTEST_SKIP() << "MCUSIM_DATA is not set";
  const TemporaryDirectory directory;
  const std::string kws = std::string(data) + "/kws/";
  for (const std::string engine : {"host", "sim"}) {
    const Finished run =
        run_program({"eval", kws + "kws_ds_cnn_int8.tflite", "--data",
                     kws + "kws_test_inputs.npz:x[0:5]", "--labels", "y", "--engine", engine,
                     "--threads", "2", "--output", directory.file(engine + ".npy")},
                    "mcusim-net");
    ASSERT_EQ(run.status, 0) << run.err;
    EXPECT_NE(run.out.find("/5 ("), std::string::npos) << run.out;
  }
  EXPECT_EQ(read_file(directory.file("host.npy")), read_file(directory.file("sim.npy")));
}

}  // namespace
}  // namespace mcusim::testing
