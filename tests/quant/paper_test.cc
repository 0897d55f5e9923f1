// SPDX-License-Identifier: MIT
// What `mcusim paper` writes: files kept between runs, cells that survive their
// formats, figures that are well-formed.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "memmap/base/process.h"
#include "quant/paper/artefact.h"
#include "quant/paper/steps.h"
#include "quant/paper/workshop.h"

namespace mcusim::paper {
namespace {

using testing::HasSubstr;

class Steps : public testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_.file(name); }
  // Runs one step and returns how many programs were really started.
  size_t started(const Step& step, StepResult& result) {
    size_t first = 1, seen = 0;
    result = run_steps({step}, folder_.path(), 1, [&](size_t done) {
      if (seen++ == 0) first = done;
    })[0];
    return 1 - first;
  }
  TemporaryDirectory folder_;
  const Step small_ = {"small", {"mcusim-net", "zoo", "mobilenet_v1", "--width", "0.25", "--resolution", "32"}, {"-o", file("n.bin")}, {}};
};

TEST_F(Steps, AFinishedStepIsNotRunAgainUntilItsWordsOrInputsChange) {
  Step step = small_;
  step.inputs = {file("plan.txt")};
  write_file(file("plan.txt"), std::string("one"));
  StepResult result;
  EXPECT_EQ(started(step, result), 1u);
  EXPECT_TRUE(result.made);
  EXPECT_EQ(started(step, result), 0u);
  EXPECT_TRUE(result.made);
  write_file(file("plan.txt"), std::string("two"));
  EXPECT_EQ(started(step, result), 1u) << "an input changed";
  step.words.insert(step.words.end(), {"--seed", "2"});
  EXPECT_EQ(started(step, result), 1u) << "the words changed";
  std::filesystem::remove(file("n.bin"));
  EXPECT_EQ(started(step, result), 1u) << "the output is gone";
}

TEST_F(Steps, ARefusalIsAResultAndIsTriedAgain) {
  Step step = small_;
  step.words.insert(step.words.end(), {"--ram", "100"});
  StepResult result;
  EXPECT_EQ(started(step, result), 1u);
  EXPECT_FALSE(result.made);
  EXPECT_THAT(result.refusal, HasSubstr("100 B available"));
  EXPECT_EQ(started(step, result), 1u);
}

TEST_F(Steps, WrongUsageIsAnError) {
  Step step = small_;
  step.words[2] = "no_such_network";
  EXPECT_THAT([&] { run_steps({step}, folder_.path(), 1, [](size_t) {}); },
              testing::ThrowsMessage<Error>(HasSubstr("status 2")));
}

TEST_F(Steps, CommandsAreShownWithoutFolders) {
  EXPECT_EQ(shown_command({"s", {"mcusim", "run", "/a/b/n.bin"}, {"--json", "/a/b/n.json"}, {}}), "mcusim run n.bin --json n.json");
}

TEST_F(Steps, AReportWithoutItsKeysIsNamed) {
  write_file(file("r.json"), std::string("{\"totals\": {}}"));
  EXPECT_THAT([&] { read_run_facts(file("r.json")); }, testing::ThrowsMessage<Error>(HasSubstr("r.json: not a run report")));
  write_file(file("r.json"), std::string("{"));
  EXPECT_THAT([&] { read_run_facts(file("r.json")); }, testing::ThrowsMessage<Error>(HasSubstr("r.json: not a run report")));
}

TEST(PaperPage, CellsSurviveTheirFormats) {
  Table table{"t", "T", "c", {{"name"}, {"bytes", Origin::planned}}, {}};
  table.add({"a \"b\", c", "1|2"});
  EXPECT_EQ(to_csv(table), "name,bytes (planned)\n\"a \"\"b\"\", c\",1|2\n");
  const Page page{"p", "P", "i", {table}, {}, {"top-1"}, {}};
  EXPECT_THAT(to_markdown(page), HasSubstr("| a \"b\", c | 1\\|2 |"));
  EXPECT_THAT(to_markdown(page), HasSubstr("- top-1"));
  EXPECT_THROW(table.add({"one cell"}), std::logic_error);
}

// Python's parser is the judge.
TEST(PaperPage, FiguresAreWellFormedForAwkwardData) {
  const TemporaryDirectory folder;
  const std::vector<Figure> figures = {
      {"one", "A & B <c>", "", "x", "y", false, false, {{"s", {{1, 1, "\"q\" & <r>"}}, false}}},
      {"wide", "t", "", "x", "y", true, true, {{"s", {{1, 1e-3, "a"}, {1e9, 1e7, "b"}}, true}}},
      {"flat", "t", "", "x", "y", false, false, {{"s", {{0, 5, ""}, {0, 5, ""}}, true}, {"u", {{-3, 5, "n"}}, false}}},
  };
  std::vector<std::string> command = {"python3", "-c",
                                      "import sys, xml.dom.minidom as m\n"
                                      "for f in sys.argv[1:]: print(len(m.parse(f).getElementsByTagName('circle')))"};
  std::string circles;
  for (const auto& figure : figures) {
    command.push_back(folder.file(figure.id + ".svg"));
    write_file(command.back(), to_svg(figure));
    EXPECT_THAT(read_text_file(command.back()), testing::Not(testing::ContainsRegex("nan|inf[^o]")));
    size_t points = figure.series.size();  // one in the legend of each
    for (const auto& series : figure.series) points += series.points.size();
    circles += fmt::format("{}\n", points);
  }
  EXPECT_EQ(run_tool(command, folder.path()), circles);
}

TEST(PaperPage, PointsStandWhereTheirValuesAre) {
  const std::string svg = to_svg({"f", "t", "", "x", "y", true, false, {{"s", {{1, 0, ""}, {10, 5, ""}, {100, 10, ""}}, false}}});
  std::vector<double> x, y;
  for (size_t at = svg.find("r=\"4\" stroke"); at != std::string::npos; at = svg.find("r=\"4\" stroke", at + 1)) {
    const size_t tag = svg.rfind("<circle", at);
    x.push_back(std::stod(svg.substr(svg.find("cx=\"", tag) + 4)));
    y.push_back(std::stod(svg.substr(svg.find("cy=\"", tag) + 4)));
  }
  ASSERT_EQ(x.size(), 3u);
  EXPECT_NEAR(x[1] - x[0], x[2] - x[1], 0.2);  // equal ratios, equal distances
  EXPECT_NEAR(y[0] - y[1], y[1] - y[2], 0.2);
  EXPECT_GT(x[1], x[0]);
  EXPECT_LT(y[1], y[0]);                        // upwards on the screen
}

}  // namespace
}  // namespace mcusim::paper
