// SPDX-License-Identifier: MIT
#include "quant/plan/bits_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memmap/base/error.h"
#include "quant/plan/rule_search.h"
#include "quant/zoo/zoo.h"

namespace mcusim::plan {
namespace {

Problem problem() {
  const auto graph = zoo::mobilenet_v1(0.75, 224);
  return problem_of(graph, graph::fuse(graph));
}

TEST(BitsFile, ReadsBackWhatItWrites) {
  const Problem p = problem();
  const Widths widths = rule_search(p, {1024000, 256000}, Mode::pc).widths;
  const Widths again = parse_bits(p, format_bits(p, widths), "x");
  EXPECT_EQ(again.tensor_bits, widths.tensor_bits);
  EXPECT_EQ(again.weight_bits, widths.weight_bits);
}

TEST(BitsFile, RefusesWhatItCannotMean) {
  const Problem p = problem();
  const auto message = [&](const std::string& text) -> std::string {
    try {
      parse_bits(p, text, "b.json");
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const auto layer = [](const std::string& fields) { return R"({"layers": [{)" + fields + "}]}"; };
  EXPECT_EQ(message(layer(R"("name": "L3", "weights": 4)")), "");
  EXPECT_THAT(message("{"), testing::HasSubstr("not a bit plan"));
  EXPECT_THAT(message(layer(R"("name": "L99")")), testing::HasSubstr("L99"));
  EXPECT_THAT(message(layer(R"("name": "L3", "weights": 3)")), testing::HasSubstr("8, 4 or 2"));
  EXPECT_THAT(message(layer(R"("name": "L3", "wieghts": 4)")), testing::HasSubstr("wieghts"));
  EXPECT_THAT(message(layer(R"("name": "pool", "weights": 4)")), testing::HasSubstr("weights"));
  EXPECT_THAT(message(layer(R"("name": "L28", "output": 4)")), testing::HasSubstr("8 bits"));
}

}  // namespace
}  // namespace mcusim::plan
