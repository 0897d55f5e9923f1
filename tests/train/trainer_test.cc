// SPDX-License-Identifier: MIT
#include "quant/train/trainer.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/train/prepare.h"
#include "tests/train/support/little_net.h"

namespace mcusim::train {
namespace {

using testing::HasSubstr;

struct Setting {
  const char* name;
  plan::Flavour flavour;
  uint8_t activation_bits, weight_bits;
};

class Retraining : public testing::TestWithParam<Setting> {
 protected:
  Packed packed(const Outcome& outcome) const {
    return finish(task, net.problem, widths, GetParam().flavour, false, outcome);
  }
  LittleNet net;
  plan::Widths widths = plan::all_at(net.problem, GetParam().activation_bits, GetParam().weight_bits);
  Task task = prepare(net.graph, net.layers, net.problem, widths, GetParam().flavour, net.input,
                      net.training.inputs);
};

TEST_P(Retraining, IntegerNetworkDecidesAsTheTrainedOneOnEveryInput) {
  TrainOptions options;
  options.epochs = 3;
  options.learning_rate = 3e-3;
  const auto outcome = train(task, net.training, net.validation, options);
  const auto trained = fake_quantised_top1(task, &outcome, net.training.inputs);
  EXPECT_EQ(integer_top1(packed(outcome).file, net.stored_training), trained);
}

TEST_P(Retraining, LowersTheLossOnItsTrainingInputs) {
  // The first epoch runs on batch statistics; with 2 bits and 45 inputs the frozen ones
  // that follow start so much worse that eight epochs do not make up for it.
  if (GetParam().weight_bits == 2) GTEST_SKIP() << "batch and frozen statistics do not compare";
  TrainOptions options;
  options.epochs = 8;
  options.learning_rate = 3e-3;
  const auto outcome = train(task, net.training, net.validation, options);
  EXPECT_LT(outcome.epochs.back().loss, outcome.epochs.front().loss);
}

INSTANTIATE_TEST_SUITE_P(
    Arithmetics, Retraining,
    testing::Values(Setting{"pl_fb_8", plan::Flavour::pl_fb, 8, 8},
                    Setting{"pl_fb_4", plan::Flavour::pl_fb, 4, 4},
                    Setting{"pl_icn_4", plan::Flavour::pl_icn, 4, 4},
                    Setting{"pc_icn_8", plan::Flavour::pc_icn, 8, 8},
                    Setting{"pc_icn_4", plan::Flavour::pc_icn, 4, 4},
                    Setting{"pc_icn_2", plan::Flavour::pc_icn, 2, 2},
                    Setting{"pc_thr_4", plan::Flavour::pc_thresholds, 4, 4}),
    [](const auto& tested) { return tested.param.name; });

class TrainingRun : public testing::Test {
 protected:
  TrainingRun() {
    options.epochs = 4;
    options.learning_rate = 3e-3;
    options.max_shift_h = 1;
    options.checkpoint = testing::TempDir() + "mcusim_train_" +
                         testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove(options.checkpoint);
  }
  ~TrainingRun() override { std::filesystem::remove(options.checkpoint); }

  std::string message() {
    try {
      train(task, net.training, net.validation, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  LittleNet net;
  plan::Widths widths = plan::all_at(net.problem, 4, 4);
  Task task = prepare(net.graph, net.layers, net.problem, widths, plan::Flavour::pl_icn, net.input,
                      net.training.inputs);
  TrainOptions options;
};

TEST_F(TrainingRun, KilledAndResumedGivesTheSameBytes) {
  options.checkpoint.clear();
  const auto whole = train(task, net.training, net.validation, options);
  options.checkpoint = testing::TempDir() + "mcusim_train_KilledAndResumedGivesTheSameBytes";
  for (int kills = 0; kills < 2; ++kills) {
    struct Killed {};
    size_t seen = 0;
    EXPECT_THROW(train(task, net.training, net.validation, options,
                       [&](const auto&) { if (++seen == 1) throw Killed(); }),
                 Killed);
  }
  size_t repeated = 0;
  const auto resumed = train(task, net.training, net.validation, options,
                             [&](const auto&) { ++repeated; });
  EXPECT_EQ(repeated, 2u);
  EXPECT_EQ(resumed.state, whole.state);
  EXPECT_EQ(finish(task, net.problem, widths, plan::Flavour::pl_icn, false, resumed).file,
            finish(task, net.problem, widths, plan::Flavour::pl_icn, false, whole).file);
}

TEST_F(TrainingRun, SeedsDecideTheResultAndNothingElseDoes) {
  options.checkpoint.clear();
  options.epochs = 2;
  const auto first = train(task, net.training, net.validation, options);
  EXPECT_EQ(train(task, net.training, net.validation, options).state, first.state);
  options.seed = 2;
  EXPECT_NE(train(task, net.training, net.validation, options).state, first.state);
}

TEST_F(TrainingRun, RefusesACheckpointOfOtherOptionsAndOneThatIsDamaged) {
  options.epochs = 1;
  train(task, net.training, net.validation, options);
  options.batch = 16;
  EXPECT_THAT(message(), HasSubstr("a checkpoint of another network"));
  auto bytes = read_file(options.checkpoint);
  bytes[bytes.size() / 2] ^= 1;
  write_file(options.checkpoint, bytes);
  EXPECT_THAT(message(), HasSubstr("damaged"));
  bytes.resize(bytes.size() / 2);
  write_file(options.checkpoint, bytes);
  EXPECT_THAT(message(), HasSubstr("damaged"));
  write_file(options.checkpoint, std::string("text"));
  EXPECT_THAT(message(), HasSubstr("not a training checkpoint"));
}

TEST_F(TrainingRun, RefusesLabelsThatDoNotFit) {
  net.training.labels[5] = 3;
  EXPECT_THAT(message(), HasSubstr("label 3 of input 5: the network has 3 classes"));
  net.training.labels.pop_back();
  EXPECT_THAT(message(), HasSubstr("inputs, "));
}

TEST_F(TrainingRun, ALossThatIsNotFiniteNamesTheEpoch) {
  options.checkpoint.clear();
  options.learning_rate = 1e30;
  EXPECT_THAT(message(), HasSubstr("the loss is"));
}

}  // namespace
}  // namespace mcusim::train
